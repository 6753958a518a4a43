from decimal import Decimal

import pytest

from auditkit.errors import ValueRefused
from auditkit.vendors.bodies import (
    READ_ONLY_INVOICE_FIELDS,
    READ_ONLY_NRB_FIELDS,
    InvoiceChange,
    NewInvoice,
    NrbChange,
    checked,
)

NEW = {"type": "invoice", "status": 1, "is_active": True, "related": [], "items": []}


def nrb(**fields):
    return checked(fields, NrbChange, READ_ONLY_NRB_FIELDS, "Aimsio NRB")


def invoice(model=InvoiceChange, **fields):
    return checked(fields, model, READ_ONLY_INVOICE_FIELDS, "JobNimbus invoice")


@pytest.mark.parametrize("amount", ["750.000", 750, Decimal("750.10"), None])
def test_an_amount_keeps_its_form(amount):
    assert nrb(nrbRate=amount)["nrbRate"] is amount


@pytest.mark.parametrize("field", sorted(READ_ONLY_NRB_FIELDS))
def test_what_aimsio_computes_is_refused_by_name(field):
    with pytest.raises(ValueRefused, match=f"{field} cannot be written"):
        nrb(nrbGuid="a", **{field: None})
    with pytest.raises(ValueRefused, match=f"nrbChildren: {field} cannot be written"):
        nrb(nrbGuid="a", nrbChildren=[{"nrbName": "child", field: None}])


@pytest.mark.parametrize("field", sorted(READ_ONLY_INVOICE_FIELDS))
def test_what_jobnimbus_computes_is_refused_by_name(field):
    with pytest.raises(ValueRefused, match=f"{field} cannot be written"):
        invoice(**{field: 1})


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"nrbRate": 862.5}, "nrbRate"),
        ({"nrbRate": "1,000.00"}, "nrbRate"),
        ({"nrbQuantity": True}, "nrbQuantity"),
        ({"nrbIsBillable": "true"}, "nrbIsBillable"),
        ({"nrbIsBillable": 1}, "nrbIsBillable"),
        ({"nrbInvoiceDate": "1743528967000"}, "nrbInvoiceDate"),
        ({"nrbPONumber": 13624}, "nrbPONumber"),
        ({"nrbPoNumber": "PO-13624"}, "nrbPoNumber"),
        ({"nrbChildren": [{"nrbRate": 1.5}]}, "nrbChildren.0.nrbRate"),
        ({"nrbChildren": "none"}, "nrbChildren"),
    ],
)
def test_an_nrb_field_that_cannot_be_sent_is_named(fields, named):
    with pytest.raises(ValueRefused, match=f"^Aimsio NRB: {named}: ") as refused:
        nrb(**fields)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("missing", sorted(NEW))
def test_a_new_invoice_needs_what_the_page_requires(missing):
    with pytest.raises(ValueRefused, match=f"^JobNimbus invoice: {missing}: "):
        invoice(NewInvoice, **{name: value for name, value in NEW.items() if name != missing})
    assert invoice(NewInvoice, **NEW) == NEW


@pytest.mark.parametrize("fields", [{"type": "estimate"}, {"status": "1"}, {"is_active": 0}, {"items": {}}, {"no": 1}])
def test_an_invoice_field_that_cannot_be_sent_is_named(fields):
    with pytest.raises(ValueRefused, match=f"^JobNimbus invoice: {next(iter(fields))}: "):
        invoice(**fields)
