"""A small audit by hand: every rule counted again from the bodies alone, by their references and amounts.

It does not use how the bodies were made, so that its findings can be compared with the truth of the world.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations
from typing import Any

Body = dict[str, Any]
MONEY = re.compile(r"-?\d{1,15}(\.\d{1,6})?")
ORDER = {"issued": 0, "draft": 1, "void": 2}


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def tokens(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9](?:[a-z0-9./_#-]*[a-z0-9])?", text.casefold()))


def state(invoice: Body) -> str:
    if invoice["is_active"] is False:
        return "void"
    return "draft" if invoice["status_name"] == "Draft" else "issued"


def can_be_typed(body: Body) -> bool:
    figures = ("nrbRate", "nrbQuantity", "nrbVendorTax", "nrbTotalAfterMarkup", "subtotal", "tax", "total", "due")
    flags = ("isInternal", "nrbIsBillable", "nrbIsExported", "is_active")
    return all(body.get(name) is None or MONEY.fullmatch(str(body[name])) for name in figures) and all(
        body.get(name) is None or isinstance(body[name], bool) for name in flags
    )


def references(*bodies: Body) -> set[str]:
    """Every text by which a line can name an NRB: its own and its receipt's."""
    names = ("nrbGuid", "nrbExternalId", "nrbOriginReference", "nrbInvoiceNumber")
    return {body[name].casefold() for body in bodies for name in names if body[name]}


@dataclass(eq=False)
class Leaf:
    body: Body
    marks: tuple[str | None, str | None]
    exported: bool | None
    references: set[str]
    invoice: Body | None = None
    line: tuple[Body, int] | None = None

    @property
    def guid(self) -> str:
        return self.body["nrbGuid"]

    @property
    def job(self) -> str:
        return self.body["nrbJobOrderNumber"]

    @property
    def total(self) -> Decimal:
        return Decimal(self.body["nrbTotalAfterMarkup"])

    @property
    def day(self) -> int:
        """The day of the vendor's invoice, as a number."""
        return int(self.body["nrbInvoiceDate"] or self.body["nrbCreatedAt"]) // 86_400_000

    @property
    def chargeable(self) -> bool:
        billable = self.body["nrbIsBillable"]
        if billable is None:
            billable = self.body["nrbAccountType"] == "Billable"
        return billable and not self.body["isInternal"]

    @property
    def marked(self) -> bool:
        return any(self.marks)

    @property
    def invoice_of_mark(self) -> Body | None:
        return self.line[0] if self.line else self.invoice

    def recomputed(self) -> Decimal:
        rate, quantity, upcharge, tax = (
            Decimal(self.body[name]) for name in ("nrbRate", "nrbQuantity", "nrbUpcharge", "nrbVendorTax")
        )
        if self.body["nrbMarkupAppliesOn"] == "SUB_TOTAL_AND_VENDOR_TAX":
            return cents((rate * quantity + tax) * (100 + upcharge) / 100)
        return cents(rate * quantity * (100 + upcharge) / 100 + tax)


