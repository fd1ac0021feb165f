"""What a handful of seeds allows to say: means, interquartile means, and intervals where there are seeds enough."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._frame import Frame, finished, stepped

ENOUGH = 5  # seeds: with fewer there is no interval, and centres are plain means
CONFIGURATION = ["dataset", "source", "model", "params", "steps", "batch", "precision", "label"]


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


def interval(values: ArrayLike, *, level: float = 0.95, reps: int = 5000, seed: int = 0) -> tuple[float, float]:
    """Percentile bootstrap interval of the interquartile mean, stratified: seeds are drawn anew within each task.

    Parameters
    ----------
    values : (seeds,) or (seeds, tasks), finite
    level : nominal coverage
    reps : resamples
    seed : of the resampling

    Returns
    -------
    (low, high); (nan, nan) below five seeds.

    Notes
    -----
    Few seeds make the interval too short. Measured on normal values, one task: a nominal 95 % covers 90 % with 5 seeds,
    93 % with 10, 94 % with 20 and 95 % with 50.

    References
    ----------
    Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical precipice", section 4.
    """
    scores = np.asarray(values, float)
    if scores.ndim not in (1, 2) or not np.isfinite(scores).all():
        raise ValueError(f"values: got {scores!r}, expected finite numbers of shape (seeds,) or (seeds, tasks)")
    scores = scores.reshape(len(scores), -1)
    n, m = scores.shape
    if n < ENOUGH:
        return float("nan"), float("nan")
    pick = np.random.default_rng(seed).integers(n, size=(reps, n, m))
    centres = iqm(np.take_along_axis(scores[None], pick, axis=1).reshape(reps, -1))
    low, high = np.quantile(centres, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def summary(frame: Frame, *, seed: int = 0) -> Frame:
    """What the seeds of each configuration say about each metric.

    Parameters
    ----------
    frame : from `load` or `milestones`
    seed : of the resampling

    Returns
    -------
    DataFrame, a row for each (dataset, source, model, params, steps, batch, precision) and metric, and for each step
    where the frame has steps: its label, the metric's version, n (seeds), mean, iqm, sd (divided by n - 1; missing for
    one seed), and low and high, the 95 % interval of the interquartile mean (missing below five seeds).
    """
    import pandas as pd

    rows, keys = [], [*CONFIGURATION, "metric", "version", *stepped(frame)]
    for key, group in finished(frame).groupby(keys, dropna=False):
        x = group.sort_values("seed")["value"].to_numpy(float)
        low, high = interval(x, seed=seed)
        rows.append([*key, len(x), x.mean(), iqm(x), x.std(ddof=1) if len(x) > 1 else np.nan, low, high])
    return pd.DataFrame(rows, columns=[*keys, "n", "mean", "iqm", "sd", "low", "high"])
