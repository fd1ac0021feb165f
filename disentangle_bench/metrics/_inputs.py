"""The only validation: wrong arrays fail by name, never as a wrong number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._dependence import warn_of_dependence
from ._information import discretise

LARGEST = float(np.finfo(np.float32).max)  # beyond it a code has overflowed where it was made: networks run in float32

EXACT = 2.0**53  # integers up to here are exact as floats


FACTOR_BINS = 20  # of a continuous factor
MOST_CLASSES = 100  # a column of fractions with more different values than this is continuous


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
    x, y = _codes(codes, "codes"), _factors(factors, "factors")
    _fit_together(x, y, least_codes, least_factors)
    classes = _classes(y, factor_bins)
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
    classes = _classes(y, factor_bins)  # of all rows, so that both parts share their bins
    _varies(classes[train], "the training part of factors")
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
    x, y = _codes(codes, "codes"), _factors(factors, "factors")
    _fit_together(x, y, least_codes, 1)
    return x, _targets(y, cyclic)


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
    _varies(y[train], "the training part of factors")
    targets = _targets(y, cyclic)
    return NumberSplit(x[train], [t[train] for t in targets], x[test], [t[test] for t in targets])


def check_codes(codes: ArrayLike, *, least_codes: int = 1) -> NDArray[np.float64]:
    """Codes (n, d) alone, for metrics that need no factors.

    Raises
    ------
    ValueError
        As `check`.
    """
    x = _codes(codes, "codes")
    _enough(x, "codes", least_codes)
    return x


def check_sd(sd: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Standard deviations of codes of this shape.

    Raises
    ------
    ValueError
        As `check`; another shape.
    """
    spread = _codes(sd, "sd")
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
    y, c = _integers(labels, "labels"), _integers(clusters, "clusters")
    for name, array in ("labels", y), ("clusters", c):
        if array.ndim != 1 or not len(array):
            raise ValueError(f"{name} must be 1-D, one integer a row, and not empty; got shape {array.shape}")
    _same_length(y, c, "labels", "clusters")
    return y, c


