"""Plots of the stress card: a metric's values over the levels of every case, and the verdicts of all metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .. import catalog
from ..cases import CASES, Case
from ..stress import Row, Verdict
from ._frame import Frame
from .canvas import SMALL, TEXT
from .glossary import family
from .labels import COLOURS, GREY, MARKERS
from .stress_words import MARK, level_text, signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 6


def reactions(rows: Sequence[Row]) -> Figure:
    """All numbers of one family over the levels of every case, a panel a case.

    A line joins the means over seeds, dots are the seeds, a dashed line marks the base, a cross at the bottom a level
    without a value.
    """
    import pandas as pd
    from matplotlib.figure import Figure

    frame: Frame = pd.DataFrame(rows)
    names = list(dict.fromkeys(frame["metric"]))
    look = {name: (COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]) for i, name in enumerate(names)}
    bounds = catalog.get("metric", family(names[0])).bounds
    shared = bool(np.isfinite(bounds).all())  # without fixed ends one panel's values would flatten all others
    height = math.ceil(len(CASES) / COLUMNS)
    figure = Figure(figsize=(11, 1.8 * height + 0.9))  # every figure has the same panels in the same place
    figure.subplots_adjust(left=0.05, right=0.99, top=0.9, bottom=0.16, hspace=0.65, wspace=0.12 if shared else 0.27)
    panels = figure.subplots(height, COLUMNS, squeeze=False)
    for axes, case in zip(panels.flat, CASES.values()):
        own = frame[frame["case"] == case.name]
        low, high = _ends(own["value"].to_numpy(float), bounds)
        for wide, name in zip(np.linspace(1, 0, len(names) + 1)[1:], names):  # narrow over wide: equal lines all show
            _line(axes, own[own["metric"] == name], case, *look[name], wide, low)
        axes.set_ylim(low - 0.04 * (high - low), high + 0.04 * (high - low))
        _dress(axes, case, f"no option `{case.option}`" if own.empty else "")
    for axes in panels[:, 1:].flat if shared else []:
        axes.set_yticklabels([])
    for axes in panels.flat[len(CASES) :]:
        axes.set_axis_off()
    key = panels.flat[0]
    key.plot([], [], ".", color=GREY, markersize=4, label="a seed (lines join means)")
    key.plot([], [], color=GREY, linestyle="dashed", linewidth=0.8, label="the base")
    key.plot([], [], "x", color=GREY, markersize=5, label="no value")
    figure.legend(*key.get_legend_handles_labels(), loc="lower center", ncols=7, fontsize=TEXT, frameon=False)
    figure.suptitle(f"{family(names[0])} under stress", fontsize=TEXT + 3)
    return figure


def _ends(values: np.ndarray, bounds: tuple[float, float]) -> tuple[float, float]:
    """Of an axis: the metric's own where it has them; else of the values, but no closer than would magnify nothing."""
    known = [value for value in [*values, *bounds] if np.isfinite(value)] or [0.0]
    low, high = float(min(known)), float(max(known))
    return low, max(high, low + 0.1 * max(1.0, abs(low)))


def _line(axes: Axes, own: Frame, case: Case, colour: str, marker: str, wide: float, bottom: float) -> None:
    if own.empty:
        return
    at = {level: i for i, level in enumerate(case.levels)}
    means = own.groupby("level")["value"].mean().reindex(case.levels)
    x = np.arange(len(at))
    axes.scatter(own["level"].map(at), own["value"], s=5, color=colour, alpha=0.7, linewidths=0, zorder=3)
    (line,) = axes.plot(x, means, color=colour, marker=marker, zorder=4, label=own["metric"].iloc[0])
    line.set(linewidth=1.2 + 3 * wide, markersize=3 + 4 * wide)
    lost = sorted({at[level] for level in own["level"][own["value"].isna()]})
    axes.plot(lost, [bottom] * len(lost), "x", color=colour, markersize=5, clip_on=False, zorder=5)


def _dress(axes: Axes, case: Case, absent: str) -> None:
    axes.set_title(case.name, fontsize=TEXT, fontweight="bold", pad=3)
    axes.set_xticks(range(len(case.levels)), [level_text(level) for level in case.levels], fontsize=SMALL)
    axes.set_xlim(-0.4, len(case.levels) - 0.6)
    axes.set_xlabel(case.unit, fontsize=SMALL, labelpad=1)
    axes.tick_params(axis="y", labelsize=SMALL, length=2)
    axes.tick_params(axis="x", length=2, pad=2)
    axes.grid(axis="y", color="0.92", zorder=0)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if absent:
        axes.text(0.5, 0.5, absent, transform=axes.transAxes, ha="center", va="center", fontsize=SMALL, color=GREY)
    else:
        axes.axvline(case.levels.index(case.base), color=GREY, linestyle="dashed", linewidth=0.8, zorder=1)


def overview(verdicts: Sequence[Verdict]) -> Figure:
    """The largest change of every number in every case, as a coloured table; empty where it is invariant."""
    import matplotlib
    from matplotlib.figure import Figure

    names, cases = list(dict.fromkeys(v.metric for v in verdicts)), list(CASES)
    change = np.zeros((len(names), len(cases)))
    for v in verdicts:
        if v.word not in MARK:
            change[names.index(v.metric), cases.index(v.case)] = v.change
    figure = Figure(figsize=(11, 1.5 + 0.19 * len(names)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(change, cmap=matplotlib.colormaps["RdBu"].resampled(21), vmin=-1, vmax=1, aspect="auto")
    for v in verdicts:
        y, x = names.index(v.metric), cases.index(v.case)
        text = MARK[v.word] if v.word in MARK else signed(v.change, 2)
        colour = "white" if abs(change[y, x]) > 0.6 else "0.15"
        axes.text(x, y, text, ha="center", va="center", fontsize=SMALL - 0.5, color=colour)
    axes.set_xticks(range(len(cases)), cases, rotation=40, ha="left", fontsize=TEXT)
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(names)), names, fontsize=SMALL)
    axes.set_xticks(np.arange(len(cases) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="0.85", linewidth=0.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    told = "largest change from the base, in shares of the metric's range; red: falls, blue: rises, empty: invariant"
    figure.supxlabel(f"{told}, ×: no value, ·: no such option", fontsize=SMALL, color=GREY)
    return figure
