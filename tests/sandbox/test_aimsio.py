"""Aimsio over HTTP: each operation, each switch, and what an import counts."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from auditkit.sandbox.clock import fixed_clock, milliseconds

from .bodies import CHILD, NRB, PARENT, UPDATED_MS, nrb
from .conftest import LIST

NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
NEW = {
    "nrbExternalId": "NEW-1",
    "nrbJobOrderNumber": "JOB20250514",
    "nrbTypeName": "Other",
    "nrbAccountType": "Billable",
    "nrbIsBillable": True,
    "nrbVendorCode": "BIT",
    "nrbQuantity": 1,
    "nrbRate": 750,
}


def counts(result):
    return tuple(
        result[f"numberOfEntities{name}"]
        for name in ("Created", "Edited", "EditedWithErrors", "NotImportedDueToErrors", "Imported")
    )


def errors(result):
    return [(item["position"], item["field"]) for item in result["notices"] if item["level"] == "ERROR"]


def stub(guid, key="guid"):
    return {"dtype": "NonrecurringBillableItem", key: guid, "updatedAt": UPDATED_MS}


@pytest.mark.parametrize("key", ["guid", "id"])
def test_the_list_is_an_array_of_stubs(make_sandbox, key):
    rows = make_sandbox(stub_key=key).aimsio("GET", LIST).json()
    assert rows == [stub(NRB, key), stub(PARENT, key), stub(CHILD, key)]


def test_the_list_may_be_an_object_that_holds_the_array(make_sandbox):
    answer = make_sandbox(list_shape="value").aimsio("GET", LIST)
    assert answer.json() == {"value": [stub(NRB), stub(PARENT), stub(CHILD)]}
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(("shape", "text"), [("array", "[]"), ("value", '{"value":[]}')])
def test_an_empty_list_keeps_its_shape(make_sandbox, shape, text):
    assert make_sandbox(list_shape=shape, nrbs=[]).aimsio("GET", LIST).text == text


def test_a_long_list_is_complete(make_sandbox):
    sandbox = make_sandbox(nrbs=(nrb(f"g{number}") for number in range(10_001)))
    assert [row["guid"] for row in sandbox.aimsio("GET", LIST).json()] == [f"g{number}" for number in range(10_001)]


def test_one_nrb_equals_the_vendors_sample(sandbox):
    assert sandbox.nrb(NRB) == nrb()


def test_numbers_may_be_json_numbers(make_sandbox):
    odd = nrb("odd", nrbRate="1,000.00", nrbVendorTax=None)
    sandbox = make_sandbox(numbers="numbers", nrbs=[nrb(), odd, nrb("parent", nrbChildren=[nrb("child")])])
    body = sandbox.aimsio("GET", f"{LIST}/{NRB}").json(parse_float=Decimal)
    assert (body["nrbRate"], body["nrbTotalAfterMarkup"]) == (Decimal("750.000"), Decimal("862.50"))
    assert sandbox.nrb("parent")["nrbChildren"][0]["nrbQuantity"] == 1
    assert (sandbox.nrb("odd")["nrbRate"], sandbox.nrb("odd")["nrbVendorTax"]) == ("1,000.00", None)


def test_the_documented_post_edits_by_origin_reference(make_sandbox):
    result = make_sandbox(clock=fixed_clock(NOW)).save({"nrbOriginReference": "AP-INV-123", "nrbNotes": "new"})
    assert result.pop("guid")
    assert result == {
        "dtype": "IntegrationImportResult",
        "id": 0,
        "importConfiguration": None,
        "numberOfEntitiesCreated": 0,
        "numberOfEntitiesEdited": 1,
        "numberOfEntitiesEditedWithErrors": 0,
        "numberOfEntitiesNotImportedDueToErrors": 0,
        "extra": None,
        "notices": [],
        "updatedAt": milliseconds(NOW),
        "importResultType": None,
        "numberOfEntitiesImported": 1,
    }


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"nrbGuid": NRB}, (0, 1, 0, 0, 1)),
        ({"nrbExternalId": "NRB-2"}, (0, 1, 0, 0, 1)),
        ({"nrbOriginReference": "AP-INV-123"}, (0, 1, 0, 0, 1)),
        ({"nrbGuid": NRB, "nrbExternalId": "NRB-2"}, (0, 1, 0, 0, 1)),
        ({"nrbGuid": None, "nrbExternalId": "NRB-2"}, (0, 1, 0, 0, 1)),
        ({"nrbGuid": "unknown"}, (0, 0, 0, 1, 0)),
        ({"nrbOriginReference": "TWICE"}, (0, 0, 0, 1, 0)),
        ({}, (0, 0, 0, 1, 0)),
    ],
)
def test_an_edit_finds_its_nrb_by_its_first_key(sandbox, keys, expected):
    assert counts(sandbox.save(keys)) == expected


def test_a_creation_completes_the_record_and_computes_its_total(make_sandbox):
    sandbox = make_sandbox(clock=fixed_clock(NOW))
    taxed = {"nrbVendorTax": "37.5", "nrbUpcharge": 10, "nrbMarkupAppliesOn": "SUB_TOTAL"}
    named = {"nrbWBSSharedIdentifier": "JOB20250514-01.01", "nrbNotes": "é\u0000"}
    assert counts(sandbox.save({**NEW, **taxed, **named})) == (1, 0, 0, 0, 1)
    guid = sandbox.aimsio("GET", LIST).json()[-1]["guid"]
    body = sandbox.nrb(guid)
    assert set(nrb()) <= set(body)
    assert body == body | {
        "nrbRate": "750.000",
        "nrbQuantity": "1.000",
        "nrbVendorTax": "37.500",
        "nrbUpcharge": "10.000",
        "nrbTotalAfterMarkup": "862.50",
        "nrbVendorGuid": "d74e8cbb-c7ce-43d9-be2d-c65f0ce0af49",
        "nrbWBSGuid": "b0dd1584-c59a-4a10-a64e-638177a54edc",
        "nrbTypeUname": "other_nrb_type",
        "nrbNotes": "é\u0000",
        "nrbCreatedAt": milliseconds(NOW),
        "nrbUpdatedAt": milliseconds(NOW),
        "nrbCreatedByUserName": "demo",
        "nrbParentGuid": None,
    }
    assert counts(sandbox.save(NEW)) == (0, 1, 0, 0, 1), "the same again is an edit"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"nrbExternalId": None}, None),
        ({"nrbJobOrderNumber": None}, "nrbJobOrderNumber"),
        ({"nrbJobOrderNumber": "JOB0"}, "nrbJobOrderNumber"),
        ({"nrbVendorCode": None}, "nrbVendorCode"),
        ({"nrbVendorCode": "NOBODY"}, "nrbVendorCode"),
        ({"nrbTypeName": None}, "nrbTypeName"),
        ({"nrbTypeName": "Strange"}, "nrbTypeName"),
        ({"nrbAccountType": None}, "nrbAccountType"),
        ({"nrbIsBillable": None}, "nrbIsBillable"),
        ({"nrbRate": None}, "nrbRate"),
        ({"nrbQuantity": None}, "nrbQuantity"),
        ({"nrbWBSSharedIdentifier": "JOB2-01.01"}, "nrbWBSSharedIdentifier"),
        ({"nrbShouldReconcileWithPO": True}, "nrbShouldReconcileWithPO"),
        ({"nrbChildren": [NEW]}, "nrbChildren"),
    ],
)
def test_a_creation_with_a_missing_or_unknown_value_is_not_imported(sandbox, change, field):
    result = sandbox.save({**NEW, **change})
    assert (counts(result), errors(result)) == ((0, 0, 0, 1, 0), [(0, field)])
    assert len(sandbox.aimsio("GET", LIST).json()) == 3


def test_a_type_may_be_given_by_its_uname(sandbox):
    assert counts(sandbox.save({**NEW, "nrbTypeName": None, "nrbTypeUname": "other_nrb_type"})) == (1, 0, 0, 0, 1)
    by_uname = {name: value for name, value in NEW.items() if name != "nrbTypeName"} | {"nrbExternalId": "NEW-2"}
    assert counts(sandbox.save({**by_uname, "nrbTypeUname": "other_nrb_type"})) == (1, 0, 0, 0, 1)
    assert sandbox.nrb(sandbox.aimsio("GET", LIST).json()[-1]["guid"])["nrbTypeName"] == "Other"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nrbJobOrderNumber", "JOB0"),
        ("nrbVendorCode", "NOBODY"),
        ("nrbTypeName", "Strange"),
        ("nrbWBSSharedIdentifier", "JOB2-01.01"),
        ("nrbShouldReconcileWithPO", True),
    ],
)
def test_an_invalid_field_of_an_edit_keeps_its_value_and_the_rest_is_applied(sandbox, field, value):
    result = sandbox.save({"nrbGuid": NRB, field: value, "nrbNotes": "applied"})
    after = sandbox.nrb(NRB)
    assert (counts(result), errors(result)[0]) == ((0, 0, 1, 0, 1), (0, field))
    assert (after.get(field), after["nrbNotes"]) == (nrb().get(field), "applied")


def test_lenient_ignores_read_only_fields_with_a_notice_and_unknown_ones_without(make_sandbox):
    sandbox = make_sandbox(bodies="lenient")
    sent = {"nrbGuid": NRB, "nrbTotalAfterMarkup": "1.00", "nrbBilledInName": "INV-1", "color": "red"}
    result = sandbox.save(sent)
    assert [(item["level"], item["field"]) for item in result["notices"]] == [
        ("WARNING", "nrbTotalAfterMarkup"),
        ("WARNING", "nrbBilledInName"),
    ]
    assert counts(result) == (0, 1, 0, 0, 1)
    assert sandbox.nrb(NRB) == nrb(nrbUpdatedAt=sandbox.nrb(NRB)["nrbUpdatedAt"])


@pytest.mark.parametrize(
    ("change", "total"),
    [
        ({"nrbMarkupAppliesOn": "SUB_TOTAL"}, "862.50"),
        ({"nrbMarkupAppliesOn": None}, "862.50"),
        ({"nrbMarkupAppliesOn": "SUB_TOTAL_AND_VENDOR_TAX"}, "866.25"),
        ({"nrbRate": 0.005, "nrbUpcharge": None, "nrbVendorTax": None}, "0.01"),
        ({"nrbRate": -0.005, "nrbUpcharge": None, "nrbVendorTax": None}, "-0.01"),
        ({"nrbRate": 33.335, "nrbQuantity": 1.5, "nrbUpcharge": 12.5, "nrbVendorTax": 0}, "56.25"),
        ({"nrbRate": None}, "862.50"),
    ],
)
def test_the_total_is_computed_half_up_to_the_cent(sandbox, change, total):
    sandbox.save({"nrbGuid": NRB, **change})
    assert sandbox.nrb(NRB)["nrbTotalAfterMarkup"] == total


def test_the_entries_of_a_list_are_counted_one_by_one(sandbox):
    result = sandbox.save({"nrbGuid": NRB}, NEW, {"nrbGuid": "unknown"}, {"nrbGuid": NRB, "nrbVendorCode": "NOBODY"})
    assert counts(result) == (1, 1, 1, 1, 3)
    assert errors(result) == [(2, "nrbGuid"), (3, "nrbVendorCode")]


@pytest.mark.parametrize(
    ("absent", "sent", "expected", "notes"),
    [
        ("kept", {}, (0, 1, 0, 0, 1), "Purchased field software"),
        ("nulled", {}, (0, 1, 0, 0, 1), None),
        ("nulled", {"nrbNotes": "said"}, (0, 1, 0, 0, 1), "said"),
        ("refused", {}, (0, 0, 0, 1, 0), "Purchased field software"),
        ("refused", {**NEW, "nrbNotes": "said"}, (0, 1, 0, 0, 1), "said"),
    ],
)
def test_what_an_edit_does_to_absent_fields_is_a_switch(make_sandbox, absent, sent, expected, notes):
    sandbox = make_sandbox(absent=absent)
    assert counts(sandbox.save({"nrbGuid": NRB, **sent})) == expected
    assert sandbox.nrb(NRB)["nrbNotes"] == notes


@pytest.mark.parametrize(("switch", "read_back"), [("kept", 1_743_528_967_000), ("rewritten", 1_743_503_400_000)])
def test_the_time_of_day_of_the_invoice_date_may_be_rewritten_as_in_the_sample(make_sandbox, switch, read_back):
    sandbox = make_sandbox(invoice_date_time=switch)
    sandbox.save({"nrbGuid": NRB, "nrbInvoiceDate": 1_743_528_967_000})
    assert sandbox.nrb(NRB)["nrbInvoiceDate"] == read_back


def test_a_write_moves_updated_at_forward_even_if_the_clock_is_stopped(make_sandbox):
    sandbox = make_sandbox(clock=fixed_clock(datetime(2020, 1, 1, tzinfo=UTC)))
    for step in (1, 2):
        sandbox.save({"nrbGuid": NRB, "nrbNotes": f"note {step}"})
        assert sandbox.nrb(NRB)["nrbUpdatedAt"] == UPDATED_MS + step
    assert sandbox.aimsio("GET", LIST).json()[0]["updatedAt"] == UPDATED_MS + 2


def test_a_parent_holds_its_child_as_it_is_now(sandbox):
    sandbox.save({"nrbGuid": CHILD, "nrbRate": 100})
    child, parent = sandbox.nrb(CHILD), sandbox.nrb(PARENT)
    assert parent["nrbChildren"] == [child]
    assert child["nrbTotalAfterMarkup"] == "147.50"
    assert parent["nrbUpdatedAt"] > UPDATED_MS


def test_children_are_created_and_edited_through_their_parent(sandbox):
    new = {**NEW, "nrbDocumentType": "RECEIPT_BOL"}
    result = sandbox.save({"nrbGuid": PARENT, "nrbChildren": [{"nrbGuid": CHILD, "nrbNotes": "first"}, new]})
    assert counts(result) == (0, 1, 0, 0, 1)
    first, second = sandbox.nrb(PARENT)["nrbChildren"]
    assert (first["nrbNotes"], second["nrbParentGuid"], second["nrbParentExternalId"]) == ("first", PARENT, "NRB-1")
    assert sandbox.nrb(second["nrbGuid"]) == second


@pytest.mark.parametrize(
    "child", [{**NEW, "nrbDocumentType": "RECEIPT_AP_INVOICE"}, {"nrbGuid": NRB}, {**NEW, "nrbVendorCode": "NOBODY"}]
)
def test_a_parent_whose_child_cannot_be_imported_is_not_imported_either(sandbox, child):
    before = sandbox.nrb(PARENT)
    result = sandbox.save({"nrbGuid": PARENT, "nrbNotes": "lost", "nrbChildren": [child]}, {"nrbGuid": NRB})
    assert counts(result) == (0, 1, 0, 1, 1)
    assert sandbox.nrb(PARENT) == before
