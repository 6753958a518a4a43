-- Rules that had findings and were not run, with how many.
select rule_id, count(*) as findings
from (
    select fingerprint, rule_id from state_before where state <> 'cleared'
    union
    select fingerprint, rule_id from state_last where state <> 'cleared'
) where rule_id not in (select rule_id from rule)
group by rule_id order by rule_id
