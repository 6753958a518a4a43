"""nrb-missing-key: a field is empty without which the cost cannot be traced."""

import pytest

from tests.world import SILENT, amounts, audited, findings, firing, nrb

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
    (nrb("says-nothing", nrbShouldReconcileWithPO=None, nrbPONumber=None), SILENT),
    (nrb("nothing-at-all", None, nrbVendorCode=None, nrbJobOrderNumber=None, nrbRate=None, nrbQuantity=None), None),
    (nrb("parent", nrbVendorCode=None, nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (nrb("child", nrbParentGuid="parent"), SILENT),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), [body for body, _ in CASES]) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "reason"),
    [
        ("no-vendor", "it has no vendor code"),
        ("no-po", "it has no PO"),
        ("no-external-id", "it has no external id"),
        ("nothing-at-all", "it has no vendor code, job, rate, quantity"),
    ],
)
def test_it_names_the_fields(found, guid, reason):
    assert found[guid]["reason"] == reason
