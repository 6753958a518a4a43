"""The commands: each is one call on `Audit`, printed as tables for people or, with `--json`, for programs.

Exit codes: 0 clean, or findings that nobody asked to fail on; 1 findings at or above `--fail-on`; 2 could not look
(incomplete, unreachable, bad input); 3 a write's outcome is unknown. An error is one line on standard error.
"""

import contextlib
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import typer

from auditkit.audit import Audit, open_audit
from auditkit.config import DEMO
from auditkit.corrections.plan import REMEDIES, Plan
from auditkit.doctor import examine, whereabouts
from auditkit.errors import AuditkitError, NotThere
from auditkit.sandbox import demo as sandbox_demo
from auditkit.sandbox import server
from auditkit.sandbox.door import Credentials
from auditkit.sandbox.errors import SandboxError
from auditkit.sandbox.quirks import Quirks
from auditkit.terminal import COULD_NOT_LOOK, fail, plain, print_json, records, say, show, warn

__all__ = ["app", "main"]

CLEAN, FINDINGS, UNKNOWN = 0, 1, 3
_SEVERITIES = ("high", "medium", "low")

app = typer.Typer(
    name="auditkit",
    help="Finds field cost (Aimsio NRBs) that never reached a client's invoice (JobNimbus).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
sandbox = typer.Typer(help="Both vendors imitated on loopback.", no_args_is_help=True)
app.add_typer(sandbox, name="sandbox")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs; money as text.")]
FailOn = Annotated[
    Literal["high", "medium", "low"] | None,
    typer.Option(help="Exit 1 if there are findings of this severity or above."),
]
AsOf = Annotated[str | None, typer.Option(help="The day to look from, YYYY-MM-DD (default: the setting, else today).")]


def _quirks() -> str:
    """The switches with their values, for a help text."""
    lines = (f"  {name} = {values}" for name, values in Quirks.choices().items())
    return "\n".join(("\b", "Switches, default first:", *lines))  # \\b: click leaves the lines as they are


def main() -> None:
    """Run a command. Errors that auditkit raises on purpose are one line and exit code 2, never a traceback."""
    try:
        app()
    except NotThere as error:  # an object that is gone is dealt with where it is asked for: this is the list of all
        vendor = str(error).partition(":")[0].upper()
        fail(f"{error}; is the base URL right? check AUDITKIT_{vendor}_URL")
    except (AuditkitError, SandboxError) as error:
        fail(str(error))
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as error:
        fail(f"{error.filename or 'the disk'}: {error.strerror or error}")


@app.command()
def demo(
    vendor_rate: Annotated[
        bool, typer.Option("--vendor-rate", help="Keep the vendors' real pace: 1,000 NRBs take 100 s.")
    ] = False,
) -> None:
    """The whole way on the bundled sandbox; no account is touched.

    Sync, statement, findings by rule, and the month-end report.
    """
    with _opened(is_demo=True, vendor_rate=vendor_rate) as audit:
        pace = "at the vendors' real pace" if vendor_rate else "faster than vendors allow (--vendor-rate: real pace)"
        say(f"DEMO DATA: the sandbox of both vendors answers on loopback, {pace}.")
        say(plain(f"Where: {whereabouts(audit)}"))
        _sync(audit)
        _statement(audit)
        _by_rule(audit)
        say(f"\nReport: {_publish(audit, '01_month_end')}")


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
    with _opened() as audit:
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
    with _opened(as_of=as_of) as it:
        it.run()
        if as_json:
            about = {**it.about, "statement": records(it.statement()), "rules": records(it.by_rule())}
            print_json(about)
        else:
            _statement(it)
            _by_rule(it)
        raise typer.Exit(_exit_code(it, fail_on))


@app.command()
def findings(
    rule: Annotated[str | None, typer.Option(help="Only this rule, e.g. nrb-unbilled.")] = None,
    fail_on: FailOn = None,
    as_json: Json = False,
) -> None:
    """What the rules say is wrong, most severe first."""
    with _opened() as it:
        frame = it.findings(rule)
        if as_json:
            print_json(records(frame))
        else:
            shown = ["rule_id", "severity", "subject_id", "job_number", "amount_at_risk", "reason"]
            show(frame[shown], _titled(it, f"{len(frame):,} findings"))
        raise typer.Exit(_exit_code(it, fail_on))


@app.command()
def changes(
    since: Annotated[int | None, typer.Option(help="A sync by number (default: the one before the newest).")] = None,
    as_json: Json = False,
) -> None:
    """What changed since a sync.

    Records that appeared or vanished, and those that changed, field by field.
    """
    with _opened() as it:
        frame = it.changes(since)
        if as_json:
            print_json(records(frame))
        else:
            show(frame, _titled(it, f"{len(frame):,} changes since sync {frame.attrs['values']['since']}"))


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One statement; it runs read-only on the newest snapshot.")],
    as_json: Json = False,
) -> None:
    """Ask the snapshot anything in SQL.

    For example: auditkit sql "select verdict, count(*) from job_reconciliation group by verdict"
    """
    with _opened() as it:
        frame = it.sql(query)
        print_json(records(frame)) if as_json else show(frame, _titled(it, f"{len(frame):,} rows"), most=None)


