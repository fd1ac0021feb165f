"""Every configuration in every metric at a glance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ._frame import Frame, at, finished, is_control, place_name
from .canvas import COLUMN, PAGE, SMALL, TINY, heading, scale, slanted, table
from .crowd import shown
from .glossary import meaning
from .labels import ordered

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def heatmap(frame: Frame, dataset: str, source: str, metrics: Iterable[str] | None = None) -> Figure:
    """Mean scores over seeds, a row a configuration and a column a metric, controls below a line.

    The values are printed as they are. The colour is where a value lies between the metric's own ends, worst to best,
    whoever is present.

    Parameters
    ----------
    frame : from `load`
    dataset, source : which runs to show
    metrics : names; None means all. At most twelve that have two fixed ends are shown, those of the card first.

    Raises
    ------
    ValueError
        No finished number of such a metric there.
    """
    from matplotlib.figure import Figure

    rows = at(finished(frame), dataset, source)
    names = shown(rows, metrics)
    if not names:
        raise ValueError(f"no finished score on {place_name(dataset, source)}")
    rows = rows[rows["metric"].isin(names)]
    labels = ordered(rows)
    means = rows.groupby(["label", "metric"])["value"].mean().unstack().reindex(index=labels, columns=names)
    values = means.to_numpy(float, na_value=np.nan)
    ends = np.array([meaning(name).bounds for name in names], float)
    place = np.clip((values - ends[:, 0]) / (ends[:, 1] - ends[:, 0]), 0, 1)
    place = np.where([meaning(name).best == "low" for name in names], 1 - place, place)

    width = max(COLUMN, min(PAGE, 2.4 + 0.42 * len(names)))
    figure = Figure(figsize=(width, 1.7 + 0.19 * len(labels)), layout="constrained")
    axes = figure.subplots()
    texts = np.vectorize(lambda x: "" if np.isnan(x) else f"{x:.3f}" if x < 0.9995 else f"{x:.2f}")(
        values.round(3) + 0.0
    )
    image = table(axes, place, labels, [f"{name}{meaning(name).arrow}" for name in names], texts)
    slanted(axes)
    axes.tick_params(axis="y", labelsize=SMALL if len(labels) <= 25 else TINY)
    trained = rows.loc[~is_control(rows), "label"].nunique()
    if 0 < trained < len(labels):
        axes.axhline(trained - 0.5, color="white", linewidth=3)
    scale(figure, image, [axes], ends=("worst of\nthe metric", "best of\nthe metric"))
    heading(figure, rows, dataset, source)
    return figure
