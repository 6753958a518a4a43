"""Planted faults: each is one change of one job's books, on an NRB or invoice that no other fault uses.

A fault has the name of the rule that it is for, if there is one. Its other consequences (an unbilled NRB also changes
its job's variance) are not listed here: the truth is read from the changed books.

Not here: which job has which fault, and the bodies that are sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from auditkit.sandbox.dataset_books import AS_OF, Invoice, Job, Line, Mark, Nrb, marked_up

__all__ = ["ALONE", "DEFAULT", "FAULTS", "NEEDS_DRAFT", "NEEDS_OWN_JOB", "NEEDS_VOID"]

Fault = Callable[[Job, Random], Job]

NEEDS_VOID = frozenset({"nrb-billed-on-void"})
NEEDS_DRAFT = frozenset({"nrb-on-draft", "record-quarantined"})
NEEDS_OWN_JOB = frozenset({"job-variance"})
# Faults that change a whole job, or two of its invoices, and leave no room for another fault in it.
ALONE = frozenset({"invoice-duplicate", "invoice-gap", "job-unmapped"})


def _pick(job: Job, rng: Random) -> tuple[Nrb, Invoice, Line]:
    """A billed single NRB that no fault has used yet, with its issued invoice and the line that names it."""
    found = [
        (nrb, *next(job.lines_of(nrb.guid)))
        for nrb in job.nrbs
        if nrb.mark and not nrb.parent and not nrb.children and nrb.guid not in job.touched
    ]
    found = [(nrb, invoice, line) for nrb, invoice, line in found if line.reference]
    if not found:
        raise ValueError(f"job {job.number} has no NRB left for another fault; plant fewer, or build more NRBs")
    return rng.choice(found)


def _pick_invoice(job: Job, rng: Random, least_age_days: int = 0) -> Invoice:
    """An issued invoice that no fault has used yet."""
    latest = AS_OF - timedelta(days=least_age_days)
    found = [
        invoice
        for invoice in job.invoices
        if invoice.state == "issued" and invoice.jnid not in job.touched and invoice.day <= latest
    ]
    if not found:
        raise ValueError(f"job {job.number} has no invoice left for another fault; plant fewer, or build more NRBs")
    return rng.choice(found)


def _odd_cents(rng: Random) -> Decimal:
    """An amount by which figures differ; never whole dollars."""
    return Decimal(rng.randrange(500, 30_000) // 100 * 100 + 37).scaleb(-2)


def _not_billable(job: Job, nrb: Nrb, **changes: object) -> Job:
    """The job with the NRB made not billable, and with further changes of it."""
    plain = {"billable": False, "account_type": "Not Billable", "mark": None}
    return job.drop_lines(nrb.guid).change_nrb(nrb.guid, **{**plain, **changes})


def _named(job: Job, nrb: Nrb) -> Job:
    """The job with the NRB's line naming it by its own id, so that its vendor invoice number is free to change."""
    own_id = nrb.external_id or nrb.origin_reference
    return job.change_lines(nrb.guid, description=f"{nrb.vendor.trade} / REF {own_id}", reference=own_id)


def _reprice(job: Job, nrb: Nrb, **changes: object) -> Job:
    """The job with other figures of the NRB and the same new total on its line, so that the two agree."""
    changed = _named(job, nrb).change_nrb(nrb.guid, **changes)
    total = changed.nrb(nrb.guid).total
    return changed.change_lines(nrb.guid, quantity=Decimal(1), price=total, amount=total)


def _unbilled(job: Job, rng: Random) -> Job:
    nrb, _, _ = _pick(job, rng)
    return job.drop_lines(nrb.guid).change_nrb(nrb.guid, mark=None, exported=False)


def _exported_unbilled(job: Job, rng: Random) -> Job:
    nrb, _, _ = _pick(job, rng)
    return job.drop_lines(nrb.guid).change_nrb(nrb.guid, mark=None)


def _unexported(job: Job, rng: Random) -> Job:
    nrb, _, _ = _pick(job, rng)
    return _not_billable(job, nrb, exported=rng.choice((False, None)))


def _billed_unexported(job: Job, rng: Random) -> Job:
    nrb, _, _ = _pick(job, rng)
    return job.change_nrb(nrb.guid, exported=False)


def _billed_not_found(job: Job, rng: Random) -> Job:
    nrb, invoice, _ = _pick(job, rng)
    return job.drop_lines(nrb.guid).change_nrb(nrb.guid, mark=Mark(None, f"{invoice.number}-LOST", None))


