"""The commands as a person types them: what they print, how they end, and that a failure changes nothing."""

import contextlib
import io
import json
import os
import pty
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest

from auditkit.checks.rules import load_rules
from auditkit.sandbox.dataset import build
from auditkit.sandbox.state import State
from auditkit.sandbox.wire import loads_stored
from auditkit.settings import Settings
from tests.commands import PROGRAM, Account, Ran, account_of, assert_refused, auditkit, bytes_of, small_disk, started
from tests.sandbox.truth import truth_of
from tests.served import point, serving
from tests.vendors.server import Reply, running_vendor

COMMANDS = (
    *("init", "doctor", "demo", "sync", "audit", "statement", "rollforward", "exposure", "at"),
    *("findings", "explain", "accept"),
    *("links", "link"),
    *("changes", "selftest", "tables", "report", "workpaper", "notebooks", "sql"),
    *("plan", "undo", "approve", "apply", "recover", "identity", "journal", "sandbox"),
)
INNER = (
    *("link confirm", "link forbid", "link none", "link undo"),
    *("identity new", "identity list", "journal verify", "sandbox serve"),
)
CREDENTIALS = ("AIMSIO_URL", "AIMSIO_USERNAME", "AIMSIO_PASSWORD", "JOBNIMBUS_URL", "JOBNIMBUS_TOKEN")
HOSTILE = "\x1b[31m[red]x[/blue]\u202e\x07\r\n\u009b31m:boom:"  # ANSI, markup, bidi, bell, line ends, C1, emoji
HARMLESS = "[red]x[/blue]"
RULE = """-- id: my-rule
-- title: mine
-- assertion: accuracy
-- severity: low
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text
-- why: because
-- remedy: look
select guid as subject_id, job_number, total as amount_at_risk, 'so' as reason from nrb_status
"""


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """80 NRBs, of which one that nobody billed has a hostile job, vendor and notes."""
    folder = tmp_path_factory.mktemp("account")
    world = build(seed=5, nrbs=80, faults={"nrb-unbilled": 1, "nrb-unexported": 2})
    (unbilled,) = truth_of(world)["nrb-unbilled"]
    hostile = dict.fromkeys(("nrbJobOrderNumber", "nrbVendorCode", "nrbNotes"), HOSTILE)
    with State(folder / "vendors.sqlite") as state:
        state.fill(world.nrbs, world.invoices, world.jobs, world.vendors)
        state.put_nrb({**loads_stored(state.nrb_text(unbilled) or ""), **hostile})
    with account_of(world, folder) as synced:
        yield synced


@pytest.fixture
def home(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return account.home(monkeypatch, tmp_path, IDENTITY="controller@example.com")


def test_sql_below_each_table_on_request(home: Path) -> None:
    plainly, ran = auditkit("findings", "--severity", "high"), auditkit("--sql", "findings", "--severity", "high")
    assert "select" not in plainly.out and ran.out.startswith(plainly.out.rstrip("\n"))
    sql = ran.out.removeprefix(plainly.out.rstrip("\n")).strip()
    assert sql.startswith("with last_state as") and "\n-- $severity = high\n-- $state = NULL\n" in sql
    assert "select" not in auditkit("findings").out


# ── Success ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "command",
    [
        *COMMANDS,
        "link confirm",
        "link forbid",
        "link none",
        "link undo",
        "identity new",
        "identity list",
        "sandbox serve",
    ],
)
def test_help_of_every_command(command: str) -> None:
    ran = auditkit(*command.split(), "--help")
    assert (ran.code, ran.err) == (0, "") and "Usage: auditkit" in ran.out and command in ran.out


def test_help_lists_every_command_in_order() -> None:
    shown = auditkit("--help").out
    listed = [line.split()[0] for line in shown.partition("Commands:")[2].splitlines() if line.strip()]
    assert listed == list(COMMANDS)


def test_help_cuts_no_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for group in ((), ("link",), ("identity",), ("journal",), ("sandbox",)):
        assert "..." not in auditkit(*group, "--help").out.partition("Commands:")[2]


def test_help_of_the_sandbox_lists_its_switches() -> None:
    out = auditkit("sandbox", "serve", "--help").out
    assert "    list_shape = array | value\n" in out and "    rate_per_second = 10 …\n" in out


def test_sync_prints_what_it_read(home: Path) -> None:
    before = bytes_of(home)["audit.duckdb"]
    ran = auditkit("sync")
    assert (ran.code, ran.err) == (0, "")
    said = (
        "COMPLETE: the vendors' lists",
        " 80 NRBs in ",
        " 0 fetched, 80 unchanged",
        " 9 invoices in ",
        " 0 new or changed",
    )
    assert [words for words in said if words not in ran.out] == []
    assert bytes_of(home)["snapshots/sync-000001.duckdb"] == before


