"""Read and audit: `demo`, `sync`, `audit`, `statement`, `rollforward`."""

from typing import Annotated, Any, Literal

import typer

from auditkit.audit import Audit
from auditkit.checks import views
from auditkit.cli.common import AsOf, FailOn, Json, exit_code, opened, report, titled
from auditkit.doctor import whereabouts
from auditkit.papers.terminal import plain, print_json, records, say, show, warn

__all__ = ["app"]

app = typer.Typer()


@app.command()
def demo(
    vendor_rate: Annotated[
        bool, typer.Option("--vendor-rate", help="Keep the vendors' real pace: 1,000 NRBs take 100 s.")
    ] = False,
) -> None:
    """The whole way on the bundled sandbox; no account is touched.

    Sync, statement, findings by rule, and the month-end report.
    """
    with opened(is_demo=True, vendor_rate=vendor_rate) as audit:
        pace = "at the vendors' real pace" if vendor_rate else "faster than vendors allow (--vendor-rate: real pace)"
        say(f"DEMO DATA: the sandbox of both vendors answers on loopback, {pace}.")
        say(plain(f"Where: {whereabouts(audit)}"))
        _sync(audit)
        _statement(audit)
        _by_rule(audit)
        report(audit)


@app.command()
def sync(
    offline: Annotated[
        bool, typer.Option("--offline", help="Rebuild from the cache, without a call; history is absent then.")
    ] = False,
    accept_shrink: Annotated[
        bool, typer.Option("--accept-shrink", help="A list that is empty, or much shorter than before, is right.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Read every record again, also those that seem unchanged.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read both vendors into a new snapshot, and audit it.

    Prints the proof of completeness. Exit code 2 where the read is INCOMPLETE: the snapshot is there, and says so.
    """
    with opened() as audit:
        if as_json:
            audit.sync(offline=offline, accept_shrink=accept_shrink, full=full)
            print_json({**_last_sync(audit), "sources": records(audit.sql(views.SYNC_SOURCES))})
        else:
            if audit.settings.is_demo:
                say(plain(f"DEMO DATA, as no account is set; {whereabouts(audit)}"))
            _sync(audit, offline=offline, accept_shrink=accept_shrink, full=full)
        raise typer.Exit(0 if _last_sync(audit)["status"] == "COMPLETE" else 2)


@app.command()
def audit(as_of: AsOf = None, fail_on: FailOn = None, as_json: Json = False) -> None:
    """Audit the newest sync again, without asking a vendor.

    Prints the statement and the findings by rule.
    """
    with opened(as_of=as_of) as it:
        it.run()
        if as_json:
            about = {
                **it.about,
                "warnings": it.warnings,
                "statement": records(it.statement()),
                "rules": records(it.by_rule()),
            }
            print_json(about)
        else:
            _statement(it)
            _by_rule(it)
        raise typer.Exit(exit_code(it, fail_on))


Scope = Literal["all", "job", "month", "vendor", "type"]


@app.command()
def statement(
    by: Annotated[Scope, typer.Option(help="Of the whole, or of each of these.")] = "all",
    key: Annotated[str | None, typer.Option(help="One job, month (YYYY-MM), vendor or type.")] = None,
    offsets: Annotated[bool, typer.Option("--offsets", help="Differences that cancel each other.")] = False,
    sensitivity: Annotated[bool, typer.Option("--sensitivity", help="What another tolerance would change.")] = False,
    as_json: Json = False,
) -> None:
    """From cost to invoice, the whole or a part.

    By job, month, vendor or type of NRB.
    """
    with opened() as it:
        if offsets:
            frame, title = it.analyze.offsets(), "Differences that cancel each other within a job or a month"
        elif sensitivity:
            frame, title = it.analyze.sensitivity(), "What would agree at another tolerance"
        else:
            frame, title = it.statement(by, key), "Statement: from cost to invoice" + (f", {by} {key}" if key else "")
        print_json(records(frame)) if as_json else show(frame, titled(it, title), most=None)


@app.command()
def rollforward(
    since: Annotated[int | None, typer.Option(help="A kept sync by number (default: the one before).")] = None,
    until: Annotated[int | None, typer.Option(help="A later one (default: the newest).")] = None,
    items: Annotated[bool, typer.Option("--items", help="Each item that moved.")] = False,
    as_json: Json = False,
) -> None:
    """The statement from one sync to another.

    Open before, new, cleared, changed, open now; what the items do not explain stands last and must be 0.00.
    """
    with opened() as it:
        frame = it.roll_forward(since, until, items=items)
        print_json(records(frame)) if as_json else show(frame, titled(it, "Roll-forward"), most=None)


def _sync(it: Audit, *, offline: bool = False, accept_shrink: bool = False, full: bool = False) -> None:
    it.sync(offline=offline, accept_shrink=accept_shrink, full=full)
    say("")
    for line in it.proof():
        say(plain(line))


def _statement(it: Audit) -> None:
    show(it.statement(), titled(it, "Statement: from cost to invoice"), most=None)


def _by_rule(it: Audit) -> None:
    for line in it.warnings:
        warn(plain(line))
    show(it.by_rule(), titled(it, "Findings by rule"), most=None)


def _last_sync(it: Audit) -> dict[str, Any]:
    return records(it.sql(views.SYNC_RUN))[0]
