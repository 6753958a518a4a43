-- What would agree at another tolerance: an amount, or thousandths of a job's billable total and of a cost. Jobs without an
-- invoice, or without an NRB, do not depend on a tolerance. A cost counts once, whatever lines bill it. A NULL difference never agrees.
with tolerance as (
    select place, tolerance, amount, thousandths
    from (values (1, '0.00', 0.00, 0), (2, '0.01', 0.01, 0), (3, '0.05', 0.05, 0), (4, '1.00', 1.00, 0),
        (5, '0.1 %', 0.00, 1), (6, '1 %', 0.00, 10)) as t(place, tolerance, amount, thousandths)
), compared as (
    select 'job' as subject, variance as difference, abs(billable_total) as size
    from job_reconciliation where verdict in ('agrees', 'under-billed', 'over-billed')
    union all
    select 'cost', s.charged - coalesce(s.total, 0), abs(coalesce(s.total, 0))
    from nrb_status as s
    where s.state in ('billed_full', 'billed_part', 'billed_over', 'charged_twice')
), judged as (
    select t.place, t.tolerance, c.subject, c.difference,
        c.subject is not null and abs(c.difference) * 1000 <= t.amount * 1000 + t.thousandths * c.size as agrees
    from tolerance as t left join compared as c on true
), counted as (
    select place, tolerance,
        count(*) filter (where subject = 'job' and agrees) as jobs_agree,
        count(*) filter (where subject = 'job' and not agrees and difference < 0) as jobs_under_billed,
        count(*) filter (where subject = 'job' and not agrees and difference > 0) as jobs_over_billed,
        coalesce(sum(abs(difference)) filter (where subject = 'job' and not agrees), 0) as job_variance,
        count(*) filter (where subject = 'cost' and agrees) as costs_agree,
        count(*) filter (where subject = 'cost' and not agrees and difference < 0) as costs_under_billed,
        count(*) filter (where subject = 'cost' and not agrees and difference > 0) as costs_over_billed,
        coalesce(sum(abs(difference)) filter (where subject = 'cost' and not agrees), 0) as cost_variance
    from judged
    group by place, tolerance
)
select c.tolerance, c.jobs_agree, c.jobs_agree - z.jobs_agree as jobs_more, c.jobs_under_billed, c.jobs_over_billed,
    c.job_variance, c.costs_agree, c.costs_agree - z.costs_agree as costs_more, c.costs_under_billed,
    c.costs_over_billed, c.cost_variance
from counted as c join counted as z on z.place = 1
order by c.place
