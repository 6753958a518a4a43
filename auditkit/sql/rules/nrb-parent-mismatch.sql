-- id: nrb-parent-mismatch
-- title: Receipt does not foot to its items
-- assertion: accuracy
-- severity: medium
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, total money, children_total money, children int, parent_guid text
-- why: The receipt shows another figure, type or state than the items that make it up; the audit counts the items.
-- remedy: Open the receipt in Aimsio: an item is missing, entered twice or changed alone.
-- note: The subject is the receipt where its total is not the sum of its items by more than $tolerance; else the item that is typed
--   RECEIPT_AP_INVOICE itself, or is marked as not exported while its receipt is exported. A NULL total on either side: nothing to compare.
--   An item whose total could not be read is a NULL total.
with summed as (
    select parent_guid, count(*) as children, sum(total_after_markup) as children_total,
        count(case when total_after_markup is null then 1 end) as without_total
    from nrb
    group by parent_guid
), judged as (
    select n.guid, n.job_number, n.parent_guid, n.total_after_markup as total, s.children, s.children_total,
        case when s.without_total = 0 then abs(n.total_after_markup - s.children_total) end as difference,
        n.parent_guid is not null and folded(n.document_type) = 'receipt_ap_invoice' as is_receipt_too,
        n.is_exported is not distinct from false and coalesce(p.is_exported, false) as is_left_behind
    from nrb as n
    left join summed as s on s.parent_guid = n.guid
    left join nrb as p on p.guid = n.parent_guid
)
select guid as subject_id, job_number, case when difference > $tolerance then difference else total end as amount_at_risk,
    case when difference > $tolerance
            then 'its ' || cast(children as text) || ' items sum to ' || cast(children_total as text)
        when is_receipt_too then 'an item of a receipt, typed as a receipt itself'
        else 'not exported, while its receipt is' end as reason,
    total, children_total, children, parent_guid
from judged
where difference > $tolerance or is_receipt_too or is_left_behind
