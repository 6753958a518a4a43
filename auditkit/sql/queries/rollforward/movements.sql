-- The items behind the roll-forward, row by row: amount before and now (NULL: not there), and what the difference adds to the row.
-- Job and month are those of now; of what is cleared, those of before.
{moved}
select label, movement, subject_type, subject_id, nrb_guid, jnid, job_number, month, before, now, difference
from moved
where label in (select label from statement where scope = 'all')
    or label in (select label from before.statement where scope = 'all')
order by position, label, movement, abs(difference) desc, subject_id, nrb_guid, before, now
