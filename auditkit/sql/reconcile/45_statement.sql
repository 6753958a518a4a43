-- The statement: its rows, three subtotals, and the unreconciled difference, which must be 0.00: the cost side must lead to the billed
-- cost, and this to the invoice total. The difference's gross is what both sides miss together, so that two errors cannot cancel.
-- Of the billable cost, gross and items are those of the cost that remains.
-- out: scope text, key text, position int, code text, label text, amount money, gross money, items int, is_subtotal flag
with summed as (
    select l.scope, l.key, r.code, sum(l.amount) as amount,
        sum(case when l.code in ('internal', 'not_billable') then -l.gross else l.gross end) as gross,
        sum(case when l.code in ('internal', 'not_billable') then -l.items else l.items end) as items
    from statement_line as l
    join statement_row as r on r.side = 'subtotal'
    where (r.code = 'billable_cost' and l.code in ('cost_booked', 'internal', 'not_billable'))
        or (r.code = 'unbilled' and l.cause)
        or (r.code = 'billed_cost' and l.side = 'carried')
    group by l.scope, l.key, r.code
), bridge as (
    select scope, key,
        sum(case when side = 'cost' then amount when side = 'carried' then -amount else 0 end) as cost_side,
        sum(case when scope in ('vendor', 'type') or side = 'cost' then 0 when side = 'total' then -amount else amount end)
            as invoice_side
    from statement_line
    group by scope, key
)
select scope, key, position, code, label, amount, gross, items, false as is_subtotal from statement_line
union all
select s.scope, s.key, r.position, r.code, r.label, s.amount, s.gross, s.items, true
from summed as s join statement_row as r on r.code = s.code
union all
select scope, key, 36, 'difference', 'Unreconciled difference', cost_side + invoice_side, abs(cost_side) + abs(invoice_side),
    case when cost_side = 0 then 0 else 1 end + case when invoice_side = 0 then 0 else 1 end, false
from bridge
