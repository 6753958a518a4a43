"""nrb-billed-on-void: a void invoice charges nobody."""

import pytest

from tests.world import SILENT, Account, firing, invoice, line, nrb, ref, referenced

RULE = "nrb-billed-on-void"
CASES = [
    (nrb("no-line", "862.50", nrbBilledInName="INV-void"), "862.50"),
    (referenced("on-its-line", nrbBilledInName="INV-void"), "100.00"),
    (referenced("line-without-mark"), "100.00"),
    (referenced("void-by-status"), "100.00"),
    # void and reissued, or on a draft that replaces it
    (referenced("issued-again", nrbBilledInName="INV-void"), SILENT),
    (referenced("on-a-draft-again", nrbBilledInName="INV-void"), SILENT),
    (referenced("issued"), SILENT),
    (nrb("draft", nrbBilledInName="INV-draft"), SILENT),
    (nrb("not-found", nrbBilledInName="INV-404"), SILENT),
    (nrb("internal", nrbBilledInName="INV-void", isInternal=True), SILENT),
    (nrb("not-billable", nrbBilledInName="INV-void", nrbIsBillable=False), SILENT),
    (nrb("nothing", "0.00", nrbBilledInName="INV-void"), SILENT),
    # NULL, field by field
    (nrb("no-total", None, nrbBilledInName="INV-void"), None),
    (nrb("no-active", nrbBilledInName="INV-unset"), SILENT),
    (nrb("no-billable", nrbBilledInName="INV-void", nrbIsBillable=None), "100.00"),
    (referenced("no-number"), "100.00"),
]
INVOICES = [
    invoice([line(ref("issued-again"), "100.00"), line(ref("issued"), "100.00")]),
    invoice(
        [
            line(ref("on-its-line"), "100.00"),
            line(ref("line-without-mark"), "100.00"),
            line(ref("issued-again"), "100.00"),
            line(ref("on-a-draft-again"), "100.00"),
        ],
        "void",
        is_active=False,
    ),
    invoice([line(ref("void-by-status"), "100.00")], "canceled", status_name=" Canceled "),
    invoice([line(ref("no-number"), "100.00")], "unnumbered", number=None, is_active=False),
    invoice([line(ref("on-a-draft-again"), "100.00")], "draft", status_name="Draft"),
    invoice([], "unset", is_active=None),
]
ACCOUNT = Account([body for body, _ in CASES], INVOICES)


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


@pytest.mark.parametrize(
    ("guid", "reason", "evidence"),
    [
        ("no-line", "its invoice INV-void is void", {"found_jnid": "void", "invoice_number": "INV-void"}),
        (
            "void-by-status",
            "its invoice INV-canceled is void",
            {"found_jnid": "canceled", "invoice_number": "INV-canceled"},
        ),
        ("no-number", "its invoice unnumbered is void", {"found_jnid": "unnumbered", "invoice_number": None}),
    ],
)
def test_reason_and_evidence(guid, reason, evidence):
    hit = ACCOUNT.findings(RULE)[guid]
    assert (hit["reason"], hit["evidence"], hit["key"]) == (reason, evidence, {})
