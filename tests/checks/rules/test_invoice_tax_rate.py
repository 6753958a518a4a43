"""invoice-tax-rate: tax at another rate than nine in ten invoices have."""

from decimal import Decimal

from tests.world import SILENT, Account, firing, invoice, line

RULE = "invoice-tax-rate"


def taxed(jnid, amount, tax, **changes):
    return invoice([line("Labor", amount)], jnid, tax=tax, **changes)


def usual(count):
    """Invoices of 100.00, 200.00 … with 5 % tax."""
    return [taxed(f"usual-{n}", f"{n}00.00", f"{5 * n}.00") for n in range(1, count + 1)]


CASES = [
    *[(body, SILENT) for body in usual(36)],
    (taxed("odd", "200.00", "14.00"), "4.00"),
    # tax that was rounded line by line is a few cents off
    (taxed("five-cents", "200.00", "10.05"), SILENT),
    (taxed("six-cents", "200.00", "10.06"), "0.06"),
    # a credit has the rate as well
    (taxed("credit", "-200.00", "-10.00"), SILENT),
    (taxed("wrong-way", "-200.00", "10.00"), "20.00"),
    (taxed("free", "200.00", "0.00"), SILENT),
    (taxed("void", "200.00", "14.00", is_active=False), SILENT),
    (taxed("draft", "200.00", "14.00", status_name="Draft"), SILENT),
    # NULL, field by field
    (taxed("no-subtotal", "200.00", "14.00", subtotal=None), "4.00"),  # the sum of the lines
    (taxed("subtotal-of-nothing", "0.00", "5.00"), SILENT),
    (taxed("no-tax", "200.00", None), SILENT),
]
ACCOUNT = Account([], [body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_evidence_and_key():
    hit = ACCOUNT.findings(RULE)["odd"]
    assert (hit["reason"], hit["severity"]) == ("its tax is not the usual rate of the subtotal", "low")
    assert hit["evidence"] == {
        "number": "INV-odd",
        "tax": "14.00",
        "subtotal": "200.00",
        "expected": "10.00",
        "usual_rate": "5.000000",
    }
    assert hit["key"] == {"usual_rate": 1}


def test_tolerance():
    assert "odd" in ACCOUNT.findings(RULE, tolerance=Decimal("3.94"))
    assert "odd" not in ACCOUNT.findings(RULE, tolerance=Decimal("3.95"))


# Nine in ten, and not one less: a rate that more invoices break is no rule.
ONE_IN_TEN = Account([], [*usual(9), taxed("odd", "200.00", "14.00")])
TWO_IN_ELEVEN = Account([], [*usual(9), taxed("a", "200.00", "14.00"), taxed("b", "200.00", "14.00")])


def test_nine_in_ten_invoices_have_the_usual_rate():
    assert ONE_IN_TEN.risks(RULE) == {"odd": "4.00"}
    assert TWO_IN_ELEVEN.risks(RULE) == {}


def test_min_invoices():
    assert ONE_IN_TEN.risks(RULE, min_invoices=10) == {"odd": "4.00"}
    assert ONE_IN_TEN.risks(RULE, min_invoices=11) == {}


# Two taxes together, 14.975 %; small amounts round the rate, large ones show it.
QUEBEC = [
    taxed(f"usual-{n}", f"{n}234.56", str(round(Decimal(f"{n}234.56") * Decimal("0.14975"), 2))) for n in range(1, 9)
]
DECIMALS = Account([], [*QUEBEC, taxed("small", "1.99", "0.30"), taxed("odd", "10000.00", "1498.00")])


def test_a_rate_may_have_decimals():
    found = DECIMALS.findings(RULE)
    assert {jnid: hit["evidence"]["expected"] for jnid, hit in found.items()} == {"odd": "1497.50"}
    assert found["odd"]["evidence"]["usual_rate"] == "14.975000"
