"""nrb-credited-back: charged, and the money given back."""

from tests.world import SILENT, Account, firing, invoice, line, ref, referenced

RULE = "nrb-credited-back"
CASES = [
    (referenced("on-a-credit-note"), "100.00"),
    (referenced("on-one-invoice"), "100.00"),
    (referenced("in-parts"), "100.00"),
    (referenced("in-part-only"), SILENT),  # nrb-billed-part
    (referenced("reissued"), SILENT),
    (referenced("charged"), SILENT),
    (referenced("credit-on-draft"), SILENT),
    (referenced("credit-on-void"), SILENT),
    (referenced("nothing", "0.00"), SILENT),
    (referenced("internal", isInternal=True), SILENT),
    (referenced("not-billable", nrbIsBillable=False), SILENT),
    # NULL
    (referenced("no-total", None), None),
    (referenced("no-billable", nrbIsBillable=None), "100.00"),
]
BOTH_WAYS = ["on-one-invoice", "nothing", "internal", "not-billable", "no-total", "no-billable"]
INVOICES = [
    invoice(
        [
            line(ref("on-a-credit-note"), "100.00"),
            *[line(ref(guid), amount) for guid in BOTH_WAYS for amount in ("100.00", "-100.00")],
            line(ref("in-parts"), "60.00"),
            line(ref("in-parts"), "40.00"),
            line(ref("in-part-only"), "100.00"),
            line(ref("reissued"), "100.00"),
            line(ref("charged"), "100.00"),
            line(ref("credit-on-draft"), "100.00"),
            line(ref("credit-on-void"), "100.00"),
        ]
    ),
    invoice(
        [
            line(ref("on-a-credit-note"), "-100.00"),
            line(ref("in-parts"), "-100.00"),
            line(ref("in-part-only"), "-99.99"),
            line(ref("reissued"), "-100.00"),
            line(ref("reissued"), "100.00"),
        ],
        "credit",
        number=None,
    ),
    invoice([line(ref("credit-on-draft"), "-100.00")], "draft", status_name="Draft"),
    invoice([line(ref("credit-on-void"), "-100.00")], "void", is_active=False),
]
ACCOUNT = Account([body for body, _ in CASES], INVOICES)


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_names_the_lines():
    hit = ACCOUNT.findings(RULE)["on-a-credit-note"]
    assert hit["reason"] == "charged and credited on credit line 1 for -100.00, INV-i1 line 1 for 100.00"
    assert hit["severity"] == "high"


def test_an_acceptance_rests_on_the_lines():
    sql = "select line_key from invoice_item where description = $words order by line_key"
    keys = ACCOUNT.draft.query(sql, {"words": ref("on-a-credit-note")}).column()
    assert ACCOUNT.findings(RULE)["on-a-credit-note"]["key"] == {"line_keys": " ".join(keys)}
