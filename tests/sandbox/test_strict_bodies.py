"""Strict bodies: what a vendor's page does not document is refused at every depth. Lenient: what can be read is."""

import pytest

from .bodies import INVOICE, NRB, PARENT
from .conftest import SAVE

ITEM = {"name": "Service", "quantity": 1, "price": 5}
POSTED = {
    "type": "invoice",
    "is_active": True,
    "status": 1,
    "related": [{"id": "JOB_ID_1", "type": "job"}],
    "items": [ITEM],
}


def posted_nrb(sandbox, **fields):
    return sandbox.aimsio("POST", SAVE, json={"nrbList": [{"nrbGuid": NRB, **fields}]})


def put_invoice(sandbox, **fields):
    return sandbox.jobnimbus("PUT", f"/{INVOICE}", json=fields)


NRB_MISTAKES = [
    ({"nrbRate": "100.5"}, "nrbRate: expected number or null, found string '100.5'"),
    ({"nrbQuantity": "1"}, "nrbQuantity: expected number or null, found string '1'"),
    ({"nrbUpcharge": "10"}, "nrbUpcharge: expected number or null, found string '10'"),
    ({"nrbIsBillable": "true"}, "nrbIsBillable: expected boolean or null, found string 'true'"),
    ({"isInternal": 0}, "isInternal: expected boolean or null, found integer"),
    ({"nrbNotes": 5}, "nrbNotes: expected string or null, found integer"),
    ({"nrbInvoiceDate": "2026-09-30"}, "nrbInvoiceDate: expected integer or null, found string '2026-09-30'"),
    ({"nrbAccountType": "billable"}, "nrbAccountType: expected one of ['Billable', 'Not Billable', None], found"),
    ({"nrbRates": 5}, "nrbList[0]: a request has no field 'nrbRates'; did you mean nrbRate?"),
    ({"nrbTotalAfterMarkup": 5}, "nrbList[0]: a request has no field 'nrbTotalAfterMarkup'"),
    ({"nrbUpdatedAt": 5}, "nrbList[0]: a request has no field 'nrbUpdatedAt'"),
    ({"nrbChildren": [{"nrbRate": "5"}]}, "nrbChildren[0].nrbRate: expected number or null, found string '5'"),
    ({"nrbChildren": [{"color": "red"}]}, "nrbChildren[0]: a request has no field 'color'"),
    ({"nrbChildren": [{"nrbChildren": [{}]}]}, "nrbChildren[0].nrbChildren: expected at most 0 items, found 1"),
]


@pytest.mark.parametrize(("fields", "words"), NRB_MISTAKES)
def test_an_nrb_with_what_is_not_documented_is_refused(sandbox, fields, words):
    before = sandbox.nrb(NRB)
    answer = posted_nrb(sandbox, **fields)
    assert (answer.status_code, answer.json()["status"]) == (400, 400)
    assert answer.json()["message"].startswith("body.nrbList[0]")
    assert words in answer.json()["message"]
    assert sandbox.nrb(NRB) == before


INVOICE_MISTAKES = [
    ({"tax": "5"}, "body.tax: expected number or null, found string '5'"),
    ({"total": "5"}, "body.total: expected number or null, found string '5'"),
    ({"is_active": "false"}, "body.is_active: expected boolean, found string 'false'"),
    ({"esigned": 1}, "body.esigned: expected boolean or null, found integer"),
    ({"status": "4"}, "body.status: expected integer, found string '4'"),
    ({"date_due": "1683781200"}, "body.date_due: expected integer or null, found string '1683781200'"),
    ({"number": 5}, "body.number: expected string or null, found integer"),
    ({"type": "estimate"}, "body.type: expected one of ['invoice'], found string 'estimate'"),
    ({"totals": 5}, "body: a request has no field 'totals'; did you mean total?"),
    ({"items": [{"price": "5"}]}, "body.items[0].price: expected number or null, found string '5'"),
    ({"items": [ITEM, {"prize": 5}]}, "body.items[1]: a request has no field 'prize'; did you mean price?"),
    ({"items": [{"labor": {"price": "5"}}]}, "body.items[0].labor.price: expected number or null, found string '5'"),
    ({"items": [{"labor": {"hours": 5}}]}, "body.items[0].labor: a request has no field 'hours'"),
    ({"related": [{"id": 5, "type": "job"}]}, "body.related[0].id: expected string, found integer"),
    ({"related": [{"id": "J"}]}, "body.related[0]: type is missing"),
    ({"related": [{"id": "J", "type": "job", "jnid": "J"}]}, "body.related[0]: a request has no field 'jnid'"),
    ({"owners": [{"id": "O", "name": "N"}]}, "body.owners[0]: a request has no field 'name'"),
]


