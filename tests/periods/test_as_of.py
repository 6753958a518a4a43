"""The books as of a month's end: document dates decide, and a kept read knows what later ones do not."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from auditkit.checks.run import Decisions, Parameters
from auditkit.errors import NoSnapshot, QuestionRefused
from auditkit.periods.as_of import AsOf, as_of
from auditkit.warehouse.schema import rebuild_schema
from auditkit.warehouse.snapshots import Store
from tests.syncs import synced
from tests.world import AS_OF, ZONE, invoice, line, ms, ref, referenced, seconds, unbilled

JULY, AUGUST, SEPTEMBER = date(2026, 7, 31), date(2026, 8, 31), date(2026, 9, 1)


def dated(body: dict[str, Any], day: date | None) -> dict[str, Any]:
    return {**body, "nrbInvoiceDate": day and ms(day), "nrbCreatedAt": day and ms(day)}


def billed(jnid: str, day: date, *lines: Any, **changes: Any) -> dict[str, Any]:
    dates = dict.fromkeys(("date_invoice", "date_created", "date_updated"), seconds(day))
    return invoice(list(lines), jnid, **{**dates, **changes})


NRBS = [
    dated(referenced("in-july", "10.00"), JULY),
    dated(referenced("billed-later", "20.00"), AUGUST),
    dated(referenced("half-later", "100.00"), AUGUST),
    dated(referenced("short", "30.00"), AUGUST),
    dated(unbilled("never", "40.00"), AUGUST),
    dated(unbilled("next-month", "50.00"), SEPTEMBER),
    dated(unbilled("undated", "60.00"), None),
    dated(referenced("drafted", "70.00"), AUGUST),
    dated(unbilled("internal", "80.00", isInternal=True), AUGUST),
]
INVOICES = [
    billed("i1", JULY, line(ref("in-july"), "10.00")),
    billed("i2", AUGUST, line(ref("half-later"), "40.00"), line(ref("short"), "29.00")),
    billed("i3", SEPTEMBER, line(ref("billed-later"), "20.00"), line(ref("half-later"), "60.00")),
    billed("i4", AUGUST, line(ref("drafted"), "70.00"), status_name="Draft"),
]
# What a read of September 2 saw (sync 2), before "never" was billed and "in-july" became dearer.
THEN = NRBS
NOW = [*NRBS[:4], dated(referenced("never", "40.00"), AUGUST), *NRBS[5:]]
LATE = billed("i5", AUGUST, line(ref("never"), "40.00"), date_created=seconds(date(2026, 9, 20)))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Three reads, at noon of September 1 to 3; the last one brings an invoice that is dated back to August."""
    store = Store(tmp_path_factory.mktemp("as-of"))
    with store.writer(), store.draft(keep_previous=False) as draft:
        rebuild_schema(draft)
        synced(draft, 1, THEN, INVOICES)
        synced(draft, 2, THEN, INVOICES)
        synced(draft, 3, NOW, [*INVOICES, LATE])
        draft.query("update sync_run set is_offline = sync_id = 1")
    yield store


def asked(store: Store, period: str, **known: Any) -> AsOf:
    return as_of(store, period, Parameters(AS_OF, ZONE, "test", "test"), Decisions(), **known)


def amounts(books: AsOf) -> dict[str, str]:
    return {row.label: str(row.amount) for row in books.labels.itertuples() if row.items}


AT_AUGUST = {
    "never_invoiced": "100.00",  # never, undated
    "on_draft": "70.00",
    "invoiced_later": "80.00",  # billed-later, and 60.00 of half-later
    "under_billed": "1.00",
    "invoiced_by_then": "79.00",
    "internal": "80.00",
}


def test_what_was_known_in_the_first_complete_read_after_the_month(store: Store) -> None:
    books = asked(store, "2026-08")
    assert (books.day, books.basis) == (AUGUST, "read 2")
    assert amounts(books) == AT_AUGUST
    assert (books.not_billed, books.under_billed) == (Decimal("250.00"), Decimal("1.00"))


def test_what_is_known_today(store: Store) -> None:
    """The invoice that was dated back counts from its date, and is marked as one for which dates alone cannot tell."""
    books = asked(store, "2026-08", known=3)
    assert amounts(books) == {**AT_AUGUST, "never_invoiced": "60.00", "invoiced_by_then": "119.00"}
    uncertain = books.items[~books.items["certain"].astype(bool)]
    assert set(uncertain["guid"]) == {"undated", "never"}


def test_the_parts_of_a_cost_are_its_total(store: Store) -> None:
    sums = asked(store, "2026-08").items.groupby("guid")["amount"].sum()
    totals = {body["nrbGuid"]: Decimal(body["nrbTotalAfterMarkup"]) for body in THEN}
    assert sums.to_dict() == {guid: total for guid, total in totals.items() if guid != "next-month"}


def test_an_earlier_month_and_a_later_one(store: Store) -> None:
    july, september = asked(store, "2026-07", known=3), asked(store, "2026-09", known=3)
    assert amounts(july) == {"never_invoiced": "60.00", "invoiced_by_then": "10.00"}
    assert september.not_billed == Decimal("180.00")  # undated, next-month, drafted


def test_without_a_read_soon_after_the_month_dates_decide(store: Store) -> None:
    books = asked(store, "2026-07")
    assert books.basis.startswith("dates of the documents")
    doubt = "dates alone cannot tell for 1 of these costs"  # the one without a date
    assert str(books) == f"Not billed at 2026-07-31: 60.00 (basis: {books.basis}; {doubt})"


def test_the_store_is_unchanged(store: Store) -> None:
    before = sorted((path.name, path.stat().st_size) for path in store.folder.rglob("*"))
    asked(store, "2026-08", known=1)
    assert sorted((path.name, path.stat().st_size) for path in store.folder.rglob("*")) == before


@pytest.mark.parametrize("period", ["2026-13", "August", "2026-8", ""])
def test_what_is_not_a_month(store: Store, period: str) -> None:
    with pytest.raises(QuestionRefused, match="a period is a month, written YYYY-MM"):
        asked(store, period)


def test_a_read_that_does_not_exist(store: Store) -> None:
    with pytest.raises(NoSnapshot, match="there is no read 9; there are 1 to 3"):
        asked(store, "2026-08", known=9)


def test_before_the_first_read(tmp_path: Path) -> None:
    with pytest.raises(NoSnapshot):
        asked(Store(tmp_path), "2026-08")
