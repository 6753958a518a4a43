"""How values become text, for people and for programs."""

import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from auditkit.format import for_people, for_programs, money

CASES = [
    # value, for people, for programs
    (None, "", ""),
    (Decimal("-1234567890123456.70"), "-1,234,567,890,123,456.70", "-1234567890123456.70"),
    (Decimal("1E+3"), "1,000", "1000"),
    (Decimal("0E-2"), "0.00", "0.00"),
    (Decimal("NaN"), "NaN", "NaN"),
    (1234, "1,234", "1234"),
    (np.int64(1234), "1,234", "1234"),
    (1234.5, "1,234.5", "1234.5"),
    (float("inf"), "inf", "inf"),
    (True, "yes", "true"),
    (np.False_, "no", "false"),
    (date(2026, 9, 30), "2026-09-30", "2026-09-30"),
    (datetime(2026, 9, 30, 6, tzinfo=UTC), "2026-09-30 06:00+00:00", "2026-09-30T06:00:00+00:00"),
    (pd.Timestamp(2026, 9, 30), "2026-09-30 00:00", "2026-09-30T00:00:00"),
    (pd.NaT, "", ""),
    (time(6, 30), "06:30:00", "06:30:00"),
    (["x", Decimal("1.10"), None], '["x", "1.10", null]', '["x", "1.10", null]'),
    ({"é": [date(2026, 9, 30)]}, '{"é": ["2026-09-30"]}', '{"é": ["2026-09-30"]}'),
    ((1, True), "[1, true]", "[1, true]"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"),
    ("<b>\x1b", "<b>\x1b", "<b>\x1b"),
]


@pytest.mark.parametrize(("value", "people", "programs"), CASES)
def test_each_kind_of_value(value: object, people: str, programs: str) -> None:
    assert (for_people(value), for_programs(value)) == (people, programs)


@pytest.mark.parametrize(("amount", "text"), [("1234567.5", "1,234,567.50"), ("-0.005", "-0.00"), ("0", "0.00")])
def test_money(amount: str, text: str) -> None:
    assert money(Decimal(amount)) == text
