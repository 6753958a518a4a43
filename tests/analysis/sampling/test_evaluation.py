"""Evaluations: published cases to the last printed digit, directions and high values apart, strata, and refusals."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest

import auditkit as ak
from auditkit.errors import QuestionRefused
from tests.analysis.sampling.frames import ledger, population

BOUNDS = ["stringer", "stringer-binomial", "poisson-mus"]
ESTIMATORS = ["difference", "ratio", "regression"]


def with_taints(sample: ak.sampling.Sample, taints: Sequence[object]) -> dict:
    """Audited amounts of a sample whose first items have these taints; the others are right."""
    audited = {item.id: item.amount for item in sample.items}
    for item, taint in zip(sample.items, taints, strict=False):
        audited[item.id] = item.amount * (1 - Decimal(str(taint)))
    return audited


def as_booked(sample: ak.sampling.Sample, **audited: object) -> dict:
    """Audited amounts of a sample: as booked, but for these."""
    return {item.id: item.amount for item in sample.items} | {k: Decimal(str(v)) for k, v in audited.items()}


# ── Published cases ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("taints", "likely", "limit"),
    [
        (["1", "0.20000072", "0.03999931"], "115448.28", 0.03478656),  # page 138
        (["1", "0.09887"], "102308.59", 0.03333348),  # page 143
        (["0.5", "0.4", "0.19887"], "102308.59", 0.03251936),  # page 144
    ],
)
def test_stringer_bounds_of_touw_and_hoogduin(taints: list[str], likely: str, limit: float) -> None:
    """145 of 13,500,000 money units at 95 %; limits as in jfa's test-touwhoogduin.R, which agree with the book's."""
    sample = ak.sampling.select(population({f"N-{n:05}": 1000 for n in range(13_500)}), 145, seed=1)
    made = ak.sampling.evaluate(sample, with_taints(sample, taints), 0.95, "stringer-binomial", tolerable=450_000)
    assert made.most_likely_error == Decimal(likely)
    assert float(made.upper_error_limit) / 13_500_000 == pytest.approx(limit, abs=6e-9)
    assert made.accepted is (limit <= 450_000 / 13_500_000)


def test_the_textbook_case_of_a_sampling_interval_of_12300() -> None:
    """Three overstatements at 5 % risk and an interval of 12,300, with printed factors 3.00, 4.75, 6.30.

    15,000 audited 12,500 is of high value and counts as it is; 60 % and 33 % taints are projected to an interval:
    2,500 + 7,380 + 4,100. The allowances are 3.00 × 12,300, and 0.75 × 7,380 + 0.55 × 4,100.
    """
    others = {f"z{n:03}": 9_000 for n in range(133)}
    frame = population({"a": 10_000, "b": 15_000, "c": 3_000, **others, "zz": 5_000})
    sample = ak.sampling.select(frame, 100, start=1_000)
    assert sample.interval == 12_300 and [item.id for item in sample.items][:3] == ["a", "b", "c"]
    made = ak.sampling.evaluate(
        sample, as_booked(sample, a=4_000, b=12_500, c=2_000), 0.95, "poisson-mus", factors="printed", tolerable=65_000
    )
    found = made.overstatement
    assert (found.errors, found.known_error, found.most_likely_error) == (3, 2_500, 13_980)
    assert (found.basic_precision, found.incremental_allowance) == (36_900, 7_790)
    assert (found.precision, found.upper_error_limit) == (44_690, 58_670)
    assert made.verdict == "acceptable: the upper limit of overstatement, 58,670.00, is within the tolerable 65,000"


def test_poisson_bounds_without_errors_are_the_confidence_factor() -> None:
    """jfa's planning and evaluation agree: 60 units without an error leave 4.992887 % (test-evaluation.R, t1)."""
    sample = ak.sampling.select(population({f"N-{n:04}": 1000 for n in range(5000)}), 60, seed=1)
    for method, rate in (("stringer", 0.04992887), ("poisson-mus", 0.04992887), ("stringer-binomial", 0.04870291)):
        made = ak.sampling.evaluate(sample, as_booked(sample), 0.95, method)
        assert float(made.upper_error_limit) / 5_000_000 == pytest.approx(rate, abs=5e-9)
        assert (made.most_likely_error, made.overstatement.incremental_allowance) == (0, 0)
        assert made.precision == made.upper_error_limit == made.overstatement.basic_precision


# ── Directions, high values, hits ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", BOUNDS)
def test_overstatements_and_understatements_are_apart(method: str) -> None:
    sample = ak.sampling.select(population({f"N-{n:03}": 100 for n in range(500)}), 50, seed=3)
    mixed = ak.sampling.evaluate(sample, with_taints(sample, ["0.5", "-0.25"]), 0.95, method)
    over = ak.sampling.evaluate(sample, with_taints(sample, ["0.5"]), 0.95, method)
    under = ak.sampling.evaluate(sample, with_taints(sample, ["0", "-0.25"]), 0.95, method)
    assert mixed.overstatement == over.overstatement
    assert mixed.understatement == under.understatement
    assert (mixed.most_likely_error, mixed.understatement.most_likely_error, mixed.net_error) == (500, 250, 250)


