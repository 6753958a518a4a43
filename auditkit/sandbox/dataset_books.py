"""The contractor's own books of one job: every NRB, invoice and line, and which line carries which NRB.

They hold what no vendor stores: this line bills that NRB, this mark means that invoice. Bodies are written from the
books, the truth is read from them, and faults are changes of them.

Not here: random choices, and the vendors' field names.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, NamedTuple, Self

from auditkit.sandbox.dataset_catalog import SUB_TOTAL_AND_VENDOR_TAX, Client, Vendor

__all__ = [
    "AS_OF",
    "TIMEZONE",
    "Figures",
    "Invoice",
    "Job",
    "Line",
    "Mark",
    "Nrb",
    "Role",
    "State",
    "cents",
    "marked_up",
]

AS_OF = date(2026, 9, 30)
TIMEZONE = "America/Edmonton"
_CENT = Decimal("0.01")

State = Literal["issued", "draft", "void"]
Role = Literal["progress", "deposit", "balance", "credit", "reissue", "release", "standby"]


def cents(amount: Decimal) -> Decimal:
    """Rounded half up to the cent."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)


def marked_up(rate: Decimal, quantity: Decimal, upcharge: Decimal, tax: Decimal, applies_on: str) -> Decimal:
    """Aimsio's total after markup: 750 × 1, 10 %, tax 37.50 is 862.50, or 866.25 if the tax is marked up as well."""
    factor = 1 + upcharge * _CENT
    if applies_on == SUB_TOTAL_AND_VENDOR_TAX:
        return cents((rate * quantity + tax) * factor)
    return cents(rate * quantity * factor + tax)


@dataclass(frozen=True, slots=True)
class Mark:
    """Aimsio's billed mark; `invoice` is the jnid of the invoice that it means, None if there is none."""

    guid: str | None
    name: str | None
    invoice: str | None


@dataclass(frozen=True, slots=True)
class Nrb:
    """One non-recurring billable item. A child whose `exported` or `mark` is None has its parent's.

    `by_amount`: no text on its line names it; only the amount identifies it.
    """

    guid: str
    external_id: str | None
    origin_reference: str | None
    vendor: Vendor
    vendor_invoice_number: str
    day: date
    created: date
    updated: date
    author: int
    wbs: str | None
    po_number: str | None
    reconciles_with_po: bool
    rate: Decimal
    quantity: Decimal
    tax: Decimal
    upcharge: Decimal
    total: Decimal
    billable: bool | None
    account_type: str
    internal: bool
    exported: bool | None
    mark: Mark | None
    by_amount: bool = False
    parent: str | None = None
    children: tuple[str, ...] = ()
    malformed: tuple[tuple[str, Any], ...] = ()

    @property
    def recomputed(self) -> Decimal:
        """The correct total after markup."""
        return marked_up(self.rate, self.quantity, self.upcharge, self.tax, self.vendor.applies_on)

    @property
    def is_chargeable(self) -> bool:
        """Whether it is billable, by its flag or else its account type, and not internal."""
        billable = self.account_type == "Billable" if self.billable is None else self.billable
        return billable and not self.internal


@dataclass(frozen=True, slots=True)
class Line:
    """One invoice line; `carries` holds the NRBs that it bills, `reference` the text that names them to a reader."""

    jnid: str
    name: str
    description: str
    item_type: str
    uom: str
    quantity: Decimal
    price: Decimal
    amount: Decimal
    cost: Decimal
    carries: tuple[str, ...] = ()
    reference: str | None = None


class Figures(NamedTuple):
    """The amounts at the foot of an invoice."""

    subtotal: Decimal
    tax: Decimal
    total: Decimal
    paid: Decimal
    due: Decimal


