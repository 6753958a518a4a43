"""Habits of ordinary books: each one changes a clean job so that every cost stays billed, but less tidily.

A habit changes billed costs that no other habit has used and no fault may need, or adds lines without a cost. If a job
has none left, the habit changes nothing. Not here: which job has which habits (the outline).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import cycle
from random import Random

from auditkit.sandbox.dataset_books import Invoice, Job, Line, Mark, Nrb, Role, cents
from auditkit.sandbox.dataset_catalog import VENDORS

__all__ = ["HABITS", "OPEN_STATUS", "ROLES", "with_habits"]

Habit = Callable[[Job, Random], Job]

OPEN_STATUS = "open status"  # of recent jobs alone: what is past due is paid
_ONE, _CENT = Decimal(1), Decimal("0.01")
_LODGING = next(vendor for vendor in VENDORS if vendor.code == "LDG")
_RENTAL = next(vendor for vendor in VENDORS if vendor.code == "TRX")


def with_habits(job: Job, names: tuple[str, ...], rng: Random, *, reserved: frozenset[str]) -> Job:
    """The job with these habits, in order. Faults may still use the `reserved` NRBs and all progress invoices."""
    changed = replace(job, touched=job.touched | reserved)
    for name in names:
        changed = HABITS[name](changed, rng)
    progress = {invoice.jnid for invoice in job.invoices if invoice.role == "progress"}
    others = {invoice.jnid for invoice in job.invoices} - progress
    return replace(changed, touched=(changed.touched - reserved - progress) | (others if names else set()))


def _free(job: Job) -> list[tuple[Nrb, Invoice, Line]]:
    """Billed single NRBs that are not used yet, each alone on a line that names it."""
    found = [
        (nrb, *next(job.lines_of(nrb.guid)))
        for nrb in job.nrbs
        if nrb.mark and nrb.is_chargeable and not nrb.parent and not nrb.children and nrb.guid not in job.touched
    ]
    return [(nrb, invoice, line) for nrb, invoice, line in found if line.reference and line.carries == (nrb.guid,)]


def _of_one_invoice(job: Job, rng: Random, size: int) -> list[tuple[Nrb, Invoice, Line]]:
    """`size` free NRBs of one invoice, or none."""
    free = _free(job)
    by_invoice = {invoice.jnid: [each for each in free if each[1].jnid == invoice.jnid] for _, invoice, _ in free}
    able = [members for members in by_invoice.values() if len(members) >= size]
    return rng.sample(rng.choice(able), size) if able else []


def _add(job: Job, invoice: Invoice, *lines: Line) -> Job:
    """The job with lines added at the end of an invoice."""
    return job.change_invoice(invoice.jnid, lines=(*job.invoice(invoice.jnid).lines, *lines))


def _with_role(job: Job, role: Role) -> Invoice | None:
    """The invoice, still empty, that the outline has for this role."""
    return next((invoice for invoice in job.invoices if invoice.role == role and not invoice.lines), None)


def _jnid(rng: Random) -> str:
    return f"l{rng.getrandbits(96):024x}"


def _plain_line(rng: Random, name: str, description: str, amount: Decimal) -> Line:
    return Line(_jnid(rng), name, description, "material", "Items", _ONE, amount, amount, cost=Decimal(0))


def _progress(job: Job, rng: Random) -> Job:
    """One cost billed 40 and 60 percent on two invoices; both lines name it."""
    issued = [invoice for invoice in job.invoices if invoice.state == "issued" and invoice.role == "progress"]
    fits = [
        (nrb, line, other)
        for nrb, invoice, line in _free(job)
        for other in issued
        if other.day > invoice.day and (other.day - nrb.day).days <= 45
    ]
    if not fits:
        return job
    nrb, line, other = rng.choice(fits)
    first = cents(line.amount * 40 * _CENT)
    words = f"{nrb.vendor.trade} {line.reference}"
    rest = line.amount - first
    final = replace(
        line, jnid=_jnid(rng), description=f"{words}, balance", quantity=_ONE, price=rest, amount=rest, cost=Decimal(0)
    )
    job = job.change_lines(nrb.guid, description=f"{words}, 40 %", quantity=_ONE, price=first, amount=first)
    return _add(job, other, final).change_nrb(nrb.guid)


def _lump(job: Job, rng: Random, *, named: bool) -> Job:
    """Two or three costs of one invoice in one line, which names all of them or none."""
    members = _of_one_invoice(job, rng, 3) or _of_one_invoice(job, rng, 2)
    if not members:
        return job
    invoice = members[0][1]
    total = sum((line.amount for _, _, line in members), Decimal(0))
    names = ", ".join(str(line.reference) for _, _, line in members[:-1]) + f" & {members[-1][2].reference}"
    one = replace(
        members[0][2],
        name="Third party services",
        description=f"Third party charges {names}" if named else "Third party charges, receipts attached",
        quantity=_ONE,
        price=total,
        amount=total,
        cost=sum((line.cost for _, _, line in members), Decimal(0)),
        carries=tuple(nrb.guid for nrb, _, _ in members),
        reference=names if named else None,
    )
    for nrb, _, _ in members:
        job = job.drop_lines(nrb.guid).change_nrb(nrb.guid)
    return _add(job, invoice, one)


def _named_lump(job: Job, rng: Random) -> Job:
    return _lump(job, rng, named=True)


def _unnamed_lump(job: Job, rng: Random) -> Job:
    return _lump(job, rng, named=False)


def _credit_and_reissue(job: Job, rng: Random) -> Job:
    """A charge, its credit on a credit note, and the charge again on the next invoice; all three name the cost."""
    free, credit, again = _free(job), _with_role(job, "credit"), _with_role(job, "reissue")
    if not free or not credit or not again:
        return job
    nrb, _, line = rng.choice(free)
    less = replace(
        line, jnid=_jnid(rng), description=f"Credit {line.reference}, wrong PO", quantity=_ONE, price=-line.amount,
        amount=-line.amount, cost=Decimal(0),
    )  # fmt: skip
    more = replace(line, jnid=_jnid(rng), description=f"{nrb.vendor.trade} {line.reference}, rebilled")
    return _add(_add(job, credit, less), again, more).change_nrb(nrb.guid)


def _deposit(job: Job, rng: Random) -> Job:
    """A deposit before the work, subtracted on the last invoice."""
    deposit = _with_role(job, "deposit")
    if not deposit:
        return job
    amount = Decimal(rng.randrange(20, 90) * 100)
    last = max((item for item in job.invoices if item.state == "issued" and item.role == "progress"), key=_day)
    job = _add(job, deposit, _plain_line(rng, "Deposit", f"Deposit on {job.number}, per quote", amount))
    return _add(job, last, _plain_line(rng, "Deposit", "Less deposit received", -amount))


def _day(invoice: Invoice) -> tuple[str, str]:
    return invoice.day.isoformat(), invoice.jnid


def _halves(job: Job, rng: Random) -> Job:
    """Half in advance, half at the end: two invoices of one amount."""
    first, second = _with_role(job, "deposit"), _with_role(job, "balance")
    if not first or not second:
        return job
    amount = Decimal(rng.randrange(20, 90) * 100)
    job = _add(job, first, _plain_line(rng, "Mobilization", "Mobilization, 50 % on signing", amount))
    return _add(job, second, _plain_line(rng, "Mobilization", "Mobilization, 50 % on completion", amount))


def _retainage(job: Job, rng: Random) -> Job:
    """Ten percent of the labor of each invoice held back, and released at the end."""
    release = _with_role(job, "release")
    if not release:
        return job
    held = Decimal(0)
    for invoice in job.invoices:
        labor = sum((line.amount for line in invoice.lines if line.item_type == "labor"), Decimal(0))
        if invoice.state == "issued" and invoice.role == "progress" and labor:
            part = Decimal(int(labor) // 10)
            job = _add(job, invoice, _plain_line(rng, "Retainage", "Retainage 10 % held back", -part))
            held += part
    return _add(job, release, _plain_line(rng, "Retainage", "Release of retainage", held))


def _void_by_status(job: Job, rng: Random) -> Job:
    """Void invoices that are void by their status and still active."""
    for invoice in job.invoices:
        if invoice.state == "void":
            status = rng.choice(("Void", "Cancelled"))
            job = job.change_invoice(invoice.jnid, is_void_by_status=True, status_name=status)
    return job


def _open_status(job: Job, rng: Random) -> Job:  # noqa: ARG001 - nothing to choose
    """Invoices that are sent and not paid have the status Open."""
    for invoice in job.invoices:
        if invoice.state == "issued" and invoice.status_name == "Sent" and not invoice.paid_share:
            job = job.change_invoice(invoice.jnid, status_name="Open")
    return job


def _recoverable_tax(job: Job, rng: Random) -> Job:
    """A cost billed without the vendor's tax, which the contractor gets back."""
    free = [each for each in _free(job) if each[0].tax and each[2].amount > each[0].tax]
    if not free:
        return job
    nrb, _, line = rng.choice(free)
    own_id = nrb.external_id or nrb.origin_reference
    amount = line.amount - nrb.tax
    return job.change_lines(
        nrb.guid, description=f"{nrb.vendor.trade} / REF {own_id}", reference=own_id, quantity=_ONE, price=amount,
        amount=amount,
    ).change_nrb(nrb.guid)  # fmt: skip


