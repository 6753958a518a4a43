-- What was billed, and what was not, at the end of a period: costs dated by then or without a date, in parts by label. An issued invoice
-- counts from its document's date, else from the day it was created. Sum of a cost's parts: its total, but for what is over-billed.
-- certain is false where dates alone cannot tell: without a date, entered or created after the period though dated in it, or voided since.
-- parameters: period_end
-- out: guid text, label text, amount money, job_number text, accounting_date date, billed_on date, jnid text, certain flag
with part as (
    select k.nrb_guid, k.jnid, k.invoiced_amount, coalesce(i.invoice_date, i.created_on) as billed_on,
        i.created_on <= $period_end or coalesce(i.invoice_date, i.created_on) > $period_end as certain
    from link as k join invoice as i on i.jnid = k.jnid
    where k.state = 'issued'
), billed as (
    select nrb_guid, sum(case when billed_on <= $period_end then invoiced_amount else 0 end) as by_then,
        sum(case when billed_on <= $period_end then 0 else invoiced_amount end) as later,
        max(case when billed_on <= $period_end then billed_on end) as last_by_then,
        min(case when billed_on > $period_end then billed_on end) as first_later,
        max(case when billed_on <= $period_end then jnid end) as jnid_by_then,
        min(case when billed_on > $period_end then jnid end) as jnid_later,
        min(case when certain then 1 else 0 end) = 1 as certain
    from part group by nrb_guid
), voided as (
    select k.nrb_guid, max(case when i.updated_on > $period_end then 1 else 0 end) = 1 as lately
    from link as k join invoice as i on i.jnid = k.jnid
    where k.state = 'void'
    group by k.nrb_guid
), leaf as (
    select s.guid, s.job_number, s.accounting_date, coalesce(s.total, 0) as total, s.state, s.look_first, s.left_over, s.found_jnid,
        coalesce(b.by_then, 0) as by_then, coalesce(b.later, 0) as later, b.last_by_then, b.first_later, b.jnid_by_then, b.jnid_later,
        coalesce(coalesce(n.created_on, s.accounting_date) <= $period_end, false) and coalesce(b.certain, true) and not coalesce(v.lately, false) as certain
    from nrb_status as s
    join nrb as n on n.guid = s.guid
    left join billed as b on b.nrb_guid = s.guid
    left join voided as v on v.nrb_guid = s.guid
    where s.accounting_date <= $period_end or s.accounting_date is null
), item as (
    select guid, case state when 'unbilled' then case when look_first then 'look_first' else 'never_invoiced' end
            when 'not_on_invoice' then 'line_missing' when 'not_found' then 'invoice_missing' else state end as label,
        total as amount, job_number, accounting_date, cast(null as date) as billed_on, found_jnid as jnid, certain
    from leaf
    where state not in ('billed_full', 'billed_part', 'billed_over', 'charged_twice', 'credited_back')
    union all
    select guid, 'invoiced_by_then', by_then, job_number, accounting_date, last_by_then, jnid_by_then, certain
    from leaf where jnid_by_then is not null and state in ('billed_full', 'billed_part', 'billed_over', 'charged_twice', 'credited_back')
    union all
    select guid, 'under_billed', left_over, job_number, accounting_date, null, null, certain
    from leaf where state = 'billed_part'
    union all
    select guid, 'credited_back', total - by_then, job_number, accounting_date, null, jnid_by_then, certain
    from leaf where state = 'credited_back' and total <> by_then
    union all
    select guid, 'invoiced_later', total - case when state = 'billed_part' then left_over else 0 end - by_then, job_number,
        accounting_date, first_later, jnid_later, certain
    from leaf
    where state in ('billed_full', 'billed_part', 'billed_over', 'charged_twice') and jnid_later is not null
        and sign(total) * (total - case when state = 'billed_part' then left_over else 0 end - by_then) > 0
)
select guid, label, amount, job_number, accounting_date, billed_on, jnid, certain
from item
