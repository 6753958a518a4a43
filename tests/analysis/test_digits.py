"""Digit tests against published figures, exact digits, and what is left out and counted."""

import math
import random
from dataclasses import FrozenInstanceError
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import auditkit as ak
from auditkit.analysis import distributions
from auditkit.errors import QuestionRefused
from tests.analysis.reference import reference

SINO_FOREST = reference("benford_sino_forest")
DIGITS = ["1", "2", "12", "123", "last2"]


def repeated(counts: dict[str, int]) -> list[Decimal]:
    return [Decimal(number) for number, count in counts.items() for _ in range(count)]


# ── Published figures ───────────────────────────────────────────────────────────────────────────────────────────────


def test_first_digits_of_sino_forest() -> None:
    """Nigrini (2012) and jfa: from expected counts as they are; rounded to whole ones chi² would be 7.70."""
    observed = SINO_FOREST["first_digit_observed"]
    made = ak.digits.benford(repeated({str(d): count for d, count in enumerate(observed, 1)}), "1")
    assert (made.n, made.counts, made.df) == (SINO_FOREST["n"], tuple(observed), SINO_FOREST["df"])
    assert [round(each, 4) for each in made.expected] == SINO_FOREST["first_digit_expected"]
    assert made.chi2 == pytest.approx(SINO_FOREST["chi2"], rel=1e-12)
    assert made.p == pytest.approx(SINO_FOREST["p"], rel=1e-12)
    assert made.mad == pytest.approx(SINO_FOREST["mad_recomputed"], rel=1e-12)
    assert made.conformity == "acceptable conformity"
    rounded = [round(each) for each in made.expected]
    assert sum((o - e) ** 2 / e for o, e in zip(observed, rounded, strict=True)) != pytest.approx(made.chi2, rel=1e-3)


def test_bands_of_conformity() -> None:
    bands = SINO_FOREST["mad_bands_benford_py"]
    for digits, name in (("1", "first"), ("12", "first_two"), ("123", "first_three"), ("2", "second")):
        assert list(ak.digits.benford([1], digits).mad_bands) == bands[name]
    last = ak.digits.benford([Decimal("1.23")], "last2")
    assert (last.mad_bands, last.conformity) == (None, None)


@pytest.mark.parametrize(
    ("digits", "shares"),
    [
        ("1", [0.30103, 0.17609, 0.12494, 0.09691, 0.07918, 0.06695, 0.05799, 0.05115, 0.04576]),
        ("2", [0.11968, 0.11389, 0.10882, 0.10433, 0.10031, 0.09668, 0.09337, 0.09035, 0.08757, 0.08500]),
    ],
)
def test_expected_shares_are_those_of_benford(digits: str, shares: list[float]) -> None:
    """Benford (1938), as Nigrini's table 1.1 prints them."""
    made = ak.digits.benford([1], digits)
    assert [round(share, 5) for share in made.expected_proportions] == shares


@pytest.mark.parametrize("digits", DIGITS)
def test_expected_shares_sum_to_one(digits: str) -> None:
    made = ak.digits.benford([Decimal("12.34")], digits)
    assert sum(made.expected_proportions) == pytest.approx(1, rel=1e-12)
    assert len(made.labels) == {"1": 9, "2": 10, "12": 90, "123": 900, "last2": 100}[digits]
    assert (made.df, sum(made.counts)) == (len(made.labels) - 1, 1)


@pytest.mark.parametrize(("df", "limit"), [(8, 15.507), (9, 16.919), (89, 112.022), (99, 123.225), (899, 969.865)])
def test_critical_values_of_chi2(df: int, limit: float) -> None:
    """At 5 %, as Nigrini's tables and benford_py print them."""
    assert distributions.chi2_sf(limit, df) == pytest.approx(0.05, abs=1e-5)


def test_z_takes_the_continuity_correction_only_where_it_is_smaller() -> None:
    """Nigrini (2012), chapter 5, by hand: n = 100, p₀ of digit 1 is 0.30103, standard error 0.045871."""
    made = ak.digits.benford(repeated({"1": 40, "2": 18, "5": 42}), "1")
    error = math.sqrt(0.30103 * 0.69897 / 100)
    assert made.z[0] == pytest.approx((0.40 - 0.30103 - 0.005) / error, abs=1e-4)
    gap = 0.18 - 0.176091  # below 1/(2n) = 0.005, so that it is not corrected
    assert made.z[1] == pytest.approx(gap / math.sqrt(0.176091 * 0.823909 / 100), abs=1e-4)


def test_kolmogorov_smirnov() -> None:
    made = ak.digits.benford(repeated({"1": 50, "9": 50}), "1")
    assert made.ks == pytest.approx(0.95424 - 0.5, abs=1e-5)  # all below 9 cumulates to log10(9)
    assert made.ks_critical == pytest.approx(0.136)


