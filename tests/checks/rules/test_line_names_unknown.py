"""line-names-unknown: a line names a document that no cost has."""

from tests.world import SILENT, Account, firing_lines, invoice, line, nrb, ref, referenced, unbilled

RULE = "line-names-unknown"


def sold(jnid, words, amount="862.50", name="Service", **changes):
    item = line(words, amount, name=name, item_type=changes.pop("item_type", "material"))
    return invoice([item], jnid, **changes)


CASES = [
    (sold("invoice-number", "Trucking, invoice 48213"), "862.50"),
    (sold("short-word", "Trucking inv# 48214"), "862.50"),
    (sold("payable", "AP-48215 crane"), "862.50"),
    (sold("bill", "Bill no 1", "1.00"), SILENT),  # a number of fewer than four digits
    (sold("bill-of-four", "bill 4821", "1.00"), "1.00"),
    (sold("in-its-name", None, name="INV 48216"), "862.50"),
    (sold("credit", "Invoice 48217", "-10.00"), "-10.00"),
    # a number that an NRB has, of whatever job, and a line that carries a cost
    (sold("known", "invoice AP-77001"), SILENT),
    (sold("carried-by-amount", "invoice 48218", "733.19"), SILENT),
    # a number without a document word may mean anything
    (sold("no-word", "48219 L of water"), SILENT),
    (sold("other-word", "Unit 48220"), SILENT),
    # our own invoices
    (sold("own-number", "Credit for invoice INV-known", "-5.00"), SILENT),
    (sold("own-bare-number", "Less deposit, invoice 90017", "-5.00"), SILENT),
    # a line that names a cost which is charged twice, and one beside a line that names nothing known
    (invoice([line(ref("twice")), line(ref("twice"))], "twice"), SILENT),
    (invoice([line("Invoice 48228", "9.00"), line("Labor", "5.00")], "beside"), "9.00"),
    (sold("labor", "Labor, bill 48221", item_type="labor"), SILENT),
    (sold("nothing", "Invoice 48222", "0.00"), SILENT),
    (sold("void", "Invoice 48223", is_active=False), SILENT),
    (sold("draft", "Invoice 48224", status_name="Draft"), SILENT),
    # NULL, field by field
    (sold("no-words", None, name=None), SILENT),
    (sold("no-description", None), SILENT),
    (sold("no-number", "Invoice 48225", number=None), "862.50"),
    (sold("no-job", "Invoice 48226", related=[]), "862.50"),
    (sold("no-type", "Invoice 48227", item_type=None), "862.50"),
]
NRBS = [
    nrb("n1", nrbInvoiceNumber="AP-77001", nrbJobOrderNumber="JOB-2", nrbBilledInName="INV-404"),
    unbilled("n2", "733.19"),
    referenced("twice"),
]
DEPOSIT = invoice([line("Deposit", "5.00")], "deposit", number="90017")
ACCOUNT = Account(NRBS, [DEPOSIT, *(body for body, _ in CASES)])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing_lines(CASES)


def test_reason_and_evidence():
    hit = ACCOUNT.findings(RULE)["invoice-number/0"]
    assert (hit["reason"], hit["severity"]) == ("no cost has the document number that the line names", "low")
    assert hit["evidence"] == {"number": "INV-invoice-number", "words": "Service Trucking, invoice 48213"}
    assert hit["key"] == {}