def _line_not_found(job: Job, rng: Random) -> Job:
    nrb, _, _ = _pick(job, rng)
    return job.drop_lines(nrb.guid).change_nrb(nrb.guid)


def _moved(job: Job, nrb: Nrb, line: Line, target: Invoice, mark: Mark) -> Job:
    """The job with the NRB marked as billed on another invoice, and its line only there."""
    job = job.drop_lines(nrb.guid).change_nrb(nrb.guid, mark=mark)
    return job.change_invoice(target.jnid, lines=(*job.invoice(target.jnid).lines, line))


def _billed_on_void(job: Job, rng: Random) -> Job:
    """The invoice was voided and issued again without this NRB's line; the mark still names the void invoice."""
    nrb, _, line = _pick(job, rng)
    void = next(invoice for invoice in job.invoices if invoice.state == "void")
    return _moved(job, nrb, line, void, Mark(None, void.number, void.jnid))


def _on_draft(job: Job, rng: Random) -> Job:
    nrb, _, line = _pick(job, rng)
    draft = next(invoice for invoice in job.invoices if invoice.state == "draft" and not invoice.malformed)
    return _moved(job, nrb, line, draft, Mark(draft.guid.lower(), None, draft.jnid))


def _total_mismatch(job: Job, rng: Random) -> Job:
    """A total without markup, or a wrong total if there is no markup; the client was billed the same total."""
    nrb, _, _ = _pick(job, rng)
    plain = marked_up(nrb.rate, nrb.quantity, Decimal(0), nrb.tax, nrb.vendor.applies_on)
    return _reprice(job, nrb, total=plain if plain != nrb.total else nrb.total + _odd_cents(rng))


def _class_contradiction(job: Job, rng: Random) -> Job:
    nrb, _, _ = _pick(job, rng)
    if rng.random() < 0.5:
        return _not_billable(job, nrb, account_type="Billable")
    return _not_billable(job, nrb, billable=True, account_type="Billable", internal=True)


def _twice(job: Job, rng: Random, respell: Callable[[str], str]) -> tuple[Job, Nrb, Nrb]:
    """One vendor invoice entered twice, the second time with another spelling, and billed twice."""
    first, _, _ = _pick(job, rng)
    second, _, _ = _pick(replace(job, touched=job.touched | {first.guid}), rng)
    figures = ("vendor", "rate", "quantity", "tax", "upcharge", "total")
    copied = {name: getattr(first, name) for name in figures}
    again = _reprice(job, second, **copied, vendor_invoice_number=respell(first.vendor_invoice_number))
    return _named(again, first).change_nrb(first.guid), first, second


def _duplicate(job: Job, rng: Random) -> Job:
    return _twice(job, rng, str.swapcase)[0]


def _amount_difference(job: Job, rng: Random) -> Job:
    nrb, _, line = _pick(job, rng)
    amount = line.amount + rng.choice((1, -1)) * min(_odd_cents(rng), line.amount / 2).quantize(Decimal("0.01"))
    return job.change_lines(nrb.guid, quantity=Decimal(1), price=amount, amount=amount).change_nrb(nrb.guid)


def _arithmetic(job: Job, rng: Random) -> Job:
    nrb, _, line = _pick(job, rng)
    return job.change_lines(nrb.guid, price=line.price + _odd_cents(rng)).change_nrb(nrb.guid)


def _subtotal(job: Job, rng: Random) -> Job:
    return job.change_invoice(_pick_invoice(job, rng).jnid, subtotal_off=_odd_cents(rng))


def _total(job: Job, rng: Random) -> Job:
    return job.change_invoice(_pick_invoice(job, rng).jnid, total_off=_odd_cents(rng))


def _due(job: Job, rng: Random) -> Job:
    """A due that is not total − paid, or more paid than the total."""
    invoice = _pick_invoice(job, rng)
    if invoice.paid_share == 1 and rng.random() < 0.5:
        return job.change_invoice(invoice.jnid, paid_off=_odd_cents(rng))
    return job.change_invoice(invoice.jnid, due_off=_odd_cents(rng))


def _as_outlined(job: Job, rng: Random) -> Job:  # noqa: ARG001 - the outline has made the job so
    """A job with invoices and no NRB, or one whose last invoice follows a number that no invoice has."""
    return job


def _quarantined(job: Job, rng: Random) -> Job:
    """A record that cannot be read and has no other consequence: a non-billable cost, or a draft of labor."""
    drafts = [item for item in job.invoices if item.state == "draft" and item.jnid not in job.touched]
    if drafts and rng.random() < 0.4:
        draft = drafts[0]
        return job.change_invoice(draft.jnid, malformed=(("subtotal", f"${draft.figures.subtotal}"),))
    nrb, _, _ = _pick(job, rng)
    return _not_billable(job, nrb, malformed=(rng.choice((("nrbRate", "1,000.00"), ("isInternal", "no"))),))


