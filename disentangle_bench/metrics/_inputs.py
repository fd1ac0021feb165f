"""The only validation: wrong arrays fail by name, never as a wrong number."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

LARGEST = float(np.finfo(np.float32).max)  # beyond it a code has overflowed where it was made: networks run in float32

EXACT = 2.0**53  # integers up to here are exact as floats


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
        column), factors that are not whole, lengths that differ, too few columns, or a factor with a single value.
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
    check_seed(seed)
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


def _factors(array: ArrayLike, name: str) -> NDArray[np.int64]:
    y = _integers(array, name)
    _two_dimensional(y, name, "factors")
    return y


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
