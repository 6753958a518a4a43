-- id: job-variance
-- title: Unreconciled job
-- assertion: completeness
-- severity: high
-- subject: job
-- out: subject_id text, job_number text, amount_at_risk money, reason text, verdict text, undecided_total money, open_line_total money, billable_total money, invoice_total money
-- key: verdict
-- why: More of the job's cost is undecided than all lines that may carry it charge: a part of it cannot have been billed, and no single cost shows which.
-- remedy: Decide the job's undecided costs (`auditkit links --job`), each on its own; what no line can carry is unbilled.
-- note: Jobs with NRBs and issued invoices. Compared by more than $tolerance: the net total of the undecided leaves, with every issued line above 0.00
--   that carries no NRB and is on an invoice of the job or names one of them. At risk is the rest. Whatever a single cost shows (unbilled, billed in
--   part, charged twice) is found there and not repeated. A job whose number is in an invoice that could not be read is silent. NULL totals
--   count as 0.00; a NULL job is one subject of its own.
with asking as (
    select guid, coalesce(job_key, '') as job_key, coalesce(total, 0) as total from nrb_status where state = 'undecided'
), needed as (
    select job_key, sum(total) as amount from asking group by job_key
), open_line as (
    select jnid, line_position as position, amount from statement_item where code = 'other_lines'
), reachable as (
    select j.job_key, o.jnid, o.position, o.amount from open_line as o join invoice_job as j on j.jnid = o.jnid
    union
    select coalesce(i.job_key, ''), o.jnid, o.position, o.amount from open_line as o join invoice_status as i on i.jnid = o.jnid
    union
    select a.job_key, o.jnid, o.position, o.amount
    from undecided as u
    join asking as a on a.guid = u.nrb_guid
    join open_line as o on o.jnid = u.jnid and o.position = u.position
), capacity as (
    select job_key, sum(amount) as amount from reachable group by job_key
), compared as (
    select j.job_number, folded(j.job_number) as job_key, j.verdict, j.billable_total, j.invoice_total, n.amount as undecided_total,
        coalesce(c.amount, 0) as open_line_total
    from job_reconciliation as j
    join needed as n on n.job_key = coalesce(folded(j.job_number), '')
    left join capacity as c on c.job_key = n.job_key
    where j.invoice_count > 0
)
select case when job_number is null then '(no job)' when starts_with(job_number, '(no job)') then job_number || '.'
        else job_number end as subject_id,
    job_number, undecided_total - open_line_total as amount_at_risk,
    'cost of ' || cast(undecided_total as text) || ' is undecided, but the lines that may carry it charge '
        || cast(open_line_total as text) as reason,
    verdict, undecided_total, open_line_total, billable_total, invoice_total
from compared
where undecided_total - open_line_total > $tolerance
    and not exists (
        select 1 from raw.partly_read as b where b.subject_type = 'invoice' and (job_key is null or contains(lower(b.body), job_key))
    )
