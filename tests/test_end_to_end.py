"""From two HTTP APIs to findings: recall and precision against what was planted, and the statement's difference."""

import itertools
from collections.abc import Iterable
from pathlib import Path

import pytest

import auditkit as ak
from auditkit.sandbox.dataset import DEFAULT, build
from auditkit.sandbox.faults import FAULTS
from auditkit.sandbox.world import Body, World
from tests.sandbox.truth import drafts_of, truth_of
from tests.served import point, serving

# What a vendor may do on a read. Every pair of values of two switches is in one of the runs below.
SWITCHES = {
    "list_shape": ("array", "value"),
    "stub_key": ("guid", "id"),
    "numbers": ("strings", "numbers"),
    "jobnimbus_numbers": ("numbers", "strings"),
    "order": ("created", "stable-random", "random-per-request"),
    "list_rows": ("full", "slim"),
    "deleted": ("listed", "hidden"),
    "count": ("account", "filter"),
    "filter": ("honored", "ignored"),
}


def pairwise(switches: dict[str, tuple[str, ...]]) -> list[dict[str, str]]:
    """A few runs in which each pair of values occurs: greedily, the run that covers most of what is left."""
    pairs = {
        ((a, x), (b, y))
        for (a, xs), (b, ys) in itertools.combinations(switches.items(), 2)
        for x, y in itertools.product(xs, ys)
    }
    every = [dict(zip(switches, values, strict=True)) for values in itertools.product(*switches.values())]
    runs = []
    while pairs:
        best = max(every, key=lambda run: len(pairs & set(itertools.combinations(run.items(), 2))))
        pairs -= set(itertools.combinations(best.items(), 2))
        runs.append(best)
    return runs


def after_a_gap(invoices: Iterable[Body]) -> set[str]:
    bearers = {int(body["number"].removeprefix("INV-")): body["jnid"] for body in invoices if body["number"]}
    return {jnid for number, jnid in bearers.items() if number - 1 not in bearers and number != min(bearers)}


def expected(world: World, *, deleted: str = "listed") -> dict[str, set[str]]:
    """What was planted. A vendor that hides deleted invoices leaves their NRBs' marks without an invoice, and gaps."""
    truth = {rule: set(subjects) for rule, subjects in {**truth_of(world), **drafts_of(world)}.items()}
    if deleted == "hidden":
        truth["invoice-gap"] = after_a_gap(body for body in world.invoices if body["is_active"] is not False)
        truth["nrb-billed-not-found"] = truth["nrb-billed-not-found"] | truth["nrb-billed-on-void"]
        truth["nrb-billed-on-void"] = set()
    return truth


def assert_equals_truth(audit: ak.Audit, truth: dict[str, set[str]]) -> None:
    rules = set(audit.by_rule()["rule_id"])
    found = {rule: set[str]() for rule in rules}
    for rule, subject in zip(audit.findings()["rule_id"], audit.findings()["subject_id"], strict=True):
        found[rule].add(subject)
    assert found == {rule: truth.get(rule, set()) for rule in rules}
    last = audit.statement().iloc[-1]
    assert (last["code"], last["amount"], last["gross"]) == ("difference", 0, 0)


def unread_money(world: World) -> set[str]:
    """The fields of money that were planted unreadable; a flag that cannot be read is a finding alone."""
    records = [record for job in world.hosts for record in (*job.nrbs, *job.invoices)]
    return {field for record in records for field, _ in record.malformed} - {"isInternal"}


EVERY_FAULT = {**dict.fromkeys(FAULTS, 2), **DEFAULT}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, *(pytest.param(seed, marks=pytest.mark.campaign) for seed in (12, 13))])
def test_recall_and_precision_are_one(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = build(seed=seed, faults=EVERY_FAULT)
    with serving(world, tmp_path) as address:
        point(monkeypatch, address, tmp_path / "home")
        with ak.open() as audit:
            audit.sync()
            assert_equals_truth(audit, expected(world))
            assert audit.about["verdict"] == ("incomplete" if unread_money(world) else "findings")


@pytest.mark.slow
@pytest.mark.parametrize("behaviors", pairwise(SWITCHES), ids=lambda behaviors: "-".join(behaviors.values()))
def test_whatever_the_vendors_do(behaviors: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = build(seed=21, nrbs=600, faults=EVERY_FAULT)
    with serving(world, tmp_path, **behaviors) as address:
        point(monkeypatch, address, tmp_path / "home")
        with ak.open() as audit:
            audit.sync()
            assert_equals_truth(audit, expected(world, deleted=behaviors["deleted"]))


def test_a_clean_world_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = build(seed=31, nrbs=150, faults={})
    with serving(world, tmp_path) as address:
        point(monkeypatch, address, tmp_path / "home")
        with ak.open() as audit:
            audit.sync()
            assert_equals_truth(audit, {})
            assert audit.about["verdict"] == "clean"


def test_pairs_are_all_there() -> None:
    runs = pairwise(SWITCHES)
    for (a, xs), (b, ys) in itertools.combinations(SWITCHES.items(), 2):
        for x, y in itertools.product(xs, ys):
            assert any(run[a] == x and run[b] == y for run in runs)
    assert len(runs) < 12
