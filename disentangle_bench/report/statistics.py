"""What a handful of seeds allows to say: means, interquartile means, and intervals where there are seeds enough."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._bootstrap import ENOUGH, Array, ends, iqm_interval, mean_interval, studentised
from ._frame import Frame, finished, stepped
from .agreement import agreement
from .comparisons import improvement, improvements, ranks
from .profiles import profile, profiles
from .variance import decomposition

__all__ = [
    "CONFIGURATION",
    "ENOUGH",
    "agreement",
    "decomposition",
    "improvement",
    "improvements",
    "interval",
    "iqm",
    "profile",
    "profiles",
    "ranks",
    "summary",
]

CONFIGURATION = ["dataset", "source", "model", "params", "steps", "batch", "precision", "label"]
STATISTICS = ("iqm", "mean")


def iqm(values: ArrayLike, axis: int = -1) -> NDArray[np.float64]:
    """Interquartile mean: the mean of what is left without the lowest and the highest n // 4 values.

    Examples
    --------
    >>> float(iqm([1, 2, 3, 100]))
    2.5
    """
    x = np.sort(np.asarray(values, float), axis=axis)
    n = x.shape[axis]
    return x.take(range(n // 4, n - n // 4), axis=axis).mean(axis=axis)


def interval(
    values: ArrayLike, *, statistic: str = "iqm", level: float = 0.95, reps: int = 5000, seed: int = 0
) -> tuple[float, float]:
    """Bootstrap interval of the interquartile mean or of the mean, stratified: seeds are drawn anew within each task.

    Parameters
    ----------
    values : (seeds,) or (seeds, tasks), finite; with tasks the statistic is that of all values together
    statistic : "iqm" or "mean"
    level : nominal coverage
    reps : resamples
    seed : of the resampling

    Returns
    -------
    (low, high); (nan, nan) below five seeds.

    Raises
    ------
    ValueError
        Values of another shape or not finite; no such statistic.

    Notes
    -----
    A percentile interval of a few seeds is too short: of normal values a nominal 95 % covers the mean in 83 % of all
    samples of five. Here the normal quantile is widened by n / (n - 1), and the interval of the mean is studentised (a
    resample is measured by its own standard error, which is taken as a third of the sample's where it is less).
    benchmarks/checks/coverage.py measures what that covers for normal and log-normal values: at least 90 % with five
    seeds and 93 % with ten (92.7 % in the worst case of three tasks, where the interquartile mean of skewed samples is
    a little off that of their population); the mean of normal values, rather too often.

    References
    ----------
    Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical precipice", section 4.
    Hesterberg 2015, "What teachers should know about the bootstrap", on expanded percentiles and bootstrap t.
    """
    scores = np.asarray(values, float)
    if scores.ndim not in (1, 2) or not np.isfinite(scores).all():
        raise ValueError(f"values: got {scores!r}, expected finite numbers of shape (seeds,) or (seeds, tasks)")
    if statistic not in STATISTICS:
        raise ValueError(f"statistic: got {statistic!r}, expected {' or '.join(map(repr, STATISTICS))}")
    scores = np.sort(scores.reshape(len(scores), -1), axis=0)  # so that the order of seeds changes nothing
    n, m = scores.shape
    if n < ENOUGH:
        return float("nan"), float("nan")
    pick = np.random.default_rng(seed).integers(n, size=(reps, n, m))
    drawn = np.take_along_axis(scores[None], pick, axis=1)
    if statistic == "iqm":
        low, high = ends(iqm(drawn.reshape(reps, -1)), n, level)
    else:
        spread = np.sqrt(scores.var(axis=0).mean()) or 1.0  # within tasks
        moved, variance = (drawn - scores.mean(axis=0)).mean(axis=(1, 2)) / spread, drawn.var(axis=1).mean(axis=1)
        error = np.sqrt(scores.var(axis=0).mean() / (n - 1) / m)
        low, high = studentised(scores.mean(), error, moved * np.sqrt(m), variance / spread**2, n, level)
    return float(low), float(high)


def summary(frame: Frame, *, seed: int = 0) -> Frame:
    """What the seeds of each configuration say about each metric.

    Parameters
    ----------
    frame : from `load` or `milestones`
    seed : of the resampling

    Returns
    -------
    DataFrame, a row for each label on a data set, which is one configuration, and metric, and for each step where the
    frame has steps: what the configuration is (dataset, source, model, params, steps, batch, precision, label), the
    metric's version, n (seeds), mean, iqm, sd (divided by n - 1; missing for one seed), low and high, the 95 % interval
    of the interquartile mean, mean_low and mean_high, that of the mean (all four missing below five seeds).
    """
    import pandas as pd

    keys = [*CONFIGURATION, "metric", "version", *stepped(frame)]
    rows = finished(frame).sort_values("seed", kind="stable")
    told_apart = ["dataset", "source", "label", "metric", "version", *stepped(frame)]  # params may say 1 and 1.0
    group = rows.groupby(told_apart, dropna=False).ngroup().to_numpy()
    order = np.argsort(group, kind="stable")
    values = rows["value"].to_numpy(float)[order]
    sizes = np.bincount(group)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(int)
    table = rows.iloc[order[first[: len(sizes)]]][keys].reset_index(drop=True) if len(rows) else rows[keys]
    told = pd.DataFrame(
        np.nan, index=table.index, columns=["mean", "iqm", "sd", "low", "high", "mean_low", "mean_high"]
    )
    for here in _alike(sizes):
        n = int(sizes[here[0]])
        x = values[first[here, None] + np.arange(n)]
        told.loc[here, ["mean", "iqm"]] = np.stack([x.mean(axis=1), iqm(x)], axis=1)
        if n > 1:
            told.loc[here, "sd"] = x.std(axis=1, ddof=1)
        if n >= ENOUGH:
            found = [*iqm_interval(x, seed=seed), *mean_interval(x, seed=seed)]
            told.loc[here, ["low", "high", "mean_low", "mean_high"]] = np.stack(found, axis=1)
    return pd.concat([table.assign(n=sizes), told], axis=1)


def _alike(sizes: Array, most: int = 500) -> Iterator[Array]:
    """Groups of one size, so many at a time that their resamples fit into memory."""
    for n in np.unique(sizes):
        here = np.flatnonzero(sizes == n)
        yield from np.split(here, range(most, len(here), most))
