"""What is shown before a signature: labels, days, money in one form, and only what really changes."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from auditkit.corrections.operations.registry import OPERATIONS
from auditkit.corrections.plan import FieldChange
from auditkit.corrections.render import DisplayNames

from .conftest import invoice, item, nrb
from .test_plan import KEYED_NRB, NEW_INVOICE, OLD, change, created, invoiced, items

MIDNIGHT_IN_EDMONTON = 1_783_058_400  # 2026-07-03


def shown(made, words=None):
    return {row["field"]: (row["before"], row["after"]) for row in made.preview(words)}


@pytest.mark.parametrize(
    ("operation", "record", "label"),
    [
        ("edit-nrb", nrb("x", nrbInvoiceNumber="8812"), "REF-x · vendor BIT · vendor's invoice 8812 · job JOB1"),
        ("edit-nrb", nrb("x", nrbOriginReference=None, nrbVendorCode=""), "EXT-x · job JOB1"),
        ("create-nrb", KEYED_NRB, "ak-1 · vendor BIT · job JOB1"),
        ("edit-nrb", nrb("x", nrbOriginReference="a\x1b[2J\nb"), "a�[2J b · vendor BIT · job JOB1"),
        ("edit-invoice", invoice(), "invoice 1001 · job JOB1 (Client / JOB1)"),
        ("create-invoice", NEW_INVOICE, "an invoice without a number · job job-1"),
        ("edit-invoice", invoice(related=[{"type": "contact", "id": "1"}, 5]), "invoice 1001"),
        ("edit-invoice", invoice(related=None), "invoice 1001"),
    ],
)
def test_labels_of_objects(operation, record, label):
    assert OPERATIONS[operation].label(record) == label


def test_each_row_has_the_reason_and_the_findings_of_its_object():
    made = change(findings=("a" * 64, "b" * 64), rule="nrb-unexported 123456789012, nrb-no-markup 123456789012")
    assert [(row["reason"], row["findings"]) for row in made.preview()] == [
        ("because", f"nrb-unexported, nrb-no-markup {'a' * 12} {'b' * 12}")
    ]


@pytest.mark.parametrize(
    ("made", "zone", "days"),
    [
        (invoiced("edit-invoice", FieldChange("date_due", None, MIDNIGHT_IN_EDMONTON)), None, (None, "2026-07-03")),
        (
            invoiced(
                "edit-invoice",
                FieldChange("date_due", MIDNIGHT_IN_EDMONTON - 1, MIDNIGHT_IN_EDMONTON),
                date_due=MIDNIGHT_IN_EDMONTON - 1,
            ),
            "America/Edmonton",
            ("2026-07-02", "2026-07-03"),
        ),
        (
            invoiced("edit-invoice", FieldChange("date_due", 0, MIDNIGHT_IN_EDMONTON), date_due=0),
            "America/Edmonton",
            (None, "2026-07-03"),
        ),
        (
            change(FieldChange("nrbInvoiceDate", 1_743_503_400_000, 1_743_503_401_000)),
            None,
            ("2025-04-01 10:30:00", "2025-04-01 10:30:01"),
        ),
        (
            change(FieldChange("nrbInvoiceDate", 5, 1_743_503_400_000), image={"nrbInvoiceDate": 5}),
            None,
            (5, 1_743_503_400_000),
        ),
    ],
)
def test_dates_are_days_in_the_accounts_time_zone(made, zone, days):
    (name,) = made.after
    assert shown(made, DisplayNames(ZoneInfo(zone)) if zone else None)[name] == days


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        ("750.000", "700", (Decimal("750.00"), Decimal("700.00"))),
        ("750.000", "1750.1250", (Decimal("750.00"), Decimal("1750.125"))),
        ("750.000", None, (Decimal("750.00"), None)),
    ],
)
def test_money_has_one_form(before, after, seen):
    found = shown(change(FieldChange("nrbRate", before, after)))["nrbRate"]
    assert found == seen and list(map(str, found)) == list(map(str, seen))


def without_amount(*lines):
    return [{name: value for name, value in line.items() if name != "amount"} for line in lines]


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        (without_amount(item(1)), [("items: removed line", "Crane hire · BIT / REF EXT-2: 862.50", None)]),
        (
            [item(2), *without_amount(item(1, quantity="3", price="1.125"))],
            [
                (
                    "items: changed line",
                    "Crane hire · BIT / REF EXT-1: 862.50",
                    "Crane hire · BIT / REF EXT-1: 3 × 1.125 = 3.38 (price 862.50 → 1.125, quantity 1 → 3)",
                )
            ],
        ),
        (
            [item(2), item(1, labor={"price": 0})],
            [],
        ),
        (
            [item(2), item(1, labor=None, cost=0)],
            [],
        ),
        (
            [item(2), item(1, labor={"price": 0, "amount": 5})],
            [
                (
                    "items: changed line",
                    "Crane hire · BIT / REF EXT-1: 862.50",
                    "Crane hire · BIT / REF EXT-1: 862.50"
                    " (labor {'price': 0, 'amount': 0} → {'price': 0, 'amount': 5})",
                )
            ],
        ),
    ],
)
def test_only_lines_that_change_are_shown(lines, rows):
    made = invoiced("edit-invoice", FieldChange("items", OLD, items(*lines)))
    assert [
        (row["field"], row["before"], row["after"]) for row in made.preview() if row["field"].startswith("items:")
    ] == rows


def test_related_objects_and_statuses_are_shown_by_name():
    related = [
        {"id": "job-1", "type": "job", "number": "2005", "name": "Client / JOB1"},
        {"id": "c-1", "type": "contact"},
    ]
    made = created("create-invoice", **{**NEW_INVOICE, "related": related})
    rows = shown(made, DisplayNames(statuses={1: "Draft"}))
    assert rows["related"] == (None, "job 2005 (Client / JOB1), contact c-1")
    assert rows["status"] == (None, "Draft (1)") and shown(made)["status"] == (None, 1)
