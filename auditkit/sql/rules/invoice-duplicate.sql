-- id: invoice-duplicate
-- title: The same invoice stands twice
-- assertion: existence
-- severity: high
-- subject: invoice
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, external_id text, invoice_date date, total money, others text
-- key: others
-- why: The client is charged twice, or two documents share a name and no payment can be told apart.
-- remedy: Compare both; void the one that is too many.
-- note: Issued invoices and drafts: the same number, the same external id, or the same job, date and total; evidence names the others.
--   A void invoice and its re-issue are silent. NULL number, external id, job, date or total, and a total of 0.00: that part is silent.
with item as (
    select i.jnid, folded(i.number) as number_key, folded(i.external_id) as external_key,
        case when s.job_key <> '(several)' and i.total <> 0 then s.job_key end as job_key, i.total,
        coalesce(i.invoice_date, i.created_on) as day
    from invoice as i join invoice_status as s on s.jnid = i.jnid and s.state <> 'void'
), pair as (
    select a.jnid, b.jnid as other, 1 as sameness from item as a join item as b on b.number_key = a.number_key and b.jnid <> a.jnid
    union all
    select a.jnid, b.jnid, 2 from item as a join item as b on b.external_key = a.external_key and b.jnid <> a.jnid
    union all
    select a.jnid, b.jnid, 3
    from item as a join item as b on b.job_key = a.job_key and b.total = a.total and b.day = a.day and b.jnid <> a.jnid
), best as (
    select jnid, other, min(sameness) as sameness from pair group by jnid, other
)
select i.jnid as subject_id, s.job_number, i.total as amount_at_risk,
    case min(b.sameness) when 1 then 'the same number' when 2 then 'the same external id' else 'the same job, date and total' end
        || ' as another invoice' as reason,
    i.number, i.external_id, coalesce(i.invoice_date, i.created_on) as invoice_date, i.total,
    string_agg(b.other, ' ' order by b.other) as others
from best as b
join invoice as i on i.jnid = b.jnid
join invoice_status as s on s.jnid = b.jnid
group by i.jnid, s.job_number, i.total, i.number, i.external_id, i.invoice_date, i.created_on
