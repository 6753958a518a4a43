"""The four reads, with the good answer of each, and JSON that is not its answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from auditkit.vendors.aimsio import AimsioClient
from auditkit.vendors.jobnimbus import JobNimbusClient
from tests.world import invoice, nrb

VERSION = nrb()["nrbUpdatedAt"]


@dataclass(frozen=True)
class Endpoint:
    """One read of a vendor: its good answer, how it is called, and JSON that is not its answer."""

    name: str
    vendor: str
    good: str
    call: Callable[[AimsioClient, JobNimbusClient], object]
    strange: Mapping[str, str]


_STUBS = [{"dtype": "NonRecurringBillableItem", "guid": "n1", "updatedAt": VERSION}]
ENDPOINTS = (
    Endpoint(
        "aimsio-list",
        "Aimsio",
        json.dumps(_STUBS),
        lambda aimsio, _: aimsio.stubs(),
        {
            "values": json.dumps({"values": _STUBS}),
            "value-and-more": json.dumps({"value": _STUBS, "next": 1}),
            "value-null": '{"value": null}',
            "value-object": '{"value": {}}',
            "error-object": '{"error": "no"}',
            "rows-of-text": '["n1"]',
        },
    ),
    Endpoint(
        "aimsio-detail",
        "Aimsio",
        json.dumps(nrb()),
        lambda aimsio, _: aimsio.nrb("n1", str(VERSION)),
        {
            "array": json.dumps([nrb()]),
            "value": json.dumps({"value": nrb()}),
            "another-record": json.dumps(nrb("n2")),
            "no-guid": "{}",
            "error-object": '{"error": "no"}',
        },
    ),
    Endpoint(
        "jobnimbus-list",
        "JobNimbus",
        json.dumps({"count": 1, "results": [invoice()]}),
        lambda _, jobnimbus: jobnimbus.page(0),
        {
            "results-missing": '{"count": 1}',
            "results-null": '{"count": 1, "results": null}',
            "results-object": '{"count": 1, "results": {}}',
            "result": json.dumps({"count": 1, "result": [invoice()]}),
            "array": json.dumps([invoice()]),
            "count-text": json.dumps({"count": "1", "results": [invoice()]}),
            "count-negative": json.dumps({"count": -1, "results": []}),
            "rows-of-text": '{"count": 1, "results": ["i1"]}',
            "row-without-jnid": '{"count": 1, "results": [{}]}',
            "error-object": '{"error": "no"}',
        },
    ),
    Endpoint(
        "jobnimbus-get",
        "JobNimbus",
        json.dumps(invoice()),
        lambda _, jobnimbus: jobnimbus.invoice("i1"),
        {
            "array": json.dumps([invoice()]),
            "results": json.dumps({"count": 1, "results": [invoice()]}),
            "another-record": json.dumps(invoice(jnid="i2")),
            "no-jnid": "{}",
            "error-object": '{"error": "no"}',
        },
    ),
)
