"""Performance profiles: the share of a model's runs that reach a score, for all scores there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..catalog import CONTROLS
from ._bootstrap import ENOUGH, Array, ends, resampled, shares
from ._frame import Frame, finished, is_control, places
from .glossary import meaning
from .labels import ordered

POINTS = 101  # thresholds between the anchors
COLUMNS = ["label", "threshold", "share", "low", "high"]
WORST, BEST = "noise", "oracle"  # the controls that are the anchors where a metric has no bounds


def profile(values: ArrayLike, thresholds: ArrayLike) -> Array:
    """Share of values above each threshold.

    Parameters
    ----------
    values : (runs,), finite
    thresholds : (t,)

    Returns
    -------
    (t,) in [0, 1]

    References
    ----------
    Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical precipice", section 4.2.

    Examples
    --------
    >>> profile([0.2, 0.4, 0.4, 0.9], [0, 0.4, 1]).tolist()
    [1.0, 0.25, 0.0]
    """
    x = np.asarray(values, float)
    if x.ndim != 1 or not x.size or not np.isfinite(x).all():
        raise ValueError(f"values: got {values!r}, expected finite numbers of shape (runs,), at least one")
    return (x[:, None] > np.asarray(thresholds, float)).mean(axis=0)


def anchors(frame: Frame, metric: str, dataset: str, source: str) -> tuple[float, float]:
    """The worst and the best that a score can be there, whoever is present: what is 0 and what is 1 of a profile.

    They are the ends of the metric where it has both, or else the means of the controls `noise` and `oracle`.

    Raises
    ------
    ValueError
        The metric has no better direction, or neither ends nor numbers of both controls.
    """
    told = meaning(metric)
    if not told.best:
        raise ValueError(f"metric: got {metric!r}, of which neither high nor low is better, expected one that ranks")
    low, high = told.bounds
    if low is not None and high is not None:
        return (low, high) if told.best == "high" else (high, low)
    rows = finished(frame)
    rows = rows[(rows["metric"] == metric) & (rows["dataset"] == dataset) & (rows["source"] == source)]
    means = rows[is_control(rows)].groupby("model")["value"].mean()
    lacking = [control for control in (WORST, BEST) if control not in means]
    if lacking:
        raise ValueError(
            f"{metric!r} has no fixed ends, and {', '.join(lacking)} no number of it on {dataset} ({source}): "
            f"run the controls {', '.join(CONTROLS)} to have a scale that does not depend on who is present"
        )
    if means[WORST] == means[BEST]:
        raise ValueError(
            f"{metric!r} on {dataset} ({source}): {WORST} and {BEST} score alike, there is no scale between"
        )
    return float(means[WORST]), float(means[BEST])


def profiles(frame: Frame, metric: str, *, level: float = 0.95, reps: int = 2000, seed: int = 0) -> Frame:
    """The profile of every model over all data sets on which all of them have numbers; controls do not take part.

    A score is placed between two fixed anchors (see `anchors`), the worst at 0 and the best at 1, so that a profile
    does not change with who else is present. Every data set counts alike, however many seeds it has.

    Parameters
    ----------
    frame : from `load`; choose data sets by choosing its rows
    metric : of those that have a better direction
    level, reps, seed : nominal coverage, resamples, and the seed of the resampling, which is done within data sets

    Returns
    -------
    DataFrame, a row a label and threshold (0 to 1 from the worst anchor to the best): share of runs above, low and
    high, its interval at each threshold (missing where a data set has fewer than five seeds of the label). Empty where
    no data set has numbers of all models.

    Raises
    ------
    ValueError
        As `anchors`.
    """
    import pandas as pd

    rows = finished(frame)
    rows = rows[(rows["metric"] == metric) & ~is_control(rows)]
    labels, thresholds = ordered(rows), np.linspace(0, 1, POINTS)
    held = {key: own["value"].to_numpy(float) for key, own in rows.groupby(["dataset", "source", "label"])}
    shared = [place for place in places(rows) if all((*place, label) in held for label in labels)]
    scale = {place: anchors(frame, metric, *place) for place in shared}
    found = []
    for label in labels if shared else []:
        above = []
        for place in shared:
            worst, best = scale[place]
            above.append((held[(*place, label)][:, None] - worst) / (best - worst) > thresholds)
        share = np.mean([part.mean(axis=0) for part in above], axis=0)
        low = high = np.full(POINTS, np.nan)
        least = min(map(len, above))
        if least >= ENOUGH:
            drawn = [shares(resampled(len(part), reps, seed + i), len(part)) @ part for i, part in enumerate(above)]
            low, high = ends(np.mean(drawn, axis=0), least, level)
        found.append(pd.DataFrame({"label": label, "threshold": thresholds, "share": share, "low": low, "high": high}))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=COLUMNS)
