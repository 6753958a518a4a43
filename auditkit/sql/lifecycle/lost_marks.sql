-- Billed marks of billable cost, and how many of them find no invoice. A NULL mark is none.
select count(*) as marked, count(case when state = 'not_found' then 1 end) as lost
from nrb_status where billed_mark and billable and not internal
