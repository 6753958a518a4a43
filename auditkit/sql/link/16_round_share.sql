-- Which share of the account's lines is at least so round: the chance that a line of unrelated cost is.
-- out: roundness int, share ratio
with every as (
    select count(*) as lines from invoice_line where cents <> 0
)
select g.roundness, ratio(count(case when t.cents % g.roundness = 0 then 1 end), max(e.lines)) as share
from (values (1), (5), (25), (50), (100), (500), (2500), (5000), (10000), (50000), (250000), (500000), (1000000)) as g(roundness)
cross join every as e
left join invoice_line as t on t.cents <> 0
group by g.roundness