@pytest.mark.parametrize(
    ("arguments", "money"),
    [
        (("audit",), ("statement", 0, "amount")),
        (("findings",), (0, "amount_at_risk")),
        (("sql", "select total from nrb_status order by guid"), (0, "total")),
        (("sync",), ("sources", 0, "control_total")),
        (("exposure",), (0, "amount")),
        (("exposure", "--items"), (0, "amount")),
        (("at", "2026-08"), ("not_billed",)),
        (("at", "2026-08", "--items"), ("items", 0, "amount")),
    ],
    ids=lambda value: " ".join(map(str, value)),
)
def test_json_has_money_as_text(arguments: tuple[str, ...], money: tuple[str | int, ...], home: Path) -> None:
    ran = auditkit(*arguments, "--json")
    assert (ran.code, ran.err) == (0, "")
    value = json.loads(ran.out)
    for key in money:
        value = value[key]
    assert isinstance(value, str) and Decimal(value) == Decimal(value).quantize(Decimal("0.01"))


def test_what_is_not_billed_is_one_figure_in_every_command(home: Path) -> None:
    statement = {row["code"]: row["amount"] for row in json.loads(auditkit("statement", "--json").out)}
    headline = f"Billable cost not billed: {-Decimal(statement['unbilled']):,.2f} ("
    assert headline in auditkit("exposure").out and headline in auditkit("audit").out
    items = json.loads(auditkit("exposure", "--items", "--json").out)
    assert sum(Decimal(row["amount"]) for row in items if row["side"] == "charge") == -Decimal(statement["unbilled"])


def test_rules_that_found_nothing_are_counted(home: Path) -> None:
    ran, rules = auditkit("audit"), json.loads(auditkit("audit", "--json").out)["rules"]
    silent = [rule["rule_id"] for rule in rules if not rule["findings"]]
    assert f"{len(silent)} of {len(rules)} rules found nothing" in ran.out
    assert not [rule for rule in silent if f" {rule} " in ran.out]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("at", "2026-13"), "a period is a month, written YYYY-MM"),
        (("at", "2026-08", "--known", "9"), "there is no read 9"),
    ],
)
def test_a_wrong_month_or_read_is_one_line(arguments: tuple[str, ...], words: str, home: Path) -> None:
    assert_refused(auditkit(*arguments), words)


def test_json_is_valid_for_infinity_and_nan(home: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    json.loads(auditkit("sql", "--json", "select 'inf'::double as a, 'nan'::double as b").out, parse_constant=refuse)


def test_sql_as_csv_and_as_a_spreadsheet(home: Path, tmp_path: Path) -> None:
    question = "select '=1+1' as a, 1234567.50::decimal(18, 2) as m, null as n"
    assert auditkit("sql", "--csv", question) == Ran(0, "a,m,n\n'=1+1,1234567.50,\n", "")
    path = tmp_path / "answer.xlsx"
    assert auditkit("sql", "--xlsx", str(path), question) == Ran(0, f"Written: {path}\n", "")
    sheet = openpyxl.load_workbook(path)["Answer"]
    assert [cell.value for cell in sheet[7]] == ["a", "m", "n"]
    assert [(cell.value, cell.data_type) for cell in sheet[8]] == [("=1+1", "s"), (1234567.5, "n"), (None, "n")]
    question = "select '1899-12-31'::date as d, 'nan'::double as n, 0.5::double as f, 0.004::decimal(18, 6) as q"
    assert auditkit("sql", "--xlsx", str(tmp_path / "odd.xlsx"), question).code == 0
    row = openpyxl.load_workbook(tmp_path / "odd.xlsx")["Answer"][8]
    assert [(cell.value, cell.number_format) for cell in row] == [
        ("1899-12-31", "General"),  # Excel knows no day before 1900
        ("nan", "General"),
        (0.5, "General"),
        (0.004, "General"),  # and not 0.00
    ]
    assert_refused(auditkit("sql", "--csv", "--xlsx", str(path), question), "choose one")
    assert_refused(auditkit("sql", "--xlsx", str(tmp_path / "answer.ods"), question), "ends in .xlsx")
    assert_refused(auditkit("sql", "--xlsx", str(path), "select 1"), "exists and differs")


def test_sql_from_a_pipe(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("select 1\nas x"))
    assert json.loads(auditkit("sql", "--json").out) == [{"x": 1}]
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert_refused(auditkit("sql"), "there is no statement")


@pytest.mark.slow
def test_sql_at_a_prompt_with_history(home: Path) -> None:
    """In a real terminal: an error is printed and the prompt comes back; the history is readable by its owner alone."""
    typed = "select count(*) as n\nfrom nrb;\n.describe link\nselect nothing;\n-- nothing;\ncommit;\n.what\n.log\n\n"
    typed += "select 1\n.quit\n"
    master, slave = pty.openpty()
    with subprocess.Popen([PROGRAM, "sql"], stdin=slave, stdout=slave, stderr=slave, close_fds=True) as shell:
        os.close(slave)
        os.write(master, typed.encode())
        seen = b""
        with contextlib.suppress(OSError):  # the terminal is gone when its program is
            while chunk := os.read(master, 4096):
                seen += chunk
    os.close(master)
    assert shell.returncode == 0
    assert b"Traceback" not in seen
    for words in (
        b"80",
        b"invoiced_amount",
        b"the SQL failed",
        b"there is no statement in it",
        b"not TRANSACTION",
        b".what: unknown command",
        b".log: a name is missing",
    ):
        assert words in seen
    history = home / "sql_history"
    assert history.stat().st_mode & 0o777 == 0o600 and "from nrb;" in history.read_text().splitlines()


def test_sql_prints_a_table(home: Path) -> None:
    ran = auditkit("sql", "select job_number, count(*) as n, 1234567.50::decimal(18, 2) as m from nrb group by all")
    assert ran.code == 0
    assert "job_number" in ran.out and "1,234,567.50" in ran.out and "5 rows" in ran.out
    assert "as of 2026-09-30 · snapshot " in ran.out and "read COMPLETE · verdict: findings" in ran.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("findings",),
        ("sql", "select notes, vendor_code, job_number from nrb order by guid"),
        ("sql", "select job_number, verdict from job_reconciliation"),
    ],
    ids=" ".join,
)
def test_hostile_text_is_inert(arguments: tuple[str, ...], home: Path) -> None:
    ran = auditkit(*arguments)
    assert ran.code == 0
    assert all(character.isprintable() or character == "\n" for character in ran.out)
    assert HARMLESS in ran.out.replace("\n", "") and ":boom:" in ran.out


