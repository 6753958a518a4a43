"""Write one job from its outline: the NRBs that were bought for it and the invoices that bill each of them.

In a clean job every billable cost is billed on an issued invoice, to the cent, and is identified by a reference or by
an amount that occurs once in the job. Totals of NRBs are never whole dollars and all other lines are, so that no labor
line looks like a cost. Not here: numbers that jobs share (they are in the outline), and faults.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from auditkit.sandbox.dataset_books import AS_OF, Invoice, Job, Line, Mark, Nrb, cents, marked_up
from auditkit.sandbox.dataset_catalog import AUTHORS, CLIENTS, LABOR, VENDORS, Client, Vendor, as_guid
from auditkit.sandbox.dataset_plan import JobPlan, Slot
from auditkit.sandbox.habits import with_habits

__all__ = ["write_job"]

_ONE = Decimal(1)
_SEVERAL = (2, 3, 4, 5, 8)


def write_job(rng: Random, plan: JobPlan, lump_sums: bool) -> Job:
    """One clean job with its habits. The same state of `rng` and the same outline give the same job."""
    client = CLIENTS[plan.client]
    by_number = plan.is_in_aimsio and rng.random() < 0.15  # else by a token of its name
    name = plan.number if plan.is_in_aimsio and not by_number else "Shop work"
    headers = [_header(rng, plan, place, client) for place in range(len(plan.slots))]
    nrbs = list(_Purchases(rng, plan, headers).all())
    job = Job(
        number=plan.number,
        jobnimbus_id=_jnid(rng),
        jobnimbus_name=f"{client.name} / {name}",
        jobnimbus_number=plan.number.lower() if by_number else plan.jobnimbus_number,
        contact_id=_jnid(rng),
        client=client,
        nrbs=tuple(nrbs),
        invoices=tuple(_with_lines(rng, plan, headers, nrbs, lump_sums)),
    )
    reserved = frozenset(nrb.guid for nrb in nrbs[: plan.plain_nrbs])
    return with_habits(job, plan.habits, rng, reserved=reserved)


def _jnid(rng: Random) -> str:
    return f"l{rng.getrandbits(96):024x}"


def _guid(rng: Random) -> str:
    return as_guid(f"{rng.getrandbits(128):032x}")


def _header(rng: Random, plan: JobPlan, place: int, client: Client) -> Invoice:
    """An invoice without lines: client, days and payment. Every past-due invoice is paid; others may be."""
    slot = plan.slots[place]
    due_day = slot.day + timedelta(days=client.terms_days)
    paid_share, status = Decimal(0), "Draft" if slot.state == "draft" else "Sent"
    changed = slot.day
    if slot.state == "issued":
        paid_share = _ONE if due_day < AS_OF else rng.choice((Decimal(0), Decimal(0), Decimal("0.4"), _ONE))
    if paid_share:
        changed = min(slot.day + timedelta(days=rng.randrange(9, client.terms_days)), AS_OF)
    if paid_share == 1:
        status = rng.choice(("Closed", "Closed", "Paid"))
    return Invoice(
        jnid=_jnid(rng),
        guid=_guid(rng).upper(),
        recid=plan.first_recid + place,
        number=slot.number,
        external_id=_external_id(rng, plan.first_recid + place) if slot.state == "issued" else None,
        client=client,
        day=slot.day,
        due_day=due_day,
        changed=changed,
        updated=changed,
        state=slot.state,
        status_name=status,
        is_archived=status == "Closed" and slot.day < AS_OF - timedelta(days=120) and rng.random() < 0.6,
        has_job=True,
        paid_share=paid_share,
        lines=(),
        role=slot.role,
        follows_gap=slot.follows_gap,
    )


def _external_id(rng: Random, recid: int) -> str | None:
    """None, a number from QuickBooks, or the guid of the Aimsio invoice that this one was made from."""
    source = rng.random()
    return None if source < 0.5 else f"QB-{990_000 + recid}" if source < 0.92 else _guid(rng)


@dataclass(frozen=True, slots=True)
class _Purchase:
    """One vendor invoice, and the client invoice that bills it."""

    vendor: Vendor
    number: str
    day: date
    invoice: Invoice


class _Purchases:
    """The NRBs of one job in random order: single ones and receipts with 2 to 4 children."""

    def __init__(self, rng: Random, plan: JobPlan, headers: list[Invoice]) -> None:
        self._rng = rng
        self._plan = plan
        self._serials = iter(range(plan.first_serial, plan.first_serial + plan.nrb_count))
        self._left = plan.nrb_count
        self._issued = [invoice for invoice in headers if invoice.state == "issued" and invoice.role == "progress"]
        self._marks = {invoice.jnid: _mark_of(rng, invoice) for invoice in self._issued}
        self._totals: set[Decimal] = set()

    def all(self) -> Iterator[Nrb]:
        """Every NRB of the job, a receipt before its children."""
        for _ in range(self._plan.plain_nrbs):
            serial = self._next_serial()
            yield self._nrb(serial, self._purchase(serial))
        if self._left >= 4:
            yield from self._receipt()
        last: _Purchase | None = None
        while self._left:
            if self._left >= 4 and self._rng.random() < 0.07:
                yield from self._receipt()
                continue
            serial = self._next_serial()
            shares = last is not None and self._rng.random() < 0.05  # a vendor invoice entered in two parts
            last = last if last and shares else self._purchase(serial)
            yield self._single(serial, last)

    def _next_serial(self) -> int:
        self._left -= 1
        return next(self._serials)

    def _purchase(self, serial: int) -> _Purchase:
        vendor = self._rng.choice(VENDORS)
        invoice = self._rng.choice(self._issued)
        day = invoice.day - timedelta(days=self._rng.randrange(7, 27))
        return _Purchase(vendor, vendor.invoice_number(serial), day, invoice)

    def _single(self, serial: int, purchase: _Purchase) -> Nrb:
        nrb = self._nrb(serial, purchase)
        fate = self._rng.random()
        if fate < 0.06:
            return replace(nrb, internal=True, billable=False, account_type="Not Billable", mark=None)
        if fate < 0.10:
            return replace(nrb, billable=False, account_type="Not Billable", mark=None)
        if fate < 0.13:
            return replace(nrb, billable=None)
        return replace(nrb, by_amount=True) if fate < 0.17 else nrb

    def _receipt(self) -> Iterator[Nrb]:
        """A receipt and its children; some children have no mark and export flag of their own."""
        serial = self._next_serial()
        purchase = self._purchase(serial)
        receipt = self._nrb(serial, purchase)
        own: dict[str, Any] = {"parent": receipt.guid, "wbs": receipt.wbs}
        if self._rng.random() < 0.3:
            own |= {"mark": None, "exported": None}
        children = []
        for _ in range(min(self._rng.randrange(2, 5), self._left)):
            children.append(replace(self._nrb(self._next_serial(), purchase), **own))
        yield replace(
            receipt,
            children=tuple(child.guid for child in children),
            rate=sum((cents(child.rate * child.quantity) for child in children), Decimal(0)),
            quantity=_ONE,
            tax=sum((child.tax for child in children), Decimal(0)),
            total=sum((child.total for child in children), Decimal(0)),
        )
        yield from children

    def _nrb(self, serial: int, purchase: _Purchase) -> Nrb:
        rng, vendor = self._rng, purchase.vendor
        rate, quantity, tax, total = self._figures(vendor)
        named_by = rng.random()  # an external id, an origin reference, or both
        has_po = rng.random() < 0.4
        created = purchase.day + timedelta(days=rng.randrange(0, 4))
        return Nrb(
            guid=_guid(rng),
            external_id=None if named_by < 0.1 else f"NRB-{serial:06d}",
            origin_reference=f"AP-{serial:06d}" if named_by < 0.5 else None,
            vendor=vendor,
            vendor_invoice_number=purchase.number,
            day=purchase.day,
            created=created,
            updated=max(created, purchase.invoice.day),
            author=rng.randrange(len(AUTHORS)),
            wbs=None if rng.random() < 0.1 else f"{self._plan.number}-01.{rng.randrange(1, 6):02d}",
            po_number=f"PO-{13_000 + serial}" if has_po else None,
            reconciles_with_po=has_po and named_by >= 0.1 and rng.random() < 0.5,
            rate=rate,
            quantity=quantity,
            tax=tax,
            upcharge=vendor.markup,
            total=total,
            billable=True,
            account_type="Billable",
            internal=False,
            exported=True,
            mark=self._marks[purchase.invoice.jnid],
        )

    def _figures(self, vendor: Vendor) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Rate, quantity, tax and a total that occurs once in the job and is not a whole number of dollars."""
        low, high = vendor.rates
        while True:
            rate = Decimal(self._rng.randrange(low * 100, high * 100)).scaleb(-2)
            quantity = Decimal(self._rng.choice(vendor.quantities))
            tax = cents(rate * quantity * vendor.tax_percent / 100)
            total = marked_up(rate, quantity, vendor.markup, tax, vendor.applies_on)
            if total not in self._totals and total % 1:
                self._totals.add(total)
                return rate, quantity, tax, total


