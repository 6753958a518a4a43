-- id: invoice-duplicate
-- title: Duplicate invoice
-- assertion: existence
-- severity: high
-- subject: invoice
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, external_id text, invoice_date date, total money, others text, same_lines flag
-- key: others
-- why: The client is charged twice, or two documents share a number and no payment can be assigned to one of them.
-- remedy: Compare both, line by line. Void one only where all lines are the same; where they differ, renumber one.
-- note: Issued invoices and drafts with the same number or external id; or of the same job, date and total with the same lines. A deposit
--   and a final invoice of one amount are two documents: their lines differ. So are two invoices that charge for different costs, for
--   parts of one, or of which one was credited. A void invoice and its reissue are silent. NULL number, external id, job or date, and an
--   invoice without lines: that part is silent. At risk is the total of each copy with the same lines; of the earliest, and where the
--   lines differ, 0.00.
with line as (
    select jnid,
        string_agg(coalesce(reference_key(coalesce(name, '') || ' ' || coalesce(description, '')), '') || ' ' || coalesce(cast(amount as text), ''),
            '; ' order by reference_key(coalesce(name, '') || ' ' || coalesce(description, '')), amount) as lines
    from invoice_item group by jnid
), item as (
    select i.jnid, folded(i.number) as number_key, folded(i.external_id) as external_key, s.job_number, i.number, i.external_id,
        case when s.job_key <> '(several)' and i.total <> 0 then s.job_key end as job_key, i.total,
        coalesce(i.invoice_date, i.created_on) as day, l.lines,
        row_number() over (order by case when i.created_at is null then 1 else 0 end, i.created_at, i.jnid) as turn
    from invoice as i
    join invoice_status as s on s.jnid = i.jnid and s.state <> 'void'
    left join line as l on l.jnid = i.jnid
), carried as (
    select distinct jnid, nrb_guid from link
), surplus as (
    select k.nrb_guid from link as k join nrb_status as s on s.guid = k.nrb_guid
    group by k.nrb_guid, s.total having abs(sum(k.invoiced_amount)) > abs(coalesce(s.total, 0))
), pair as (
    select a.jnid, b.jnid as other, 1 as kind
    from item as a join item as b on b.number_key = a.number_key and b.jnid <> a.jnid
    union all
    select a.jnid, b.jnid, 2
    from item as a join item as b on b.external_key = a.external_key and b.jnid <> a.jnid
    union all
    select a.jnid, b.jnid, 3
    from item as a
    join item as b on b.job_key = a.job_key and b.total = a.total and b.day = a.day and b.lines = a.lines and b.jnid <> a.jnid
    where exists (
            select 1 from carried as x join carried as y on y.nrb_guid = x.nrb_guid join surplus as o on o.nrb_guid = x.nrb_guid
            where x.jnid = a.jnid and y.jnid = b.jnid
        )
        or not exists (select 1 from carried as x where x.jnid = a.jnid)
        or not exists (select 1 from carried as x where x.jnid = b.jnid)
), best as (
    select jnid, other, min(kind) as kind from pair group by jnid, other
), judged as (
    select a.jnid, b.other, b.kind, case when o.lines = a.lines and o.total = a.total then 1 else 0 end as is_same,
        case when o.lines = a.lines and o.total = a.total and o.turn < a.turn then 1 else 0 end as is_copy
    from best as b join item as a on a.jnid = b.jnid join item as o on o.jnid = b.other
)
select i.jnid as subject_id, i.job_number,
    case when max(j.is_copy) = 1 then i.total else cast(0 as decimal(18, 2)) end as amount_at_risk,
    case min(j.kind) when 1 then 'the same number as another invoice' when 2 then 'the same external id as another invoice'
        else 'the same job, date and lines as another invoice' end
        || case when max(j.is_same) = 0 then ', with other lines' else '' end as reason,
    i.number, i.external_id, i.day as invoice_date, i.total, string_agg(j.other, ' ' order by j.other) as others,
    max(j.is_same) = 1 as same_lines
from judged as j
join item as i on i.jnid = j.jnid
group by i.jnid, i.job_number, i.total, i.number, i.external_id, i.day
