"""The vendors' own samples are accepted, on an empty account and on a filled one."""

from decimal import Decimal

import pytest

from . import bodies, samples
from .conftest import LIST, SAVE, Sandbox

EMPTY = {"nrbs": [], "invoices": []}
OTHERS = {"nrbs": [bodies.nrb("other", nrbOriginReference="AP-INV-9")], "invoices": [bodies.invoice("OTHER")]}
ACCOUNTS = pytest.mark.parametrize("records", [EMPTY, OTHERS], ids=["empty", "filled"])
BODIES = pytest.mark.parametrize("mode", ["strict", "lenient"])
# Fields in which the answer to one sample request cannot equal the page's sample of an answer.
DIFFERENT = {"nrbGuid", "nrbFileName", "nrbLineItems", "nrbInvoiceDate"}
DIFFERENT |= {"nrbCreatedAt", "nrbUpdatedAt", "nrbCreatedByUserName", "nrbCreatedByFullName"}


def post_nrbs(sandbox: Sandbox) -> dict:
    answer = sandbox.aimsio("POST", SAVE, data=samples.text("nrb_post"), headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def send_invoice(sandbox: Sandbox, method: str, sample: str, path: str = "") -> None:
    headers = {"Authorization": "bearer demo-token", "Content-Type": "application/json"}
    answer = sandbox.jobnimbus(method, path, data=samples.text(sample), headers=headers)
    assert (answer.status_code, answer.content) == (200, b""), answer.text


def invoice(sandbox: Sandbox, jnid: str) -> dict:
    return sandbox.jobnimbus("GET", f"/{jnid}").json(parse_float=Decimal)


def created(sandbox: Sandbox) -> str:
    """The jnid of the sample's invoice, after it was posted."""
    send_invoice(sandbox, "POST", "invoice_post")
    (jnid,) = (row["jnid"] for row in sandbox.page()["results"] if row["number"] == "1047-795")
    return jnid


def assert_holds(found: dict, sent: dict) -> None:
    """Every field that was sent, except those that JobNimbus computes or does not keep, is in the answer."""
    dropped = {"date_updated", "dummy_status_name", "dummy_origin", "related", "items", "date_created"}
    assert {name: found[name] for name in sent.keys() - dropped} == {name: sent[name] for name in sent.keys() - dropped}
    assert [(each["id"], each["type"]) for each in found["related"]] == [
        (each["id"], each["type"]) for each in sent["related"]
    ]
    for item, sent_item in zip(found["items"], sent["items"], strict=True):
        assert item.items() >= (sent_item.items() - {("jnid", sent_item["jnid"])})


@ACCOUNTS
@BODIES
def test_the_nrb_sample_creates_the_nrb_of_the_page_and_edits_it_if_sent_again(make_sandbox, records, mode):
    sandbox = make_sandbox(**records, bodies=mode, invoice_date_time="rewritten")
    assert post_nrbs(sandbox)["numberOfEntitiesCreated"] == 1
    guid = sandbox.aimsio("GET", LIST).json()[-1]["guid"]
    found, page = sandbox.nrb(guid), samples.body("nrb_get")
    assert {name: found[name] for name in page.keys() - DIFFERENT} == {
        name: page[name] for name in page.keys() - DIFFERENT
    }
    again, page = post_nrbs(sandbox), samples.body("import_result")
    assert again | {"guid": "", "updatedAt": 0} == page | {"guid": "", "updatedAt": 0}


@ACCOUNTS
@BODIES
def test_the_invoice_samples_create_update_and_delete_an_invoice(make_sandbox, records, mode):
    sandbox = make_sandbox(**records, bodies=mode)
    jnid = created(sandbox)
    assert_holds(invoice(sandbox, jnid), samples.body("invoice_post"))
    assert invoice(sandbox, jnid)["total"] == Decimal("16392.47")
    send_invoice(sandbox, "PUT", "invoice_put", f"/{jnid}")
    assert_holds(invoice(sandbox, jnid), samples.body("invoice_put"))
    assert invoice(sandbox, jnid)["total"] == 1400
    send_invoice(sandbox, "PUT", "invoice_delete", f"/{jnid}")
    assert_holds(invoice(sandbox, jnid), samples.body("invoice_put") | {"is_active": False})


@BODIES
def test_the_answer_of_a_get_may_be_sent_back_whole(make_sandbox, mode):
    page = samples.body("invoice_get")
    sandbox = make_sandbox(nrbs=[], invoices=[page], bodies=mode)
    assert invoice(sandbox, page["jnid"]) == page
    send_invoice(sandbox, "PUT", "invoice_get", f"/{page['jnid']}")
    after = invoice(sandbox, page["jnid"])
    assert after.pop("date_updated") > page.pop("date_updated")
    assert after == page


def test_the_list_answers_the_page_sample(make_sandbox):
    page = samples.body("invoice_page")
    sandbox = make_sandbox(nrbs=[], invoices=page["results"], list_rows="full")
    assert sandbox.jobnimbus("GET").json(parse_float=Decimal) == {**page, "count": 1}
