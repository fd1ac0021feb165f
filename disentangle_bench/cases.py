"""Codes whose quality is known. A case changes one thing about codes by levels; one of the levels is the base.

The base of most is a good code: 1,000 rows, four independent uniform factors of 3, 4, 6 and 6 values, a code a factor:
its value, standardised, and noise of standard deviation 0.2 (perfect codes would hide much: scores at their ceiling do
not move). All levels share a seed's random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .rng import stream

SIZES = (3, 4, 6, 6)  # values of the factors; the last two can have any correlation, for they have equally many
ROWS = 1_000
NOISE = 0.2  # of a good code; the closest values of a factor are 0.59 apart
POSTERIOR_SD = 0.1  # of every code, for metrics that read a posterior's means and standard deviations
F = TypeVar("F", bound=Callable)


class Sample(NamedTuple):
    codes: NDArray[np.float64]  # (n, d)
    sd: NDArray[np.float64]  # (n, d)
    factors: NDArray[np.int64]  # (n, 4)


class Case(NamedTuple):
    """`make(seed, level)` draws it; its docstring says what it does (`text`) and what a metric should do (`wanted`)."""

    name: str
    make: Callable[[int, float], Sample]
    unit: str
    levels: tuple[float, ...]
    base: float
    option: str  # of a metric, which is the level; usually none
    text: str
    wanted: str


CASES: dict[str, Case] = {}


def case(name: str, unit: str, levels: tuple[float, ...], *, base: float, option: str = "") -> Callable[[F], F]:
    """Decorator that adds a function to `CASES`."""

    def add(make: F) -> F:
        text, wanted = ((make.__doc__ or "").split("\n\n") + [""])[:2]
        CASES[name] = Case(name, make, unit, levels, base, option, text.strip(), wanted.strip())
        return make

    return add


def perfect(seed: int, rows: int = ROWS, correlation: float = 0.0) -> Sample:
    """Factors, and codes that are their values standardised by mean and deviation of the distribution.

    With `correlation` r the last factor copies the one before in a share r of the rows: Pearson's correlation of the
    two and Cramer's V are then both r.
    """
    rng, k = stream(seed, "stress factors"), np.array(SIZES)
    factors = rng.integers(SIZES, size=(rows, len(SIZES)))
    copied = rng.random(rows) < correlation
    factors[copied, 3] = factors[copied, 2]
    return _sample((factors - (k - 1) / 2) / np.sqrt((k**2 - 1) / 12), factors)


def good(seed: int, rows: int = ROWS, correlation: float = 0.0, sd: float = NOISE) -> Sample:
    """Perfect codes and Gaussian noise."""
    codes, _, factors = perfect(seed, rows, correlation)
    return _sample(codes + sd * _normal(seed, "noise", *codes.shape), factors)


def _sample(codes: NDArray, factors: NDArray) -> Sample:
    return Sample(codes, np.full(codes.shape, POSTERIOR_SD), factors)


def _normal(seed: int, purpose: str, *shape: int) -> NDArray:
    return stream(seed, f"stress {purpose}").normal(size=shape)


@case("noise", "standard deviation", (0, 0.1, 0.2, 0.5, 1, 2), base=0)
def noise(seed: int, sd: float) -> Sample:
    """Gaussian noise is added to perfect codes, whose own standard deviation is 1.

    A score should fall steadily: less is known of the factors.
    """
    return good(seed, sd=sd)


@case("rotation", "degrees", (0, 5, 15, 30, 45), base=0)
def rotation(seed: int, degrees: float) -> Sample:
    """Codes 1 and 2, and codes 3 and 4, are rotated in their plane; at 45 degrees each holds two factors equally.

    A score of disentanglement should fall. One of informativeness should not: nothing is lost.
    """
    codes, _, factors = good(seed)
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return _sample(codes @ np.kron(np.eye(2), [[c, s], [-s, c]]), factors)


@case("copies", "times each code is there", (1, 2, 3, 4), base=1)
def copies(seed: int, times: float) -> Sample:
    """Every code is repeated exactly.

    Scores of completeness (one code a factor) should fall; scores of modularity (one factor a code) should not.
    """
    codes, _, factors = good(seed)
    return _sample(np.repeat(codes, int(times), axis=1), factors)


@case("idle codes", "codes added", (0, 1, 2, 5, 10, 20), base=0)
def idle(seed: int, extra: float) -> Sample:
    """Codes of standard normal noise are added to the good ones.

    No change, for a reader ignores them. What changes takes chance for knowledge, or is an average over all codes.
    """
    codes, _, factors = good(seed)
    return _sample(np.hstack([codes, _normal(seed, "idle", len(codes), 20)[:, : int(extra)]]), factors)


@case("constant codes", "codes added", (0, 1, 2, 5), base=0)
def constant(seed: int, extra: float) -> Sample:
    """Codes with the value 0.1 in every row are added to the good ones.

    No change: models leave such codes where they have spare units.
    """
    codes, _, factors = good(seed)
    return _sample(np.hstack([codes, np.full((len(codes), int(extra)), 0.1)]), factors)


@case("missing codes", "codes taken away", (0, 1, 2, 3), base=0)
def missing(seed: int, gone: float) -> Sample:
    """The last codes are taken away, and with each all knowledge of a factor; the factors stay.

    A score of informativeness should fall. One of modularity need not.
    """
    codes, _, factors = good(seed)
    return _sample(codes[:, : len(SIZES) - int(gone)], factors)


@case("order and sign", "0: as it was, 1: changed", (0, 1), base=0)
def order(seed: int, changed: float) -> Sample:
    """The codes come in another order and with the other sign.

    No change: both are arbitrary.
    """
    codes, _, factors = good(seed)
    return _sample(-codes[:, [2, 0, 3, 1]] if changed else codes, factors)


@case("scale of all", "factor", (0.01, 0.1, 1, 10, 100), base=1)
def scale_all(seed: int, factor: float) -> Sample:
    """All codes are multiplied by one factor.

    No change, for the unit of a code is arbitrary. What changes is regularised, or has an absolute threshold.
    """
    codes, sd, factors = good(seed)
    return Sample(codes * factor, sd * factor, factors)


@case("scale of one", "factor", (0.01, 0.1, 1, 10, 100), base=1)
def scale_one(seed: int, factor: float) -> Sample:
    """The last code alone is multiplied by a factor.

    No change, as before. What changes weighs codes by their variance or distance, or has an absolute threshold.
    """
    codes, sd, factors = good(seed)
    return Sample(codes * [1, 1, 1, factor], sd * [1, 1, 1, factor], factors)


@case("monotone", "exponent p", (0.2, 0.5, 1, 2, 5), base=1)
def power(seed: int, p: float) -> Sample:
    """Each code z becomes sign(z) |z|^p, which keeps the order of its values.

    No change where any invertible function of a factor is as good; linear metrics take it for a loss.
    """
    codes, _, factors = good(seed)
    return _sample(np.sign(codes) * np.abs(codes) ** p, factors)


@case("heavy tails", "strength s", (0, 0.5, 1, 2, 3), base=0)
def tails(seed: int, s: float) -> Sample:
    """Each code z becomes (exp(s z) - 1) / s, a lognormal variable if z were normal; 0 stands for z itself.

    No change where any invertible function of a factor is as good; bins of equal width go by the farthest row.
    """
    codes, _, factors = good(seed)
    return _sample(np.expm1(s * codes) / s if s else codes, factors)


@case("one outlier", "standard deviations away", (0, 10, 100, 1000), base=0)
def outlier(seed: int, distance: float) -> Sample:
    """All codes of a single row in 1,000 are moved away.

    No change beyond 0.001: all other rows are as they were.
    """
    codes, _, factors = good(seed)
    return _sample(np.vstack([codes[:1] + distance, codes[1:]]), factors)


@case("bins", "bins", (5, 10, 20, 50, 100), base=20, option="bins")
def bins(seed: int, number: float) -> Sample:
    """The metric's option `bins`.

    Little change; otherwise numbers from other bins do not compare.
    """
    return good(seed)


@case("correlation", "correlation", (0, 0.25, 0.5, 0.75, 0.95), base=0)
def correlation(seed: int, r: float) -> Sample:
    """The last factor copies the one before in a share of the rows; each code is still of one factor alone.

    No change, for the codes are as good as before. What changes was defined for independent factors.
    """
    return good(seed, correlation=r)


@case("rows", "rows", (100, 300, 1000, 3000, 10_000), base=10_000)
def rows(seed: int, number: float) -> Sample:
    """The number of rows.

    Little change. A trend is bias, and scores from other numbers of rows do not compare.
    """
    return good(seed, int(number))


@case("rows of noise", "rows", (100, 300, 1000, 3000, 10_000), base=10_000)
def rows_of_noise(seed: int, number: float) -> Sample:
    """The number of rows, for four codes of pure noise.

    No change from the level of knowing nothing; a rise at few rows is chance taken for knowledge.
    """
    return _sample(_normal(seed, "only noise", int(number), 4), perfect(seed, int(number)).factors)


@case("codes of noise", "codes", (2, 4, 10, 20), base=4)
def codes_of_noise(seed: int, number: float) -> Sample:
    """The number of codes, all of pure noise, in 1,000 rows.

    No change; a rise with width is the best of many chances.
    """
    return _sample(_normal(seed, "only noise", ROWS, 20)[:, : int(number)], perfect(seed).factors)
