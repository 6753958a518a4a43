"""Selections: published cases, the same sample anywhere, what is split off, and what an extension leaves alone."""

import json
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

import auditkit as ak
from auditkit.analysis.sampling.draws import Numbers
from auditkit.errors import QuestionRefused
from tests.analysis.reference import reference
from tests.analysis.sampling.frames import ledger, population

METHODS = ["fixed-interval", "cell", "random", "sieve"]
MONEY = reference("sampling_cases")["fixed_interval_money"]


def ids(sample: ak.sampling.Sample) -> list:
    return [item.id for item in sample.items]


# ── Published cases ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fixed_interval_of_money() -> None:
    """Touw and Hoogduin (2011), page 34."""
    sample = ak.sampling.select(population(MONEY["values"]), MONEY["n"], start=MONEY["start"])
    assert (ids(sample), [int(point) for point in sample.points]) == (MONEY["selected"], MONEY["points"])
    assert (sample.interval, sample.book_value) == (9, 45)


def test_a_fixed_interval_of_items() -> None:
    """Touw and Hoogduin (2011), page 31."""
    frame = population({"A": 700, "B": 750, "C": 1000, "D": 900, "E": 6000})
    assert ids(ak.sampling.select(frame, 2, unit="item", start="1.2")) == ["B", "D"]


def test_a_fixed_interval_of_amounts_with_four_decimals() -> None:
    case = reference("jfa_interval_selection")
    frame = pd.DataFrame({"id": range(1, 239), "amount": [Decimal(value) for value in case["values"]]})
    sample = ak.sampling.select(frame, case["n"], start=case["start"])
    assert [sample.hits.get(item, 0) for item in range(1, 239)] == case["times"]
    assert min(unit.amount for unit in sample.high_value) >= sample.interval


# ── The same sample ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", METHODS)
def test_rows_in_any_order_give_the_same_sample(method: str) -> None:
    frame = ledger()
    sample = ak.sampling.select(frame, 40, method, seed="2026-11")
    for shuffle in range(3):
        again = ak.sampling.select(frame.sample(frac=1, random_state=shuffle), 40, method, seed="2026-11")
        assert again == sample


def test_samples_are_those_of_every_machine() -> None:
    """Written down once: another machine, Python or library must draw them too."""
    frame = population({f"N-{n:04}": Decimal(n * 7919 % 5003 + 1) / 100 for n in range(30)})
    frame.attrs["snapshot"] = "849ac77375bc"
    drawn = {method: ids(ak.sampling.select(frame, 6, method, seed=1)) for method in METHODS}
    assert drawn == {
        "fixed-interval": ["N-0001", "N-0006", "N-0012", "N-0016", "N-0022", "N-0025"],
        "cell": ["N-0005", "N-0012", "N-0018", "N-0022", "N-0027"],
        "random": ["N-0001", "N-0004", "N-0008", "N-0015", "N-0029"],
        "sieve": ["N-0002", "N-0003", "N-0010", "N-0012", "N-0022", "N-0027"],
    }
    assert ids(ak.sampling.select(frame, 6, "random", "item", seed=1)) == [
        "N-0002",
        "N-0009",
        "N-0013",
        "N-0019",
        "N-0022",
        "N-0023",
    ]
    assert ak.sampling.select(frame, 6, seed=1).population_digest[:16] == "fcc72b0f0c65d415"


