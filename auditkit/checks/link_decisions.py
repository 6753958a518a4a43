"""`audit.links`: what a person says about an NRB and an invoice line. Each word is a record of the journal.

A decision counts from the next audit on.

Not here: what a decision does to links (`linking.py`).
"""

from collections.abc import Callable

from auditkit.errors import PlanError
from auditkit.journal import Journal
from auditkit.sql import read
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["LinkDecisions"]


class LinkDecisions:
    """Confirm or forbid pairs of NRBs and invoice lines. `PlanError` for a line or NRB that is not in the snapshot."""

    def __init__(self, journal: Journal, identity: str, newest: Callable[[], Snapshot]) -> None:
        self._journal = journal
        self._identity = identity
        self._newest = newest

    def confirm(self, nrb_guid: str, jnid: str, position: int, note: str) -> None:
        """Say that a line carries an NRB."""
        self._decide("link", nrb_guid, jnid, position, note)

    def forbid(self, nrb_guid: str, jnid: str, position: int | None, note: str) -> None:
        """Say that a line, or with position None a whole invoice, does not carry an NRB."""
        self._decide("forbid", nrb_guid, jnid, position, note)

    def unconfirm(self, nrb_guid: str, jnid: str, position: int, note: str) -> None:
        """Take back `confirm`: the evidence decides again."""
        self._decide("unlink", nrb_guid, jnid, position, note)

    def unforbid(self, nrb_guid: str, jnid: str, position: int | None, note: str) -> None:
        """Take back `forbid`: the evidence decides again."""
        self._decide("unforbid", nrb_guid, jnid, position, note)

    def _decide(self, kind: str, nrb_guid: str, jnid: str, position: int | None, note: str) -> None:
        line = (
            self._newest().query(read("queries/line"), {"guid": nrb_guid, "jnid": jnid, "position": position}).records()
        )
        if not line:
            raise PlanError(f"{jnid}/{position}: no such line or NRB {nrb_guid} in the snapshot; look at invoice_item")
        self._journal.append(kind, {**line[0], "note": note, "who": self._identity})
