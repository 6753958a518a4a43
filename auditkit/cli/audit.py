"""Read and reconcile: `demo`, `sync`, `audit`, `statement`, `rollforward`."""

from decimal import Decimal
from typing import Annotated, Any, Literal

import pandas as pd
import typer

from auditkit.audit import Audit
from auditkit.cli.common import CLEAN, AsOf, FailOn, Json, finish, opened, titled, write_report
from auditkit.cli.doctor import whereabouts
from auditkit.papers.terminal import COULD_NOT_LOOK, plain, print_json, records, say, show, warn
from auditkit.sql import read

__all__ = ["app"]

app = typer.Typer()


@app.command()
def demo(
    vendor_rate: Annotated[
        bool, typer.Option("--vendor-rate", help="Keep the vendors' real pace: 1,000 NRBs take 100 s.")
    ] = False,
) -> None:
    """Try everything on the bundled sandbox, with no account.

    Reads both vendors, prints the statement and the exceptions by rule, and writes the month-end report.
    """
    with opened(is_demo=True, vendor_rate=vendor_rate) as audit:
        pace = (
            "at the vendors' real pace" if vendor_rate else "faster than the vendors allow (--vendor-rate: at theirs)"
        )
        say(f"DEMO DATA: a sandbox of both vendors answers on loopback, {pace}.")
        say(plain(f"Where: {whereabouts(audit)}"))
        _sync(audit)
        _statement(audit)
        _by_rule(audit)
        write_report(audit)


