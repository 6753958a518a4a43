"""nrb-total-mismatch: what Aimsio shows against what rate, quantity, mark-up and tax give."""

from decimal import Decimal

import pytest

from tests.world import SILENT, amounts, asked_again, audited, findings, firing, nrb, subjects

RULE = "nrb-total-mismatch"


def sample(guid, total, **changes):
    """The figures of the vendor's own sample: 750 × 1.10 + 37.50 = 862.50."""
    parts = {"nrbRate": "750.000", "nrbUpcharge": "10.000", "nrbVendorTax": "37.500"}
    return nrb(guid, total, **{**parts, **changes})


BOTH = "SUB_TOTAL_AND_VENDOR_TAX"
CASES = [
    (sample("as-published", "862.50"), SILENT),
    (sample("tax-marked-up", "866.25", nrbMarkupAppliesOn=BOTH), SILENT),
    (sample("too-high", "900.00"), "37.50"),
    (sample("too-low", "800.00"), "62.50"),
    (sample("other-formula", "866.25"), "3.75"),
    (sample("other-formula-too", "862.50", nrbMarkupAppliesOn=BOTH), "3.75"),
    (sample("without-markup", "787.50"), "75.00"),
    (sample("without-tax", "825.00"), "37.50"),
    (nrb("half-a-cent-up", "0.13", nrbRate="0.125"), SILENT),
    (nrb("half-a-cent-down", "-0.13", nrbRate="-0.125"), SILENT),
    (nrb("too-many-digits", "1.00", nrbRate="999999999999999", nrbQuantity="999999999999999"), None),
    (sample("parent", "900.00", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (sample("child", "862.50", nrbParentGuid="parent"), SILENT),
    # NULL, field by field
    (sample("no-rate", "1.00", nrbRate=None), SILENT),
    (sample("no-quantity", "1.00", nrbQuantity=None), SILENT),
    (nrb("no-total", None), SILENT),
    (sample("no-markup", "787.50", nrbUpcharge=None), SILENT),
    (sample("no-tax", "825.00", nrbVendorTax=None), SILENT),
    (sample("no-base-of-markup", "862.50", nrbMarkupAppliesOn=None), SILENT),
    # the boundary of $tolerance = 0
    (sample("a-cent", "862.51"), "0.01"),
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


@pytest.mark.parametrize(
    ("guid", "reason", "fits"),
    [
        ("too-high", "its rate, quantity, mark-up and tax give 862.50", None),
        ("other-formula", "its rate, quantity, mark-up and tax give 862.50", "mark-up on subtotal and tax"),
        ("other-formula-too", "its rate, quantity, mark-up and tax give 866.25", "mark-up on the subtotal"),
        ("without-markup", "its rate, quantity, mark-up and tax give 862.50", "no mark-up"),
        ("without-tax", "its rate, quantity, mark-up and tax give 862.50", "no tax"),
        ("too-many-digits", "its rate, quantity, mark-up and tax give more digits than money has", None),
    ],
)
def test_it_says_what_was_expected_and_which_formula_fits(found, guid, reason, fits):
    assert (found[guid]["reason"], found[guid]["evidence"]["fits"]) == (reason, fits)


def test_tolerance(snapshot):
    within = {"a-cent"}
    assert set(asked_again(snapshot, RULE, tolerance=Decimal("0.01"))) == set(firing(CASES)) - within
    within |= {"other-formula", "other-formula-too"}
    assert set(asked_again(snapshot, RULE, tolerance=Decimal("3.74"))) == set(firing(CASES)) - {"a-cent"}
    assert set(asked_again(snapshot, RULE, tolerance=Decimal("3.75"))) == set(firing(CASES)) - within


def test_a_tax_and_a_mark_up_beyond_all_money_stop_nothing(tmp_path):
    huge = "999999999999999"
    with audited(tmp_path, [nrb("h", "1.00", nrbRate="0.01", nrbVendorTax=huge, nrbUpcharge=huge)], []) as snapshot:
        assert subjects(snapshot, "nrb-total-mismatch") == {"h"}
