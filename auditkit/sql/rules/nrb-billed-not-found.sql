-- id: nrb-billed-not-found
-- title: Marked billed, no such invoice
-- assertion: existence
-- severity: high
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, billed_in_guid text, billed_in_name text
-- key: billed_in_guid, billed_in_name
-- why: Aimsio shows that the client was charged; JobNimbus has no such invoice.
-- remedy: Look for the invoice under another number, and for a line that charges for the cost elsewhere. Only if there is neither, take the mark off and bill the cost.
-- note: Billable leaves whose mark, their own or their receipt's, is the guid, number or external id of no invoice, and which no line names. Where
--   an invoice that could not be read holds the mark, nrb-link-undecided asks. A NULL total fires.
with mark as (
    select s.guid, s.job_number, s.total,
        case when n.billed_in_guid is null and n.billed_in_name is null then p.billed_in_guid else n.billed_in_guid end as billed_in_guid,
        case when n.billed_in_guid is null and n.billed_in_name is null then p.billed_in_name else n.billed_in_name end as billed_in_name
    from nrb_status as s
    join nrb as n on n.guid = s.guid
    left join nrb as p on p.guid = n.parent_guid
    where s.state = 'not_found'
)
select guid as subject_id, job_number, total as amount_at_risk,
    'marked as billed in ' || coalesce(billed_in_name, billed_in_guid) || ', which is not in JobNimbus' as reason,
    billed_in_guid, billed_in_name
from mark
