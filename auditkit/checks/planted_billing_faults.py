"""The faults that the self-test plants for the rules about NRBs and the invoice lines that charge for them.

Each function makes the fault of one rule, and records close to it on which the rule must stay silent. Amounts and days
are just beyond the thresholds of the audit, and exactly on them.

Not here: how a record is made (`clean_records.py`).
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from auditkit.checks.clean_records import CENT, UNMARKED, Body, CleanRecords, PlantedFault

__all__ = ["FAULTS"]

_UNEXPORTED: Mapping[str, Any] = {"nrbIsExported": False}


def _guids(*nrbs: Body) -> tuple[str, ...]:
    return tuple(nrb["nrbGuid"] for nrb in nrbs)


def _charging(clean: CleanRecords, nrb: Body, *amounts: Decimal) -> list[Body]:
    """Lines that name an NRB, one for each amount."""
    return [clean.line(nrb, price=str(amount), amount=str(amount)) for amount in amounts]


def _unbilled(clean: CleanRecords) -> PlantedFault:
    limit = clean.money("min_amount")
    amount = max(limit, Decimal(0)) + CENT
    days = max(clean.whole("days"), 0)
    due = {**UNMARKED, **_UNEXPORTED, "nrbCreatedAt": clean.milliseconds(clean.ago(days))}
    faulty = clean.nrb("faulty", amount, **due)
    near = [clean.nrb("small", limit, **due)] if limit >= 0 else []
    if days:
        near.append(clean.nrb("young", amount, **{**due, "nrbCreatedAt": clean.milliseconds(clean.ago(days - 1))}))
    return PlantedFault(
        f"a billable NRB of {amount}, {days} days old, that is on no invoice; one of {limit}, and a younger one",
        _guids(faulty),
        [faulty, *near],
        [clean.void()],
        also={"nrb-unexported": _guids(faulty, *near)},
    )


def _exported_unbilled(clean: CleanRecords) -> PlantedFault:
    """What is beyond the threshold of nrb-unbilled fires there, too."""
    limit, other = clean.money("min_amount"), clean.money("min_amount", "nrb-unbilled")
    amount = max(limit, Decimal(0)) + CENT
    faulty = clean.nrb("faulty", amount, **UNMARKED)
    small = [clean.nrb("small", limit, **UNMARKED)] if limit >= 0 else []
    found = [*(_guids(faulty) if amount > other else ()), *(_guids(*small) if limit > max(other, Decimal(0)) else ())]
    return PlantedFault(
        f"an exported NRB of {amount} that is on no invoice; one of {limit}",
        _guids(faulty),
        [faulty, *small],
        [clean.void()],
        also={"nrb-unbilled": found},
    )


def _unexported(clean: CleanRecords) -> PlantedFault:
    days = max(clean.whole("days"), 0)
    faulty, *younger = (
        clean.internal(part, **UNMARKED, **_UNEXPORTED, nrbCreatedAt=clean.milliseconds(clean.ago(age)))
        for part, age in (("faulty", days), ("young", days - 1))
        if age >= 0
    )
    return PlantedFault(
        f"an internal NRB, {days} days old, that is not exported; a younger one", _guids(faulty), [faulty, *younger]
    )


def _billed_unexported(clean: CleanRecords) -> PlantedFault:
    faulty, voided = clean.nrb("faulty", **_UNEXPORTED), clean.internal("voided", **UNMARKED, **_UNEXPORTED)
    return PlantedFault(
        "an NRB that is billed, but not exported; one on a void invoice",
        _guids(faulty),
        [faulty, voided],
        [clean.bill(faulty), clean.void(clean.bill(voided))],
        also={"nrb-unexported": _guids(faulty, voided)},
    )


def _billed_not_found(clean: CleanRecords) -> PlantedFault:
    nowhere = {"nrbBilledInName": clean.name("nowhere")}
    faulty = clean.nrb("faulty", **nowhere, **_UNEXPORTED)
    carried = clean.nrb("carried", **nowhere)
    own, goodwill = clean.internal_and_billable("internal", **nowhere), clean.not_billable("not-billable", **nowhere)
    return PlantedFault(
        "an NRB marked as billed on an invoice that does not exist; one that a line of another invoice names",
        _guids(faulty),
        [faulty, carried, own, goodwill],
        [clean.bill(carried)],
        also={
            "nrb-unexported": _guids(faulty),
            "nrb-billed-not-billable": _guids(own, goodwill),
            "nrb-class-contradiction": _guids(own),
        },
    )


def _line_not_found(clean: CleanRecords) -> PlantedFault:
    void = clean.void()
    faulty, carried = clean.nrb("faulty"), clean.nrb("carried")
    voided = clean.nrb("voided", nrbBilledInName=void["number"])
    own, goodwill = clean.internal_and_billable("internal"), clean.not_billable("not-billable")
    return PlantedFault(
        "an NRB marked as billed on an invoice none of whose lines carries it; others whose invoice is void, or that"
        " are not charged",
        _guids(faulty),
        [faulty, carried, voided, own, goodwill],
        [clean.bill(carried), void],
        also={
            "nrb-billed-on-void": _guids(voided),
            "nrb-billed-not-billable": _guids(own, goodwill),
            "nrb-class-contradiction": _guids(own),
        },
    )


def _billed_on_void(clean: CleanRecords) -> PlantedFault:
    faulty, again = clean.nrb("faulty", **UNMARKED), clean.nrb("again", nrbJobOrderNumber=clean.name("other"))
    own, goodwill = clean.internal_and_billable("internal"), clean.not_billable("not-billable")
    return PlantedFault(
        "an NRB on a void invoice; one that was issued again, and two that are not charged",
        _guids(faulty),
        [faulty, again, own, goodwill],
        [clean.bill(faulty, own, goodwill, is_active=False), clean.bill(again, part="again", **clean.on_job("other"))],
        also={
            "nrb-billed-not-billable": _guids(own, goodwill),
            "nrb-class-contradiction": _guids(own),
        },
    )


def _on_draft(clean: CleanRecords) -> PlantedFault:
    days, status = clean.whole("days"), clean.draft_status
    faulty, near = clean.nrb("faulty", **UNMARKED), clean.nrb("near", **UNMARKED)
    old, young = (
        clean.bill(cost, part=part, status_name=status, date_invoice=clean.seconds(clean.ago(age)))
        for cost, part, age in ((faulty, "old", days + 1), (near, "young", days))
    )
    return PlantedFault(
        f"an NRB on a draft of {days + 1} days ago; one on a draft of {days} days ago",
        _guids(faulty),
        [faulty, near],
        [old, young],
    )


def _invoiced_not_marked(clean: CleanRecords) -> PlantedFault:
    faulty, own = clean.nrb("faulty", **UNMARKED, **_UNEXPORTED), clean.internal("internal", **UNMARKED)
    charged = clean.nrb("void", **UNMARKED)
    return PlantedFault(
        "an NRB on an invoice that Aimsio does not mark as billed; an internal one, and one on a void invoice",
        _guids(faulty),
        [faulty, own, charged],
        [clean.bill(faulty, own), clean.void(clean.bill(charged))],
        also={
            "nrb-unexported": _guids(faulty),
            "nrb-billed-unexported": _guids(faulty),
            "nrb-billed-not-billable": _guids(own) if clean.within < 100 else (),
            "nrb-billed-on-void": _guids(charged),
        },
    )


def _billed_not_billable(clean: CleanRecords) -> PlantedFault:
    faulty, office = clean.internal("faulty"), clean.internal("office", **UNMARKED)
    free = clean.nrb("free", "0.00", isInternal=True, nrbIsBillable=False, nrbAccountType="Overhead")
    return PlantedFault(
        "an internal NRB marked as billed; one that is not, and one of 0.00",
        _guids(faulty),
        [faulty, office, free],
    )


def _billed_by_amount(clean: CleanRecords) -> PlantedFault:
    faulty, named = clean.nrb("faulty", clean.facts.amount, **UNMARKED), clean.nrb("named")
    unnamed = clean.line(faulty, description="Third-party cost")
    return PlantedFault(
        f"an NRB of {clean.facts.amount} and a line of that amount that does not name it; one that its line names",
        _guids(faulty),
        [faulty, named],
        [clean.invoice([unnamed, clean.line(named)])],
        also={"nrb-invoiced-not-marked": _guids(faulty)},
    )


def _billed_part(clean: CleanRecords) -> PlantedFault:
    total, half = clean.large, clean.large / 2
    faulty, alone, near, shared = (clean.nrb(part, total) for part in ("faulty", "alone", "near", "shared"))
    lines = [
        *_charging(clean, faulty, half, half - clean.beyond),
        *_charging(clean, alone, half),
        *_charging(clean, near, half, half - clean.within),
        *_charging(clean, shared, total * Decimal("0.8")),
    ]
    return PlantedFault(
        f"an NRB of {total} that two lines charge for {clean.beyond} less, and one that a single line charges by half;"
        f" one off by {clean.within}, and one charged at 80 %",
        _guids(faulty, alone),
        [faulty, alone, near, shared],
        [clean.invoice(lines)],
        also={"line-amount-difference": [f"{clean.name('invoice')}/5"]},
    )


def _charged_twice(clean: CleanRecords) -> PlantedFault:
    faulty, once, voided = (
        clean.nrb("faulty", clean.large),
        clean.nrb("once", clean.large),
        clean.nrb("voided", clean.large),
    )
    half = clean.large / 2
    lines = [
        *_charging(clean, faulty, clean.large, clean.large),
        *_charging(clean, once, half, half),
        clean.line(voided),
    ]
    return PlantedFault(
        f"an NRB of {clean.large} that two lines charge in full; one charged by halves, and one on a void invoice, too",
        _guids(faulty),
        [faulty, once, voided],
        [clean.invoice(lines), clean.void(clean.bill(voided))],
    )


def _credited_back(clean: CleanRecords) -> PlantedFault:
    faulty, again = clean.nrb("faulty", clean.large), clean.nrb("again", clean.large)
    lines = [
        *_charging(clean, faulty, clean.large, -clean.large),
        *_charging(clean, again, clean.large, -clean.large, clean.large),
    ]
    return PlantedFault(
        "an NRB that one line charges and another credits; one that was charged again",
        _guids(faulty),
        [faulty, again],
        [clean.invoice(lines)],
    )


def _link_undecided(clean: CleanRecords) -> PlantedFault:
    """The rest of the job's lines is as much as both costs, so that the job as a whole is not found."""
    one, two = clean.nrb("one", clean.large), clean.nrb("two", clean.large)
    unnamed = clean.line(one, description="Third-party cost")
    return PlantedFault(
        "two NRBs of one amount, and one line of that amount on the invoice that both are marked with",
        _guids(one, two),
        [one, two],
        [clean.invoice([unnamed]), clean.invoice([clean.fee(clean.large)], "rest")],
    )


