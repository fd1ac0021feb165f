"""Resampling of a handful of seeds, and the quantiles that so few of them need."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]

ENOUGH = 5  # seeds: with fewer there is no interval, and centres are plain means
FLOOR = 1 / 3  # a resample's standard error counts as at least this share of the sample's: ties would make it zero


def tail(n: int, level: float) -> float:
    """The share of resamples to leave out at each end: less than (1 - level) / 2, as n seeds vary more than they show.

    Resamples of n values have (n - 1) / n of the variance, and a few values do not show how skewed they are; the normal
    quantile grows by n / (n - 1), a factor chosen by measured coverage.
    """
    return NormalDist().cdf(NormalDist().inv_cdf((1 - level) / 2) * n / (n - 1))


def resampled(n: int, reps: int, seed: int) -> Array:
    """(reps, n) rows that are drawn anew from n."""
    return np.random.default_rng(seed).integers(n, size=(reps, n))


def shares(picks: Array, n: int) -> Array:
    """(reps, k) rows among n -> (reps, n), how much of each resample is which row: resampled means are a product."""
    reps, k = picks.shape
    flat = np.bincount((picks + n * np.arange(reps)[:, None]).ravel(), minlength=reps * n)
    return flat.reshape(reps, n) / k


def ends(resamples: Array, n: int, level: float) -> tuple[Array, Array]:
    """Percentile interval along the first axis."""
    out = tail(n, level)
    low, high = np.quantile(resamples, [out, 1 - out], axis=0)
    return low, high


def iqm_interval(scores: ArrayLike, *, level: float = 0.95, reps: int = 5000, seed: int = 0) -> tuple[Array, Array]:
    """Percentile intervals of interquartile means: (groups, n) -> two of (groups,)."""
    x = np.sort(np.asarray(scores, float), axis=1)
    n = x.shape[1]
    k = n // 4
    weights = shares(np.sort(resampled(n, reps, seed), axis=1)[:, k : n - k], n)  # of order statistics
    return ends(weights @ x.T, n, level)


def mean_interval(scores: ArrayLike, *, level: float = 0.95, reps: int = 5000, seed: int = 0) -> tuple[Array, Array]:
    """Studentised intervals of means: (groups, n) -> two of (groups,). Percentiles would miss what is skewed."""
    x = np.sort(np.asarray(scores, float), axis=1)
    n = x.shape[1]
    centre, spread = x.mean(axis=1), x.std(axis=1)
    unit = (x - centre[:, None]).T / np.where(spread > 0, spread, 1)  # (n, groups), mean 0, deviation 1
    weights = shares(resampled(n, reps, seed), n)
    moved = weights @ unit
    return studentised(centre, spread / np.sqrt(n - 1), moved, weights @ unit**2 - moved**2, n, level)


def studentised(
    centre: Array | float, error: Array | float, moved: Array, variance: Array, n: int, level: float
) -> tuple[Array, Array]:
    """Interval about the centre from what resamples moved by, (reps, ...), in units of the sample's deviation.

    Parameters
    ----------
    centre, error : (...), the mean and its standard error
    moved, variance : (reps, ...), of each resample, where the sample has mean 0 and variance 1
    """
    low, high = ends(moved * np.sqrt(n - 1) / np.sqrt(np.maximum(variance, FLOOR**2)), n, level)
    return centre - high * error, centre - low * error
