"""What the self-test plants for the rules about NRBs.

Each function gives the fault of one rule and what is so near to it that it must stay silent. Amounts and days lie just
beyond the thresholds of the audit, and exactly on them. What a fault brings with it in other rules is said in `also`:
cost on no invoice, say, also bends its job's variance.

Not here: what a record is made of (`ground.py`).
"""

import contextlib
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from auditkit.checks.clean_records import CENT, Body, Ground, OutOfReach, Plant

__all__ = ["PLANTS"]

_UNMARKED: Mapping[str, Any] = {"nrbBilledInName": None}
_UNEXPORTED: Mapping[str, Any] = {"nrbIsExported": False}


def _guids(*nrbs: Body) -> tuple[str, ...]:
    return tuple(nrb["nrbGuid"] for nrb in nrbs)


def _unbilled(g: Ground) -> Plant:
    limit = g.money("min_amount")
    amount = max(limit, Decimal(0)) + CENT
    faulty = g.nrb("faulty", amount, **_UNMARKED, **_UNEXPORTED)
    small = [g.nrb("small", limit, **_UNMARKED, **_UNEXPORTED)] if limit >= 0 else []
    return Plant(
        f"a billable NRB of {amount} that no invoice carries; one of {limit}",
        _guids(faulty),
        [faulty, *small],
        [g.void()],
        also={"job-variance": [g.job], "nrb-unexported": _guids(faulty, *small)},
    )


def _exported_unbilled(g: Ground) -> Plant:
    """What is beyond the threshold of nrb-unbilled fires there, too."""
    limit, other = g.money("min_amount"), g.money("min_amount", "nrb-unbilled")
    amount = max(limit, Decimal(0)) + CENT
    faulty = g.nrb("faulty", amount, **_UNMARKED)
    small = [g.nrb("small", limit, **_UNMARKED)] if limit >= 0 else []
    return Plant(
        f"an exported NRB of {amount} that no invoice carries; one of {limit}",
        _guids(faulty),
        [faulty, *small],
        [g.void()],
        also={
            "job-variance": [g.job],
            "nrb-unbilled": [*(_guids(faulty) if amount > other else ()), *(_guids(*small) if limit > other else ())],
        },
    )


def _unexported(g: Ground) -> Plant:
    faulty = g.internal("faulty", **_UNMARKED, **_UNEXPORTED)
    return Plant("an internal NRB that is not exported", _guids(faulty), [faulty])


def _billed_unexported(g: Ground) -> Plant:
    faulty = g.nrb("faulty", **_UNEXPORTED)
    return Plant(
        "an NRB that is billed, but not exported",
        _guids(faulty),
        [faulty],
        [g.bill(faulty)],
        also={"nrb-unexported": _guids(faulty)},
    )


def _billed_not_found(g: Ground) -> Plant:
    nowhere = {"nrbBilledInName": g.name("nowhere")}
    faulty = g.nrb("faulty", 100 + g.within, **nowhere, **_UNEXPORTED)
    carried = g.nrb("carried", **nowhere)
    own, goodwill = g.internal_and_billable("internal", **nowhere), g.not_billable("not-billable", **nowhere)
    return Plant(
        "an NRB marked as billed on an invoice that does not exist; one whose line is there all the same",
        _guids(faulty),
        [faulty, carried, own, goodwill],
        [g.bill(carried)],
        also={
            "job-variance": [g.job],
            "nrb-unexported": _guids(faulty),
            "nrb-billed-not-billable": _guids(own, goodwill),
            "nrb-class-contradiction": _guids(own),
        },
    )


def _line_not_found(g: Ground) -> Plant:
    void = g.void()
    faulty, carried = g.nrb("faulty", 100 + g.beyond), g.nrb("carried")
    voided = g.nrb("voided", nrbBilledInName=void["number"])
    own, goodwill = g.internal_and_billable("internal"), g.not_billable("not-billable")
    return Plant(
        "an NRB marked as billed on an invoice none of whose lines carries it; others whose invoice is void, or that"
        " nobody is charged for",
        _guids(faulty),
        [faulty, carried, voided, own, goodwill],
        [g.bill(carried), void],
        also={
            "job-variance": [g.job],
            "nrb-billed-on-void": _guids(voided),
            "nrb-billed-not-billable": _guids(own, goodwill),
            "nrb-class-contradiction": _guids(own),
        },
    )


