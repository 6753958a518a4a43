"""invoice-margin: a cost of 0 on an invoice with priced material."""

from tests.world import SILENT, Account, firing, invoice, line, ref, referenced

RULE = "invoice-margin"


def sold(jnid, cost, *lines, **changes):
    return invoice(list(lines), jnid, cost=cost, **changes)


def cost(guid, amount="862.50", **changes):
    """A line that bills the NRB of this guid."""
    return line(ref(guid), amount, **{"item_type": "material", **changes})


LABOR = line("Labor", "100.00", item_type="labor")
CASES = [
    (sold("no-cost", "0.00", cost("a"), LABOR), "862.50"),
    (sold("two-materials", 0, cost("b"), cost("b2", "0.01", item_type=" Material ")), "862.51"),
    (sold("a-cent", "0.01", cost("c")), SILENT),
    (sold("labor-only", "0.00", LABOR), SILENT),
    (sold("free-material", "0.00", line("Gift", "0.00")), SILENT),
    (sold("discount-only", "0.00", line("Discount", "-5.00")), SILENT),
    (sold("credit", "0.00", cost("i", "-5.00")), SILENT),
    (sold("less-a-credit", "0.00", cost("j"), cost("j2", "-5.00")), "862.50"),
    (sold("progress-bill", "0.00", line("Progress 2 of 3", "862.50", item_type="material")), SILENT),
    (sold("void", "0.00", cost("d"), is_active=False), SILENT),
    (sold("draft", "0.00", cost("e"), status_name="Draft"), SILENT),
    # NULL, field by field
    (sold("unknown-cost", None, cost("f")), SILENT),
    (sold("no-type", "0.00", cost("g", "5.00", item_type=None)), SILENT),
    (sold("no-amount", "0.00", cost("h", None, price=None)), SILENT),
    (sold("no-lines", "0.00"), SILENT),
]
TOTALS = {"b2": "0.01", "g": "5.00", "i": "-5.00", "j2": "-5.00"}
GUIDS = ("a", "b", "b2", "c", "d", "e", "f", "g", "h", "i", "j", "j2")
NRBS = [referenced(guid, TOTALS.get(guid, "862.50")) for guid in GUIDS]
ACCOUNT = Account(NRBS, [body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_and_evidence():
    hit = ACCOUNT.findings(RULE)["no-cost"]
    assert (hit["reason"], hit["job_number"]) == ("no cost behind priced material", "JOB-1001")
    assert (hit["evidence"]["material_total"], hit["evidence"]["total"]) == ("862.50", "962.50")
    assert hit["key"] == {}
