"""Arrays as metrics compute with them: what is no number, no table or not finite is refused by name."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._dependence import outside
from ._information import discretise

LARGEST = float(np.finfo(np.float32).max)  # beyond it a code has overflowed where it was made: networks run in float32
FINEST = float(np.finfo(np.float32).smallest_subnormal)
EXACT = 2.0**53  # integers up to here are exact as floats
FACTOR_BINS = 20  # of a continuous factor
MOST_CLASSES = 100  # a column of fractions with more different values than this is continuous


def check_option(name: str, value: object, least: int) -> None:
    """Refuse an option that is no whole number, or below its least sensible value."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")


def check_seed(seed: object) -> None:
    """Refuse a seed that not everything drawn from it would take."""
    check_option("seed", seed, 0)
    if seed >= 2**32:  # type: ignore[operator]
        raise ValueError(f"seed must be below 2**32, got {seed}")


def read_codes(array: ArrayLike, name: str) -> NDArray[np.float64]:
    x = as_array(array, name)
    if x.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be real numbers, got {x.dtype}; if they are, pass them as .astype(float)")
    two_dimensional(x, name, "codes")
    bad = ~(np.abs(x, dtype=np.float64) <= LARGEST)  # true for NaN, too
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(f"{name} must be finite float32 numbers, got {x[row, column]} in row {row}, column {column}")
    x = x.astype(np.float64, copy=False)
    spread = np.ptp(x, axis=0)
    fine = np.flatnonzero((spread > 0) & (spread < FINEST))
    if len(fine):
        raise ValueError(
            f"{name}: column {fine[0]} varies by {spread[fine[0]]} only, less than float32 can tell; scale it"
        )
    return x


def read_factors(array: ArrayLike, name: str) -> NDArray:
    """(n, f) integers, or float64 where a value is a fraction."""
    y = as_array(array, name)
    if y.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be real numbers (a value, or its index), got {y.dtype}")
    two_dimensional(y, name, "factors")
    if y.dtype.kind == "f":
        bad = ~(np.abs(y, dtype=np.float64) <= LARGEST)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise ValueError(
                f"{name} must be finite float32 numbers, got {y[row, column]} in row {row}, column {column}"
            )
        if not (y == np.rint(y)).all():
            return y.astype(np.float64, copy=False)
    return read_integers(y, name)


def as_classes(y: NDArray, bins: int | None) -> NDArray[np.int64]:
    """A class a value, (n, f); see `check`."""
    if bins is not None:
        check_option("factor_bins", bins, 2)
        return discretise(y.astype(np.float64), bins)
    columns = []
    for k, column in enumerate(y.T):
        if is_continuous(column):
            columns.append(discretise(column[:, None], FACTOR_BINS)[:, 0])
        elif (column == np.rint(column)).all():
            columns.append(read_integers(column, "factors"))
            many = max(MOST_CLASSES, len(column) / 4)
            values = len(np.unique(column)) if np.ptp(column) >= many else 0  # so few cannot be too many
            if values > many:
                warnings.warn(
                    f"factors: column {k} has {values} whole numbers in {len(column)} rows, and each is a class of its "
                    "own; if it is a quantity, give fractions (v / 1000, say), which are binned, or factor_bins",
                    UserWarning,
                    stacklevel=outside(),
                )
        else:
            columns.append(np.unique(column, return_inverse=True)[1])
    return np.stack(columns, axis=1)


def is_continuous(column: NDArray) -> bool:
    """Whether a factor (n,) has fractions, and too many of them to be classes."""
    if column.dtype.kind != "f" or (column == np.rint(column)).all():
        return False
    return len(np.unique(column)) > min(MOST_CLASSES, len(column) / 4)


def as_targets(y: NDArray, cyclic: Mapping[int, float] | None) -> list[NDArray[np.float64]]:
    if not isinstance(cyclic, Mapping | None):
        raise ValueError(f"cyclic must map columns of factors to their periods, as {{2: 40}}; got {cyclic!r}")
    periods = dict(cyclic or {})
    for column, period in periods.items():
        known = isinstance(column, int | np.integer) and not isinstance(column, bool) and 0 <= column < y.shape[1]
        if not known or not isinstance(period, int | float | np.number) or not 0 < period < np.inf:
            raise ValueError(
                f"cyclic must map a column of factors (0 to {y.shape[1] - 1}) to its period, got {column!r}: {period!r}"
            )
    angles = {k: 2 * np.pi * y[:, k] / period for k, period in periods.items()}
    return [
        np.stack([np.cos(angles[k]), np.sin(angles[k])], axis=1) if k in angles else y[:, [k]].astype(np.float64)
        for k in range(y.shape[1])
    ]


def read_integers(array: ArrayLike, name: str) -> NDArray[np.int64]:
    y = as_array(array, name)
    if y.dtype.kind not in "fiub" or (y.dtype.kind == "f" and not (y == np.rint(y)).all()):
        raise ValueError(f"{name} must be whole numbers (the index of each value), got {y.dtype}")
    if y.size and max(float(y.max()), -float(y.min())) > EXACT:
        raise ValueError(f"{name} must lie within +-2**53, got {y.min()} to {y.max()}; number its values from 0")
    return y.astype(np.int64, copy=False)


def as_array(array: Any, name: str) -> NDArray:
    """As numpy, a torch tensor from wherever it is."""
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        array = array.float() if "bfloat16" in str(array.dtype) else array
    if np.ma.is_masked(array):
        raise ValueError(f"{name} has masked entries: drop their rows")
    return np.asarray(array)


def two_dimensional(array: NDArray, name: str, columns: str) -> None:
    if array.ndim != 2 or 0 in array.shape:
        hint = f"; a single column is {name}[:, None]" if array.ndim == 1 else ""
        raise ValueError(f"{name} must be 2-D, (rows, {columns}), and not empty; got shape {array.shape}{hint}")


def same_length(a: NDArray, b: NDArray, a_name: str, b_name: str) -> None:
    if len(a) != len(b):
        raise ValueError(f"{a_name} has {len(a)} rows, {b_name} has {len(b)}: they must agree")


def varies(factors: NDArray, name: str) -> None:
    constant = np.flatnonzero(np.ptp(factors, axis=0) == 0)
    if len(constant):
        raise ValueError(
            f"{name}: column {constant[0]} has the single value {factors[0, constant[0]]} in all {len(factors)} rows, "
            "so there is nothing to find out about it; drop it"
        )
