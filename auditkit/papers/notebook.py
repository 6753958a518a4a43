"""`%load_ext auditkit`: answers as readable tables with their snapshot and SQL, charts without a network, `%%sql`.

    %%sql               %%sql open_jobs           %sql select count(*) from nrb
    select …            select …  (also kept as a DataFrame of that name)

It calls `audit.sql.ask`: one statement, read-only, money as Decimal, errors raised, noted in `audit.sql.log`. `$name`
is a variable of the notebook, and its DataFrames can be queried by name (a table of the snapshot comes first).

A DataFrame that is not an answer looks as pandas shows it.
"""

import keyword
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.io as pio
from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import no_var_expand

from auditkit.analysis.ask import Ask
from auditkit.papers.html import html_table
from auditkit.sql import read
from auditkit.values import printable
from auditkit.warehouse.answer import provenance_of
from auditkit.warehouse.tables import statement_error

__all__ = ["load_ipython_extension"]

_WORD = re.compile(r"[^\W\d]\w*")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What `%load_ext auditkit` calls: sets how answers and charts are shown, and registers `%sql` and `%%sql`."""
    pio.renderers.default = "plotly_mimetype"
    if shell.display_formatter:
        shell.display_formatter.formatters["text/html"].for_type(pd.DataFrame, _html)
        shell.display_formatter.formatters["text/plain"].for_type(pd.DataFrame, _plain)

    @no_var_expand  # a variable is a value, never a part of the SQL
    def sql(line: str, cell: str | None = None) -> pd.DataFrame | None:
        """Query the snapshot in SQL."""
        name = line.strip() if cell is not None else ""
        if name and (not name.isidentifier() or keyword.iskeyword(name)):
            raise UsageError(f"%%sql {name}: not a valid name for the result; put the SQL below the first line")
        frame = _ask_cell(shell.user_ns, line if cell is None else cell)
        if not name:
            return frame
        shell.user_ns[name] = frame
        return None

    shell.register_magic_function(sql, "line_cell", "sql")  # type: ignore[arg-type]  # IPython types it wrongly

    @context_matcher()  # type: ignore[untyped-decorator]
    def names(context: CompletionContext) -> SimpleMatcherResult:
        return {"completions": _completions(shell.user_ns, context)}

    shell.Completer.custom_matchers.append(names)


def _html(frame: pd.DataFrame) -> str | None:
    """An answer as our table; every other DataFrame as pandas shows it, without characters that a screen acts upon."""
    if provenance_of(frame):
        return html_table(frame)
    shown = frame._repr_html_()  # type: ignore[operator]  # not in the stubs
    return shown and printable(shown)


def _plain(frame: pd.DataFrame, printer: Any, cycle: bool) -> None:  # noqa: ANN401, ARG001  as IPython calls it
    """A DataFrame in a terminal, without characters that it would act upon."""
    printer.text(printable(repr(frame)))


def _ask_cell(variables: Mapping[str, Any], query: str) -> pd.DataFrame:
    ask = _ask(variables)
    with statement_error(query):
        statements = ask.snapshot.connection.extract_statements(query)
    named = {name for statement in statements for name in statement.named_parameters}
    if missing := sorted(name for name in named if name not in variables):
        raise UsageError(f"%%sql: ${missing[0]} is not a variable of this notebook")
    tables = {str(name).lower() for name in ask.snapshot.query(read("queries/table_names")).column()}
    frames = {
        word: variables[word]
        for word in dict.fromkeys(_WORD.findall(query))
        if isinstance(variables.get(word), pd.DataFrame) and word.lower() not in tables
    }
    return ask.ask(query, {name: variables[name] for name in sorted(named)}, frames)


def _ask(variables: Mapping[str, Any]) -> Ask:
    """`audit.sql` of the variable `audit`, else of the only audit in the notebook."""
    asks: dict[str, Ask] = {
        name: value.sql for name, value in variables.items() if isinstance(getattr(value, "sql", None), Ask)
    }
    if "audit" in asks:
        return asks["audit"]
    several = {id(ask): ask for name, ask in asks.items() if not name.startswith("_")}
    if len(several) != 1:
        raise UsageError("%%sql: which audit? open one first: import auditkit as ak; audit = ak.open()")
    return next(iter(several.values()))


def _completions(variables: Mapping[str, Any], context: CompletionContext) -> list[SimpleCompletion]:
    """Tables and columns that begin like the word at the cursor, only within SQL."""
    line = context.full_text.split("\n")[context.cursor_line]
    if not (context.full_text.startswith("%%sql") or line.lstrip().startswith("%sql")):
        return []
    word = re.split(r"[^\w]", line[: context.cursor_position])[-1].lower()
    try:
        ask = _ask(variables)
    except UsageError:
        return []
    names = ask.snapshot.query(read("queries/completions"), {"word": word}).column()
    return [SimpleCompletion(text=str(name), type="sql") for name in names]
