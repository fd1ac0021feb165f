"""Do metrics agree about which runs are good? Rank correlations between metrics, over runs."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ._bootstrap import ENOUGH, Array, ends, resampled
from ._frame import Frame, at, finished, is_control
from .glossary import choose, in_order

PART = 50  # resamples at a time, which bounds memory
COLUMNS = ["a", "b", "rho", "low", "high", "n"]


def agreement(
    frame: Frame, dataset: str, source: str, *, level: float = 0.95, reps: int = 1000, seed: int = 0
) -> Frame:
    """Spearman's rank correlation between every two metrics over the runs of one data set; controls do not take part.

    Parameters
    ----------
    frame : from `load`; choose metrics by choosing its rows. Numbers of single blocks and splits are left out, unless
        there are no others
    dataset, source : which runs to show
    level, reps, seed : nominal coverage, resamples, and the seed of the resampling

    Returns
    -------
    DataFrame, a row a pair of metrics in the order of tables: a and b, rho (missing where a metric is the same for all
    runs), low and high, its bootstrap interval over runs (missing below five; resamples without two different values
    have no correlation and are left out), and n, the runs that have both numbers.

    Notes
    -----
    Signs are those of the numbers: of two metrics, one of which is better low, agreement is a negative rho. Runs of all
    models and strengths together; the same models trained anew differ in their seeds alone, so that the interval is of
    these configurations.
    """
    import pandas as pd

    rows = at(finished(frame), dataset, source)
    rows = rows[~is_control(rows)]
    names = choose(None, rows["metric"]) or in_order(rows["metric"])
    if not names:
        return pd.DataFrame(columns=COLUMNS)
    wide = rows.pivot_table(index="run", columns="metric", values="value", aggfunc="first")[names]
    values = wide.to_numpy(float)
    there, pairs = np.isfinite(values), list(combinations(range(len(names)), 2))
    both: dict[bytes, list[tuple[int, int]]] = {}  # pairs that the same runs have are computed together
    for i, j in pairs:
        both.setdefault((there[:, i] & there[:, j]).tobytes(), []).append((i, j))
    found = {}
    for mask, members in both.items():
        kept = np.frombuffer(mask, bool)
        columns = sorted({k for pair in members for k in pair})
        place = {k: position for position, k in enumerate(columns)}
        rho, low, high = _spearman(values[kept][:, columns], level, reps, seed)
        for i, j in members:
            at_pair = place[i], place[j]
            found[i, j] = names[i], names[j], rho[at_pair], low[at_pair], high[at_pair], int(kept.sum())
    return pd.DataFrame([found[pair] for pair in pairs], columns=COLUMNS)


def _spearman(x: Array, level: float, reps: int, seed: int) -> tuple[Array, Array, Array]:
    """Rank correlations (k, k) of the columns of (n, k), and the ends of their bootstrap intervals."""
    n, k = x.shape
    none = np.full((k, k), np.nan)
    if n < 2:
        return none, none, none
    sorting = [np.unique(column, return_inverse=True) for column in x.T]
    whole = _correlations(np.ones((1, n), int), sorting)[0]
    if n < ENOUGH:
        return whole, none, none
    picks = resampled(n, reps, seed)
    drawn = np.empty((reps, k, k))
    for start in range(0, reps, PART):
        part = picks[start : start + PART]
        flat = (part + n * np.arange(len(part))[:, None]).ravel()
        drawn[start : start + PART] = _correlations(np.bincount(flat, minlength=part.size).reshape(-1, n), sorting)
    low, high = ends(drawn, n, level)
    for i, j in zip(*np.nonzero(np.isnan(low) & np.isfinite(whole))):
        there = drawn[:, i, j]
        low[i, j], high[i, j] = ends(there[np.isfinite(there)], n, level)
    return whole, low, high


def _correlations(counts: Array, sorting: list[tuple[Array, Array]]) -> Array:
    """Spearman's (reps, k, k) of rows that are there counts (reps, n) times; ties share the mean of their ranks."""
    reps, n = counts.shape
    ranks = np.empty((reps, len(sorting), n))
    for i, (levels, level) in enumerate(sorting):
        tied = np.add.reduceat(counts[:, np.argsort(level, kind="stable")], _starts(level, len(levels)), axis=1)
        ranks[:, i] = (tied.cumsum(axis=1) - tied / 2)[:, level] - n / 2  # resamples have n rows, too
    held = (ranks * counts[:, None]) @ ranks.transpose(0, 2, 1)
    spread = np.sqrt(np.diagonal(held, axis1=1, axis2=2))
    with np.errstate(invalid="ignore"):  # a metric that is the same for all runs has no correlation
        return held / (spread[:, :, None] * spread[:, None])


def _starts(level: Array, levels: int) -> Array:
    """Where each level begins among the sorted rows."""
    return np.concatenate([[0], np.cumsum(np.bincount(level, minlength=levels))[:-1]])