def test_hostile_text_is_escaped_in_json(home: Path) -> None:
    out = auditkit("findings", "--json").out
    assert out.isascii() and HOSTILE in {row["job_number"] for row in json.loads(out)}


@pytest.mark.parametrize("name", ["\x1b[31m", "[/blue]", "[red]x"], ids=["escape", "closing tag", "tag"])
def test_hostile_column_names_are_inert(name: str, home: Path) -> None:
    """A column may be named by data: `pivot nrb on vendor_code`."""
    ran = auditkit("sql", f'select 1 as "{name}"')
    assert ran.code == 0 and "\x1b" not in ran.out and name.replace("\x1b", "�") in ran.out


def test_the_verdict_is_printed_once(home: Path) -> None:
    (title,) = (line for line in auditkit("audit").out.splitlines() if line.startswith("Exceptions by rule"))
    assert title.count("verdict") == 1


def test_an_as_of_date_in_the_future_is_a_warning(home: Path) -> None:
    ran = auditkit("audit", "--as-of", "2999-01-01")
    assert ran.code == 0 and "as of 2999-01-01" in ran.out
    assert ran.err.startswith("auditkit: --as-of 2999-01-01 is after today, ") and ran.err.count("\n") == 1


def test_a_workpaper_is_written_once(home: Path) -> None:
    """At the printed path; again if it is gone; and not over one that differs, which may be signed."""
    ran = auditkit("workpaper")
    (path,) = (home / "reports").iterdir()
    assert (ran.code, ran.err, ran.out) == (0, "", f"Workpaper: {path}\n")
    assert path.name.startswith("workpaper-2026-09-30-sync-1-") and path.suffix == ".xlsx"
    written = path.read_bytes()
    assert auditkit("workpaper").out == ran.out and path.read_bytes() == written
    assert auditkit("workpaper", "--output", "mine.xlsx").out == "Workpaper: mine.xlsx\n"
    assert (home.parent / "mine.xlsx").read_bytes() == written
    path.write_bytes(written + b"signed")
    assert_refused(auditkit("workpaper"), str(path), "exists and differs", "choose another name")
    assert path.read_bytes() == written + b"signed"
    assert auditkit("workpaper", "--as-of", "2026-10-31").code == 0
    assert len(list((home / "reports").glob("workpaper-2026-10-31-sync-1-*.xlsx"))) == 1


def listed(*arguments: str) -> list[dict[str, str]]:
    return json.loads(auditkit("findings", "--json", *arguments).out)


def test_findings_filters(home: Path) -> None:
    every = listed()
    job = every[0]["job_number"]
    for arguments, kept in (
        (("--severity", "low"), [row for row in every if row["severity"] == "low"]),
        (("--job", job), [row for row in every if row["job_number"] == job]),
        (("--new",), every),
        (("--state", "open", "--rule", "nrb-unexported"), [r for r in every if r["rule_id"] == "nrb-unexported"]),
        (("--state", "cleared"), []),
    ):
        assert listed(*arguments) == kept


