"""line-arithmetic: amount against quantity × price."""

from decimal import Decimal

import pytest

from tests.world import SILENT, Account, firing_lines, invoice, line

RULE = "line-arithmetic"


def one(jnid, quantity, price, amount, labor=None, **changes):
    """An invoice of one line."""
    item = line("Labor", amount, quantity=quantity, price=price)
    return invoice([item | ({"labor": {"amount": labor, "price": labor}} if labor else {})], jnid, **changes)


def holding(jnid, **fields):
    """An invoice of one line of 2 × 10.00, with these fields in their place."""
    item = line("Labor", **{"amount": "20.00", "quantity": 2, "price": "10.00", **fields})
    return {**one(jnid, 2, "10.00", "20.00"), "items": [item]}


HUGE = {"quantity": "999999999999999", "price": "999999999999999"}
CASES = [
    (one("too-much", 2, "10.00", "25.00"), "5.00"),
    (one("too-little", 2, "10.00", "15.00"), "5.00"),
    (one("right", 2, "10.00", "20.00"), SILENT),
    (one("half-a-cent-up", "0.5", "0.25", "0.13"), SILENT),
    (one("half-a-cent-cut", "0.5", "0.25", "0.12"), "0.01"),
    (one("half-a-cent-of-a-credit", "0.5", "-0.25", "-0.13"), SILENT),
    (one("with-labor", 1, "10.00", "15.00", labor="5.00"), SILENT),
    (one("without-labor", 1, "10.00", "10.00", labor="5.00"), SILENT),
    (one("with-half-the-labor", 1, "10.00", "12.50", labor="5.00"), "2.50"),
    (one("void", 2, "10.00", "25.00", is_active=False), SILENT),
    (one("draft", 2, "10.00", "25.00", status_name="Draft"), SILENT),
    (holding("huge", **HUGE), None),
    # NULL, field by field
    (one("no-quantity", None, "10.00", "25.00"), SILENT),
    (one("no-price", 2, None, "25.00"), SILENT),
    (one("no-amount", 2, "10.00", None), SILENT),  # then it is quantity × price
    (holding("huge-without-amount", **HUGE, amount=None), SILENT),
    # an amount that could not be read
    (holding("unread", amount="free"), SILENT),
    (holding("huge-and-unread", **HUGE, amount="free"), SILENT),
    (one("no-amount-but-labor", 2, "10.00", None, labor="5.00"), SILENT),
    (one("no-status", 2, "10.00", "25.00", status_name=None), "5.00"),
    (one("no-job", 2, "10.00", "25.00", related=[]), "5.00"),
]
ACCOUNT = Account([], [body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing_lines(CASES)


def test_reason_and_evidence():
    found = ACCOUNT.findings(RULE)
    hit = found["too-much/0"]
    assert (hit["reason"], hit["job_number"], hit["key"]) == ("quantity times price is 20.00", "JOB-1001", {})
    assert hit["evidence"] == {"quantity": "2.000000", "price": "10.000000", "amount": "25.00", "expected": "20.00"}
    assert found["no-job/0"]["job_number"] is None


def test_a_product_of_more_digits_than_money_has_stops_nothing():
    assert ACCOUNT.findings(RULE)["huge/0"]["reason"] == "quantity times price is more digits than money has"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("auto", {"with-half-the-labor/0": "2.50"}),
        ("yes", {"without-labor/0": "5.00", "with-half-the-labor/0": "2.50"}),
        ("no", {"with-labor/0": "5.00", "with-half-the-labor/0": "2.50"}),
    ],
)
def test_labor_in_amount(setting, expected):
    hits = ACCOUNT.risks(RULE, labor_in_amount=setting)
    assert {subject: risk for subject, risk in hits.items() if "-labor" in subject} == expected


def test_reason_names_the_labor():
    hit = ACCOUNT.findings(RULE, labor_in_amount="yes")["without-labor/0"]
    assert hit["reason"] == "quantity times price and labor are 15.00"


def test_tolerance():
    assert "half-a-cent-cut/0" not in ACCOUNT.findings(RULE, tolerance=Decimal("0.01"))
    assert {"too-much/0", "with-half-the-labor/0"} <= set(ACCOUNT.findings(RULE, tolerance=Decimal("2.49")))
    assert "with-half-the-labor/0" not in ACCOUNT.findings(RULE, tolerance=Decimal("2.50"))
    assert "too-much/0" not in ACCOUNT.findings(RULE, tolerance=Decimal("5.00"))
