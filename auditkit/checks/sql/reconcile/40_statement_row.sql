-- The bridge from cost to invoice. Every row is its own query and none is a remainder, so what stands twice or nowhere
-- shows as a residual. Gross is the sum of absolute amounts.
-- out: position int, label text, amount money, gross money, items int
select 1 as position, 'NRB total after mark-up' as label, sum(coalesce(total, 0)) as amount,
    sum(abs(coalesce(total, 0))) as gross, count(*) as items
from nrb_status
union all
select 2, 'internal', -sum(amount), sum(abs(amount)), count(distinct guid)
from nrb_part where internal
union all
select 3, 'not billable', -sum(amount), sum(abs(amount)), count(distinct guid)
from nrb_part where not internal and not billable
union all
select 4, 'unbilled', -sum(amount), sum(abs(amount)), count(distinct guid)
from nrb_part where unbilled
union all
select 5, 'billed, invoice not found', -sum(amount), sum(abs(amount)), count(distinct guid)
from nrb_part where not internal and billable and not unbilled and not linked and not invoice_found
union all
select 6, 'on a void invoice', -sum(amount), sum(abs(amount)), count(distinct guid)
from nrb_part where not internal and billable and state = 'void'
union all
select 7, 'on a draft invoice', -sum(amount), sum(abs(amount)), count(distinct guid)
from nrb_part where not internal and billable and state = 'draft'
union all
select 8, 'billed, line not found', -sum(amount), sum(abs(amount)), count(distinct guid)
from nrb_part where not internal and billable and state = 'issued' and not linked
union all
select 9, 'amount differences: under-billed', sum(invoiced_amount - amount), sum(abs(invoiced_amount - amount)), count(*)
from nrb_part where not internal and billable and state = 'issued' and linked and invoiced_amount < amount
union all
select 10, 'amount differences: over-billed', sum(invoiced_amount - amount), sum(abs(invoiced_amount - amount)), count(*)
from nrb_part where not internal and billable and state = 'issued' and linked and invoiced_amount > amount
union all
select 11, 'NRBs on issued invoices, by reference', sum(amount), sum(abs(amount)), count(*)
from line_part where not internal and billable and method in ('manual', 'reference')
union all
select 12, 'NRBs on issued invoices, by amount only', sum(amount), sum(abs(amount)), count(*)
from line_part where not internal and billable and method in ('amount', 'group')
union all
select 13, 'parts that carry internal or non-billable NRBs', sum(amount), sum(abs(amount)), count(*)
from line_part where internal or not billable
union all
select 14, 'other lines', sum(amount), sum(abs(amount)), count(*)
from line_part where nrb_guid is null and amount >= 0
union all
select 15, 'other negative lines', sum(amount), sum(abs(amount)), count(*)
from line_part where nrb_guid is null and amount < 0
union all
select 16, 'lines do not sum to the subtotal', sum(subtotal - line_total), sum(abs(subtotal - line_total)), count(*)
from invoice_status where state = 'issued' and subtotal <> line_total
union all
select 17, 'tax', sum(tax), sum(abs(tax)), count(*)
from invoice_status where state = 'issued' and tax <> 0
union all
select 18, 'subtotal and tax are not the total', sum(coalesce(total, 0) - subtotal - tax),
    sum(abs(coalesce(total, 0) - subtotal - tax)), count(*)
from invoice_status where state = 'issued' and coalesce(total, 0) <> subtotal + tax
union all
select 19, 'JobNimbus invoice total', sum(coalesce(total, 0)), sum(abs(coalesce(total, 0))), count(*)
from invoice_status where state = 'issued'