def _weekly_rent(job: Job, rng: Random) -> Job:
    """One machine rented by the week: one vendor, one amount, consecutive numbers, a line for each week."""
    members = _of_one_invoice(job, rng, 3)
    if not members:
        return job
    rate = Decimal(rng.randrange(21_000, 90_000)).scaleb(-2)
    number, last = rng.randrange(4000, 9000), max(nrb.day for nrb, _, _ in members)
    for week, (nrb, _, _) in enumerate(members):
        own_id = nrb.external_id or nrb.origin_reference
        day = last - timedelta(days=7 * (2 - week))
        changed = replace(
            nrb, vendor=_RENTAL, vendor_invoice_number=f"R-{number + week}", day=day, created=max(day, nrb.created),
            rate=rate, quantity=_ONE, tax=cents(rate * _RENTAL.tax_percent / 100), upcharge=_RENTAL.markup,
        )  # fmt: skip
        total = changed.recomputed
        changed = replace(changed, total=total)
        job = replace(job, nrbs=tuple(changed if each.guid == nrb.guid else each for each in job.nrbs))
        job = job.change_lines(
            nrb.guid, name=_RENTAL.trade, description=f"{_RENTAL.trade} / REF {own_id}, week {week + 1}",
            reference=own_id, quantity=_ONE, price=total, amount=total, cost=cents(rate + changed.tax),
        ).change_nrb(nrb.guid)  # fmt: skip
    return job