def _billed_on_void(g: Ground) -> Plant:
    """The line is off by more than may be: no rule about issued invoices may look at it."""
    faulty, again = g.nrb("faulty", **_UNMARKED), g.nrb("again", nrbJobOrderNumber=g.name("other"))
    own, goodwill = g.internal_and_billable("internal"), g.not_billable("not-billable")
    charged = {"price": str(100 + g.beyond), "amount": str(100 + g.beyond)}
    lines = [g.line(nrb, **charged) for nrb in (faulty, own, goodwill)]
    related = [{"type": "job", "number": g.name("other")}]
    return Plant(
        "an NRB on a void invoice; one that was issued again, and two that nobody is charged for",
        _guids(faulty),
        [faulty, again, own, goodwill],
        [g.invoice(lines, is_active=False), g.bill(again, part="issued-again", related=related)],
        also={
            "job-variance": [g.job],
            "nrb-billed-not-billable": _guids(own, goodwill),
            "nrb-class-contradiction": _guids(own),
        },
    )


def _invoiced_not_marked(g: Ground) -> Plant:
    faulty, own = g.nrb("faulty", **_UNMARKED, **_UNEXPORTED), g.internal("internal", **_UNMARKED)
    return Plant(
        "an NRB on an invoice that Aimsio does not mark as billed; an internal one on a void invoice",
        _guids(faulty),
        [faulty, own],
        [g.bill(faulty), g.void(g.bill(own))],
        also={"nrb-unexported": _guids(faulty), "nrb-billed-not-billable": _guids(own)},
    )


def _billed_not_billable(g: Ground) -> Plant:
    faulty, office = g.internal("faulty"), g.internal("office", **_UNMARKED)
    return Plant("an internal NRB marked as billed, and one that is not", _guids(faulty), [faulty, office])


def _total_mismatch(g: Ground) -> Plant:
    faulty = g.nrb("faulty", 100 + g.beyond, nrbRate="100.00")
    near = g.nrb("near", 100 + g.within, nrbRate="100.00")
    unpriced, uncounted = g.nrb("unpriced", nrbRate=None), g.nrb("uncounted", nrbQuantity=None)
    nrbs = [faulty, near, unpriced, uncounted]
    return Plant(
        f"an NRB of 1 at 100.00 whose total is {100 + g.beyond}; one of {100 + g.within}, and two without rate or"
        " quantity",
        _guids(faulty),
        nrbs,
        [g.bill(*nrbs)],
        also={"nrb-missing-key": _guids(unpriced, uncounted)},
    )


def _no_markup(g: Ground) -> Plant:
    """Three vendors: enough of the others carry a mark-up; one too few; enough, but no majority."""
    peers = max(g.count("min_peers"), 1)

    def items(vendor: str, marked: int, unmarked: int) -> list[Body]:
        own: Body = {"nrbVendorCode": g.name(vendor), "nrbTypeName": g.name(vendor)}
        ten_percent = {**own, "nrbRate": "100.00", "nrbUpcharge": "10"}
        return [
            *(g.nrb(f"{vendor}-unmarked-{number}", **own) for number in range(unmarked)),
            *(g.nrb(f"{vendor}-marked-{number}", "110.00", **ten_percent) for number in range(marked)),
        ]

    enough, few, half = items("enough", peers, 1), items("few", peers - 1, 2), items("half", peers, peers + 1)
    nrbs = [*enough, *few, *half]
    cost: Body = {"nrbVendorCode": g.name("enough"), **_UNMARKED}
    own = g.internal_and_billable("internal", **cost)
    return Plant(
        f"an NRB without mark-up beside {peers} of its vendor with one; beside {peers - 1}, and beside as many without",
        _guids(enough[0]),
        [*nrbs, own, g.not_billable("not-billable", **cost)],
        [g.bill(*nrbs)],
        also={"nrb-class-contradiction": _guids(own)},
    )


def _class_contradiction(g: Ground) -> Plant:
    faulty = g.nrb("faulty", nrbAccountType="Overhead")
    return Plant("a billable NRB of the account type Overhead", _guids(faulty), [faulty], [g.bill(faulty)])