def test_the_mantissa_arc() -> None:
    """Alexander (2009): one value only lies on one point, L² = 1; even ones around the circle have L² = 0."""
    point = ak.digits.benford([Decimal("3.5")] * 8, "1").mantissa
    assert (point.arc_l2, point.arc_p) == (pytest.approx(1), pytest.approx(math.exp(-8)))
    even = ak.digits.benford([Decimal(repr(10 ** (n / 1000))) for n in range(1000)], "1").mantissa
    assert (even.arc_l2, even.arc_p) == (pytest.approx(0, abs=1e-12), pytest.approx(1))
    assert (even.mean, even.variance) == (pytest.approx(0.4995), pytest.approx(1 / 12, abs=1e-3))
    assert (even.skewness, even.excess_kurtosis) == (pytest.approx(0, abs=1e-6), pytest.approx(-1.2, abs=1e-3))


def test_benford_s_own_numbers_conform() -> None:
    """Powers of 2 follow the law exactly in the limit (Nigrini uses them and Fibonacci's numbers as the model case)."""
    powers = [2**n for n in range(1, 2000)]
    for digits in ("1", "2", "12"):
        made = ak.digits.benford(powers, digits)
        assert made.conformity == "close conformity" and made.ks < made.ks_critical


# ── Digits are exact ────────────────────────────────────────────────────────────────────────────────────────────────


def by_floats(amount: float) -> int:
    """First two digits as R and Python packages take them: multiply by a power of ten and cut."""
    return int(10 ** (1 - math.floor(math.log10(amount))) * amount)


def test_digits_are_those_that_were_written_where_floats_misplace_them() -> None:
    amounts = [Decimal(cents) / 100 for cents in range(1, 10_000)]
    misplaced = [amount for amount in amounts if by_floats(float(amount)) != int(f"{amount.scaleb(9):.0f}"[:2])]
    assert misplaced == [Decimal("0.29"), Decimal("0.57"), Decimal("0.58")]
    for amount in misplaced:
        for written in (amount, str(amount), float(amount)):
            made = ak.digits.benford([written], "12")
            assert made.labels[made.counts.index(1)] == f"{amount.scaleb(9):.0f}"[:2]


@pytest.mark.parametrize(
    ("value", "digits", "label"),
    [
        ("0.05", "12", "50"), ("7", "12", "70"), ("7", "123", "700"), ("1.005", "123", "100"), ("-98.76", "12", "98"),
        ("100", "2", "0"), ("1e5", "1", "1"), (Decimal("0.000420"), "12", "42"), (10**30 + 1, "123", "100"),
        (1234.56, "last2", "56"), ("12.5", "last2", "25"), (1200, "last2", "00"), ("0.5", "last2", "05"),
        (Decimal("12.50"), "last2", "50"),
    ],
)  # fmt: skip
def test_digits_of_a_value(value: object, digits: str, label: str) -> None:
    made = ak.digits.benford([value], digits)
    assert made.labels[made.counts.index(1)] == label


def test_last_digits_are_those_of_the_most_decimals() -> None:
    made = ak.digits.benford(["12.5", "3", "0.07"], "last2")
    assert {made.labels[n] for n, count in enumerate(made.counts) if count} == {"50", "00", "07"}
    whole = ak.digits.benford([5, 23, 123], "last2")
    assert (whole.n, whole.short, whole.counts[23]) == (2, 1, 2)


@settings(deadline=None)
@given(st.integers(1, 10**12), st.integers(0, 4), st.sampled_from(["1", "2", "12", "123"]))
def test_leading_digits_do_not_depend_on_the_place_of_the_point(units: int, decimals: int, digits: str) -> None:
    whole, scaled = (ak.digits.benford([v], digits).counts for v in (units, Decimal(units).scaleb(-decimals)))
    assert whole == scaled


def test_second_order_takes_exact_differences_that_are_not_zero() -> None:
    """0.3 − 0.1 is 0.19999999999999998 in floats; the differences of 0.1, 0.3, 0.3 and 0.7 are 0.2 and 0.4."""
    made = ak.digits.benford([0.7, 0.3, 0.1, 0.3], "1", second_order=True)
    assert (made.n, made.counts) == (2, (0, 1, 0, 1, 0, 0, 0, 0, 0))
    assert (made.method, made.second_order) == ("second-order test", True)


# ── What is left out is counted ─────────────────────────────────────────────────────────────────────────────────────


