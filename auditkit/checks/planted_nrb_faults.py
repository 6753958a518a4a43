"""The faults that the self-test plants for the rules about NRBs themselves: their documents, prices and fields.

Each function makes the fault of one rule, and records close to it on which the rule must stay silent. Amounts and days
are just beyond the thresholds of the audit, and exactly on them.

Not here: NRBs and the lines that charge for them (`planted_billing_faults.py`), and how a record is made
(`clean_records.py`).
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

from auditkit.checks.clean_records import CENT, UNMARKED, Body, CleanRecords, OutOfReach, PlantedFault

__all__ = ["FAULTS"]

_PEERS = 20  # so many that two odd ones are fewer than one in ten
_TEN_PERCENT = Decimal("1.1")


def _guids(*nrbs: Body) -> tuple[str, ...]:
    return tuple(nrb["nrbGuid"] for nrb in nrbs)


def _copies(*nrbs: Body) -> tuple[str, ...]:
    """Of NRBs of one day: all but the first by guid."""
    return tuple(sorted(_guids(*nrbs))[1:])


def _together(clean: CleanRecords, nrbs: Sequence[Body], **changes: Any) -> Body:  # noqa: ANN401 - JSON
    """An invoice with a single line for all of them, so that none of them is on a line of its own."""
    total = sum((Decimal(nrb["nrbTotalAfterMarkup"]) for nrb in nrbs), Decimal(0))
    return clean.invoice([{**clean.fee(total, " ".join(_guids(*nrbs))), "item_type": "material"}], **changes)


def _total_mismatch(clean: CleanRecords) -> PlantedFault:
    faulty = clean.nrb("faulty", 100 + clean.beyond, nrbRate="100.00")
    near = clean.nrb("near", 100 + clean.within, nrbRate="100.00")
    unpriced, uncounted = clean.nrb("unpriced", nrbRate=None), clean.nrb("uncounted", nrbQuantity=None)
    nrbs = [faulty, near, unpriced, uncounted]
    return PlantedFault(
        f"an NRB of 1 at 100.00 whose total is {100 + clean.beyond}; one of {100 + clean.within}, and two without rate"
        " or quantity",
        _guids(faulty),
        nrbs,
        [clean.bill(*nrbs)],
        also={"nrb-missing-key": _guids(unpriced, uncounted)},
    )


def _no_markup(clean: CleanRecords) -> PlantedFault:
    """Three vendors: enough of the others carry a markup; one too few; enough, but no majority."""
    peers, total = max(clean.count("min_peers"), 1), clean.large

    def items(vendor: str, marked: int, unmarked: int) -> list[Body]:
        own: Body = {"nrbVendorCode": clean.name(vendor), "nrbTypeName": clean.name(vendor)}
        ten_percent = {**own, "nrbRate": str(total), "nrbUpcharge": "10"}
        return [
            *(clean.nrb(f"{vendor}-unmarked-{number}", total, **own) for number in range(unmarked)),
            *(clean.nrb(f"{vendor}-marked-{number}", total * _TEN_PERCENT, **ten_percent) for number in range(marked)),
        ]

    enough, few, half = items("enough", peers, 1), items("few", peers - 1, 2), items("half", peers, peers + 1)
    nrbs = [*enough, *few, *half]
    cost: Body = {"nrbVendorCode": clean.name("enough"), **UNMARKED}
    own = clean.internal_and_billable("internal", **cost)
    return PlantedFault(
        f"an NRB without markup beside {peers} of its vendor with one; beside {peers - 1}, and beside as many without",
        _guids(enough[0]),
        [*nrbs, own, clean.not_billable("not-billable", **cost)],
        [clean.bill(*nrbs)],
        also={"nrb-class-contradiction": _guids(own)},
    )


def _markup_odd(clean: CleanRecords) -> PlantedFault:
    """Beside peers, one too few, and against a row of markup.csv."""
    peers, total = max(clean.count("min_peers"), 1), clean.large

    def bought(part: str, vendor: str, percent: int) -> Body:
        after = total * (100 + percent) / 100
        return clean.nrb(part, after, nrbRate=str(total), nrbUpcharge=str(percent), nrbVendorCode=clean.name(vendor))

    usual = [bought(f"usual-{number}", "enough", 10) for number in range(peers)]
    odd = bought("odd", "enough", 15)
    few = [bought(f"few-{number}", "few", 10) for number in range(peers - 1)]
    near = bought("near", "few", 15)
    agreed, kept = bought("agreed", "contract", 15), bought("kept", "contract", 8)
    nrbs = [*usual, odd, *few, near, agreed, kept]
    return PlantedFault(
        f"an NRB with 15 % beside {peers} of its vendor with 10 %, and one where markup.csv gives 8 %; one beside"
        f" {peers - 1}",
        _guids(odd, agreed),
        nrbs,
        [clean.bill(*nrbs)],
        markups=[(clean.name("contract"), None, "8")],
    )


def _price_odd(clean: CleanRecords) -> PlantedFault:
    count, factor = max(clean.count("min_peers"), _PEERS), Decimal(str(clean.values[clean.rule]["factor"]))
    limit = (10 * factor).quantize(CENT, ROUND_CEILING)

    def bought(part: str, rate: Decimal, name: str = "Sand") -> Body:
        return clean.nrb(part, rate, nrbName=clean.name(name))

    usual = [bought(f"usual-{number}", Decimal(10)) for number in range(count)]
    faulty, other = bought("faulty", limit + CENT), bought("other", limit + CENT, "Crane")
    near = {**bought("near", (10 * factor).quantize(CENT)), "nrbRate": str(10 * factor)}
    nrbs = [*usual, faulty, near, other]
    return PlantedFault(
        f"an NRB with a rate of {limit + CENT} beside {count} of its name with 10.00; one of {10 * factor}, and one of"
        " another name",
        _guids(faulty),
        nrbs,
        [clean.bill(*nrbs)],
    )


def _split(clean: CleanRecords) -> PlantedFault:
    limit, days = Decimal(str(clean.values[clean.rule]["limit"])), clean.whole("days")
    half = (limit / 2).quantize(CENT, ROUND_CEILING)
    if limit <= 0 or half >= limit:
        raise OutOfReach(f"limit = {limit} switches the rule off")
    if days < 0:
        raise OutOfReach(f"no two NRBs are at most {days} days apart")
    earlier, today = clean.span(days)

    def bought(part: str, day: date, vendor: str, amount: Decimal = half) -> Body:
        return clean.nrb(part, amount, nrbVendorCode=clean.name(vendor), nrbCreatedAt=clean.milliseconds(day))

    first, last = bought("first", earlier, "vendor"), bought("last", today, "vendor")
    near = [bought("small", earlier, "small", half - CENT), bought("small-later", today, "small")]
    with contextlib.suppress(OutOfReach):  # so long ago that there is no such record
        too_early, _ = clean.span(days + 1)
        near += [bought("far", too_early, "far"), bought("far-later", today, "far")]
    nrbs = [first, last, *near]
    faulty = (last,) if days > 0 else (max(first, last, key=lambda nrb: str(nrb["nrbGuid"])),)
    return PlantedFault(
        f"two NRBs of {half} from one vendor, {days} days apart; others further apart, or one below half of the limit",
        _guids(*faulty),
        nrbs,
        [clean.bill(*nrbs)],
    )


def _class_contradiction(clean: CleanRecords) -> PlantedFault:
    faulty = clean.nrb("faulty", nrbAccountType="Overhead")
    return PlantedFault("a billable NRB of the account type Overhead", _guids(faulty), [faulty], [clean.bill(faulty)])


def _parent_mismatch(clean: CleanRecords) -> PlantedFault:
    items = [clean.nrb("first", "60.00"), clean.nrb("second", "40.00")]
    near_items = [clean.nrb("third", "60.00"), clean.nrb("fourth", "40.00")]
    faulty, *_ = receipt = clean.receipt("faulty", items, nrbTotalAfterMarkup=str(100 + clean.beyond))
    near = clean.receipt("near", near_items, nrbTotalAfterMarkup=str(100 + clean.within))
    return PlantedFault(
        f"a receipt of {100 + clean.beyond} with items of 100.00; one of {100 + clean.within}",
        _guids(faulty),
        [*receipt, *near],
        [clean.bill(*items, *near_items)],
    )


def _duplicate(clean: CleanRecords) -> PlantedFault:
    days = clean.whole("days")
    if days < 0:
        raise OutOfReach(f"no two NRBs are at most {days} days apart")
    earlier, today = clean.span(days)
    amount = clean.least("min_amount")

    def nrb(part: str, total: Decimal, number: str, day: date = today, **changes: Any) -> Body:  # noqa: ANN401 - JSON
        return clean.nrb(
            part, total, nrbInvoiceNumber=clean.name(number), nrbCreatedAt=clean.milliseconds(day), **changes
        )

    first, copy = nrb("first", amount, "AP-77", earlier), nrb("second", amount, "ap 77")
    other_vendor: Body = {"nrbVendorCode": clean.name("other")}
    near = [
        nrb("other-amount", amount + 1, "AP-77"),
        nrb("other-number", amount, "BQ-95"),
        nrb("other-vendor", amount, "AP-77", today + timedelta(1), **other_vendor),
        clean.nrb("no-number", amount, nrbInvoiceNumber="N/A"),
        clean.nrb("no-number-too", amount + 2, nrbInvoiceNumber="N/A"),
    ]
    if clean.money("min_amount") > 0:
        near += [nrb("small", amount - CENT, "small"), nrb("small-again", amount - CENT, "small")]
    items = [nrb("item", amount + 60, "receipt"), nrb("same-item", amount + 60, "receipt")]
    every = [first, copy, *near]
    return PlantedFault(
        f"two NRBs of one vendor, invoice number and cost, {days} days apart; others of which one of these differs, and"
        " two equal items of one receipt",
        _copies(first, copy) if days == 0 else _guids(copy),
        [*every, *clean.receipt("receipt", items)],
        [_together(clean, [*every, *items])],
    )


def _duplicate_near(clean: CleanRecords) -> PlantedFault:
    days = clean.whole("days")
    if days < 0:
        raise OutOfReach(f"no two NRBs are at most {days} days apart")
    earlier, today = clean.span(days)
    amount = clean.least("min_amount")

    def nrb(part: str, number: str, day: date = today, total: Decimal = amount, vendor: str = "vendor") -> Body:
        code, created = clean.name(vendor), clean.milliseconds(day)
        return clean.nrb(part, total, nrbInvoiceNumber=clean.name(number), nrbVendorCode=code, nrbCreatedAt=created)

    first, copy = nrb("first", "AP-007", earlier), nrb("second", "AP-7")
    near = [
        nrb("other-amount", "AP-0007", total=amount + 1),
        nrb("other-vendor", "AP-00007", vendor="second"),
        nrb("other-number", "BQ-95"),
        nrb("elsewhere", "XY-4", earlier, vendor="third"),
        nrb("elsewhere-later", "XY-4", today + timedelta(1), vendor="fourth"),
        nrb("elsewhere-dearer", "XY-4", earlier, amount + 1, "fifth"),
    ]
    with contextlib.suppress(OutOfReach, OverflowError):  # so long ago that there is no such record
        near.append(nrb("other-day", "AP-07", clean.day(earlier - timedelta(days + 1))))
    if clean.money("min_amount") > 0:
        near += [nrb("small", "SM-5", total=amount - CENT), nrb("small-again", "SM-05", total=amount - CENT)]
    items = [nrb("item", "CZ-1", total=amount + 60), nrb("zero-item", "CZ-01", total=amount + 60)]
    split = [nrb("split", "DW-1", total=amount + 70), nrb("split-vendor", "DW-1", total=amount + 70, vendor="second")]
    every = [first, copy, *near]
    return PlantedFault(
        f"two NRBs of one vendor and cost, {days} days apart, numbered AP-7 and AP-007; others further apart",
        _copies(first, copy) if days == 0 else _guids(copy),
        [*every, *clean.receipt("receipt", items), *clean.receipt("shared", split)],
        [_together(clean, [*every, *items, *split])],
    )


def _duplicate_unnumbered(clean: CleanRecords) -> PlantedFault:
    amount, another_day = clean.least("min_amount"), clean.milliseconds(clean.span(1)[0])
    cash: Body = {"nrbInvoiceNumber": "CASH"}
    first, second = clean.nrb("first", amount, **cash), clean.nrb("second", amount, **{"nrbInvoiceNumber": None})
    near = [
        clean.nrb("other-amount", amount + 1, **cash),
        clean.nrb("other-vendor", amount, **cash, nrbVendorCode=clean.name("other")),
        clean.nrb("other-type", amount, **cash, nrbTypeName=clean.name("other")),
        clean.nrb("other-day", amount, **cash, nrbCreatedAt=another_day),
        clean.nrb("other-job", amount, **cash, nrbJobOrderNumber=clean.name("other")),
        clean.nrb("numbered", amount),
    ]
    if clean.money("min_amount") > 0:
        near += [clean.nrb(part, amount - CENT, **cash) for part in ("small", "small-again")]
    items = [clean.nrb("item", amount + 60, **cash), clean.nrb("same-item", amount + 60, **cash)]
    lines = [clean.nrb("line", amount + 70, **cash), clean.nrb("other-line", amount + 70, **cash)]
    every = [first, second, *near, *items]
    invoice = _together(clean, every)
    separate = clean.bill(*lines, part="separate")
    return PlantedFault(
        "two NRBs of one vendor, day and cost without a number; others of which one of these differs, and two that are"
        " each on an invoice line of their own",
        _copies(first, second),
        [first, second, *near, *clean.receipt("receipt", items), *lines],
        [{**invoice, **clean.on_job("job", "other")}, separate],
    )


def _missing_key(clean: CleanRecords) -> PlantedFault:
    faulty = clean.nrb("faulty", nrbVendorCode=None)
    return PlantedFault("an NRB without a vendor", _guids(faulty), [faulty], [clean.bill(faulty)])


def _nonpositive(clean: CleanRecords) -> PlantedFault:
    cost, credit = clean.nrb("cost"), clean.nrb("credit", "-10.00")
    return PlantedFault("a credit of 10.00", _guids(credit), [cost, credit], [clean.bill(cost, credit)])


def _entered(clean: CleanRecords, part: str, days: int) -> Body:
    """An NRB entered so many days after its vendor's invoice."""
    first, last = clean.span(days)
    return clean.nrb(part, nrbInvoiceDate=clean.milliseconds(first), nrbCreatedAt=clean.milliseconds(last))


