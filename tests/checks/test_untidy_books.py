"""Untidy books with the whole truth known: what is billed is found, and what is not is not. No seed was tuned on."""

import pytest

from benchmarks.linking import figures, linked
from benchmarks.untidy import untidy


@pytest.mark.parametrize("seed", [6, 11])
def test_links_on_untidy_books(seed):
    world = untidy(seed, jobs=150)
    pairs, unbilled, _ = linked(world)
    found = figures(world, pairs, unbilled)
    assert found.precision >= 0.999
    assert found.recall >= 0.96  # 0.97 over many jobs
    assert found.billed_called_unbilled <= 0.01
    assert found.unbilled_charged <= 0.01


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(20, 30))
def test_links_on_many_untidy_books(seed):
    world = untidy(seed, jobs=600)
    pairs, unbilled, _ = linked(world)
    found = figures(world, pairs, unbilled)
    assert found.precision >= 0.999
    assert found.recall >= 0.97
    assert found.billed_called_unbilled <= 0.01
    assert found.unbilled_charged <= 0.01