def test_accepted_findings_do_not_fail_a_run(home: Path) -> None:
    fingerprints = [row["fingerprint"] for row in listed("--severity", "high")]
    assert fingerprints and auditkit("audit", "--fail-on", "high").code == 1
    ran = auditkit("accept", *(each[:12] for each in fingerprints), "--note", "agreed", "--until", "2099-12-31")
    assert (ran.code, ran.err) == (0, "") and f"{len(fingerprints)} accepted" in ran.out
    assert {row["fingerprint"] for row in listed("--state", "accepted")} == set(fingerprints)
    assert auditkit("audit", "--fail-on", "high").code == 0
    back = auditkit("accept", fingerprints[0], "--note", "not so", "--withdraw")
    assert back.code == 0 and "1 acceptance withdrawn" in back.out
    assert auditkit("findings", "--fail-on", "high").code == 1
    shown = auditkit("audit").out
    assert "reopened" in shown and "accepted" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("accept", "0" * 12, "--note", "x"), "no finding has the fingerprint"),
        (("accept", "x", "--note", "x"), "is not a fingerprint"),
        (("explain", "0" * 12), "no finding has the fingerprint"),
        (("explain", "'; drop table nrb"), "is not a fingerprint"),
    ],
)
def test_an_unknown_fingerprint(home: Path, arguments: tuple[str, ...], message: str) -> None:
    ran = auditkit(*arguments)
    assert_refused(ran, message)


def test_explain_is_complete_and_hostile_text_is_inert(home: Path) -> None:
    (found,) = [row for row in listed("--rule", "nrb-unbilled") if "[red]" in row["job_number"]]
    ran = auditkit("explain", found["fingerprint"])
    assert ran.code == 0 and "\x1b" not in ran.out and "\u202e" not in ran.out
    for part in (
        "Why it matters",
        "The row the rule gives",
        "History",
        "As sent: nrb",
        "The SQL of nrb-unbilled",
    ):
        assert part in ran.out
    parsed = json.loads(auditkit("explain", found["fingerprint"], "--json").out)
    assert parsed["raw"][0]["digest_holds"] is True and parsed["finding"]["fingerprint"] == found["fingerprint"]


def test_audit_rebuilds_a_snapshot_of_another_version(home: Path) -> None:
    with duckdb.connect(str(home / "audit.duckdb")) as older:
        older.execute("drop table made_by; alter table finding_history drop column reason; drop table acceptance")
    for arguments in (("findings",), ("statement",), ("sql", "select 1"), ("tables",), ("explain", "0" * 12)):
        assert_refused(auditkit(*arguments), "was made by another version", "auditkit audit")
    assert auditkit("audit").code == 0
    assert auditkit("findings").code == 0 and auditkit("sync").code == 0


def test_tables_and_columns_are_described(home: Path) -> None:
    listed = json.loads(auditkit("tables", "--json").out)
    assert {"nrb", "invoice_item", "statement_item", "finding", "raw.nrb_body"} <= {row["name"] for row in listed}
    for table in listed:
        columns = json.loads(auditkit("tables", table["name"], "--json").out)
        assert table["holds"] and columns and all(column["holds"] and column["type"] for column in columns)
    assert "decimal(18,2)" in auditkit("tables", "NRB").out
    assert_refused(auditkit("tables", "nrbs"), "no table 'nrbs'", "did you mean nrb?")


@pytest.mark.slow
def test_selftest_changes_nothing_in_the_home(home: Path) -> None:
    before = bytes_of(home)
    ran = auditkit("selftest", "--json")
    outcomes = json.loads(ran.out)
    assert ran.code == 0 and len(outcomes) == len(load_rules())
    assert {each["rule_id"]: each["passed"] for each in outcomes if not each["passed"]} == {"nrb-split": None}  # is off
    tried = [each for each in outcomes if each["rule_id"] != "nrb-split"]
    assert all(outcome["planted"] and outcome["fired"] and not outcome["extra"] for outcome in tried)
    assert bytes_of(home) == before
    (home / "rules").mkdir()
    (home / "rules" / "my-rule.sql").write_text(RULE)
    shown = auditkit("selftest").out
    shipped = len(load_rules())  # one of which is off, and one of our own that has no fault
    assert f"{shipped - 1} of {shipped + 1} rules passed" in shown and "no planted fault" in shown


@pytest.mark.parametrize(("fail_on", "code"), [(None, 0), ("high", 1), ("medium", 1), ("low", 1)])
def test_exit_code_1_only_with_fail_on(fail_on: str | None, code: int, home: Path) -> None:
    assert auditkit("findings", *(["--fail-on", fail_on] if fail_on else [])).code == code


