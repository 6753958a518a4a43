import contextlib
import gzip
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from auditkit.errors import BadAnswer, Denied, NotThere, SettingsError, TimedOut, ValueRefused
from auditkit.vendors.aimsio import MAX_LIST_BYTES, AimsioClient, Stub
from auditkit.vendors.responses import MAX_BODY_BYTES

from .server import Reply

LIST = "/rest/api/standard/v1/NonRecurringBillableItem"
GUID = "3f06d188-45ee-4ee0-83c3-85445748b649"
ROW = {"dtype": "NonrecurringBillableItem", "guid": GUID, "updatedAt": 1747851986000}
STUB = Stub(GUID, 1747851986000, "NonrecurringBillableItem")
RESULT = {
    "dtype": "IntegrationImportResult",
    "id": 0,
    "numberOfEntitiesCreated": 0,
    "numberOfEntitiesEdited": 1,
    "numberOfEntitiesEditedWithErrors": 0,
    "numberOfEntitiesNotImportedDueToErrors": 0,
    "notices": [],
    "numberOfEntitiesImported": 1,
}


@pytest.fixture
def client(settings):
    with_client = AimsioClient.from_settings(settings())
    yield with_client
    with_client.close()


def nrb(**fields):
    return {"nrbGuid": GUID, "nrbUpdatedAt": 1747851986000, "nrbRate": "750.000", **fields}


# ---- list ------------------------------------------------------------------------------------------------------


def test_the_list_on_the_wire(vendor, settings):
    vendor.answers(Reply([]))
    AimsioClient.from_settings(settings(aimsio_url=f"{vendor.url}/prefix")).stubs()
    [seen] = vendor.seen
    assert (seen.method, seen.target, seen.body) == ("GET", "/prefix" + LIST, b"")
    assert seen.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("body", "stubs"),
    [
        ([], []),
        ({"value": []}, []),
        ([ROW, ROW], [STUB, STUB]),
        ({"value": [ROW]}, [STUB]),
        ([{"id": GUID, "updatedAt": 1747851986000}], [Stub(GUID, 1747851986000, None)]),
        ([{**ROW, "id": 7, "more": {}}], [STUB]),
        ([{**ROW, "guid": "000123"}], [Stub("000123", 1747851986000, STUB.dtype)]),
    ],
)
def test_the_list_has_one_of_two_shapes(vendor, client, body, stubs):
    vendor.answers(Reply(body))
    assert client.stubs() == stubs


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, "an object with nothing"),
        ({"value": None}, "an object with value"),
        ({"value": {}}, "an object with value"),
        ({"value": [], "nextLink": "x"}, "an object with nextLink, value"),
        ({"results": [ROW]}, "an object with results"),
        ("null", "null"),
        ('"ok"', "str"),
        ([[]], "row 0: expected an object, found list"),
    ],
)
def test_any_other_shape_is_an_error_never_an_empty_list(vendor, client, body, found):
    vendor.answers(Reply(body))
    with pytest.raises(BadAnswer, match=f"^Aimsio: GET {LIST}: ") as refused:
        client.stubs()
    assert found in str(refused.value)


@pytest.mark.parametrize(
    ("row", "stub"),
    [
        ({}, Stub(None, None, None)),
        ({**ROW, "guid": None}, replace(STUB, guid=None)),
        ({**ROW, "guid": ""}, replace(STUB, guid=None)),
        ({**ROW, "guid": 7}, replace(STUB, guid=None)),
        ({**ROW, "guid": "half \ud800"}, replace(STUB, guid=None)),
        ({"guid": GUID}, Stub(GUID, None, None)),
        ({**ROW, "updatedAt": "1747851986000"}, replace(STUB, updated_at=None)),
        ({**ROW, "updatedAt": True}, replace(STUB, updated_at=None)),
        ({**ROW, "updatedAt": 1747851986}, replace(STUB, updated_at=None)),
        ({**ROW, "dtype": 1}, replace(STUB, dtype=None)),
    ],
)
def test_an_unusable_value_in_a_row_is_none(vendor, client, row, stub):
    vendor.answers(Reply([ROW, row]))
    assert client.stubs() == [STUB, stub]


