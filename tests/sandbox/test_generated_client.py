"""The OpenAPI document alone is enough: a client made from it lists, creates and updates NRBs and invoices."""

import json
from collections.abc import Iterator

import pytest
from aiopenapi3 import OpenAPI
from aiopenapi3.errors import HTTPClientError

from .bodies import NRB
from .conftest import Sandbox

NEW_NRB = {
    "nrbExternalId": "NEW-1",
    "nrbJobOrderNumber": "JOB20250514",
    "nrbTypeName": "Other",
    "nrbAccountType": "Billable",
    "nrbIsBillable": True,
    "nrbVendorCode": "BIT",
    "nrbQuantity": 2,
    "nrbRate": 750.5,
}
NEW_INVOICE = {
    "type": "invoice",
    "is_active": True,
    "status": 1,
    "number": "NEW-1",
    "related": [{"id": "JOB_ID_1", "type": "job"}],
    "items": [{"name": "Services", "item_type": "material", "quantity": 2, "price": 750.5, "labor": {"price": 0}}],
}


class Client:
    """A client made from the document alone: names, types, server and kinds of credentials come from it."""

    def __init__(self, root: str) -> None:
        self.api = OpenAPI.load_sync(f"{root}/openapi.json")
        self.api.authenticate(basicAuth=("demo", "demo-password"), bearerAuth="demo-token")

    def call(self, name, body=None, **parameters):
        """The typed answer of an operation; a body is checked against the document before it is sent."""
        operation = getattr(self.api._, name)
        if body is None:
            return operation(parameters=parameters)
        checked = operation.data.get_type().model_validate(body)
        return operation(parameters=parameters, data=checked.model_dump(mode="json", exclude_unset=True))


@pytest.fixture(params=["strict", "lenient"])
def sandbox(request, make_sandbox) -> Sandbox:
    return make_sandbox(bodies=request.param, post_body="object", put_body="object")


@pytest.fixture
def client(sandbox, monkeypatch) -> Iterator[Client]:
    monkeypatch.setenv("NO_PROXY", "*")
    return Client(sandbox.address.root)


def test_an_nrb_is_created_read_and_updated(client):
    made = client.call("saveNrbs", {"nrbList": [NEW_NRB]})
    assert (made.numberOfEntitiesCreated, made.notices) == (1, [])
    guid = client.call("listNrbs")[-1].guid
    assert client.call("getNrb", nrbGuid=guid).nrbTotalAfterMarkup == "1501.00"
    edited = client.call("saveNrbs", {"nrbList": [{"nrbGuid": guid, "nrbIsExported": True, "nrbRate": 10}]})
    assert edited.numberOfEntitiesEdited == 1
    nrb = client.call("getNrb", nrbGuid=guid)
    assert (nrb.nrbIsExported, nrb.nrbRate, nrb.nrbQuantity, nrb.nrbVendorCode) == (True, "10.000", "2.000", "BIT")


@pytest.mark.parametrize("suffix", ["", "Unversioned"])
def test_an_invoice_is_created_found_and_updated(client, suffix):
    made = client.call(f"createInvoice{suffix}", NEW_INVOICE, actor="ann@example.com")
    assert (made.number, made.total, made.created_by, made.items[0].amount) == ("NEW-1", 1501, "ann@example.com", 1501)
    wanted = {"must": [{"term": {"number": "NEW-1"}}, {"range": {"date_created": {"gte": 1_700_000_000}}}]}
    page = client.call(f"listInvoices{suffix}", filter=json.dumps(wanted), size=5)
    assert [invoice.jnid for invoice in page.results] == [made.jnid]
    items = [{"name": "Services", "quantity": 1, "price": 10.25}]
    changed = client.call(f"updateInvoice{suffix}", {"items": items, "tax": 0.75}, jnid=made.jnid)
    assert (changed.total, changed.number) == (11, "NEW-1")
    client.call(f"updateInvoice{suffix}", {"is_active": False}, jnid=made.jnid)
    assert client.call(f"getInvoice{suffix}", jnid=made.jnid).is_active is False


def test_a_refusal_has_its_documented_body(client):
    with pytest.raises(HTTPClientError) as caught:
        client.call("getNrb", nrbGuid="unknown")
    assert (caught.value.status_code, caught.value.data.message) == (404, "no NRB has this guid")
    with pytest.raises(HTTPClientError) as caught:
        client.call("updateInvoice", {"note": "n"}, jnid="unknown")
    assert (caught.value.status_code, caught.value.data.body) == (404, "no invoice has this jnid")


def test_the_document_refuses_what_a_strict_server_refuses(make_sandbox, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    client = Client(make_sandbox(bodies="strict").address.root)
    for body in ({"nrbRates": 5}, {"nrbTotalAfterMarkup": 5}, {"nrbAccountType": "billable"}):
        with pytest.raises(ValueError, match="validation error"):
            client.call("saveNrbs", {"nrbList": [{"nrbGuid": NRB, **body}]})
    for change in ({"items": [{"prize": 1}]}, {"type": "estimate"}, {"related": [{"id": "J"}]}):
        with pytest.raises(ValueError, match="validation error"):
            client.call("createInvoice", {**NEW_INVOICE, **change})
