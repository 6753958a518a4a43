"""Books → truth: on which subjects each rule must fire, known from the books and never from matching.

`of(job)` is exact for the seventeen rules in `EXACT` at their default parameters, consequences included (an unbilled
NRB also bends its job's variance). For further rules it lists what follows from the books or was declared by a fault.

Not here: bodies. A record that cannot be typed is seen by no rule but `record-quarantined`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from auditkit.sandbox.dataset_books import AS_OF, Invoice, Job, Line, Mark, Nrb, cents

__all__ = ["EXACT", "of"]

Subjects = Iterator[str]

_CUTOFF_DAYS = 45


@dataclass(frozen=True, slots=True)
class _Leaf:
    """An NRB without children, and where it stands: its own mark or its receipt's, its line, its invoice."""

    nrb: Nrb
    mark: Mark | None
    exported: bool | None
    line: Line | None
    invoice: Invoice | None

    @property
    def is_unbilled(self) -> bool:
        return self.nrb.is_chargeable and not self.mark and not self.invoice and self.nrb.total != 0


@dataclass(frozen=True, slots=True)
class _View:
    """What can be seen of a job: the leaves and invoices that can be typed."""

    job: Job
    leaves: tuple[_Leaf, ...]
    invoices: tuple[Invoice, ...]

    @property
    def issued(self) -> list[Invoice]:
        return [invoice for invoice in self.invoices if invoice.state == "issued"]

    def issued_lines(self) -> Iterator[tuple[Invoice, int, Line]]:
        for invoice in self.issued:
            for position, line in enumerate(invoice.lines):
                yield invoice, position, line


def of(job: Job) -> dict[str, list[str]]:
    """Rule → subjects, for one job. Each rule of `EXACT` is there, with an empty list where it must be silent."""
    view = _view(job)
    truth = {rule: sorted(subjects(view)) for rule, subjects in {**EXACT, **_FURTHER}.items()}
    for rule, subject in job.declared:
        truth[rule] = sorted({*truth.get(rule, ()), subject})
    return {rule: subjects for rule, subjects in truth.items() if subjects or rule in EXACT}


def _view(job: Job) -> _View:
    parents = {nrb.guid: nrb for nrb in job.nrbs if nrb.children}
    invoices = tuple(invoice for invoice in job.invoices if not invoice.malformed)
    by_jnid = {invoice.jnid: invoice for invoice in invoices}
    leaves = []
    for nrb in job.nrbs:
        if nrb.children or nrb.malformed:
            continue
        parent = parents[nrb.parent] if nrb.parent else nrb
        mark = nrb.mark or parent.mark
        exported = parent.exported if nrb.exported is None else nrb.exported
        invoice, line = next(job.lines_of(nrb.guid), (None, None))
        if invoice is None and mark and mark.invoice:
            invoice = by_jnid.get(mark.invoice)
        leaves.append(_Leaf(nrb, mark, exported, line, invoice))
    return _View(job, tuple(leaves), invoices)


def _unbilled(view: _View) -> Subjects:
    return (leaf.nrb.guid for leaf in view.leaves if leaf.is_unbilled)


def _unexported(view: _View) -> Subjects:
    return (leaf.nrb.guid for leaf in view.leaves if leaf.exported is not True)


def _exported_unbilled(view: _View) -> Subjects:
    return (leaf.nrb.guid for leaf in view.leaves if leaf.is_unbilled and leaf.exported)


def _billed_unexported(view: _View) -> Subjects:
    return (leaf.nrb.guid for leaf in view.leaves if leaf.mark and leaf.invoice and not leaf.exported)


def _billed_not_found(view: _View) -> Subjects:
    return (leaf.nrb.guid for leaf in view.leaves if leaf.nrb.is_chargeable and leaf.mark and not leaf.invoice)


def _line_not_found(view: _View) -> Subjects:
    for leaf in view.leaves:
        if leaf.nrb.is_chargeable and leaf.invoice and leaf.invoice.state == "issued" and not leaf.line:
            yield leaf.nrb.guid


def _billed_on_void(view: _View) -> Subjects:
    for leaf in view.leaves:
        if leaf.nrb.is_chargeable and leaf.invoice and leaf.invoice.state == "void":
            yield leaf.nrb.guid


def _total_mismatch(view: _View) -> Subjects:
    return (leaf.nrb.guid for leaf in view.leaves if leaf.nrb.total != leaf.nrb.recomputed)


def _class_contradiction(view: _View) -> Subjects:
    for leaf in view.leaves:
        nrb = leaf.nrb
        contradicts = nrb.billable is not None and nrb.billable != (nrb.account_type == "Billable")
        if contradicts or (nrb.billable and nrb.internal):
            yield nrb.guid


