"""What the tests of analyses share: a question asked of a snapshot, its rows, and a SELECT of some records."""

from datetime import date
from decimal import Decimal

VENDORS = ["BIT", "bit", "O'Neil", 'say "hi"', 'x"; drop table nrb; --', "total", "$column_0", "(none)", None]
JOBS = ["J-1", "J-2", None]


def ask(snapshot, question):
    return snapshot.query(question.sql, dict(question.values)).frame()


def rows(frame):
    return [tuple(row) for row in frame.astype(object).to_numpy()]


def listed(*records, columns):
    """A SELECT of these records, as a person would write it."""
    text = ", ".join("(" + ", ".join(map(literal, record)) + ")" for record in records)
    return f"select * from (values {text}) as t({columns})"


def literal(value):
    if isinstance(value, date):
        return f"date '{value}'"
    return "null" if value is None else str(value) if isinstance(value, (int, Decimal)) else f"'{value}'"


def assert_ties(frame, whole, label="band"):
    """Assert that the rows above the total sum to it, and that it is the total of the table; these rows."""
    parts, total = frame.iloc[:-1], frame.iloc[-1]
    assert total[label] == "total"
    assert (parts["count"].sum(), parts["total"].sum()) == (total["count"], total["total"])
    assert (total["count"], total["total"]) == (len(whole), whole["total"].dropna().sum())
    assert all(isinstance(value, Decimal) for value in frame["total"])
    return parts
