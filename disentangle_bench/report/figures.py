"""Plots: a figure is a function of the table that `load` returns, and gives a matplotlib Figure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ._frame import Frame, at, budget, finished, is_control, place_name
from .glossary import family, in_order, meaning, number
from .labels import GREY, ordered, styles
from .statistics import ENOUGH, summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMALL, TEXT = 7, 8  # points; a one-panel figure is as wide as a column of print
BETTER = {"high": "higher is better →", "low": "← lower is better", "": "neither high nor low is better"}
KEY = f"dot: a seed   tick: mean (IQM from {ENOUGH} seeds on)\nbar: 95 % bootstrap interval (from {ENOUGH} seeds on)"


def comparison(frame: Frame, name: str, dataset: str, source: str) -> Figure:
    """All models in the metrics of one family on one data set.

    Every seed is a dot. The tick below marks the mean, or from five seeds up the interquartile mean, with its 95 %
    interval as a bar. Controls are grey reference lines at their mean. The axis runs between the metric's fixed ends,
    where it has them.

    Parameters
    ----------
    frame : from `load`, whole: colours go by all labels in it
    name : of the family: "dci" draws a panel for each of its parts
    dataset, source : which runs to show
    """
    from matplotlib.figure import Figure

    rows = at(finished(frame), dataset, source)
    rows = rows[rows["metric"].map(family) == name]
    if rows.empty:
        raise ValueError(f"no finished number of {name!r} on {place_name(dataset, source)}")
    table, look, metrics = summary(rows), styles(frame), in_order(rows["metric"])
    models, controls = ordered(rows[~is_control(rows)]), ordered(rows[is_control(rows)])
    height = 1.35 + 0.42 * max(len(models), 1) + 0.16 * len(controls)
    figure = Figure(figsize=(1.5 + 2.0 * len(metrics), height), layout="constrained")
    panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for axes, metric in zip(panels, metrics):
        own = table[table["metric"] == metric].set_index("label")
        _panel(axes, rows[rows["metric"] == metric], own, models, look)
        _references(axes, metric, own.loc[[label for label in controls if label in own.index], "mean"], look)
    counts = rows.groupby("label")["seed"].nunique()
    names = [f"{_wrapped(label)}\n{seeds_in_words(counts[label])}" for label in models]
    panels[0].set_yticks(range(len(models)), names, fontsize=TEXT)
    panels[0].set_ylim(len(models) - 0.5, -0.5)
    figure.suptitle("\n".join(filter(None, [place_name(dataset, source), budget(rows)])), fontsize=TEXT)
    figure.supxlabel(KEY, fontsize=SMALL, color=GREY)
    return figure


def _panel(axes: Axes, rows: Frame, table: Frame, models: Sequence[str], look: dict[str, dict[str, str]]) -> None:
    """One metric, a row a model."""
    metric = rows["metric"].iloc[0]
    told = meaning(metric)
    for y, label in enumerate(models):
        own = rows[rows["label"] == label].sort_values("seed")
        if own.empty:
            continue
        x, row = own["value"].to_numpy(float), table.loc[label]
        spread = y - 0.14 + 0.2 * np.linspace(-1, 1, len(x) + 2)[1:-1]
        axes.scatter(
            x,
            spread,
            s=14,
            alpha=0.8,
            linewidths=0.3,
            edgecolors="black",
            clip_on=False,
            zorder=5,
            gid=f"seeds:{label}",
            facecolors=look[label]["color"],
            marker=look[label]["marker"],
        )
        if row["n"] >= ENOUGH:
            axes.plot(
                [row["low"], row["high"]],
                [y + 0.24] * 2,
                linewidth=2.2,
                zorder=3,
                gid=f"interval:{label}",
                color=look[label]["color"],
            )
        axes.plot(
            [row["iqm" if row["n"] >= ENOUGH else "mean"]],
            [y + 0.24],
            marker="|",
            markersize=7,
            markeredgewidth=1.3,
            color="black",
            clip_on=False,
            zorder=4,
            gid=f"centre:{label}",
        )
    scale = rows if None not in told.bounds else rows[rows["label"].isin(models)]
    axes.set_xlim(*limits(scale["value"].to_numpy(float), told.bounds))
    axes.set_xlabel(f"{', '.join(filter(None, [metric, told.unit]))}\n{BETTER[told.best]}", fontsize=TEXT)
    axes.tick_params(axis="x", labelsize=SMALL)
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="0.92", zorder=0)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)


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


def limits(values: np.ndarray, bounds: tuple[float | None, float | None]) -> tuple[float, float]:
    """Ends of the axis: the metric's own where it has them, moved out only for values that lie beyond.

    A scale with one end starts there unless all values lie far from it, where differences could not be seen.
    """
    lowest, highest = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    start, stop = bounds
    room = 0.2 * ((highest - lowest) or abs(highest) or 1.0)
    low = lowest - room if start is None else min(start, lowest)
    if start is not None and stop is None and lowest > highest / 2 > start:
        low = lowest - room
    return low, highest + room if stop is None else max(stop, highest)


def _wrapped(text: str, width: int = 22) -> str:
    return "\n".join(textwrap.wrap(text, width, break_long_words=False))


def seeds_in_words(n: int) -> str:
    return "1 seed" if n == 1 else f"{n} seeds"


def save(figure: Figure, stem: Path, kinds: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Write a figure as stem.png and stem.svg; the same figure gives the same bytes."""
    import matplotlib

    paths = [stem.with_name(f"{stem.name}.{kind}") for kind in kinds]
    with matplotlib.rc_context({"svg.hashsalt": "disentangle-bench"}):
        for path, kind in zip(paths, kinds):
            figure.savefig(path, dpi=200, metadata={"Date": None} if kind == "svg" else None)
            figure.set_layout_engine("none")  # everything has its place now; finding it takes longest
    return paths
