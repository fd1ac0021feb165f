"""Whether factors depend on each other in the given rows: many metrics mean something only if they do not."""

from __future__ import annotations

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
    sizes = [int(column.max()) + 1 for column in columns]
    v = np.eye(f)
    for i, j in zip(*np.triu_indices(f, 1)):
        a, b = sizes[i], sizes[j]
        joint = np.bincount(columns[i] * b + columns[j], minlength=a * b).reshape(a, b)
        expected = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0) / n
        chi2 = ((joint - expected) ** 2 / expected).sum()
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
            stacklevel=4,
        )
