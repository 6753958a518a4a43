"""nrb-billed-by-amount: only the amount connects the cost with its line."""

from tests.world import SILENT, Account, firing, invoice, line, nrb, ref, referenced, unbilled

RULE = "nrb-billed-by-amount"
CASES = [
    (unbilled("one-line", "733.19"), "733.19"),
    (unbilled("no-words", "612.37"), "612.37"),
    # a unique sum: two costs on one line
    (unbilled("sum-a", "1411.83"), "1411.83"),
    (unbilled("sum-b", "2718.29"), "2718.29"),
    # a name, a mark or a person connects it
    (referenced("named", "841.13"), SILENT),
    (nrb("marked", "919.41", nrbBilledInName="INV-i1"), SILENT),
    (unbilled("by-hand", "977.73"), SILENT),
    # an amount that chance may give is not linked at all
    (unbilled("round", "500.00"), SILENT),
    (unbilled("on-draft", "534.27"), SILENT),
    (unbilled("on-void", "545.71"), SILENT),
    (unbilled("internal", "556.93", isInternal=True), SILENT),
    (unbilled("not-billable", "567.19", nrbIsBillable=False), SILENT),
    # NULL
    (unbilled("no-total", None), SILENT),
    (unbilled("no-job", "578.31", nrbJobOrderNumber=None), SILENT),
]
INVOICES = [
    invoice(
        [
            line("Pump rental", "733.19"),
            line(None, "612.37", name=None),
            line("Third-party costs", "4130.12"),
            line(ref("named"), "841.13"),
            line("Crane", "919.41"),
            line("Hydrovac", "977.73"),
            line("Standby", "500.00"),
            line("Office", "556.93"),
            line("Gift", "567.19"),
            line("Elsewhere", "578.31"),
        ]
    ),
    invoice([line("Later", "534.27")], "draft", status_name="Draft"),
    invoice([line("Never", "545.71")], "void", is_active=False),
]
ACCOUNT = Account([body for body, _ in CASES], INVOICES, links=[("by-hand", "i1", 5)])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_names_the_line():
    found = ACCOUNT.findings(RULE)
    assert found["one-line"]["reason"] == "on INV-i1 line 1: Service Pump rental"
    assert found["no-words"]["reason"] == "on INV-i1 line 2:  "
    assert found["sum-a"]["reason"] == found["sum-b"]["reason"] == "on INV-i1 line 3: Service Third-party costs"
    assert found["one-line"]["severity"] == "low"


# One cost on two lines that are its only sum.
TWO_LINES = Account(
    [unbilled("n1", "4130.12")], [invoice([line("First", "1411.83"), line("Second", "2718.29")], number=None)]
)


def test_a_cost_on_several_lines_names_them_all():
    hit = TWO_LINES.findings(RULE)["n1"]
    assert hit["reason"] == "on i1 line 1: Service First; i1 line 2: Service Second"
    assert str(hit["amount_at_risk"]) == "4130.12"


def test_an_acceptance_rests_on_the_lines_wherever_they_are():
    keys = TWO_LINES.draft.query("select line_key from invoice_item order by line_key").column()
    assert TWO_LINES.findings(RULE)["n1"]["key"] == {"line_keys": " ".join(keys)}
    first = [line("Added", "9.99"), line("First", "1411.83"), line("Second", "2718.29")]
    moved = Account([unbilled("n1", "4130.12")], [invoice(first, number=None)])
    assert moved.findings(RULE)["n1"]["key"] == {"line_keys": " ".join(keys)}
