"""`%load_ext auditkit`: readable tables with their snapshot and SQL, charts that need no network, `%sql` and `%%sql`.

    %%sql               %%sql open_jobs           %sql select count(*) from nrb
    select …            select …  (also kept as a DataFrame of that name)

It is `audit.sql.ask`: one statement, read-only, money as Decimal, errors raised, noted in `audit.sql.log`. `$name` is
a variable of the notebook, and its DataFrames can be asked by name (a table of the snapshot comes first).
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
from auditkit.warehouse.tables import statement_error

__all__ = ["load_ipython_extension"]

_WORD = re.compile(r"[^\W\d]\w*")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What `%load_ext auditkit` calls: sets how tables and charts are shown, registers the magic."""
    pio.renderers.default = "plotly_mimetype"
    if shell.display_formatter:
        shell.display_formatter.formatters["text/html"].for_type(pd.DataFrame, html_table)
        shell.display_formatter.formatters["text/plain"].for_type(pd.DataFrame, _plain)

    @no_var_expand  # a variable is a value, never a piece of the SQL
    def sql(line: str, cell: str | None = None) -> pd.DataFrame | None:
        """Ask the snapshot in SQL."""
        name = line.strip() if cell is not None else ""
        if name and (not name.isidentifier() or keyword.iskeyword(name)):
            raise UsageError(f"%%sql {name}: is no name for the result; the SQL stands below the first line")
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


def _plain(frame: pd.DataFrame, printer: Any, cycle: bool) -> None:  # noqa: ANN401, ARG001  as IPython calls it
    """A DataFrame in a terminal, without what one would act upon."""
    printer.text(printable(repr(frame)))


def _ask_cell(variables: Mapping[str, Any], query: str) -> pd.DataFrame:
    ask = _ask(variables)
    with statement_error(query):
        statements = ask.snapshot.connection.extract_statements(query)
    named = {name for statement in statements for name in statement.named_parameters}
    if missing := sorted(name for name in named if name not in variables):
        raise UsageError(f"%%sql: ${missing[0]} is no variable of this notebook")
    tables = {str(name).lower() for name in ask.snapshot.query(read("queries/table_names")).column()}
    frames = {
        word: variables[word]
        for word in dict.fromkeys(_WORD.findall(query))
        if isinstance(variables.get(word), pd.DataFrame) and word.lower() not in tables
    }
    return ask.ask(query, {name: variables[name] for name in sorted(named)}, frames)


def _ask(variables: Mapping[str, Any]) -> Ask:
    """`audit.sql` of the variable `audit`, else of the only audit that the notebook holds."""
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
    """Tables and columns that begin as the word under the cursor does, inside of SQL alone."""
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
