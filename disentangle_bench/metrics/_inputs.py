"""The only validation: wrong arrays fail by name, never as a wrong number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import (
    as_classes,
    as_targets,
    check_option,
    check_seed,
    read_codes,
    read_factors,
    read_integers,
    same_length,
    varies,
)
from ._dependence import warn_of_dependence

__all__ = [
    "NumberSplit",
    "Split",
    "Undefined",
    "check",
    "check_codes",
    "check_labels",
    "check_number_split",
    "check_numbers",
    "check_option",
    "check_sd",
    "check_seed",
    "check_split",
]


class Undefined(ValueError):
    """Nothing is wrong with the arrays, but the metric has no value for so few codes or factors."""


class Split(NamedTuple):
    """Rows to fit on and rows to judge on; factors as classes."""

    codes: NDArray[np.float64]
    factors: NDArray[np.int64]
    test_codes: NDArray[np.float64]
    test_factors: NDArray[np.int64]


class NumberSplit(NamedTuple):
    """Rows to fit on and rows to judge on; factors as numbers, one array (n, 1) or (n, 2) a factor."""

    codes: NDArray[np.float64]
    targets: list[NDArray[np.float64]]
    test_codes: NDArray[np.float64]
    test_targets: list[NDArray[np.float64]]


def check(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    least_codes: int = 1,
    least_factors: int = 1,
    factor_bins: int | None = None,
    independent: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The two arrays as float64 (n, d) and classes int64 (n, f), possibly views of the inputs: read them, never write.

    Whole numbers are classes as they are. A column of fractions has a class a value; one with more than 100 different
    values, or a value for every four rows, is continuous and falls into 20 equal-width bins from its minimum to its
    maximum. `factor_bins` bins every column that way. `independent` warns of correlated factors (`_dependence`).

    Raises
    ------
    ValueError
        Names the argument, what it got and what was expected: not 2-D, not numbers, NaN or infinite (first row and
        column), lengths that differ, too few columns, or a factor with a single value.
    """
    x, y = read_codes(codes, "codes"), read_factors(factors, "factors")
    _fit_together(x, y, least_codes, least_factors)
    classes = as_classes(y, factor_bins)
    if independent:
        warn_of_dependence(classes)
    return x, classes


def check_split(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None,
    test_factors: ArrayLike | None,
    *,
    seed: int,
    least_codes: int = 1,
    least_factors: int = 1,
    factor_bins: int | None = None,
    independent: bool = False,
) -> Split:
    """Training and test rows: as given, or two thirds and one third of the rows by a permutation drawn from `seed`.

    Raises
    ------
    ValueError
        As `check`; one test array without the other; other numbers of columns than in training; a factor that has a
        single value among the training rows.
    """
    x, y, train, test = _split(codes, factors, test_codes, test_factors, seed, least_codes, least_factors)
    classes = as_classes(y, factor_bins)  # of all rows, so that both parts share their bins
    varies(classes[train], "the training part of factors")
    if independent:
        warn_of_dependence(classes[train])
    return Split(x[train], classes[train], x[test], classes[test])


def check_numbers(
    codes: ArrayLike, factors: ArrayLike, cyclic: Mapping[int, float] | None, *, least_codes: int = 1
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Codes (n, d), and a target a factor to be predicted as a number: (n, 1), or (n, 2) for a cyclic one.

    Parameters
    ----------
    cyclic : by column of factors, the period after which it repeats; its target is (cos, sin) of 2 pi v / period

    Raises
    ------
    ValueError
        As `check`, and for a `cyclic` that is no mapping from a column to a number above 0.
    """
    x, y = read_codes(codes, "codes"), read_factors(factors, "factors")
    _fit_together(x, y, least_codes, 1)
    return x, as_targets(y, cyclic)


def check_number_split(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None,
    test_factors: ArrayLike | None,
    cyclic: Mapping[int, float] | None,
    *,
    seed: int,
    least_codes: int = 1,
    least_factors: int = 1,
) -> NumberSplit:
    """As `check_split`, with targets as `check_numbers` has them."""
    x, y, train, test = _split(codes, factors, test_codes, test_factors, seed, least_codes, least_factors)
    varies(y[train], "the training part of factors")
    targets = as_targets(y, cyclic)
    return NumberSplit(x[train], [t[train] for t in targets], x[test], [t[test] for t in targets])


def check_codes(codes: ArrayLike, *, least_codes: int = 1) -> NDArray[np.float64]:
    """Codes (n, d) alone, for metrics that need no factors.

    Raises
    ------
    ValueError
        As `check`.
    """
    x = read_codes(codes, "codes")
    _enough(x, "codes", least_codes)
    return x


def check_sd(sd: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Standard deviations of codes of this shape.

    Raises
    ------
    ValueError
        As `check`; another shape.
    """
    spread = read_codes(sd, "sd")
    if spread.shape != shape:
        raise ValueError(f"sd has shape {spread.shape}, codes has {shape}: one standard deviation a code")
    return spread


def check_labels(labels: ArrayLike, clusters: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Class and cluster of every row, both int64 (n,). Any integers will do: they are names, not positions.

    Raises
    ------
    ValueError
        Not 1-D, not whole numbers, empty, or lengths that differ; names the argument and what it got.
    """
    y, c = read_integers(labels, "labels"), read_integers(clusters, "clusters")
    for name, array in ("labels", y), ("clusters", c):
        if array.ndim != 1 or not len(array):
            raise ValueError(f"{name} must be 1-D, one integer a row, and not empty; got shape {array.shape}")
    same_length(y, c, "labels", "clusters")
    return y, c


def _split(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None,
    test_factors: ArrayLike | None,
    seed: int,
    least_codes: int,
    least_factors: int,
) -> tuple[NDArray[np.float64], NDArray, NDArray[np.intp] | slice, NDArray[np.intp] | slice]:
    """All codes, all factors, and which rows are for fitting and which for judging."""
    check_seed(seed)
    x, y = read_codes(codes, "codes"), read_factors(factors, "factors")
    _fit_together(x, y, least_codes, least_factors)
    if test_codes is None and test_factors is None:
        order = np.random.default_rng(seed).permutation(len(x))
        train, test = np.split(order, [2 * len(x) // 3])
        return x, y, train, test
    if test_codes is None or test_factors is None:
        raise ValueError("test_codes and test_factors: give both or neither")
    test_x, test_y = read_codes(test_codes, "test_codes"), read_factors(test_factors, "test_factors")
    same_length(test_x, test_y, "test_codes", "test_factors")
    for name, given, known in ("codes", test_x, x), ("factors", test_y, y):
        if given.shape[1] != known.shape[1]:
            raise ValueError(f"test_{name} has {given.shape[1]} columns, {name} has {known.shape[1]}: they must agree")
    return np.concatenate([x, test_x]), np.concatenate([y, test_y]), slice(len(x)), slice(len(x), None)


def _fit_together(x: NDArray, y: NDArray, least_codes: int, least_factors: int) -> None:
    same_length(x, y, "codes", "factors")
    _enough(x, "codes", least_codes)
    _enough(y, "factors", least_factors)
    varies(y, "factors")


def _enough(array: NDArray, name: str, least: int) -> None:
    if array.shape[1] < least:
        raise Undefined(f"{name}: this metric compares {name} and needs at least {least}, got {array.shape[1]}")
