-- The statement with its residual: the cost side must lead to the NRBs on issued invoices, and these to the invoice total.
-- The residual's gross is what both bridges miss together, so that two errors cannot cancel.
-- out: scope text, key text, position int, label text, amount money, gross money, items int
with bridge as (
    select
        sum(case when position <= 10 then coalesce(amount, 0) when position <= 12 then -coalesce(amount, 0) else 0 end) as cost_side,
        sum(case when position between 11 and 18 then coalesce(amount, 0) when position = 19 then -coalesce(amount, 0) else 0 end)
            as invoice_side
    from statement_row
)
select 'all' as scope, '' as key, position, label, coalesce(amount, 0) as amount, coalesce(gross, 0) as gross, items
from statement_row
union all
select 'all', '', 20, 'residual', cost_side + invoice_side, abs(cost_side) + abs(invoice_side),
    case when cost_side = 0 then 0 else 1 end + case when invoice_side = 0 then 0 else 1 end
from bridge
