"""invoice-below-cost: an issued invoice charges less than JobNimbus says the work cost."""

from decimal import Decimal

from tests.world import SILENT, Account, firing, invoice, line

RULE = "invoice-below-cost"


def sold(jnid, charged, cost, *more, **changes):
    return invoice([line("Labor", charged), *more], jnid, cost=cost, **changes)


CASES = [
    (sold("below", "100.00", "150.00"), "50.00"),
    (sold("a-cent-below", "100.00", "100.01"), "0.01"),
    (sold("at-cost", "100.00", "100.00"), SILENT),
    (sold("above", "100.00", "60.00"), SILENT),
    # the subtotal counts, not the total: tax is no margin
    (sold("below-before-tax", "100.00", "104.00", tax="5.00"), "4.00"),
    # a deducted deposit, a credit, an invoice of nothing
    (sold("final-after-deposit", "100.00", "150.00", line("Less deposit", "-40.00")), SILENT),
    (sold("credit", "-100.00", "150.00"), SILENT),
    (sold("credit-by-subtotal", "100.00", "150.00", subtotal="-100.00"), SILENT),
    (sold("nothing", "0.00", "150.00"), SILENT),
    (sold("cost-of-nothing", "100.00", "0.00"), SILENT),
    (sold("negative-cost", "0.01", "-5.00", subtotal="0.01"), SILENT),
    (sold("void", "100.00", "150.00", is_active=False), SILENT),
    (sold("void-by-status", "100.00", "150.00", status_name="Voided"), SILENT),
    (sold("draft", "100.00", "150.00", status_name="Draft"), SILENT),
    # NULL, field by field
    (sold("no-cost", "100.00", None), SILENT),
    (sold("no-subtotal", "100.00", "150.00", subtotal=None), "50.00"),  # the sum of the lines
    (sold("no-status", "100.00", "150.00", status_name=None), "50.00"),
    (sold("no-job", "100.00", "150.00", related=[]), "50.00"),
]
ACCOUNT = Account([], [body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_and_evidence():
    hit = ACCOUNT.findings(RULE)["below"]
    assert (hit["reason"], hit["job_number"], hit["severity"]) == (
        "it charges 100.00 for a cost of 150.00",
        "JOB-1001",
        "low",
    )
    assert hit["evidence"] == {"number": "INV-below", "subtotal": "100.00", "cost": "150.00"}
    assert hit["key"] == {}


def test_tolerance():
    assert "below-before-tax" not in ACCOUNT.findings(RULE, tolerance=Decimal("4.00"))
    assert "below-before-tax" in ACCOUNT.findings(RULE, tolerance=Decimal("3.99"))