def _invoiced_not_marked(job: Job, rng: Random) -> Job:
    return job.change_nrb(_pick(job, rng)[0].guid, mark=None)


def _billed_not_billable(job: Job, rng: Random) -> Job:
    return job.change_nrb(_pick(job, rng)[0].guid, billable=False, account_type="Not Billable")


def _no_markup(job: Job, rng: Random) -> Job:
    without = {nrb.guid for nrb in job.nrbs if not nrb.upcharge}
    nrb, _, _ = _pick(replace(job, touched=job.touched | without), rng)
    total = marked_up(nrb.rate, nrb.quantity, Decimal(0), nrb.tax, nrb.vendor.applies_on)
    return _reprice(job, nrb, upcharge=Decimal(0), total=total)


def _parent_mismatch(job: Job, rng: Random) -> Job:
    parents = [nrb for nrb in job.nrbs if nrb.children and nrb.guid not in job.touched]
    if not parents:
        raise ValueError(f"job {job.number} has no receipt left for another fault; plant fewer, or build more NRBs")
    parent = rng.choice(parents)
    return job.change_nrb(parent.guid, total=parent.total + _odd_cents(rng))


def _duplicate_near(job: Job, rng: Random) -> Job:
    """A duplicate whose number has a revision letter, on the same day; the greater guid is the copy."""
    changed, first, second = _twice(job, rng, "{}A".format)
    changed = changed.change_nrb(second.guid, day=first.day, created=first.created)
    copy = max(first.guid, second.guid)
    return replace(changed, declared=(*changed.declared, ("nrb-duplicate-near", copy)))


def _missing_key(job: Job, rng: Random) -> Job:
    nrb, _, _ = _pick(job, rng)
    return job.change_nrb(nrb.guid, reconciles_with_po=True, po_number=None)


def _nonpositive(job: Job, rng: Random) -> Job:
    """A vendor's credit, billed to the client as it is."""
    nrb, _, _ = _pick(job, rng)
    return _reprice(job, nrb, rate=-nrb.rate, tax=-nrb.tax, total=-nrb.total)


def _date_odd(job: Job, rng: Random) -> Job:
    nrb, _, _ = _pick(job, rng)
    return job.change_nrb(nrb.guid, day=AS_OF + timedelta(days=40))


def _cutoff(job: Job, rng: Random) -> Job:
    nrb, _, _ = _pick(job, rng)
    earlier = timedelta(days=75)
    return job.change_nrb(nrb.guid, day=nrb.day - earlier, created=nrb.created - earlier)


def _hidden_text(job: Job, rng: Random) -> Job:
    """A zero-width space, a reversed run, a no-break space or full-width digits in a vendor's number."""
    nrb, _, _ = _pick(job, rng)
    number = nrb.vendor_invoice_number
    disguised = rng.choice(
        (
            f"{number[:4]}\u200b{number[4:]}",
            f"\u202e{number[::-1]}",
            f"{number[:4]}\u00a0{number[4:]}",
            number.translate({ord(digit): 0xFF10 + int(digit) for digit in "0123456789"}),
        )
    )
    return _named(job, nrb).change_nrb(nrb.guid, vendor_invoice_number=disguised)


def _paid_open(job: Job, rng: Random) -> Job:
    invoice = _pick_invoice(job, rng)
    return job.change_invoice(invoice.jnid, status_name="Paid", paid_share=Decimal("0.9"))


def _overdue(job: Job, rng: Random) -> Job:
    """Due soon after it was sent, so that this is possible in every job of the year, and not paid."""
    invoice = _pick_invoice(job, rng, least_age_days=20)
    return job.change_invoice(
        invoice.jnid,
        status_name="Sent",
        paid_share=Decimal(0),
        is_archived=False,
        changed=invoice.day,
        updated=invoice.day,
        due_day=min(invoice.due_day, invoice.day + timedelta(days=15)),
    )


def _margin(job: Job, rng: Random) -> Job:
    material = {
        item.jnid for item in job.invoices if any(line.cost and line.item_type == "material" for line in item.lines)
    }
    labor = {item.jnid for item in job.invoices} - material
    invoice = _pick_invoice(replace(job, touched=job.touched | labor), rng)
    return job.change_invoice(invoice.jnid, cost_is_lost=True)


