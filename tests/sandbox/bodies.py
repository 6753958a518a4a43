"""A small account at both vendors: the pages' own samples, completed, and records that belong to them."""

from decimal import Decimal
from typing import Any

NRB = "3f06d188-45ee-4ee0-83c3-85445748b649"
PARENT = "00000000-0000-4000-8000-000000000001"
CHILD = "00000000-0000-4000-8000-000000000002"
INVOICE = "INVOICE_ID_1"
UPDATED_MS = 1_747_851_986_000
UPDATED_S = 1_600_000_005


def nrb(guid: str = NRB, **changes: Any) -> dict[str, Any]:
    return {
        "nrbFileName": "pdf_sample.pdf",
        "nrbExternalId": None,
        "nrbAccountType": "Billable",
        "nrbCreatedByFullName": "Admin Ken",
        "nrbIsBillable": True,
        "nrbQuantity": "1.000",
        "nrbTypeUname": "other_nrb_type",
        "nrbOriginReference": "AP-INV-123",
        "nrbLineItems": [{}],
        "nrbBilledInName": None,
        "nrbMarkupAppliesOn": "SUB_TOTAL",
        "nrbVendorGuid": "d74e8cbb-c7ce-43d9-be2d-c65f0ce0af49",
        "nrbWBSGuid": "b0dd1584-c59a-4a10-a64e-638177a54edc",
        "nrbInvoiceDate": 1_743_503_400_000,
        "nrbName": None,
        "nrbCreatedByUserName": "admin@kentest-sandbox",
        "nrbVendorTax": "37.500",
        "nrbPurchaseOrderGuid": None,
        "nrbPurchaseOrderCostItemOriginReference": None,
        "nrbPONumber": "PO-13624",
        "nrbGuid": guid,
        "nrbUpcharge": "10.000",
        "nrbTotalAfterMarkup": "862.50",
        "nrbNotes": "Purchased field software",
        "nrbRate": "750.000",
        "nrbTypeName": "Other",
        "nrbCreatedAt": 1_747_849_689_000,
        "nrbUpdatedAt": UPDATED_MS,
        "nrbInvoiceNumber": "AP-INV-123",
        "nrbIsExported": False,
        "nrbBilledInGuid": None,
        "isInternal": False,
        "nrbVendorCode": "BIT",
        "nrbJobOrderNumber": "JOB20250514",
        "nrbWBSSharedIdentifier": "JOB20250514-01.01",
        **changes,
    }


def nrbs() -> list[dict[str, Any]]:
    child = nrb(
        CHILD,
        nrbExternalId="NRB-2",
        nrbOriginReference="TWICE",
        nrbParentGuid=PARENT,
        nrbDocumentType="RECEIPT_BOL",
        nrbJobOrderNumber="JOB2",
        nrbWBSSharedIdentifier="JOB2-01.01",
        nrbWBSGuid="wbs-of-job-2",
        nrbVendorCode="ACME",
        nrbVendorGuid="acme-guid",
    )
    parent = nrb(
        PARENT,
        nrbExternalId="NRB-1",
        nrbOriginReference="TWICE",
        nrbDocumentType="RECEIPT_AP_INVOICE",
        nrbChildren=[child],
    )
    return [nrb(), parent, child]


def invoice(jnid: str = INVOICE, **changes: Any) -> dict[str, Any]:
    return {
        "type": "invoice",
        "external_id": None,
        "guid": "12345678-ABCD-1234-EFGH-1234567890AB",
        "attachment_id": "attachmentjnid",
        "customer": "customerjnid",
        "created_by": "system_qbo",
        "created_by_name": "QuickBooks",
        "date_created": 1_600_000_000,
        "date_updated": UPDATED_S,
        "is_active": True,
        "is_archived": True,
        "related": [
            {"id": "JOB_ID_1", "name": "Sample Project / JOB2", "number": "1000", "type": "job", "email": None},
        ],
        "status": 4,
        "status_name": "Closed",
        "number": "INV-001",
        "location": {"id": 1},
        "subtotal": 15438,
        "margin": 0,
        "tax": Decimal("0.99"),
        "total": Decimal("15438.99"),
        "cost": 10000,
        "total_paid": 10000,
        "due": Decimal("5438.99"),
        "date_due": 1_600_000_001,
        "date_invoice": 1_600_000_002,
        "date_paid_in_full": None,
        "items": [
            {
                "jnid": "ITEM_ID_1",
                "name": "Service",
                "description": "Shake siding",
                "uom": "Items",
                "item_type": "material",
                "quantity": 1,
                "price": 15438,
                "amount": 15438,
                "cost": 10000,
                "photos": [],
                "tax_rate": 0,
                "labor": {"price": 0, "cost": 0, "amount": 0, "tax_rate": 0},
                "sku": None,
            }
        ],
        "sections": [],
        "payments": [],
        "owners": [{"id": "OWNER_ID_1"}],
        "jnid": jnid,
        "note": "",
        "template_id": "templatejnid",
        **changes,
    }


def invoices(count: int = 3) -> list[dict[str, Any]]:
    """`count` invoices, one a day, each updated a day after it was created."""
    days = range(count)
    return [
        invoice(
            f"INVOICE_ID_{day + 1}",
            number=f"INV-{day + 1:03}",
            date_created=1_600_000_000 + 86_400 * day,
            date_updated=1_600_000_000 + 86_400 * (day + 1),
        )
        for day in days
    ]