def _parent_mismatch(g: Ground) -> Plant:
    items = [g.nrb("first", "60.00"), g.nrb("second", "40.00")]
    near_items = [g.nrb("third", "60.00"), g.nrb("fourth", "40.00")]
    faulty, *_ = receipt = g.receipt("faulty", items, nrbTotalAfterMarkup=str(100 + g.beyond))
    near = g.receipt("near", near_items, nrbTotalAfterMarkup=str(100 + g.within))
    return Plant(
        f"a receipt of {100 + g.beyond} with items of 100.00; one of {100 + g.within}",
        _guids(faulty),
        [*receipt, *near],
        [g.bill(*items, *near_items)],
    )


def _duplicate(g: Ground) -> Plant:
    another_day, _ = g.span(1)
    number = {"nrbInvoiceNumber": g.name("AP-77")}
    amount, small = g.least("min_amount"), {"nrbInvoiceNumber": g.name("small")}
    first, again = g.nrb("first", amount, **number), g.nrb("again", amount, nrbInvoiceNumber=g.name("ap 77"))
    other_vendor: Body = {"nrbVendorCode": g.name("other"), "nrbCreatedAt": g.milliseconds(another_day)}
    near = [
        g.nrb("other-amount", amount + 1, **number),
        g.nrb("other-number", amount, nrbInvoiceNumber=g.name("BQ-95")),
        g.nrb("other-vendor", amount, **number, **other_vendor),
        g.nrb("no-number", amount),
    ]
    if g.money("min_amount") > 0:
        near += [g.nrb("small", amount - CENT, **small), g.nrb("small-again", amount - CENT, **small)]
    dearer = amount + 60
    shared = {"nrbInvoiceNumber": g.name("receipt")}
    items = [g.nrb("item", dearer, **shared), g.nrb("same-item", dearer, **shared)]
    near += [
        g.nrb("as-item", dearer + 1, **shared),
        g.nrb("as-item-numbered", dearer, nrbInvoiceNumber=g.name("BQ-96-b")),
        g.nrb("as-item-elsewhere", dearer, **shared, **other_vendor),
    ]
    return Plant(
        "two NRBs of one vendor, invoice number and amount; others of which one of these differs, and two equal items"
        " of one receipt",
        _guids(first, again),
        [first, again, *near, *g.receipt("receipt", items)],
        [g.bill(first, again, *near, *items)],
    )


def _duplicate_near(g: Ground) -> Plant:
    days = g.whole("days")
    if days < 0:
        raise OutOfReach(f"no two NRBs are at most {days} days apart")
    earlier, today = g.span(days)
    amount = g.least("min_amount")

    def nrb(part: str, number: str, day: date = today, total: Decimal = amount, vendor: str = "vendor") -> Body:
        code, created = g.name(vendor), g.milliseconds(day)
        return g.nrb(part, total, nrbInvoiceNumber=g.name(number), nrbVendorCode=code, nrbCreatedAt=created)

    first, again = nrb("first", "AP-7"), nrb("again", "AP-007", earlier)
    near = [
        nrb("other-amount", "AP-0007", total=amount + 1),
        nrb("other-vendor", "AP-00007", vendor="second"),
        nrb("other-number", "BQ-95"),
        nrb("elsewhere", "XY-4", earlier, vendor="third"),
        nrb("elsewhere-later", "XY-4", today + timedelta(1), vendor="fourth"),
        nrb("elsewhere-dearer", "XY-4", earlier, amount + 1, "fifth"),
    ]
    with contextlib.suppress(OutOfReach, OverflowError):  # so long ago that there is no such record
        near.append(nrb("other-day", "AP-07", g.day(earlier - timedelta(days + 1))))
    if g.money("min_amount") > 0:
        near += [nrb("small", "SM-5", total=amount - CENT), nrb("small-again", "SM-05", total=amount - CENT)]
    items = [nrb("item", "CZ-1", total=amount + 60), nrb("zero-item", "CZ-01", total=amount + 60)]
    split = [nrb("split", "DW-1", total=amount + 70), nrb("split-vendor", "DW-1", total=amount + 70, vendor="second")]
    return Plant(
        f"two NRBs of one vendor and amount, {days} days apart, numbered AP-7 and AP-007; others further apart",
        _guids(first, again),
        [first, again, *near, *g.receipt("receipt", items), *g.receipt("shared", split)],
        [g.bill(first, again, *near, *items, *split)],
    )