@dataclass(frozen=True, slots=True)
class Invoice:
    """One client invoice. Its figures follow from its lines, plus the `*_off` amounts of a fault.

    `role`: its purpose; `has_float_noise`: its figures are sent with the errors of binary floats.
    """

    jnid: str
    guid: str
    recid: int
    number: str | None
    external_id: str | None
    client: Client
    day: date
    due_day: date
    changed: date
    updated: date
    state: State
    status_name: str
    is_archived: bool
    has_job: bool
    paid_share: Decimal
    lines: tuple[Line, ...]
    subtotal_off: Decimal = Decimal(0)
    total_off: Decimal = Decimal(0)
    due_off: Decimal = Decimal(0)
    paid_off: Decimal = Decimal(0)
    cost_is_lost: bool = False
    is_active_lost: bool = False
    is_void_by_status: bool = False
    has_float_noise: bool = False
    role: Role = "progress"
    follows_gap: bool = False
    malformed: tuple[tuple[str, Any], ...] = ()

    @property
    def figures(self) -> Figures:
        """Subtotal = Σ lines, 5 % tax for a taxed client, total, paid and due: correct unless a fault changes them."""
        subtotal = sum((line.amount for line in self.lines), Decimal("0.00")) + self.subtotal_off
        tax = cents(subtotal * 5 * _CENT) if self.client.is_taxed else Decimal("0.00")
        total = subtotal + tax + self.total_off
        paid = cents(total * self.paid_share) + self.paid_off
        return Figures(subtotal, tax, total, paid, total - paid + self.due_off)


@dataclass(frozen=True, slots=True)
class Job:
    """One job at both vendors. `touched`: used by a fault; `declared`: further rules that a fault fires."""

    number: str
    jobnimbus_id: str
    jobnimbus_name: str
    jobnimbus_number: str
    contact_id: str
    client: Client
    nrbs: tuple[Nrb, ...]
    invoices: tuple[Invoice, ...]
    touched: frozenset[str] = frozenset()
    declared: tuple[tuple[str, str], ...] = ()

    @property
    def is_mapped(self) -> bool:
        """Whether its invoices name the Aimsio job, by its number or in a part of its name."""
        names = (self.jobnimbus_number, *self.jobnimbus_name.split(" / "))
        return self.number.casefold() in {name.casefold() for name in names}

    def nrb(self, guid: str) -> Nrb:
        """The NRB with this guid."""
        return next(nrb for nrb in self.nrbs if nrb.guid == guid)

    def invoice(self, jnid: str) -> Invoice:
        """The invoice with this jnid."""
        return next(invoice for invoice in self.invoices if invoice.jnid == jnid)

    def lines_of(self, guid: str) -> Iterator[tuple[Invoice, Line]]:
        """Every line that carries the NRB: on issued invoices, then on drafts, then on void ones."""
        for state in ("issued", "draft", "void"):
            for invoice in self.invoices:
                for line in invoice.lines:
                    if invoice.state == state and guid in line.carries:
                        yield invoice, line

    def change_nrb(self, guid: str, **changes: Any) -> Self:  # noqa: ANN401 - any field; replace() knows them
        """The job with one NRB changed, which later faults leave alone."""
        nrbs = tuple(replace(nrb, **changes) if nrb.guid == guid else nrb for nrb in self.nrbs)
        return replace(self, nrbs=nrbs, touched=self.touched | {guid})

    def change_invoice(self, jnid: str, **changes: Any) -> Self:  # noqa: ANN401 - any field; replace() knows them
        """The job with one invoice changed, which later faults on invoices leave alone."""
        invoices = tuple(replace(item, **changes) if item.jnid == jnid else item for item in self.invoices)
        return replace(self, invoices=invoices, touched=self.touched | {jnid})

    def change_lines(self, guid: str, **changes: Any) -> Self:  # noqa: ANN401 - any field; replace() knows them
        """The job with every line that carries the NRB changed."""
        return self._rewrite(guid, lambda line: (replace(line, **changes),))

    def drop_lines(self, guid: str) -> Self:
        """The job with no line that carries the NRB."""
        return self._rewrite(guid, lambda _: ())

    def _rewrite(self, guid: str, rewrite: Callable[[Line], tuple[Line, ...]]) -> Self:
        invoices = []
        for invoice in self.invoices:
            parts = [rewrite(line) if guid in line.carries else (line,) for line in invoice.lines]
            invoices.append(replace(invoice, lines=tuple(line for part in parts for line in part)))
        return replace(self, invoices=tuple(invoices))
