"""nrb-billed-part: several lines, or one line of its own, charge for a part of the cost."""

from decimal import Decimal

from tests.world import SILENT, Account, firing, invoice, line, ref, referenced

RULE = "nrb-billed-part"
CASES = [
    (referenced("half"), "50.00"),
    (referenced("below-80-percent"), "20.01"),
    (referenced("at-80-percent"), SILENT),  # line-amount-difference
    # progress billing: each line a part
    (referenced("40-and-30"), "30.00"),
    (referenced("40-and-60"), SILENT),
    (referenced("60-and-39.99"), "0.01"),
    (referenced("charged-and-corrected"), "10.00"),
    (referenced("40-and-draft"), "60.00"),
    (referenced("40-and-void"), "60.00"),
    (referenced("more"), SILENT),
    (referenced("credit", "-100.00"), "-60.00"),
    # a line of several costs is one difference of that line, unless one of them is on more lines
    (referenced("shared-a"), SILENT),
    (referenced("shared-b"), SILENT),
    (referenced("crossed-a"), "20.00"),
    (referenced("crossed-b"), "10.00"),
    (referenced("with-internal"), "30.00"),
    (referenced("the-internal", isInternal=True), SILENT),
    (referenced("with-not-billable"), "30.00"),
    (referenced("the-not-billable", nrbIsBillable=False), SILENT),
    (referenced("only-on-draft"), SILENT),
    (referenced("internal", isInternal=True), SILENT),
    (referenced("not-billable", nrbIsBillable=False), SILENT),
    # NULL: a total that is not known has no part
    (referenced("no-total", None), SILENT),
    (referenced("no-billable", nrbIsBillable=None), "50.00"),
]
INVOICES = [
    invoice(
        [
            line(ref("half"), "50.00"),
            line(ref("below-80-percent"), "79.99"),
            line(ref("at-80-percent"), "80.00"),
            line(ref("40-and-30"), "40.00"),
            line(ref("40-and-60"), "40.00"),
            line(ref("60-and-39.99"), "60.00"),
            line(ref("charged-and-corrected"), "110.00"),
            line(ref("charged-and-corrected"), "-20.00"),
            line(ref("40-and-draft"), "40.00"),
            line(ref("40-and-void"), "40.00"),
            line(ref("more"), "60.00"),
            line(ref("more"), "60.00"),
            line(ref("credit"), "-40.00"),
            line(f"{ref('shared-a')} {ref('shared-b')}", "100.00"),
            line(f"{ref('crossed-a')} {ref('crossed-b')}", "160.00"),
            line(ref("crossed-b"), "10.00"),
            line(f"{ref('with-internal')} {ref('the-internal')}", "140.00"),
            line(f"{ref('with-not-billable')} {ref('the-not-billable')}", "140.00"),
            line(ref("internal"), "50.00"),
            line(ref("not-billable"), "50.00"),
            line(ref("no-total"), "50.00"),
            line(ref("no-billable"), "50.00"),
        ]
    ),
    invoice(
        [line(ref("40-and-30"), "30.00"), line(ref("40-and-60"), "60.00"), line(ref("60-and-39.99"), "39.99")], "i2"
    ),
    invoice([line(ref("40-and-draft"), "60.00"), line(ref("only-on-draft"), "50.00")], "i3", status_name="Draft"),
    invoice([line(ref("40-and-void"), "60.00")], "i4", is_active=False),
]
ACCOUNT = Account([body for body, _ in CASES], INVOICES)


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_and_evidence():
    hit = ACCOUNT.findings(RULE)["40-and-30"]
    assert (hit["reason"], hit["severity"], hit["key"]) == ("70.00 of 100.00 is billed", "medium", {})
    assert hit["evidence"] == {"charged": "70.00", "total": "100.00", "lines": 2}


def test_tolerance():
    assert "60-and-39.99" not in ACCOUNT.findings(RULE, tolerance=Decimal("0.01"))
    assert "below-80-percent" in ACCOUNT.findings(RULE, tolerance=Decimal("20.00"))
    assert "below-80-percent" not in ACCOUNT.findings(RULE, tolerance=Decimal("20.01"))


def test_at_80_percent_the_other_rule_fires():
    assert ACCOUNT.risks("line-amount-difference")["i1/2"] == "20.00"
    assert ACCOUNT.risks("line-amount-difference")["i1/13"] == "100.00"
