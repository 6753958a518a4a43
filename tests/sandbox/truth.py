"""Books → truth: the subjects on which each rule must fire, known from a world's books and never from matching.

`truth_of(world)` is exact for every rule in `EXACT` at its default parameters, consequences included. What no single
record shows, a fault declares itself.

Not here: bodies. No rule but `record-quarantined` sees a record that cannot be read.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from itertools import combinations
from zoneinfo import ZoneInfo

from auditkit.sandbox.dataset_books import AS_OF, Invoice, Job, Line, Mark, Nrb, cents
from auditkit.sandbox.world import World

Subjects = Iterator[str]

_DRAFT_DAYS, _COST_ON_DRAFT_DAYS = 30, 15
_CUTOFF_DAYS, _ENTRY_DAYS, _CLOSE_DAYS, _DUPLICATE_DAYS = 45, 90, 7, 60


@dataclass(frozen=True, slots=True)
class _Leaf:
    """An NRB without children, and where it stands: its own mark or its receipt's, its line, its invoice."""

    nrb: Nrb
    mark: Mark | None
    exported: bool | None
    line: Line | None
    invoice: Invoice | None

    @property
    def has_own_line(self) -> bool:
        is_issued = self.invoice is not None and self.invoice.state == "issued"
        return is_issued and self.line is not None and len(self.line.carries) == 1

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


def truth_of(world: World) -> dict[str, list[str]]:
    """Rule → sorted subjects, for a whole world: an NRB's guid, an invoice's jnid, a line's `jnid/position`, a job.

    Each rule of `EXACT` is a key, with an empty list if it must find nothing.
    """
    found: dict[str, set[str]] = {rule: set() for rule in EXACT}
    for job in world.hosts:
        for rule, subjects in _of(job).items():
            found[rule].update(subjects)
    return {rule: sorted(subjects) for rule, subjects in found.items()}


def drafts_of(world: World) -> dict[str, list[str]]:
    """As `truth_of`, for the rules about drafts, which every job may have: old drafts, and cost that is left on one."""
    views = [_view(job) for job in world.hosts]
    hosted = {invoice.jnid for job in world.hosts for invoice in job.invoices}
    latest = datetime.combine(AS_OF - timedelta(_DRAFT_DAYS), time(), ZoneInfo(world.timezone)).timestamp()
    old = [jnid for view in views for jnid in _draft_old(view)]
    old += [  # a job without a fault has no cost on a draft, so that all of it is at risk
        body["jnid"]
        for body in world.invoices
        if body["status_name"] == "Draft" and body["jnid"] not in hosted and body["date_invoice"] < latest
    ]
    cost = [guid for view in views for guid in _on_draft(view)]
    return {"invoice-draft-old": sorted(old), "nrb-on-draft": sorted(cost)}


def _of(job: Job) -> dict[str, set[str]]:
    view = _view(job)
    found = {rule: set(subjects(view)) for rule, subjects in EXACT.items()}
    for rule, subject in job.declared:
        found[rule].add(subject)
    return found


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
    """The later copies of a vendor invoice; not equal items of one document, each billed on a line of its own."""
    groups: dict[tuple[str, str, Decimal], list[_Leaf]] = {}
    for leaf in view.leaves:
        letters = "".join(filter(str.isalnum, leaf.nrb.vendor_invoice_number)).casefold()
        groups.setdefault((leaf.nrb.vendor.code, letters, leaf.nrb.total), []).append(leaf)
    for members in groups.values():
        ordered = sorted(members, key=lambda leaf: (leaf.nrb.day, leaf.nrb.guid))
        for earlier, later in combinations(ordered, 2):
            is_one_receipt = (earlier.nrb.parent or earlier.nrb.guid) == (later.nrb.parent or later.nrb.guid)
            is_near = (later.nrb.day - earlier.nrb.day).days <= _DUPLICATE_DAYS
            if is_near and not is_one_receipt and not _are_items_of_one_document(earlier, later):
                yield later.nrb.guid