@app.command()
def report(
    notebook: Annotated[str, typer.Option(help="A notebook below notebooks/, without ending.")] = "01_month_end",
    as_of: AsOf = None,
) -> None:
    """Write a notebook, run on the newest snapshot, as one HTML file.

    The file opens offline.
    """
    with _opened(as_of=as_of) as it:
        if as_of:
            it.run()
        say(f"Report: {_publish(it, notebook)}")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check settings, files, rules, vendors and versions.

    Says what to do about each that fails.
    """
    with _opened() as it:
        checks = pd.DataFrame([vars(check) for check in examine(it)])
    if as_json:
        print_json(records(checks))
    else:
        for check in checks.itertuples():
            say(plain(f"{'ok    ' if check.ok else 'FAILED'}  {check.check:<10} {check.seen}"))
            if not check.ok:
                say(f"        what to do: {check.advice}")
    raise typer.Exit(CLEAN if all(checks["ok"]) else COULD_NOT_LOOK)


@app.command()
def plan(rule: Annotated[str, typer.Argument(help=f"A rule with a safe remedy: {', '.join(REMEDIES)}.")]) -> None:
    """Propose the usual remedy for a rule's findings, as a plan file. Nothing is sent."""
    with _opened() as it:
        proposed = it.propose(rule)
        show(pd.DataFrame(proposed.preview()), _titled(it, f"{len(proposed.changes):,} objects would change"))
        path = it.save(proposed)
        _conditions(proposed)
        say(f"Nothing was sent. To send it: auditkit apply {path}")


@app.command()
def apply(
    path: Annotated[Path, typer.Argument(metavar="PLAN", help="A file that `auditkit plan` wrote.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before sending.")] = False,
) -> None:
    """Send a plan, one object at a time.

    Each is journalled before and verified after.
    """
    loaded = Plan.load(path)
    with _opened() as it:
        whose = "DEMO DATA" if loaded.environment == DEMO else f"{loaded.account} at {loaded.environment}"
        show(pd.DataFrame(loaded.preview()), f"{len(loaded.changes):,} objects to change · {whose}")
        _conditions(loaded)
        if not yes and not _confirmed("Send these changes?"):
            fail("nothing was sent")
        outcomes = it.apply(loaded)
        show(outcomes, f"Verdicts · {whose}", most=None)
        say("The next sync shows which findings this cleared.")
        verdicts = set(map(str, outcomes["verdict"]))
        raise typer.Exit(UNKNOWN if "UNKNOWN" in verdicts else COULD_NOT_LOOK if "NOT_BEGUN" in verdicts else CLEAN)


@sandbox.command(epilog=_quirks())
def serve(
    port: Annotated[int, typer.Option(help="0 is any free port.")] = 8750,
    state: Annotated[Path, typer.Option(help="SQLite file that holds everything; made and filled if missing.")] = Path(
        "data/sandbox.sqlite"
    ),
    quirk: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A switch, see below; repeatable.")
    ] = None,
) -> None:
    """Serve both vendors on 127.0.0.1 until interrupted.

    Prints the settings that point auditkit at them.
    """
    server.serve(
        state,
        port,
        Quirks.parse(quirk or []),
        Credentials(),
        prepare=sandbox_demo.prepare,
        ready=lambda address: say(address.exports()),
    )


# ── Shown to people ─────────────────────────────────────────────────────────────────────────────────────────────────


def _sync(it: Audit, *, offline: bool = False, accept_shrink: bool = False) -> None:
    it.sync(offline=offline, accept_shrink=accept_shrink)
    say("")
    for line in it.proof():
        say(plain(line))


def _statement(it: Audit) -> None:
    show(it.statement(), _titled(it, "Statement: from cost to invoice"), most=None)


def _by_rule(it: Audit) -> None:
    show(it.by_rule(), _titled(it, "Findings by rule"), most=None)


def _conditions(plan: Plan) -> None:
    for condition in plan.conditions:
        say(f"\nBefore it is sent, look at each: {condition}.")


def _confirmed(question: str) -> bool:
    try:
        return typer.confirm(question)
    except typer.Abort:
        return False


def _publish(it: Audit, notebook: str) -> Path:
    try:
        from auditkit.reports.publish import publish  # noqa: PLC0415  Jupyter's packages are an extra, and slow to import
    except ImportError as error:
        fail(f"reports need more packages ({error.name}); pip install 'auditkit[notebooks]'")
    return publish(it.settings, notebook, is_demo=it.is_demo)


def _last_sync(it: Audit) -> dict[str, Any]:
    return records(it.sql("select * from sync_run order by sync_id desc limit 1"))[0]


def _titled(it: Audit, title: str) -> str:
    return f"{title} · {it.title}"


def _exit_code(it: Audit, fail_on: str | None) -> int:
    if it.about["verdict"] == "incomplete":
        return COULD_NOT_LOOK
    if fail_on is None:
        return CLEAN
    counted = _SEVERITIES[: _SEVERITIES.index(fail_on) + 1]
    return FINDINGS if any(severity in counted for severity in it.findings()["severity"]) else CLEAN


@contextlib.contextmanager
def _opened(*, as_of: str | None = None, is_demo: bool = False, vendor_rate: bool = False) -> Iterator[Audit]:
    try:
        day = date.fromisoformat(as_of) if as_of else None
    except ValueError:
        fail(f"--as-of {as_of!r} is not a day; write it as YYYY-MM-DD")
    with open_audit(as_of=day, is_demo=is_demo, vendor_rate=vendor_rate) as it:
        if day and day > it.today:
            warn(f"--as-of {day} lies after today, {it.today}: ages count days that have not been yet")
        try:
            yield it
        except KeyboardInterrupt:
            fail("stopped; what was fetched stays in the cache, and the published snapshot is unchanged")
