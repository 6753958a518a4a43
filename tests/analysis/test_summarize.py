"""Summarize against pandas.groupby."""

import pandas as pd

from auditkit.analysis.summarize import summarize
from tests.analysis.asking import ask, rows


def test_summarize_equals_groupby(snapshot, leaves):
    found = ask(snapshot, summarize(snapshot, ["vendor_code", "job_number"]))
    expected = {
        tuple(None if pd.isna(part) else part for part in key): (
            len(group),
            group["total"].dropna().sum(),
            group["total"].min(),
            group["total"].max(),
        )
        for key, group in leaves.groupby(["vendor_code", "job_number"], dropna=False)
    }
    keys = found[found["level"] == "key"]
    assert {row[1:3]: row[3:] for row in rows(keys)} == expected
    assert {(None, None), ("BIT", None), (None, "J-1")} <= set(expected)
    whole = leaves["total"]
    assert rows(found)[-1] == ("total", None, None, len(leaves), whole.dropna().sum(), whole.min(), whole.max())
    assert (keys["count"].sum(), keys["sum_total"].sum()) == (len(leaves), whole.dropna().sum())
