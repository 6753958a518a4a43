-- The statement of everything between two snapshots (the earlier one is the catalog `before`): before + new - cleared + changed = now.
-- Without subtotals, which have no items of their own.
-- Amounts are signed as in the statement, and what is cleared is subtracted. `unexplained` must be 0.00. NULL amounts count as 0.
{moved}
, summed as (
    select code,
        sum(case when movement = 'new' then difference else 0 end) as new,
        sum(case when movement = 'cleared' then -difference else 0 end) as cleared,
        sum(case when movement = 'changed' then difference else 0 end) as changed,
        count(*) filter (where movement = 'new') as items_new,
        count(*) filter (where movement = 'cleared') as items_cleared,
        count(*) filter (where movement = 'changed') as items_changed
    from moved
    group by code
), bridge as (
    select coalesce(n.position, b.position) as position, coalesce(n.code, b.code) as code,
        coalesce(n.label, b.label) as label,
        coalesce(b.amount, 0) as before, coalesce(n.amount, 0) as now, coalesce(b.items, 0) as items_before,
        coalesce(n.items, 0) as items_now
    from (select * from before.statement where scope = 'all' and not is_subtotal) as b
    full join (select * from statement where scope = 'all' and not is_subtotal) as n on n.code = b.code
)
select b.code, b.label, b.before, coalesce(s.new, 0) as new, coalesce(s.cleared, 0) as cleared,
    coalesce(s.changed, 0) as changed, b.now, b.items_before, coalesce(s.items_new, 0) as items_new,
    coalesce(s.items_cleared, 0) as items_cleared, coalesce(s.items_changed, 0) as items_changed, b.items_now,
    b.now - b.before - coalesce(s.new, 0) + coalesce(s.cleared, 0) - coalesce(s.changed, 0) as unexplained
from bridge as b left join summed as s on s.code = b.code
order by b.position, b.code