def _no_job(job: Job, rng: Random) -> Job:
    """Not an invoice that carries an NRB without a mark: only the job leads to its line."""
    unmarked = {nrb.guid for nrb in job.nrbs if not nrb.mark and not nrb.parent}
    needed = {item.jnid for item in job.invoices for line in item.lines if unmarked.intersection(line.carries)}
    invoice = _pick_invoice(replace(job, touched=job.touched | needed), rng)
    return job.change_invoice(invoice.jnid, has_job=False)


def _invoice_twice(job: Job, rng: Random) -> Job:
    """Two invoices with one QuickBooks number; Aimsio names both by their JobNimbus numbers."""
    first = _pick_invoice(job, rng)
    second = _pick_invoice(replace(job, touched=job.touched | {first.jnid}), rng)
    for invoice in (first, second):
        job = job.change_invoice(invoice.jnid, external_id=f"QB-{970_000 + first.recid}")
        mark = Mark(None, invoice.number, invoice.jnid)
        nrbs = (replace(nrb, mark=mark) if nrb.mark and nrb.mark.invoice == invoice.jnid else nrb for nrb in job.nrbs)
        job = replace(job, nrbs=tuple(nrbs))
    return job


def _edited_after_close(job: Job, rng: Random) -> Job:
    invoice = _pick_invoice(job, rng, least_age_days=30)
    closed = invoice.day + timedelta(days=9)
    return job.change_invoice(
        invoice.jnid, status_name="Closed", paid_share=Decimal(1), changed=closed, updated=closed + timedelta(days=20)
    )


def _status_missing(job: Job, rng: Random) -> Job:
    return job.change_invoice(_pick_invoice(job, rng).jnid, is_active_lost=True)


def _unmapped(job: Job, rng: Random) -> Job:  # noqa: ARG001 - nothing to choose
    """A job with another number and name in JobNimbus."""
    return replace(
        job, jobnimbus_name=f"{job.client.name} / Shop work", jobnimbus_number=f"9{job.invoices[0].recid:05d}"
    )


FAULTS: dict[str, Fault] = {
    "nrb-unbilled": _unbilled,
    "nrb-unexported": _unexported,
    "nrb-exported-unbilled": _exported_unbilled,
    "nrb-billed-unexported": _billed_unexported,
    "nrb-billed-not-found": _billed_not_found,
    "nrb-line-not-found": _line_not_found,
    "nrb-billed-on-void": _billed_on_void,
    "nrb-on-draft": _on_draft,
    "nrb-total-mismatch": _total_mismatch,
    "nrb-class-contradiction": _class_contradiction,
    "nrb-duplicate": _duplicate,
    "line-amount-difference": _amount_difference,
    "line-arithmetic": _arithmetic,
    "invoice-subtotal": _subtotal,
    "invoice-total": _total,
    "invoice-due": _due,
    "job-variance": _as_outlined,
    "record-quarantined": _quarantined,
    "nrb-invoiced-not-marked": _invoiced_not_marked,
    "nrb-billed-not-billable": _billed_not_billable,
    "nrb-no-markup": _no_markup,
    "nrb-parent-mismatch": _parent_mismatch,
    "nrb-duplicate-near": _duplicate_near,
    "nrb-missing-key": _missing_key,
    "nrb-nonpositive": _nonpositive,
    "nrb-date-odd": _date_odd,
    "nrb-cutoff": _cutoff,
    "nrb-hidden-text": _hidden_text,
    "invoice-paid-open": _paid_open,
    "invoice-overdue": _overdue,
    "invoice-margin": _margin,
    "invoice-no-job": _no_job,
    "invoice-edited-after-close": _edited_after_close,
    "invoice-status-missing": _status_missing,
    "invoice-duplicate": _invoice_twice,
    "invoice-gap": _as_outlined,
    "job-unmapped": _unmapped,
}

# Enough of each for an interesting month-end on 1,000 NRBs.
DEFAULT: Mapping[str, int] = {
    "nrb-unbilled": 5,
    "nrb-unexported": 4,
    "nrb-exported-unbilled": 8,
    "nrb-billed-unexported": 3,
    "nrb-billed-not-found": 3,
    "nrb-line-not-found": 4,
    "nrb-billed-on-void": 2,
    "nrb-on-draft": 2,
    "nrb-total-mismatch": 3,
    "nrb-class-contradiction": 3,
    "nrb-duplicate": 3,
    "line-amount-difference": 5,
    "line-arithmetic": 2,
    "invoice-subtotal": 2,
    "invoice-total": 2,
    "invoice-due": 2,
    "job-variance": 1,
}
