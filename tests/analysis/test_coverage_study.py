"""Stated confidences hold in simulation: the quick form of `make coverage-study`."""

import pytest

from benchmarks.coverage_study import Line, study

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return list(study(populations=200, seed=11))


@pytest.mark.parametrize("method", ["attribute limit", "stringer", "stringer-binomial", "poisson-mus"])
def test_the_stated_confidence_covers(lines: list[Line], method: str) -> None:
    """Each scenario may miss it by chance: 200 populations at 95 % have a standard error of 1.5 points."""
    own = [line for line in lines if line.method == method]
    assert len(own) >= 24 and all(line.required for line in own)
    assert [str(line) for line in own if line.coverage < line.confidence - 0.06] == []
    assert sum(line.coverage - line.confidence for line in own) > 0


@pytest.mark.parametrize("method", ["difference", "ratio", "regression"])
def test_estimates_from_few_errors_do_not_cover_so_they_are_refused(lines: list[Line], method: str) -> None:
    few = [line for line in lines if line.method == method and "2% in error, all" in line.scenario]
    assert [0.4 < line.coverage < 0.7 for line in few] == [True]