def _mark_of(rng: Random, invoice: Invoice) -> Mark:
    """How Aimsio names an invoice: usually by its number with a guid of Aimsio's, sometimes in another way."""
    if invoice.external_id and not invoice.external_id.startswith("QB-"):
        return Mark(invoice.external_id, f"Aimsio invoice {invoice.recid}", invoice.jnid)
    way = rng.random()
    if way < 0.80:
        return Mark(_guid(rng), invoice.number, invoice.jnid)
    if way < 0.88:
        return Mark(invoice.guid.lower(), invoice.number, invoice.jnid)
    if way < 0.94:
        return Mark(invoice.guid.lower(), None, invoice.jnid)
    return Mark(None, invoice.external_id or invoice.number, invoice.jnid)


def _with_lines(rng: Random, plan: JobPlan, headers: list[Invoice], nrbs: list[Nrb], lump_sums: bool) -> list[Invoice]:
    """The invoices with their lines; a void one has the lines of the one that replaced it, with other ids."""
    numbers = Counter(nrb.vendor_invoice_number for nrb in nrbs)
    written: list[Invoice] = []
    for slot, header in zip(plan.slots, headers, strict=True):
        if slot.copies is not None:
            lines = [replace(line, jnid=_jnid(rng)) for line in written[slot.copies].lines]
        elif slot.role != "progress":
            lines = []
        else:
            billed = list(_billed_on(rng, header, nrbs, lump_sums))
            lines = [_line_for(rng, plan, nrb, numbers) for nrb in billed] + list(_other_lines(rng, slot))
        written.append(replace(header, lines=tuple(lines)))
    return written


