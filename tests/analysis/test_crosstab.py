"""Cross-tabulate against pandas.crosstab."""

from decimal import Decimal

import pandas as pd
import pytest

from auditkit.analysis.crosstab import MOST_COLUMNS, crosstab
from auditkit.errors import QuestionRefused
from tests.analysis.asking import VENDORS, ask, listed


@pytest.mark.parametrize("amount", [None, "total"])
def test_crosstab_equals_pandas_for_any_header(snapshot, leaves, amount):
    found = ask(snapshot, crosstab(snapshot, "job_number", "vendor_code", amount))
    known = sorted(vendor for vendor in VENDORS if vendor)
    headers = ["total (2)" if vendor == "total" else vendor for vendor in known]
    assert list(found.columns) == ["level", "job_number", *headers, "(none) (2)", "total"]
    filled = leaves.fillna({"job_number": "none", "vendor_code": "none"})
    values = None if amount is None else filled["total"].fillna(Decimal(0))
    aggregate = None if amount is None else "sum"
    counted = pd.crosstab(filled["job_number"], filled["vendor_code"], values, aggfunc=aggregate).reindex(
        index=["J-1", "J-2", "none"], columns=[*known, "none"]
    )
    cells = found.iloc[:-1, 2:-1]
    assert cells.to_numpy().tolist() == counted.to_numpy().tolist()
    assert found.iloc[:-1, -1].tolist() == counted.sum(axis=1).tolist()
    assert found.iloc[-1, 2:].tolist() == [*counted.sum(), counted.to_numpy().sum()]


def test_at_most_200_columns(snapshot):
    most = MOST_COLUMNS
    table = "select n, n % 2 as odd from range({}) as t(n)"
    found = ask(snapshot, crosstab(snapshot, "odd", "n", table=table.format(most)))
    assert found.shape == (3, most + 3)
    with pytest.raises(QuestionRefused, match="n has more than 200 values"):
        crosstab(snapshot, "odd", "n", table=table.format(most + 1))


def test_empty_headers_and_headers_that_differ_in_case(snapshot):
    table = listed((1, ""), (1, "a"), (1, "A"), (1, None), columns="k, h")
    found = ask(snapshot, crosstab(snapshot, "k", "h", table=table))
    assert list(found.columns) == ["level", "k", "(empty)", "A", "a", "(none)", "total"]
