"""`%load_ext auditkit`: readable tables with their snapshot and SQL, charts that need no network, `%sql` and `%%sql`.

    %%sql               %%sql open_jobs           %sql select count(*) from nrb
    select …            select …  (also kept as a DataFrame of that name)

It is `audit.ask`: one statement, read-only, money as Decimal, errors raised, noted in `audit.sql_log`. `$name` stands
for a variable of the notebook, and its DataFrames can be asked by name (a table of the snapshot comes first).
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

from auditkit.inquiry import Inquiry
from auditkit.reports.tables import html_table
from auditkit.store.tables import statement_error
from auditkit.values import printable

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
        frame = _asked(shell.user_ns, line if cell is None else cell)
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


def _asked(variables: Mapping[str, Any], query: str) -> pd.DataFrame:
    audit = _audit(variables)
    with statement_error(query):
        statements = audit.snapshot.connection.extract_statements(query)
    named = {name for statement in statements for name in statement.named_parameters}
    if missing := sorted(name for name in named if name not in variables):
        raise UsageError(f"%%sql: ${missing[0]} is no variable of this notebook")
    tables = {str(name).lower() for name in audit.snapshot.query("select table_name from duckdb_tables()").column()}
    frames = {
        word: variables[word]
        for word in dict.fromkeys(_WORD.findall(query))
        if isinstance(variables.get(word), pd.DataFrame) and word.lower() not in tables
    }
    return audit.ask(query, {name: variables[name] for name in sorted(named)}, frames)


def _audit(variables: Mapping[str, Any]) -> Inquiry:
    """The variable `audit`, else the only audit that the notebook holds."""
    audit = variables.get("audit")
    if isinstance(audit, Inquiry):
        return audit
    audits = {id(value): value for name, value in variables.items() if isinstance(value, Inquiry) and name[0] != "_"}
    if len(audits) != 1:
        raise UsageError("%%sql: which audit? open one first: import auditkit as ak; audit = ak.open()")
    return next(iter(audits.values()))


def _completions(variables: Mapping[str, Any], context: CompletionContext) -> list[SimpleCompletion]:
    """Tables and columns that begin as the word under the cursor does, inside of SQL alone."""
    line = context.full_text.split("\n")[context.cursor_line]
    if not (context.full_text.startswith("%%sql") or line.lstrip().startswith("%sql")):
        return []
    word = re.split(r"[^\w]", line[: context.cursor_position])[-1].lower()
    try:
        audit = _audit(variables)
    except UsageError:
        return []
    names = audit.snapshot.query(_NAMES, {"word": word}).column()
    return [SimpleCompletion(text=str(name), type="sql") for name in names]


_NAMES = """
select distinct name from (
    select table_name as name from duckdb_tables() where database_name = 'audit'
    union all
    select column_name from duckdb_columns() where database_name = 'audit' and not internal
) where starts_with(lower(name), $word) order by name
"""
