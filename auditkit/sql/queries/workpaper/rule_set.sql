-- How many rules were run, and one digest of them all.
select count(*) as rules, sha256(coalesce(string_agg(rule_id || ' ' || digest, chr(10) order by rule_id), '')) as digest
from rule
