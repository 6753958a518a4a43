"""When a field is the same, when it is as planned, and which fields changed though nobody asked."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.corrections.diff import COMPUTED_FROM, covers, matches, same, unplanned_changes

SAMPLE_POSTED, SAMPLE_READ_BACK = 1_743_528_967_000, 1_743_503_400_000  # the vendor's own: 17:36:07 became 10:30:00


@pytest.mark.parametrize(
    ("field", "one", "other", "expected"),
    [
        ("nrbRate", "750.000", 750, True),
        ("nrbRate", "750.000", Decimal("750.0"), True),
        ("nrbRate", "750.000", "750.001", False),
        ("nrbRate", "1,000.00", "1,000.00", True),
        ("nrbRate", "1,000.00", "1000.00", False),
        ("nrbRate", None, "0", False),
        ("nrbRate", True, 1, False),
        ("nrbInvoiceDate", SAMPLE_POSTED, SAMPLE_READ_BACK, True),
        ("nrbInvoiceDate", SAMPLE_POSTED, SAMPLE_POSTED + 86_400_000, False),
        ("nrbInvoiceDate", 17, 17, True),
        ("nrbInvoiceDate", 17, 18, False),
        ("nrbUpdatedBy", SAMPLE_POSTED, SAMPLE_READ_BACK, False),
        ("nrbIsExported", True, True, True),
        ("nrbIsExported", True, 1, False),
        ("nrbIsExported", False, None, False),
        ("nrbNotes", "a", "a ", False),
        ("nrbNotes", "", None, False),
        ("nrbNotes", "1", 1, False),
        ("nrbNotes", None, None, True),
        ("somethingNew", Decimal("1.0"), ["number", "1.00"], False),
        ("nrbLineItems", [{"a": 1, "b": 2}], [{"b": 2, "a": 1}], True),
        ("subtotal", Decimal("1725.00"), 1725, True),
        ("total", "1811.25", Decimal("1811.25"), True),
        ("due", 0, None, False),
        ("number", "1001", "01001", False),
        ("number", "1001", 1001, False),
        ("external_id", "QB-1", "qb-1", False),
        ("date_due", 1_750_000_000, 1_750_000_001, False),
        ("is_active", True, True, True),
        ("is_active", False, 0, False),
    ],
)
def test_when_two_values_are_the_same(field, one, other, expected):
    assert same(field, one, other) is expected
    assert same(field, other, one) is expected


@pytest.mark.parametrize(
    ("changed", "now", "expected"),
    [
        ({"nrbIsExported"}, {"nrbIsExported": True, "nrbUpdatedAt": 2}, ()),
        ({"nrbIsExported"}, {"nrbTotalAfterMarkup": "1.00"}, ("nrbTotalAfterMarkup",)),
        ({"nrbRate"}, {"nrbRate": "2", "nrbTotalAfterMarkup": "2.00"}, ()),
        ({"nrbVendorCode"}, {"nrbVendorGuid": "new"}, ()),
        ({"nrbRate"}, {"nrbVendorGuid": "new", "added": 1}, ("added", "nrbVendorGuid")),
        ({"nrbIsExported"}, {"nrbNotes": None, "nrbName": None}, ("nrbNotes",)),
        ({"items"}, {"subtotal": 5, "tax": 1, "total": 6, "due": 6, "cost": 2, "margin": 60}, ()),
        ({"items"}, {"total_paid": 1, "status": 2}, ("status", "total_paid")),
        ({"note"}, {"subtotal": 5, "date_updated": 9}, ("subtotal",)),
        ({"is_active"}, {"items": []}, ("items",)),
        (set(), {"nrbTotalAfterMarkup": "862.500"}, ()),
    ],
)
def test_which_unplanned_changes_count(changed, now, expected):
    before = {"nrbUpdatedAt": 1, "nrbTotalAfterMarkup": "862.50", "nrbVendorGuid": "old", "nrbNotes": "text"}
    assert unplanned_changes(before, {**before, **now}, changed) == expected


def test_a_missing_field_is_an_unplanned_change():
    assert unplanned_changes({"nrbNotes": "text", "nrbName": None}, {}, ()) == ("nrbNotes",)


# As planned: the server may add fields


@pytest.mark.parametrize(
    ("planned", "found", "expected"),
    [
        ([{"name": "a"}], [{"name": "a", "jnid": "1", "uom": "Items"}], True),
        ([{"name": "a"}], [{"name": "b"}], False),
        ([{"name": "a"}], [{}], False),
        ([{"name": "a"}], [], False),
        ([{"name": "a"}], [{"name": "a"}, {"name": "b"}], False),
        ([{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}], False),
        ([{"price": "20.10"}], [{"price": Decimal("20.1")}], True),
        ([{"price": "20.10"}], [{"price": Decimal("20.11")}], False),
        ([{"price": "20.10"}], [{"price": None}], False),
        ([{"price": 0}], [{}], True),
        ([{"price": "0.00"}], [{"price": None}], True),
        ([{"price": None}], [{"price": 5}], False),
        ([{"name": ""}], [{"name": None}], True),
        ([{"name": "0"}], [{"name": None}], False),
        ([{"color": None}], [{"color": False}], True),
        ([{"addMarkup": False}], [{"addMarkup": False}], True),
        ([{"addMarkup": False}], [{}], False),
        ([{"addMarkup": False}], [{"addMarkup": True}], False),
        ([{"labor": {"price": 0, "amount": 0}}], [{"labor": None}], True),
        ([{"labor": {"price": 0, "amount": 0}}], [{"labor": {"price": 0, "amount": 0, "tax_name": "GST"}}], True),
        ([{"labor": {"price": 0, "amount": 0}}], [{"labor": {"price": 5, "amount": 0}}], False),
        ([{"labor": {"price": 5}}], [{"labor": None}], False),
        ([{"labor": None}], [{"labor": {"price": 0, "tax_name": None}}], True),
        ([{"labor": None}], [{"labor": {"price": 5}}], False),
        ([{"photos": []}], [{"photos": None}], True),
        ([{"photos": []}], [{"photos": [1]}], False),
        ([{"labor": {"price": 5}}], [{"labor": [5]}], False),
        ([], [], True),
        ([], None, True),
        ([], [{"name": "a"}], False),
        ([{"name": "a"}], None, False),
        ([{"name": "a"}], {"name": "a"}, False),
    ],
)
def test_which_lines_cover_which(planned, found, expected):
    assert covers(planned, found, "items") is expected
    assert matches("items", planned, found) is expected


@pytest.mark.parametrize(
    ("field", "planned", "found", "expected"),
    [
        ("nrbUpcharge", "12", "12.000", True),
        ("nrbUpcharge", None, "0", False),
        ("nrbUpcharge", "0", None, False),
        ("nrbIsExported", False, None, False),
        ("note", "", None, False),
        ("note", None, "", False),
        ("note", None, None, True),
        ("date_due", 0, None, False),
    ],
)
def test_a_single_value_matches_only_itself(field, planned, found, expected):
    assert matches(field, planned, found) is expected


NAMES = st.sampled_from(["name", "description", "quantity", "price", "amount", "labor", "photos", "addMarkup"])
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.decimals(-9, 9, places=2)
    | st.sampled_from(["", "0", "0.00", "a"])
)
JSON = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
LINES = st.lists(st.dictionaries(NAMES, JSON, max_size=5), max_size=3)


def grown(value: Any, extra: Any) -> Any:
    """The same with one more key in every object, as from a server that returns more than it was sent."""
    if isinstance(value, dict):
        return {**{name: grown(inner, extra) for name, inner in value.items()}, "the server's own": extra}
    return [grown(inner, extra) for inner in value] if isinstance(value, list) else value


@given(LINES)
def test_lines_cover_themselves(lines):
    assert covers(lines, lines, "items")


@given(LINES, JSON)
def test_fields_that_the_server_adds_are_allowed(lines, extra):
    assert covers(lines, grown(lines, extra), "items")


@given(LINES.filter(bool), st.data())
def test_another_number_is_never_covered(lines, data):
    number = data.draw(st.integers(1, 10**9).map(Decimal))
    at, name = data.draw(st.integers(0, len(lines) - 1)), data.draw(st.sampled_from(["quantity", "price", "amount"]))
    off = data.draw(st.sampled_from([Decimal("0.01"), Decimal(-1), number]))
    planned = [dict(line) for line in lines]
    planned[at][name] = number
    found = [dict(line) for line in planned]
    found[at][name] = number + off
    assert not covers(planned, found, "items")
    found[at][name] = None
    assert not covers(planned, found, "items")


@given(st.dictionaries(st.sampled_from(["note", "items", "total", "nrbRate", "is_active"]), JSON), JSON)
def test_planned_changes_are_not_unplanned_ones(body, value):
    assert unplanned_changes(body, dict(body), ()) == ()
    assert unplanned_changes(body, {**body, "note": value}, {"note"}) == ()
    assert set(unplanned_changes(body, {**body, "note": value}, ())) <= {"note"}


def test_no_field_is_computed_from_itself():
    assert not any(name in sources for name, sources in COMPUTED_FROM.items())
