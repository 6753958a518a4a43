"""Untidy books for the benchmarks of linking, with the whole truth about which NRB is on which line.

Each job has two invoices, sometimes a draft and a re-issue, and ten NRBs or so. One in five NRBs is billed nowhere;
the others are billed the ways people bill: named or not, marked or not, in progress parts, twice, in lumps by names or
by the vendor's number, credited and re-issued, for another amount, on a draft, on a void invoice, or marked with an
invoice that does not carry them. References are written as people write them, some vendor's numbers are years or small
numbers, and labor, parts and measures beside them hold numbers of their own.

`hard`: besides, other lines hold the names or amounts of costs that nobody billed.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

Pair = tuple[str, str, int]
CENT = Decimal("0.01")


@dataclass
class Nrb:
    """One cost; `kind` is the way it was billed, `unbilled` if nowhere."""

    guid: str
    reference: str | None
    job: str
    vendor: str
    vendor_number: str | None
    day: date
    total: Decimal
    mark_guid: str | None = None
    mark_name: str | None = None
    kind: str = ""


@dataclass
class Invoice:
    """One invoice; a line is (text, amount, item type)."""

    jnid: str
    guid: str
    number: str
    job: str
    job_name: str
    status: str
    is_active: bool
    day: date
    lines: list[tuple[str, Decimal, str]] = field(default_factory=list)

    @property
    def is_issued(self) -> bool:
        """Neither draft nor void."""
        return self.is_active and self.status not in ("Draft", "Void")


@dataclass
class World:
    """Everything, and the pairs (nrb guid, jnid, position) that are true."""

    nrbs: list[Nrb] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    truth: set[Pair] = field(default_factory=set)

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return sum(len(invoice.lines) for invoice in self.invoices)


def untidy(seed: int, jobs: int, *, nrbs_per_job: int = 10, hard: bool = False) -> World:
    """The world of a seed; the same seed gives the same world."""
    world, rng = World(), Random(seed)
    for number in range(jobs):
        _Writer(world, rng, seed, number).write(nrbs_per_job, hard=hard)
    return world


class _Writer:
    """Writes one job. The order of its draws is the world: keep it."""

    def __init__(self, world: World, rng: Random, seed: int, number: int) -> None:
        self.world, self.rng, self.seed = world, rng, seed
        self.job = f"{rng.choice(('24', '25', '26'))}-{number:04d}"
        self.invoices: list[Invoice] = []

    def write(self, nrbs_per_job: int, *, hard: bool) -> None:
        rng, first = self.rng, len(self.world.nrbs)
        self.main, self.second = self.invoice(), self.invoice()
        self.draft = self.invoice("Draft") if rng.random() < 0.5 else None
        while len(self.world.nrbs) - first < nrbs_per_job:
            draw = rng.random()
            invoice = rng.choice((self.main, self.second))
            nrb = self.nrb()
            kind, bill = next((kind, bill) for share, kind, bill in WAYS if draw < share)
            nrb.kind = kind
            bill(self, nrb, invoice)
        for invoice in self.invoices:
            self.other_lines(invoice)
        if hard:
            for nrb in self.world.nrbs[first:]:
                if nrb.kind == "unbilled":
                    self.lookalike(nrb)

    def invoice(self, status: str = "Sent", *, is_active: bool = True) -> Invoice:
        rng, serial = self.rng, len(self.world.invoices) + 1
        jnid = f"i{rng.getrandbits(40):010x}{serial}"
        guid = str(uuid.UUID(int=rng.getrandbits(128)))
        day = self.day()
        job_name = f"{rng.randrange(100, 9999)} Main Street / {self.job}"
        made = Invoice(jnid, guid, f"INV-{serial:06d}", self.job, job_name, status, is_active, day)
        self.world.invoices.append(made)
        self.invoices.append(made)
        return made

    def nrb(self, **changes: Any) -> Nrb:
        rng = self.rng
        guid = str(uuid.UUID(int=rng.getrandbits(128)))
        own = f"{rng.choice(('R', 'AP'))}-{self.seed % 10}{len(self.world.nrbs):06d}" if rng.random() < 0.7 else None
        vendor = f"VEN{rng.randrange(40)}"
        made = Nrb(guid, own, self.job, vendor, self.vendor_number(), self.day(), self.amount())
        for name, value in changes.items():
            setattr(made, name, value)
        self.world.nrbs.append(made)
        return made

    def day(self) -> date:
        return date(2026, 1, 1) + timedelta(self.rng.randrange(250))

    def amount(self) -> Decimal:
        rng = self.rng
        draw = rng.random()
        if draw < 0.6:
            return Decimal(rng.randrange(5000, 900_000)) / 100
        if draw < 0.85:
            return Decimal(rng.randrange(50, 9000))
        return Decimal(rng.randrange(1, 60) * 100)

    def vendor_number(self) -> str | None:
        rng = self.rng
        draw = rng.random()
        if draw < 0.1:
            return None
        if draw < 0.3:
            return f"S{rng.randrange(10**8):08d}"
        if draw < 0.5:
            return str(rng.randrange(10_000, 99_999))
        if draw < 0.62:
            return str(rng.randrange(1000, 9999))
        if draw < 0.64:
            return str(rng.randrange(2019, 2027))
        if draw < 0.8:
            return f"INV-{rng.randrange(1000, 99_999)}"
        if draw < 0.9:
            return f"{rng.choice('ABKT')}{rng.randrange(100, 9999)}"
        return f"{rng.randrange(100_000, 9_999_999)}"

    def called(self, nrb: Nrb) -> str:
        """One of its names, as people write it."""
        rng = self.rng
        name = rng.choice([text for text in (nrb.reference, nrb.vendor_number) if text] or ["third party"])
        if rng.random() < 0.3:
            ways = (name.replace("-", ""), name.replace("-", " "), name.replace("-", "\u2013"), name.lower())
            name = ways[rng.randrange(4)]
        return name

    def words(self, name: str) -> str:
        ways = (
            f"Crane {name}", f"{name} rental", f"Inv#{name}", f"as per invoice {name}", f"Third party ({name})",
            f"{name}: trucking",
        )  # fmt: skip
        return self.rng.choice(ways)

    def line(self, invoice: Invoice, text: str, amount: Decimal, kind: str = "material") -> int:
        invoice.lines.append((text, Decimal(amount), kind))
        return len(invoice.lines) - 1

    def on(self, nrb: Nrb, invoice: Invoice, position: int) -> None:
        self.world.truth.add((nrb.guid, invoice.jnid, position))

    def mark(self, nrb: Nrb, invoice: Invoice) -> None:
        rng = self.rng
        if rng.random() < 0.7:
            exact = rng.random() < 0.6
            nrb.mark_name = invoice.number if exact else invoice.number.lower().replace("-", " ")
        else:
            nrb.mark_guid = invoice.guid

    # ── The ways of billing ─────────────────────────────────────────────────────────────────────────────────────────
    def bill_nowhere(self, nrb: Nrb, invoice: Invoice) -> None:
        pass

    def bill_named(self, nrb: Nrb, invoice: Invoice) -> None:
        self.on(nrb, invoice, self.line(invoice, self.words(self.called(nrb)), nrb.total))
        if self.rng.random() < 0.6:
            self.mark(nrb, invoice)

    def bill_marked(self, nrb: Nrb, invoice: Invoice) -> None:
        self.bill_unnamed(nrb, invoice)
        self.mark(nrb, invoice)

    def bill_unnamed(self, nrb: Nrb, invoice: Invoice) -> None:
        text = self.rng.choice(("Trucking", "Rental of pump", "Third party"))
        self.on(nrb, invoice, self.line(invoice, text, nrb.total))

    def bill_in_parts(self, nrb: Nrb, invoice: Invoice) -> None:
        first = (nrb.total * self.rng.randrange(20, 80) / 100).quantize(CENT)
        name = self.called(nrb)
        for each, part in ((self.main, first), (self.second, nrb.total - first)):
            text = self.words(name) + self.rng.choice((" progress", " part"))
            self.on(nrb, each, self.line(each, text, part))
        if self.rng.random() < 0.5:
            self.mark(nrb, invoice)

    def bill_twice(self, nrb: Nrb, invoice: Invoice) -> None:
        name = self.called(nrb)
        for each in (self.main, self.second):
            self.on(nrb, each, self.line(each, self.words(name), nrb.total))
        if self.rng.random() < 0.5:
            self.mark(nrb, invoice)

    def bill_lump_by_names(self, nrb: Nrb, invoice: Invoice) -> None:
        rng = self.rng
        members = [nrb] + [self.nrb(kind=nrb.kind) for _ in range(rng.randrange(1, 4))]
        for member in members:
            member.reference = member.reference or f"R-{self.seed % 10}{rng.randrange(10**6):06d}"
        total = sum((member.total for member in members), Decimal(0))
        off = rng.choice((Decimal(0), CENT, -2 * CENT, (total * rng.randrange(-4, 4) / 100).quantize(CENT)))
        text = "Third party: " + ", ".join(str(member.reference) for member in members)
        position = self.line(invoice, text, total + off)
        for member in members:
            self.on(member, invoice, position)
            if rng.random() < 0.3:
                self.mark(member, invoice)

    def bill_lump_by_number(self, nrb: Nrb, invoice: Invoice) -> None:
        rng = self.rng
        number = f"S{rng.randrange(10**8):08d}"
        vendor = nrb.vendor
        members = [nrb] + [self.nrb(vendor=vendor, kind=nrb.kind) for _ in range(rng.randrange(1, 3))]
        for member in members:
            member.vendor_number = number
        total = sum((member.total for member in members), Decimal(0))
        off = rng.choice((Decimal(0), Decimal(0), CENT, (total * rng.randrange(-3, 3) / 100).quantize(CENT)))
        position = self.line(invoice, f"Invoice {number}", total + off)
        for member in members:
            self.on(member, invoice, position)

    def credit_and_bill_again(self, nrb: Nrb, invoice: Invoice) -> None:
        name, again = self.called(nrb), self.invoice()
        parts = ((self.main, "", nrb.total), (self.second, "Credit ", -nrb.total), (again, "", nrb.total))
        for each, word, amount in parts:
            self.on(nrb, each, self.line(each, f"{word}{name}", amount))

    def bill_another_amount(self, nrb: Nrb, invoice: Invoice) -> None:
        text = self.words(self.called(nrb))
        amount = (nrb.total * self.rng.randrange(85, 130) / 100).quantize(CENT)
        self.on(nrb, invoice, self.line(invoice, text, amount))

    def bill_on_draft(self, nrb: Nrb, invoice: Invoice) -> None:
        draft = self.draft or self.invoice("Draft")
        self.on(nrb, draft, self.line(draft, self.words(self.called(nrb)), nrb.total))

    def bill_on_void(self, nrb: Nrb, invoice: Invoice) -> None:
        void = self.invoice("Void" if self.rng.random() < 0.5 else "Sent", is_active=False)
        self.on(nrb, void, self.line(void, self.words(self.called(nrb)), nrb.total))
        self.mark(nrb, void)

    def mark_with_nothing(self, nrb: Nrb, invoice: Invoice) -> None:
        nrb.mark_name = f"INV-9{self.rng.randrange(10**6):06d}"

    def mark_with_another(self, nrb: Nrb, invoice: Invoice) -> None:
        self.on(nrb, self.main, self.line(self.main, self.words(self.called(nrb)), nrb.total))
        self.mark(nrb, self.second)

    # ── What stands beside costs ────────────────────────────────────────────────────────────────────────────────────
    def other_lines(self, invoice: Invoice) -> None:
        rng = self.rng
        for _ in range(rng.randrange(1, 6)):
            labor = (
                "Crew day",
                f"Site supervision September {rng.randrange(2024, 2027)}",
                f"Unit {rng.randrange(1000, 9999)}, standby",
                f"Labour {self.day():%Y%m%d}",
                f"Operator {rng.randrange(4, 60)} hours",
            )
            text = rng.choice(labor)
            self.line(invoice, text, Decimal(rng.randrange(1, 90)) * rng.choice((25, 50, 100)), "labor")
        for _ in range(rng.randrange(0, 4)):
            material = (
                f"Pipe {rng.randrange(10, 4000)} m",
                f"Bolts 3/4-{rng.randrange(8, 20)}",
                f"Part {rng.randrange(10_000, 99_999)}",
                f"Dust control {rng.randrange(100, 2100)} L",
                "Own stock",
                f"Gravel, station {rng.randrange(100, 999)}-{rng.randrange(100, 999)}",
            )
            text = rng.choice(material)
            self.line(invoice, text, self.amount())

    def lookalike(self, nrb: Nrb) -> None:
        """A line of something else that holds the name, or has the amount, of a cost that nobody billed."""
        rng = self.rng
        invoice, draw = rng.choice((self.main, self.second)), rng.random()
        own, number = nrb.reference, nrb.vendor_number
        if draw < 0.2 and own:
            share = (nrb.total * rng.randrange(5, 60) / 100).quantize(CENT)
            self.line(invoice, f"Operator for {own}", share, "labor")
        elif draw < 0.3 and own:
            self.line(invoice, f"Freight, see {own}", (nrb.total * rng.randrange(4, 15) / 100).quantize(CENT))
        elif draw < 0.5 and number:
            text = rng.choice((f"Part {number}", f"Own stock {number}", f"{number} m pipe", f"Unit {number}"))
            self.line(invoice, text, self.amount())
        elif draw < 0.6 and number:
            self.line(invoice, f"Standby {number}", self.amount(), "labor")
        elif draw < 0.7:
            self.line(invoice, "Own stock", nrb.total)


# The share of costs up to here, the name of the way, and the way.
WAYS: tuple[tuple[float, str, Callable[[_Writer, Nrb, Invoice], None]], ...] = (
    (0.22, "unbilled", _Writer.bill_nowhere),
    (0.42, "named", _Writer.bill_named),
    (0.50, "marked, no name", _Writer.bill_marked),
    (0.55, "no name, no mark", _Writer.bill_unnamed),
    (0.63, "progress", _Writer.bill_in_parts),
    (0.67, "charged twice", _Writer.bill_twice),
    (0.75, "lump by names", _Writer.bill_lump_by_names),
    (0.81, "lump by vendor's number", _Writer.bill_lump_by_number),
    (0.85, "credited, re-issued", _Writer.credit_and_bill_again),
    (0.88, "other amount, named", _Writer.bill_another_amount),
    (0.91, "draft", _Writer.bill_on_draft),
    (0.94, "void", _Writer.bill_on_void),
    (0.97, "mark names nothing", _Writer.mark_with_nothing),
    (1.01, "marked, other invoice", _Writer.mark_with_another),
)
