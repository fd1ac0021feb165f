"""How much of a score is the model, how much its hyper-parameters, and how much luck."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ._frame import Frame, at, finished, is_control, place_name
from .canvas import COLUMN, SMALL, TINY, heading
from .crowd import shown
from .variance import decomposition

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARTS = {"model": "#332288", "strength": "#88ccee", "seed": "#ddcc77"}  # Tol's muted scheme: no label's colours
NAMES = {"strength": "hyper-parameters"}


def variance_bars(frame: Frame, dataset: str, source: str, metrics: Iterable[str] | None = None) -> Figure:
    """Shares of each metric's variance over runs: between models, between strengths of a model, and between seeds.

    Parameters
    ----------
    frame : from `load`
    dataset, source : which runs to show
    metrics : names; None means all. At most twelve that have two fixed ends are shown, those of the card first.

    Raises
    ------
    ValueError
        No metric whose variance can be split there: that takes two configurations with several seeds.
    """
    from matplotlib.figure import Figure

    rows = at(finished(frame), dataset, source)
    rows = rows[~is_control(rows)]
    names = shown(rows, metrics)
    table = decomposition(rows[rows["metric"].isin(names)]).set_index("metric") if names else rows.iloc[:0]
    names = [name for name in names if name in table.index and table.loc[name, list(PARTS)].notna().sum() > 1]
    if not names:
        raise ValueError(f"no metric on {place_name(dataset, source)} has two configurations with several seeds")
    figure = Figure(figsize=(COLUMN, 1.3 + 0.22 * len(names)), layout="constrained")
    axes = figure.subplots()
    start = np.zeros(len(names))
    for part, colour in PARTS.items():
        width = np.nan_to_num(table.loc[names, part].to_numpy(float))
        axes.barh(
            range(len(names)),
            width,
            left=start,
            height=0.75,
            color=colour,
            label=NAMES.get(part, part),
            gid=f"part:{part}",
        )
        for y, (x, share) in enumerate(zip(start, width)):
            if share >= 0.08:
                colour_of_text = "white" if part == "model" else "black"
                axes.text(
                    x + share / 2,
                    y,
                    f"{100 * share:.0f}",
                    ha="center",
                    va="center",
                    fontsize=TINY,
                    color=colour_of_text,
                )
        start = start + width
    axes.set_yticks(range(len(names)), names, fontsize=SMALL)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"], fontsize=SMALL)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_xlabel("share of the variance over runs", fontsize=SMALL)
    figure.legend(loc="outside lower center", ncols=3, fontsize=SMALL, frameon=False, handlelength=1.0)
    heading(figure, rows, dataset, source)
    return figure