def _duplicate(view: _View) -> Subjects:
    groups: dict[tuple[str, str, Decimal], list[Nrb]] = {}
    for leaf in view.leaves:
        letters = "".join(filter(str.isalnum, leaf.nrb.vendor_invoice_number)).casefold()
        groups.setdefault((leaf.nrb.vendor.code, letters, leaf.nrb.total), []).append(leaf.nrb)
    for members in groups.values():
        families = {nrb.parent or nrb.guid for nrb in members}
        if len(families) > 1:
            yield from (nrb.guid for nrb in members)


def _amount_difference(view: _View) -> Subjects:
    by_guid = {leaf.nrb.guid: leaf.nrb for leaf in view.leaves if leaf.nrb.is_chargeable}
    for invoice, position, line in view.issued_lines():
        carried = [by_guid[guid].total for guid in line.carries if guid in by_guid]
        if carried and line.amount != sum(carried):
            yield f"{invoice.jnid}/{position}"


def _arithmetic(view: _View) -> Subjects:
    for invoice, position, line in view.issued_lines():
        if line.amount != cents(line.quantity * line.price):
            yield f"{invoice.jnid}/{position}"


def _subtotal(view: _View) -> Subjects:
    for invoice in view.issued:
        if sum(line.amount for line in invoice.lines) != invoice.figures.subtotal:
            yield invoice.jnid


def _total(view: _View) -> Subjects:
    for invoice in view.issued:
        figures = invoice.figures
        if figures.subtotal + figures.tax != figures.total:
            yield invoice.jnid


def _due(view: _View) -> Subjects:
    for invoice in view.issued:
        figures = invoice.figures
        if figures.total - figures.paid != figures.due or figures.paid > figures.total:
            yield invoice.jnid


def _variance(view: _View) -> Subjects:
    seen = {leaf.nrb.guid for leaf in view.leaves}
    invoiced = sum(line.amount for _, _, line in view.issued_lines() if seen.intersection(line.carries))
    chargeable = [leaf.nrb.total for leaf in view.leaves if leaf.nrb.is_chargeable]
    is_nrb_only = bool(chargeable) and not view.issued
    is_invoice_only = bool(view.issued) and not view.leaves
    if is_nrb_only or is_invoice_only or invoiced != sum(chargeable):
        yield view.job.number


def _quarantined(view: _View) -> Subjects:
    yield from (nrb.guid for nrb in view.job.nrbs if nrb.malformed)
    yield from (invoice.jnid for invoice in view.job.invoices if invoice.malformed)


def _not_marked(view: _View) -> Subjects:
    return (leaf.nrb.guid for leaf in view.leaves if leaf.line and not leaf.mark)


def _billed_not_billable(view: _View) -> Subjects:
    return (leaf.nrb.guid for leaf in view.leaves if (leaf.mark or leaf.line) and not leaf.nrb.is_chargeable)


def _cutoff(view: _View) -> Subjects:
    for leaf in view.leaves:
        if leaf.invoice:
            cost, invoiced = leaf.nrb.day, leaf.invoice.day
            if invoiced < cost.replace(day=1) or (invoiced - cost).days > _CUTOFF_DAYS:
                yield leaf.nrb.guid


def _nonpositive(view: _View) -> Subjects:
    return (leaf.nrb.guid for leaf in view.leaves if leaf.nrb.rate <= 0 or leaf.nrb.quantity <= 0)


def _paid_open(view: _View) -> Subjects:
    for invoice in view.issued:
        if invoice.status_name in ("Closed", "Paid") and invoice.figures.due != 0:
            yield invoice.jnid


def _overdue(view: _View) -> Subjects:
    return (invoice.jnid for invoice in view.issued if invoice.figures.due > 0 and invoice.due_day < AS_OF)


EXACT: dict[str, Callable[[_View], Subjects]] = {
    "nrb-unbilled": _unbilled,
    "nrb-unexported": _unexported,
    "nrb-exported-unbilled": _exported_unbilled,
    "nrb-billed-unexported": _billed_unexported,
    "nrb-billed-not-found": _billed_not_found,
    "nrb-line-not-found": _line_not_found,
    "nrb-billed-on-void": _billed_on_void,
    "nrb-total-mismatch": _total_mismatch,
    "nrb-class-contradiction": _class_contradiction,
    "nrb-duplicate": _duplicate,
    "line-amount-difference": _amount_difference,
    "line-arithmetic": _arithmetic,
    "invoice-subtotal": _subtotal,
    "invoice-total": _total,
    "invoice-due": _due,
    "job-variance": _variance,
    "record-quarantined": _quarantined,
}
_FURTHER: dict[str, Callable[[_View], Subjects]] = {
    "nrb-invoiced-not-marked": _not_marked,
    "nrb-billed-not-billable": _billed_not_billable,
    "nrb-cutoff": _cutoff,
    "nrb-nonpositive": _nonpositive,
    "invoice-paid-open": _paid_open,
    "invoice-overdue": _overdue,
}
