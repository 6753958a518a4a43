"""Stratify against pandas.cut and a histogram."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from auditkit.analysis.stratify import stratify
from tests.analysis.asking import ask, assert_ties, literal, rows


def test_stratify_equals_cut(snapshot, leaves):
    limits = ["-100", "0", "250.50", "600"]
    parts = assert_ties(ask(snapshot, stratify(snapshot, bands=limits)), leaves)
    edges = [-np.inf, -100.0, 0.0, 250.5, np.nextafter(600.0, 700.0), np.inf]  # the last band holds its upper limit
    cut = pd.cut(leaves["total"].astype(float), edges, right=False)
    groups = leaves["total"].groupby(cut, observed=False)
    assert list(parts["count"]) == [*groups.size(), leaves["total"].isna().sum()]
    assert list(parts["total"]) == [*(group.sum() for _, group in groups), 0]
    assert list(parts["min"].dropna()) == [group.min() for _, group in groups]
    assert list(parts["max"].dropna()) == [group.max() for _, group in groups]
    percents = [round(100 * int(count) / len(leaves), 2) for count in parts["count"]]
    assert list(parts["percent_of_count"]) == pytest.approx(percents, abs=0.011)
    shares = [round(float(100 * total / leaves["total"].sum()), 2) for total in parts["total"]]
    assert list(parts["percent_of_total"]) == pytest.approx(shares, abs=0.011)


def test_equal_bands_equal_a_histogram(snapshot, leaves):
    parts = assert_ties(ask(snapshot, stratify(snapshot, bands=7)), leaves)
    bands = parts.iloc[1:-2]
    limits = [*bands["lower"].astype(float), float(bands["upper"].iloc[-1])]
    counted, _ = np.histogram(leaves["total"].dropna().astype(float), limits)
    assert list(bands["count"]) == list(counted)
    widths = {upper - lower for lower, upper in zip(bands["lower"], bands["upper"], strict=True)}
    assert max(widths) - min(widths) <= Decimal("0.02")
    assert (parts["count"].iloc[0], parts["count"].iloc[-2]) == (0, 0)  # nothing is below or above


@pytest.mark.parametrize(
    ("value", "place"),
    [("-0.01", 0), ("0.00", 1), ("9.99", 1), ("10.00", 2), ("20.00", 2), ("20.01", 3), (None, 4)],
)
def test_the_limits_of_a_band(snapshot, value, place):
    table = f"select cast({literal(value)} as decimal(18, 2)) as a"
    found = ask(snapshot, stratify(snapshot, "a", bands=[0, 10, 20], table=table))
    assert list(found["count"]) == [*(int(n == place) for n in range(5)), 1]


def test_no_records_and_very_large_sums(snapshot):
    empty = ask(snapshot, stratify(snapshot, table="select * from nrb_status where false"))
    assert rows(empty.iloc[-1:])[0][3:] == (0, None, 0, None, None, None)
    table = "select cast(9999999999999999.99 as decimal(18, 2)) as a from range(1000)"
    huge = ask(snapshot, stratify(snapshot, "a", bands=3, table=table))
    assert huge["total"].iloc[-1] == Decimal("9999999999999999990.00")
