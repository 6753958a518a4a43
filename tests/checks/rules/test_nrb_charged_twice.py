"""nrb-charged-twice: two or more lines together charge about twice the total."""

from tests.world import SILENT, Account, firing, invoice, line, nrb, ref, referenced

RULE = "nrb-charged-twice"
CASES = [
    (referenced("on-two-invoices"), "100.00"),
    (referenced("on-two-lines"), "100.00"),
    # within 5 % of twice the total
    (referenced("at-195"), "95.00"),
    (referenced("at-205"), "105.00"),
    (referenced("below-195"), SILENT),
    (referenced("above-205"), SILENT),
    (referenced("in-three-parts"), "100.00"),
    (referenced("progress"), SILENT),
    (referenced("twice-on-one-line"), SILENT),  # line-amount-difference
    (referenced("charged-credited-reissued"), SILENT),
    (referenced("void-and-reissued"), SILENT),
    (referenced("again-on-draft"), SILENT),
    (referenced("credit", "-100.00"), "-100.00"),
    (referenced("internal", isInternal=True), SILENT),
    (referenced("not-billable", nrbIsBillable=False), SILENT),
    # NULL
    (referenced("no-total", None), SILENT),
    (referenced("no-billable", nrbIsBillable=None), "100.00"),
]
ON_TWO_LINES = ["on-two-lines", "internal", "not-billable", "no-total", "no-billable"]
INVOICES = [
    invoice(
        [
            line(ref("on-two-invoices"), "100.00"),
            *[line(ref(guid), "100.00") for guid in ON_TWO_LINES for _ in range(2)],
            line(ref("at-195"), "100.00"),
            line(ref("at-195"), "95.00"),
            line(ref("at-205"), "100.00"),
            line(ref("at-205"), "105.00"),
            line(ref("below-195"), "100.00"),
            line(ref("below-195"), "94.99"),
            line(ref("above-205"), "100.00"),
            line(ref("above-205"), "105.01"),
            line(ref("in-three-parts"), "100.00"),
            line(ref("in-three-parts"), "60.00"),
            line(ref("in-three-parts"), "40.00"),
            line(ref("progress"), "40.00"),
            line(ref("progress"), "60.00"),
            line(ref("twice-on-one-line"), "200.00"),
            line(ref("charged-credited-reissued"), "100.00"),
            line(ref("charged-credited-reissued"), "-100.00"),
            line(ref("charged-credited-reissued"), "100.00"),
            line(ref("void-and-reissued"), "100.00"),
            line(ref("again-on-draft"), "100.00"),
            line(ref("credit"), "-100.00"),
            line(ref("credit"), "-100.00"),
        ]
    ),
    invoice([line("Labor", "5.00"), line(ref("on-two-invoices"), "100.00")], "i2", number=None),
    invoice([line(ref("void-and-reissued"), "100.00")], "void", is_active=False),
    invoice([line(ref("again-on-draft"), "100.00")], "draft", status_name="Draft"),
]
ACCOUNT = Account([body for body, _ in CASES], INVOICES)


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_names_both_lines():
    hit = ACCOUNT.findings(RULE)["on-two-invoices"]
    assert hit["reason"] == "charged on INV-i1 line 1 for 100.00, i2 line 2 for 100.00"
    assert (hit["severity"], hit["evidence"]["charged"], hit["evidence"]["total"]) == ("high", "200.00", "100.00")


def test_an_acceptance_rests_on_the_lines_wherever_they_are():
    sql = "select line_key from invoice_item where description = $words order by line_key"
    keys = ACCOUNT.draft.query(sql, {"words": ref("on-two-invoices")}).column()
    assert ACCOUNT.findings(RULE)["on-two-invoices"]["key"] == {"line_keys": " ".join(keys)}


def test_a_marked_cost_that_two_invoices_charge_is_never_unbilled_and_never_clean():
    invoices = [invoice([line(ref("n1"), "100.00")], jnid) for jnid in ("i1", "i2")]
    account = Account([nrb("n1", nrbOriginReference=ref("n1"))], invoices)
    assert account.risks(RULE) == {"n1": "100.00"}
    assert account.risks("nrb-unbilled") == {}
