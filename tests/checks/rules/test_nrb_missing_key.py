"""nrb-missing-key: a required field is empty."""

import pytest

from tests.world import SILENT, Account, firing, nrb

RULE = "nrb-missing-key"
PO = {"nrbShouldReconcileWithPO": True, "nrbExternalId": "EXT-1", "nrbPONumber": "PO-1"}
CASES = [
    (nrb("whole"), SILENT),
    (nrb("no-vendor", "862.50", nrbVendorCode=None), "862.50"),
    (nrb("empty-vendor", nrbVendorCode=" "), "100.00"),
    (nrb("no-job", nrbJobOrderNumber=None), "100.00"),
    (nrb("no-rate", nrbRate=None), "100.00"),
    (nrb("no-quantity", nrbQuantity=None), "100.00"),
    (nrb("zero-rate", nrbRate="0.000"), SILENT),
    (nrb("with-po", **PO), SILENT),
    (nrb("no-po", **{**PO, "nrbPONumber": None}), "100.00"),
    (nrb("no-external-id", **{**PO, "nrbExternalId": ""}), "100.00"),
    (nrb("needs-none", nrbShouldReconcileWithPO=False, nrbPONumber=None), SILENT),
    (nrb("unknown", nrbShouldReconcileWithPO=None, nrbPONumber=None), SILENT),
    (nrb("nothing-at-all", None, nrbVendorCode=None, nrbJobOrderNumber=None, nrbRate=None, nrbQuantity=None), None),
    (nrb("parent", nrbVendorCode=None, nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (nrb("child", nrbParentGuid="parent"), SILENT),
]
ACCOUNT = Account([body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "reason"),
    [
        ("no-vendor", "it has no vendor code"),
        ("no-po", "it has no PO"),
        ("no-external-id", "it has no external id"),
        ("nothing-at-all", "it has no vendor code, job, rate, quantity"),
    ],
)
def test_reason(guid, reason):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["reason"], hit["key"]) == (reason, {"reason": reason})
