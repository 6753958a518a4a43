"""`%load_ext auditkit` in a real IPython: SQL on the audit of the notebook, and tables as HTML."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pandas as pd
import plotly.io as pio
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import auditkit as ak
from auditkit.sandbox.dataset import build
from tests.commands import Account, account_of


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account_of(build(seed=16, nrbs=60, faults={"nrb-unbilled": 2}), tmp_path_factory.mktemp("account")) as synced:
        yield synced


@pytest.fixture
def shell(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    account.home(monkeypatch, tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setattr(pio.renderers, "default", pio.renderers.default)
    made = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    made.run_line_magic("load_ext", "auditkit")
    with ak.open() as audit:
        made.user_ns["audit"] = audit
        yield made


def ask(shell: InteractiveShell, cell: str) -> pd.DataFrame:
    ran = shell.run_cell(cell)
    ran.raise_error()
    return ran.result


def error(shell: InteractiveShell, cell: str) -> str:
    ran = shell.run_cell(cell, silent=True)
    assert ran.error_in_exec is not None, "a failed question must stop the notebook"
    return f"{type(ran.error_in_exec).__name__}: {ran.error_in_exec}"


def test_a_cell_and_a_line(shell: InteractiveShell) -> None:
    frame = ask(shell, "%%sql\nselect sum(total) as total\nfrom nrb_status")
    assert isinstance(frame["total"][0], Decimal) and frame.attrs["snapshot"] == shell.user_ns["audit"].snapshot_id
    assert ask(shell, "%sql select sum(total) as total from nrb_status").equals(frame)
    assert list(shell.user_ns["audit"].sql.log["rows"]) == [1, 1]


def test_the_answer_is_kept_under_a_name(shell: InteractiveShell) -> None:
    assert ask(shell, "%%sql months\nselect 1 as x") is None
    assert list(shell.user_ns["months"]["x"]) == [1]


def test_variables_are_values_and_never_sql(shell: InteractiveShell) -> None:
    shell.user_ns["job"] = "x' or '1' = '1"
    assert ask(shell, "%sql select count(*) as n from nrb_status where job_number = $job")["n"][0] == 0
    assert ask(shell, "%%sql\nselect count(*) as n from nrb_status where job_number = $job")["n"][0] == 0


def test_frames_of_the_notebook_by_name(shell: InteractiveShell) -> None:
    shell.user_ns["mine"] = pd.DataFrame({"x": [Decimal("1.10"), None]}, dtype=object)
    shell.user_ns["nrb"] = pd.DataFrame({"x": [1]})  # a table of the snapshot comes first
    assert ask(shell, "%sql select sum(x) as x from mine")["x"][0] == Decimal("1.10")
    assert ask(shell, "%sql select count(*) as n from nrb join mine on true")["n"][0] == 120


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%%sql\nselect nothing", "QueryFailed: the SQL failed: "),
        ("%%sql\nselect 1; select 2", "QueryFailed: the SQL failed: expected one statement, found 2"),
        ("%%sql\ndrop table nrb", "read-only"),
        ("%%sql\ncopy nrb to '/tmp/x.csv'", "not COPY"),
        ("%%sql 1x\nselect 1", "UsageError: %%sql 1x: not a valid name for the result"),
        ("%%sql class\nselect 1", "UsageError: %%sql class: not a valid name for the result"),
        ("%sql select $nobody", "UsageError: %%sql: $nobody is not a variable of this notebook"),
        ("%sql", "QueryFailed: the SQL failed: there is no statement in it"),
        ("%%sql\n-- nothing but a comment", "QueryFailed: the SQL failed: there is no statement in it"),
        ("%%sql\ncommit", "QueryFailed: the SQL failed: "),
    ],
)
def test_an_error_stops_the_notebook(shell: InteractiveShell, cell: str, words: str) -> None:
    assert words in error(shell, cell)


def test_without_an_audit_and_with_another_name(shell: InteractiveShell) -> None:
    shell.user_ns["mine"] = shell.user_ns.pop("audit")
    assert list(ask(shell, "%sql select 1 as x")["x"]) == [1]
    del shell.user_ns["mine"]
    assert error(shell, "%sql select 1").startswith("UsageError: %%sql: which audit? open one first")


def test_the_tab_key_completes_tables_and_columns(shell: InteractiveShell) -> None:
    def offered(cell: str) -> list[str]:
        with provisionalcompleter():
            return [each.text for each in shell.Completer.completions(cell, len(cell))]

    assert "nrb_status" in offered("%%sql\nselect * from nrb_s")
    assert "accounting_date" in offered("%sql select acc")
    assert "accounting_date" not in offered("acc")
    assert "nrb" not in offered("") and "nrb" in offered("%%sql\n")
    del shell.user_ns["audit"]
    assert "nrb_status" not in offered("%%sql\nselect * from nrb_s")


def test_hostile_text_is_inert_in_a_terminal(shell: InteractiveShell) -> None:
    frame = pd.DataFrame({"notes": ["\x1b]0;owned\x07\u202ex"]}, dtype=object)
    shown, _ = shell.display_formatter.format(frame)
    assert "owned" in shown["text/plain"] and all(each.isprintable() or each == "\n" for each in shown["text/plain"])


def test_an_answer_shows_its_sql(shell: InteractiveShell) -> None:
    frame = ask(shell, "%sql select 1234.50::decimal(18, 2) as total")
    shown, _ = shell.display_formatter.format(frame)
    assert "<td>1,234.50</td>" in shown["text/html"] and "<summary>SQL</summary>" in shown["text/html"]
    assert pio.renderers.default == "plotly_mimetype"


DERIVED = {
    "groupby": lambda f: f.groupby("job").sum(),
    "to_frame": lambda f: f.groupby("job")["total"].sum().to_frame(),
    "pivot_table": lambda f: f.pivot_table(index="job", values="total", aggfunc="count"),
    "describe": lambda f: f.describe(),
    "value_counts": lambda f: f["job"].value_counts().to_frame(),
    "columns": lambda f: f[["total"]],
    "sorted": lambda f: f.sort_values("total"),
    "changed": lambda f: (f.insert(0, "z", 1), f)[1],
    "of a notebook": lambda f: pd.DataFrame({"a": [1]}, index=pd.Index(["x"], name="label")),
}


@pytest.mark.parametrize("name", DERIVED)
def test_every_other_frame_looks_as_pandas_shows_it(shell: InteractiveShell, name: str) -> None:
    """With its labels, and without the SQL and the snapshot of the answer it was made from."""
    given = ask(shell, "%sql select 'J-1' as job, 1234.50::decimal(18, 2) as total union all select 'J-2', 1.00")
    frame = DERIVED[name](given)
    shown, _ = shell.display_formatter.format(frame)
    assert shown["text/html"] == frame._repr_html_() and "SQL" not in shown["text/html"]
    assert shown["text/plain"] == repr(frame)


def test_hostile_text_in_any_frame(shell: InteractiveShell) -> None:
    shown, _ = shell.display_formatter.format(pd.DataFrame({"<b>": ["<script>\u202e\x1b"]}, dtype=object))
    assert "&lt;script&gt;" in shown["text/html"] and "<script" not in shown["text/html"]
    assert "\u202e" not in shown["text/html"] and "\x1b" not in shown["text/html"]
