"""invoice-margin: a cost of 0 on an invoice with priced material."""

import pytest

from tests.world import SILENT, amounts, audited, findings, firing, invoice, line

RULE = "invoice-margin"


def sold(jnid, cost, *lines, **changes):
    return invoice(list(lines), jnid, cost=cost, **changes)


STEEL = line("Steel", "862.50", item_type="material")
LABOUR = line("Labour", "100.00", item_type="labor")
CASES = [
    (sold("no-cost", "0.00", STEEL, LABOUR), "862.50"),
    (sold("two-materials", 0, STEEL, line("Sand", "0.01", item_type=" Material ")), "862.51"),
    (sold("a-cent", "0.01", STEEL), SILENT),
    (sold("labour-only", "0.00", LABOUR), SILENT),
    (sold("free-material", "0.00", line("Gift", "0.00")), SILENT),
    (sold("discount-only", "0.00", line("Discount", "-5.00")), SILENT),
    (sold("void", "0.00", STEEL, is_active=False), SILENT),
    (sold("draft", "0.00", STEEL, status_name="Draft"), SILENT),
    # NULL, field by field
    (sold("cost-not-said", None, STEEL), SILENT),
    (sold("no-type", "0.00", line("Steel", "5.00", item_type=None)), SILENT),
    (sold("no-amount", "0.00", line("Steel", None, price=None)), SILENT),
    (sold("no-lines", "0.00"), SILENT),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), [], [body for body, _ in CASES]) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == firing(CASES)


def test_it_shows_the_material(found):
    assert found["no-cost"]["evidence"]["material_total"] == "862.50"
    assert found["no-cost"]["evidence"]["total"] == "962.50"
