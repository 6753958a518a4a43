"""The roll-forward of the statement between two snapshots: open before + new − cleared + changed = open now.

Each question is asked of two snapshots opened at once (`Store.open_pair`): the earlier one is the catalog `before`, the
later one is asked without a name. What a row was and is comes from the table `statement`, and what happened to it from
`statement_item`; so what the items do not explain shows.

Not here: which field of a record changed (`queries/changes.sql`).
"""

from auditkit.errors import StoreError
from auditkit.sql import filled, read
from auditkit.warehouse.snapshots import Snapshot
from auditkit.warehouse.tables import Table

__all__ = ["movements", "roll_forward"]


def roll_forward(pair: Snapshot) -> Table:
    """One row for each row of the statement of everything but subtotals, between two snapshots (`Store.open_pair`).

    code, label, before, new, cleared, changed, now (money, signed as in the statement), items_before, items_new,
    items_cleared, items_changed (in both, with another amount), items_now, and unexplained, which must be 0.00. Raises
    `StoreError` if a snapshot was made by an older version.
    """
    return _ask(pair, "rollforward")


def movements(pair: Snapshot) -> Table:
    """The items behind `roll_forward`, one row each: code, label, movement (new, cleared or changed), subject_type,
    subject_id, nrb_guid, jnid, job_number, month, before, now, difference. Raises as `roll_forward`.
    """
    return _ask(pair, "movements")


def _ask(pair: Snapshot, name: str) -> Table:
    if older := pair.query(read("queries/rollforward/without_items")).rows:
        raise StoreError(
            f"the snapshot of read {older[0][0]} was made by an older version, whose statement cannot be compared;"
            " choose a later read, or rebuild the newest with `auditkit audit`"
        )
    moved = read("queries/rollforward/moved")
    return pair.query(filled(f"queries/rollforward/{name}", moved=moved))