@app.command()
def sync(
    offline: Annotated[
        bool, typer.Option("--offline", help="Rebuild the snapshot from the cache, without a call and without history.")
    ] = False,
    accept_shrink: Annotated[
        bool, typer.Option("--accept-shrink", help="Accept a list that is empty or much shorter than before.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Read every record again, also those that seem unchanged.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read Aimsio and JobNimbus, then reconcile.

    Prints the proof that the read is complete. Exit code 2 if it is INCOMPLETE: the snapshot is published with that
    label.
    """
    with opened() as audit:
        if as_json:
            audit.sync(offline=offline, accept_shrink=accept_shrink, full=full)
            print_json({**_last_sync(audit), "sources": records(audit.sql(read("queries/last_sync_sources")))})
        else:
            if audit.settings.is_demo:
                say(plain(f"DEMO DATA, as no account is set; {whereabouts(audit)}"))
            _sync(audit, offline=offline, accept_shrink=accept_shrink, full=full)
        raise typer.Exit(CLEAN if _last_sync(audit)["status"] == "COMPLETE" else COULD_NOT_LOOK)


@app.command()
def audit(as_of: AsOf = None, fail_on: FailOn = None, as_json: Json = False) -> None:
    """Show what is unbilled and why, from the newest read.

    Reconciles again with the settings as they are now, without calling a vendor, and prints the statement and the
    exceptions by rule.
    """
    with opened(as_of=as_of) as audit:
        audit.run()
        if as_json:
            about = {
                **audit.about,
                "warnings": audit.warnings,
                "statement": records(audit.statement()),
                "rules": records(audit.by_rule()),
            }
            print_json(about)
        else:
            _statement(audit)
            _by_rule(audit)
        raise finish(audit, fail_on)


Scope = Literal["all", "job", "month", "vendor", "type"]


@app.command()
def statement(
    by: Annotated[Scope, typer.Option(help="Everything, or one statement for each of these.")] = "all",
    key: Annotated[str | None, typer.Option(help="One job, month (YYYY-MM), vendor or type.")] = None,
    offsets: Annotated[bool, typer.Option("--offsets", help="Show differences that cancel each other.")] = False,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="Show what another tolerance would change.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Reconcile cost booked to invoices issued.

    For everything, or by job, month, vendor or type of cost.
    """
    with opened() as audit:
        if offsets:
            frame, title = audit.analyze.offsets(), "Differences that cancel each other within a job or a month"
        elif sensitivity:
            frame, title = audit.analyze.sensitivity(), "What would agree at another tolerance"
        else:
            part = f", {by} {key}" if key else ""
            frame, title = audit.statement(by, key), f"Statement: from cost to invoice{part}"
        print_json(records(frame)) if as_json else _show(audit, frame, title)


@app.command()
def rollforward(
    since: Annotated[int | None, typer.Option(help="A kept read, by number (default: the one before).")] = None,
    until: Annotated[int | None, typer.Option(help="A later read (default: the newest).")] = None,
    items: Annotated[bool, typer.Option("--items", help="Show each item that moved.")] = False,
    as_json: Json = False,
) -> None:
    """What was billed, added and cleared since an earlier read.

    Open before + new − cleared + changed = open now. The last column is what the items do not explain: it must be 0.00.
    """
    with opened() as audit:
        frame = audit.roll_forward(since, until, items=items)
        print_json(records(frame)) if as_json else _show(audit, frame, "Roll-forward")


@app.command()
def exposure(
    items: Annotated[bool, typer.Option("--items", help="Show each cost and invoice.")] = False,
    as_json: Json = False,
) -> None:
    """Show what the exceptions cost, each counted once.

    By side, which are other money and never added: billable cost not billed, too much charged, the ledger, invoices.
    """
    with opened() as audit:
        frame = audit.exposure(items=items)
        if as_json:
            print_json(records(frame))
            return
        hidden = ["also", "subject_type", "subject_id"] if items else ["cause"]
        show(frame.drop(columns=hidden), titled(audit, "What the exceptions cost, each once"), most=None)
        say(plain(_not_billed(audit)))


@app.command()
def at(
    period: Annotated[str, typer.Argument(help="A month, YYYY-MM.")],
    known: Annotated[int | None, typer.Option(help="A kept read, by number, whose records are used.")] = None,
    items: Annotated[bool, typer.Option("--items", help="Show each cost that was not billed.")] = False,
    as_json: Json = False,
) -> None:
    """Show what was not billed at the end of a month.

    The dates of documents decide: a cost counts from its vendor's invoice, an invoice from its own date. The records
    are those of the first complete read after the month, or of today if there is none; the basis says which.
    """
    with opened() as audit:
        books = audit.at(period, known=known)
        shown = books.items[books.items["not_billed"].astype(bool)] if items else books.labels
        if as_json:
            about = {"period": period, "day": books.day, "basis": books.basis, "not_billed": books.not_billed}
            print_json({**about, "items" if items else "labels": records(shown)})
            return
        hidden = ["label", "not_billed"] if items else ["label"]
        show(shown.drop(columns=hidden), titled(audit, f"At the end of {period}"), most=None)
        say(plain(str(books)))


def _sync(audit: Audit, *, offline: bool = False, accept_shrink: bool = False, full: bool = False) -> None:
    audit.sync(offline=offline, accept_shrink=accept_shrink, full=full)
    say("")
    for line in audit.proof():
        say(plain(line))


def _statement(audit: Audit) -> None:
    _show(audit, audit.statement(), "Statement: from cost to invoice")


def _show(audit: Audit, frame: pd.DataFrame, title: str) -> None:
    """Every row, without the columns that are for programs."""
    columns = [name for name in frame.columns if name not in ("code", "is_subtotal")]
    show(frame, titled(audit, title), most=None, columns=columns)


def _not_billed(audit: Audit) -> str:
    """The headline: what is not billed, how much of it is open, and what a person must decide first."""
    charge = audit.exposure().query("side == 'charge'")
    amounts = charge.groupby("standing")["amount"].sum()
    parts = ", ".join(f"{amount:,.2f} {standing}" for standing, amount in amounts.items())
    statement = audit.statement().set_index("code")["amount"]
    undecided = -sum(statement[["undecided", "marked_several", "unreadable"]], Decimal(0))
    headline = f"Billable cost not billed: {sum(charge['amount'], Decimal(0)):,.2f}{f' ({parts})' if parts else ''}."
    return f"{headline} To be decided first: {undecided:,.2f}; see `auditkit links`." if undecided else headline


def _by_rule(audit: Audit) -> None:
    for line in audit.warnings:
        warn(plain(line))
    by_rule = audit.by_rule()
    silent = (by_rule["findings"] == 0) & (by_rule["cleared"] == 0)
    show(by_rule[~silent], titled(audit, "Exceptions by rule"), most=None)
    say(plain(_not_billed(audit)))
    say(f"{silent.sum()} of {len(by_rule)} rules found nothing; `auditkit audit --json` lists them all.")


def _last_sync(audit: Audit) -> dict[str, Any]:
    return records(audit.sql(read("queries/last_sync")))[0]