def _billed_on(rng: Random, invoice: Invoice, nrbs: list[Nrb], lump_sums: bool) -> Iterator[Nrb]:
    """The NRBs with a line on this invoice: each leaf NRB, or a whole receipt in place of its children."""
    receipts = {nrb.guid: nrb for nrb in nrbs if nrb.children}
    lumped: set[str] = set()
    for nrb in nrbs:
        mark = nrb.mark or (receipts[nrb.parent].mark if nrb.parent else None)
        if mark is None or mark.invoice != invoice.jnid or nrb.parent in lumped:
            continue
        if not nrb.children:
            yield nrb
        elif lump_sums and rng.random() < 0.5:
            lumped.add(nrb.guid)
            yield nrb


def _line_for(rng: Random, plan: JobPlan, nrb: Nrb, numbers: Counter[str]) -> Line:
    """The line of one NRB or of a whole receipt. It names the NRB, except for the few identified by amount."""
    trade, client = nrb.vendor.trade, CLIENTS[plan.client]
    references = [text for text in (nrb.external_id, nrb.origin_reference) if text]
    if numbers[nrb.vendor_invoice_number] == 1:
        references.append(nrb.vendor_invoice_number)
    reference = rng.choice(references)
    wordings = (
        f"{trade} / REF {reference}",
        f"{client.name} / {plan.number} / {reference}",
        f"{trade}, per attached {reference}",
        f"{trade} ({reference})",
    )
    return Line(
        jnid=_jnid(rng),
        name=trade,
        description=f"{trade}, as agreed on site" if nrb.by_amount else rng.choice(wordings),
        item_type="material",
        uom="Items",
        amount=nrb.total,
        cost=cents(nrb.rate * nrb.quantity + nrb.tax),
        carries=nrb.children or (nrb.guid,),
        reference=None if nrb.by_amount else reference,
        **_split(rng, nrb.total),
    )


def _split(rng: Random, amount: Decimal) -> dict[str, Decimal]:
    """A quantity and a price in whole cents whose product is exactly the amount."""
    if rng.random() < 0.25:
        for several in _SEVERAL:
            if not int(amount * 100) % several:
                return {"quantity": Decimal(several), "price": cents(amount / several)}
    return {"quantity": _ONE, "price": amount}


def _other_lines(rng: Random, slot: Slot) -> Iterator[Line]:
    """Labor, sometimes consumables and a discount: lines without an NRB, all in whole dollars."""
    labor = Decimal(0)
    for crew, rate in rng.sample(LABOR, rng.randrange(1, 4)):
        hours = Decimal(rng.randrange(8, 140)) / 2
        labor += hours * rate
        yield _other_line(rng, ("Labour", f"{crew}, week to {slot.day}", "labor", "Hours"), Decimal(rate), hours)
    if rng.random() < 0.3:
        price = Decimal(rng.randrange(20, 300))
        yield _other_line(rng, ("Consumables", "Shop consumables", "material", "Items"), price)
    if rng.random() < 0.1:
        price = -Decimal(int(labor) // 10)
        yield _other_line(rng, ("Discount", "Discount on labour", "material", "Items"), price)


def _other_line(rng: Random, words: tuple[str, str, str, str], price: Decimal, quantity: Decimal = _ONE) -> Line:
    amount = cents(quantity * price)
    cost = cents(max(amount, Decimal(0)) * 60 / 100)
    return Line(_jnid(rng), *words, quantity=quantity, price=price, amount=amount, cost=cost)
