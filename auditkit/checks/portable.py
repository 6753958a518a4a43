"""The subset of SQL that means the same on every engine, and what to write instead of the rest.

A rule runs on DuckDB here and on any Spark Connect server beyond. Most SQL agrees; some fails there, and some gives
another answer *without an error* (a division of money is a DOUBLE here, rounded there, cut elsewhere). So the syntax
tree of every rule and step is held against an allow-list when it is loaded, whichever engine is used.

Not here: reading files (`rules.py`) and running them.
"""

import re
from collections.abc import Iterator

import sqlglot
from sqlglot import exp

__all__ = ["MACROS", "TYPES", "parse", "refusals", "tokens"]

# Declared type of a column or parameter → SQL type. Money that is computed is wider than money that was sent, so that
# no sum or difference of accepted amounts is too large for it.
TYPES = {
    "text": "varchar",
    "int": "bigint",
    "money": "decimal(38, 2)",
    "qty": "decimal(24, 6)",
    "decimal": "decimal(24, 6)",
    "ratio": "double",
    "date": "date",
    "ts": "timestamptz",
    "flag": "boolean",
}

# Macros of the snapshot (store/macros.sql) that rules may use; the only places where money is divided or rounded.
MACROS = frozenset(
    {
        "age_band",
        "days_between",
        "document_family",
        "document_number",
        "is_retention",
        "key_form",
        "key_without_prefix",
        "key_without_zeros",
        "folded",
        "line_amount",
        "lookalike_key",
        "median_money",
        "money_div",
        "normal_key",
        "one_edit_apart",
        "visible_text",
        "ratio",
        "reference_key",
        "round_to",
        "roundness",
        "share_floor",
        "share_rest",
        "total_after_markup",
        "usable_key",
        "usable_reference",
        "whole_cents",
        "zero_free_key",
    }
)

_ORDERED = (
    exp.DenseRank,
    exp.FirstValue,
    exp.Lag,
    exp.LastValue,
    exp.Lead,
    exp.Ntile,
    exp.Rank,
    exp.RowNumber,
)
_DOUBLE_MACROS = frozenset({"ratio", "round_to", "median_money"})

_FUNCTION_NAMES = """
    ABS AND ARG_MAX ARG_MIN CASE CAST CEIL COALESCE CONCAT CONTAINS COUNT COUNT_IF DATE_FROM_PARTS DATE_TRUNC
    DAY DENSE_RANK EXISTS EXP FIRST_VALUE FLOOR GREATEST GROUP_CONCAT IF JSON_EXTRACT_SCALAR LAG LAST_DAY
    LAST_VALUE LEAD LEAST LEFT LENGTH LN LOGICAL_AND LOGICAL_OR LOWER MAX MD5 MEDIAN MIN MONTH NOT NTILE
    NULLIF OR PAD POWER QUARTER RANK REGEXP_LIKE REGEXP_REPLACE REPLACE RIGHT ROUND ROW_NUMBER SIGN SPLIT_PART
    SQRT STARTS_WITH STDDEV STDDEV_SAMP STRPOS STR_POSITION SUBSTRING SUM TIMESTAMP_TRUNC TRIM UPPER XOR YEAR
"""
_FUNCTIONS = frozenset(_FUNCTION_NAMES.split())

_INSTEAD: dict[type[exp.Expr], str] = {
    exp.Div: "division differs between engines: use ratio(a, b) or money_div(amount, n)",
    exp.IntDiv: "division differs between engines: use money_div(amount, n)",
    exp.Avg: "avg of money differs between engines: use money_div(sum(x), count(*))",
    exp.DateDiff: "date_diff differs between engines: use days_between(a, b)",
    exp.Pivot: "pivot is not portable: use sum(case when … end)",
    exp.Qualify: "qualify is not portable: filter in an outer select",
    exp.Lateral: "lateral is not portable: join on a condition",
    exp.Unnest: "unnest is not portable",
    exp.TableSample: "a sample is not repeatable",
    exp.Slice: "list slices are not portable",
    exp.Limit: "limit keeps whichever rows come first: filter on row_number() over (… order by …)",
    exp.Fetch: "fetch first keeps whichever rows come first: filter on row_number() over (… order by …)",
    exp.Offset: "offset drops whichever rows come first: filter on row_number() over (… order by …)",
}


def tokens(text: str) -> list[sqlglot.Token]:
    """The words and signs of a query, each with its place in the text; comments are not among them."""
    return sqlglot.tokenize(text, read="duckdb")


