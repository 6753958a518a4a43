"""The commands: each is one call on `Audit`, printed as tables for people or, with `--json`, for programs.

Exit codes: 0 clean, or findings that nobody asked to fail on; 1 findings at or above `--fail-on`; 2 could not look
(incomplete, unreachable, bad input); 3 a write's outcome is unknown. An error is one line on standard error.
"""

import contextlib
import json
import math
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auditkit.audit import Audit, open_audit
from auditkit.corrections.plan import REMEDIES, Plan
from auditkit.doctor import examine
from auditkit.errors import AuditkitError
from auditkit.sandbox import demo as sandbox_demo
from auditkit.sandbox import server
from auditkit.sandbox.door import Credentials
from auditkit.sandbox.errors import SandboxError
from auditkit.sandbox.quirks import Quirks

__all__ = ["app", "main"]

CLEAN, FINDINGS, COULD_NOT_LOOK, UNKNOWN = 0, 1, 2, 3
_SEVERITIES = ("high", "medium", "low")
_MAX_ROWS = 50

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


def main() -> None:
    """Run a command. Errors that auditkit raises on purpose are one line and exit code 2, never a traceback."""
    try:
        app()
    except (AuditkitError, SandboxError) as error:
        _fail(str(error))
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as error:
        _fail(f"{error.filename or 'the disk'}: {error.strerror or error}")


@app.command()
def demo(
    vendor_rate: Annotated[
        bool, typer.Option("--vendor-rate", help="Keep the vendors' real pace: 1,000 NRBs take 100 s.")
    ] = False,
) -> None:
    """The whole way on the bundled sandbox: sync, statement, findings, report. No account is touched."""
    with _opened(is_demo=True, vendor_rate=vendor_rate) as audit:
        pace = "at the vendors' real pace" if vendor_rate else "faster than vendors allow (--vendor-rate: real pace)"
        _say(f"DEMO DATA: the sandbox of both vendors answers on loopback, {pace}.")
        _sync(audit)
        _statement(audit)
        _by_rule(audit)
        _say(f"\nReport: {_publish(audit, '01_month_end')}")


@app.command()
def sync(as_json: Json = False) -> None:
    """Read both vendors into a new snapshot, and audit it."""
    with _opened() as audit:
        if as_json:
            audit.sync()
            _print_json(_last_sync(audit))
        else:
            _sync(audit)


@app.command()
def audit(as_of: AsOf = None, fail_on: FailOn = None, as_json: Json = False) -> None:
    """Audit the newest sync again, without asking any vendor; print the statement and the findings by rule."""
    with _opened(as_of=as_of) as it:
        it.run()
        if as_json:
            about = {**it.about, "statement": _records(it.statement()), "rules": _records(it.by_rule())}
            _print_json(about)
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
        rules = list(it.by_rule()["rule_id"])
        if rule is not None and rule not in rules:
            _fail(f"no rule is called {rule!r}; there are {', '.join(rules)}")
        frame = it.findings(rule)
        if as_json:
            _print_json(_records(frame))
        else:
            shown = ["rule_id", "severity", "subject_id", "job_number", "amount_at_risk", "reason"]
            _print(frame[shown], _titled(it, f"{len(frame):,} findings"))
        raise typer.Exit(_exit_code(it, fail_on))


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One statement; it runs read-only on the newest snapshot.")],
    as_json: Json = False,
) -> None:
    """Ask the snapshot anything: auditkit sql "select verdict, count(*) from job_reconciliation group by verdict"."""
    with _opened() as it:
        frame = it.sql(query)
        _print_json(_records(frame)) if as_json else _print(frame, _titled(it, f"{len(frame):,} rows"), most=None)


@app.command()
def report(
    notebook: Annotated[str, typer.Option(help="A notebook below notebooks/, without ending.")] = "01_month_end",
    as_of: AsOf = None,
) -> None:
    """Run a notebook on the newest snapshot and write it as one HTML file that opens offline."""
    with _opened(as_of=as_of) as it:
        if as_of:
            it.run()
        _say(f"Report: {_publish(it, notebook)}")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check settings, hosts, credentials, files and versions; say what to do about each."""
    with _opened() as it:
        checks = pd.DataFrame([vars(check) for check in examine(it)])
    if as_json:
        _print_json(_records(checks))
    else:
        for check in checks.itertuples():
            _say(_plain(f"{'ok    ' if check.ok else 'FAILED'}  {check.check:<10} {check.seen}"))
            if not check.ok:
                _say(f"        what to do: {check.advice}")
    raise typer.Exit(CLEAN if all(checks["ok"]) else COULD_NOT_LOOK)


@app.command()
def plan(rule: Annotated[str, typer.Argument(help=f"A rule with a safe remedy: {', '.join(REMEDIES)}.")]) -> None:
    """Propose the usual remedy for a rule's findings, as a plan file. Nothing is sent."""
    with _opened() as it:
        proposed = it.propose(rule)
        _print(pd.DataFrame(proposed.preview()), _titled(it, f"{len(proposed.changes):,} objects would change"))
        _say(f"Plan: {it.save(proposed)}\nNothing was sent. To send it: auditkit apply PLAN")