@pytest.mark.parametrize("method", BOUNDS)
def test_errors_of_high_value_items_are_known_and_carry_no_risk(method: str) -> None:
    frame = population({"big": 5_000, "huge": 9_000, **{f"s{n:03}": 10 for n in range(600)}})
    sample = ak.sampling.select(frame, 20, seed=4)
    clean = ak.sampling.evaluate(sample, as_booked(sample), 0.95, method)
    found = ak.sampling.evaluate(sample, as_booked(sample, big=4_000, huge="9100.55"), 0.95, method)
    assert (found.overstatement.known_error, found.understatement.known_error) == (1_000, Decimal("100.55"))
    assert found.upper_error_limit == clean.upper_error_limit + 1_000
    assert found.precision == clean.precision
    assert clean.upper_error_limit < 3.1 * 6_000 / clean.n + 1  # of the 6,000 below the interval alone


def test_a_selection_stands_for_its_interval_or_for_its_share_of_what_is_below() -> None:
    """3 points of 100 fall below the high-value item, among 260: each stands for 100 (AICPA) or 86.67 (Stringer)."""
    sample = ak.sampling.select(population({"big": 740, **{f"s{n:02}": 10 for n in range(26)}}), 10, start=50)
    made = {m: ak.sampling.evaluate(sample, as_booked(sample, s00=5), 0.95, m) for m in ("poisson-mus", "stringer")}
    assert {m: each.most_likely_error for m, each in made.items()} == {
        "poisson-mus": 50,
        "stringer": Decimal("43.33"),
    }


def test_a_population_of_high_value_items_alone_leaves_no_risk() -> None:
    sample = ak.sampling.select(population({"a": 500, "b": 700}), 10, seed=1)
    made = ak.sampling.evaluate(sample, as_booked(sample, a=450), 0.95)
    assert (made.n, made.most_likely_error, made.precision, made.upper_error_limit) == (0, 50, 0, 50)


def test_an_item_that_was_hit_twice_counts_twice() -> None:
    frame = population({f"s{n}": 10 for n in range(12)})
    samples = (ak.sampling.select(frame, 8, "cell", seed=seed) for seed in range(50))
    sample = next(sample for sample in samples if 2 in sample.hits.values())
    twice = next(item for item, hits in sample.hits.items() if hits == 2)
    made = ak.sampling.evaluate(sample, as_booked(sample, **{twice: 5}), 0.95)
    assert (made.overstatement.errors, made.most_likely_error) == (1, 2 * 15 / 2)


def test_a_taint_above_one_widens_the_basic_precision() -> None:
    sample = ak.sampling.select(population({f"N-{n:03}": 100 for n in range(500)}), 50, seed=3)
    whole = ak.sampling.evaluate(sample, with_taints(sample, ["1"]), 0.95).overstatement
    more = ak.sampling.evaluate(sample, with_taints(sample, ["1.5"]), 0.95).overstatement
    assert more.basic_precision == pytest.approx(Decimal("1.5") * whole.basic_precision, abs=Decimal("0.02"))


def test_an_extension_lowers_the_limit_and_evaluates_as_one_sample() -> None:
    frame = ledger(2000)
    sample = ak.sampling.select(frame, 60, "random", seed=6)
    longer = ak.sampling.extend(sample, 60)
    short, long = (ak.sampling.evaluate(s, as_booked(s), 0.95, "poisson-mus") for s in (sample, longer))
    assert long.n == short.n + 60
    assert long.upper_error_limit < short.upper_error_limit


# ── Strata ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", BOUNDS)
def test_strata_at_one_interval_are_evaluated_as_one(method: str) -> None:
    """With one interval for all, the combined limit is that of one sample with all of the errors."""
    flat = population({f"N-{n:03}": 100 for n in range(400)})
    parted = flat.assign(job=["A" if n < 300 else "B" for n in range(400)])
    sample = ak.sampling.select(parted, {"A": 30, "B": 10}, seed=2, stratum="job")
    whole = ak.sampling.select(flat, 40, seed=2)
    strata = [item for item in sample.items if item.stratum == "B"][:1]
    errors = {sample.items[0].id: 40, strata[0].id: 80}
    made = ak.sampling.evaluate(sample, as_booked(sample, **errors), 0.95, method, tolerable=5_000)
    one = ak.sampling.evaluate(whole, with_taints(whole, ["0.6", "0.2"]), 0.95, method)
    assert (made.most_likely_error, made.upper_error_limit) == (one.most_likely_error, one.upper_error_limit)
    a, b = made.strata
    assert (a.name, a.n, a.book_value, b.name, b.n) == ("A", 30, 30_000, "B", 10)
    assert a.overstatement.most_likely_error + b.overstatement.most_likely_error == made.most_likely_error
    assert a.overstatement.upper_error_limit + b.overstatement.upper_error_limit > made.upper_error_limit
    frame = made.frame
    assert frame["stratum"].tolist() == ["A", "A", "B", "B", "total", "total"]
    assert frame["upper_error_limit"].tolist()[-2] == made.upper_error_limit