def test_a_number_is_sha256_of_what_it_is_for() -> None:
    """The generator as its docstring describes it, computed again in a process that imports nothing of ours."""
    code = (
        "from hashlib import sha256\n"
        "key = sha256(b'auditkit.sampling 1\\n7\\ndigest\\npurpose').digest()\n"
        "print([int.from_bytes(sha256(key + n.to_bytes(8, 'big')).digest(), 'big') % 1000 for n in range(5)])\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    numbers = Numbers(7, "digest", "purpose")
    assert json.loads(printed) == [numbers.below(1000) for _ in range(5)]


def test_another_seed_snapshot_or_amount_gives_another_sample() -> None:
    frame = ledger()
    drawn = {tuple(ids(ak.sampling.select(frame, 40, seed=seed))) for seed in range(5)}
    frame.attrs["snapshot"] = "849ac77375bc"
    drawn.add(tuple(ids(sample := ak.sampling.select(frame, 40, seed=0))))
    assert sample.snapshot == "849ac77375bc"
    frame.loc[0, "amount"] += Decimal("0.01")
    drawn.add(tuple(ids(ak.sampling.select(frame, 40, seed=0))))
    assert len(drawn) == 7


def test_trailing_zeros_do_not_change_a_population() -> None:
    one, other = population({"a": "1.5", "b": "100"}), population({"a": "1.500", "b": "1e2"})
    drawn = [ak.sampling.select(frame, 1, seed=3) for frame in (one, other)]
    assert len({sample.population_digest for sample in drawn}) == 1


def test_ids_that_are_numbers_are_in_order_of_number() -> None:
    frame = pd.DataFrame({"id": [10, 2, 1], "amount": [Decimal(3), Decimal(3), Decimal(3)]})
    assert ids(ak.sampling.select(frame, 3, "fixed-interval", seed=1)) == [1, 2, 10]


# ── What is split off ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", METHODS)
def test_high_value_items_are_all_in_the_sample_and_others_apart(method: str) -> None:
    frame = population({"big": 600, "huge": 900, **{f"s{n}": 10 for n in range(50)}, "credit": "-75.5", "nil": 0})
    sample = ak.sampling.select(frame, 20, method, seed=4)
    assert [unit.id for unit in sample.high_value] == ["big", "huge"]
    assert {item.id: item.why for item in sample.items if item.why == "high value"} == dict.fromkeys(
        ["big", "huge"], "high value"
    )
    assert [(unit.id, unit.amount) for unit in sample.negatives] == [("credit", Decimal("-75.5"))]
    assert [unit.id for unit in sample.zeros] == ["nil"]
    assert sample.book_value == 2000
    (stratum,) = sample.strata
    assert (stratum.items, stratum.sampled_items, stratum.sampled_value) == (52, 50, 500)
    assert sum(item.why == "selected" for item in sample.items) == 5  # 500 of 2,000 at an interval of 100


def test_an_item_worth_exactly_the_interval_is_of_high_value() -> None:
    sample = ak.sampling.select(population({"a": 10, "b": 10, "c": 5, "d": 5}), 3, seed=1)
    assert [unit.id for unit in sample.high_value] == ["a", "b"]


@pytest.mark.parametrize("method", ["fixed-interval", "cell", "random"])
def test_a_sample_of_items_takes_zeros_and_negatives_as_they_are(method: str) -> None:
    frame = population({"a": -5, "b": 0, "c": 5, "d": 900})
    sample = ak.sampling.select(frame, 4, method, "item", seed=1)
    assert sorted(ids(sample)) == ["a", "b", "c", "d"]
    assert (sample.high_value, sample.negatives, sample.zeros, sample.book_value) == ((), (), (), 900)


@pytest.mark.parametrize("method", METHODS)
def test_each_unit_of_money_is_as_likely_as_another(method: str) -> None:
    """Of 400 samples of 5 from 100 in money, an item of 12 (below the interval of 20) is hit in 60 %."""
    frame = population({"a": 12, "b": 4, **{f"x{n:02}": 3 for n in range(28)}})
    drawn = [ak.sampling.select(frame, 5, method, seed=seed) for seed in range(400)]
    for item, share in (("a", 0.60), ("b", 0.20), ("x00", 0.15)):
        assert sum(sample.hits.get(item, 0) for sample in drawn) / 400 == pytest.approx(share, abs=0.09)


# ── Strata ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_strata_share_out_n_by_book_value_or_take_a_number_for_each() -> None:
    frame = population({f"N-{n:04}": 10 for n in range(200)})
    frame["job"] = ["A" if n % 4 else "B" for n in range(200)]
    shared = ak.sampling.select(frame, 40, seed=1, stratum="job")
    assert [(draw.stratum, draw.n) for draw in shared.draws] == [("A", 30), ("B", 10)]
    named = ak.sampling.select(frame, {"A": 5, "B": 25}, seed=1, stratum="job")
    assert [(draw.stratum, draw.n) for draw in named.draws] == [("A", 5), ("B", 25)]
    assert named.interval is None and sum(stratum.items for stratum in named.strata) == 200
    assert {item.stratum for item in named.items} == {"A", "B"}


def test_a_stratum_that_gets_nothing_is_refused() -> None:
    frame = population({"a": 1000, "b": 1}, job=["A", "B"])
    with pytest.raises(QuestionRefused, match="n: 1 is too few for stratum 'B' by its book value"):
        ak.sampling.select(frame, 1, seed=1, stratum="job")
    with pytest.raises(QuestionRefused, match="n: no item is in stratum 'C'"):
        ak.sampling.select(frame, {"A": 1, "C": 1}, seed=1, stratum="job")
    with pytest.raises(QuestionRefused, match="n: stratum 'B' has no number"):
        ak.sampling.select(frame, {"A": 1}, seed=1, stratum="job")


# ── Extensions ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", METHODS)
def test_an_extension_adds_without_changing(method: str) -> None:
    sample = ak.sampling.select(ledger(), 40, method, seed=9)
    longer = ak.sampling.extend(sample, 15)
    assert longer.items[: len(sample.items)] == sample.items
    assert longer.draws[: len(sample.draws)] == sample.draws
    assert longer.n == 55 and {item.round for item in longer.items} == {1, 2}
    assert sum(longer.hits.values()) - sum(sample.hits.values()) == 15
    assert ak.sampling.extend(longer, 5).items[: len(longer.items)] == longer.items


def test_a_random_sample_of_items_extended_is_the_larger_one() -> None:
    sample = ak.sampling.select(ledger(), 40, "random", "item", seed=9)
    larger = ak.sampling.select(ledger(), 60, "random", "item", seed=9)
    assert set(ids(ak.sampling.extend(sample, 20))) == set(ids(larger))


def test_a_sample_that_began_at_a_given_start_can_be_extended() -> None:
    sample = ak.sampling.select(population(MONEY["values"]), MONEY["n"], start=MONEY["start"])
    longer = ak.sampling.extend(sample, 3)
    assert longer.items[:5] == sample.items and longer == ak.sampling.extend(sample, 3)
    assert longer.draws[1].start != ak.sampling.extend(longer, 3).draws[2].start


def test_an_extension_stays_below_high_value_items() -> None:
    frame = population({"big": 900, **{f"s{n}": 10 for n in range(30)}})
    sample = ak.sampling.select(frame, 12, seed=2)
    longer = ak.sampling.extend(sample, 10)
    assert longer.hits["big"] == sample.hits["big"] and longer.high_value == sample.high_value


@pytest.mark.parametrize(
    ("sample", "n", "message"),
    [
        (
            lambda s: s.select(population({"a": 3, "b": 4}), 2, "random", "item", seed=1),
            1,
            "nothing left to select|1 is more than there is",
        ),
        (
            lambda s: s.select(population({"a": "0.02", "b": "0.03"}), 2, "random", seed=1),
            2,
            "n: 2 is more than there is to select: 1 units of 0.01",
        ),
        (lambda s: s.select(population({"a": 3, "b": 3}), 2, seed=1), 1, "nothing left to select"),
    ],
)
def test_what_cannot_be_extended(sample, n: int, message: str) -> None:
    with pytest.raises(QuestionRefused, match=message):
        ak.sampling.extend(sample(ak.sampling), n)


# ── To JSON and back ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", METHODS)
def test_a_sample_comes_back_from_json_as_it_was(method: str, tmp_path: Path) -> None:
    frame = ledger(120)
    frame.attrs["snapshot"] = "849ac77375bc"
    frame["job"] = ["A" if n % 3 else "B" for n in range(120)]
    sample = ak.sampling.extend(ak.sampling.select(frame, 30, method, seed=5, stratum="job"), 6)
    file = tmp_path / "sample.json"
    file.write_text(json.dumps(sample.to_dict()), "utf-8")
    saved = json.loads(file.read_text("utf-8"))
    assert ak.sampling.Sample.from_dict(saved, frame) == sample
    bare = ak.sampling.Sample.from_dict(saved)
    assert bare.items == sample.items and bare.hits == sample.hits
    with pytest.raises(QuestionRefused, match="the sample has no population"):
        ak.sampling.extend(bare, 1)


def test_another_population_is_refused_by_its_digest() -> None:
    saved = ak.sampling.select(ledger(120), 30, seed=5).to_dict()
    with pytest.raises(QuestionRefused, match="is not the population of this sample"):
        ak.sampling.Sample.from_dict(saved, ledger(120, seed=8))


def test_a_sample_is_a_frame_for_whoever_tests_it_and_does_not_change() -> None:
    frame = ledger(50)
    frame.attrs["snapshot"] = "849ac77375bc"
    sample = ak.sampling.select(frame, 10, seed=5)
    shown = sample.frame
    assert shown.columns.tolist() == ["id", "amount", "stratum", "why", "round", "hits"]
    assert shown["id"].tolist() == ids(sample) and all(isinstance(each, Decimal) for each in shown["amount"])
    assert shown.attrs["snapshot"] == "849ac77375bc"
    with pytest.raises(FrozenInstanceError):
        sample.seed = 6


# ── Columns, and what is refused ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"guid": ["a", "b"], "total": [Decimal(3), Decimal(3)]}),
        pd.DataFrame({"total": [Decimal(3), Decimal(3)]}, index=pd.Index(["a", "b"], name="guid")),
        pd.DataFrame({"id": ["a", "b"], "amount": [3, 3], "vendor": ["x", "y"], "lines": [1, 9]}),
        pd.DataFrame({"id": ["a", "b"], "total": [Decimal(3), Decimal(3)], "lines": [1, 9]}),
    ],
)
def test_columns_that_can_be_meant_need_no_name(frame: pd.DataFrame) -> None:
    sample = ak.sampling.select(frame, 2, seed=1)
    assert (ids(sample), sample.book_value) == (["a", "b"], 6)


