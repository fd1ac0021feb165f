"""How numbers grow with training: milestones of runs, read, checked and drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import schema
from ._frame import Frame, at, budget, finished, has_number, is_control, place_name, read_numbers
from .canvas import SMALL, TEXT, limits, seeds_in_words
from .density import because, mixed, seeds_text
from .glossary import in_order, meaning, number
from .labels import GREY, ordered, styles
from .statistics import ENOUGH, summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

MOST = 6  # labels that one panel can hold
KEY = (
    f"thin line: a seed, dotted if its run did not finish   thick line: mean (IQM from {ENOUGH} seeds on)\n"
    f"band: 95 % bootstrap interval (from {ENOUGH} seeds on)   grey lines: controls, which are not trained"
)


def read_milestones(folder: Path, frame: Frame) -> Frame:
    """What `report.milestones` returns, of the frame that `load` made of the folder. Raises as that."""
    import pandas as pd

    rows = read_numbers(folder, "milestones", schema.MILESTONES, frame)
    points = frame[[*schema.RUNS, "label"]].drop_duplicates("run").merge(rows, on="run")
    beyond = points[(points["step"] < 1) | (points["step"] >= points["steps"])]
    for row in beyond.head(1).itertuples():
        raise ValueError(
            f"table 'milestones', column 'step': run {row.run} has step {row.step}, expected 1 to {row.steps - 1}, "
            f"before the end of its {row.steps} steps"
        )
    last = frame[frame["run"].isin(points["run"]) & (frame["status"] == "done") & frame["metric"].notna()]
    points = pd.concat([points, last.assign(step=last["steps"])[list(points)]])
    return points.sort_values(["run", "metric", "step"], ignore_index=True)


def notes(points: Frame, metrics: Iterable[str], dataset: str, source: str) -> list[str]:
    """A sentence for every number that milestones lack, and for every metric that was not computed alike throughout."""
    here, where = at(points, dataset, source), place_name(dataset, source)
    lacking, found = here[here["metric"].isin(list(metrics)) & (here["step"] < here["steps"]) & ~has_number(here)], []
    for (label, step, error), rows in lacking.groupby(["label", "step", lacking["score_error"].fillna("")]):
        names, seeds = ", ".join(in_order(rows["metric"])), seeds_text(rows["seed"])
        found.append(f"no {names} after {step:,} steps: {label} on {where}, {seeds}{because(error)}")
    counted = finished(here)
    return [*found, *(note for metric in metrics for note in mixed(metric, counted, where))]


def with_milestones(points: Frame, metrics: Iterable[str], dataset: str, source: str) -> list[str]:
    """Those of the metrics that have a number at a milestone there, in the order of tables."""
    here = at(points[has_number(points) & (points["step"] < points["steps"])], dataset, source)
    return in_order(here.loc[here["metric"].isin(list(metrics)), "metric"])


def legible(points: Frame, dataset: str, source: str) -> dict[str, Frame]:
    """The milestones there in as many figures as it takes to tell lines apart: one, or where labels are many, one a
    model, by its name."""
    here = at(points, dataset, source)
    return dict(list(here.groupby("model"))) if here["label"].nunique() > MOST else {"": here}


def growth(points: Frame, frame: Frame, metrics: Sequence[str], dataset: str, source: str) -> Figure:
    """Every metric against the steps of training, on a logarithmic axis; a panel a metric.

    A thin line is a seed, dotted where its run did not finish. Where several finished seeds have a number, a thick line
    is their mean, or from five seeds up their interquartile mean, with its 95 % interval as a band. Controls are grey
    lines at their mean. The axis of values runs between the metric's fixed ends, where it has them.

    Parameters
    ----------
    points : from `read_milestones`
    frame : from `load`, whole: colours go by all labels in it, and controls are read from it
    metrics : which to show; those without a milestone are left out
    dataset, source : which runs to show

    Raises
    ------
    ValueError
        None of the metrics has a milestone there.
    """
    from matplotlib.figure import Figure

    shown = with_milestones(points, metrics, dataset, source)
    if not shown:
        raise ValueError(f"no milestone of {', '.join(metrics)} on {place_name(dataset, source)}")
    rows, fixed = (at(held[held["metric"].isin(shown)], dataset, source) for held in (points, frame))
    rows, controls = rows[has_number(rows)], finished(fixed[is_control(fixed)])
    table, look = summary(rows), styles(frame)
    columns = min(3, len(shown))
    lines, width = -(-len(shown) // columns), 0.5 + 2.2 * columns
    entries = _entries(rows, controls, look)
    across = max(1, int(width / (0.55 + 0.06 * max(len(str(entry.get_label())) for entry in entries))))
    height = 1.2 + 1.6 * lines + 0.16 * -(-len(entries) // across)
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for i, (axes, metric) in enumerate(zip(panels, shown)):
        own = rows[rows["metric"] == metric]
        _curves(axes, own, table[table["metric"] == metric], look)
        _references(axes, metric, own, controls[controls["metric"] == metric], look)
        _steps(axes, sorted(set(rows["step"].astype(float))))
        axes.set_xlabel("step" if i + columns >= len(shown) else "", fontsize=TEXT)
    for axes in panels[len(shown) :]:
        axes.remove()
    figure.suptitle("\n".join(filter(None, [place_name(dataset, source), budget(rows)])), fontsize=TEXT)
    legend: dict[str, Any] = {"loc": "outside lower center", "ncols": across, "fontsize": SMALL, "frameon": False}
    figure.legend(handles=entries, title=KEY, title_fontproperties={"size": SMALL}, **legend)
    return figure


def _entries(rows: Frame, controls: Frame, look: dict[str, dict[str, Any]]) -> list[Line2D]:
    """What the legend names: every label with the number of its seeds, then the controls."""
    from matplotlib.lines import Line2D

    models = []
    for label in ordered(rows):
        status = rows[rows["label"] == label].drop_duplicates("run")["status"]
        done, stopped = int((status == "done").sum()), int((status != "done").sum())
        told = f"{label}, {seeds_in_words(done)}" + (f" (and {stopped} unfinished)" if stopped else "")
        models.append(Line2D([], [], linewidth=2, markersize=4, label=told, **look[label]))
    return models + [Line2D([], [], linewidth=1, label=label, **look[label]) for label in ordered(controls)]


def _curves(axes: Axes, rows: Frame, table: Frame, look: dict[str, dict[str, Any]]) -> None:
    """One metric: its seeds, and what several of them say together."""
    clip = None in meaning(rows["metric"].iloc[0]).bounds  # lines along a fixed end stay whole
    seeds = rows.groupby("label")["run"].nunique()
    for (label, run, status), own in rows.groupby(["label", "run", "status"]):
        axes.plot(
            own["step"].to_numpy(float),
            own["value"].to_numpy(float),
            linewidth=0.8,
            markersize=2,
            alpha=0.5 if seeds[label] > 1 else 1,
            clip_on=clip,
            linestyle="solid" if status == "done" else "dotted",
            gid=f"run:{run}",
            **look[label],
        )
    for label, own in table[table["n"] > 1].groupby("label"):
        x, enough = own["step"].to_numpy(float), own["n"] >= ENOUGH
        centre = own["iqm"].where(enough, own["mean"]).to_numpy(float)
        axes.plot(x, centre, linewidth=2, markersize=4, zorder=4, clip_on=clip, gid=f"centre:{label}", **look[label])
        if enough.any():
            low, high, colour = own["low"].to_numpy(float), own["high"].to_numpy(float), look[label]["color"]
            axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0, zorder=3, gid=f"interval:{label}")


def _references(axes: Axes, metric: str, rows: Frame, controls: Frame, look: dict[str, dict[str, Any]]) -> None:
    """Heading, scale, and a grey line at each control's mean; one beyond the scale is named at the edge."""
    told = meaning(metric)
    means = controls.groupby("label")["value"].mean()
    values = np.concatenate([rows["value"].to_numpy(float), means.to_numpy(float)])
    if None in told.bounds:  # a control, or a run on its way to divergence, may be anywhere
        values = (finished(rows) if len(finished(rows)) else rows)["value"].to_numpy(float)
    low, high = limits(values, told.bounds)
    axes.set_ylim(low, high)
    beyond = []
    for label, value in means.items():
        if low <= value <= high:
            axes.axhline(value, linewidth=1, zorder=1, gid=f"control:{label}", **look[label])
        else:
            beyond.append(f"{label} {number(value, metric)} {'↑' if value > high else '↓'}")
    axes.text(0.98, 0.96, "\n".join(beyond), transform=axes.transAxes, ha="right", va="top", fontsize=SMALL, color=GREY)
    axes.set_title(metric + told.arrow, fontsize=TEXT)
    axes.set_ylabel(told.unit, fontsize=SMALL)
    axes.tick_params(labelsize=SMALL)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(color="0.92", zorder=0)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _steps(axes: Axes, steps: Sequence[float]) -> None:
    """A logarithmic axis of steps with a tick at milestones, as many as there is room for."""
    from matplotlib.ticker import EngFormatter, FixedLocator, NullLocator

    low, high = steps[0] / 1.15, steps[-1] * 1.15
    ticks = [steps[-1]]
    for step in reversed(steps):
        if np.log(ticks[-1] / step) >= np.log(high / low) / 7:
            ticks.append(step)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(sorted(ticks)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_locator(NullLocator())
