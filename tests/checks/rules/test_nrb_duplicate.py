"""nrb-duplicate: the same vendor, vendor invoice number and amount."""

from datetime import date
from decimal import Decimal

import pytest

from tests.world import SILENT, amounts, asked_again, audited, findings, firing, ms, nrb


def bought(guid, number, total="100.00", vendor="BIT", **changes):
    return nrb(guid, total, nrbInvoiceNumber=number, nrbVendorCode=vendor, **changes)


RULE = "nrb-duplicate"
LATER = ms(date(2026, 9, 20))
CASES = [
    (bought("twice-a", "AP-1", "862.50", nrbInvoiceDate=LATER), "862.50"),
    (bought("twice-b", "ap 1", "862.50", vendor=" bit "), "862.50"),  # letters and digits alone, case-folded
    (bought("thrice-a", "AP-2"), "100.00"),
    (bought("thrice-b", "AP-2"), "100.00"),
    (bought("thrice-c", "AP-2"), "100.00"),
    (bought("other-number", "AP-3"), SILENT),
    (bought("other-vendor", "AP-1", "862.50", vendor="OTHER"), SILENT),
    (bought("other-amount", "AP-1", "862.51"), SILENT),
    (bought("leading-zero", "AP-01", "862.50"), SILENT),
    (bought("parent", "AP-4", "200.00", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (bought("sibling-a", "AP-4", nrbParentGuid="parent"), SILENT),
    (bought("sibling-b", "AP-4", nrbParentGuid="parent"), SILENT),
    (bought("zero-a", "AP-7", "0.00"), "0.00"),
    (bought("zero-b", "AP-7", "0.00"), "0.00"),
    (bought("parent-too", "AP-9", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (bought("child", "AP-9", nrbParentGuid="parent-too"), "100.00"),
    (bought("like-the-child", "AP-9"), "100.00"),
    (bought("n1", "AP-10"), "100.00"),  # a guid that is the beginning of another
    (bought("n10", "AP-10"), "100.00"),
    (bought("credit-a", "AP-11", "-50.00"), "-50.00"),
    (bought("credit-b", "AP-11", "-50.00"), "-50.00"),
    # NULL, field by field
    (bought("no-vendor-a", "AP-5", vendor=None), SILENT),
    (bought("no-vendor-b", "AP-5", vendor=None), SILENT),
    (bought("no-number-a", None), SILENT),
    (bought("no-number-b", None), SILENT),
    (bought("no-letters-a", "---"), SILENT),
    (bought("no-letters-b", "---"), SILENT),
    (bought("no-total-a", "AP-6", None), SILENT),
    (bought("no-total-b", "AP-6", None), SILENT),
    (bought("no-date-a", "AP-8", nrbInvoiceDate=None, nrbCreatedAt=None), "100.00"),
    (bought("no-date-b", "AP-8"), "100.00"),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), [body for body, _ in CASES]) as snapshot:
        yield snapshot


@pytest.fixture(scope="module")
def found(snapshot):
    return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


def test_it_says_what_stands_how_often(found):
    assert found["twice-a"]["reason"] == "vendor BIT, invoice AP-1 and amount stand 2 times"
    assert found["thrice-b"]["evidence"]["members"] == 3


@pytest.mark.parametrize(
    ("guid", "earliest", "others"),
    [
        ("twice-a", "twice-b", "twice-b"),
        ("twice-b", "twice-b", "twice-a"),
        ("thrice-a", "thrice-a", "thrice-b thrice-c"),
        ("thrice-b", "thrice-a", "thrice-a thrice-c"),
        ("thrice-c", "thrice-a", "thrice-a thrice-b"),
        ("no-date-b", "no-date-b", "no-date-a"),
        ("n1", "n1", "n10"),
        ("n10", "n1", "n1"),
    ],
)
def test_it_names_the_others_and_the_earliest(found, guid, earliest, others):
    evidence = found[guid]["evidence"]
    assert (evidence["earliest"], evidence["others"]) == (earliest, others)


def test_min_amount_is_the_least_absolute_amount(snapshot):
    every = firing(CASES)
    assert asked_again(snapshot, RULE, min_amount=Decimal("0.01")) == {k: v for k, v in every.items() if v != "0.00"}
    assert {"credit-a", "credit-b"} <= set(asked_again(snapshot, RULE, min_amount=Decimal("50.00")))
    assert not {"credit-a", "credit-b"} & set(asked_again(snapshot, RULE, min_amount=Decimal("50.01")))
    assert set(asked_again(snapshot, RULE, min_amount=Decimal("100.01"))) == {"twice-a", "twice-b"}
