"""All models in the metrics of one family: every seed, their centre and interval, controls as reference lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ._frame import Frame, at, finished, is_control, place_name
from .canvas import COLUMN, PAGE, SMALL, TEXT, heading, limits, plain, seeds_in_words, wrapped
from .glossary import family, in_order, meaning, number
from .labels import GREY, ordered, styles
from .statistics import ENOUGH, summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = 4  # panels side by side
CROWD = 12  # labels that have room for a name of several lines
BETTER = {"high": "higher is better →", "low": "← lower is better", "": "neither high nor low is better"}
KEY = f"dot: a seed   tick: mean (IQM from {ENOUGH} seeds on)\nbar: 95 % bootstrap interval (from {ENOUGH} seeds on)"


def comparison(frame: Frame, name: str, dataset: str, source: str, metrics: Collection[str] | None = None) -> Figure:
    """All models in the metrics of one family on one data set.

    Every seed is a dot. The tick below marks the mean, or from five seeds up the interquartile mean, with its 95 %
    interval as a bar. Controls are grey reference lines at their mean. The axis runs between the metric's fixed ends,
    where it has them.

    Parameters
    ----------
    frame : from `load`, whole: colours go by all labels in it
    name : of the family: "dci" draws a panel for each of its parts
    dataset, source : which runs to show
    metrics : names; of the family only these are drawn. None means all its parts.
    """
    from matplotlib.figure import Figure

    rows = at(finished(frame), dataset, source)
    parts = [part for part in set(rows["metric"]) if family(part) == name and (metrics is None or part in metrics)]
    rows = rows[rows["metric"].isin(parts)]
    if rows.empty:
        raise ValueError(f"no finished number of {name!r} on {place_name(dataset, source)}")
    table, look, metrics = summary(rows), styles(frame), in_order(rows["metric"])
    models, controls = ordered(rows[~is_control(rows)]), ordered(rows[is_control(rows)])
    across, crowded = min(ACROSS, len(metrics)), len(models) > CROWD
    down = -(-len(metrics) // across)
    height = 0.9 + down * (0.45 + (0.22 if crowded else 0.42) * max(len(models), 1) + 0.14 * len(controls))
    figure = Figure(figsize=(COLUMN if across == 1 else PAGE, height), layout="constrained")
    panels = figure.subplots(down, across, sharey=True, squeeze=False).ravel()
    for axes, metric in zip(panels, metrics):
        own = table[table["metric"] == metric].set_index("label")
        _panel(axes, rows[rows["metric"] == metric], own, models, look)
        _references(axes, metric, own.loc[[label for label in controls if label in own.index], "mean"], look)
    for axes in panels[len(metrics) :]:
        axes.remove()
    counts = rows.groupby("label")["seed"].nunique()
    told = [(label, seeds_in_words(counts[label])) for label in models]
    names = [f"{label}, {seeds}" if crowded else f"{wrapped(label)}\n{seeds}" for label, seeds in told]
    panels[0].set_yticks(range(len(models)), names, fontsize=SMALL if crowded else TEXT)
    panels[0].set_ylim(max(len(models), 1) - 0.5, -0.5)  # controls alone have a row without dots
    heading(figure, rows, dataset, source)
    figure.supxlabel(KEY, fontsize=SMALL, color=GREY)
    return figure


def _panel(axes: Axes, rows: Frame, table: Frame, models: Sequence[str], look: dict[str, dict[str, str]]) -> None:
    """One metric, a row a model. Artists are few, whatever the number of models: dots of one marker are one."""
    metric = rows["metric"].iloc[0]
    told = meaning(metric)
    groups = rows.sort_values("seed").groupby("label")["value"]
    values = {label: own.to_numpy(float) for label, own in groups if label in set(models)}
    place = {label: y for y, label in enumerate(models)}
    for marker in dict.fromkeys(look[label]["marker"] for label in values):
        own = [label for label in values if look[label]["marker"] == marker]
        axes.scatter(
            np.concatenate([values[label] for label in own]),
            np.concatenate([place[label] + _spread(len(values[label])) for label in own]),
            s=14 if len(models) <= CROWD else 9,
            alpha=0.8,
            linewidths=0.3,
            edgecolors="black",
            clip_on=False,
            zorder=5,
            gid=f"seeds:{marker}",
            c=[look[label]["color"] for label in own for _ in values[label]],
            marker=marker,
        )
    held = table.loc[[label for label in models if label in values]]
    y, enough = np.array([place[label] for label in held.index]) + 0.24, (held["n"] >= ENOUGH).to_numpy(bool)
    colours = [look[label]["color"] for label in held.index[enough]]
    low, high = (held.loc[enough, end].to_numpy(float) for end in ("low", "high"))
    axes.hlines(y[enough], low, high, colors=colours, linewidth=2.2, zorder=3, gid="intervals")
    centre = held["iqm"].where(enough, held["mean"]).to_numpy(float)
    axes.plot(centre, y, "|", color="black", markersize=7, markeredgewidth=1.3, clip_on=False, zorder=4, gid="centres")
    scale = rows if None not in told.bounds else rows[rows["label"].isin(models)]
    axes.set_xlim(*limits(scale["value"].to_numpy(float), told.bounds))
    name = ", ".join(filter(None, [metric.replace(".", ".\n"), told.unit]))
    axes.set_xlabel(f"{name}\n{BETTER[told.best]}", fontsize=SMALL)
    plain(axes, "x")
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _spread(seeds: int) -> np.ndarray:
    """Where the dots of a row lie above its middle, so that seeds of like scores can be told apart."""
    return -0.14 + 0.2 * np.linspace(-1, 1, seeds + 2)[1:-1]


def _references(axes: Axes, metric: str, means: Frame, look: dict[str, dict[str, str]]) -> None:
    """A grey line at each control's mean, its name above the plot, a line of text each so that names never collide."""
    low, high = axes.get_xlim()
    for level, (label, value) in reversed(list(enumerate(means.sort_values(ascending=False).items()))):
        text, inside = f"{label} {number(value, metric)}", low <= value <= high
        if inside:
            axes.axvline(
                value, color=GREY, linestyle=look[label]["linestyle"], linewidth=1, zorder=1, gid=f"control:{label}"
            )
        else:
            text = f"{text} →" if value > high else f"← {text}"
        left = value < low + 0.6 * (high - low)
        axes.annotate(
            text,
            (min(max(value, low), high), 1),
            xytext=(2 if left else -2, 2 + level * (SMALL + 2)),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            ha="left" if left else "right",
            va="bottom",
            fontsize=SMALL,
            color=GREY,
            annotation_clip=False,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            arrowprops={
                "arrowstyle": "-",
                "color": GREY,
                "linewidth": 0.6,
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0 if left else 1, 0),
            }
            if inside
            else None,
        )
