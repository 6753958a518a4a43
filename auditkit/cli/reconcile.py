"""Read and audit: `demo`, `sync`, `audit`, `statement`, `rollforward`."""

from typing import Annotated, Any, Literal

import typer

from auditkit.audit import Audit
from auditkit.checks import views
from auditkit.cli.common import AsOf, FailOn, Json, exit_code, opened, report, titled
from auditkit.cli.doctor import whereabouts
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
    as_json: Json = False,
) -> None:
    """Read both vendors into a new snapshot, and audit it.

    Prints the proof of completeness. Exit code 2 where the read is INCOMPLETE: the snapshot is there, and says so.
    """
    with opened() as audit:
        if as_json:
            audit.sync(offline=offline, accept_shrink=accept_shrink)
            print_json(_last_sync(audit))
        else:
            if audit.settings.is_demo:
                say(plain(f"DEMO DATA, as no account is set; {whereabouts(audit)}"))
            _sync(audit, offline=offline, accept_shrink=accept_shrink)
        raise typer.Exit(0 if _last_sync(audit)["status"] == "COMPLETE" else 2)


@app.command()
def audit(as_of: AsOf = None, fail_on: FailOn = None, as_json: Json = False) -> None:
    """Audit the newest sync again, without asking a vendor.

    Prints the statement and the findings by rule.
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
        raise typer.Exit(exit_code(audit, fail_on))


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
    with opened() as audit:
        if offsets:
            frame, title = audit.analyze.offsets(), "Differences that cancel each other within a job or a month"
        elif sensitivity:
            frame, title = audit.analyze.sensitivity(), "What would agree at another tolerance"
        else:
            frame, title = (
                audit.statement(by, key),
                "Statement: from cost to invoice" + (f", {by} {key}" if key else ""),
            )
        print_json(records(frame)) if as_json else show(frame, titled(audit, title), most=None)


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
    with opened() as audit:
        frame = audit.roll_forward(since, until, items=items)
        print_json(records(frame)) if as_json else show(frame, titled(audit, "Roll-forward"), most=None)


def _sync(audit: Audit, *, offline: bool = False, accept_shrink: bool = False) -> None:
    audit.sync(offline=offline, accept_shrink=accept_shrink)
    say("")
    for line in audit.proof():
        say(plain(line))


def _statement(audit: Audit) -> None:
    show(audit.statement(), titled(audit, "Statement: from cost to invoice"), most=None)


def _by_rule(audit: Audit) -> None:
    for line in audit.warnings:
        warn(plain(line))
    show(audit.by_rule(), titled(audit, "Findings by rule"), most=None)


def _last_sync(audit: Audit) -> dict[str, Any]:
    return records(audit.sql(views.SYNC_RUN))[0]
