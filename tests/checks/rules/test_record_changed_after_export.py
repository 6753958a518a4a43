"""record-changed-after-export: money, job or mark are not what they were when the NRB was exported."""

from decimal import Decimal

import pytest

from tests.world import Account, invoice, line, nrb

RULE = "record-changed-after-export"
MORE = {"total": "150.00"}
ROWS = {
    # guid: its fields in each of three syncs (None: not there), and the money at risk
    "same": ([{}, {}, {}], "silent"),
    "dearer": ([{}, {"total": "100.01"}, {"total": "100.01"}], "0.01"),
    "cheaper": ([{}, {}, {"total": "60.00"}], "40.00"),
    "moved": ([{}, {"nrbJobOrderNumber": "J-OTHER"}, {"nrbJobOrderNumber": "J-OTHER"}], "0.00"),
    "unmarked": ([{}, {"nrbIsExported": None}, {"nrbIsExported": False}], "100.00"),
    "retaxed": ([{}, {}, {"nrbRate": "95.00", "nrbVendorTax": "5.00"}], "0.00"),
    "recosted": ([{}, {}, {"nrbRate": "80.00", "nrbUpcharge": "25"}], "0.00"),
    # what does not change the money
    "noted": ([{}, {"nrbNotes": "a note is neither money nor job"}, {}], "silent"),
    "other-quantity": ([{}, {}, {"nrbRate": "50.00", "nrbQuantity": "2"}], "silent"),
    # undone, on whatever way
    "there-and-back": ([{}, MORE, {}], "silent"),
    "moved-back": ([{}, {"nrbJobOrderNumber": "J-OTHER"}, {}], "silent"),
    # changed before it was exported, or exported again after the change
    "open-then-changed": ([{"nrbIsExported": False}, {**MORE, "nrbIsExported": False}, MORE], "silent"),
    "exported-again": ([{}, {**MORE, "nrbIsExported": False}, MORE], "silent"),
    "marked-again-unchanged": ([{}, {"nrbIsExported": None}, {}], "silent"),
    "exported-again-then-changed": ([{"nrbIsExported": False}, {}, MORE], "50.00"),
    "never-exported": ([{"nrbIsExported": False}, {**MORE, "nrbIsExported": False}, {"nrbIsExported": None}], "silent"),
    # gone for a sync: what it is now is compared with what it was exported with
    "back-with-more": ([{}, None, MORE], "50.00"),
    "back-as-it-was": ([{}, None, {}], "silent"),
    "gone": ([{}, MORE, None], "silent"),
    "new": ([None, None, {}], "silent"),
    # what cannot be read now may be anything, but only where it is compared
    "unread-date": ([{}, {}, {**MORE, "nrbInvoiceDate": "free"}], "50.00"),
    # what could not be read when it was exported may have been what it is now
    "unread-total-then": ([{"nrbTotalAfterMarkup": "free"}, {}, {}], "silent"),
    "unread-rate-then": ([{"nrbRate": "free"}, {}, {}], "silent"),
    "unread-job-then": ([{"nrbJobOrderNumber": ["JOB-1001"]}, {}, {}], "silent"),
    "unread-date-then": ([{"nrbInvoiceDate": "free"}, {}, MORE], "50.00"),
    "unread-before": ([{"total": "free", "nrbIsExported": False}, {}, MORE], "50.00"),
    "oddly-written-then": ([{"nrbTotalAfterMarkup": "1.0e2"}, {}, MORE], "50.00"),
    # NULL is a value of its own
    "total-came": ([{"total": None}, {"total": "0.00"}, {"total": "0.00"}], "0.00"),
    "total-went": ([{}, {}, {"total": None}], "100.00"),
    "rate-went": ([{}, {}, {"nrbRate": None}], "0.00"),
    "tax-came": ([{"nrbVendorTax": None}, {}, {"nrbVendorTax": "0.00"}], "silent"),
    "job-went": ([{}, {}, {"nrbJobOrderNumber": None}], "0.00"),
    "no-total-unmarked": ([{"total": None}, {}, {"total": None, "nrbIsExported": False}], "0.00"),
}  # fmt: skip


def body(guid, total="100.00", **changes):
    return nrb(guid, total, **{"nrbRate": total or "100.00", **changes})


FIRST, SECOND, THIRD = (
    [body(guid, **states[place]) for guid, (states, _) in ROWS.items() if states[place] is not None]
    for place in range(3)
)
UNREAD = [body("unread", **changes) for changes in ({}, {"total": "150.00"}, {"total": "free"})]
# An invoice of an NRB's id, of which a field could not be read.
INVOICE = invoice([line(quantity="free")], "cheaper")
ACCOUNT = Account([*THIRD, UNREAD[2]], [INVOICE], before=[([*FIRST, UNREAD[0]], []), ([*SECOND, UNREAD[1]], [])])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == {guid: risk for guid, (_, risk) in ROWS.items() if risk != "silent"}


@pytest.mark.parametrize(
    ("guid", "reason"),
    [
        ("dearer", "amount changed, after export in sync 1"),
        ("moved", "job changed, after export in sync 1"),
        ("unmarked", "export mark removed, after export in sync 1"),
        ("exported-again-then-changed", "amount changed, after export in sync 2"),
        ("no-total-unmarked", "export mark removed, after export in sync 1"),
    ],
)
def test_reason_and_key(guid, reason):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["reason"], hit["severity"], hit["key"]) == (reason, "high", {"reason": reason})


def test_evidence():
    hit = ACCOUNT.findings(RULE)["moved"]
    assert (hit["job_number"], hit["evidence"]) == (
        "J-OTHER",
        {"exported_in_sync": 1, "total_at_export": "100.00", "total_now": "100.00", "job_at_export": "JOB-1001"},
    )


def test_tolerance():
    kept = ACCOUNT.findings(RULE, tolerance=Decimal("0.01"))
    assert "dearer" not in kept and {"cheaper", "moved", "unmarked", "total-went"} <= set(kept)
    kept = ACCOUNT.findings(RULE, tolerance=Decimal("5.00"))
    assert "retaxed" not in kept and {"recosted", "cheaper"} <= set(kept)
    assert "recosted" not in ACCOUNT.findings(RULE, tolerance=Decimal("20.00"))
    assert "cheaper" not in ACCOUNT.findings(RULE, tolerance=Decimal("40.00"))


def test_a_first_sync_has_no_history():
    assert Account(FIRST).risks(RULE) == {}
