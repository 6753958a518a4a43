"""Random numbers that are the same on every machine, and the ways to draw with them.

A number is SHA-256 of the seed, the population's digest, what it is drawn for, and a counter: no library's generator is
involved, whose sequence a new version may change. The digest is part of it so that a seed gives nothing away about
another population. Each way of drawing gives positions in a list of sizes; it knows nothing of ids or money.
"""

import hashlib
import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

__all__ = ["Numbers", "Point", "cells", "every", "random_points", "shuffled", "sieve"]

_RANGE = 1 << 256


@dataclass(frozen=True)
class Point:
    """One selection: where it fell in the running total of the sizes (counted from 1), and which of them it hit."""

    at: Fraction
    index: int


class Numbers:
    """A sequence of random numbers for one purpose: `seed`, `digest` and `purpose` give it, and nothing else does."""

    def __init__(self, seed: int | str, digest: str, purpose: str) -> None:
        self._key = hashlib.sha256(f"auditkit.sampling 1\n{seed}\n{digest}\n{purpose}".encode()).digest()
        self._drawn = 0

    def below(self, bound: int) -> int:
        """A whole number from 0 to `bound` − 1, each as likely as another."""
        while True:
            drawn = hashlib.sha256(self._key + self._drawn.to_bytes(8, "big")).digest()
            self._drawn += 1
            number = int.from_bytes(drawn, "big")
            if number < _RANGE - _RANGE % bound:
                return number % bound

    def of(self, name: object) -> int:
        """A whole number below 2²⁵⁶ that belongs to a name, whatever was drawn before."""
        return int.from_bytes(hashlib.sha256(self._key + repr(name).encode()).digest(), "big")


def every(sizes: Sequence[int], interval: Fraction, start: Fraction) -> list[Point]:
    """The sizes that a point each `interval` hits, the first at `start`."""
    total = sum(sizes)
    return _hit(sizes, (start + step * interval for step in range(1 + math.floor((total - start) / interval))))


def cells(sizes: Sequence[int], interval: Fraction, count: int, numbers: Numbers) -> list[Point]:
    """The sizes that a random point in each of `count` cells of one width hits."""
    return _hit(sizes, (step * interval + 1 + numbers.below(math.floor(interval)) for step in range(count)))


def random_points(sizes: Sequence[int], count: int, numbers: Numbers, taken: Iterable[int] = ()) -> list[Point]:
    """The sizes that `count` different random points hit, in the order drawn; none at a place that is taken."""
    total, used, points = sum(sizes), set(taken), list[Fraction]()
    while len(points) < count:
        at = 1 + numbers.below(total)
        if at not in used:
            used.add(at)
            points.append(Fraction(at))
    return _hit(sizes, points)


def sieve(sizes: Sequence[int], count: int, names: Sequence[object], numbers: Numbers) -> list[int]:
    """The positions of the `count` greatest size ÷ random number: modified sieve sampling, each at most once.

    Hoogduin, Hall and Tsay, "Modified Sieve Sampling", AUDITING 29 (2010).
    """
    ratio = {index: Fraction(size, 1 + numbers.of(names[index])) for index, size in enumerate(sizes)}
    return sorted(ratio, key=lambda index: (-ratio[index], index))[:count]


def shuffled(names: Sequence[object], numbers: Numbers) -> list[int]:
    """The positions of names in a random order that does not depend on which other names there are."""
    return sorted(range(len(names)), key=lambda index: (numbers.of(names[index]), index))


def _hit(sizes: Sequence[int], points: Iterable[Fraction | int]) -> list[Point]:
    running = list(accumulate(sizes))
    return [Point(Fraction(at), bisect_left(running, at)) for at in points]