@pytest.mark.parametrize(("fields", "words"), INVOICE_MISTAKES)
def test_an_invoice_with_what_is_not_documented_is_refused(sandbox, fields, words):
    before = sandbox.invoice()
    for answer in (put_invoice(sandbox, **fields), sandbox.jobnimbus("POST", json={**POSTED, **fields})):
        assert (answer.status_code, answer.json()["status"]) == (400, 400)
        assert answer.json()["body"].startswith(words)
    assert (sandbox.invoice(), sandbox.page()["count"]) == (before, 3)


@pytest.mark.parametrize("constant", ["type", "is_active", "status", "related", "items"])
def test_a_creation_without_a_required_constant_is_refused(sandbox, constant):
    answer = sandbox.jobnimbus("POST", json={name: value for name, value in POSTED.items() if name != constant})
    assert (answer.status_code, answer.json()["body"]) == (400, f"body: {constant} is missing")


def test_null_is_accepted_for_fields_that_the_pages_samples_show_as_null_or_leave_out(sandbox):
    nulls = dict.fromkeys(("nrbExternalId", "nrbName", "nrbNotes", "nrbUpcharge", "nrbVendorTax", "nrbPONumber"))
    assert posted_nrb(sandbox, **nulls).json()["numberOfEntitiesEdited"] == 1
    assert sandbox.nrb(NRB)["nrbUpcharge"] is None


def test_the_vendors_tax_may_be_text_as_in_the_pages_own_sample(sandbox):
    assert posted_nrb(sandbox, nrbVendorTax="40.5").status_code == 200
    assert sandbox.nrb(NRB)["nrbVendorTax"] == "40.500"


def test_lenient_reads_numbers_from_text_and_ignores_unknown_fields_at_every_depth(make_sandbox):
    sandbox = make_sandbox(bodies="lenient")
    child = {"nrbGuid": "00000000-0000-4000-8000-000000000002", "nrbRate": "80", "color": "red"}
    sent = [{"nrbGuid": NRB, "nrbRate": "100.5", "color": "red"}, {"nrbGuid": PARENT, "nrbChildren": [child]}]
    assert sandbox.save(*sent)["numberOfEntitiesEdited"] == 2
    assert (sandbox.nrb(NRB)["nrbRate"], sandbox.nrb(child["nrbGuid"])["nrbRate"]) == ("100.500", "80.000")
    item = {"price": "5.25", "quantity": "2", "color": None, "labor": {"price": "3", "hours": 2}, "prize": 1}
    assert put_invoice(sandbox, items=[item], totals=5).status_code == 200
    (stored,) = sandbox.invoice()["items"]
    assert (stored["amount"], stored["labor"]["price"]) == (10.5, 3)
    assert not {"prize", "totals"} & {*stored, *stored["labor"], *sandbox.invoice()}


@pytest.mark.parametrize("fields", [{"is_active": "false"}, {"status": "4"}, {"items": [{"price": "1,000.00"}]}])
def test_lenient_also_refuses_what_cannot_be_read(make_sandbox, fields):
    assert put_invoice(make_sandbox(bodies="lenient"), **fields).status_code == 400
