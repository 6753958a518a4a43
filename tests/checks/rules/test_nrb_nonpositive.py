"""nrb-nonpositive: a rate or quantity of zero or less."""

import pytest

from tests.world import SILENT, Account, firing, nrb

RULE = "nrb-nonpositive"
CASES = [
    (nrb("usual"), SILENT),
    (nrb("smallest", nrbRate="0.000001", nrbQuantity="0.000001"), SILENT),
    (nrb("zero-rate", "0.00", nrbRate="0.000"), "0.00"),
    (nrb("zero-quantity", "0.00", nrbQuantity="0"), "0.00"),
    (nrb("credit", "-862.50", nrbRate="-862.50"), "-862.50"),
    (nrb("returned", "-50.00", nrbRate="50.00", nrbQuantity="-1"), "-50.00"),
    (nrb("both", "50.00", nrbRate="-50.00", nrbQuantity="-1"), "50.00"),
    # NULL, field by field
    (nrb("no-rate", nrbRate=None), SILENT),
    (nrb("no-quantity", nrbQuantity=None), SILENT),
    (nrb("no-rate-but-quantity", nrbRate=None, nrbQuantity="-1"), "100.00"),
    (nrb("no-total", None, nrbRate="-1"), None),
]
ACCOUNT = Account([body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "reason"),
    [
        ("credit", "the rate is not above 0"),
        ("returned", "the quantity is not above 0"),
        ("both", "neither rate nor quantity is above 0"),
    ],
)
def test_reason(guid, reason):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["reason"], hit["key"]) == (reason, {"reason": reason})
