-- The rows of the statement for the whole and by job, month, vendor and type of NRB; a vendor or a type has the cost side alone. Every
-- key has every row of its scope. NULL key: what has no job, month, vendor or type.
-- out: scope text, key text, position int, code text, label text, side text, cause flag, amount money, gross money, items int
with scope as (
    select scope from (values ('all'), ('job'), ('month'), ('vendor'), ('type')) as s(scope)
), heading as (
    select s.scope, r.position, r.code, r.label, r.side, r.cause
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
)
select h.scope, k.key, h.position, h.code, h.label, h.side, h.cause, coalesce(t.amount, 0) as amount,
    coalesce(t.gross, 0) as gross, coalesce(t.items, 0) as items
from heading as h
join known as k on k.scope = h.scope
left join total as t on t.scope = h.scope and t.key is not distinct from k.key and t.position = h.position
