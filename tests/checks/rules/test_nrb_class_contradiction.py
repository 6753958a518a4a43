"""nrb-class-contradiction: two fields that contradict each other."""

import pytest

from tests.world import SILENT, Account, firing, nrb

RULE = "nrb-class-contradiction"


def classed(guid, billable, account, internal, total="100.00"):
    return nrb(guid, total, nrbIsBillable=billable, nrbAccountType=account, isInternal=internal)


CASES = [
    (classed("yes-but-account-no", True, "Not Billable", False, "862.50"), "862.50"),
    (classed("no-but-account-yes", False, "Billable", False), "100.00"),
    (classed("account-in-other-case", False, " BILLABLE ", False), "100.00"),
    (classed("billable-and-internal", True, "Billable", True), "100.00"),
    (classed("all-agree", True, "Billable", False), SILENT),
    (classed("none-billable", False, "Not Billable", False), SILENT),
    (classed("internal", False, "Not Billable", True), SILENT),
    # NULL, field by field
    (classed("no-billable", None, "Not Billable", False), SILENT),
    (classed("no-billable-but-account-yes", None, "Billable", False), SILENT),
    (classed("no-account", False, None, False), SILENT),
    (classed("no-internal", True, "Billable", None), SILENT),
    (classed("internal-by-default-billable", None, None, True), "100.00"),
    (classed("internal-with-account-no", None, "Not Billable", True), SILENT),
    (classed("no-total", True, "Not Billable", False, None), None),
    (classed("neither", None, None, None), SILENT),
]
ACCOUNT = Account([body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "reason"),
    [
        ("yes-but-account-no", "is billable: true, account type: Not Billable"),
        ("no-but-account-yes", "is billable: false, account type: Billable"),
        ("billable-and-internal", "billable and internal"),
        ("internal-by-default-billable", "billable and internal"),
    ],
)
def test_reason(guid, reason):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["reason"], hit["key"]) == (reason, {"reason": reason})
