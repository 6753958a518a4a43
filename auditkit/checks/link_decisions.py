"""`audit.links`: what people decide about an NRB and an invoice line. Each decision is a record of the journal.

A decision counts from the next audit on.

Not here: what a decision does to links (`linking.py`).
"""

from collections.abc import Callable
from typing import Any

from auditkit.errors import PlanError
from auditkit.journal import Journal, Record
from auditkit.sql import read
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["LinkDecisions", "link_decisions"]

_PAIR = ("nrb_guid", "jnid", "line_key")
_KINDS = ("link", "forbid")
_UNDO = "un"  # "unlink", "unforbid"


class LinkDecisions:
    """Confirm or forbid pairs of NRBs and invoice lines. `PlanError` for a line or NRB that is not in the snapshot."""

    def __init__(self, journal: Journal, identity: str, newest: Callable[[], Snapshot]) -> None:
        self._journal = journal
        self._identity = identity
        self._newest = newest

    def confirm(self, nrb_guid: str, jnid: str, position: int, note: str) -> None:
        """Decide that a line carries an NRB."""
        self._decide("link", nrb_guid, jnid, position, note)

    def forbid(self, nrb_guid: str, jnid: str, position: int | None, note: str) -> None:
        """Decide that a line, or with position None a whole invoice, does not carry an NRB."""
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
        self._journal.append(kind, {**line[0], "note": " ".join(note.split()), "who": self._identity})


class _Decisions:
    """The decisions in force, by pair."""

    def __init__(self) -> None:
        self.in_force: dict[tuple[Any, ...], dict[str, Any]] = {}

    def take(self, record: Record) -> None:
        kind = record.kind.removeprefix(_UNDO)
        if kind not in _KINDS:
            return
        pair = {name: record.body.get(name) for name in _PAIR}
        key = tuple(pair.values())
        if kind == record.kind == "forbid" and pair["line_key"] is None:
            self.in_force = {k: row for k, row in self.in_force.items() if k[:2] != key[:2] or row["kind"] == "forbid"}
        if kind == record.kind:
            why = {name: record.body.get(name) for name in ("note", "who")}
            self.in_force[key] = {"kind": kind, **pair, **why, "at": record.at}
        elif self.in_force.get(key, {}).get("kind") == kind:
            del self.in_force[key]


def link_decisions(journal: Journal) -> list[dict[str, Any]]:
    """The decisions about pairs that are in force, for the checks: confirmed links and forbidden pairs.

    One row per pair (`nrb_guid`, `jnid`, `line_key`; a null line is the whole invoice) with `kind` "link" or "forbid",
    `note`, `who` and `at`. The latest decision about a pair counts, and forbidding a whole invoice takes back the links
    to its lines; "unlink" and "unforbid" take back their own kind.
    """
    return list(journal.projection(_Decisions).in_force.values())
