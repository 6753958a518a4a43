"""nrb-parent-mismatch: a receipt against the items that make it up."""

from decimal import Decimal

import pytest

from tests.world import Account, nrb

RULE = "nrb-parent-mismatch"


def receipt(guid, total, *children, **changes):
    """A receipt and its children, each (total, changes)."""
    items = [nrb(f"{guid}-{place}", amount, nrbParentGuid=guid, **own) for place, (amount, own) in enumerate(children)]
    return [nrb(guid, total, nrbDocumentType="RECEIPT_AP_INVOICE", **changes), *items]


AGREES = [("60.00", {}), ("40.00", {})]
CASES = [
    (receipt("sums-up", "100.00", *AGREES), {}),
    (receipt("too-high", "100.01", *AGREES), {"too-high": "0.01"}),
    (receipt("too-low", "90.00", *AGREES), {"too-low": "10.00"}),
    (receipt("typed-too", "60.00", ("60.00", {"nrbDocumentType": "RECEIPT_AP_INVOICE"})), {"typed-too-0": "60.00"}),
    (receipt("left-behind", "60.00", ("60.00", {"nrbIsExported": False})), {"left-behind-0": "60.00"}),
    (receipt("ahead", "60.00", ("60.00", {}), nrbIsExported=False), {}),
    ([nrb("single", "5.00")], {}),
    # NULL, side by side
    (receipt("no-total", None, *AGREES), {}),
    (receipt("item-without-total", "100.00", ("60.00", {}), (None, {})), {}),
    (receipt("item-without-mark", "60.00", ("60.00", {"nrbIsExported": None})), {}),
    (receipt("no-mark", "60.00", ("60.00", {"nrbIsExported": False}), nrbIsExported=None), {}),
    ([nrb("stranger", "5.00", nrbParentGuid="not-there", nrbIsExported=False)], {}),
    # an item that is a receipt with a wrong total, too, is one subject
    (
        [
            *receipt("upper", "60.00", ("60.00", {"nrbDocumentType": "RECEIPT_AP_INVOICE", "nrbIsExported": False})),
            nrb("lowest", "50.00", nrbParentGuid="upper-0"),
        ],
        {"upper-0": "10.00"},
    ),
]
ACCOUNT = Account([body for bodies, _ in CASES for body in bodies])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == {guid: risk for _, hits in CASES for guid, risk in hits.items()}


@pytest.mark.parametrize(
    ("guid", "reason"),
    [
        ("too-low", "its 2 items sum to 100.00"),
        ("typed-too-0", "an item of a receipt, typed as a receipt itself"),
        ("left-behind-0", "not exported, while its receipt is"),
    ],
)
def test_reason(guid, reason):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["reason"], hit["key"]) == (reason, {})


def test_tolerance():
    assert "too-high" not in ACCOUNT.findings(RULE, tolerance=Decimal("0.01"))
    assert "too-low" not in ACCOUNT.findings(RULE, tolerance=Decimal("10.00"))
    assert "too-low" in ACCOUNT.findings(RULE, tolerance=Decimal("9.99"))
