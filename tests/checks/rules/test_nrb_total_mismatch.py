"""nrb-total-mismatch: the total in Aimsio against what rate, quantity, markup and tax give."""

from decimal import Decimal

import pytest

from tests.world import SILENT, Account, firing, nrb

RULE = "nrb-total-mismatch"


def sample(guid, total, **changes):
    """The figures of the vendor's own sample: 750 × 1.10 + 37.50 = 862.50."""
    parts = {"nrbRate": "750.000", "nrbUpcharge": "10.000", "nrbVendorTax": "37.500"}
    return nrb(guid, total, **{**parts, **changes})


BOTH = "SUB_TOTAL_AND_VENDOR_TAX"
HUGE = "999999999999999"
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
    (nrb("too-many-digits", "1.00", nrbRate=HUGE, nrbQuantity=HUGE), None),
    (nrb("huge-tax-and-markup", "1.00", nrbRate="0.01", nrbVendorTax=HUGE, nrbUpcharge=HUGE), None),
    (sample("parent", "900.00", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (sample("child", "862.50", nrbParentGuid="parent"), SILENT),
    # NULL, field by field
    (sample("no-rate", "1.00", nrbRate=None), SILENT),
    (sample("no-quantity", "1.00", nrbQuantity=None), SILENT),
    (nrb("no-total", None), SILENT),
    (nrb("no-total-too-many-digits", None, nrbRate=HUGE, nrbQuantity=HUGE), SILENT),
    (sample("no-markup", "787.50", nrbUpcharge=None), SILENT),
    (sample("no-tax", "825.00", nrbVendorTax=None), SILENT),
    (sample("no-base-of-markup", "862.50", nrbMarkupAppliesOn=None), SILENT),
    # the boundary of $tolerance = 0
    (sample("a-cent", "862.51"), "0.01"),
]
ACCOUNT = Account([body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "reason", "fits"),
    [
        ("too-high", "its rate, quantity, markup and tax give 862.50", None),
        ("other-formula", "its rate, quantity, markup and tax give 862.50", "markup on subtotal and tax"),
        ("other-formula-too", "its rate, quantity, markup and tax give 866.25", "markup on the subtotal"),
        ("without-markup", "its rate, quantity, markup and tax give 862.50", "no markup"),
        ("without-tax", "its rate, quantity, markup and tax give 862.50", "no tax"),
        ("too-many-digits", "its rate, quantity, markup and tax give more digits than money has", None),
    ],
)
def test_reason_and_the_formula_that_fits(guid, reason, fits):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["reason"], hit["evidence"]["fits"], hit["key"]) == (reason, fits, {})


def test_tolerance():
    every = set(firing(CASES))
    assert every - set(ACCOUNT.findings(RULE, tolerance=Decimal("0.01"))) == {"a-cent"}
    assert every - set(ACCOUNT.findings(RULE, tolerance=Decimal("3.74"))) == {"a-cent"}
    within = {"a-cent", "other-formula", "other-formula-too"}
    assert every - set(ACCOUNT.findings(RULE, tolerance=Decimal("3.75"))) == within
