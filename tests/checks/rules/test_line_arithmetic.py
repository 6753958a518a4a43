"""line-arithmetic: amount against quantity × price."""

import pytest

from tests.world import SILENT, amounts, asked_again, audited, findings, firing_lines, invoice, line

RULE = "line-arithmetic"


def one(jnid, quantity, price, amount, labor=None, **changes):
    """An invoice of one line."""
    item = line("Labour", amount, quantity=quantity, price=price)
    return invoice([item | ({"labor": {"amount": labor, "price": labor}} if labor else {})], jnid, **changes)


CASES = [
    (one("too-much", 2, "10.00", "25.00"), "5.00"),
    (one("too-little", 2, "10.00", "15.00"), "5.00"),
    (one("right", 2, "10.00", "20.00"), SILENT),
    (one("half-a-cent-up", "0.5", "0.25", "0.13"), SILENT),
    (one("half-a-cent-cut", "0.5", "0.25", "0.12"), "0.01"),
    (one("half-a-cent-of-a-credit", "0.5", "-0.25", "-0.13"), SILENT),
    (one("with-labour", 1, "10.00", "15.00", labor="5.00"), SILENT),
    (one("without-labour", 1, "10.00", "10.00", labor="5.00"), SILENT),
    (one("with-half-the-labour", 1, "10.00", "12.50", labor="5.00"), "2.50"),
    (one("void", 2, "10.00", "25.00", is_active=False), SILENT),
    (one("draft", 2, "10.00", "25.00", status_name="Draft"), SILENT),
    (one("huge", "999999999999999", "999999999999999", "1.00"), None),
    # NULL, field by field
    (one("no-quantity", None, "10.00", "25.00"), SILENT),
    (one("no-price", 2, None, "25.00"), SILENT),
    (one("no-amount", 2, "10.00", None), SILENT),  # then it is quantity × price
    (one("no-status", 2, "10.00", "25.00", status_name=None), "5.00"),
    (one("no-job", 2, "10.00", "25.00", related=[]), "5.00"),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), [], [body for body, _ in CASES]) as snapshot:
        yield snapshot


@pytest.fixture(scope="module")
def found(snapshot):
    return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing_lines(CASES)


def test_it_says_what_was_expected_and_what_was_found(found):
    hit = found["too-much/0"]
    assert (hit["reason"], hit["job_number"]) == ("quantity times price is 20.00", "JOB-1001")
    assert hit["evidence"] == {"quantity": "2.000000", "price": "10.000000", "amount": "25.00", "expected": "20.00"}
    assert found["no-job/0"]["job_number"] is None


def test_a_product_of_more_digits_than_money_has_stops_nothing(found):
    assert found["huge/0"]["reason"] == "quantity times price is more digits than money has"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("auto", {"with-half-the-labour/0": "2.50"}),
        ("yes", {"without-labour/0": "5.00", "with-half-the-labour/0": "2.50"}),
        ("no", {"with-labour/0": "5.00", "with-half-the-labour/0": "2.50"}),
    ],
)
def test_labor_in_amount(snapshot, setting, expected):
    hits = asked_again(snapshot, RULE, labor_in_amount=setting)
    assert {subject: risk for subject, risk in hits.items() if "-labour" in subject} == expected
