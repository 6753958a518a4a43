"""How fast raw NRB bodies become typed tables, beside a bare `json_transform` of the same columns.

    python benchmarks/reading.py [--nrbs 100000]

Both run in the same process on the same bodies, on one thread, and write a table in the order of its ids. The bare one
reads what it can and is silent about the rest: it is what typing would cost if every value were as it should be. Times
are CPU seconds, the best of three.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from auditkit.fields import NRB, Kind
from auditkit.warehouse.schema import rebuild_schema, rebuild_typed
from auditkit.warehouse.snapshots import Draft

_BARE_TYPES = {
    Kind.MONEY: "DECIMAL(18,2)",
    Kind.QUANTITY: "DECIMAL(24,6)",
    Kind.FLAG: "BOOLEAN",
    Kind.DATE_MS: "BIGINT",
    Kind.INSTANT_MS: "BIGINT",
    Kind.LIST: "JSON",
}


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nrbs", type=int, default=100_000)
    count = parser.parse_args().nrbs
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        draft = Draft(Path("memory"), connection)
        rebuild_schema(draft)
        for start in range(0, count, 10_000):
            _load(draft, range(start, min(start + 10_000, count)))
        bare = _best(lambda: _bare(draft))
        typed = _best(
            lambda: rebuild_typed(draft, sync_id=1, zone="America/Edmonton"), before=lambda: rebuild_schema(draft)
        )
        few = _best(
            lambda: rebuild_typed(draft, sync_id=2, zone="America/Edmonton"), before=lambda: rebuild_schema(draft)
        )
    print(
        f"{count:,} NRBs: json_transform alone {bare:.2f} s, typed {typed:.2f} s, of these {few:.2f} s for any number"
    )
    print(f"ratio {typed / bare:.1f}, without the fixed part {(typed - few) / bare:.1f}")


def _body(number: int) -> str:
    """One NRB with the fields and forms of the vendor's own sample."""
    cents = 100_00 + number * 37 % 1_000_000
    created = 1_747_849_689_000 + number * 60_000
    return json.dumps(
        {
            "nrbFileName": "pdf_sample.pdf",
            "nrbExternalId": None,
            "nrbAccountType": "Billable",
            "nrbCreatedByFullName": "Admin Ken",
            "nrbIsBillable": True,
            "nrbQuantity": "1.000",
            "nrbTypeUname": "other_nrb_type",
            "nrbOriginReference": f"AP-INV-{number}",
            "nrbJobOrderNumber": f"JOB-{1000 + number % 500}",
            "nrbLineItems": [{}],
            "nrbBilledInName": f"INV-{number % 900}",
            "nrbMarkupAppliesOn": "SUB_TOTAL",
            "nrbVendorGuid": "d74e8cbb-c7ce-43d9-be2d-c65f0ce0af49",
            "nrbWBSGuid": "b0dd1584-c59a-4a10-a64e-638177a54edc",
            "nrbWBSSharedIdentifier": f"JOB-{1000 + number % 500}-01.01",
            "nrbInvoiceDate": 1_743_503_400_000 + number % 365 * 86_400_000,
            "nrbName": None,
            "nrbCreatedByUserName": "admin@kentest-sandbox",
            "nrbVendorTax": "37.500",
            "nrbPurchaseOrderGuid": None,
            "nrbPurchaseOrderCostItemOriginReference": None,
            "nrbPONumber": "PO-13624",
            "nrbGuid": f"3f06d188-45ee-4ee0-83c3-{number:012}",
            "nrbUpcharge": "10.000",
            "nrbTotalAfterMarkup": f"{cents * 0.01:.2f}",
            "nrbNotes": "Purchased field software",
            "nrbRate": "750.000",
            "nrbTypeName": "Other",
            "nrbCreatedAt": created,
            "nrbUpdatedAt": created + 2_297_000,
            "nrbInvoiceNumber": f"AP-INV-{number}",
            "nrbIsExported": False,
            "nrbBilledInGuid": None,
            "isInternal": False,
            "nrbVendorCode": f"V{number % 40:02}",
        }
    )


def _load(draft: Draft, numbers: range) -> None:
    bodies = [_body(number) for number in numbers]
    columns = {
        "guid": [json.loads(body)["nrbGuid"] for body in bodies],
        "digest": [hashlib.sha256(body.encode()).hexdigest() for body in bodies],
        "body": bodies,
        "first_sync": [1] * len(bodies),
        "last_sync": [1] * len(bodies),
    }
    draft.insert("raw.nrb_body", columns)


def _bare(draft: Draft) -> None:
    spec = {field.wire: _BARE_TYPES.get(field.kind, "VARCHAR") for field in NRB.fields if field.is_read}
    draft.query(
        f"create or replace temp table bare as select unnest(json_transform(body, '{json.dumps(spec)}'))"
        " from raw.nrb_body where last_sync = 1 order by guid"
    )
    draft.query("drop table bare")


def _best(run: Callable[[], None], before: Callable[[], None] = lambda: None) -> float:
    times = []
    for _ in range(3):
        before()
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


if __name__ == "__main__":
    main()