@dataclass
class Recount:
    """Links each leaf NRB to lines by reference or by a unique equal amount, then applies the rules."""

    nrbs: list[Body]
    invoices: list[Body]
    leaves: list[Leaf] = field(default_factory=list)
    taken: dict[tuple[str, int], list[Leaf]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.refused = [body for body in (*self.nrbs, *self.invoices) if not can_be_typed(body)]
        by_guid = {body["nrbGuid"]: body for body in self.nrbs}
        self.typed = sorted(filter(can_be_typed, self.invoices), key=lambda body: ORDER[state(body)])
        for body in filter(can_be_typed, self.nrbs):
            if not body["nrbChildren"]:
                parent = by_guid.get(body["nrbParentGuid"], body)
                own = (body["nrbBilledInGuid"], body["nrbBilledInName"])
                marks = own if any(own) else (parent["nrbBilledInGuid"], parent["nrbBilledInName"])
                exported = parent["nrbIsExported"] if body["nrbIsExported"] is None else body["nrbIsExported"]
                self.leaves.append(Leaf(body, marks, exported, references(body, parent)))
        self.leaves_of = defaultdict(list)
        for leaf in self.leaves:
            self.leaves_of[leaf.job].append(leaf)
        self.known_jobs = {job.casefold(): job for job in self.leaves_of}
        self.by_job = defaultdict(list)
        for invoice in self.typed:
            self.by_job[self.job_of(invoice)].append(invoice)
        self._find_invoices()
        self._link()

    def job_of(self, invoice: Body) -> str:
        related = next((item for item in invoice["related"] if item["type"] == "job"), None)
        if related is None:
            return "(no job)"
        for token in (related["number"].casefold(), *sorted(tokens(related["name"]))):
            if token in self.known_jobs:
                return self.known_jobs[token]
        return related["number"]

    def _find_invoices(self) -> None:
        by_key: dict[str, Body] = {}
        for name in ("guid", "number", "external_id"):
            for invoice in self.typed:
                if invoice[name]:
                    by_key.setdefault(invoice[name].casefold(), invoice)
        for leaf in self.leaves:
            for key in (*leaf.marks, leaf.body["nrbExternalId"], leaf.body["nrbOriginReference"]):
                if leaf.invoice is None and key:
                    leaf.invoice = by_key.get(key.casefold())

    def _lines(self, leaf: Leaf) -> Iterator[tuple[Body, int, Body]]:
        """The lines that may carry the leaf: of its invoice, else of its job's invoices."""
        for invoice in [leaf.invoice] if leaf.invoice else self.by_job[leaf.job]:
            for position, item in enumerate(invoice["items"]):
                yield invoice, position, item

    def _link(self) -> None:
        for leaf in self.leaves:
            for invoice, position, item in self._lines(leaf):
                words = tokens(f"{item['name']} {item['description']}")
                if not leaf.line and leaf.references & words and self._agrees(leaf, item, words):
                    self._take(leaf, invoice, position)
        for leaf in self.leaves:
            if leaf.chargeable and not leaf.line:
                free = [
                    (invoice, position)
                    for invoice, position, item in self._lines(leaf)
                    if item["amount"] == leaf.total and (invoice["jnid"], position) not in self.taken
                ]
                if len(free) == 1:
                    self._take(leaf, *free[0])

    def _agrees(self, leaf: Leaf, item: Body, words: set[str]) -> bool:
        """Whether the line names no other leaf; if it does, equal amounts or a whole receipt decide."""
        others = [other for other in self.leaves_of[leaf.job] if other.references & words and other is not leaf]
        if not others or item["amount"] == leaf.total:
            return True
        return item["amount"] == sum((other.total for other in others), leaf.total)

    def _take(self, leaf: Leaf, invoice: Body, position: int) -> None:
        leaf.line = (invoice, position)
        self.taken[invoice["jnid"], position].append(leaf)

    def rules(self) -> dict[str, list[str]]:
        return {rule: sorted(subjects) for rule, subjects in (*self._on_nrbs(), *self._on_invoices())}

    def _on_nrbs(self) -> Iterator[tuple[str, list[str]]]:
        unbilled = [
            leaf
            for leaf in self.leaves
            if leaf.chargeable and not leaf.marked and not leaf.invoice_of_mark and leaf.total
        ]
        yield "nrb-unbilled", [leaf.guid for leaf in unbilled]
        yield "nrb-exported-unbilled", [leaf.guid for leaf in unbilled if leaf.exported]
        yield "nrb-unexported", [leaf.guid for leaf in self.leaves if not leaf.exported]
        billed = [leaf for leaf in self.leaves if leaf.marked]
        yield "nrb-billed-unexported", [leaf.guid for leaf in billed if leaf.invoice_of_mark and not leaf.exported]
        due = [leaf for leaf in self.leaves if leaf.chargeable]
        yield "nrb-billed-not-found", [leaf.guid for leaf in due if leaf.marked and not leaf.invoice_of_mark]
        on = [(leaf, state(leaf.invoice_of_mark)) for leaf in due if leaf.invoice_of_mark]
        yield "nrb-line-not-found", [leaf.guid for leaf, where in on if where == "issued" and not leaf.line]
        yield "nrb-billed-on-void", [leaf.guid for leaf, where in on if where == "void"]
        yield "nrb-total-mismatch", [leaf.guid for leaf in self.leaves if leaf.total != leaf.recomputed()]
        yield (
            "nrb-class-contradiction",
            [
                leaf.guid
                for leaf in self.leaves
                if leaf.body["nrbIsBillable"] not in (None, leaf.body["nrbAccountType"] == "Billable")
                or (leaf.body["nrbIsBillable"] and leaf.body["isInternal"])
            ],
        )
        groups = defaultdict(list)
        for leaf in self.leaves:
            number = re.sub(r"[\W_]", "", leaf.body["nrbInvoiceNumber"]).casefold()
            groups[leaf.body["nrbVendorCode"], number, leaf.total].append(leaf)
        ordered = [sorted(group, key=lambda leaf: (leaf.day, leaf.guid)) for group in groups.values()]
        pairs = [pair for group in ordered for pair in combinations(group, 2) if self._are_twice(*pair)]
        yield "nrb-duplicate", list({later.guid for _, later in pairs})
        yield "record-quarantined", [body.get("nrbGuid") or body["jnid"] for body in self.refused]

    def _are_twice(self, earlier: Leaf, later: Leaf) -> bool:
        """Two documents within 60 days, and not two equal items of one document, each on a line of its own."""
        receipts = {leaf.body["nrbParentGuid"] or leaf.guid for leaf in (earlier, later)}
        if len(receipts) == 1 or later.day - earlier.day > 60:
            return False
        entered = {(leaf.body["nrbInvoiceNumber"].casefold(), leaf.body["nrbCreatedAt"]) for leaf in (earlier, later)}
        return len(entered) > 1 or not (self._has_own_line(earlier) and self._has_own_line(later))

    def _has_own_line(self, leaf: Leaf) -> bool:
        if not leaf.line or state(leaf.line[0]) != "issued":
            return False
        invoice, position = leaf.line
        return len(self.taken[invoice["jnid"], position]) == 1

    def _on_invoices(self) -> Iterator[tuple[str, list[str]]]:
        issued = [invoice for invoice in self.typed if state(invoice) == "issued"]
        differing, parts = [], []
        for (jnid, position), leaves in self.taken.items():
            invoice = leaves[0].line[0]
            due = [leaf for leaf in leaves if leaf.chargeable]
            total, amount = sum(leaf.total for leaf in due), invoice["items"][position]["amount"]
            if due and state(invoice) == "issued" and amount != total:
                if len(due) == 1 and abs(amount) < abs(total) * 4 / 5:
                    parts.append(due[0].guid)
                else:
                    differing.append(f"{jnid}/{position}")
        yield "line-amount-difference", differing
        yield "nrb-billed-part", parts
        yield (
            "line-arithmetic",
            [
                f"{invoice['jnid']}/{position}"
                for invoice in issued
                for position, item in enumerate(invoice["items"])
                if item["amount"] != cents(item["quantity"] * Decimal(item["price"]))
            ],
        )
        yield (
            "invoice-subtotal",
            [body["jnid"] for body in issued if sum(x["amount"] for x in body["items"]) != body["subtotal"]],
        )
        yield "invoice-total", [body["jnid"] for body in issued if body["subtotal"] + body["tax"] != body["total"]]
        yield (
            "invoice-due",
            [
                body["jnid"]
                for body in issued
                if body["total"] - body["total_paid"] != body["due"] or body["total_paid"] > body["total"]
            ],
        )
