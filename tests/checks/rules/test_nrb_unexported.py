"""nrb-unexported: leaves that nothing says were exported."""

import pytest

from tests.world import SILENT, amounts, audited, findings, firing, nrb

RULE = "nrb-unexported"
CASES = [
    (nrb("not-exported", "862.50", nrbIsExported=False), "862.50"),
    (nrb("exported"), SILENT),
    (nrb("internal", nrbIsExported=False, isInternal=True), "100.00"),
    (nrb("child-of-exported", nrbIsExported=None, nrbParentGuid="exported-parent"), SILENT),
    (nrb("own-mark-wins", nrbIsExported=False, nrbParentGuid="exported-parent"), "100.00"),
    (nrb("child-of-unexported", nrbIsExported=None, nrbParentGuid="unexported-parent"), "100.00"),
    (nrb("own-mark-wins-too", nrbIsExported=True, nrbParentGuid="unexported-parent"), SILENT),
    # parents are no leaves
    (nrb("exported-parent", nrbDocumentType="RECEIPT_AP_INVOICE"), SILENT),
    (nrb("unexported-parent", nrbDocumentType="RECEIPT_AP_INVOICE", nrbIsExported=False), SILENT),
    # NULL, field by field
    (nrb("nothing-says", nrbIsExported=None), "100.00"),
    (nrb("no-total", None, nrbIsExported=False), None),
    (nrb("no-job", nrbIsExported=False, nrbJobOrderNumber=None), "100.00"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), [body for body, _ in CASES]) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


def test_it_tells_no_from_unknown(found):
    assert found["not-exported"]["reason"] == "not exported"
    assert found["nothing-says"]["reason"] == "nothing says that it was exported"