def _split_document(job: Job, rng: Random) -> Job:
    """One hotel bill, half booked to this job and half to the next one."""
    free = _free(job)
    if not free:
        return job
    nrb, _, _ = rng.choice(free)
    pair = int(job.jobnimbus_number) // 2 if job.jobnimbus_number.isdecimal() else int(job.number[-4:]) // 2
    own_id = nrb.external_id or nrb.origin_reference
    rate = Decimal(13_537 + pair * 10).scaleb(-2)
    changed = replace(
        nrb, vendor=_LODGING, vendor_invoice_number=f"LC.{pair:07d}.SPLIT", rate=rate, quantity=_ONE,
        tax=cents(rate * _LODGING.tax_percent / 100), upcharge=_LODGING.markup,
    )  # fmt: skip
    total = changed.recomputed
    changed = replace(changed, total=total)
    job = replace(job, nrbs=tuple(changed if each.guid == nrb.guid else each for each in job.nrbs))
    return job.change_lines(
        nrb.guid, name=_LODGING.trade, description=f"{_LODGING.trade} / REF {own_id}", reference=own_id, quantity=_ONE,
        price=total, amount=total, cost=cents(rate + changed.tax),
    ).change_nrb(nrb.guid)  # fmt: skip


def _loose_references(job: Job, rng: Random) -> Job:
    """References as people write them: in another letter case, with another separator, after a document word."""
    ways = cycle(("{low}", "Inv# {text}", "{spaced}", "ref. {dashed}", "{joined}"))
    for nrb, _, line in rng.sample(free := _free(job), min(len(free), 5)):
        text = nrb.external_id or nrb.origin_reference or str(line.reference)
        shown = next(ways).format(
            text=text,
            low=text.lower(),
            spaced=text.replace("-", " "),
            dashed=text.replace("-", "\u2013"),
            joined=text.replace("-", ""),
        )
        job = job.change_lines(nrb.guid, description=f"{nrb.vendor.trade} {shown}", reference=text)
        name = nrb.mark and nrb.mark.name
        if name and name.startswith("INV-"):
            written = rng.choice((name.removeprefix("INV-"), name.lower(), name.replace("-", " ")))
            job = job.change_nrb(nrb.guid, mark=Mark(None, written, nrb.mark.invoice if nrb.mark else None))
        else:
            job = job.change_nrb(nrb.guid)
    return job


def _open_draft(job: Job, rng: Random) -> Job:
    """A draft of this month: its price is still to be agreed."""
    draft = _with_role(job, "standby")
    if not draft:
        return job
    amount = Decimal(rng.randrange(300, 900))
    return _add(job, draft, _plain_line(rng, "Standby", "Standby, to be agreed", amount))


def _float_noise(job: Job, rng: Random) -> Job:  # noqa: ARG001 - nothing to choose
    """Figures with the errors of binary floats: 103.34999999999999 for 103.35."""
    for invoice in job.invoices:
        job = job.change_invoice(invoice.jnid, has_float_noise=True)
    return job


HABITS: Mapping[str, Habit] = {
    "progress billing": _progress,
    "named lump": _named_lump,
    "deposit": _deposit,
    "credit and re-issue": _credit_and_reissue,
    "float noise": _float_noise,
    "unnamed lump": _unnamed_lump,
    "void by status": _void_by_status,
    "loose references": _loose_references,
    "retainage": _retainage,
    "weekly rent": _weekly_rent,
    "open draft": _open_draft,
    "recoverable tax": _recoverable_tax,
    "halves": _halves,
    "split document": _split_document,
    OPEN_STATUS: _open_status,
}
# The roles of the further invoices that a habit needs.
ROLES: Mapping[str, tuple[Role, ...]] = {
    "deposit": ("deposit",),
    "credit and re-issue": ("credit", "reissue"),
    "retainage": ("release",),
    "halves": ("deposit", "balance"),
    "open draft": ("standby",),
}