@pytest.mark.slow
def test_fail_on_counts_that_severity_and_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cost that is not exported is of medium severity."""
    with serving(build(seed=6, nrbs=60, faults={"nrb-unexported": 1}), tmp_path) as address:
        point(monkeypatch, address, tmp_path / "home")
        assert auditkit("sync").code == 0
    codes = {severity: auditkit("findings", "--fail-on", severity).code for severity in ("high", "medium", "low")}
    assert codes == {"high": 0, "medium": 1, "low": 1}
    assert auditkit("audit", "--fail-on", "high").code == 0


@pytest.mark.slow
def test_an_incomplete_verdict_is_exit_code_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two records that cannot be read: `--fail-on` does not turn the verdict into "findings"."""
    with serving(build(seed=7, nrbs=60, faults={"record-quarantined": 2}), tmp_path) as address:
        point(monkeypatch, address, tmp_path / "home")
        assert auditkit("sync").code == 0
        for arguments in (("findings",), ("findings", "--fail-on", "high"), ("audit", "--json")):
            ran = auditkit(*arguments)
            assert (ran.code, ran.err) == (2, "") and "incomplete" in ran.out


# ── Errors: one line, exit code 2, and the snapshot is unchanged ────────────────────────────────────────


@pytest.fixture
def unchanged(home: Path) -> Iterator[Path]:
    """The home, which must hold the same bytes after the test."""
    before = bytes_of(home)
    assert "audit.duckdb" in before
    yield home
    assert bytes_of(home) == before


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("AIMSIO_PASSWORD", ("Aimsio: GET /", "answered 401", "check the credentials")),
        ("JOBNIMBUS_TOKEN", ("JobNimbus: GET /", "answered 401", "check the credentials")),
    ],
)
def test_wrong_credentials(
    variable: str, words: tuple[str, ...], unchanged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"AUDITKIT_{variable}", "mistyped-secret")
    ran = auditkit("sync")
    assert_refused(ran, *words)
    assert "mistyped-secret" not in ran.err + ran.out
    seen = auditkit("doctor")
    assert seen.code == 2 and "answered 401" in seen.out and "mistyped-secret" not in seen.out


