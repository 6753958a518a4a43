"""The books as of the end of a month: what was billed by that day, and what was not.

The date of a document decides: a cost counts from its vendor's invoice date, an invoice from its own. Two things can be
known about a past day, and the basis says which was used: `read N`, the records as a kept read had them, audited again
as of that day; or `dates`, the records of today with the dates of their documents.

Not here: a month that was closed by two people.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd

from auditkit.analysis.accrual import books, period_end
from auditkit.checks.run import Decisions, Parameters, prepare
from auditkit.errors import NoSnapshot
from auditkit.sql import filled, read
from auditkit.warehouse.schema import rebuild, version_tables
from auditkit.warehouse.snapshots import Draft, Snapshot, Store
from auditkit.warehouse.tables import Table

__all__ = ["AsOf", "as_of"]

_DATES = "dates of the documents, as the records are today"


@dataclass(frozen=True)
class AsOf:
    """The books at the end of `period` (YYYY-MM), whose last day is `day`. `basis` says from what they are known.

    `labels` has one row per label: `label`, `words`, `not_billed`, `items`, `amount`, and `uncertain`, the items of
    which dates alone cannot tell. `items` has one row per cost and label. Money is Decimal.
    """

    period: str
    day: date
    basis: str
    labels: pd.DataFrame
    items: pd.DataFrame

    @property
    def not_billed(self) -> Decimal:
        """Billable cost dated by then that was on no issued invoice of that day; without what is to be decided."""
        return self._sum(self.labels["not_billed"].astype(bool))

    @property
    def under_billed(self) -> Decimal:
        """What was missing from the cost that had been invoiced for less."""
        return self._sum(self.labels["label"] == "under_billed")

    def _sum(self, chosen: "pd.Series[bool]") -> Decimal:
        return sum(self.labels["amount"][chosen], Decimal(0))

    def __str__(self) -> str:
        uncertain = int(self.labels["uncertain"][self.labels["not_billed"].astype(bool)].sum())
        doubt = f"; dates alone cannot tell for {uncertain} of these costs" if uncertain else ""
        return f"Not billed at {self.day}: {self.not_billed:,.2f} (basis: {self.basis}{doubt})"


def as_of(store: Store, period: str, parameters: Parameters, decisions: Decisions, *, known: int | None = None) -> AsOf:
    """The books at the end of a month, YYYY-MM, as known in a kept read.

    Without `known` it is the first complete read in the 10 days after that month; if there is none, the dates of
    today's records decide. Raises `QuestionRefused` for anything but a month, and `NoSnapshot` for an unknown read.
    """
    day = period_end(period, parameters.as_of)
    with store.open() as snapshot:
        reads = {sync_id for (sync_id, *_) in snapshot.query(read("queries/syncs")).rows}
        if known is not None and known not in reads:
            raise NoSnapshot(f"there is no read {known}; there are {min(reads)} to {max(reads)}")
        if known is None:
            first = snapshot.query(read("queries/first_read_after"), {"day": day, "zone": parameters.time_zone}).rows
            known = first[0][0] if first else None
        if known is None or known == max(reads):
            return _asked(snapshot, period, day, _DATES if known is None else f"read {known}")
    with store.trial() as draft:
        draft.query("begin transaction")  # so that nothing of it is written to disk
        for table in version_tables(draft):
            draft.run(filled("periods/keep_versions", table=table), {"sync_id": known})
        draft.run(read("periods/keep_read"), {"sync_id": known})
        rebuild(draft, parameters.time_zone)
        prepare(draft, replace(parameters, as_of=day), decisions)
        draft.query("commit")
        return _asked(draft, period, day, f"read {known}")


def _asked(store: Snapshot | Draft, period: str, day: date, basis: str) -> AsOf:
    def ask(name: str) -> Any:  # noqa: ANN401  a frame of any columns
        table: Table = store.query(books(f"queries/{name}"), {"period_end": day})
        frame = table.frame()
        frame.attrs["values"] = {"period_end": day}
        return frame

    return AsOf(period, day, basis, ask("as_of"), ask("as_of_items"))
