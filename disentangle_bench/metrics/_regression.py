"""Factors as numbers: how much of a code's variance goes with them on a line, or around a circle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMALLEST = 1e-9  # share of a size below which a remainder is rounding
CAUTION = 1.4  # price of a degree of freedom in cross-validation; at 1, as many features as rows fit noise at no cost
ROUNDING = 1e-6  # the same for codes, which networks make in float32


def explained(codes: NDArray[np.float64], target: NDArray[np.float64], least_variance: float = 0.0) -> NDArray:
    """R^2 of the linear regression of each code on a target (n, 1) or (n, 2): (d,), 0 for constant codes.

    With one column the squared correlation; with (cos, sin) of an angle the squared circular-linear correlation of
    Mardia 1976. Codes whose variance (ddof 1) is at most `least_variance` count as constant.
    """
    x = codes - codes.mean(axis=0)
    active = (np.ptp(codes, axis=0) > 0) & (x.var(axis=0, ddof=1) > least_variance)
    if target.shape[1] == 1:
        y = target - target.mean(axis=0)
        above, below = (x.T @ y)[:, 0] ** 2 / len(x) ** 2, x.var(axis=0) * y.var(axis=0)
    else:
        above, below = ((basis(target).T @ x) ** 2).sum(axis=0) / len(x), x.var(axis=0)
    return np.minimum(np.divide(above, below, out=np.zeros(len(active)), where=active & (below > 0)), 1)  # rounding


def basis(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal columns that span the centred ones, whatever their units: (n, rank)."""
    centred = columns - columns.mean(axis=0)
    norm = np.linalg.norm(centred, axis=0)
    left, size, _ = np.linalg.svd(centred[:, norm > 0] / norm[norm > 0], full_matrices=False)
    return left[:, size > SMALLEST]


def remainder(
    columns: NDArray[np.float64], others: NDArray[np.float64], rounding: float = SMALLEST
) -> NDArray[np.float64]:
    """What the regression of each centred column on the others leaves; exactly 0 where that is rounding."""
    centred, span = columns - columns.mean(axis=0), basis(others)
    left = centred - span @ (span.T @ centred)
    left -= span @ (span.T @ left)  # once more, for what rounding left
    size, whole = (np.linalg.norm(part, axis=0) for part in (left, columns))
    return np.where(size > rounding * whole, left, 0.0)


def check_turns(targets: list[NDArray[np.float64]]) -> None:
    """Refuse a cyclic factor whose values are all the same angle."""
    for k, target in enumerate(targets):
        if target.shape[1] == 2 and np.ptp(target, axis=0).max() < SMALLEST:
            raise ValueError(f"cyclic: column {k} of factors has a single value up to whole periods; drop it")
