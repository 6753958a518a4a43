-- id: invoice-tax-rate
-- title: Tax rate unlike all other invoices
-- assertion: accuracy
-- severity: low
-- subject: invoice
-- param: min_invoices int = 10
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, tax money, subtotal money, expected money, usual_rate decimal
-- key: usual_rate
-- why: Tax at a rate that no other invoice has is charged too high or too low, and is owed to the authority all the same.
-- remedy: Check the tax code of the invoice.
-- note: Issued invoices with tax, where at least $min_invoices are taxed and nine in ten of them at the usual rate. An invoice has that rate if
--   its tax differs by no more than $tolerance and 0.05, as tax is often rounded line by line. An invoice of which only some lines are taxed
--   fires: accept it. NULL or zero subtotal: silent.
with compared as (
    select i.jnid, i.job_number, i.number, i.tax, i.subtotal, u.percent,
        cast(round(i.subtotal * u.percent * 0.01, 2) as decimal(38, 2)) as expected
    from invoice_status as i
    join usual_tax_rate as u on u.invoices >= $min_invoices and u.alike * 10 >= u.invoices * 9
    where i.state = 'issued' and i.tax <> 0 and i.subtotal <> 0
)
select jnid as subject_id, job_number, abs(tax - expected) as amount_at_risk,
    'its tax is not the usual rate of the subtotal' as reason, number, tax, subtotal, expected, percent as usual_rate
from compared
where abs(tax - expected) > $tolerance + 0.05