@pytest.mark.parametrize("variable", CREDENTIALS)
def test_partial_credentials_are_never_the_demo(
    variable: str, unchanged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(f"AUDITKIT_{variable}")
    for command in ("sync", "findings", "doctor"):
        assert_refused(auditkit(command), f"missing AUDITKIT_{variable};", "unset all of them for the demo")


@pytest.mark.slow
def test_unreachable_host(unchanged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens on port 9 of loopback. It is another account, so it needs another home."""
    monkeypatch.setenv("AUDITKIT_AIMSIO_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AUDITKIT_HOME", str(unchanged.parent / "fresh"))
    ran = auditkit("sync")
    assert_refused(ran, "Aimsio: GET /", "nothing answers at this host and port", "check the base URL")
    assert not (unchanged.parent / "fresh" / "audit.duckdb").exists()


def test_a_base_url_with_another_path(unchanged: Path, monkeypatch: pytest.MonkeyPatch, account: Account) -> None:
    monkeypatch.setenv("AUDITKIT_JOBNIMBUS_URL", f"{account.address.root}/elsewhere")
    monkeypatch.setenv("AUDITKIT_HOME", str(unchanged.parent / "fresh"))
    assert_refused(auditkit("sync"), "JobNimbus: GET /elsewhere/", "answered 404", "check AUDITKIT_JOBNIMBUS_URL")


def test_a_host_that_answers_with_a_page(unchanged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_vendor() as host:
        host.answers(Reply("<html>Please log in</html>", headers={"Content-Type": "text/html"}))
        monkeypatch.setenv("AUDITKIT_AIMSIO_URL", host.url)
        monkeypatch.setenv("AUDITKIT_HOME", str(unchanged.parent / "fresh"))
        assert_refused(auditkit("sync"), "Aimsio: GET /", "expected application/json, found 'text/html'", "base URL")
        assert len(host.seen) == 1
    assert not (unchanged.parent / "fresh" / "audit.duckdb").exists()


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TOLERENCE", "1", ("unknown setting AUDITKIT_TOLERENCE", "did you mean AUDITKIT_TOLERANCE?")),
        ("TOLERANCE", "much", ("AUDITKIT_TOLERANCE must be money", "e.g. 0.05; found 'much'")),
        ("AS_OF", "yesterday", ("AUDITKIT_AS_OF must be a day", "e.g. 2026-09-30; found 'yesterday'")),
        ("TIMEZONE", "America/Edmontn", ("AUDITKIT_TIMEZONE", "did you mean America/Edmonton?")),
        ("RATE_PER_SECOND", "0", ("AUDITKIT_RATE_PER_SECOND", "greater than 0")),
        ("RATE_PER_SECOND", "fast", ("AUDITKIT_RATE_PER_SECOND", "must be a number")),
        ("RATE_PER_SECOND", "nan", ("AUDITKIT_RATE_PER_SECOND",)),
        ("ALLOW_HOSTS", "host.example", ("allow_hosts", "lists are written as JSON")),
        ("AIMSIO_URL", "http://portal.aimsio.com", ("AUDITKIT_AIMSIO_URL", "must be https")),
        ("AIMSIO_URL", "https://evil.example", ("evil.example", "AUDITKIT_ALLOW_HOSTS")),
    ],
)
def test_an_invalid_setting(
    variable: str, value: str, words: tuple[str, ...], unchanged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"AUDITKIT_{variable}", value)
    assert_refused(auditkit("sync"), *words)
    assert_refused(auditkit("findings"), *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tolerence = 1\n", ("auditkit.toml", "unknown setting 'tolerence'", "did you mean tolerance?")),
        ("\ntolerance =\n", ("auditkit.toml:2: not TOML",)),
        ("jobnimbus_token = 'abc'\n", ("auditkit.toml", "put it in the environment", "keyring")),
        ("[rules.nrb-unbiled]\nmin_amount = 1\n", ("auditkit.toml", "nrb-unbiled")),
        ("[rules.nrb-unbilled]\nmin_amout = 1\n", ("auditkit.toml", "min_amout", "min_amount")),
        ("[rules.nrb-unbilled]\nmin_amount = 'x'\n", ("auditkit.toml", "min_amount", "expected decimal", "'x'")),
        pytest.param(
            "tolerance = 'much'\n",
            ("auditkit.toml", "tolerance"),
        ),
    ],
)
def test_an_invalid_line_in_auditkit_toml(text: str, words: tuple[str, ...], unchanged: Path) -> None:
    (unchanged.parent / "auditkit.toml").write_text(text)
    assert_refused(auditkit("audit"), *words)


RULE_FILES = {
    "no header": ("select 1\n", ":1:", "-- out:"),
    "unknown key": (RULE.replace("-- why", "-- wy"), ":7:", "unknown key 'wy'"),
    "wrong severity": (RULE.replace("low", "lowest"), ":4:", "severity must be one of high, medium, low"),
    "not portable": (RULE.replace("total as", "total / 2 as"), ":9:", "money_div"),
    "two statements": (f"{RULE}; drop table nrb", ":1:", "exactly one select"),
    "no such id": (RULE.replace("my-rule", "your-rule"), ":1:", "'your-rule'"),
}


@pytest.mark.parametrize("name", RULE_FILES)
def test_a_malformed_rule_file(name: str, unchanged: Path) -> None:
    text, *words = RULE_FILES[name]
    write_rule(unchanged, text)
    assert_refused(auditkit("audit"), str(unchanged / "rules" / "my-rule.sql"), *words)


def test_a_rule_file_that_is_not_utf8(unchanged: Path) -> None:
    write_rule(unchanged, "").write_bytes(b"\xff\xfe")
    assert_refused(auditkit("audit"), str(unchanged / "rules" / "my-rule.sql"), "UTF-8")


@pytest.mark.parametrize(
    ("found", "written"),
    [("nrb_status\n", "nrb_statuss\n"), ("'so'", "cast(guid as integer)")],
    ids=["no such table", "fails on a row"],
)
def test_a_rule_that_fails_when_run(found: str, written: str, unchanged: Path) -> None:
    write_rule(unchanged, RULE.replace(found, written))
    assert_refused(auditkit("audit"), "my-rule.sql")


def write_rule(home: Path, text: str) -> Path:
    (home / "rules").mkdir()
    path = home / "rules" / "my-rule.sql"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"aimsio,jobnimbus\nA,1\n", (":1:", "aimsio_job_number, jobnimbus_job_number")),
        (b"", (":1:", "aimsio_job_number, jobnimbus_job_number")),
        (b"aimsio_job_number,jobnimbus_job_number\nA,1\nB,\n", (":3:", "both job numbers are needed")),
        ("aimsio_job_number,jobnimbus_job_number\nA\xe9,1\n".encode("latin-1"), ("UTF-8",)),
    ],
    ids=["other columns", "empty", "half a pair", "latin-1"],
)
def test_a_malformed_job_map(content: bytes, words: tuple[str, ...], unchanged: Path) -> None:
    (unchanged / "job_map.csv").write_bytes(content)
    assert_refused(auditkit("audit"), str(unchanged / "job_map.csv"), *words)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("selec 1", "syntax error"),
        ("select * from nothing", "nothing does not exist"),
        ("select $missing", "missing"),
        ("create table t (a integer)", "read-only"),
        ("create or replace view nrb as select 1", "read-only"),
        ("insert into finding select * from finding", "read-only"),
        ("update nrb set total_after_markup = 0", "read-only"),
        ("delete from nrb", "read-only"),
        ("drop table nrb", "read-only"),
        ("select 1; drop table nrb", "expected one statement, found 2"),
        ("select 1; select 2", "expected one statement, found 2"),
        ("attach 'outside.duckdb'", "read-only"),
        ("copy (select 1) to 'outside.csv'", "read-only"),
        ("export database 'outside'", "read-only"),
        ("select * from read_csv('/etc/passwd')", "disabled by configuration"),
        ("select * from read_text('/etc/passwd')", "disabled by configuration"),
        ("select * from '/etc/passwd'", "does not exist"),
        ("install httpfs", "read-only"),
        ("load httpfs", "read-only"),
        ("set enable_external_access = true", "read-only"),
        ("set lock_configuration = false", "read-only"),
        pytest.param("", "SQL"),
    ],
)
def test_sql_that_fails_or_writes(query: str, word: str, unchanged: Path) -> None:
    assert_refused(auditkit("sql", query), "the SQL failed", word)
    assert not list(unchanged.parent.glob("outside*"))


def test_unknown_names(unchanged: Path) -> None:
    assert_refused(auditkit("findings", "--rule", "nrb-unbiled"), "'nrb-unbiled'", "did you mean nrb-unbilled?")
    assert_refused(auditkit("plan", "nrb-unexport"), "'nrb-unexport'", "did you mean nrb-unexported?")
    assert_refused(auditkit("plan", "xyzzy"), "no rule or operation is called 'xyzzy'; there are ", "nrb-unexported")
    assert_refused(auditkit("audit", "--as-of", "yesterday"), "--as-of 'yesterday' is not a date", "YYYY-MM-DD")
    assert_refused(auditkit("report", "--as-of", "2026-02-30"), "--as-of '2026-02-30'", "YYYY-MM-DD")
    assert_refused(auditkit("report", "--notebook", "02_none"), "02_none.ipynb: no such notebook")
    assert_refused(auditkit("report", "--period", "2026-13"), "a period is a month, written YYYY-MM, not '2026-13'")
    assert_refused(auditkit("report", "--period", "2031-01"), "nothing is dated in 2031-01; there is 202")
    assert_refused(auditkit("report", "--since", "99"), "there is no snapshot of sync 99")
    assert_refused(auditkit("findings", "--job", "JOB25-010"), "has no job 'JOB25-010'; did you mean JOB25-010")
    assert_refused(auditkit("workpaper", "--output", "paper.pdf"), "paper.pdf: must be an Excel file", ".xlsx")
    assert_refused(auditkit("workpaper", "--as-of", "2026-02-30"), "--as-of '2026-02-30'", "YYYY-MM-DD")
    for arguments in (("finding",), ("findings", "--fail-on", "urgent")):
        ran = auditkit(*arguments)
        assert ran.code == 2 and "Error: " in ran.err and "Traceback" not in ran.err


def test_nothing_synced_yet(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point(monkeypatch, account.address, tmp_path / "home")
    for command in ("audit", "findings", "report", "workpaper", "sql select 1", "plan nrb-unexported"):
        assert_refused(auditkit(*command.split(maxsplit=1)), "nothing has been synced yet; run `auditkit sync`")
    assert not list(tmp_path.rglob("*.duckdb"))


def test_a_home_of_another_account(unchanged: Path, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """No vendor is asked, and nothing of the other account is read."""
    ours = Settings.load().account
    monkeypatch.setenv("AUDITKIT_AIMSIO_USERNAME", "other")
    theirs = Settings.load().account
    calls = len(account.state.calls())
    for command in ("sync", "audit"):
        words = f"{unchanged} holds {ours} at http", f"{theirs} at http", "another AUDITKIT_HOME"
        assert_refused(auditkit(command), *words)
    assert len(account.state.calls()) == calls


def test_a_second_writer(unchanged: Path) -> None:
    holding = """if True:
        import sys
        from pathlib import Path
        from auditkit.warehouse.snapshots import Store
        with Store(Path(sys.argv[1])).writer():
            print("holding", flush=True)
            sys.stdin.read()
    """
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", holding, str(unchanged)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout and other.stdout.readline() == "holding\n"
        for name in ("sync", "audit"):
            assert_refused(auditkit(name), str(unchanged), f"(pid {other.pid}) is writing; try again later")
        assert auditkit("findings").code == 0
        other.communicate("")
    assert not list(unchanged.glob(".building*"))


# ── The sandbox ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_invalid_or_busy_port(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_refused(serve(state, port), f"port {port} is in use; choose another")
    assert_refused(serve(state, 99999), "port 99999: expected 0 to 65535")
    assert_refused(serve(state, -1), "port -1: expected 0 to 65535")
    assert not list(tmp_path.iterdir())


def test_a_state_file_without_a_folder(tmp_path: Path) -> None:
    nowhere = tmp_path / "no" / "where"
    assert_refused(serve(nowhere / "state.sqlite"), str(nowhere), "create the folder first")
    (tmp_path / "file").touch()
    assert_refused(serve(tmp_path / "file" / "state.sqlite"), str(tmp_path / "file"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_state_file_has_one_server(tmp_path: Path) -> None:
    """Its folder is made; a second server is refused; when the first one ends, in whatever way, the file is free."""
    state = tmp_path / "made" / "state.sqlite"
    for _ in range(2):
        with started("sandbox", "serve", "--port", "0", "--state", str(state)) as first:
            try:
                assert first.stdout and first.stdout.readline().startswith("export AUDITKIT_AIMSIO_URL=")
                assert_refused(serve(state), f"{state}: another server uses it; stop that one")
            finally:
                first.kill()


def serve(state: Path, port: int = 0) -> Ran:
    return auditkit("sandbox", "serve", "--state", str(state), "--port", str(port))


# ── Disks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def cramped(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Path]:
    """The synced home on a disk with that many kilobytes left."""
    used = sum(path.stat().st_size for path in home.rglob("*")) // 1024 + 256
    with small_disk(tmp_path / "disk", used + request.param) as disk:
        yield moved(home, disk, monkeypatch)


def moved(home: Path, disk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(home, disk / "home")
    monkeypatch.setenv("AUDITKIT_HOME", str(disk / "home"))
    return disk / "home"


@pytest.mark.parametrize("cramped", [1024], indirect=True, ids=["no room for a copy"])
def test_a_full_disk(cramped: Path) -> None:
    before = bytes_of(cramped)
    for command in ("sync", "audit"):
        assert_refused(auditkit(command), str(cramped), "No space left on device", "the previous snapshot is unchanged")
    assert bytes_of(cramped) == before
    assert auditkit("findings").code == 0


@pytest.mark.parametrize("cramped", [1024], indirect=True, ids=["no room for a copy"])
def test_a_failed_audit_frees_the_disk(cramped: Path) -> None:
    assert auditkit("audit").code == 2
    assert not list(cramped.glob(".building*"))


@pytest.mark.parametrize("cramped", [6 * 1024 + 512], indirect=True, ids=["no room for what changes"])
def test_a_disk_that_fills_up_during_a_sync(cramped: Path) -> None:
    before = bytes_of(cramped)
    assert_refused(auditkit("sync"), str(cramped), "No space left on device", "the previous snapshot is unchanged")
    assert bytes_of(cramped) == before


@pytest.mark.parametrize(
    "kilobytes",
    [
        pytest.param(4, id="no room for anything"),
        pytest.param(100, id="no room for the cache"),
        pytest.param(600, id="no room for a database"),
        pytest.param(
            3 * 1024,
            id="no room for the tables",
        ),
    ],
)
def test_a_first_sync_on_a_disk_that_is_too_small(
    kilobytes: int, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", kilobytes) as disk:
        point(monkeypatch, account.address, tmp_path / "home", HOME=str(disk / "home"))
        assert_refused(auditkit("sync"), str(disk / "home"))
        assert not list(disk.rglob("*.duckdb"))


def test_a_read_only_disk(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that read work; those that must write fail."""
    with small_disk(tmp_path / "disk", 64 * 1024) as disk:
        kept = moved(home, disk, monkeypatch)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for command in ("sync", "audit", "plan nrb-unexported"):
            assert_refused(auditkit(*command.split()), str(kept), "Read-only file system")
        assert auditkit("findings").code == auditkit("sql", "select 1").code == 0
        seen = auditkit("doctor")
        assert (seen.code, seen.err) == (2, "") and "cannot be written" in seen.out


def test_a_demo_home_that_cannot_be_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDITKIT_HOME", str(tmp_path / "file" / "home"))
    ran = auditkit("sync")
    assert_refused(ran, str(tmp_path / "file" / "home"))
    assert (
        f"DEMO DATA, as no account is set; home {tmp_path}/file/home; no auditkit.toml at or above {tmp_path}"
        in ran.out
    )


# ── The installed program ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_the_installed_program(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its own process: what a shell sees on success and on an error."""
    with started("findings", "--fail-on", "low") as program:
        out, err = program.communicate()
    assert (program.returncode, err) == (1, "") and "nrb-unexported" in out
    monkeypatch.setenv("AUDITKIT_TOLERENCE", "1")
    with started("sync") as program:
        out, err = program.communicate()
    assert_refused(Ran(program.returncode, out, err), "did you mean AUDITKIT_TOLERANCE?")