def test_a_list_may_be_longer_than_other_answers(vendor, client):
    rows = json.dumps([ROW])
    vendor.answers(Reply(rows[:-1] + " " * MAX_BODY_BYTES + "]"))
    assert client.stubs() == [STUB]
    filling = gzip.compress(b"[" + b" " * MAX_LIST_BYTES + b"]", 1)
    vendor.answers(Reply(filling, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(BadAnswer, match="at most 256 MiB"):
        client.stubs()


def test_an_invalid_list_is_not_cached(vendor, settings):
    vendor.answers(Reply([ROW]), Reply({}))
    with contextlib.closing(AimsioClient.from_settings(settings())) as client:
        client.stubs()
        with pytest.raises(BadAnswer):
            client.stubs()
    with contextlib.closing(AimsioClient.from_settings(settings(), offline=True)) as client:
        assert client.stubs() == [STUB]


# ---- one NRB ---------------------------------------------------------------------------------------------------


def test_one_nrb_on_the_wire_and_its_exact_text(vendor, client):
    text = '{ "nrbGuid":"a/b c?",  "nrbRate": 750.10 }'
    vendor.answers(Reply(text))
    assert client.nrb("a/b c?") == text
    assert vendor.targets() == [f"{LIST}/a%2Fb%20c%3F"]


@pytest.mark.parametrize("guid", ["", ".", ".."])
def test_an_identifier_cannot_name_another_address(vendor, client, guid):
    with pytest.raises(ValueRefused, match="nrbGuid"):
        client.nrb(guid)
    assert vendor.seen == []


@pytest.mark.parametrize("body", [{"nrbGuid": "other"}, {}, [], "null", '"ok"', {"value": [nrb()]}])
def test_another_record_is_a_bad_answer_and_is_not_cached(vendor, client, body):
    vendor.answers(Reply(body), Reply(nrb()))
    with pytest.raises(BadAnswer, match=f"{GUID}: expected an NRB with this nrbGuid"):
        client.nrb(GUID, version="1747851986000")
    assert json.loads(client.nrb(GUID, version="1747851986000")) == nrb()


def test_an_unchanged_nrb_costs_no_call(vendor, client):
    vendor.answers(Reply(nrb()))
    assert client.nrb(GUID, version="1747851986000") == client.nrb(GUID, version="1747851986000")
    assert (client.calls.made, client.calls.cache_hits) == (1, 1)
    client.nrb(GUID, version="1747851986001")
    client.nrb(GUID)
    assert client.calls.made == 3


def test_an_answer_from_a_replica_that_lags_is_not_cached(vendor, client):
    vendor.answers(Reply(nrb(nrbUpdatedAt=1747851985999)), Reply(nrb()))
    stale, fresh = (json.loads(client.nrb(GUID, version="1747851986000")) for _ in range(2))
    assert (stale["nrbUpdatedAt"], fresh["nrbUpdatedAt"]) == (1747851985999, 1747851986000)


@pytest.mark.parametrize(("status", "error"), [(404, NotThere), (401, Denied)])
def test_not_there_and_denied(vendor, client, status, error):
    vendor.answers(Reply(status=status))
    with pytest.raises(error, match=GUID):
        client.nrb(GUID)


def test_accounts_never_share_an_entry(vendor, settings):
    vendor.answers(Reply(nrb(nrbName="first")), Reply(nrb(nrbName="second")), Reply(nrb(nrbName="third")))
    names = []
    for changes in ({}, {"aimsio_username": "other"}, {"aimsio_url": f"{vendor.url}/live"}, {}):
        client = AimsioClient.from_settings(settings(**changes))
        names.append(json.loads(client.nrb(GUID, version="1747851986000"))["nrbName"])
        client.close()
    assert names == ["first", "second", "third", "first"]


# ---- create or edit --------------------------------------------------------------------------------------------


def test_a_save_on_the_wire(vendor, client):
    vendor.answers(Reply(RESULT))
    body = {"nrbGuid": GUID, "nrbRate": "750.000", "nrbQuantity": 1, "nrbVendorTax": Decimal("37.50"), "nrbNotes": None}
    result = client.save_nrb({**body, "nrbIsBillable": True, "nrbInvoiceDate": 1743528967000})
    [seen] = vendor.seen
    assert (seen.method, seen.target) == ("POST", "/rest/api/standard/v1/NRB")
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["authorization"].startswith("Basic ")
    assert seen.body.decode() == (
        '{"nrbList":[{"nrbGuid":"' + GUID + '","nrbRate":750.000,"nrbQuantity":1,"nrbVendorTax":37.50,'
        '"nrbNotes":null,"nrbIsBillable":true,"nrbInvoiceDate":1743528967000}]}'
    )
    assert result.is_clean_edit
    assert not result.is_clean_create


@pytest.mark.parametrize(
    ("changes", "is_edit", "is_create"),
    [
        ({}, True, False),
        ({"notices": None, "extra": "x"}, True, False),
        ({"numberOfEntitiesCreated": 1, "numberOfEntitiesEdited": 0}, False, True),
        ({"numberOfEntitiesCreated": 1}, False, False),
        ({"numberOfEntitiesEdited": 0}, False, False),
        ({"numberOfEntitiesEdited": 2}, False, False),
        ({"numberOfEntitiesEditedWithErrors": 1}, False, False),
        ({"numberOfEntitiesNotImportedDueToErrors": 1}, False, False),
        ({"notices": [{"any": "shape"}]}, False, False),
    ],
)
def test_success_depends_on_the_counts_not_on_status_200(vendor, client, changes, is_edit, is_create):
    vendor.answers(Reply({**RESULT, **changes}))
    result = client.save_nrb({"nrbGuid": GUID})
    assert (result.is_clean_edit, result.is_clean_create) == (is_edit, is_create)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        {key: value for key, value in RESULT.items() if key != "numberOfEntitiesEdited"},
        {**RESULT, "numberOfEntitiesEdited": "1"},
        {**RESULT, "numberOfEntitiesEdited": True},
        {**RESULT, "numberOfEntitiesEdited": -1},
        {**RESULT, "numberOfEntitiesEdited": 1.0},
        {**RESULT, "notices": "none"},
    ],
)
def test_a_result_without_valid_counts_is_a_bad_answer(vendor, client, body):
    vendor.answers(Reply(body))
    with pytest.raises(BadAnswer, match=r"^Aimsio: POST /rest/api/standard/v1/NRB: "):
        client.save_nrb({"nrbGuid": GUID})
    assert len(vendor.seen) == 1


def test_a_write_that_times_out_is_not_sent_again(vendor, reader, writer):
    vendor.answers(Reply(RESULT, delay=9.0))
    with pytest.raises(TimedOut):
        AimsioClient(reader, writer).save_nrb({"nrbGuid": GUID})
    assert len(vendor.seen) == 1


def test_settings_without_an_account_raise_an_error(settings):
    with pytest.raises(SettingsError, match="AUDITKIT_AIMSIO_URL"):
        AimsioClient.from_settings(settings().model_copy(update={"aimsio_password": None}))
