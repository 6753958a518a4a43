"""invoice-due: total less paid against due; and overpaid."""

import pytest

from tests.world import SILENT, amounts, audited, findings, firing, invoice, line

RULE = "invoice-due"


def paid(jnid, total, total_paid, due, **changes):
    return invoice([line("Labour", total)], jnid, total=total, total_paid=total_paid, due=due, **changes)


CASES = [
    (paid("due-too-high", "862.50", "100.00", "862.50"), "100.00"),
    (paid("due-too-low", "862.50", "100.00", "0.00"), "762.50"),
    (paid("open", "862.50", "100.00", "762.50"), SILENT),
    (paid("paid", "862.50", "862.50", "0.00"), SILENT),
    (paid("overpaid", "100.00", "150.00", "-50.00"), "50.00"),
    (paid("overpaid-and-cut", "100.00", "150.00", "0.00"), "50.00"),
    (paid("credit", "-100.00", "0.00", "-100.00"), SILENT),
    (paid("void", "100.00", "0.00", "50.00", is_active=False), SILENT),
    (paid("draft", "100.00", "0.00", "50.00", status_name="Draft"), SILENT),
    # NULL, field by field
    (paid("no-due", "100.00", "0.00", None), SILENT),
    (paid("no-paid", "100.00", None, "100.00"), SILENT),
    (paid("no-paid-and-wrong", "100.00", None, "90.00"), "10.00"),
    (paid("no-status", "100.00", "0.00", "90.00", status_name=None), "10.00"),
    (paid("a-cent", "100.00", "0.00", "100.01"), "0.01"),
]
NOTHING_TO_COMPARE = [
    (paid("no-total", None, "0.00", "0.00"), SILENT),
    (paid("no-total-but-paid", None, "50.00", "0.00"), SILENT),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    bodies = [body for body, _ in CASES + NOTHING_TO_COMPARE]
    with audited(tmp_path_factory.mktemp(RULE), [], bodies) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these(found):
    unclear = {body["jnid"] for body, _ in NOTHING_TO_COMPARE}
    assert amounts({jnid: hit for jnid, hit in found.items() if jnid not in unclear}) == firing(CASES)


@pytest.mark.parametrize("jnid", [body["jnid"] for body, _ in NOTHING_TO_COMPARE])
def test_without_a_total_there_is_nothing_to_compare(found, jnid):
    assert jnid not in found


@pytest.mark.parametrize(
    ("jnid", "reason"),
    [
        ("due-too-high", "total less paid is 762.50"),
        ("overpaid", "overpaid"),
        ("overpaid-and-cut", "total less paid is -50.00"),
    ],
)
def test_it_says_what_was_expected(found, jnid, reason):
    assert found[jnid]["reason"] == reason
