"""Raw bodies → typed tables, in bulk and by SQL alone. Nothing is dropped: what cannot be typed is in `quarantine`."""

from importlib import resources

from auditkit.store.snapshots import Draft

__all__ = ["rebuild_schema", "rebuild_typed", "script"]


def script(name: str) -> str:
    """The text of one SQL file of this package, e.g. `typed/nrb.sql`."""
    return resources.files("auditkit.store").joinpath(name).read_text("utf-8")


def rebuild_schema(draft: Draft) -> None:
    """Macros and every public table: those carried between snapshots kept, the others made anew and empty."""
    draft.run(script("macros.sql"))
    draft.run(script("schema.sql"))


def rebuild_typed(draft: Draft, *, sync_id: int, zone: str) -> None:
    """Fill nrb, invoice and their parts, their history, and quarantine, from the raw bodies that are current in a sync.

    `zone` is the IANA name that turns instants into calendar days.
    """
    for name in ("typed/nrb.sql", "typed/invoice.sql", "typed/history.sql"):
        draft.run(script(name), {"sync_id": sync_id, "zone": zone})
