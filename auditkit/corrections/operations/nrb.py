"""What is true of every operation on an Aimsio NRB.

Not here: the operations themselves, each in a file of its own.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import ClassVar
from zoneinfo import ZoneInfo

from auditkit.corrections.amounts import amount
from auditkit.corrections.diff import COMPUTED_FROM, same
from auditkit.corrections.operations.base import Operation, Subject, Values
from auditkit.errors import PlanError
from auditkit.fields import NRB
from auditkit.values import time_to_ms, total_after_markup
from auditkit.vendors.bodies import READ_ONLY_NRB_FIELDS, NrbChange

__all__ = ["NrbOperation"]

_TOTAL = "nrbTotalAfterMarkup"
# Setting one of these decides about the whole amount: whether the client is charged, and whether the cost is booked.
_DECIDES_ABOUT_ALL = frozenset(
    {"nrbIsBillable", "nrbAccountType", "isInternal", "nrbIsExported", "nrbJobOrderNumber", "nrbVendorCode"}
)


class NrbOperation(Operation):
    """An operation on an NRB. A request may take effect for 15 s: Aimsio drops a call that was queued for 5 s."""

    system = "aimsio"
    id_field = "nrbGuid"
    key_field = "nrbExternalId"
    quiet = 15.0
    model = NrbChange
    read_only = READ_ONLY_NRB_FIELDS
    # An edit sends each required field at the value that was read, so that it is not emptied.
    kept_fields: ClassVar[tuple[str, ...]] = NRB.required
    body_query = "queries/nrb_body"
    id_query = "queries/nrb_by_reference"
    fields = frozenset(NrbChange.model_fields) - {
        *("nrbGuid", "nrbChildren", "nrbFileName", "nrbFileMimeType", "nrbFileBase64Content")
    }

    def expected(self, change: Subject) -> dict[str, Decimal]:
        """The total after markup, where the change sets what it is computed from."""
        is_affected = COMPUTED_FROM[_TOTAL] & change.after.keys()
        total = _total({**change.before, **change.after}) if is_affected else None
        return {} if total is None else {_TOTAL: total}

    def money(self, change: Subject) -> Decimal:
        """By how much the total changes.

        The whole total where the change decides whether the client is charged or the cost is booked, and where the new
        total cannot be known.
        """
        old = amount(change.before.get(_TOTAL)) or _total(change.before)
        new = self.expected(change).get(_TOTAL)
        is_unknown = new is None and bool(COMPUTED_FROM[_TOTAL] & change.after.keys())
        if is_unknown or change.after.keys() & _DECIDES_ABOUT_ALL:
            known = [abs(value) for value in (old, new) if value is not None]
            if not known:
                raise PlanError(
                    f"{change.object_id}: its amount is not known, so nobody can approve this; enter it first"
                )
            return max(known)
        return Decimal(0) if new is None else abs(new - (old or Decimal(0)))

    def differences(self, snapshot: Values, body: Values) -> list[str]:
        """Both were read by id, so that every field must be the same."""
        return sorted(name for name in snapshot.keys() | body if not same(name, snapshot.get(name), body.get(name)))

    def names(self, record: Values) -> list[str]:
        """Its origin reference or external id, vendor, the vendor's invoice and job."""
        parts: Mapping[str, object] = {
            "": record.get("nrbOriginReference") or record.get("nrbExternalId"),
            "vendor ": record.get("nrbVendorCode"),
            "vendor's invoice ": record.get("nrbInvoiceNumber"),
            "job ": record.get("nrbJobOrderNumber"),
        }
        return [f"{what}{value}" for what, value in parts.items() if value]

    def time_of_day(self, day: date, zone: ZoneInfo) -> int:
        """The middle of the hours that are this day both in the zone and in UTC, because Aimsio rewrites the time."""
        local, utc = (
            tuple(datetime.combine(each, time(), tz).astimezone(UTC) for each in (day, day + timedelta(days=1)))
            for tz in (zone, UTC)
        )
        begin, end = max(local[0], utc[0]), min(local[1], utc[1])
        return time_to_ms(begin + (end - begin) / 2)


def _total(nrb: Values) -> Decimal | None:
    rate, number = amount(nrb.get("nrbRate")), amount(nrb.get("nrbQuantity"))
    if rate is None or number is None:
        return None
    upcharge, tax = amount(nrb.get("nrbUpcharge")), amount(nrb.get("nrbVendorTax"))
    return total_after_markup(rate, number, upcharge, tax, nrb.get("nrbMarkupAppliesOn"))
