-- The latest finding that was cleared and whose fingerprint begins with $start. One row, or none.
select rule_id, subject_id, sync_id
from finding_history
where starts_with(fingerprint, $start) and state = 'cleared'
order by rowid desc
limit 1