def _other_job(clean: CleanRecords) -> PlantedFault:
    away, marked = clean.nrb("away", **UNMARKED), clean.nrb("marked", nrbBilledInName=clean.name("other"))
    neighbor = clean.nrb("neighbor", nrbJobOrderNumber=clean.name("other"), nrbBilledInName=clean.name("other"))
    own = clean.nrb("own")
    other = clean.bill(away, marked, neighbor, part="other", **clean.on_job("other"))
    return PlantedFault(
        "an NRB that a line of another job's invoice names, and one marked with that invoice; one of its own job",
        _guids(away, marked),
        [away, marked, neighbor, own],
        [other, clean.bill(own)],
    )


def _cutoff(clean: CleanRecords) -> PlantedFault:
    days = clean.whole("days")

    def invoiced(part: str, days: int, **changes: Any) -> tuple[Body, Body]:  # noqa: ANN401 - JSON
        first, last = clean.span(days)
        job: Body = {"nrbJobOrderNumber": clean.name(f"{part}-job"), "nrbCreatedAt": clean.milliseconds(first)}
        cost = clean.nrb(part, **job, nrbBilledInName=clean.name(f"{part}-invoice"), **changes)
        dated = {"date_invoice": clean.seconds(last), **clean.on_job(f"{part}-job")}
        return cost, clean.bill(cost, part=f"{part}-invoice", **dated)

    faulty, invoice = invoiced("faulty", days + 1)
    voided, void = invoiced("voided", days + 1)
    near, near_invoice = invoiced("near", max(days, 0))
    return PlantedFault(
        f"an NRB invoiced {days + 1} days after it was bought; one {days} days after, and one on a void invoice",
        _guids(faulty),
        [faulty, voided, *([near] if days >= 0 else [])],
        [invoice, {**void, "is_active": False}, *([near_invoice] if days >= 0 else [])],
        also={"nrb-billed-on-void": _guids(voided)},
    )


FAULTS: Mapping[str, Callable[[CleanRecords], PlantedFault]] = {
    "nrb-billed-by-amount": _billed_by_amount,
    "nrb-billed-not-billable": _billed_not_billable,
    "nrb-billed-not-found": _billed_not_found,
    "nrb-billed-on-void": _billed_on_void,
    "nrb-billed-part": _billed_part,
    "nrb-billed-unexported": _billed_unexported,
    "nrb-charged-twice": _charged_twice,
    "nrb-credited-back": _credited_back,
    "nrb-cutoff": _cutoff,
    "nrb-exported-unbilled": _exported_unbilled,
    "nrb-invoiced-not-marked": _invoiced_not_marked,
    "nrb-line-not-found": _line_not_found,
    "nrb-link-undecided": _link_undecided,
    "nrb-on-draft": _on_draft,
    "nrb-other-job": _other_job,
    "nrb-unbilled": _unbilled,
    "nrb-unexported": _unexported,
}
