-- id: invoice-duplicate-near
-- title: Possible duplicate invoice
-- assertion: existence
-- severity: medium
-- subject: invoice
-- param: days int = 14
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, invoice_date date, total money, others text
-- key: others
-- why: The same lines went to the same client twice within days: probably one document too many.
-- remedy: Compare both, line by line; void one only if it charges for the same again.
-- note: Issued invoices and drafts of the same job with the same total and the same lines, on different days at most $days apart. The later one is
--   found. Silent: invoices that charge for different costs, or for parts of one, or of which one was credited; and a series, which is
--   three or more such invoices, each at least five days after the one before. NULL job, date or total, a total of 0.00 and an invoice without lines: silent.
with line as (
    select jnid,
        string_agg(coalesce(reference_key(coalesce(name, '') || ' ' || coalesce(description, '')), '') || ' ' || coalesce(cast(amount as text), ''),
            '; ' order by reference_key(coalesce(name, '') || ' ' || coalesce(description, '')), amount) as lines
    from invoice_item group by jnid
), item as (
    select i.jnid, folded(i.number) as number_key, s.job_number, s.job_key, i.number, i.total,
        coalesce(i.invoice_date, i.created_on) as day, l.lines
    from invoice as i
    join invoice_status as s on s.jnid = i.jnid and s.state <> 'void' and s.job_key <> '(several)'
    join line as l on l.jnid = i.jnid
    where i.total <> 0
), spaced as (
    select job_key, total, lines, days_between(lag(day) over (partition by job_key, total, lines order by day, jnid), day) as days_since
    from item where day is not null
), series as (
    select job_key, total, lines from spaced group by job_key, total, lines having count(*) >= 3 and min(days_since) >= 5
), carried as (
    select distinct jnid, nrb_guid from link
), surplus as (
    select k.nrb_guid from link as k join nrb_status as s on s.guid = k.nrb_guid
    group by k.nrb_guid, s.total having abs(sum(k.invoiced_amount)) > abs(coalesce(s.total, 0))
), pair as (
    select a.jnid, b.jnid as other, coalesce(b.number, b.jnid) as other_number, days_between(b.day, a.day) as days_since,
        row_number() over (partition by a.jnid order by b.day desc, b.jnid) as turn
    from item as a
    join item as b on b.job_key = a.job_key and b.total = a.total and b.lines = a.lines and b.day < a.day
        and days_between(b.day, a.day) <= $days and b.number_key is distinct from a.number_key
    where not exists (select 1 from series as s where s.job_key = a.job_key and s.total = a.total and s.lines = a.lines)
        and (
            exists (
                select 1 from carried as x join carried as y on y.nrb_guid = x.nrb_guid join surplus as o on o.nrb_guid = x.nrb_guid
                where x.jnid = a.jnid and y.jnid = b.jnid
            )
            or not exists (select 1 from carried as x where x.jnid = a.jnid)
            or not exists (select 1 from carried as x where x.jnid = b.jnid)
        )
)
select i.jnid as subject_id, i.job_number, i.total as amount_at_risk,
    'the same lines as ' || min(case when p.turn = 1 then p.other_number end) || ', '
        || cast(min(case when p.turn = 1 then p.days_since end) as text) || ' days before' as reason,
    i.number, i.day as invoice_date, i.total, string_agg(p.other, ' ' order by p.other) as others
from item as i
join pair as p on p.jnid = i.jnid
group by i.jnid, i.job_number, i.total, i.number, i.day
