"""Money, quantities and times: read in every form of a number, strict where a person or a plan gives them."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit import values
from auditkit.errors import ValueRefused

D = Decimal
CENTS = st.integers(-(10**17) + 1, 10**17 - 1)


# Money and quantities


@pytest.mark.parametrize(
    ("wire", "amount"),
    [
        ("862.50", "862.50"),
        ("37.500", "37.50"),
        ("37.500000", "37.50"),
        (10000, "10000.00"),
        (D("15438.99"), "15438.99"),
        (D("1E+3"), "1000.00"),
        ("-0.01", "-0.01"),
        ("0", "0.00"),
        ("007", "7.00"),
        ("999999999999999.99", "999999999999999.99"),
        (None, None),
    ],
)
def test_money(wire, amount):
    found = values.money(wire)
    assert (None if found is None else str(found)) == amount


REFUSED = [
    *("NaN", "1e3", "1,000.00", " 1 ", "1 ", "\t1", "1\n", "１", "١", "", "-", "+1", ".5", "1.", "1.2.3", "0x10"),
    *("1_0", "∞"),
    *("1" * 16, "1.0000000", "$1", "(1)", "null", "Infinity", "−1"),
    *(1.5, 1.0, float("nan"), True, False),
    *(D("NaN"), D("Infinity"), D("-Infinity"), D("1E-7"), D("1E+15"), 10**15),
]  # fmt: skip


@pytest.mark.parametrize("wire", REFUSED, ids=count())
@pytest.mark.parametrize("convert", [values.money, values.quantity])
def test_what_is_no_number_is_refused_by_name_of_field(convert, wire):
    with pytest.raises(ValueRefused, match=r"^nrbRate: expected digits") as caught:
        convert(wire, "nrbRate")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("wire", "found"), [(1.5, "float 1.5"), (True, "bool True")])
def test_what_has_lost_its_digits_is_named(wire, found):
    with pytest.raises(ValueRefused, match=rf"^nrbRate: expected digits, found {found}$"):
        values.money(wire, "nrbRate")


@pytest.mark.parametrize("wire", ["1.005", "0.001", D("0.010001")])
def test_money_of_part_of_a_cent_is_refused(wire):
    with pytest.raises(ValueRefused, match=r"^total: expected whole cents, found"):
        values.money(wire, "total")


@pytest.mark.parametrize(
    ("convert", "said"),
    [
        (values.money, "money: expected digits such as 862.50, found "),
        (values.quantity, "quantity: expected digits such as 862.50, found "),
        (values.time_from_ms, "time: expected whole epoch units, found "),
        (values.time_from_s, "time: expected whole epoch units, found "),
    ],
)
def test_a_long_text_is_cut_in_the_message(convert, said):
    with pytest.raises(ValueRefused) as caught:
        convert("9" * 10_000)
    assert str(caught.value) == said + repr("9" * 40)


def test_quantities_keep_their_digits():
    assert str(values.quantity("1.000")) == "1.000"
    assert str(values.quantity("0.000001")) == "0.000001"
    assert values.quantity(None) is None


@given(CENTS)
def test_every_amount_of_whole_cents_comes_back(cents):
    amount = D(cents).scaleb(-2)
    for wire in (f"{amount:f}", f"{amount:f}0000", amount):
        assert values.money(wire) == amount
        assert values.money(wire).as_tuple().exponent == -2


@given(st.text(max_size=12) | st.from_regex(r"[-+ ]?[0-9]{0,17}[.,]?[0-9]{0,8}[eE ]?"))
def test_a_text_is_refused_or_means_what_python_means(text):
    try:
        number = values.quantity(text)
    except ValueRefused:
        return
    assert number == D(text)
    assert text.isascii()
    assert text.strip() == text


@pytest.mark.parametrize(
    ("amount", "cents"),
    [("0.005", "0.01"), ("0.015", "0.02"), ("0.025", "0.03"), ("-0.025", "-0.03"), ("0.0249", "0.02"), ("7", "7.00")],
)
def test_half_a_cent_is_a_cent(amount, cents):
    assert str(values.cents(D(amount))) == cents


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_cents_are_rounded_half_away_from_zero(amount):
    rounded = values.cents(amount)
    assert abs(rounded - amount) <= D("0.005")
    assert rounded == -values.cents(-amount)
    if abs(rounded - amount) == D("0.005"):
        assert abs(rounded) > abs(amount)


# Numbers that a vendor sent


@pytest.mark.parametrize(
    ("wire", "number"),
    [
        ("862.50", "862.500000"),
        (10000, "10000.000000"),
        (D("103.35000000000001"), "103.350000"),
        ("16392.469999999998", "16392.470000"),
        (D("33.333333333333336"), "33.333333"),
        ("0.0000005", "0.000001"),
        ("-0.0000005", "-0.000001"),
        ("-0.0000004", "0.000000"),
        ("1e3", "1000.000000"),
        (D("1E+3"), "1000.000000"),
        (D("1E-7"), "0.000000"),
        ("0E-7", "0.000000"),
        ("999999999999999.999999", "999999999999999.999999"),
        ("", None),
        (" \u3000\t", None),
        (None, None),
    ],
)
def test_a_number_that_a_vendor_sent_is_read_to_six_decimals(wire, number):
    found = values.read_quantity(wire)
    assert (None if found is None else str(found)) == number


@pytest.mark.parametrize(
    ("wire", "amount"),
    [
        (D("103.35000000000001"), "103.35"),
        ("16392.469999999998", "16392.47"),
        (D("37.125"), "37.13"),
        ("-37.125", "-37.13"),
        ("37.501", "37.50"),
        (D("1.0049999999999999"), "1.01"),
        ("", None),
        (None, None),
    ],
)
def test_an_amount_that_a_vendor_sent_is_read_to_the_cent(wire, amount):
    found = values.read_money(wire)
    assert (None if found is None else str(found)) == amount


@pytest.mark.parametrize(
    "wire",
    [
        *(
            "NaN",
            "1,000.00",
            " 1 ",
            "1 ",
            "1\n",
            "１",
            "-",
            "+1",
            ".5",
            "1.",
            "1.2.3",
            "0x10",
            "1_0",
            "∞",
            "$1",
            "null",
        ),
        *("1e", "e3", "1e1e1", "1e-4000", "\v", 1.5, True, D("NaN"), D("Infinity")),
    ],
    ids=count(),
)
@pytest.mark.parametrize("convert", [values.read_money, values.read_quantity, values.read_time_ms, values.read_time_s])
def test_what_is_not_a_number_cannot_be_read(convert, wire):
    with pytest.raises(ValueRefused, match=r"^nrbRate: expected a number such as 862\.50, found '"):
        convert(wire, "nrbRate")


@pytest.mark.parametrize("wire", [10**15, "1e15", "-1e300", "999999999999999.9999996"])
def test_a_number_of_more_than_15_digits_cannot_be_read(wire):
    with pytest.raises(ValueRefused, match=r"^nrbRate: expected a number of at most 15 digits before the point, found"):
        values.read_money(wire, "nrbRate")


# The total after markup


@pytest.mark.parametrize(
    ("rate", "quantity", "upcharge", "tax", "applies_on", "total"),
    [
        ("750", "1", "10", "37.50", values.SUB_TOTAL, "862.50"),  # the vendor's own figures
        ("750", "1", "10", "37.50", values.SUB_TOTAL_AND_VENDOR_TAX, "866.25"),
        ("750", "1", "10", "37.50", None, "862.50"),
        ("750", "1", None, "37.50", values.SUB_TOTAL, "787.50"),
        ("750", "1", "10", None, values.SUB_TOTAL, "825.00"),
        ("750", "1", None, None, None, "750.00"),
        ("750", "-1", "10", "-37.50", values.SUB_TOTAL, "-862.50"),
        ("0.05", "1", "10", None, None, "0.06"),  # 0.055
        ("-0.05", "1", "10", None, None, "-0.06"),
        ("0.333333", "3", None, None, None, "1.00"),
        ("0", "5", "10", None, None, "0.00"),
    ],
)
def test_total_after_markup(rate, quantity, upcharge, tax, applies_on, total):
    parts = [part and D(part) for part in (upcharge, tax)]
    found = values.total_after_markup(D(rate), D(quantity), *parts, applies_on)
    assert str(found) == total


@given(CENTS.map(lambda cents: D(cents % 10**9).scaleb(-2)), st.integers(0, 100))
def test_without_tax_both_formulas_agree(rate, upcharge):
    totals = {
        values.total_after_markup(rate, D(1), D(upcharge), None, applies)
        for applies in (values.SUB_TOTAL, values.SUB_TOTAL_AND_VENDOR_TAX)
    }
    assert len(totals) == 1


def test_a_total_of_more_digits_than_money_has_is_refused():
    largest = D("999999999999999")
    with pytest.raises(ValueRefused, match=r"^an amount of 9\.999999999999980*e\+29 has more digits than money$"):
        values.total_after_markup(largest, largest, None, None, None)


# Time

MIDNIGHT_2005 = datetime(2005, 1, 1, tzinfo=UTC)
LAST_2099 = datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("convert", "wire", "instant"),
    [
        (values.time_from_ms, 1743503400000, datetime(2025, 4, 1, 10, 30, tzinfo=UTC)),
        (values.time_from_ms, "1743503400123", datetime(2025, 4, 1, 10, 30, 0, 123000, tzinfo=UTC)),
        (values.time_from_ms, D(1743503400000), datetime(2025, 4, 1, 10, 30, tzinfo=UTC)),
        (values.time_from_ms, 1104537600000, MIDNIGHT_2005),
        (values.time_from_ms, 4102444799999, LAST_2099 + timedelta(milliseconds=999)),
        (values.time_from_s, 1683781200, datetime(2023, 5, 11, 5, tzinfo=UTC)),
        (values.time_from_s, 1104537600, MIDNIGHT_2005),
        (values.time_from_s, 4102444799, LAST_2099),
        (values.time_from_s, 0, None),
        (values.time_from_s, "0", None),
        (values.time_from_s, None, None),
        (values.time_from_ms, None, None),
    ],
)
def test_time(convert, wire, instant):
    assert convert(wire) == instant


@pytest.mark.parametrize(
    ("convert", "wire"),
    [
        (values.time_from_ms, -1),
        (values.time_from_ms, 1104537599999),
        (values.time_from_ms, 4102444800000),
        (values.time_from_ms, 1743503400),  # seconds
        (values.time_from_ms, 0),
        (values.time_from_s, 1104537599),
        (values.time_from_s, 4102444800),
        (values.time_from_s, 1743503400000),  # milliseconds
        (values.time_from_s, -1),
        (values.time_from_s, 10**15),
        *[(convert, 9_999_999_999_999_999) for convert in (values.time_from_ms, values.time_from_s)],
    ],
)
def test_a_time_of_another_unit_or_century_is_refused(convert, wire):
    unit = {values.time_from_ms: "milliseconds", values.time_from_s: "seconds"}[convert]
    with pytest.raises(ValueRefused, match=rf"^nrbInvoiceDate: {wire} is not between 2005 and 2100 in epoch {unit}$"):
        convert(wire, "nrbInvoiceDate")


@pytest.mark.parametrize(
    "wire", ["", "1.5e9", "2025-04-01", " 1743503400", True, 1743503400.0, "１", "+1743503400", 10**17]
)
@pytest.mark.parametrize("convert", [values.time_from_ms, values.time_from_s])
def test_what_is_no_whole_number_is_no_time(convert, wire):
    with pytest.raises(ValueRefused, match=r"^due: expected whole epoch units"):
        convert(wire, "due")


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("convert", "wire", "instant"),
    [
        (values.read_time_ms, 1743503400000, datetime(2025, 4, 1, 10, 30, tzinfo=UTC)),
        (values.read_time_ms, D("1.7435034e12"), datetime(2025, 4, 1, 10, 30, tzinfo=UTC)),
        (values.read_time_ms, "1743503400000.5", datetime(2025, 4, 1, 10, 30, 0, 500, tzinfo=UTC)),
        (values.read_time_ms, 0, EPOCH),
        (values.read_time_ms, 1743503400, EPOCH + timedelta(milliseconds=1743503400)),
        (values.read_time_ms, -2208988800000, datetime(1900, 1, 1, tzinfo=UTC)),
        (values.read_time_s, "1683781200", datetime(2023, 5, 11, 5, tzinfo=UTC)),
        (values.read_time_s, "1683781200.25", datetime(2023, 5, 11, 5, 0, 0, 250000, tzinfo=UTC)),
        (values.read_time_s, 7258118399, datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (values.read_time_s, "0.0", None),
        (values.read_time_s, "", None),
        (values.read_time_ms, "", None),
        (values.read_time_ms, None, None),
    ],
)
def test_a_time_that_a_vendor_sent(convert, wire, instant):
    assert convert(wire) == instant


@pytest.mark.parametrize(
    ("convert", "wire", "unit"),
    [
        (values.read_time_ms, -2208988800001, "milliseconds"),
        (values.read_time_ms, 7258118400000, "milliseconds"),
        (values.read_time_s, 1743503400000, "seconds"),
        (values.read_time_s, 999_999_999_999_999, "seconds"),
    ],
)
def test_a_time_of_another_unit_cannot_be_read(convert, wire, unit):
    said = rf"^due: expected epoch {unit} between the years 1900 and 2200, found '{wire}'$"
    with pytest.raises(ValueRefused, match=said):
        convert(wire, "due")


INSTANTS = st.datetimes(datetime(2005, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))


@given(INSTANTS)
def test_times_go_there_and_back(instant):
    assert values.time_from_s(values.time_to_s(instant)) == instant.replace(microsecond=0)
    cut = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    assert values.time_from_ms(values.time_to_ms(instant)) == cut


@given(INSTANTS, st.integers(-12, 12))
def test_an_instant_is_the_same_in_every_zone(instant, hours):
    elsewhere = instant.astimezone(timezone(timedelta(hours=hours)))
    assert values.time_to_ms(elsewhere) == values.time_to_ms(instant)


@pytest.mark.parametrize(
    ("zone", "day"),
    [("UTC", date(2023, 5, 11)), ("America/Chicago", date(2023, 5, 11)), ("America/Edmonton", date(2023, 5, 10))],
)
def test_the_zone_decides_the_day(zone, day):
    assert values.local_day(datetime(2023, 5, 11, 5, tzinfo=UTC), ZoneInfo(zone)) == day


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 3, 8, 6, 59, tzinfo=UTC), date(2026, 3, 7)),  # winter: midnight is 07:00 UTC
        (datetime(2026, 3, 9, 6, 0, tzinfo=UTC), date(2026, 3, 9)),  # summer: 06:00
        (datetime(2026, 11, 2, 6, 59, tzinfo=UTC), date(2026, 11, 1)),
    ],
)
def test_a_day_ends_an_hour_earlier_in_summer(instant, day):
    assert values.local_day(instant, ZoneInfo("America/Edmonton")) == day
