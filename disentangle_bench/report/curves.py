"""Learning curves, from the logs that runs leave beside the table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ._frame import Frame
from .canvas import SMALL, TEXT, seeds_in_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def read_logs(folder: Path, runs: Frame) -> Frame:
    """The loss terms of these runs: run, seed, status, step, term, value. Runs without a log are left out."""
    import pandas as pd

    found = [
        pd.read_parquet(path).assign(run=row.run, seed=row.seed, status=row.status)
        for row in runs.drop_duplicates("run").itertuples()
        if (path := folder / "runs" / str(row.run) / "log.parquet").is_file()
    ]
    columns = ["run", "seed", "status", "step", "term", "value"]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def curves(logs: Frame, label: str, colour: str, title: str) -> Figure:
    """Learning curves of one configuration: each player's total and its terms in nats an image, a thin line a seed.

    Parameters
    ----------
    logs : from `read_logs`, not empty
    label : the configuration, for the heading
    colour : the label's own, from `styles`
    title : data set, source and budget, for the heading

    Notes
    -----
    The total is the sum of a player's terms as they were optimised. Dotted lines are runs that did not finish. An axis
    is logarithmic where a quantity stays positive and falls more than twentyfold.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

    shown = {}
    for player, rows in logs.groupby(logs["term"].str.rpartition(".")[0], sort=True):
        total = rows.groupby(["run", "status", "seed", "step"], as_index=False)["value"].sum(min_count=1)
        shown[f"{player}.total".lstrip(".")] = total
        shown |= {term: rows[rows["term"] == term] for term in dict.fromkeys(rows["term"])}
    columns = min(3, len(shown))
    lines = -(-len(shown) // columns)
    figure = Figure(figsize=(0.5 + 2.2 * columns, 0.7 + 1.6 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, (term, rows) in zip(panels, shown.items()):
        for run, own in rows.groupby("run"):
            stopped = own["status"].iloc[0] != "done"
            axes.plot(
                own["step"].to_numpy(float),
                own["value"].to_numpy(float, na_value=np.nan),
                color=colour,
                linewidth=0.9,
                linestyle="dotted" if stopped else "solid",
                alpha=0.8,
                gid=f"run:{run}",
            )
        if _falls_far(rows):
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.set_title(term, fontsize=TEXT)
        axes.tick_params(labelsize=SMALL)
        axes.grid(color="0.92")
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[len(shown) :]:
        axes.remove()
    figure.suptitle(f"{label}, {seeds_in_words(logs['seed'].nunique())}\n{title}", fontsize=TEXT)
    figure.supxlabel("step", fontsize=TEXT)
    figure.supylabel("nats / image", fontsize=TEXT)
    return figure


def _falls_far(rows: Frame) -> bool:
    x = rows.sort_values("step")["value"].to_numpy(float, na_value=np.nan)
    x = x[np.isfinite(x)]
    return len(x) > 1 and bool(x.min() > 0) and bool(x[0] > 20 * x[-1])
