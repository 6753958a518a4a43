"""The names in a record: jobs, vendors, WBS ids and so on, each with the guid or label that belongs to it.

The vendors refuse unknown jobs and vendors and fill in guids and labels; the sandbox takes both from its records.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from auditkit.sandbox.wire import Body, Json, dumps

__all__ = ["PAGE_NAMES", "Name", "names_of_invoice", "names_of_nrb"]


class Name(NamedTuple):
    """A name of a kind (job, vendor, wbs, po, type, uname, related, status), unique within its scope."""

    kind: str
    scope: str
    name: str


# The names in the samples of Aimsio's page. They exist in every state file, so that its own sample can be posted.
PAGE_NAMES: Mapping[Name, str | None] = {
    Name("job", "", "JOB20250514"): None,
    Name("wbs", "JOB20250514", "JOB20250514-01.01"): "b0dd1584-c59a-4a10-a64e-638177a54edc",
    Name("type", "", "Other"): "other_nrb_type",
    Name("uname", "", "other_nrb_type"): "Other",
    Name("vendor", "", "BIT"): "d74e8cbb-c7ce-43d9-be2d-c65f0ce0af49",
}


def names_of_nrb(body: Body) -> Iterator[tuple[Name, str | None]]:
    """The job, vendor, WBS id and PO (each with its guid) and the type (name and uname) of an NRB."""
    job = body.get("nrbJobOrderNumber")
    found = (
        ("job", "", job, None),
        ("vendor", "", body.get("nrbVendorCode"), body.get("nrbVendorGuid")),
        ("wbs", job, body.get("nrbWBSSharedIdentifier"), body.get("nrbWBSGuid")),
        ("po", "", body.get("nrbPONumber"), body.get("nrbPurchaseOrderGuid")),
        ("type", "", body.get("nrbTypeName"), body.get("nrbTypeUname")),
        ("uname", "", body.get("nrbTypeUname"), body.get("nrbTypeName")),
    )
    for kind, scope, name, value in found:
        if isinstance(name, str) and isinstance(scope, str):
            yield Name(kind, scope, name), _text(value)


def names_of_invoice(body: Body) -> Iterator[tuple[Name, str | None]]:
    """The related jobs and contacts (whole, as JSON) and the status code (its name) of an invoice."""
    for related in body.get("related") or ():
        if isinstance(related, dict) and isinstance(related.get("id"), str):
            yield Name("related", str(related.get("type")), related["id"]), dumps(related)
    if isinstance(body.get("status"), int):
        yield Name("status", "", str(body["status"])), _text(body.get("status_name"))


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
