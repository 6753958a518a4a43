-- The members of the bridge from cost to invoice. Every row is its own query and none is a remainder, so what stands twice or
-- nowhere shows as a residual. Amounts are signed as they add to the bridge; NULL counts as 0.00. A member is an NRB, the part of a
-- line that carries an NRB, a line, or an invoice; an NRB on several lines of one kind is one member, its invoice the first by id.
-- out: label text, subject_type text, nrb_guid text, jnid text, line_position int, amount money
select 'NRB total after mark-up' as label, 'nrb' as subject_type, guid as nrb_guid, cast(null as text) as jnid,
    cast(null as int) as line_position, coalesce(total, 0) as amount
from nrb_status
union all
select 'internal', 'nrb', guid, min(jnid), null, -sum(amount)
from nrb_part where internal
group by guid
union all
select 'not billable', 'nrb', guid, min(jnid), null, -sum(amount)
from nrb_part where not internal and not billable
group by guid
union all
select 'unbilled', 'nrb', guid, min(jnid), null, -sum(amount)
from nrb_part where unbilled
group by guid
union all
select 'billed, invoice not found', 'nrb', guid, min(jnid), null, -sum(amount)
from nrb_part where not internal and billable and not unbilled and not linked and not invoice_found
group by guid
union all
select 'on a void invoice', 'nrb', guid, min(jnid), null, -sum(amount)
from nrb_part where not internal and billable and state = 'void'
group by guid
union all
select 'on a draft invoice', 'nrb', guid, min(jnid), null, -sum(amount)
from nrb_part where not internal and billable and state = 'draft'
group by guid
union all
select 'billed, line not found', 'nrb', guid, min(jnid), null, -sum(amount)
from nrb_part where not internal and billable and state = 'issued' and not linked
group by guid
union all
select 'amount differences: under-billed', 'invoice_item', guid, jnid, position, invoiced_amount - amount
from nrb_part where not internal and billable and state = 'issued' and linked and invoiced_amount < amount
union all
select 'amount differences: over-billed', 'invoice_item', guid, jnid, position, invoiced_amount - amount
from nrb_part where not internal and billable and state = 'issued' and linked and invoiced_amount > amount
union all
select 'NRBs on issued invoices, by reference', 'invoice_item', nrb_guid, jnid, position, amount
from line_part where not internal and billable and method in ('manual', 'reference')
union all
select 'NRBs on issued invoices, by amount only', 'invoice_item', nrb_guid, jnid, position, amount
from line_part where not internal and billable and method in ('amount', 'group')
union all
select 'NRBs of this job on other jobs'' invoices', 'invoice_item', nrb_guid, jnid, position, -amount
from line_part where not internal and billable and other_job
union all
select 'NRBs of other jobs on this job''s invoices', 'invoice_item', nrb_guid, jnid, position, amount
from line_part where not internal and billable and other_job
union all
select 'NRBs of this month on other months'' invoices', 'invoice_item', nrb_guid, jnid, position, -amount
from line_part where not internal and billable and other_month
union all
select 'NRBs of other months on this month''s invoices', 'invoice_item', nrb_guid, jnid, position, amount
from line_part where not internal and billable and other_month
union all
select 'parts that carry internal or non-billable NRBs', 'invoice_item', nrb_guid, jnid, position, amount
from line_part where internal or not billable
union all
select 'other lines', 'invoice_item', null, jnid, position, amount
from line_part where nrb_guid is null and amount >= 0
union all
select 'other negative lines', 'invoice_item', null, jnid, position, amount
from line_part where nrb_guid is null and amount < 0
union all
select 'lines do not sum to the subtotal', 'invoice', null, jnid, null, subtotal - line_total
from invoice_status where state = 'issued' and subtotal <> line_total
union all
select 'tax', 'invoice', null, jnid, null, tax
from invoice_status where state = 'issued' and tax <> 0
union all
select 'subtotal and tax are not the total', 'invoice', null, jnid, null, coalesce(total, 0) - subtotal - tax
from invoice_status where state = 'issued' and coalesce(total, 0) <> subtotal + tax
union all
select 'JobNimbus invoice total', 'invoice', null, jnid, null, coalesce(total, 0)
from invoice_status where state = 'issued'
