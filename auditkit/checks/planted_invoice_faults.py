"""The faults that the self-test plants for the rules about invoices, their lines, jobs, and records of any kind.

Each function makes the fault of one rule, and records close to it on which the rule must stay silent: above all the
same fault on a void invoice. Amounts and days are just beyond the thresholds of the audit, and exactly on them.

Not here: how a record is made (`clean_records.py`).
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal

from auditkit.checks.clean_records import CENT, UNMARKED, Body, CleanRecords, OutOfReach, PlantedFault

__all__ = ["FAULTS"]

_MOST_INVOICES = 10_000


def _below_cost(clean: CleanRecords) -> PlantedFault:
    cost = clean.nrb("cost")
    faulty = clean.bill(cost, cost=str(100 + clean.beyond))
    near = clean.invoice([clean.fee()], "near", cost=str(5 + clean.within))
    reduced = clean.invoice(
        [clean.fee("10.00"), clean.fee("-5.00", "Less deposit")], "reduced", cost=str(100 + clean.beyond)
    )
    free = clean.invoice([clean.fee("0.00")], "free", cost=str(100 + clean.beyond))
    return PlantedFault(
        f"an invoice of 100.00 for a cost of {100 + clean.beyond}; one off by {clean.within}, one with a deduction",
        (faulty["jnid"],),
        [cost],
        [faulty, clean.void(faulty), near, reduced, free],
    )  # fmt: skip


def _due(clean: CleanRecords) -> PlantedFault:
    cost = clean.nrb("cost")
    faulty = clean.bill(cost, total_paid="0.00", due=str(100 + clean.beyond))
    near = clean.invoice([clean.fee()], "near", total_paid="0.00", due=str(5 - clean.within))
    return PlantedFault(
        f"an unpaid invoice of 100.00 with {100 + clean.beyond} due; one off by {clean.within}",
        (faulty["jnid"],),
        [cost],
        [faulty, near, clean.void(faulty)],
    )


def _duplicate(clean: CleanRecords) -> PlantedFault:
    cost = clean.nrb("first")
    second = clean.nrb("second", nrbBilledInName=clean.name("again"))
    same = {"external_id": clean.name("external")}
    first, again = clean.bill(cost, **same), clean.bill(second, part="again", **same)
    earlier, today = (clean.seconds(day) for day in clean.span(1))
    fee = clean.fee()
    near = [
        clean.invoice([fee], "alone", date_invoice=today, external_id=clean.name("alone")),
        clean.invoice([clean.fee("5.00", "Final")], "other-words", date_invoice=today),
        clean.invoice([clean.fee("5.00", "Deposit")], "other-words-again", date_invoice=earlier),
        clean.invoice([fee, fee], "other-total", date_invoice=today),
        clean.invoice([fee], "other-job", date_invoice=today, **clean.on_job("other")),
    ]
    return PlantedFault(
        "two invoices with one external id; a void third, and others of another day, text, total or job",
        (first["jnid"], again["jnid"]),
        [cost, second],
        [first, again, clean.void(first), *near],
    )


def _duplicate_near(clean: CleanRecords) -> PlantedFault:
    days = clean.whole("days")
    if days < 1:
        raise OutOfReach(f"no invoice is at most {days} days after another")
    earlier, today = clean.span(days)

    def sold(part: str, job: str, day: int, words: str = "Rent") -> Body:
        return clean.invoice([clean.fee("5.00", words)], part, date_invoice=day, **clean.on_job(job))

    first, faulty = sold("first", "job", clean.seconds(earlier)), sold("faulty", "job", clean.seconds(today))
    near = [
        sold("words", "job", clean.seconds(today), "Other rent"),
        {**sold("void", "job", clean.seconds(today)), "is_active": False},
    ]
    try:
        too_early, _ = clean.span(days + 1)
        near += [sold("far", "far", clean.seconds(too_early)), sold("far-later", "far", clean.seconds(today))]
    except OutOfReach:  # so long ago that there is no such record
        pass
    return PlantedFault(
        f"two invoices of one job with the same lines, {days} days apart; others with other text, void, or a day later",
        (faulty["jnid"],),
        invoices=[first, faulty, *near],
    )


def _edited_after_close(clean: CleanRecords) -> PlantedFault:
    if clean.counts_as_draft("Closed"):
        raise OutOfReach("Closed is the name of a draft here")
    days = clean.whole("days")
    closed, edited = clean.span(days + 1)
    cost = clean.nrb("cost")
    dates = {"date_status_change": clean.seconds(closed), "date_updated": clean.seconds(edited)}
    in_time = {**dates, "date_updated": clean.seconds(edited - timedelta(1))}
    faulty = clean.bill(cost, status_name="Closed", **dates)
    near = [
        clean.invoice([], "open", **dates),
        clean.invoice([], "in-time", status_name="Closed", **in_time),
    ]
    return PlantedFault(
        f"an invoice changed {days + 1} days after it was closed; one changed after {days}, and an open one",
        (faulty["jnid"],),
        [cost],
        [faulty, clean.void(faulty), *near],
    )


def _gap(clean: CleanRecords) -> PlantedFault:
    """All of them void, because a void invoice holds its number and no other rule looks at it."""
    least, jump = max(clean.count("min_numbers"), 2), clean.whole("max_missing")
    if jump < 1:
        raise OutOfReach(f"max_missing = {jump} finds no gap")

    def numbered(series: str, place: int, copy: str = "") -> dict[str, object]:
        return {**clean.void(), "jnid": clean.name(f"{series}{place}{copy}"), "number": clean.name(f"{series}{place}")}

    places = [*range(1, least), least + 1, least + jump + 3]
    long = [numbered("long-", place) for place in places]
    faulty = long[least - 1]
    # One number too few, because two invoices share one and one number has no digits at its end.
    short = [numbered("short-", place) for place in [*range(1, least - 1), least]]
    bare = {**clean.void(), "jnid": clean.name("bare"), "number": clean.name("short-")}
    return PlantedFault(
        f"a series of {least + 1} numbers with one missing, and then {jump + 1}; a gap among {least - 1} numbers",
        (str(faulty["jnid"]),),
        invoices=[*long, *short, numbered("short-", least, "-copy"), bare],
    )


def _margin(clean: CleanRecords) -> PlantedFault:
    material, labor = clean.nrb("material"), clean.nrb("labor", nrbBilledInName=clean.name("service"))
    faulty = clean.bill(material, cost="0.00")
    free = {"description": "Sample", "item_type": "material", "amount": "0.00"}
    service = clean.invoice([clean.line(labor, item_type="labor"), free], "service", cost="0.00")
    return PlantedFault(
        "an invoice of material with a cost of 0.00; one of labor and a free sample",
        (faulty["jnid"],),
        [material, labor],
        [faulty, clean.void(faulty), service],
    )


def _no_job(clean: CleanRecords) -> PlantedFault:
    cost = clean.nrb("cost")
    faulty = clean.invoice([], "faulty", related=[{"type": "contact", "number": clean.job}])
    unnamed = clean.invoice([], "unnamed", related=[{"type": "job"}])
    return PlantedFault(
        "an invoice for a client whose number is that of a job, and one for a job without number, name and id; one of a"
        " job that Aimsio does not know",
        (faulty["jnid"], unnamed["jnid"]),
        [cost],
        [
            clean.bill(cost),
            faulty,
            unnamed,
            clean.void(faulty),
            clean.invoice([], "unknown", **clean.on_job("unknown")),
        ],
    )


def _draft_old(clean: CleanRecords) -> PlantedFault:
    days, status = clean.whole("days"), clean.draft_status
    total = 100 + clean.beyond
    old, young, small = (
        clean.invoice(
            [clean.fee(amount, f"Labor, {part}")], part, status_name=status, date_invoice=clean.seconds(clean.ago(age))
        )
        for amount, part, age in ((total, "old", days + 1), (total, "young", days), (clean.within, "small", days + 1))
    )
    return PlantedFault(
        f"a draft of {days + 1} days ago; one of {days} days ago, and one that charges {clean.within}",
        (old["jnid"],),
        invoices=[old, young, small],
    )


def _overdue(clean: CleanRecords) -> PlantedFault:
    days = clean.whole("days")
    try:
        late = clean.day(clean.parameters.as_of - timedelta(days + 1))
        in_time = clean.day(clean.parameters.as_of - timedelta(days))
    except OverflowError:
        raise OutOfReach(f"no invoice can be due for more than {days} days") from None
    total = 100 + clean.beyond
    cost, fee = clean.nrb("cost", total), clean.fee(total)
    unpaid = {"total_paid": "100.00", "due": str(clean.beyond)}
    tolerated = {"total_paid": str(total - clean.within), "due": str(clean.within)}
    faulty = clean.bill(cost, date_due=clean.seconds(late), **unpaid)
    near = [
        clean.invoice([], "paid", date_due=clean.seconds(late)),
        clean.invoice([fee], "tolerated", date_due=clean.seconds(late), **tolerated),
        clean.invoice([fee], "in-time", date_due=clean.seconds(in_time), **unpaid),
    ]
    return PlantedFault(
        f"an invoice with a balance of {clean.beyond}, due for {days + 1} days; one due for {days}, one with a balance"
        f" of {clean.within}, and a paid one",
        (faulty["jnid"],),
        [cost],
        [faulty, clean.void(faulty), *near],
    )


def _paid_open(clean: CleanRecords) -> PlantedFault:
    cost = clean.nrb("cost")
    faulty = clean.bill(cost, date_paid_in_full=None)
    unpaid = clean.invoice([], "unpaid", date_paid_in_full=None)
    return PlantedFault(
        "an invoice that is paid, without a date of payment in full; one of 0.00",
        (faulty["jnid"],),
        [cost],
        [faulty, clean.void(faulty), unpaid],
    )


def _payments(clean: CleanRecords) -> PlantedFault:
    cost = clean.nrb("cost")

    def paid(amount: Decimal | str) -> list[Body]:
        return [{"amount": "10.00"}, {"amount": str(amount)}]

    faulty = clean.bill(cost, payments=paid(90 + clean.beyond))
    near = [
        clean.invoice([clean.fee("100.00")], "near", payments=paid(90 + clean.within)),
        clean.invoice([clean.fee("100.00")], "unreadable", payments=paid("n/a")),
    ]
    return PlantedFault(
        f"an invoice of 100.00, paid, with payments of {100 + clean.beyond}; one off by {clean.within}, and one whose"
        " payment cannot be read",
        (faulty["jnid"],),
        [cost],
        [faulty, clean.void(faulty), *near],
    )


def _status_missing(clean: CleanRecords) -> PlantedFault:
    cost = clean.nrb("cost")
    faulty = clean.bill(cost, status_name=None)
    return PlantedFault(
        "an invoice without a status, and a void one", (faulty["jnid"],), [cost], [faulty, clean.void(faulty)]
    )


def _subtotal(clean: CleanRecords) -> PlantedFault:
    cost = clean.nrb("cost")
    faulty = clean.bill(cost, subtotal=str(100 + clean.beyond))
    near = clean.invoice([clean.fee()], "near", subtotal=str(5 + clean.within))
    return PlantedFault(
        f"an invoice whose line is 100.00 and whose subtotal is {100 + clean.beyond}; one off by {clean.within}",
        (faulty["jnid"],),
        [cost],
        [faulty, clean.void(faulty), near],
    )


def _tax_rate(clean: CleanRecords) -> PlantedFault:
    """As many invoices at the usual rate as it takes for nine in ten; none where the account has several rates."""
    facts, least = clean.facts, clean.whole("min_invoices")
    is_usual = facts.taxed >= least and facts.alike * 10 >= facts.taxed * 9
    if facts.alike < facts.taxed and not is_usual:
        raise OutOfReach("the taxed invoices of this account have no usual rate")
    count = max(least - facts.taxed - 1, 9 * (facts.taxed + 1) - 10 * facts.alike, 1)
    if count > _MOST_INVOICES:
        raise OutOfReach(f"it would take more than {_MOST_INVOICES:,} invoices")
    tax = (10 * facts.tax_percent).quantize(CENT)

    def taxed(part: str, more: Decimal = Decimal(0)) -> Body:
        return clean.invoice([clean.fee("1000.00", part)], part, tax=str(tax + more))

    faulty = taxed("faulty", clean.within + Decimal("0.06"))
    near = taxed("near", clean.within + Decimal("0.05"))
    return PlantedFault(
        f"an invoice of 1,000.00 with a tax of {faulty['tax']}, beside {count} with {tax}; one with {near['tax']}",
        (faulty["jnid"],),
        invoices=[faulty, near, *(taxed(f"usual-{place}-") for place in range(count)), clean.void(faulty)],
    )


def _total(clean: CleanRecords) -> PlantedFault:
    cost = clean.nrb("cost")
    faulty = clean.bill(cost, total=str(100 + clean.beyond))
    near = clean.invoice([clean.fee()], "near", total=str(5 + clean.within))
    return PlantedFault(
        f"an invoice of 100.00 whose total is {100 + clean.beyond}; one off by {clean.within}",
        (faulty["jnid"],),
        [cost],
        [faulty, clean.void(faulty), near],
    )


def _unmapped(clean: CleanRecords) -> PlantedFault:
    alone, elsewhere = clean.name("alone"), clean.name("elsewhere")
    costs = [clean.nrb("cost"), clean.nrb("away", nrbJobOrderNumber=elsewhere)]
    lost = clean.nrb("nobody-billed", nrbJobOrderNumber=alone, nrbBilledInName=clean.name("nowhere"))
    office = clean.internal_and_billable("internal", nrbJobOrderNumber=clean.name("office"), **UNMARKED)
    near = [
        office,
        clean.not_billable("not-billable", nrbJobOrderNumber=clean.name("goodwill"), **UNMARKED),
        clean.nrb("free", "0.00", nrbJobOrderNumber=clean.name("free-of-charge"), **UNMARKED),
    ]
    return PlantedFault(
        "a job without an invoice; one whose cost is on that of another job, and three with nothing to bill",
        (alone,),
        [*costs, lost, *near],
        [clean.bill(*costs)],
        also={
            "nrb-class-contradiction": [office["nrbGuid"]],
            "nrb-billed-not-found": [lost["nrbGuid"]],
            "nrb-other-job": [costs[1]["nrbGuid"]],
        },
    )


def _variance(clean: CleanRecords) -> PlantedFault:
    """Two costs and one line of their amount, so that nobody knows which it is; at a second job the rest is charged."""
    amount = 100 + clean.beyond

    def tied(job: str, invoice: str) -> list[Body]:
        marked = {"nrbJobOrderNumber": clean.name(job), "nrbBilledInName": clean.name(invoice)}
        return [clean.nrb(f"{job}-{side}", amount, **marked) for side in ("one", "two")]

    def charged(part: str, charge: Decimal, job: str) -> Body:
        line = {**clean.fee(charge, "Third-party cost"), "item_type": "material"}
        return clean.invoice([line], part, **clean.on_job(job))

    short, right = tied("job", "first"), tied("enough", "second")
    rest = clean.invoice([clean.fee(amount - clean.within)], "rest", **clean.on_job("enough"))
    credit = clean.invoice([clean.fee(-amount, "Credit")], "credit", **clean.on_job("job"))
    draft = {**charged("draft", amount - 1, "job"), "is_active": False}
    return PlantedFault(
        f"a job with two undecided costs of {amount} and lines of {amount}; one whose lines are {clean.within} short",
        (clean.job,),
        [*short, *right],
        [charged("first", amount, "job"), charged("second", amount, "enough"), rest, credit, draft],
        also={"nrb-link-undecided": [nrb["nrbGuid"] for nrb in (*short, *right)]},
    )


def _amount_difference(clean: CleanRecords) -> PlantedFault:
    over, right = clean.nrb("over", clean.large), clean.nrb("right", clean.large)
    own, goodwill = clean.internal_and_billable("internal"), clean.not_billable("not-billable")
    charged = {"price": str(clean.large + clean.beyond), "amount": str(clean.large + clean.beyond)}
    tolerated = {"price": str(clean.large - clean.within), "amount": str(clean.large - clean.within)}
    free = {"price": str(100 + clean.beyond), "amount": str(100 + clean.beyond)}
    lines = [
        clean.line(over, **charged),
        clean.line(right, **tolerated),
        clean.line(own, **free),
        clean.line(goodwill, **free),
    ]
    return PlantedFault(
        f"a line of {charged['amount']} for an NRB of {clean.large}; one off by {clean.within}, and two for NRBs that"
        " are not charged",
        (f"{clean.name('invoice')}/0",),
        [over, right, own, goodwill],
        [clean.invoice(lines)],
        also={
            "nrb-billed-not-billable": [own["nrbGuid"], goodwill["nrbGuid"]],
            "nrb-class-contradiction": [own["nrbGuid"]],
        },
    )  # fmt: skip


def _arithmetic(clean: CleanRecords) -> PlantedFault:
    cost = clean.nrb("cost")
    lines = [
        clean.line(cost, price=str(100 - clean.beyond)),
        {"description": "Almost right", "quantity": 1, "price": str(5 + clean.within), "amount": "5.00"},
        {"description": "Without quantity", "price": "7.00", "amount": "5.00"},
        {"description": "Without price", "quantity": 7, "amount": "5.00"},
        {"description": "Without amount", "quantity": 1, "price": "5.00", "amount": None, "labor": {"amount": "1.00"}},
    ]
    beside = 1 if clean.parameters.labor_in_amount == "no" else 0
    faulty = clean.invoice(lines, subtotal=str(120 + beside))
    return PlantedFault(
        f"a line of 1 at {100 - clean.beyond} that charges 100.00; one off by {clean.within}, and lines without"
        " quantity, price or amount",
        (f"{faulty['jnid']}/0",),
        [cost],
        [faulty, clean.void(faulty)],
    )


def _names_unknown(clean: CleanRecords) -> PlantedFault:
    known = clean.nrb("known", nrbInvoiceNumber=f"{clean.facts.number}8")
    own = {"number": f"{clean.facts.number}9-{clean.facts.token}x"}
    faulty = clean.invoice(
        [{**clean.fee(), "item_type": "material", "description": f"Invoice {clean.facts.number}7"}], "faulty"
    )
    deposit = {**clean.fee(), "item_type": "material", "description": f"Deposit, invoice {own['number']}"}
    return PlantedFault(
        f"a line that names the vendor's invoice {clean.facts.number}7, which no cost has; lines that name a cost and"
        " one of our own invoices",
        (f"{faulty['jnid']}/0",),
        [known],
        [
            faulty,
            clean.void(faulty),
            clean.invoice([clean.line(known, description=f"Invoice {known['nrbInvoiceNumber']}")], **own),
            clean.invoice([deposit], "own"),
        ],
    )  # fmt: skip


def _changed_after_export(clean: CleanRecords) -> PlantedFault:
    changed, noted, late = (
        clean.nrb("changed", 100 + clean.beyond),
        clean.nrb("noted", nrbNotes="now"),
        clean.nrb("late", 100 + clean.beyond),
    )
    near = clean.nrb("near", 100 + clean.within)
    was = {"nrbRate": "100.00", "nrbTotalAfterMarkup": "100.00"}
    return PlantedFault(
        f"an exported NRB of {100 + clean.beyond} that was 100.00 one sync ago; one off by {clean.within}, one with"
        " another note, one exported after its change",
        (changed["nrbGuid"],),
        [changed, near, noted, late],
        [clean.bill(changed, near, noted, late)],
        earlier=[
            {**changed, **was},
            {**near, **was},
            {**noted, "nrbNotes": "then"},
            {**late, **was, "nrbIsExported": False},
        ],
    )


def _quarantined(clean: CleanRecords) -> PlantedFault:
    faulty, noted = clean.nrb("faulty", isInternal="maybe"), clean.nrb("noted", nrbNotes=["not", "text"])
    return PlantedFault(
        "an NRB that is maybe internal, on an invoice; one whose notes are not text",
        (faulty["nrbGuid"],),
        [faulty, noted],
        [clean.bill(faulty, noted)],
    )


def _vanished(clean: CleanRecords) -> PlantedFault:
    gone = clean.nrb("gone", Decimal(100) + CENT)
    return PlantedFault("an NRB that was there one sync ago", (gone["nrbGuid"],), earlier=[gone])


FAULTS: Mapping[str, Callable[[CleanRecords], PlantedFault]] = {
    "invoice-below-cost": _below_cost,
    "invoice-draft-old": _draft_old,
    "invoice-due": _due,
    "invoice-duplicate": _duplicate,
    "invoice-duplicate-near": _duplicate_near,
    "invoice-edited-after-close": _edited_after_close,
    "invoice-gap": _gap,
    "invoice-margin": _margin,
    "invoice-no-job": _no_job,
    "invoice-overdue": _overdue,
    "invoice-paid-open": _paid_open,
    "invoice-payments": _payments,
    "invoice-status-missing": _status_missing,
    "invoice-subtotal": _subtotal,
    "invoice-tax-rate": _tax_rate,
    "invoice-total": _total,
    "job-unmapped": _unmapped,
    "job-variance": _variance,
    "line-amount-difference": _amount_difference,
    "line-arithmetic": _arithmetic,
    "line-names-unknown": _names_unknown,
    "record-changed-after-export": _changed_after_export,
    "record-quarantined": _quarantined,
    "record-vanished": _vanished,
}