def test_a_wider_interval_widens_the_basic_precision_of_all() -> None:
    frame = population({f"N-{n:03}": 100 for n in range(400)})
    frame["job"] = ["A" if n < 300 else "B" for n in range(400)]
    sample = ak.sampling.select(frame, {"A": 50, "B": 5}, seed=2, stratum="job")
    made = ak.sampling.evaluate(sample, as_booked(sample), 0.95)
    assert made.overstatement.basic_precision == made.strata[1].overstatement.basic_precision
    assert made.strata[0].overstatement.basic_precision < made.strata[1].overstatement.basic_precision


# ── Estimators ──────────────────────────────────────────────────────────────────────────────────────────────────────

BOOK = [
    100,
    250,
    90,
    480,
    310,
    120,
    75,
    640,
    220,
    150,
    330,
    410,
    60,
    95,
    205,
    180,
    270,
    350,
    125,
    500,
    140,
    235,
    85,
    390,
]
AUDITED = [
    90,
    240,
    90,
    450,
    300,
    110,
    70,
    610,
    215,
    150,
    320,
    400,
    55,
    90,
    205,
    170,
    260,
    335,
    120,
    480,
    135,
    225,
    80,
    375,
]


def sample_of_items() -> tuple[ak.sampling.Sample, dict, int, Fraction]:
    """24 of 240 items, their audited values, and the population's number and worth."""
    amounts = {f"N-{n:03}": BOOK[n // 10] + n % 10 for n in range(240)}
    sample = ak.sampling.select(population(amounts), 24, "fixed-interval", "item", start=1)
    by_amount = dict(zip(BOOK, AUDITED, strict=True))
    audited = {item.id: Decimal(by_amount[int(item.amount)]) for item in sample.items}
    return sample, audited, 240, Fraction(sum(amounts.values()))


@pytest.mark.parametrize("method", ESTIMATORS)
def test_estimates_are_those_of_the_formulas_written_out(method: str) -> None:
    """Cochran (1977), computed here step by step in floats from the same 24 items."""
    sample, audited, items, worth = sample_of_items()
    x = [float(item.amount) for item in sample.items]
    d = [float(item.amount - audited[item.id]) for item in sample.items]
    n, mean_x, mean_d = len(x), sum(x) / len(x), sum(d) / len(d)
    if method == "difference":
        error, residuals, lost = items * mean_d, [b - mean_d for b in d], 1
    elif method == "ratio":
        ratio = sum(d) / sum(x)
        error, residuals, lost = float(worth) * ratio, [b - ratio * a for a, b in zip(x, d, strict=True)], 1
    else:
        slope = sum((a - mean_x) * (b - mean_d) for a, b in zip(x, d, strict=True)) / sum((a - mean_x) ** 2 for a in x)
        error = items * mean_d + slope * (float(worth) - items * mean_x)
        residuals, lost = [b - mean_d - slope * (a - mean_x) for a, b in zip(x, d, strict=True)], 2
    t = {1: 1.713872, 2: 1.717144}[lost]  # Student's t at 95 %, 23 and 22 degrees of freedom, as tables print it
    precision = t * items * (sum(r * r for r in residuals) / (n - lost) / n * (1 - n / items)) ** 0.5
    made = ak.sampling.evaluate(sample, audited, 0.95, method, tolerable=5_000)
    assert float(made.most_likely_error) == pytest.approx(error, abs=0.01)
    assert precision - 0.001 < float(made.precision) < precision + 0.011  # rounded up to the cent
    assert made.upper_error_limit == made.most_likely_error + made.precision
    assert made.understatement.upper_error_limit == made.precision - made.most_likely_error
    assert made.overstatement.incremental_allowance is None


@pytest.mark.parametrize("method", ESTIMATORS)
def test_estimates_of_strata_add_up(method: str) -> None:
    amounts = {f"N-{n:03}": BOOK[n % 24] for n in range(240)}
    frame = population(amounts).assign(job=["A" if n < 120 else "B" for n in range(240)])
    sample = ak.sampling.select(frame, {"A": 24, "B": 24}, "random", "item", seed=3, stratum="job")
    by_amount = dict(zip(BOOK, AUDITED, strict=True))
    made = ak.sampling.evaluate(sample, {i.id: Decimal(by_amount[int(i.amount)]) for i in sample.items}, 0.95, method)
    a, b = (stratum.overstatement for stratum in made.strata)
    assert made.most_likely_error == pytest.approx(a.most_likely_error + b.most_likely_error, abs=Decimal("0.01"))
    assert max(a.precision, b.precision) < made.precision < a.precision + b.precision


@pytest.mark.parametrize("method", ESTIMATORS)
def test_estimates_of_few_errors_are_refused(method: str) -> None:
    sample, audited, *_ = sample_of_items()
    wrong = [item.id for item in sample.items if audited[item.id] != item.amount]
    right = {item.id: item.amount for item in sample.items}
    nineteen = right | {item: audited[item] for item in wrong[:19]}
    with pytest.raises(
        QuestionRefused, match=f"{method} needs 20 items in error or more for its confidence to hold, f"
    ):
        ak.sampling.evaluate(sample, nineteen, 0.95, method)
    assert (
        ak.sampling.evaluate(sample, right | {i: audited[i] for i in wrong[:20]}, 0.95, method).overstatement.errors
        == 20
    )


# ── Verdicts and refusals ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_verdict_is_against_tolerable_in_both_directions() -> None:
    sample = ak.sampling.select(population({f"N-{n:03}": 100 for n in range(500)}), 50, seed=3)
    clean = ak.sampling.evaluate(sample, as_booked(sample), 0.95)
    assert (clean.accepted, clean.verdict) == (None, "no verdict: no tolerable misstatement was given")
    limit = clean.upper_error_limit
    assert ak.sampling.evaluate(sample, as_booked(sample), 0.95, tolerable=limit).accepted is True
    assert ak.sampling.evaluate(sample, as_booked(sample), 0.95, tolerable=limit - Decimal("0.01")).accepted is False
    under = ak.sampling.evaluate(sample, with_taints(sample, ["-0.5"]), 0.95, tolerable=limit)
    assert under.verdict.startswith("not acceptable: the upper limit of understatement, ")


def test_audited_values_come_as_mapping_series_or_frame() -> None:
    frame = pd.DataFrame({"guid": [1, 2, 3, 4], "total": [Decimal(100)] * 4})
    sample = ak.sampling.select(frame, 3, seed=3)
    values = {item.id: Decimal(90) for item in sample.items}
    table = pd.DataFrame({"guid": list(values), "audited": list(values.values()), "note": "ok"})
    made = [ak.sampling.evaluate(sample, given, 0.95) for given in (values, pd.Series(values), table)]
    assert made[0] == made[1] == made[2]
    assert made[0].audited == tuple(values.items()) and made[0].sample is sample


@pytest.mark.parametrize(
    ("audited", "arguments", "message"),
    [
        ({"a": 1}, {}, "audited: 1 of 2 items have no audited amount: b"),
        ({"a": 1, "b": None}, {}, "audited: 1 of 2 items have no audited amount: b"),
        ({"a": 1, "b": 1, "c": 1}, {}, "audited: 1 items are not in the sample: c"),
        ({"a": 1, "b": 0.5}, {}, "audited: item 'b': expected money as Decimal, found float 0.5"),
        (pd.DataFrame({"id": ["a", "b"]}), {}, "audited: the frame has no column 'audited'; it has id"),
        (
            {"a": 1, "b": 1},
            {"method": "guess"},
            "method: expected stringer, stringer-binomial, poisson-mus, difference",
        ),
        ({"a": 1, "b": 1}, {"factors": "mine"}, "factors: expected exact or printed, found 'mine'"),
        ({"a": 1, "b": 1}, {"confidence": 95}, "confidence: expected a fraction such as 0.95, found 95"),
        ({"a": 1, "b": 1}, {"tolerable": "lots"}, "tolerable: expected a number, found 'lots'"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_in_one_line(
    audited: Mapping | pd.DataFrame, arguments: dict, message: str
) -> None:
    sample = ak.sampling.select(population({"a": 3, "b": 3}), 2, seed=1)
    with pytest.raises(QuestionRefused, match=re.escape(message)) as refused:
        ak.sampling.evaluate(sample, audited, **{"confidence": 0.95, **arguments})
    assert "\n" not in str(refused.value)


def test_a_method_that_does_not_fit_the_sample_is_refused() -> None:
    sample, audited, *_ = sample_of_items()
    with pytest.raises(QuestionRefused, match="stringer needs a sample of money units"):
        ak.sampling.evaluate(sample, audited, 0.95, "stringer")
    money = ak.sampling.select(ledger(100), 60, seed=1)
    wrong = {item.id: item.amount / 2 for item in money.items}
    with pytest.raises(QuestionRefused, match="ratio needs a sample of items"):
        ak.sampling.evaluate(money, wrong, 0.95, "ratio")
