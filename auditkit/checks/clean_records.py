"""Clean records that the self-test adds faults to: one job, vendor and set of numbers for each rule.

Records are clean unless a fault changes them: each NRB is billable, exported, marked as billed, and charged to the cent
by a line that names it; each invoice is issued, foots and is paid. Bodies are raw, as the vendors send them, with only
the fields that rules read.

Not here: the faults (`planted_nrb_faults.py`, `planted_invoice_faults.py`) and the comparison (`selftest.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from auditkit.checks.rules import Value
from auditkit.checks.run import Parameters

__all__ = ["CENT", "UNMARKED", "Body", "CleanRecords", "Facts", "OutOfReach", "PlantedFault"]

Body = dict[str, Any]

CENT = Decimal("0.01")
UNMARKED: Mapping[str, Any] = {"nrbBilledInName": None}
_MOST_RECORDS = 10_000
_MOST = Decimal(10) ** 15  # of money that can be typed
_FIRST, _LAST = date(2005, 1, 3), date(2099, 12, 29)  # days that can be typed, in every time zone
_NOON = time(12)


class OutOfReach(Exception):
    """No record can exceed a threshold: it switches the rule off."""


@dataclass(frozen=True)
class PlantedFault:
    """One fault, and records close to it on which the rule must stay silent.

    `words` describe the fault; `expected` are the subjects on which the rule must fire. `earlier` are NRBs as they were
    one sync before; one that is not among `nrbs` has vanished since. `also` are the subjects on which other rules fire
    because of this fault, by rule. `markups` are rows of markup.csv: vendor, type, percent.
    """

    words: str
    expected: tuple[str, ...]
    nrbs: Sequence[Body] = ()
    invoices: Sequence[Body] = ()
    earlier: Sequence[Body] = ()
    also: Mapping[str, Sequence[str]] = field(default_factory=dict)
    markups: Sequence[tuple[str | None, str | None, str]] = ()


@dataclass(frozen=True)
class Facts:
    """What the account holds, as far as faults must fit in with it.

    `token`, `number` (eight digits) and `amount` are in no record. Of the issued invoices with tax, `alike` out of
    `taxed` have the rate of `tax_percent`.
    """

    token: str
    number: str
    amount: Decimal
    tax_percent: Decimal
    taxed: int
    alike: int


@dataclass(frozen=True)
class CleanRecords:
    """The clean records of one rule. The token of `facts` is in every id, code and number made here.

    `values` are the parameters of every rule, by rule and name: those of the audit and the rule's thresholds.
    """

    rule: str
    facts: Facts
    parameters: Parameters
    values: Mapping[str, Mapping[str, Value]]

    # ── The audit's parameters ──────────────────────────────────────────────────────────────────────────────────────

    def whole(self, name: str, rule: str = "") -> int:
        """A threshold of this rule, or of another one, that is a whole number, e.g. of days."""
        return int(str(self.values[rule or self.rule][name]))

    def count(self, name: str) -> int:
        """As `whole`, of records that must be added. Raises `OutOfReach` above 10,000."""
        number = self.whole(name)
        if number > _MOST_RECORDS:
            raise OutOfReach(f"{name} = {number} would take more than {_MOST_RECORDS:,} records")
        return number

    def money(self, name: str, rule: str = "") -> Decimal:
        """The largest amount in cents that does not exceed a threshold of this rule, or of another one."""
        limit = Decimal(str(self.values[rule or self.rule][name]))
        return limit.quantize(CENT, ROUND_FLOOR) if abs(limit) < _MOST else limit

    def least(self, name: str) -> Decimal:
        """The smallest amount in cents that reaches a threshold of this rule; 100.00 where every amount does."""
        limit, floor = Decimal(str(self.values[self.rule][name])), self.money(name)
        reached = floor if floor == limit else floor + CENT
        return reached if reached > 0 else Decimal("100.00")

    @property
    def within(self) -> Decimal:
        """The largest difference of money that is tolerated."""
        return self.money("tolerance")

    @property
    def beyond(self) -> Decimal:
        """The smallest difference of money that is not tolerated."""
        return self.within + CENT

    @property
    def large(self) -> Decimal:
        """An amount of which 2 % is more than is tolerated."""
        return 1000 + 100 * self.within

    @property
    def draft_status(self) -> str:
        """A status whose invoices are drafts. Raises `OutOfReach` if there is none."""
        names = [name.strip() for name in self.parameters.draft_status_names if name.strip()]
        if not names:
            raise OutOfReach("no status counts as a draft")
        return names[0]

    def counts_as_draft(self, status_name: str) -> bool:
        """Whether invoices of this status are drafts in this audit."""
        return status_name.strip().lower() in {name.strip().lower() for name in self.parameters.draft_status_names}

    # ── Days ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def today(self) -> date:
        """The day the audit looks from, or the nearest that can be typed."""
        return min(max(self.parameters.as_of, _FIRST), _LAST)

    def span(self, days: int) -> tuple[date, date]:
        """Two days so far apart, the second one today if it can be. Raises `OutOfReach` where no records can be."""
        try:
            first = self.today - timedelta(days)
            if first < _FIRST:
                return _FIRST, self.day(_FIRST + timedelta(days))
        except OverflowError:
            raise OutOfReach(f"no two records can be {days} days apart") from None
        return self.day(first), self.today

    def day(self, day: date) -> date:
        """The same day. Raises `OutOfReach` if it cannot be typed."""
        if not _FIRST <= day <= _LAST:
            raise OutOfReach(f"no record can be of {day}")
        return day

    def ago(self, days: int) -> date:
        """The day so many days before the audit's. Raises `OutOfReach` if no record can be of it."""
        try:
            return self.day(self.parameters.as_of - timedelta(days))
        except OverflowError:
            raise OutOfReach(f"no record can be {days} days old") from None

    def seconds(self, day: date) -> int:
        """Noon of a day in the account's time zone, as JobNimbus sends it."""
        return int(datetime.combine(day, _NOON, ZoneInfo(self.parameters.time_zone)).timestamp())

    def milliseconds(self, day: date) -> int:
        """As `seconds`, as Aimsio sends it."""
        return self.seconds(day) * 1000

    # ── Records ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def name(self, part: str) -> str:
        """A text that only these records have: an id, a code, a number. It has a digit, but none at its end."""
        return f"{self.facts.token}-{self.rule}-{part}"

    @property
    def job(self) -> str:
        """The number of the job, the same for both vendors."""
        return self.name("job")

    def nrb(self, part: str, total: Decimal | str = "100.00", **changes: Any) -> Body:  # noqa: ANN401 - JSON
        """One NRB, marked as billed on `invoice()`; `changes` are Aimsio's fields. Raises `OutOfReach`."""
        amount = Decimal(total)
        if abs(amount) >= _MOST:
            raise OutOfReach(f"no record can hold {amount}")
        return {
            "nrbGuid": self.name(part),
            "nrbJobOrderNumber": self.job,
            "nrbVendorCode": self.name("vendor"),
            "nrbInvoiceNumber": self.name(part),
            "nrbTypeName": self.name("type"),
            "nrbAccountType": "Billable",
            "nrbIsBillable": True,
            "isInternal": False,
            "nrbIsExported": True,
            "nrbRate": str(amount or 1),
            "nrbQuantity": "1",
            "nrbUpcharge": "0" if amount else "-100",
            "nrbTotalAfterMarkup": str(amount),
            "nrbBilledInName": self.name("invoice"),
            "nrbCreatedAt": self.milliseconds(self.today),
            **changes,
        }

    def not_billable(self, part: str, **changes: Any) -> Body:  # noqa: ANN401 - JSON
        """As `nrb`, but not billable."""
        return self.nrb(part, nrbIsBillable=False, nrbAccountType="Overhead", **changes)

    def internal(self, part: str, **changes: Any) -> Body:  # noqa: ANN401 - JSON
        """As `nrb`, but internal and not billable."""
        return self.not_billable(part, isInternal=True, **changes)

    def internal_and_billable(self, part: str, **changes: Any) -> Body:  # noqa: ANN401 - JSON
        """As `nrb`, but internal and yet marked billable: internal counts."""
        return self.nrb(part, isInternal=True, **changes)

    def receipt(self, part: str, items: Sequence[Body], **changes: Any) -> tuple[Body, ...]:  # noqa: ANN401 - JSON
        """A receipt whose total is the sum of its items, and the items."""
        total = sum((Decimal(item["nrbTotalAfterMarkup"]) for item in items), Decimal(0))
        receipt = self.nrb(part, total, **changes)
        return receipt, *({**item, "nrbParentGuid": receipt["nrbGuid"]} for item in items)

    def line(self, nrb: Body, **changes: Any) -> Body:  # noqa: ANN401 - JSON
        """The line that charges for an NRB, to the cent; `changes` are JobNimbus's fields."""
        total = nrb["nrbTotalAfterMarkup"]
        fields = {
            "description": nrb["nrbGuid"],
            "item_type": "material",
            "quantity": 1,
            "price": total,
            "amount": total,
        }
        return {**fields, **changes}

    def fee(self, amount: Decimal | str = "5.00", words: str = "Fee") -> Body:
        """A line of labor, which carries no NRB."""
        return {"description": words, "item_type": "labor", "quantity": 1, "price": str(amount), "amount": str(amount)}

    def on_job(self, *parts: str) -> Body:
        """The field of an invoice that relates it to other jobs of these records, by the parts of their names."""
        return {"related": [{"type": "job", "number": self.name(part)} for part in parts]}

    def invoice(self, lines: Sequence[Body], part: str = "invoice", **changes: Any) -> Body:  # noqa: ANN401 - JSON
        """One invoice of the job, issued and paid; `changes` are JobNimbus's fields, from which its totals follow."""
        subtotal = str(changes.get("subtotal") or sum((Decimal(line["amount"] or 0) for line in lines), Decimal(0)))
        total = str(changes.get("total") or Decimal(subtotal) + Decimal(changes.get("tax") or 0))
        return {
            "type": "invoice",
            "jnid": self.name(part),
            "number": self.name(part),
            "is_active": True,
            "status_name": self.name("issued"),
            "subtotal": subtotal,
            "total": total,
            "cost": "0.01",
            "total_paid": total,
            "due": "0.00",
            "date_paid_in_full": self.seconds(self.today),
            "items": list(lines),
            "related": [{"type": "job", "number": self.job}],
            **changes,
        }

    def bill(self, *nrbs: Body, **changes: Any) -> Body:  # noqa: ANN401 - JSON
        """`invoice()` with a line for each NRB."""
        return self.invoice([self.line(nrb) for nrb in nrbs], **changes)

    def void(self, invoice: Body | None = None) -> Body:
        """A void copy of the invoice under another number; without an invoice, a void one without lines."""
        whole = invoice or self.invoice([])
        return {**whole, "jnid": self.name("void"), "number": self.name("void"), "is_active": False}