def check_option(name: str, value: object, least: int) -> None:
    """Refuse an option that is no whole number, or below its least sensible value."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")


def check_seed(seed: object) -> None:
    """Refuse a seed that not everything drawn from it would take."""
    check_option("seed", seed, 0)
    if seed >= 2**32:  # type: ignore[operator]
        raise ValueError(f"seed must be below 2**32, got {seed}")


def _codes(array: ArrayLike, name: str) -> NDArray[np.float64]:
    x = _array(array, name)
    if x.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be real numbers, got {x.dtype}; if they are, pass them as .astype(float)")
    _two_dimensional(x, name, "codes")
    bad = ~(np.abs(x, dtype=np.float64) <= LARGEST)  # true for NaN, too
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(f"{name} must be finite float32 numbers, got {x[row, column]} in row {row}, column {column}")
    return x.astype(np.float64, copy=False)


def _factors(array: ArrayLike, name: str) -> NDArray:
    """(n, f) integers, or float64 where a value is a fraction."""
    y = _array(array, name)
    if y.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be real numbers (a value, or its index), got {y.dtype}")
    _two_dimensional(y, name, "factors")
    if y.dtype.kind == "f":
        bad = ~(np.abs(y, dtype=np.float64) <= LARGEST)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise ValueError(
                f"{name} must be finite float32 numbers, got {y[row, column]} in row {row}, column {column}"
            )
        if not (y == np.rint(y)).all():
            return y.astype(np.float64, copy=False)
    return _integers(y, name)


def _classes(y: NDArray, bins: int | None) -> NDArray[np.int64]:
    """A class a value, (n, f); see `check`."""
    if bins is not None:
        check_option("factor_bins", bins, 2)
        return discretise(y.astype(np.float64), bins)
    if y.dtype.kind == "i":
        return y
    columns = []
    for column in y.T:
        if (column == np.rint(column)).all():
            columns.append(_integers(column, "factors"))
            continue
        values, classes = np.unique(column, return_inverse=True)
        continuous = len(values) > min(MOST_CLASSES, len(column) / 4)
        columns.append(discretise(column[:, None], FACTOR_BINS)[:, 0] if continuous else classes)
    return np.stack(columns, axis=1)


def _targets(y: NDArray, cyclic: Mapping[int, float] | None) -> list[NDArray[np.float64]]:
    periods = dict(cyclic or {})
    for column, period in periods.items():
        if not isinstance(column, int | np.integer) or not 0 <= column < y.shape[1] or not 0 < period < np.inf:
            raise ValueError(
                f"cyclic must map a column of factors (0 to {y.shape[1] - 1}) to its period, got {column!r}: {period!r}"
            )
    angles = {k: 2 * np.pi * y[:, k] / period for k, period in periods.items()}
    return [
        np.stack([np.cos(angles[k]), np.sin(angles[k])], axis=1) if k in angles else y[:, [k]].astype(np.float64)
        for k in range(y.shape[1])
    ]


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
    x, y = _codes(codes, "codes"), _factors(factors, "factors")
    _fit_together(x, y, least_codes, least_factors)
    if test_codes is None and test_factors is None:
        order = np.random.default_rng(seed).permutation(len(x))
        train, test = np.split(order, [2 * len(x) // 3])
        return x, y, train, test
    if test_codes is None or test_factors is None:
        raise ValueError("test_codes and test_factors: give both or neither")
    test_x, test_y = _codes(test_codes, "test_codes"), _factors(test_factors, "test_factors")
    _same_length(test_x, test_y, "test_codes", "test_factors")
    for name, given, known in ("codes", test_x, x), ("factors", test_y, y):
        if given.shape[1] != known.shape[1]:
            raise ValueError(f"test_{name} has {given.shape[1]} columns, {name} has {known.shape[1]}: they must agree")
    return np.concatenate([x, test_x]), np.concatenate([y, test_y]), slice(len(x)), slice(len(x), None)


def _fit_together(x: NDArray, y: NDArray, least_codes: int, least_factors: int) -> None:
    _same_length(x, y, "codes", "factors")
    _enough(x, "codes", least_codes)
    _enough(y, "factors", least_factors)
    _varies(y, "factors")


def _enough(array: NDArray, name: str, least: int) -> None:
    if array.shape[1] < least:
        raise ValueError(f"{name}: this metric compares {name} and needs at least {least}, got {array.shape[1]}")


def _integers(array: ArrayLike, name: str) -> NDArray[np.int64]:
    y = _array(array, name)
    if y.dtype.kind not in "fiub" or (y.dtype.kind == "f" and not (y == np.rint(y)).all()):
        raise ValueError(f"{name} must be whole numbers (the index of each value), got {y.dtype}")
    if y.size and max(float(y.max()), -float(y.min())) > EXACT:
        raise ValueError(f"{name} must lie within +-2**53, got {y.min()} to {y.max()}; number its values from 0")
    return y.astype(np.int64, copy=False)


def _array(array: Any, name: str) -> NDArray:
    """As numpy, a torch tensor from wherever it is."""
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        array = array.float() if "bfloat16" in str(array.dtype) else array
    if np.ma.is_masked(array):
        raise ValueError(f"{name} has masked entries: drop their rows")
    return np.asarray(array)


def _two_dimensional(array: NDArray, name: str, columns: str) -> None:
    if array.ndim != 2 or 0 in array.shape:
        hint = f"; a single column is {name}[:, None]" if array.ndim == 1 else ""
        raise ValueError(f"{name} must be 2-D, (rows, {columns}), and not empty; got shape {array.shape}{hint}")


def _same_length(a: NDArray, b: NDArray, a_name: str, b_name: str) -> None:
    if len(a) != len(b):
        raise ValueError(f"{a_name} has {len(a)} rows, {b_name} has {len(b)}: they must agree")


def _varies(factors: NDArray, name: str) -> None:
    constant = np.flatnonzero(np.ptp(factors, axis=0) == 0)
    if len(constant):
        raise ValueError(
            f"{name}: column {constant[0]} has the single value {factors[0, constant[0]]} in all {len(factors)} rows, "
            "so there is nothing to find out about it; drop it"
        )