def parse(text: str) -> exp.Query:
    """The syntax tree of exactly one SELECT (with CTEs). Raises `ValueError` with line and cause in one line."""
    try:
        trees = sqlglot.parse(text, read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        details = getattr(error, "errors", None) or [{}]
        line = details[0].get("line") or 1
        cause = details[0].get("description") or str(error).splitlines()[0]
        raise ValueError(f"{line}: the SQL cannot be read ({cause})") from None
    trees = [tree for tree in trees if tree is not None]
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise ValueError("1: expected exactly one select")
    return trees[0]


def refusals(tree: exp.Query, text: str) -> Iterator[tuple[int, str]]:
    """(line in the text, what to write instead) for everything outside the subset; nothing for a portable query."""
    for node in tree.walk():
        reason = _refusal(node)
        if reason:
            yield _line(node, text), reason


def _refusal(node: exp.Expr) -> str | None:
    for kind, reason in _INSTEAD.items():
        if isinstance(node, kind):
            return reason
    if order := _order_refusal(node):
        return order
    if isinstance(node, exp.Func):
        return _function_refusal(node)
    if isinstance(node, exp.Identifier) and (node.args.get("quoted") or node.name != node.name.lower()):
        return f"name {node.name!r}: write names in lower case, without quotes"
    if isinstance(node, exp.Distinct) and node.args.get("on"):
        return "distinct on is not portable: use row_number()"
    if isinstance(node, exp.Group) and node.args.get("all"):
        return "group by all is not portable: name the columns"
    if isinstance(node, exp.Star) and (node.args.get("except_") or node.args.get("except") or node.args.get("replace")):
        return "* exclude / replace is not portable: name the columns"
    if isinstance(node, exp.With) and node.args.get("recursive"):
        return "with recursive is not portable"
    if isinstance(node, exp.Join) and (node.args.get("method") or node.args.get("kind") in ("SEMI", "ANTI")):
        return "asof, positional, semi and anti joins are not portable: use (not) exists"
    if isinstance(node, exp.WindowSpec) and str(node.args.get("kind")).upper() == "RANGE" and node.find(exp.Interval):
        return "a range frame over an interval differs between engines: join on the dates"
    if isinstance(node, exp.Select):
        return _alias_refusal(node)
    return None


def _order_refusal(node: exp.Expr) -> str | None:
    """What depends on the order of rows without saying which: each engine has its own, and no run must repeat it."""
    if isinstance(node, exp.Ordered) and isinstance(node.this, exp.Var):
        return "order by all is not portable: name the columns"
    if isinstance(node, exp.Window) and not node.args.get("order") and _needs_order(node):
        return "a window without an order is not repeatable: write order by, with a full tie-break, inside over (…)"
    if isinstance(node, exp.GroupConcat) and not isinstance(node.this, exp.Order):
        return "string_agg joins in any order: write string_agg(x, ', ' order by x)"
    return None


def _function_refusal(node: exp.Func) -> str | None:
    if isinstance(node, exp.Anonymous):
        return None if node.name.lower() in MACROS else f"function {node.name.lower()} is not in the portable subset"
    if node.sql_name().upper() not in _FUNCTIONS:
        return f"function {node.sql_name().lower()} is not in the portable subset"
    if isinstance(node, exp.Round) and _holds_a_double(node.this):
        return "round of a double differs between engines: use round_to(x, 100)"
    if isinstance(node, exp.Cast):
        return _cast_refusal(node)
    if isinstance(node, exp.RegexpReplace) and "'g'" not in node.sql("duckdb"):
        return "regexp_replace replaces once here and everywhere there: give the flag 'g'"
    return None


def _cast_refusal(node: exp.Cast) -> str | None:
    if node.to.is_type(exp.DType.DECIMAL) and _holds_a_double(node.this):
        return "a double rounds in its own way when cast to decimal: use money_div(amount, n)"
    is_fraction = isinstance(node.this, exp.Literal) and not node.this.is_int
    if node.to.is_type(*exp.DataType.INTEGER_TYPES) and (is_fraction or _holds_a_double(node.this)):
        return "a fraction is rounded here and cut there when cast to a whole number: use floor(x) first"
    return None


def _needs_order(window: exp.Window) -> bool:
    function = window.this
    while isinstance(function, (exp.IgnoreNulls, exp.RespectNulls)):
        function = function.this
    return isinstance(function, _ORDERED) or window.args.get("spec") is not None


def _holds_a_double(node: exp.Expr) -> bool:
    """Whether a value is a DOUBLE as far as its own text shows: a cast to one, or a macro that gives one."""
    found = (part for part in node.walk() if not isinstance(part.find_ancestor(exp.Subquery), exp.Subquery))
    return any(
        (isinstance(part, exp.Cast) and part.is_type("double", "float"))
        or (isinstance(part, exp.Anonymous) and part.name.lower() in _DOUBLE_MACROS)
        for part in found
    )


def _alias_refusal(select: exp.Select) -> str | None:
    """An alias used inside its own select list means the column here and the alias there."""
    aliases = {item.alias for item in select.expressions if isinstance(item, exp.Alias)}
    sources = {name for query in select.find_all(exp.Query) if query is not select for name in query.named_selects}
    sources |= {name for cte in select.root().find_all(exp.CTE) for name in cte.this.named_selects}
    for item in select.expressions:
        for column in item.find_all(exp.Column):
            name = column.name
            own = isinstance(item, exp.Alias) and item.alias == name
            if not column.table and name in aliases - sources and not own and column.parent_select is select:
                return f"{name!r} is an alias of the same select list: compute it in a CTE"
    return None


def _line(node: exp.Expr, text: str) -> int:
    for part in node.walk():
        line = part.meta.get("line")
        if line:
            return int(line)
    if isinstance(node, exp.Func) and (place := re.search(rf"^[^-\n]*\b{node.sql_name()}\b", text, re.I | re.M)):
        return text.count("\n", 0, place.end()) + 1
    return _line(node.parent, text) if node.parent else 1
