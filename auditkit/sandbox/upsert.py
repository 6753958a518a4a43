"""What Aimsio's import does to NRBs: find by key, check, change, compute, count.

An import always answers 200; its counts and notices report what happened to each entry. What had to be invented is
listed in `invented.py`.

Not here: HTTP, and the types of fields, which were checked before.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.clock import milliseconds
from auditkit.sandbox.invented import REWRITTEN_TIME_OF_DAY_MS, notice
from auditkit.sandbox.nrb_fields import NRB_CREATION_NEEDS, NRB_NUMBERS, NRB_READ_ONLY, NRB_REQUIRED, NRB_WRITABLE
from auditkit.sandbox.state import NrbKey, State
from auditkit.sandbox.wire import CENT, EXACT, Body, Json

__all__ = ["Import"]

_DAY_MS = 86_400_000
_PARENT_TYPE = "RECEIPT_AP_INVOICE"
_KEYS: tuple[tuple[str, NrbKey], ...] = (
    ("nrbGuid", "guid"),
    ("nrbExternalId", "external_id"),
    ("nrbOriginReference", "origin_reference"),
)
_NAMESPACE = uuid.UUID("5a0db0c5-7e57-4a11-8c0e-a1b51054ad01")


class _NotImported(Exception):
    """The entry changes nothing; the field and the reason."""

    def __init__(self, field: str | None, message: str) -> None:
        super().__init__(message)
        self.field = field


class Import:
    """One POST of `nrbList` at one moment by one user."""

    def __init__(self, state: State, behaviors: Behaviors, now: datetime, user: str) -> None:
        self._state = state
        self._behaviors = behaviors
        self._now = milliseconds(now)
        self._user = user
        self._notices: list[dict[str, Any]] = []

    def run(self, entries: Sequence[Body], number: int) -> dict[str, Any]:
        """Import all entries and return the documented `IntegrationImportResult`; its guid is made from `number`."""
        counts = dict.fromkeys(("created", "edited", "edited with errors", "not imported"), 0)
        with self._state.transaction():
            for position, entry in enumerate(entries):
                counts[self._import(entry, position)] += 1
        return {
            "dtype": "IntegrationImportResult",
            "id": 0,
            "guid": _guid("import", number),
            "importConfiguration": None,
            "numberOfEntitiesCreated": counts["created"],
            "numberOfEntitiesEdited": counts["edited"],
            "numberOfEntitiesEditedWithErrors": counts["edited with errors"],
            "numberOfEntitiesNotImportedDueToErrors": counts["not imported"],
            "extra": None,
            "notices": self._notices,
            "updatedAt": self._now,
            "importResultType": None,
            "numberOfEntitiesImported": len(entries) - counts["not imported"],
        }

    def _import(self, entry: Body, position: int) -> str:
        for field in NRB_READ_ONLY:
            if field in entry:
                self._notices.append(notice(position, "WARNING", field, "read-only, ignored"))
        try:
            with self._state.transaction():
                stored, errors = self._save(entry, parent=None)
        except _NotImported as reason:
            self._notices.append(notice(position, "ERROR", reason.field, str(reason)))
            return "not imported"
        self._notices += [notice(position, "ERROR", field, message) for field, message in errors.items()]
        return "created" if stored is None else "edited with errors" if errors else "edited"

    def _save(self, entry: Body, parent: Body | None) -> tuple[Body | None, dict[str, str]]:
        """Create or edit one NRB. Returns the body before (None for a creation), and what is wrong with which field."""
        stored = self._find(entry)
        if stored is None:
            self._check_creation(entry)
        elif self._behaviors.absent == "refused":
            self._check_whole(entry, stored)
        elif parent and stored.get("nrbParentGuid") != parent["nrbGuid"]:
            raise _NotImported("nrbChildren", "the NRB is not a child of this one")
        before = stored or self._blank(parent)
        after = self._changed(entry, before, is_new=stored is None)
        errors = self._wrong_references(after, before)
        if errors and stored is None:
            raise _NotImported(*next(iter(errors.items())))
        after |= {field: before.get(field) for field in errors}
        children = self._children(entry, after, parent)
        self._state.put_nrb(self._completed(after, before))
        for child in children:
            errors |= self._save(child, parent=after)[1]
        self._refresh(after["nrbGuid"] if children else after.get("nrbParentGuid"))
        return stored, errors

    def _find(self, entry: Body) -> Body | None:
        for field, key in _KEYS:
            value = entry.get(field)
            if value is None:
                continue
            found = self._state.nrbs_where(key, value)
            if len(found) > 1:
                raise _NotImported(field, f"{len(found)} NRBs have this key")
            if not found and field == "nrbGuid":
                raise _NotImported(field, "no NRB has this guid")
            return found[0] if found else None
        raise _NotImported(None, "needs nrbGuid, nrbExternalId or nrbOriginReference")

    def _check_creation(self, entry: Body) -> None:
        for field in NRB_CREATION_NEEDS:
            if entry.get(field) is None:
                raise _NotImported(field, "required for a new NRB")
        if entry.get("nrbTypeName") is None and entry.get("nrbTypeUname") is None:
            raise _NotImported("nrbTypeName", "nrbTypeUname or nrbTypeName is required for a new NRB")

    def _check_whole(self, entry: Body, stored: Body) -> None:
        for field in NRB_REQUIRED:
            if field not in entry and stored.get(field) is not None:
                raise _NotImported(field, "an edit has to send every required field")

    def _blank(self, parent: Body | None) -> Body:
        """A new NRB with every documented field, most of them null."""
        guid = _guid("nrb", self._state.next_number("nrb"))
        return {
            "nrbGuid": guid,
            **dict.fromkeys((*NRB_WRITABLE, *NRB_READ_ONLY)),
            "nrbIsExported": False,
            "isInternal": False,
            "nrbLineItems": [],
            "nrbCreatedAt": self._now,
            "nrbCreatedByUserName": self._user,
            "nrbCreatedByFullName": self._user.title(),
            "nrbParentGuid": parent and parent["nrbGuid"],
            "nrbParentExternalId": parent and parent["nrbExternalId"],
        }

    def _changed(self, entry: Body, before: Body, *, is_new: bool) -> Body:
        after = dict(before)
        if not is_new and self._behaviors.absent == "nulled":
            after |= dict.fromkeys(field for field in NRB_WRITABLE if field not in entry)
        after |= {field: _stored_form(field, entry[field]) for field in NRB_WRITABLE if field in entry}
        if "nrbTypeUname" in entry and "nrbTypeName" not in entry:
            after["nrbTypeName"] = self._state.value_of("uname", entry["nrbTypeUname"])
        sent_date = entry.get("nrbInvoiceDate")
        if sent_date is not None and self._behaviors.invoice_date_time == "rewritten":
            after["nrbInvoiceDate"] = sent_date // _DAY_MS * _DAY_MS + REWRITTEN_TIME_OF_DAY_MS
        return after

    def _wrong_references(self, after: Body, before: Body) -> dict[str, str]:
        """Fields that name something unknown or lack what they require; unchanged fields are not checked."""
        job = after.get("nrbJobOrderNumber")
        known = (
            ("nrbJobOrderNumber", "job", "", "no such job number"),
            ("nrbVendorCode", "vendor", "", "no such vendor code"),
            ("nrbTypeName", "type", "", "no such NRB type"),
            ("nrbTypeUname", "uname", "", "no such NRB type"),
            ("nrbWBSSharedIdentifier", "wbs", job or "", f"no such WBS under job {job}"),
        )
        wrong = {}
        for field, kind, scope, message in known:
            value = after.get(field)
            is_touched = value != before.get(field) or (kind == "wbs" and job != before.get("nrbJobOrderNumber"))
            if value is not None and is_touched and not self._state.knows(kind, value, scope):
                wrong[field] = message
        if after.get("nrbShouldReconcileWithPO") and not (after.get("nrbExternalId") and after.get("nrbPONumber")):
            wrong["nrbShouldReconcileWithPO"] = "needs nrbExternalId and nrbPONumber"
        return wrong

    def _children(self, entry: Body, after: Body, parent: Body | None) -> Sequence[Body]:
        children: Sequence[Body] = entry.get("nrbChildren") or ()
        is_parent = after.get("nrbDocumentType") == _PARENT_TYPE
        if (children and not is_parent) or (parent and is_parent):
            raise _NotImported("nrbChildren", f"only a {_PARENT_TYPE} has children, and none of them is one")
        for child in children:
            if child.get("nrbDocumentType") == _PARENT_TYPE:
                raise _NotImported("nrbChildren", f"a child must not be a {_PARENT_TYPE}")
        return children

    def _completed(self, after: Body, before: Body) -> Body:
        """What Aimsio fills in: guids of names, the total, and a later nrbUpdatedAt."""
        job = after.get("nrbJobOrderNumber") or ""
        guids = (
            ("nrbVendorCode", "nrbVendorGuid", "vendor", ""),
            ("nrbWBSSharedIdentifier", "nrbWBSGuid", "wbs", job),
            ("nrbPONumber", "nrbPurchaseOrderGuid", "po", ""),
            ("nrbTypeName", "nrbTypeUname", "type", ""),
        )
        for field, filled, kind, scope in guids:
            if after.get(field) != before.get(field):
                after[filled] = self._state.value_of(kind, after.get(field), scope)
        total = _total_after_markup(after)
        if total is not None:
            after["nrbTotalAfterMarkup"] = total
        after["nrbUpdatedAt"] = self._later_than(before)
        return after

    def _later_than(self, before: Body) -> int:
        last = before.get("nrbUpdatedAt")
        return max(self._now, last + 1) if isinstance(last, int) else self._now

    def _refresh(self, parent_guid: str | None) -> None:
        """A parent holds its children whole, so it changes when one of them does."""
        for parent in self._state.nrbs_where("guid", parent_guid) if parent_guid else ():
            children = self._state.nrbs_where("parent_guid", parent["nrbGuid"])
            self._state.put_nrb({**parent, "nrbChildren": children, "nrbUpdatedAt": self._later_than(parent)})


def _stored_form(field: str, value: Json) -> Json:
    """Numbers are stored as in the sample: text with three decimals, and more only if needed."""
    if field in NRB_NUMBERS and value is not None:
        with localcontext(EXACT):
            number = Decimal(value).quantize(Decimal("0.000001"))
            short = number.quantize(Decimal("0.001"))
            return str(short if short == number else number.normalize())
    return value


def _total_after_markup(body: Mapping[str, Any]) -> str | None:
    """The total with two decimals, or None if a number is missing or malformed.

    The upcharge is a percentage: 750 × 1, 10 %, tax 37.50 gives the sample's 862.50 = 750 × 1.10 + 37.50. That the tax
    is marked up as well with SUB_TOTAL_AND_VENDOR_TAX is by analogy with the page's formula. Half up, at the end.
    """
    numbers = [body.get(name) for name in NRB_NUMBERS if name != "nrbTotalAfterMarkup"]
    if numbers[0] is None or numbers[1] is None:
        return None
    try:
        rate, quantity, tax, upcharge = (Decimal(number or 0) for number in numbers)
    except (InvalidOperation, TypeError, ValueError):
        return None
    with localcontext(EXACT):
        factor = 1 + upcharge * CENT
        if body.get("nrbMarkupAppliesOn") == "SUB_TOTAL_AND_VENDOR_TAX":
            return str(((rate * quantity + tax) * factor).quantize(CENT))
        return str((rate * quantity * factor + tax).quantize(CENT))


def _guid(kind: str, number: int) -> str:
    # Made from a count, so that the same calls on the same file give the same guids.
    return str(uuid.uuid5(_NAMESPACE, f"{kind} {number}"))
