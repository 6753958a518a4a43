"""JSON is read strictly and written exactly."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.sandbox.wire import dumps, loads, loads_stored

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text() | st.decimals(-(10**9), 10**9, places=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_written_json_is_read_again_with_the_same_digits(value):
    assert loads(dumps(value).encode()) == value
    assert dumps(loads_stored(dumps({"it": value}))) == dumps({"it": value})


@pytest.mark.parametrize(("value", "text"), [(Decimal("750.000"), "750.000"), (10000, "10000"), (True, "true")])
def test_numbers_keep_their_zeros(value, text):
    assert dumps(value) == text


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"{", b"NaN", b"[Infinity]", b"\xff", b'"\\ud800"'),
        *(b"[" * 100_000, b"1e999999999", b"0." + b"1" * 1000, b"9" * 5000),
    ],
)
def test_invalid_json_is_refused(text):
    with pytest.raises(ValueError, match=r".*"):
        loads(text)
