"""Which model is better: the probability that it wins against another, and the rank that it may have among all."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from ._bootstrap import ENOUGH, Array, resampled, shares, tail
from ._frame import Frame, at, finished, is_control, place_name
from .glossary import meaning
from .labels import ordered

NEEDED = ["dataset", "source", "model", "label", "seed", "status", "metric", "value"]
STEPS = 50  # halvings of an interval until its ends are found: far below rounding


def improvement(x: ArrayLike, y: ArrayLike) -> float:
    """Probability that a run of X is better than a run of Y, P(X > Y) + P(X = Y) / 2.

    Parameters
    ----------
    x, y : (n,), (m,), higher is better

    Examples
    --------
    >>> improvement([1, 2, 3], [0, 2])
    0.75
    """
    a, b = np.asarray(x, float)[:, None], np.asarray(y, float)
    if not (a.size and b.size and np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError(f"x, y: got {x!r} and {y!r}, expected finite numbers, at least one of each")
    return float(((a > b) + 0.5 * (a == b)).mean())


def improvement_interval(p: ArrayLike, n: ArrayLike, m: ArrayLike, *, level: float = 0.95) -> tuple[Array, Array]:
    """Score interval of `improvement` p between n and m runs: all probabilities from which p is no surprise.

    A bootstrap would call it certain where every run of one lies above every run of the other, which with five seeds
    each happens to models that win nine times in ten. The variance is Hanley and McNeil's, symmetric in both models.

    References
    ----------
    Newcombe 2006, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic. Part 2",
    Statistics in Medicine 25, method 5.
    """
    from statistics import NormalDist

    z = NormalDist().inv_cdf((1 + level) / 2)
    p, n, m = (np.asarray(v, float) for v in (p, n, m))

    def surprises(q: Array) -> Array:
        more = (n + m) / 2 - 1
        variance = q * (1 - q) * (1 + more * ((1 - q) / (2 - q) + q / (1 + q))) / (n * m)
        return (p - q) ** 2 > z**2 * variance

    found = []
    for far in (np.zeros_like(p), np.ones_like(p)):
        outside, inside = far, p
        for _ in range(STEPS):
            middle = (outside + inside) / 2
            out = surprises(middle)
            outside, inside = np.where(out, middle, outside), np.where(out, inside, middle)
        found.append(inside)
    return found[0], found[1]


def improvements(frame: Frame, metric: str, dataset: str, source: str) -> Frame:
    """`improvement` between every two models on one data set; controls do not take part.

    Parameters
    ----------
    frame : from `load`
    metric : of those that have a better direction; better counts as higher
    dataset, source : which runs to compare

    Returns
    -------
    DataFrame, a row a pair in the order of tables: labels a and b, p, the probability that a run of a is better, low
    and high, its 95 % interval (missing where a or b has fewer than five seeds), n_a and n_b (seeds).

    Raises
    ------
    ValueError
        The metric has no better direction; no number of it there.
    """
    import pandas as pd

    scores = oriented(frame, metric, dataset, source)
    rows = [
        (a, b, improvement(scores[a], scores[b]), len(scores[a]), len(scores[b])) for a, b in combinations(scores, 2)
    ]
    table = pd.DataFrame(rows, columns=["a", "b", "p", "n_a", "n_b"])
    low, high = improvement_interval(table["p"], table["n_a"], table["n_b"])
    enough = table[["n_a", "n_b"]].min(axis=1) >= ENOUGH
    table = table.assign(low=np.where(enough, low, np.nan), high=np.where(enough, high, np.nan))
    return table[["a", "b", "p", "low", "high", "n_a", "n_b"]]


def ranks(
    frame: Frame, metric: str, dataset: str, source: str, *, level: float = 0.95, reps: int = 5000, seed: int = 0
) -> Frame:
    """The rank of every model by its mean on one data set, and the ranks that other seeds might have given it.

    Parameters
    ----------
    frame, metric, dataset, source : as `improvements`
    level, reps, seed : nominal coverage, resamples, and the seed of the resampling

    Returns
    -------
    DataFrame, a row a label, the best first: rank (1 is best; equal means share the mean of their ranks), low and high,
    its interval when the seeds of all models are drawn anew, and n (seeds). A model with fewer than five seeds keeps
    its mean in every resample and has no interval.

    Raises
    ------
    ValueError
        As `improvements`.
    """
    import pandas as pd

    scores = oriented(frame, metric, dataset, source)
    means = np.empty((reps, len(scores)))
    for i, x in enumerate(scores.values()):
        few = len(x) < ENOUGH
        means[:, i] = x.mean() if few else shares(resampled(len(x), reps, seed + i), len(x)) @ x
    sizes = np.array([len(x) for x in scores.values()])
    drawn = _ranks(means)
    low, high = np.full((2, len(scores)), np.nan)
    for n in set(sizes[sizes >= ENOUGH]):
        here, out = sizes == n, tail(n, level)
        low[here], high[here] = np.quantile(drawn[:, here], [out, 1 - out], axis=0, method="nearest")
    rank = _ranks(np.array([[x.mean() for x in scores.values()]]))[0]
    table = pd.DataFrame({"label": list(scores), "rank": rank, "low": low, "high": high, "n": sizes})
    return table.sort_values("rank", kind="stable", ignore_index=True)


def _ranks(means: Array) -> Array:
    """Along rows, 1 for the highest, the mean of their ranks for equals."""
    from scipy.stats import rankdata

    return rankdata(-means.round(12), axis=1)  # beyond that is rounding of the sums


def oriented(frame: Frame, metric: str, dataset: str, source: str) -> dict[str, Array]:
    """Every model's numbers there by label, in the order of tables, the sign such that higher is better.

    Raises
    ------
    ValueError
        As `improvements`.
    """
    best = meaning(metric).best
    if not best:
        raise ValueError(f"metric: got {metric!r}, of which neither high nor low is better, expected one that ranks")
    rows = frame.loc[frame["metric"] == metric, NEEDED]
    rows = at(finished(rows), dataset, source)
    rows = rows[~is_control(rows)]
    if rows.empty:
        raise ValueError(f"no finished number of {metric!r} by a model on {place_name(dataset, source)}")
    held = {label: own["value"].to_numpy(float) for label, own in rows.sort_values("seed").groupby("label")}
    return {label: held[label] if best == "high" else -held[label] for label in ordered(rows)}