def _are_items_of_one_document(one: _Leaf, other: _Leaf) -> bool:
    texts = {leaf.nrb.vendor_invoice_number.casefold() for leaf in (one, other)}
    return len(texts) == 1 and one.nrb.created == other.nrb.created and one.has_own_line and other.has_own_line


def _charged_otherwise(view: _View) -> Iterator[tuple[str, list[Nrb], bool]]:
    """Lines that charge another amount than their cost: the line, its NRBs, and whether it is a part of a sole one."""
    by_guid = {leaf.nrb.guid: leaf.nrb for leaf in view.leaves if leaf.nrb.is_chargeable}
    for invoice, position, line in view.issued_lines():
        carried = [by_guid[guid] for guid in line.carries if guid in by_guid]
        total = sum(nrb.total for nrb in carried)
        if carried and line.amount != total:
            yield f"{invoice.jnid}/{position}", carried, len(carried) == 1 and abs(line.amount) * 5 < abs(total) * 4


def _amount_difference(view: _View) -> Subjects:
    return (line for line, _, is_part in _charged_otherwise(view) if not is_part)


def _billed_part(view: _View) -> Subjects:
    return (nrb.guid for _, carried, is_part in _charged_otherwise(view) if is_part for nrb in carried)


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


def _quarantined(view: _View) -> Subjects:
    yield from (nrb.guid for nrb in view.job.nrbs if nrb.malformed)
    yield from (invoice.jnid for invoice in view.job.invoices if invoice.malformed)


def _not_marked(view: _View) -> Subjects:
    for leaf in view.leaves:
        if leaf.line and not leaf.mark and leaf.invoice and leaf.invoice.state == "issued":
            yield leaf.nrb.guid


def _billed_not_billable(view: _View) -> Subjects:
    return (leaf.nrb.guid for leaf in view.leaves if (leaf.mark or leaf.line) and not leaf.nrb.is_chargeable)


def _no_markup(view: _View) -> Subjects:
    """Every vendor has one markup, so that all others of its items show what this one should have."""
    for leaf in view.leaves:
        if leaf.nrb.is_chargeable and leaf.nrb.vendor.markup and not leaf.nrb.upcharge:
            yield leaf.nrb.guid


def _parent_mismatch(view: _View) -> Subjects:
    totals = {leaf.nrb.guid: leaf.nrb.total for leaf in view.leaves}
    for nrb in view.job.nrbs:
        if nrb.children and nrb.total != sum(totals[guid] for guid in nrb.children):
            yield nrb.guid


def _missing_key(view: _View) -> Subjects:
    for leaf in view.leaves:
        if leaf.nrb.reconciles_with_po and not (leaf.nrb.po_number and leaf.nrb.external_id):
            yield leaf.nrb.guid


def _date_odd(view: _View) -> Subjects:
    for leaf in view.leaves:
        if leaf.nrb.day > AS_OF or (leaf.nrb.created - leaf.nrb.day).days > _ENTRY_DAYS:
            yield leaf.nrb.guid


def _hidden_text(view: _View) -> Subjects:
    return (leaf.nrb.guid for leaf in view.leaves if not leaf.nrb.vendor_invoice_number.isascii())


def _declared(_: _View) -> Subjects:
    return iter(())


def _nothing(_: _View) -> Subjects:
    """Every line of these books names its cost, so that nothing is undecided."""
    return iter(())


def _cutoff(view: _View) -> Subjects:
    for leaf in view.leaves:
        if leaf.invoice and leaf.invoice.state == "issued":
            cost, invoiced = leaf.nrb.day, leaf.invoice.day
            if invoiced < cost.replace(day=1) or (invoiced - cost).days > _CUTOFF_DAYS:
                yield leaf.nrb.guid


