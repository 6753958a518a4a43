"""The roll-forward of the statement between two snapshots: open before + new − cleared + changed = open now.

Each question is a SELECT over two snapshots opened at once (`Store.open_pair`): the earlier one is the catalog
`before`, the later one is asked without a name. What a row was and is comes from the table `statement`, what happened
to it from `statement_item`; so what the items do not explain shows.

Not here: which field of a record changed; that is in `history.py`.
"""

from auditkit.errors import StoreError
from auditkit.warehouse.snapshots import Snapshot
from auditkit.warehouse.tables import Table

__all__ = ["MOVEMENTS", "ROLL_FORWARD", "movements", "roll_forward"]

# An item is the same in both where it is the same NRB, invoice, or line (by line_key, so that a line put in before
# others moves none of them). The parts of an NRB on one invoice are taken in the order of their lines, so that a line
# with another price is still the part of its NRB.
_MOVED = """
with item as (
    select 'before' as side, i.*, t.line_key
    from before.statement_item as i
    left join before.invoice_item as t on t.jnid = i.jnid and t.position = i.line_position
    union all by name
    select 'now' as side, i.*, t.line_key
    from statement_item as i
    left join invoice_item as t on t.jnid = i.jnid and t.position = i.line_position
), placed as (
    select *, case when subject_type = 'invoice' then jnid
        when subject_type = 'invoice_item' then case when nrb_guid is null then line_key else jnid end end as place
    from item
), counted as (
    select *, row_number() over (
        partition by side, label, subject_type, nrb_guid, place order by line_position, subject_id) as turn
    from placed
), moved as (
    select coalesce(n.position, b.position) as position, coalesce(n.label, b.label) as label,
        case when b.label is null then 'new' when n.label is null then 'cleared' else 'changed' end as movement,
        coalesce(n.subject_type, b.subject_type) as subject_type, coalesce(n.subject_id, b.subject_id) as subject_id,
        coalesce(n.nrb_guid, b.nrb_guid) as nrb_guid,
        case when n.label is null then b.jnid else n.jnid end as jnid,
        case when n.label is null then b.job_number else n.job_number end as job_number,
        case when n.label is null then b.month else n.month end as month,
        b.amount as before, n.amount as now, coalesce(n.amount, 0) - coalesce(b.amount, 0) as difference
    from (select * from counted where side = 'before') as b
    full join (select * from counted where side = 'now') as n
        on n.label = b.label and n.subject_type = b.subject_type and n.nrb_guid is not distinct from b.nrb_guid
        and n.place is not distinct from b.place and n.turn = b.turn
    where b.amount is distinct from n.amount
)
"""

# One row for each of the statement of the whole, amounts signed as there; what is cleared is taken off. `unexplained`
# must be 0.00. `items_changed`: in both, with another amount.
ROLL_FORWARD = f"""{_MOVED}
, summed as (
    select label,
        sum(case when movement = 'new' then difference else 0 end) as new,
        sum(case when movement = 'cleared' then -difference else 0 end) as cleared,
        sum(case when movement = 'changed' then difference else 0 end) as changed,
        count(*) filter (where movement = 'new') as items_new,
        count(*) filter (where movement = 'cleared') as items_cleared,
        count(*) filter (where movement = 'changed') as items_changed
    from moved
    group by label
), bridge as (
    select coalesce(n.position, b.position) as position, coalesce(n.label, b.label) as label,
        coalesce(b.amount, 0) as before, coalesce(n.amount, 0) as now, coalesce(b.items, 0) as items_before,
        coalesce(n.items, 0) as items_now
    from (select * from before.statement where scope = 'all') as b
    full join (select * from statement where scope = 'all') as n on n.label = b.label
)
select b.label, b.before, coalesce(s.new, 0) as new, coalesce(s.cleared, 0) as cleared,
    coalesce(s.changed, 0) as changed, b.now, b.items_before, coalesce(s.items_new, 0) as items_new,
    coalesce(s.items_cleared, 0) as items_cleared, coalesce(s.items_changed, 0) as items_changed, b.items_now,
    b.now - b.before - coalesce(s.new, 0) + coalesce(s.cleared, 0) - coalesce(s.changed, 0) as unexplained
from bridge as b left join summed as s on s.label = b.label
order by b.position, b.label
"""

# The items behind it, row by row: amount before and now (NULL: not there), and what the difference adds to the row.
# Job and month are those of now, of what is cleared those of before.
MOVEMENTS = f"""{_MOVED}
select label, movement, subject_type, subject_id, nrb_guid, jnid, job_number, month, before, now, difference
from moved
where label in (select label from statement where scope = 'all')
    or label in (select label from before.statement where scope = 'all')
order by position, label, movement, abs(difference) desc, subject_id, nrb_guid, before, now
"""

_WITHOUT_ITEMS = """
select a.sync_id
from (select 'before' as catalog, sync_id from before.audit_run union all select 'audit', sync_id from audit_run) as a
where not exists (
    select 1 from duckdb_tables() as t where t.database_name = a.catalog and t.table_name = 'statement_item'
)
order by a.sync_id
"""


def roll_forward(pair: Snapshot) -> Table:
    """One row for each row of the statement of the whole, between the two snapshots of `Store.open_pair`.

    label, before, new, cleared, changed, now (money, signed as in the statement), items_before, items_new,
    items_cleared, items_changed, items_now, and unexplained, which must be 0.00. Raises `StoreError` where a snapshot
    was made by a version without the items of the statement.
    """
    return _asked(pair, ROLL_FORWARD)


def movements(pair: Snapshot) -> Table:
    """The items behind `roll_forward`, one row each: label, movement (new, cleared or changed), subject_type,
    subject_id, nrb_guid, jnid, job_number, month, before, now, difference. Raises as `roll_forward`.
    """
    return _asked(pair, MOVEMENTS)


def _asked(pair: Snapshot, question: str) -> Table:
    if older := pair.query(_WITHOUT_ITEMS).rows:
        raise StoreError(
            f"the snapshot of sync {older[0][0]} was made by an older version, without the items of"
            " the statement; choose a later sync, or make the newest anew with `auditkit audit`"
        )
    return pair.query(question)