@pytest.mark.parametrize(
    ("frame", "arguments", "message"),
    [
        ({"id": ["a"], "amount": [1.5]}, {}, "item 'a': expected money as Decimal, found float 1.5"),
        ({"id": ["a"], "amount": [None]}, {}, "item 'a' has no amount: leave the row out, or give it one"),
        ({"id": ["a"], "amount": [Decimal("NaN")]}, {}, "item 'a' has no amount"),
        ({"id": ["a", "a"], "amount": [1, 2]}, {}, "id: 'a' occurs twice; a sample needs unique ids"),
        ({"id": ["a", None], "amount": [1, 2]}, {}, "id: an item has no id; a sample needs one for each"),
        ({"amount": [1, 2]}, {}, "pass id=, the column of the id: no column can be it"),
        ({"a": ["x"], "b": [1], "c": [2]}, {}, "pass amount=, the column of the amount: it may be b, c"),
        ({"id": ["a"], "amount": [1]}, {"amount": "amout"}, "the frame has no column 'amout'; did you mean amount?"),
        ({"id": ["a"], "amount": [0]}, {}, "there is nothing to select: no item has an amount above 0"),
        ({"id": ["a"], "amount": [1]}, {"n": 0}, "n: expected a whole number, 1 or more, found 0"),
        ({"id": ["a"], "amount": [1]}, {"n": 101}, "n: 101 is more than there is to select: 100 units of 0.01"),
        ({"id": ["a"], "amount": [1]}, {"n": 2, "unit": "item"}, "n: 2 is more than there is to select: 1 items"),
        ({"id": ["a"], "amount": [1]}, {"seed": None}, "pass seed=, any number or text you write down"),
        ({"id": ["a"], "amount": [1]}, {"seed": 1.5}, "seed: expected a whole number or a text, found float"),
        ({"id": ["a"], "amount": [1]}, {"start": 2}, "start: expected above 0 and at most the interval 1.00, found 2"),
        ({"id": ["a"], "amount": [1]}, {"start": 1, "method": "cell"}, "start: only fixed-interval has a start"),
        ({"id": ["a"], "amount": [1]}, {"method": "block"}, "method: expected fixed-interval, cell, random, sieve"),
        ({"id": ["a"], "amount": [1]}, {"unit": "row"}, "unit: expected money or item, found 'row'"),
        ({"id": ["a"], "amount": [1]}, {"unit": "item", "method": "sieve"}, "sieve is for unit='money'"),
    ],
)
def test_what_cannot_be_selected_is_refused_in_one_line(frame: dict, arguments: dict, message: str) -> None:
    with pytest.raises(QuestionRefused, match=re.escape(message)) as refused:
        ak.sampling.select(pd.DataFrame(frame, dtype=object), **{"n": 1, "seed": 1, **arguments})
    assert "\n" not in str(refused.value)
