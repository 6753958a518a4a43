"""When a field is still the same, and which field moved though nobody asked."""

from decimal import Decimal

import pytest

from auditkit.corrections.comparing import moved, same

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
    ],
)
def test_same(field, one, other, expected):
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
    ],
)
def test_moved(changed, now, expected):
    before = {"nrbUpdatedAt": 1, "nrbTotalAfterMarkup": "862.50", "nrbVendorGuid": "old", "nrbNotes": "text"}
    assert moved(before, {**before, **now}, changed) == expected


def test_a_field_that_is_no_longer_there_has_moved():
    assert moved({"nrbNotes": "text", "nrbName": None}, {}, ()) == ("nrbNotes",)
