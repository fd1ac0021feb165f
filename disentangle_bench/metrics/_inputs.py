"""The only validation: wrong arrays fail by name, never as a wrong number."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

LARGEST = float(np.finfo(np.float32).max)  # beyond it a code has overflowed where it was made: networks run in float32


class Split(NamedTuple):
    """Rows to fit on and rows to judge on."""

    codes: NDArray[np.float64]
    factors: NDArray[np.int64]
    test_codes: NDArray[np.float64]
    test_factors: NDArray[np.int64]


def check(
    codes: ArrayLike, factors: ArrayLike, *, least_codes: int = 1, least_factors: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The two arrays as float64 (n, d) and int64 (n, f), possibly views of the inputs: read them, never write.

    Raises
    ------
    ValueError
        Names the argument, what it got and what was expected: not 2-D, not numbers, NaN or infinite (first row and
        column), factors that are not integers, lengths that differ, too few columns, or a factor with a single value.
    """
    x, y = _codes(codes, "codes"), _factors(factors, "factors")
    _same_length(x, y, "codes", "factors")
    for name, array, least in ("codes", x, least_codes), ("factors", y, least_factors):
        if array.shape[1] < least:
            raise ValueError(f"{name}: this metric compares {name} and needs at least {least}, got {array.shape[1]}")
    _varies(y, "factors")
    return x, y


def check_split(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None,
    test_factors: ArrayLike | None,
    *,
    seed: int,
    least_codes: int = 1,
    least_factors: int = 1,
) -> Split:
    """Training and test rows: as given, or two thirds and one third of the rows by a permutation drawn from `seed`.

    Raises
    ------
    ValueError
        As `check`; one test array without the other; other numbers of columns than in training; a factor that has a
        single value among the training rows.
    """
    x, y = check(codes, factors, least_codes=least_codes, least_factors=least_factors)
    if test_codes is None and test_factors is None:
        order = np.random.default_rng(seed).permutation(len(x))
        train, test = np.split(order, [2 * len(x) // 3])
        _varies(y[train], "the training part of factors")
        return Split(x[train], y[train], x[test], y[test])
    if test_codes is None or test_factors is None:
        raise ValueError("test_codes and test_factors: give both or neither")
    test_x, test_y = _codes(test_codes, "test_codes"), _factors(test_factors, "test_factors")
    _same_length(test_x, test_y, "test_codes", "test_factors")
    for name, test, train in ("codes", test_x, x), ("factors", test_y, y):
        if test.shape[1] != train.shape[1]:
            raise ValueError(f"test_{name} has {test.shape[1]} columns, {name} has {train.shape[1]}: they must agree")
    return Split(x, y, test_x, test_y)


def check_labels(labels: ArrayLike, clusters: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Class and cluster of every row, both int64 (n,). Any integers will do: they are names, not positions.

    Raises
    ------
    ValueError
        Not 1-D, not integers, empty, or lengths that differ; names the argument and what it got.
    """
    y, c = _integers(labels, "labels"), _integers(clusters, "clusters")
    for name, array in ("labels", y), ("clusters", c):
        if array.ndim != 1 or not len(array):
            raise ValueError(f"{name} must be 1-D, one integer a row, and not empty; got shape {array.shape}")
    _same_length(y, c, "labels", "clusters")
    return y, c


def check_option(name: str, value: float, least: float) -> None:
    """Refuse an option below its least sensible value."""
    if not value >= least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def _codes(array: ArrayLike, name: str) -> NDArray[np.float64]:
    x = np.asarray(array)
    if x.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be real numbers, got {x.dtype}")
    _two_dimensional(x, name, "codes")
    bad = ~(np.abs(x, dtype=np.float64) <= LARGEST)  # true for NaN, too
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(f"{name} must be finite float32 numbers, got {x[row, column]} in row {row}, column {column}")
    return x.astype(np.float64, copy=False)


def _factors(array: ArrayLike, name: str) -> NDArray[np.int64]:
    y = _integers(array, name)
    _two_dimensional(y, name, "factors")
    return y


def _integers(array: ArrayLike, name: str) -> NDArray[np.int64]:
    y = np.asarray(array)
    if y.dtype.kind not in "iub":
        raise ValueError(
            f"{name} must be integers (the index of each value), got {y.dtype}; "
            f"if they are whole numbers, pass {name}.astype(int)"
        )
    return y.astype(np.int64, copy=False)


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
