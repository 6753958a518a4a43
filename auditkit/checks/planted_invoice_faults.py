"""What the self-test plants for the rules about invoices, their lines, jobs, and records of any kind.

Each function gives the fault of one rule and what is so near to it that it must stay silent: most of all the same fault
on a void invoice. Amounts and days lie just beyond the thresholds of the audit, and exactly on them.

Not here: what a record is made of (`ground.py`).
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal

from auditkit.checks.clean_records import CENT, Body, Ground, OutOfReach, Plant

__all__ = ["PLANTS"]


def _due(g: Ground) -> Plant:
    cost = g.nrb("cost")
    faulty = g.bill(cost, total_paid="0.00", due="100.01")
    return Plant(
        "an invoice of 100.00, unpaid, that says 100.01 is due", (faulty["jnid"],), [cost], [faulty, g.void(faulty)]
    )


def _duplicate(g: Ground) -> Plant:
    costs = [g.nrb("first"), g.nrb("other", nrbJobOrderNumber=g.name("other"))]
    second = g.nrb("second", nrbBilledInName=g.name("again"))
    same = {"external_id": g.name("external")}
    first, again = g.bill(*costs, **same), g.bill(second, part="again", **same)
    fee = {"description": "Fee", "amount": "5.00"}
    earlier, today = (g.seconds(day) for day in g.span(1))
    near = [
        g.invoice([fee], "alone", date_invoice=today, external_id=g.name("alone")),
        g.invoice([fee], "another-day", date_invoice=earlier),
        g.invoice([fee, fee], "another-total", date_invoice=today),
        g.invoice([fee], "another-job", date_invoice=today, related=[{"type": "job", "number": g.name("other")}]),
    ]
    return Plant(
        "two invoices with one external id; a void third, and others of another day, total or job",
        (first["jnid"], again["jnid"]),
        [*costs, second],
        [first, again, g.void(first), *near],
    )


def _edited_after_close(g: Ground) -> Plant:
    if g.counts_as_draft("Closed"):
        raise OutOfReach("Closed is the name of a draft here")
    days = g.whole("days")
    closed, edited = g.span(days + 1)
    cost = g.nrb("cost")
    dates = {"date_status_change": g.seconds(closed), "date_updated": g.seconds(edited)}
    in_time = {**dates, "date_updated": g.seconds(edited - timedelta(1))}
    faulty = g.bill(cost, status_name="Closed", **dates)
    near = [
        g.invoice([], "open", **dates),
        g.invoice([], "in-time", status_name="Closed", **in_time),
    ]
    return Plant(
        f"an invoice changed {days + 1} days after it was closed; one changed after {days}, and an open one",
        (faulty["jnid"],),
        [cost],
        [faulty, g.void(faulty), *near],
    )


def _gap(g: Ground) -> Plant:
    """All of them void, because a void invoice holds its number and is silent everywhere else."""
    least, jump = max(g.count("min_numbers"), 2), g.whole("max_missing")
    if jump < 1:
        raise OutOfReach(f"max_missing = {jump} finds no gap")

    def numbered(series: str, place: int, copy: str = "") -> dict[str, object]:
        return {**g.void(), "jnid": g.name(f"{series}{place}{copy}"), "number": g.name(f"{series}{place}")}

    places = [*range(1, least), least + 1, least + jump + 3]
    long = [numbered("long-", place) for place in places]
    faulty = long[least - 1]
    # One number too few, because one stands twice and one is no number at all.
    short = [numbered("short-", place) for place in [*range(1, least - 1), least]]
    few = [*short, numbered("short-", least, "-copy"), {**g.void(), "jnid": g.name("bare"), "number": g.name("short-")}]
    return Plant(
        f"a series of {least + 1} numbers with one missing, and then {jump + 1}; a gap among {least - 1} numbers",
        (str(faulty["jnid"]),),
        invoices=[*long, *few],
    )


def _margin(g: Ground) -> Plant:
    material, labour = g.nrb("material"), g.nrb("labour", nrbBilledInName=g.name("service"))
    faulty = g.bill(material, cost="0.00")
    free = {"description": "Sample", "item_type": "material", "amount": "0.00"}
    service = g.invoice([g.line(labour, item_type="labor"), free], "service", cost="0.00")
    return Plant(
        "an invoice of material with a cost of 0.00; one of labour and a free sample",
        (faulty["jnid"],),
        [material, labour],
        [faulty, g.void(faulty), service],
    )


def _no_job(g: Ground) -> Plant:
    cost, unknown = g.nrb("cost"), g.name("unknown")
    related = [{"type": "job", "number": unknown}, {"type": "contact", "number": g.job}]
    faulty = g.invoice([], "faulty", related=related)
    return Plant(
        "an invoice of a job that Aimsio does not know, for a client whose number is that of a job",
        (faulty["jnid"],),
        [cost],
        [g.bill(cost), faulty, g.void(faulty)],
        also={"job-variance": [unknown]},
    )


def _overdue(g: Ground) -> Plant:
    days = g.whole("days")
    try:
        late = g.day(g.parameters.as_of - timedelta(days + 1))
        in_time = g.day(g.parameters.as_of - timedelta(days))
    except OverflowError:
        raise OutOfReach(f"no invoice can be due for more than {days} days") from None
    cost = g.nrb("cost")
    unpaid = {"total_paid": "0.00", "due": "100.00", "date_due": g.seconds(late)}
    faulty = g.bill(cost, **unpaid)
    paid = g.invoice([], "paid", date_due=g.seconds(late))
    fee = {"description": "Fee", "quantity": 1, "price": "5.00", "amount": "5.00"}
    open_one = g.invoice([fee], "in-time", **{**unpaid, "due": "5.00", "date_due": g.seconds(in_time)})
    return Plant(
        f"an unpaid invoice, due for {days + 1} days; one due for {days}, and a paid one",
        (faulty["jnid"],),
        [cost],
        [faulty, g.void(faulty), paid, open_one],
    )


def _paid_open(g: Ground) -> Plant:
    cost = g.nrb("cost")
    faulty = g.bill(cost, date_paid_in_full=None)
    return Plant(
        "an invoice that is paid, without a date of payment in full",
        (faulty["jnid"],),
        [cost],
        [faulty, g.void(faulty)],
    )


def _status_missing(g: Ground) -> Plant:
    cost = g.nrb("cost")
    faulty = g.bill(cost, status_name=None)
    return Plant("an invoice without a status, and a void one", (faulty["jnid"],), [cost], [faulty, g.void(faulty)])


def _subtotal(g: Ground) -> Plant:
    cost = g.nrb("cost")
    faulty = g.bill(cost, subtotal="100.01", total="100.01", total_paid="100.01")
    return Plant(
        "an invoice whose line is 100.00 and whose subtotal is 100.01",
        (faulty["jnid"],),
        [cost],
        [faulty, g.void(faulty)],
    )


def _total(g: Ground) -> Plant:
    cost = g.nrb("cost")
    faulty = g.bill(cost, tax="5.00", total="105.01", total_paid="105.01")
    return Plant(
        "an invoice of 100.00 and 5.00 tax whose total is 105.01",
        (faulty["jnid"],),
        [cost],
        [faulty, g.void(faulty)],
    )


def _unmapped(g: Ground) -> Plant:
    alone = g.name("alone")
    costs = [g.nrb("cost"), g.nrb("elsewhere", nrbJobOrderNumber=alone)]
    own: Body = {"nrbBilledInName": None}
    office = g.internal_and_billable("internal", nrbJobOrderNumber=g.name("office"), **own)
    near = [office, g.not_billable("not-billable", nrbJobOrderNumber=g.name("goodwill"), **own)]
    return Plant(
        "a job without an invoice, its cost on that of another; two more with internal and non-billable cost alone",
        (alone,),
        [*costs, *near],
        [g.bill(*costs)],
        also={"nrb-class-contradiction": [office["nrbGuid"]]},
    )


def _variance(g: Ground) -> Plant:
    short, right = g.nrb("short", 100 + g.beyond), g.nrb("right", 100 + g.within, nrbJobOrderNumber=g.name("other"))
    charged = {"price": "100.00", "amount": "100.00"}
    right["nrbBilledInName"] = g.name("second")
    first = g.invoice([g.line(short, **charged)])
    second = g.invoice([g.line(right, **charged)], "second", related=[{"type": "job", "number": g.name("other")}])
    return Plant(
        f"a job of {100 + g.beyond} that is charged 100.00; one of {100 + g.within}",
        (g.job,),
        [short, right],
        [first, second],
        also={"line-amount-difference": [f"{first['jnid']}/0"]},
    )


def _amount_difference(g: Ground) -> Plant:
    over, right = g.nrb("over"), g.nrb("right")
    own, goodwill = g.internal_and_billable("internal"), g.not_billable("not-billable")
    charged = {"price": str(100 + g.beyond), "amount": str(100 + g.beyond)}
    tolerated = {"price": str(100 - g.within), "amount": str(100 - g.within)}
    lines = [g.line(over, **charged), g.line(right, **tolerated), g.line(own, **charged), g.line(goodwill, **charged)]
    return Plant(
        f"a line of {100 + g.beyond} for an NRB of 100.00; one off by {g.within}, and two for NRBs that cost nobody",
        (f"{g.name('invoice')}/0",),
        [over, right, own, goodwill],
        [g.invoice(lines)],
        also={
            "job-variance": [g.job],
            "nrb-billed-not-billable": [own["nrbGuid"], goodwill["nrbGuid"]],
            "nrb-class-contradiction": [own["nrbGuid"]],
        },
    )


def _arithmetic(g: Ground) -> Plant:
    cost = g.nrb("cost")
    lines = [
        g.line(cost, price="99.99"),
        {"description": "Without quantity", "price": "7.00", "amount": "5.00"},
        {"description": "Without price", "quantity": 7, "amount": "5.00"},
        {"description": "Without amount", "quantity": 1, "price": "5.00", "amount": None, "labor": {"amount": "1.00"}},
    ]
    faulty = g.invoice(lines, subtotal="115.00")
    return Plant(
        "a line of 1 at 99.99 that charges 100.00; lines without quantity, price or amount",
        (f"{faulty['jnid']}/0",),
        [cost],
        [faulty, g.void(faulty)],
    )


def _changed_after_export(g: Ground) -> Plant:
    changed, noted, late = g.nrb("changed", "100.01"), g.nrb("noted", nrbNotes="now"), g.nrb("late", "100.01")
    was = {"nrbRate": "100.00", "nrbTotalAfterMarkup": "100.00"}
    return Plant(
        "an exported NRB that was 100.00 one sync ago; one with another note, one exported after its change",
        (changed["nrbGuid"],),
        [changed, noted, late],
        [g.bill(changed, noted, late)],
        earlier=[{**changed, **was}, {**noted, "nrbNotes": "then"}, {**late, **was, "nrbIsExported": False}],
    )


def _quarantined(g: Ground) -> Plant:
    faulty, noted = g.nrb("faulty", isInternal="maybe"), g.nrb("noted", nrbNotes=["not", "text"])
    parent = g.nrb("parent", nrbChildren=[{"nrbRate": "100.00"}])
    return Plant(
        "an NRB that is maybe internal, and one that holds a child without a guid; one with notes that are no text",
        (faulty["nrbGuid"], f"{parent['nrbGuid']}/nrbChildren[0]"),
        [faulty, noted, parent],
        [g.bill(faulty, noted, parent)],
    )


def _vanished(g: Ground) -> Plant:
    gone = g.nrb("gone", Decimal(100) + CENT)
    return Plant("an NRB that was there one sync ago", (gone["nrbGuid"],), earlier=[gone])


PLANTS: Mapping[str, Callable[[Ground], Plant]] = {
    "invoice-due": _due,
    "invoice-duplicate": _duplicate,
    "invoice-edited-after-close": _edited_after_close,
    "invoice-gap": _gap,
    "invoice-margin": _margin,
    "invoice-no-job": _no_job,
    "invoice-overdue": _overdue,
    "invoice-paid-open": _paid_open,
    "invoice-status-missing": _status_missing,
    "invoice-subtotal": _subtotal,
    "invoice-total": _total,
    "job-unmapped": _unmapped,
    "job-variance": _variance,
    "line-amount-difference": _amount_difference,
    "line-arithmetic": _arithmetic,
    "record-changed-after-export": _changed_after_export,
    "record-quarantined": _quarantined,
    "record-vanished": _vanished,
}
