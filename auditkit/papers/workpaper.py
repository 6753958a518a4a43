"""The workpaper: an audit as one Excel file, in which every total is a formula and must tie to the statement.

One sheet per section, each of them one query on the public tables, which the cover shows. The same snapshot gives the
same bytes. An existing file that differs is never replaced, because people sign workpapers.

Not here: the cover and the sign-off (`cover.py`), and how a table becomes a sheet (`sheets.py`).
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from auditkit.aging_bands import BANDS
from auditkit.analysis.question import quoted
from auditkit.checks.reconcile import SCOPES
from auditkit.errors import AuditkitError
from auditkit.files import write_whole
from auditkit.papers.cover import write_cover, write_sign_off
from auditkit.papers.facts import Facts, cover_lines
from auditkit.papers.sheets import MOST_ROWS, Formula, FourLines, SheetRows, TiedSheet, TotalLine, Workbook
from auditkit.progress import progress
from auditkit.sql import filled, read
from auditkit.warehouse.snapshots import Snapshot
from auditkit.warehouse.tables import Table

__all__ = ["spreadsheet", "workpaper"]

# Codes of the statement's rows.
COST, BILLABLE, UNBILLED, BILLED, INVOICED = "cost_booked", "billable_cost", "unbilled", "billed_cost", "invoice_total"
CARRIED = ("billed_by_name", "billed_by_mark", "billed_by_amount")
FREE = "free_billed"
NEVER_INVOICED = ("never_invoiced", "look_first")
UNDECIDED = ("undecided", "marked_several", "unreadable")
DIFFERENCES = ("under_billed", "over_billed", "charged_twice", "rounding")
OTHER = ("other_lines", "discounts")

Statement = Mapping[str, Formula]


def workpaper(snapshot: Snapshot, path: Path, facts: Facts, *, most_rows: int = MOST_ROWS) -> Path:
    """Write the workpaper of a snapshot; its path.

    A sheet has at most `most_rows` rows. Raises `AuditkitError` for a path that does not end in .xlsx, that cannot be
    written, or that exists and holds something else.
    """
    return _write_once(path, lambda private: _write(snapshot, private, facts, most_rows))


def spreadsheet(table: Table, path: Path, facts: Facts, created: datetime) -> Path:
    """Write one table as an Excel file, with its SQL; its path. Raises as `workpaper`."""

    def write(private: Path) -> None:
        book = Workbook(private, titled=facts.title, footed=facts.title, created=created, is_demo=facts.is_demo)
        book.write_rows(SheetRows("Answer", table), " ".join(table.sql.split()))
        book.close()

    if not table.columns:
        raise AuditkitError(f"{path}: the answer has no column, so there is nothing to write")
    return _write_once(path, write)


def _write_once(path: Path, write: Callable[[Path], None]) -> Path:
    """Write a file next to its path, then move it there; an existing file that differs is kept."""
    if path.suffix.lower() != ".xlsx":
        raise AuditkitError(f"{path}: must be an Excel file; give a name that ends in .xlsx")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".workpaper-", dir=path.parent) as scratch:
            private = Path(scratch) / path.name
            write(private)
            if not path.exists():
                write_whole(path, private.read_bytes())
            elif path.read_bytes() != private.read_bytes():
                raise AuditkitError(
                    f"{path}: exists and differs from this snapshot, perhaps because it was signed;"
                    " move it away, or choose another name"
                )
    except OSError as error:
        where = path.parent if isinstance(error, FileExistsError) else path
        raise AuditkitError(f"{where}: {error.strerror or error}; nothing was written") from None
    return path


def _write(snapshot: Snapshot, path: Path, facts: Facts, most_rows: int) -> None:
    sheets, lines = _sheets(snapshot, most_rows), cover_lines(snapshot, facts)
    (sync,) = snapshot.query(read("queries/last_sync")).records()
    book = Workbook(path, titled=facts.title, footed=facts.title, created=sync["finished_at"], is_demo=facts.is_demo)
    with progress("Workpaper", len(sheets) + 1, "sheet") as advance:
        write_cover(book, lines, sheets)
        for sheet in sheets:
            book.tied(sheet)
            advance(1)
        write_sign_off(book, lines, sheets)
        book.close()
        advance(1)


def _sheets(snapshot: Snapshot, most: int) -> list[TiedSheet]:
    """Every sheet of rows, in order."""

    def grid(name: str, sql: str) -> SheetRows:
        return SheetRows(name, snapshot.query(sql), most)

    whole = grid("Statement", read("queries/workpaper/statement"))
    codes = [row["code"] for row in whole.table.records()]
    statement = {code: whole.at("amount", place) for place, code in enumerate(codes)}
    findings, rules = (
        grid("Findings", read("queries/workpaper/findings")),
        grid("Rules", read("queries/workpaper/rules")),
    )
    scopes = [_scope(snapshot, scope, statement, most) for scope in SCOPES if scope != "all"]
    return [
        _statement(whole, statement, snapshot.query(read("queries/control_total"), {"subject": "nrb"}).scalar()),
        *scopes,
        _reconciliation(grid("Reconciliation", read("queries/workpaper/reconciliation")), statement),
        _findings(findings, rules),
        _rules(rules, findings),
        _aging(grid("Aging", read("queries/workpaper/aging")), statement),
        _links(grid("Links", read("queries/workpaper/links")), statement),
    ]


def _statement(grid: SheetRows, rows: Statement, control_total: Decimal | None) -> TiedSheet:
    """The statement of everything: each side must lead to the other, and it must begin with the control total."""
    places = {row["code"]: place for place, row in enumerate(grid.table.records())}
    subtotals = {places[row["code"]] for row in grid.table.records() if row["is_subtotal"]}

    def added(first: str, end: str) -> Formula:
        """The rows from one to before another, without subtotals."""
        return grid.added("amount", [row for row in range(places[first], places[end]) if row not in subtotals])

    carried = grid.added("amount", [places[code] for code in CARRIED])
    cost, invoiced = added(COST, BILLED), added(CARRIED[0], INVOICED)
    control = Formula("", control_total or Decimal("0.00"))
    begun = rows[COST] - Formula(cost.formula and grid.line(2, "amount"), control.value)
    missed = (
        cost - carried,
        invoiced - rows[INVOICED],
        begun,
        added(COST, BILLABLE) - rows[BILLABLE],
        added(BILLABLE, UNBILLED) - rows[UNBILLED],
        carried - rows[BILLED],
    )
    return TiedSheet(
        grid,
        "From cost to invoice: every cost and every line of an issued invoice is in it exactly once. Subtotals, in"
        " bold, repeat other rows.",
        "Cost leads to the billed cost, this leads to the invoice total, each subtotal is the sum of its rows, and the"
        " cost booked is the control total read from Aimsio.",
        (
            TotalLine("From billed cost to the invoice total", {"amount": invoiced}),
            TotalLine("From cost booked to billed cost", {"amount": cost}),
            TotalLine("Control total of the read", {"amount": control}),
            TotalLine("Difference, without sign", {"amount": sum(map(abs, missed[1:]), abs(missed[0])).rounded}),
        ),
        "amount",
        "invoice total",
    )


def _scope(snapshot: Snapshot, scope: str, statement: Statement, most: int) -> TiedSheet:
    """The statement of each job, month, vendor or type, side by side."""
    rows = snapshot.query(read("queries/workpaper/statement_rows"), {"scope": scope}).rows
    labels = {code: label for _, code, label in rows}
    columns = ",\n    ".join(
        f"sum(amount) filter (where code = '{code}') as {quoted(label)}" for code, label in labels.items()
    )
    sql = filled("queries/workpaper/statement_side_by_side", scope=scope, columns=columns)
    grid = SheetRows(f"By {scope}", snapshot.query(sql), most)
    return TiedSheet(
        grid,
        f"The statement of each {scope}, side by side; the one without a name is for what has no {scope}.",
        "Each column adds up to its row of the statement. What only moves between two of them has no row there.",
        _tied(grid, list(labels.values()), {labels[code]: statement[code] for code in labels if code in statement}),
        labels[COST],
    )


def _reconciliation(grid: SheetRows, statement: Statement) -> TiedSheet:
    sums = [name for name in grid.table.columns if name not in ("job_number", "verdict")]
    return TiedSheet(
        grid,
        "Each job, its cost against its invoices. Difference: invoice total less cost. Variance: what issued lines"
        " charge for its billable cost, less that cost.",
        "Both totals, their difference and the variance are those of the statement.",
        _tied(
            grid,
            sums,
            {
                "nrb_total": statement[COST],
                "invoice_total": statement[INVOICED],
                "difference": statement[INVOICED] - statement[COST],
                "billable_total": statement[BILLABLE],
                "linked_line_total": statement[BILLED],
                "variance": statement[BILLED] - statement[BILLABLE],
                "unbilled_total": -statement[UNBILLED],
                "undecided_total": -_sum(statement, *UNDECIDED),
                "rounding": statement["rounding"],
                "free_line_total": statement[FREE],
                "other_line_total": _sum(statement, *OTHER),
            },
        ),
        "difference",
    )


def _findings(grid: SheetRows, rules: SheetRows) -> TiedSheet:
    return TiedSheet(
        grid,
        "Every open or accepted exception, with its evidence. One cost can be an exception of several rules, so the"
        " total is not a loss.",
        "Its count and sum are those of the sheet Rules, rule by rule.",
        _tied(grid, ["amount_at_risk"], {"amount_at_risk": rules.total("amount_at_risk")}),
        "amount_at_risk",
    )


def _rules(grid: SheetRows, findings: SheetRows) -> TiedSheet:
    return TiedSheet(
        grid,
        "Every rule that was run, also those that found nothing, with its parameters and the SHA-256 of its file.",
        "Its count is the number of rows of the sheet Findings, and the money at risk is the same.",
        _tied(
            grid,
            ["findings", "accepted", "amount_at_risk"],
            {"findings": findings.count(), "amount_at_risk": findings.total("amount_at_risk")},
        ),
        "findings",
    )


def _aging(grid: SheetRows, statement: Statement) -> TiedSheet:
    return TiedSheet(
        grid,
        "Each cost that was never invoiced, by its age in days, from its accounting date to the as-of date.",
        "The total is what the statement has as never invoiced, with the other sign.",
        _tied(grid, ["total", *BANDS], {"total": -_sum(statement, *NEVER_INVOICED)}),
        "total",
    )


def _links(grid: SheetRows, statement: Statement) -> TiedSheet:
    return TiedSheet(
        grid,
        "Which cost is on which invoice line, and how that is known. Difference: what issued lines charge for the cost,"
        " less the cost; once for each cost, at its first line.",
        "What issued lines charge for cost, and the differences, are those of the statement.",
        _tied(
            grid,
            ["invoiced_amount", "on_issued", "difference"],
            {"on_issued": statement[BILLED] + statement[FREE], "difference": _sum(statement, *DIFFERENCES)},
        ),
        "on_issued",
    )


def _tied(grid: SheetRows, sums: Sequence[str], expected: Mapping[str, Formula]) -> FourLines:
    """The four lines of a table: totals, totals of the rows shown, what they must be, and the difference."""
    totals = {column: grid.total(column) for column in sums}

    def difference(column: str) -> Formula:
        parts = totals[column], expected[column]
        cells = [
            Formula(part.formula and grid.line(line, column), part.value)
            for line, part in zip((0, 2), parts, strict=True)
        ]
        return (cells[0] - cells[1]).rounded

    return (
        TotalLine(f"Total, {len(grid.table.rows):,} rows", totals),
        TotalLine("Shown", {column: grid.shown(column) for column in sums}),
        TotalLine("Must be", expected),
        TotalLine("Difference", {column: difference(column) for column in expected}),
    )


def _sum(statement: Statement, *codes: str) -> Formula:
    first, *others = (statement[code] for code in codes)
    return sum(others, first)
