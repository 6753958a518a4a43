"""Age against pandas.cut."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from auditkit.aging_bands import BANDS
from auditkit.analysis.age import age
from tests.analysis.asking import ask, assert_ties, listed
from tests.world import AS_OF


def test_age_equals_cut(snapshot, leaves):
    parts = assert_ties(ask(snapshot, age(snapshot, buckets=(30, 60, 90))), leaves)
    days = leaves["accounting_date"].map(lambda day: None if pd.isna(day) else (AS_OF - day).days).astype(float)
    cut = pd.cut(days, [-np.inf, -1, 30, 60, 90, np.inf])
    groups = leaves["total"].groupby(cut, observed=False)
    assert list(parts["band"]) == ["future", "0-30", "31-60", "61-90", "over 90", "no date"]
    assert list(parts["count"]) == [*groups.size(), days.isna().sum()]
    assert list(parts["total"]) == [*(group.sum() for _, group in groups), leaves["total"][days.isna()].sum()]
    assert parts["count"].min() > 0


@pytest.mark.parametrize(("days", "band"), [(-1, "future"), (0, "0-30"), (30, "0-30"), (31, "31-60"), (61, "over 60")])
def test_the_limits_of_a_bucket(snapshot, days, band):
    table = listed((AS_OF - timedelta(days=days), 1), columns="d, a")
    for as_of in (None, AS_OF, str(AS_OF)):
        found = ask(snapshot, age(snapshot, "d", "a", as_of=as_of, buckets=(30, 60), table=table))
        assert list(found["band"][found["count"] == 1]) == [band, "total"]


def test_the_default_bands(snapshot):
    assert tuple(ask(snapshot, age(snapshot))["band"]) == (*BANDS, "total")