@app.command()
def apply(
    path: Annotated[Path, typer.Argument(metavar="PLAN", help="A file that `auditkit plan` wrote.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before sending.")] = False,
) -> None:
    """Send a plan: one object at a time, journalled before, verified after."""
    loaded = Plan.load(path)
    with _opened() as it:
        _print(pd.DataFrame(loaded.preview()), f"{len(loaded.changes):,} objects at {loaded.environment}")
        if not yes and not _confirmed("Send these changes?"):
            _fail("nothing was sent")
        outcomes = it.apply(loaded)
        _print(outcomes, "Verdicts", most=None)
        _say("The next sync shows which findings this cleared.")
        raise typer.Exit(UNKNOWN if "UNKNOWN" in set(map(str, outcomes["verdict"])) else CLEAN)


@sandbox.command()
def serve(
    port: Annotated[int, typer.Option(help="0 is any free port.")] = 8750,
    state: Annotated[Path, typer.Option(help="SQLite file that holds everything; made and filled if missing.")] = Path(
        "data/sandbox.sqlite"
    ),
    quirk: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A switch; may be repeated.")] = None,
) -> None:
    """Serve both vendors on 127.0.0.1 until interrupted; prints the settings that point auditkit at them."""
    quirks = Quirks.parse(quirk or [])
    state.parent.mkdir(parents=True, exist_ok=True)
    sandbox_demo.prepare(state)
    server.serve(state, port, quirks, Credentials(), ready=lambda address: _say(address.exports()))


# ── Shown to people ─────────────────────────────────────────────────────────────────────────────────────────────────


def _sync(it: Audit) -> None:
    it.sync()
    run = _last_sync(it)
    _say(
        f"\n{run['status']}: {run['nrb_listed']:,} NRBs and {run['invoice_listed']:,} invoices listed;"
        f" {run['nrb_fetched']:,} NRBs fetched, {run['nrb_unchanged']:,} unchanged,"
        f" {run['invoice_changed']:,} invoices new or changed; {run['calls']:,} calls, {run['retries']:,} repeated."
    )
    if run["reason"]:
        _say(f"Why it is incomplete: {run['reason']}")


def _statement(it: Audit) -> None:
    _print(it.statement(), _titled(it, "Statement: from cost to invoice"), most=None)


def _by_rule(it: Audit) -> None:
    _print(it.by_rule(), _titled(it, f"Findings by rule; verdict: {it.about['verdict']}"), most=None)


def _confirmed(question: str) -> bool:
    try:
        return typer.confirm(question)
    except typer.Abort:
        return False


def _publish(it: Audit, notebook: str) -> Path:
    try:
        from auditkit.reports.publish import publish  # noqa: PLC0415  Jupyter's packages are an extra, and slow to import
    except ImportError as error:
        _fail(f"reports need more packages ({error.name}); pip install 'auditkit[notebooks]'")
    return publish(it.settings, notebook, is_demo=it.is_demo)


def _last_sync(it: Audit) -> dict[str, Any]:
    return _records(it.sql("select * from sync_run order by sync_id desc limit 1"))[0]


def _titled(it: Audit, title: str) -> str:
    return f"{title} · {it.title}"


def _print(frame: pd.DataFrame, title: str, most: int | None = _MAX_ROWS) -> None:
    _say(f"\n{_plain(title)}")
    table = Table(show_edge=False)
    for name in frame.columns:
        is_number = any(isinstance(value, (int, Decimal)) and not isinstance(value, bool) for value in frame[name])
        table.add_column(Text(_plain(str(name))), justify="right" if is_number else "left", overflow="fold")
    rows = frame if most is None else frame.head(most)
    for row in rows.itertuples(index=False):
        table.add_row(*(Text(_cell(value)) for value in row))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    if len(rows) < len(frame):
        _say(f"… and {len(frame) - len(rows):,} more: use --json or auditkit sql to see all")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, (Decimal, int)) and not isinstance(value, bool):
        return f"{value:,}"
    return _plain(str(value))


def _plain(text: str) -> str:
    """Text from a vendor without what a terminal would act upon."""
    return "".join(character if character.isprintable() else "�" for character in text)


def _say(line: str) -> None:
    typer.echo(line)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(_finite(value), default=str, ensure_ascii=True, indent=1, allow_nan=False))


def _finite(value: Any) -> Any:  # noqa: ANN401  whatever is printed
    """JSON has no Infinity and no NaN: they are written as text."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False)]


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
        _fail(f"--as-of {as_of!r} is not a day; write it as YYYY-MM-DD")
    with open_audit(as_of=day, is_demo=is_demo, vendor_rate=vendor_rate) as it:
        try:
            yield it
        except KeyboardInterrupt:
            _fail("stopped; what was fetched stays in the cache, and the published snapshot is unchanged")


def _fail(line: str) -> NoReturn:
    typer.echo(f"auditkit: {_plain(line)}", err=True)
    raise SystemExit(COULD_NOT_LOOK)