def _date_odd(clean: CleanRecords) -> PlantedFault:
    days = clean.whole("days")
    late, most = clean.whole("days", "nrb-late-cost"), clean.whole("most_days", "nrb-late-cost")
    faulty = _entered(clean, "faulty", days + 1)
    near = [_entered(clean, "near", days)] if days >= 0 else []
    return PlantedFault(
        f"an NRB entered {days + 1} days after its vendor's invoice; one {days} days after",
        _guids(faulty),
        [faulty, *near],
        [clean.bill(faulty, *near)],
        also={
            "nrb-late-cost": [
                *(_guids(faulty) if late < days + 1 <= most else ()),
                *(_guids(*near) if late < days <= most else ()),
            ]
        },
    )


def _late_cost(clean: CleanRecords) -> PlantedFault:
    days, most = clean.whole("days"), clean.whole("most_days")
    if days + 1 > most:
        raise OutOfReach(f"no cost is more than {days} and at most {most} days late")
    odd = clean.whole("days", "nrb-date-odd")
    apart = {"faulty": days + 1, "later": most + 1, **({"near": days} if days >= 0 else {})}
    nrbs = [_entered(clean, part, number) for part, number in apart.items()]
    return PlantedFault(
        f"an NRB entered {days + 1} days after its vendor's invoice; one {days} days and one {most + 1} days after it",
        _guids(nrbs[0]),
        nrbs,
        [clean.bill(*nrbs)],
        also={"nrb-date-odd": [clean.name(part) for part, number in apart.items() if number > odd]},
    )


