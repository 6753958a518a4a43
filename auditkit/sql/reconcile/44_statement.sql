-- The statement with its residual, for the whole and by job, month, vendor and type of NRB: the cost side must lead to the NRBs on
-- issued invoices, and these to the invoice total; a vendor or a type has the cost side alone. Every key has every row of its scope.
-- The residual's gross is what both sides miss together, so that two errors cannot cancel. NULL key: what has no job, month, …
-- out: scope text, key text, position int, label text, amount money, gross money, items int
with scope as (
    select scope from (values ('all'), ('job'), ('month'), ('vendor'), ('type')) as s(scope)
), heading as (
    select s.scope, r.position, r.label, r.side
    from scope as s
    join statement_row as r on r.side in ('cost', 'carried', s.scope)
        or (r.side in ('invoice', 'total') and s.scope in ('all', 'job', 'month'))
), item as (
    select 'all' as scope, '' as key, position, amount from statement_item
    union all
    select 'job', job_number, position, amount from statement_item
    union all
    select 'month', left(cast(month as text), 7), position, amount from statement_item
    union all
    select 'vendor', vendor_code, position, amount from statement_item
    union all
    select 'type', type_name, position, amount from statement_item
), total as (
    select i.scope, i.key, i.position, sum(i.amount) as amount, sum(abs(i.amount)) as gross, count(*) as items
    from item as i join heading as h on h.scope = i.scope and h.position = i.position
    group by i.scope, i.key, i.position
), known as (
    select scope, key from total
    union
    select 'all', ''
), line as (
    select h.scope, k.key, h.position, h.label, h.side, coalesce(t.amount, 0) as amount, coalesce(t.gross, 0) as gross,
        coalesce(t.items, 0) as items
    from heading as h
    join known as k on k.scope = h.scope
    left join total as t on t.scope = h.scope and t.key is not distinct from k.key and t.position = h.position
), bridge as (
    select scope, key,
        sum(case when side = 'cost' then amount when side = 'carried' then -amount else 0 end) as cost_side,
        sum(case when scope in ('vendor', 'type') or side = 'cost' then 0 when side = 'total' then -amount else amount end)
            as invoice_side
    from line
    group by scope, key
)
select scope, key, position, label, amount, gross, items from line
union all
select scope, key, 24, 'residual', cost_side + invoice_side, abs(cost_side) + abs(invoice_side),
    case when cost_side = 0 then 0 else 1 end + case when invoice_side = 0 then 0 else 1 end
from bridge