def _nonpositive(view: _View) -> Subjects:
    return (leaf.nrb.guid for leaf in view.leaves if leaf.nrb.rate <= 0 or leaf.nrb.quantity <= 0)


def _paid_open(view: _View) -> Subjects:
    for invoice in view.issued:
        figures = invoice.figures
        has_no_date = figures.due == 0 and figures.paid > 0 and invoice.paid_share != 1
        if has_no_date or (invoice.status_name in ("Closed", "Paid") and figures.due != 0):
            yield invoice.jnid


def _overdue(view: _View) -> Subjects:
    return (invoice.jnid for invoice in view.issued if invoice.figures.due > 0 and invoice.due_day < AS_OF)


def _draft_old(view: _View) -> Subjects:
    for invoice in view.invoices:
        beside = sum((line.amount for line in invoice.lines if not line.carries), invoice.figures.tax)
        if invoice.state == "draft" and (AS_OF - invoice.day).days > _DRAFT_DAYS and beside > 0:
            yield invoice.jnid


def _on_draft(view: _View) -> Subjects:
    for leaf in view.leaves:
        on_draft = leaf.nrb.is_chargeable and leaf.invoice is not None and leaf.invoice.state == "draft"
        if on_draft and (AS_OF - leaf.invoice.day).days > _COST_ON_DRAFT_DAYS:
            yield leaf.nrb.guid


def _margin(view: _View) -> Subjects:
    for invoice in view.issued:
        if invoice.cost_is_lost and any(line.item_type == "material" and line.amount > 0 for line in invoice.lines):
            yield invoice.jnid


def _invoice_twice(view: _View) -> Subjects:
    active = [invoice for invoice in view.invoices if invoice.state != "void" and invoice.external_id]
    times = Counter(invoice.external_id for invoice in active)
    return (invoice.jnid for invoice in active if times[invoice.external_id] > 1)


def _gap(view: _View) -> Subjects:
    return (invoice.jnid for invoice in view.invoices if invoice.follows_gap)


def _no_job(view: _View) -> Subjects:
    return (invoice.jnid for invoice in view.issued if not invoice.has_job)


def _edited_after_close(view: _View) -> Subjects:
    for invoice in view.issued:
        if invoice.status_name == "Closed" and (invoice.updated - invoice.changed).days > _CLOSE_DAYS:
            yield invoice.jnid


def _status_missing(view: _View) -> Subjects:
    return (invoice.jnid for invoice in view.issued if invoice.is_active_lost)


def _unmapped(view: _View) -> Subjects:
    is_known = view.job.is_mapped and any(invoice.has_job for invoice in view.invoices)
    chargeable = [leaf for leaf in view.leaves if leaf.nrb.is_chargeable]
    if chargeable and not is_known and not any(leaf.line for leaf in chargeable):
        yield view.job.number


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
    "nrb-billed-part": _billed_part,
    "line-arithmetic": _arithmetic,
    "invoice-subtotal": _subtotal,
    "invoice-total": _total,
    "invoice-due": _due,
    "job-variance": _nothing,
    "record-quarantined": _quarantined,
    "nrb-invoiced-not-marked": _not_marked,
    "nrb-billed-not-billable": _billed_not_billable,
    "nrb-no-markup": _no_markup,
    "nrb-parent-mismatch": _parent_mismatch,
    "nrb-duplicate-near": _declared,
    "nrb-missing-key": _missing_key,
    "nrb-date-odd": _date_odd,
    "nrb-hidden-text": _hidden_text,
    "nrb-cutoff": _cutoff,
    "nrb-nonpositive": _nonpositive,
    "invoice-paid-open": _paid_open,
    "invoice-overdue": _overdue,
    "invoice-margin": _margin,
    "invoice-duplicate": _invoice_twice,
    "invoice-gap": _gap,
    "invoice-no-job": _no_job,
    "invoice-edited-after-close": _edited_after_close,
    "invoice-status-missing": _status_missing,
    "job-unmapped": _unmapped,
}
