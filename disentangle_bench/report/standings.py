"""Who is ahead of whom, and how sure the seeds are of it: ranks, and the chance that one run beats another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ._frame import Frame, finished, is_control, place_name
from .canvas import PAGE, SMALL, TEXT, TINY, headed, heading, panels, plain, scale, slanted, table
from .comparisons import improvements, ranks
from .crowd import TOGETHER, pooled, shown
from .labels import ordered, styles
from .statistics import ENOUGH

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def rank_intervals(frame: Frame, dataset: str, source: str, metrics: Iterable[str] | None = None) -> Figure:
    """The rank of every configuration, 1 the best, with its interval when seeds are drawn anew; a panel a metric.

    Parameters
    ----------
    frame : from `load`, whole: colours go by all labels in it
    dataset, source : which runs to show
    metrics : names; None means all. At most four that have two fixed ends are shown, those of the card first.

    Raises
    ------
    ValueError
        Fewer than two configurations with a score there.
    """
    from matplotlib.figure import Figure

    rows = finished(frame)
    rows = rows[(rows["dataset"] == dataset) & (rows["source"] == source) & ~is_control(rows)]
    names, labels, look = shown(rows, metrics, 4), ordered(rows), styles(frame)
    if len(labels) < 2 or not names:
        raise ValueError(f"fewer than two configurations with a score on {place_name(dataset, source)}")
    crowded = len(labels) > 25
    figure = Figure(figsize=(PAGE, 1.1 + (0.15 if crowded else 0.2) * len(labels)), layout="constrained")
    found = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axes, metric in zip(found, names):
        for row in ranks(frame, metric, dataset, source).itertuples():
            if row.label not in labels:
                continue
            y, colour = labels.index(row.label), look[row.label]["color"]
            if np.isfinite(row.low):
                axes.plot([row.low, row.high], [y, y], color=colour, linewidth=2, gid=f"interval:{row.label}")
            axes.plot([row.rank], [y], color=colour, marker=look[row.label]["marker"], markersize=4, clip_on=False,
                      markeredgecolor="black", markeredgewidth=0.4, gid=f"rank:{row.label}")  # fmt: skip
        axes.set_xlim(0.5, len(labels) + 0.5)
        axes.set_title(metric.replace(".", ".\n"), fontsize=TEXT)
        axes.xaxis.get_major_locator().set_params(integer=True)
        plain(axes)
    found[0].set_yticks(range(len(labels)), labels, fontsize=TINY if crowded else SMALL)
    found[0].set_ylim(len(labels) - 0.5, -0.5)
    figure.supxlabel(f"rank, 1 is best; bar: 95 % bootstrap interval (from {ENOUGH} seeds on)", fontsize=SMALL)
    heading(figure, rows, dataset, source)
    return figure


def improvement_matrix(frame: Frame, dataset: str, source: str, metrics: Iterable[str] | None = None) -> Figure:
    """How likely a run of the row's model is better than one of the column's; a panel a metric.

    In brackets where the 95 % interval holds 0.5, or seeds are too few for one. Where there are more than ten
    configurations, all runs of a model stand together.

    Parameters
    ----------
    frame : from `load`
    dataset, source : which runs to show
    metrics : names; None means all. At most four that have two fixed ends are shown, those of the card first.

    Raises
    ------
    ValueError
        Fewer than two models with a score there.
    """
    rows, _, together = pooled(finished(frame), dataset, source)
    rows = rows[~is_control(rows)]
    names, labels = shown(rows, metrics, 4), ordered(rows)
    if len(labels) < 2 or not names:
        raise ValueError(f"fewer than two models with a score on {place_name(dataset, source)}")
    figure, found = panels(len(names), columns=2, height=0.9 + 0.24 * len(labels), room=0.5)
    for axes, metric in zip(found, names):
        values, texts = np.full((len(labels),) * 2, np.nan), np.full((len(labels),) * 2, "", object)
        for pair in improvements(rows, metric, dataset, source).itertuples():
            if not {pair.a, pair.b} <= set(labels) or not np.isfinite(pair.p):
                continue
            a, b, sure = labels.index(pair.a), labels.index(pair.b), bool(pair.low > 0.5 or pair.high < 0.5)
            for i, k, p in ((a, b, pair.p), (b, a, 1 - pair.p)):
                values[i, k], texts[i, k] = p, f"{p:.2f}" if sure else f"({p:.2f})"
        image = table(axes, values, labels, labels, texts, colours="RdBu", size=TINY if len(labels) <= 6 else 5)
        slanted(axes, "bottom")
        axes.set_title(headed(metric), fontsize=TEXT)
    for i, axes in enumerate(found):
        if i % 2:
            axes.set_yticklabels([])
        if i + 2 < len(found):
            axes.set_xticklabels([])
    scale(figure, image, found, "P(row better than column)")
    heading(figure, rows, dataset, source, TOGETHER if together else "")
    return figure
