"""The field tables: one row per field, from which columns, reading, refusals and the manual follow."""

import dataclasses
import re

import pytest

from auditkit import fields
from auditkit.fields import INVOICE, NRB, RECORDS, Access, Field, Kind, Matters
from auditkit.vendors import bodies
from auditkit.warehouse import records, schema
from docs.generator.tables import page
from tests import world
from tests.world import nrb, typed, workbench

VENDOR_PAGE_NRB = """
    nrbGuid nrbExternalId nrbOriginReference nrbJobOrderNumber nrbWBSGuid nrbWBSSharedIdentifier nrbPONumber
    nrbPurchaseOrderGuid nrbPurchaseOrderCostItemOriginReference nrbInvoiceNumber nrbInvoiceDate nrbName
    nrbTypeUname nrbTypeName nrbDocumentType nrbAccountType nrbIsBillable nrbVendorGuid nrbVendorCode nrbRate
    nrbQuantity nrbVendorTax nrbUpcharge nrbMarkupAppliesOn nrbTotalAfterMarkup nrbIsExported isInternal
    nrbShouldReconcileWithPO nrbBilledInGuid nrbBilledInName nrbFileName nrbNotes nrbCreatedAt nrbCreatedByUserName
    nrbCreatedByFullName nrbUpdatedAt nrbLineItems nrbParentGuid nrbParentExternalId nrbChildren
"""
VENDOR_PAGE_INVOICE = """
    attachment_id cost created_by created_by_name customer date_created date_due date_invoice date_paid_in_full
    date_status_change date_updated due esigned external_id guid is_active is_archived items jnid location margin
    number owners payments recid related sales_rep sales_rep_name status status_name subtotal tax template_id total
    total_paid type
"""


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.table)
def test_a_record_names_each_field_and_each_column_once(record):
    wires, columns = [each.wire for each in record.fields], [column.name for column in record.columns]
    assert len(set(wires)) == len(wires)
    assert len(set(columns)) == len(columns)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in columns)


def test_every_field_of_the_vendors_pages_is_a_row():
    assert set(VENDOR_PAGE_NRB.split()) | {"nrbFileMimeType", "nrbFileBase64Content"} == NRB.names
    samples = {
        "class_id",
        "class_name",
        "duplicate_from_id",
        "merged",
        "supplier",
        "version",
        "sections",
        "terms",
        "note",
    }
    samples |= {"internal_note", "first_payment_date", "dummy_origin", "dummy_status_name"}
    assert set(VENDOR_PAGE_INVOICE.split()) | samples == INVOICE.names


def test_what_aimsios_page_marks_required_and_read_only():
    assert NRB.required == (
        "nrbExternalId",
        "nrbJobOrderNumber",
        "nrbName",
        "nrbTypeName",
        "nrbAccountType",
        "nrbIsBillable",
        "nrbVendorCode",
        "nrbRate",
        "nrbQuantity",
    )
    assert set(INVOICE.required) == {"type", "status", "is_active", "items", "related"}
    assert {"nrbTotalAfterMarkup", "nrbBilledInName", "nrbLineItems"} < NRB.read_only


def test_each_record_has_one_identity_and_its_money_matters():
    assert [each.wire for each in NRB.fields if each.matters is Matters.IDENTITY] == ["nrbGuid"]
    assert [each.wire for each in INVOICE.fields if each.matters is Matters.IDENTITY] == ["jnid"]
    money = {each.wire for record in RECORDS for each in record.fields if each.kind is Kind.MONEY and not each.matters}
    assert money == {"cost"}


def test_a_new_field_is_one_row(monkeypatch):
    """Its column, comment and page, how it is read, what cannot be read, that it is known, and that it may be sent."""
    color = Field("nrbColor", Kind.QUANTITY, Access.WRITABLE, "color", "in shades of gray", matters=Matters.DECISION)
    wider = dataclasses.replace(NRB, rows=(*NRB.rows, color))
    monkeypatch.setattr(records, "RECORDS", (wider, *RECORDS[1:]))
    monkeypatch.setattr(records, "_READ", (wider, *records._READ[1:]))
    for name in ("_stamp", "_expected"):
        monkeypatch.setattr(schema, name, getattr(schema, name).__wrapped__)  # not those of the schema before
    monkeypatch.setattr(world, "schema_file", world.schema_file.__wrapped__)
    with workbench() as bench:
        typed(bench, [nrb("a", nrbColor="0.5"), nrb("b", nrbColor="gray"), nrb("c", nrbColor="1e2"), nrb("d")])
        colors = bench.query("select color from nrb order by guid").column()
        assert [color and str(color) for color in colors] == ["0.500000", None, "100.000000", None]
        assert bench.query("select field, column_name, reason, matters from unreadable_field").rows == [
            ("nrbColor", "color", 'expected a number such as 862.50, found "gray"', "decision")
        ]
        assert bench.query("select field, form from lenient_reading").rows == [("nrbColor", "an exponent")]
    assert "| `color` | decimal(24,6) | nrbColor: in shades of gray |" in page(schema.outline())
    model = bodies._model("Wider", wider)
    assert model.model_validate({"nrbColor": "0.5"})
    assert "nrbColor" in wider.names - wider.read_only


def test_every_kind_has_a_type_and_is_read():
    typed_kinds = set(Kind) - {Kind.LIST, Kind.OBJECT}
    assert set(fields.SQL_TYPES) == typed_kinds
    assert set(bodies._TYPES) == set(Kind)