def _hidden_text(clean: CleanRecords) -> PlantedFault:
    hidden: Body = {"nrbPONumber": clean.name("PO\u200b"), "nrbExternalId": clean.name("id\u200b")}
    faulty, accent = clean.nrb("faulty", **hidden), clean.nrb("accent", nrbPONumber=clean.name("Montréal"))
    return PlantedFault(
        "an NRB with a zero-width space in its PO and its external id; one with an accent",
        _guids(faulty),
        [faulty, accent],
        [clean.bill(faulty, accent)],
    )


FAULTS: Mapping[str, Callable[[CleanRecords], PlantedFault]] = {
    "nrb-class-contradiction": _class_contradiction,
    "nrb-date-odd": _date_odd,
    "nrb-duplicate": _duplicate,
    "nrb-duplicate-near": _duplicate_near,
    "nrb-duplicate-unnumbered": _duplicate_unnumbered,
    "nrb-hidden-text": _hidden_text,
    "nrb-late-cost": _late_cost,
    "nrb-markup-odd": _markup_odd,
    "nrb-missing-key": _missing_key,
    "nrb-no-markup": _no_markup,
    "nrb-nonpositive": _nonpositive,
    "nrb-parent-mismatch": _parent_mismatch,
    "nrb-price-odd": _price_odd,
    "nrb-split": _split,
    "nrb-total-mismatch": _total_mismatch,
}