def test_zeros_missing_amounts_and_other_signs_are_counted() -> None:
    values = [Decimal("1.20"), -35, 0, None, float("nan"), pd.NA, "0.00", 41]
    both, positive, negative = (ak.digits.benford(values, "1", sign=s) for s in ("both", "positive", "negative"))
    assert [made.n for made in (both, positive, negative)] == [3, 2, 1]
    assert [made.other_sign for made in (both, positive, negative)] == [0, 1, 2]
    assert {(made.zeros, made.missing) for made in (both, positive, negative)} == {(2, 3)}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: d.benford([1], "3"), "digits: expected 1, 2, 12, 123, last2, found '3'"),
        (lambda d: d.benford([1], sign="up"), "sign: expected both, positive, negative, found 'up'"),
        (lambda d: d.benford([0, None], "1"), "no amount has the digits '1': 0 of them are not 0"),
        (lambda d: d.benford([3], "last2"), "no amount has the digits 'last2': 1 of them are not 0"),
        (lambda d: d.benford(["1,000.00"]), "value 0: expected a number, found '1,000.00'"),
        (lambda d: d.benford([1, True]), "value 1: expected a number, found bool True"),
        (lambda d: d.benford([float("inf")]), "value 0: expected a number, found inf"),
        (lambda d: d.summation([1], "2"), "digits: expected 1, 12 or 123, found '2'"),
        (lambda d: d.summation([-1]), "no amount is above 0: there is nothing to sum"),
        (lambda d: d.round_numbers([0]), "no amount is other than 0: there is nothing to count"),
        (lambda d: d.round_numbers([1], [0]), "multiples: expected whole numbers, 1 or more, found 0"),
    ],
)
def test_what_has_no_digits_is_refused_in_one_line(call, message: str) -> None:
    with pytest.raises(QuestionRefused) as refused:
        call(ak.digits)
    assert str(refused.value) == message


def test_a_result_is_a_frame_and_does_not_change() -> None:
    values = pd.Series([Decimal("12.30"), Decimal("45.60")], dtype=object)
    made = ak.digits.benford(values)
    columns = ["digits", "count", "expected", "proportion", "expected_proportion", "difference", "z"]
    assert made.frame.columns.tolist() == columns
    assert made.frame.query("count == 1")["digits"].tolist() == ["12", "45"]
    assert made.digits == "12" and "Nigrini" in made.source and made.method == "first-two digits test"
    assert made.values_digest != ak.digits.benford([1]).values_digest
    with pytest.raises(FrozenInstanceError):
        made.n = 1


# ── Duplicates, sums, round numbers ─────────────────────────────────────────────────────────────────────────────────


def test_duplicates_are_the_amounts_that_repeat() -> None:
    made = ak.digits.duplicates(["50.00", "50", "-50", "1.10", "1.1", Decimal("1.100"), "7", None])
    assert made.columns.tolist() == ["amount", "count", "share"]
    assert made["amount"].tolist() == [Decimal("1.1"), Decimal(50)] and made["count"].tolist() == [3, 2]
    assert made["share"].tolist() == [pytest.approx(3 / 7), pytest.approx(2 / 7)]
    assert len(ak.digits.duplicates(["1", "2"], least=1)) == 2


def test_summation_is_exact_by_first_digits() -> None:
    made = ak.digits.summation(["0.10", "0.20", "10.05", "99.99", "-5", "0"])
    sums = {row.digits: (row.count, row.sum) for row in made.itertuples() if row.count}
    assert sums == {"10": (2, Decimal("10.15")), "20": (1, Decimal("0.20")), "99": (1, Decimal("99.99"))}
    assert len(made) == 90 and made["share"].sum() == pytest.approx(1)
    assert made["expected_share"].unique() == pytest.approx(1 / 90)


def test_round_numbers_are_counted_beside_what_even_last_digits_give() -> None:
    made = ak.digits.round_numbers(["100.00", "-25.00", "10.50", "1000", "0"])
    assert made["multiple"].tolist() == [5, 10, 25, 100, 1000]
    assert made["count"].tolist() == [3, 2, 3, 2, 1]
    assert made["expected_share"].tolist() == [pytest.approx(0.01 / multiple) for multiple in (5, 10, 25, 100, 1000)]
    assert (made["z"] > 3).all()
    even = ak.digits.round_numbers(range(1, 10_001), [10])
    assert (even["share"][0], even["expected_share"][0], even["z"][0]) == (0.1, 0.1, 0)


@pytest.mark.slow
def test_a_large_ledger_conforms_and_takes_seconds() -> None:
    numbers = random.Random(2)
    values = [Decimal(int(10 ** numbers.uniform(1, 7))) / 100 for _ in range(189_470)]
    made = ak.digits.benford(values)
    assert made.conformity == "close conformity" and made.mantissa.arc_p > 1e-6
