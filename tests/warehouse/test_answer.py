"""An answer's provenance: what pandas makes of it has none, and neither has an answer that was changed in place."""

import copy
import pickle
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from auditkit.warehouse.answer import Answer, provenance_of, sql_of


def answer() -> Answer:
    rows = [(1, Decimal("1.10"), "x"), (2, Decimal("2.20"), "y"), (2, None, "y")]
    return Answer(rows, ["n", "m", "t"], sql="select 1", values={"a": None}, snapshot="849ac7")


def test_an_answer_is_a_dataframe_with_its_sql_and_snapshot() -> None:
    given = answer()
    assert isinstance(given, pd.DataFrame) and given.dtypes.eq(object).all() and given["m"][0] == Decimal("1.10")
    assert provenance_of(given) == given.attrs == {"sql": "select 1", "values": {"a": None}, "snapshot": "849ac7"}
    assert sql_of(given) == "select 1\n-- $a = NULL"
    assert provenance_of(Answer([], ["a"], sql="s")) and provenance_of(Answer([], [], sql="s"))
    given.sum(numeric_only=True), given.groupby("t"), given.sort_values("n"), given.to_html(), repr(given)
    assert provenance_of(given), "looking at it changes nothing"


DERIVED: dict[str, Callable[[Any], pd.DataFrame]] = {
    "columns": lambda f: f[["n"]],
    "all columns": lambda f: f[["n", "m", "t"]],
    "mask": lambda f: f[f["n"] > 1],
    "all rows": lambda f: f.loc[:],
    "head": lambda f: f.head(3),
    "iloc": lambda f: f.iloc[::-1],
    "query": lambda f: f.query("n > 1"),
    "filter": lambda f: f.filter(like="n"),
    "drop": lambda f: f.drop(columns="t"),
    "drop_duplicates": lambda f: f.drop_duplicates(),
    "dropna": lambda f: f.dropna(),
    "copy": lambda f: f.copy(),
    "shallow copy": lambda f: f.copy(deep=False),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda f: pickle.loads(pickle.dumps(f)),
    "DataFrame": pd.DataFrame,
    "assign": lambda f: f.assign(n=1),
    "eval": lambda f: f.eval("k = n"),
    "astype": lambda f: f.astype(object),
    "fillna": lambda f: f.fillna(0),
    "map": lambda f: f.map(str),
    "apply": lambda f: f.apply(lambda column: column),
    "transform": lambda f: f.transform(lambda column: column),
    "where": lambda f: f.where(f.notna()),
    "replace": lambda f: f.replace("x", "z"),
    "convert_dtypes": lambda f: f.convert_dtypes(),
    "sort_values": lambda f: f.sort_values("n", ascending=False),
    "rename": lambda f: f.rename(columns={"n": "k"}),
    "set_index": lambda f: f.set_index("t"),
    "reset_index": lambda f: f.reset_index(drop=True),
    "set_axis": lambda f: f.set_axis([5, 6, 7], axis=0),
    "reindex": lambda f: f.reindex([0, 1, 2]),
    "groupby": lambda f: f.groupby("t").sum(),
    "groupby to_frame": lambda f: f.groupby("t")["n"].sum().to_frame(),
    "one group": lambda f: next(iter(f.groupby("t")))[1],
    "agg": lambda f: f.agg({"n": ["sum"]}),
    "pivot_table": lambda f: f.pivot_table(index="t", values="n", aggfunc="count"),
    "crosstab": lambda f: pd.crosstab(f["t"], f["n"]),
    "describe": lambda f: f.describe(),
    "value_counts": lambda f: f["t"].value_counts().to_frame(),
    "a row": lambda f: f.iloc[0].to_frame("value"),
    "a column": lambda f: f["t"].to_frame(),
    "transposed": lambda f: f.T,
    "melt": lambda f: f.melt(),
    "stack": lambda f: f.stack().to_frame(),
    "explode": lambda f: f.explode("t"),
    "product": lambda f: f[["n"]] * 2,
    "shift": lambda f: f.shift(),
    "cumsum": lambda f: f[["n"]].cumsum(),
    "concat": lambda f: pd.concat([f]),
    "concat twice": lambda f: pd.concat([f, f]),
    "merge": lambda f: f.merge(f, on="n"),
    "combine_first": lambda f: f.combine_first(f),
    "records": lambda f: pd.DataFrame.from_records(f.to_records()),
}


@pytest.mark.parametrize("name", DERIVED)
def test_what_pandas_derives_has_no_provenance(name: str) -> None:
    given = answer()
    derived = DERIVED[name](given)
    assert type(derived) is pd.DataFrame and derived.attrs == {}
    assert provenance_of(derived) == {} and sql_of(derived) == "" and provenance_of(given)


CHANGES: dict[str, Callable[[Any], object]] = {
    "a column": lambda f: f.__setitem__("n", 0),
    "a new column": lambda f: f.__setitem__("z", 0),
    "an attribute": lambda f: setattr(f, "n", [5, 5, 5]),
    "loc": lambda f: f.loc.__setitem__((0, "n"), 9),
    "iat": lambda f: f.iat.__setitem__((0, 0), 9),
    "at": lambda f: f.at.__setitem__((1, "m"), Decimal("5")),
    "insert": lambda f: f.insert(0, "q", 1),
    "pop": lambda f: f.pop("n"),
    "del": lambda f: f.__delitem__("n"),
    "drop": lambda f: f.drop(0, inplace=True),
    "sort_values": lambda f: f.sort_values("t", ascending=False, inplace=True, ignore_index=True),
    "fillna": lambda f: f.fillna(0, inplace=True),
    "replace": lambda f: f.replace({"x": "z"}, inplace=True),
    "where": lambda f: f.where(f["n"] > 1, inplace=True),
    "update": lambda f: f.update(pd.DataFrame({"n": [7, 8, 9]})),
    "rename": lambda f: f.rename(columns={"n": "k"}, inplace=True),
    "columns": lambda f: setattr(f, "columns", list("abc")),
    "index": lambda f: setattr(f, "index", [3, 4, 5]),
    "set_index": lambda f: f.set_index("n", inplace=True),
}


@pytest.mark.filterwarnings("ignore:.*inplace keyword:Warning")
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_in_place_loses_the_provenance(name: str) -> None:
    given = answer()
    CHANGES[name](given)
    assert provenance_of(given) == {} and sql_of(given) == ""
