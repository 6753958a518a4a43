"""invoice-subtotal: the subtotal against the sum of the lines."""

from decimal import Decimal

import pytest

from tests.world import SILENT, Account, firing, invoice, line

RULE = "invoice-subtotal"
LINES = [line("Labor", "60.00"), line("Material", "40.00")]
WITH_LABOR = [line("Pump", "100.00", labor={"amount": "25.00", "price": "25.00"})]
CASES = [
    (invoice(LINES, "more", subtotal="862.50"), "762.50"),
    (invoice(LINES, "less", subtotal="90.00"), "10.00"),
    (invoice(LINES, "equal", subtotal="100.00"), SILENT),
    (invoice([line("Labor", "60.00"), line("Discount", "-70.00")], "credit", subtotal="-10.00"), SILENT),
    (invoice([], "no-lines", subtotal="5.00"), "5.00"),
    (invoice(LINES, "void", subtotal="90.00", is_active=False), SILENT),
    (invoice(LINES, "draft", subtotal="90.00", status_name="DRAFT "), SILENT),
    # NULL, field by field
    (invoice(LINES, "no-subtotal", subtotal=None), SILENT),
    (invoice([], "neither-lines-nor-subtotal", subtotal=None), SILENT),
    (invoice([line("Labor", None, price=None)], "no-amount", subtotal="5.00"), "5.00"),
    (invoice(LINES, "no-active", subtotal="90.00", is_active=None), "10.00"),
    (invoice(LINES, "no-status", subtotal="90.00", status_name=None), "10.00"),
    (invoice(LINES, "no-job", subtotal="90.00", related=[]), "10.00"),
    (invoice(LINES, "a-cent", subtotal="100.01"), "0.01"),
]
# Labor that a line charges inside its amount, beside it, or half of it.
LABOR = [
    (invoice(WITH_LABOR, "inside", subtotal="100.00"), SILENT),
    (invoice(WITH_LABOR, "beside", subtotal="125.00"), SILENT),
    (invoice(WITH_LABOR, "half", subtotal="112.50"), "12.50"),
]
ACCOUNT = Account([], [body for body, _ in CASES + LABOR])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES + LABOR)


def test_reason_and_evidence():
    hit = ACCOUNT.findings(RULE)["less"]
    assert (hit["reason"], hit["job_number"], hit["severity"]) == ("the lines sum to 100.00", "JOB-1001", "high")
    assert hit["evidence"] == {
        "number": "INV-less",
        "line_total": "100.00",
        "subtotal": "90.00",
        "difference": "-10.00",
    }
    assert hit["key"] == {"difference": -1}


def test_tolerance():
    assert "a-cent" not in ACCOUNT.findings(RULE, tolerance=Decimal("0.01"))
    assert "less" in ACCOUNT.findings(RULE, tolerance=Decimal("9.99"))
    assert "less" not in ACCOUNT.findings(RULE, tolerance=Decimal("10.00"))


LABOR_ACCOUNTS = {
    setting: Account([], [body for body, _ in LABOR], labor_in_amount=setting) for setting in ("auto", "yes", "no")
}


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("auto", {"half": "12.50"}),
        ("yes", {"beside": "25.00", "half": "12.50"}),
        ("no", {"inside": "25.00", "half": "12.50"}),
    ],
)
def test_labor_in_amount(setting, expected):
    assert LABOR_ACCOUNTS[setting].risks(RULE) == expected
