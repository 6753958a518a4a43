-- The items behind the roll-forward, row by row: amount before and now (NULL: not there), and what the difference adds to the row.
-- Job and month are those of now; of what is cleared, those of before.
{moved}
select code, label, movement, subject_type, subject_id, nrb_guid, jnid, job_number, month, before, now, difference
from moved
where code in (select code from statement where scope = 'all')
    or code in (select code from before.statement where scope = 'all')
order by position, code, movement, abs(difference) desc, subject_id, nrb_guid, before, now
