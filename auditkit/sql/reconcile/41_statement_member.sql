-- The members of the bridge from cost to invoice. Every row is its own query and none is a remainder, so what is counted twice or not at
-- all shows as an unreconciled difference. Amounts are signed as they add to the bridge; NULL counts as 0.00. A member is an NRB, the
-- part of a line that carries an NRB, a line, or an invoice.
-- out: code text, subject_type text, nrb_guid text, jnid text, line_position int, amount money
with leaf as (
    select guid, found_jnid, state, coalesce(total, 0) as total, charged, left_over, look_first from nrb_status
)
select 'cost_booked' as code, 'nrb' as subject_type, guid as nrb_guid, cast(null as text) as jnid,
    cast(null as int) as line_position, total as amount
from leaf
union all
select 'internal', 'nrb', guid, found_jnid, null, -total from leaf where state = 'internal'
union all
select 'not_billable', 'nrb', guid, found_jnid, null, -total from leaf where state = 'not_billable'
union all
select 'never_invoiced', 'nrb', guid, found_jnid, null, -total from leaf where state = 'unbilled' and not look_first
union all
select 'look_first', 'nrb', guid, found_jnid, null, -total from leaf where state = 'unbilled' and look_first
union all
select 'line_missing', 'nrb', guid, found_jnid, null, -total from leaf where state = 'not_on_invoice'
union all
select 'invoice_missing', 'nrb', guid, found_jnid, null, -total from leaf where state = 'not_found'
union all
select 'on_void', 'nrb', guid, found_jnid, null, -total from leaf where state = 'on_void'
union all
select 'on_draft', 'nrb', guid, found_jnid, null, -total from leaf where state = 'on_draft'
union all
select 'under_billed', 'nrb', guid, found_jnid, null, -left_over from leaf where state = 'billed_part'
union all
select 'undecided', 'nrb', guid, found_jnid, null, -total from leaf where state = 'undecided'
union all
select 'marked_several', 'nrb', guid, found_jnid, null, -total from leaf where state = 'marked_several'
union all
select 'unreadable', 'nrb', guid, found_jnid, null, -left_over from leaf where state = 'unreadable'
union all
select 'credited_back', 'nrb', guid, found_jnid, null, -total from leaf where state = 'credited_back'
union all
select 'reversed', 'nrb', guid, found_jnid, null, -total from leaf where state = 'reversed'
union all
select 'over_billed', 'nrb', guid, found_jnid, null, -left_over from leaf where state = 'billed_over'
union all
select 'charged_twice', 'nrb', guid, found_jnid, null, -left_over from leaf where state = 'charged_twice'
union all
select 'rounding', 'nrb', guid, found_jnid, null, -left_over from leaf where state = 'billed_full' and left_over <> 0
union all
select case method when 'mark' then 'billed_by_mark' when 'amount' then 'billed_by_amount' else 'billed_by_name' end,
    'invoice_item', nrb_guid, jnid, position, amount
from line_part where not internal and billable
union all
select 'to_other_jobs', 'invoice_item', nrb_guid, jnid, position, -amount
from line_part where not internal and billable and other_job
union all
select 'from_other_jobs', 'invoice_item', nrb_guid, jnid, position, amount
from line_part where not internal and billable and other_job
union all
select 'to_other_months', 'invoice_item', nrb_guid, jnid, position, -amount
from line_part where not internal and billable and other_month
union all
select 'from_other_months', 'invoice_item', nrb_guid, jnid, position, amount
from line_part where not internal and billable and other_month
union all
select 'free_billed', 'invoice_item', nrb_guid, jnid, position, amount
from line_part where internal or not billable
union all
select case when amount < 0 then 'discounts' else 'other_lines' end, 'invoice_item', null, jnid, position, amount
from line_part where nrb_guid is null
union all
select 'lines_to_subtotal', 'invoice', null, jnid, null, subtotal - line_total
from invoice_status where state = 'issued' and subtotal <> line_total
union all
select 'tax', 'invoice', null, jnid, null, tax
from invoice_status where state = 'issued' and tax <> 0
union all
select 'subtotal_to_total', 'invoice', null, jnid, null, coalesce(total, 0) - subtotal - tax
from invoice_status where state = 'issued' and coalesce(total, 0) <> subtotal + tax
union all
select 'invoice_total', 'invoice', null, jnid, null, coalesce(total, 0)
from invoice_status where state = 'issued'
