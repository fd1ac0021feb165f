"""Whether factors depend on each other in the given rows: many metrics mean something only if they do not."""

from __future__ import annotations

import sys
import warnings

import numpy as np
from numpy.typing import NDArray

BOUND = 0.1  # of Cramer's V: a correlation of 0.1 between two binary factors


class CorrelatedFactors(UserWarning):
    """The factors depend on each other, and the metric takes what one of them explains for the other's."""


def association(classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cramer's V of every pair of columns, (n, f) -> (f, f) in [0, 1], without its bias; 0 where chance explains it.

    V^2 = phi^2 / min(A' - 1, B' - 1),   phi^2 = chi^2 / n - (A - 1)(B - 1) / (n - 1),   A' = A - (A - 1)^2 / (n - 1)

    for columns of A and B values (Bergsma 2013, "A bias-correction for Cramer's V and Tschuprow's T"). chi^2 within
    four standard deviations of its mean under independence counts as 0.
    """
    n, f = classes.shape
    columns = [np.unique(column, return_inverse=True)[1] for column in classes.T]
    counts = [np.bincount(column) for column in columns]
    sizes = [len(count) for count in counts]
    v = np.eye(f)
    for i, j in zip(*np.triu_indices(f, 1)):
        a, b = sizes[i], sizes[j]
        cells, joint = np.unique(columns[i] * b + columns[j], return_counts=True)
        chi2 = n * ((joint / counts[i][cells // b] * joint / counts[j][cells % b]).sum() - 1)
        freedom = (a - 1) * (b - 1)
        if n > 2 and chi2 > freedom + 4 * np.sqrt(2 * freedom):
            excess = chi2 / n - freedom / (n - 1)
            smaller = min(size - (size - 1) ** 2 / (n - 1) for size in (a, b)) - 1
            v[i, j] = v[j, i] = 1.0 if smaller <= 0 else min(1.0, np.sqrt(max(excess, 0) / smaller))
    return v


def warn_of_dependence(classes: NDArray[np.int64]) -> None:
    """Warn with `CorrelatedFactors` if a pair of factors has a Cramer's V above 0.1, naming the worst pair."""
    v = association(classes) - np.eye(classes.shape[1])
    if v.max() > BOUND:
        i, j = np.unravel_index(v.argmax(), v.shape)
        warnings.warn(
            f"factors in columns {i} and {j} depend on each other (Cramer's V {v.max():.2f}, bound {BOUND}): this "
            "metric is defined for independent factors and takes what one explains for the other's",
            CorrelatedFactors,
            stacklevel=outside(),
        )


def groups(classes: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """For each column, the others that go with it: linked by pairs above the bound, directly or through others."""
    linked = association(classes) > BOUND
    for k in range(len(linked)):  # Warshall's closure
        linked |= linked[:, [k]] & linked[k]
    np.fill_diagonal(linked, False)
    return [np.flatnonzero(row) for row in linked]


def outside() -> int:
    """The stack level of whoever called the package's metric."""
    frame, level = sys._getframe(2), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(f"{__package__}."):
        frame, level = frame.f_back, level + 1
    return level
