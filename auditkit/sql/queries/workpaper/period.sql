-- The first and last date of cost and of issued invoices. NULL: no date at all.
with nrbs as (
    select min(accounting_date) as nrb_first, max(accounting_date) as nrb_last from nrb_status
), invoices as (
    select min(coalesce(v.invoice_date, v.created_on)) as invoice_first,
        max(coalesce(v.invoice_date, v.created_on)) as invoice_last
    from invoice_status as i join invoice as v on v.jnid = i.jnid
    where i.state = 'issued'
)
select * from nrbs cross join invoices