def _missing_key(g: Ground) -> Plant:
    faulty = g.nrb("faulty", nrbVendorCode=None)
    return Plant("an NRB without a vendor", _guids(faulty), [faulty], [g.bill(faulty)])


def _nonpositive(g: Ground) -> Plant:
    cost, credit = g.nrb("cost"), g.nrb("credit", "-10.00")
    return Plant("a credit of 10.00", _guids(credit), [cost, credit], [g.bill(cost, credit)])


def _date_odd(g: Ground) -> Plant:
    days = g.whole("days")

    def entered(part: str, days: int) -> Body:
        first, last = g.span(days)
        return g.nrb(part, nrbInvoiceDate=g.milliseconds(first), nrbCreatedAt=g.milliseconds(last))

    faulty = entered("faulty", days + 1)
    near = [entered("near", days)] if days >= 0 else []
    return Plant(
        f"an NRB entered {days + 1} days after its vendor's invoice; one {days} days after",
        _guids(faulty),
        [faulty, *near],
        [g.bill(faulty, *near)],
    )


def _cutoff(g: Ground) -> Plant:
    days = g.whole("days")

    def invoiced(part: str, days: int) -> tuple[Body, Body]:
        first, last = g.span(days)
        job = {"nrbJobOrderNumber": g.name(f"{part}-job")}
        cost = g.nrb(part, **job, nrbBilledInName=g.name(f"{part}-invoice"), nrbCreatedAt=g.milliseconds(first))
        related = [{"type": "job", "number": cost["nrbJobOrderNumber"]}]
        return cost, g.bill(cost, part=f"{part}-invoice", date_invoice=g.seconds(last), related=related)

    faulty, invoice = invoiced("faulty", days + 1)
    voided, void = invoiced("voided", days + 1)
    near, near_invoice = invoiced("near", max(days, 0))
    return Plant(
        f"an NRB invoiced {days + 1} days after it was bought; one {days} days after, and one on a void invoice",
        _guids(faulty),
        [faulty, voided, *([near] if days >= 0 else [])],
        [invoice, {**void, "is_active": False}, *([near_invoice] if days >= 0 else [])],
        also={"nrb-billed-on-void": _guids(voided), "job-variance": [voided["nrbJobOrderNumber"]]},
    )


def _hidden_text(g: Ground) -> Plant:
    hidden: Body = {"nrbPONumber": g.name("PO\u200b"), "nrbExternalId": g.name("id\u200b")}
    faulty, accent = g.nrb("faulty", **hidden), g.nrb("accent", nrbPONumber=g.name("Montréal"))
    return Plant(
        "an NRB with a zero-width space in its PO and its external id; one with an accent",
        _guids(faulty),
        [faulty, accent],
        [g.bill(faulty, accent)],
    )


PLANTS: Mapping[str, Callable[[Ground], Plant]] = {
    "nrb-billed-not-billable": _billed_not_billable,
    "nrb-billed-not-found": _billed_not_found,
    "nrb-billed-on-void": _billed_on_void,
    "nrb-billed-unexported": _billed_unexported,
    "nrb-class-contradiction": _class_contradiction,
    "nrb-cutoff": _cutoff,
    "nrb-date-odd": _date_odd,
    "nrb-duplicate": _duplicate,
    "nrb-duplicate-near": _duplicate_near,
    "nrb-exported-unbilled": _exported_unbilled,
    "nrb-hidden-text": _hidden_text,
    "nrb-invoiced-not-marked": _invoiced_not_marked,
    "nrb-line-not-found": _line_not_found,
    "nrb-missing-key": _missing_key,
    "nrb-no-markup": _no_markup,
    "nrb-nonpositive": _nonpositive,
    "nrb-parent-mismatch": _parent_mismatch,
    "nrb-total-mismatch": _total_mismatch,
    "nrb-unbilled": _unbilled,
    "nrb-unexported": _unexported,
}
