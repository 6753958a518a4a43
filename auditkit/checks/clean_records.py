"""The ground that the self-test plants on: records of a job, a vendor and numbers of their own.

What stands on a `Ground` is clean unless a plant says otherwise: each NRB is billable, exported, marked as billed and
carried to the cent by a line that names it; each invoice is issued, sums up and is paid. Bodies are raw, as the vendors
send them, and as small as a rule needs them.

Not here: what is planted (`plants_nrb.py`, `plants_invoice.py`), and judging it (`selftest.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from auditkit.checks.rules import Value
from auditkit.checks.run import Parameters

__all__ = ["CENT", "Body", "Ground", "OutOfReach", "Plant"]

Body = dict[str, Any]

CENT = Decimal("0.01")
_MOST_RECORDS = 10_000
_MOST = Decimal(10) ** 15  # of money that can be typed
_FIRST, _LAST = date(2005, 1, 3), date(2099, 12, 29)  # days that can be typed, in every time zone
_NOON = time(12)


class OutOfReach(Exception):
    """No record can go beyond a threshold: the rule is switched off by it."""


@dataclass(frozen=True)
class Plant:
    """One fault, and what stands next to it to stay silent.

    `words` say what was planted, `expected` on which subjects the rule fires. `earlier` are NRBs as they were in the
    sync before; one that is not among `nrbs` has vanished since. `also` are the subjects on which other rules fire.
    """

    words: str
    expected: tuple[str, ...]
    nrbs: Sequence[Body] = ()
    invoices: Sequence[Body] = ()
    earlier: Sequence[Body] = ()
    also: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Ground:
    """One rule's own ground. `token` is in no record of the snapshot, and is in every id, code and number made here.

    `values` are the parameters of every rule, by rule and name: the audit's own ones, and its thresholds.
    """

    rule: str
    token: str
    parameters: Parameters
    values: Mapping[str, Mapping[str, Value]]

    # ── The audit's parameters ──────────────────────────────────────────────────────────────────────────────────────

    def whole(self, name: str) -> int:
        """A threshold of this rule that is a whole number, e.g. of days."""
        return int(str(self.values[self.rule][name]))

    def count(self, name: str) -> int:
        """As `whole`, of records that must be planted. Raises `OutOfReach` above 10,000."""
        number = self.whole(name)
        if number > _MOST_RECORDS:
            raise OutOfReach(f"{name} = {number} would take more than {_MOST_RECORDS:,} records")
        return number

    def money(self, name: str, rule: str = "") -> Decimal:
        """The largest amount in cents that is not beyond a threshold of this rule, or of another one."""
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

    def seconds(self, day: date) -> int:
        """Noon of a day in the account's time zone, as JobNimbus sends it."""
        return int(datetime.combine(day, _NOON, ZoneInfo(self.parameters.time_zone)).timestamp())

    def milliseconds(self, day: date) -> int:
        """As `seconds`, as Aimsio sends it."""
        return self.seconds(day) * 1000

    # ── Records ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def name(self, part: str) -> str:
        """A text of this ground alone: an id, a code, a number. It has a digit, but none at its end."""
        return f"{self.token}-{self.rule}-{part}"

    @property
    def job(self) -> str:
        """The number of this ground's job, at both vendors."""
        return self.name("job")

    def nrb(self, part: str, total: Decimal | str = "100.00", **changes: Any) -> Body:  # noqa: ANN401 - JSON
        """One NRB, marked as billed on the ground's invoice; `changes` are Aimsio's fields. Raises `OutOfReach`."""
        amount = Decimal(total)
        if abs(amount) >= _MOST:
            raise OutOfReach(f"no record can hold {amount}")
        return {
            "nrbGuid": self.name(part),
            "nrbJobOrderNumber": self.job,
            "nrbVendorCode": self.name("vendor"),
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
        """As `nrb`, for the client but not charged."""
        return self.nrb(part, nrbIsBillable=False, nrbAccountType="Overhead", **changes)

    def internal(self, part: str, **changes: Any) -> Body:  # noqa: ANN401 - JSON
        """As `nrb`, of the contractor's own cost."""
        return self.not_billable(part, isInternal=True, **changes)

    def internal_and_billable(self, part: str, **changes: Any) -> Body:  # noqa: ANN401 - JSON
        """As `nrb`, of the contractor's own cost and yet billable: internal counts."""
        return self.nrb(part, isInternal=True, **changes)

    def receipt(self, part: str, items: Sequence[Body], **changes: Any) -> tuple[Body, ...]:  # noqa: ANN401 - JSON
        """A receipt of the sum of its items, and these."""
        total = sum((Decimal(item["nrbTotalAfterMarkup"]) for item in items), Decimal(0))
        receipt = self.nrb(part, total, **changes)
        return receipt, *({**item, "nrbParentGuid": receipt["nrbGuid"]} for item in items)

    def line(self, nrb: Body, **changes: Any) -> Body:  # noqa: ANN401 - JSON
        """The line that carries an NRB, to the cent; `changes` are JobNimbus's fields."""
        total = nrb["nrbTotalAfterMarkup"]
        fields = {
            "description": nrb["nrbGuid"],
            "item_type": "material",
            "quantity": 1,
            "price": total,
            "amount": total,
        }
        return {**fields, **changes}

    def invoice(self, lines: Sequence[Body], part: str = "invoice", **changes: Any) -> Body:  # noqa: ANN401 - JSON
        """One invoice of the ground's job, issued and paid; `changes` are JobNimbus's fields."""
        total = str(changes.get("subtotal") or sum((Decimal(line["amount"] or 0) for line in lines), Decimal(0)))
        return {
            "type": "invoice",
            "jnid": self.name(part),
            "number": self.name(part),
            "is_active": True,
            "status_name": self.name("issued"),
            "subtotal": total,
            "total": total,
            "cost": "1.00",
            "total_paid": total,
            "due": "0.00",
            "date_paid_in_full": self.seconds(self.today),
            "items": list(lines),
            "related": [{"type": "job", "number": self.job}],
            **changes,
        }

    def bill(self, *nrbs: Body, **changes: Any) -> Body:  # noqa: ANN401 - JSON
        """The ground's invoice, with a line for each NRB."""
        return self.invoice([self.line(nrb) for nrb in nrbs], **changes)

    def void(self, invoice: Body | None = None) -> Body:
        """The same invoice once more, under another number and void; without one, an empty one that charges nothing."""
        whole = invoice or self.invoice([])
        return {**whole, "jnid": self.name("void"), "number": self.name("void"), "is_active": False}
