"""Scores against what they go with: how well images are described, and what training cost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ._frame import Frame, finished, is_control, place_name
from .canvas import TEXT, aligned, control_lines, dots, headed, heading, legend, limits, logarithmic, panels, plain
from .crowd import TOGETHER, pooled, shown
from .glossary import meaning
from .labels import ordered

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DENSE = 200  # dots of a panel that are drawn as a picture within a plot, from here on
TIMES = {"hours": 3600, "minutes": 60}
KEY = "small: a run   large: mean of all runs   grey lines: controls"


def tradeoff(
    frame: Frame, dataset: str, source: str, metrics: Iterable[str] | None = None, against: str = "reconstruction"
) -> Figure:
    """Every run's scores against how well it describes images; a panel a metric.

    Parameters
    ----------
    frame : from `load`, whole: colours go by all labels in it
    dataset, source : which runs to show
    metrics : names; None means all. At most six that have two fixed ends are shown.
    against : the metric along the horizontal axis

    Raises
    ------
    ValueError
        No finished run there has both `against` and a score.
    """
    rows, look, together = pooled(finished(frame), dataset, source)
    across = rows[rows["metric"] == against].set_index("run")["value"].astype(float)
    return _scatter(rows, look, across, metrics, dataset, source, headed(against), together, against)


def cost(frame: Frame, dataset: str, source: str, metrics: Iterable[str] | None = None) -> Figure:
    """Every run's scores against the time that its training took, on a logarithmic axis; a panel a metric.

    Parameters
    ----------
    frame, dataset, source, metrics : as for `tradeoff`

    Raises
    ------
    ValueError
        No finished run there has both a time of training and a score.

    Notes
    -----
    Times are those of the runs as they were: on one device or several, alone or in stacks.
    """
    rows, look, together = pooled(finished(frame), dataset, source)
    trained = rows[~is_control(rows) & (rows["seconds"].fillna(0) > 0)].drop_duplicates("run")
    across = trained.set_index("run")["seconds"].astype(float)
    devices = ", ".join(sorted(set(trained["device"].dropna()) - {""})[:2])
    told = "training, {} a run" + (f" ({devices})" if devices else "")
    unit, seconds = next((pair for pair in TIMES.items() if across.median() >= pair[1]), ("seconds", 1))
    return _scatter(rows, look, across / seconds, metrics, dataset, source, told.format(unit), together)


def _scatter(
    rows: Frame,
    look: dict[str, dict[str, Any]],
    across: Frame,
    metrics: Iterable[str] | None,
    dataset: str,
    source: str,
    name: str,
    together: bool,
    against: str = "",
) -> Figure:
    """Scores over a number a run (a Series by run), `against` a metric or else a time; a panel a metric."""
    names = [metric for metric in shown(rows, metrics, 6) if metric != against]
    drawn = rows[rows["metric"].isin(names)]
    drawn = drawn.assign(x=drawn["run"].map(across))
    models = drawn[~is_control(drawn) & drawn["x"].notna()]
    if models.empty:
        raise ValueError(f"no finished run on {place_name(dataset, source)} has both {name} and a score")
    names = [metric for metric in names if metric in set(models["metric"])]
    figure, found = panels(len(names))
    low, high = limits(models["x"].to_numpy(float), (None, None))
    for axes, metric in zip(found, names):
        axes.set_ylim(*limits(models.loc[models["metric"] == metric, "value"].to_numpy(float), meaning(metric).bounds))
        if not against:  # times
            logarithmic(axes, models["x"].to_numpy(float))
        else:
            axes.set_xlim(low, high)
        _dots(axes, models[models["metric"] == metric], look)
        controls = drawn[is_control(drawn) & (drawn["metric"] == metric)]
        control_lines(axes, controls.groupby("label")["value"].mean(), look)
        axes.set_title(headed(metric), fontsize=TEXT)
        plain(axes)
    aligned(found, name)
    heading(figure, models, dataset, source)
    entries = [dots(label, look[label]) for label in ordered(models)]
    entries += [dots(label, look[label], linewidth=1) for label in ordered(drawn[is_control(drawn)])]
    legend(figure, entries, f"{KEY}\n{TOGETHER}" if together else KEY)
    return figure


def _dots(axes: Axes, rows: Frame, look: dict[str, dict[str, Any]]) -> None:
    """A small dot a run and a large one a label, where it has several."""
    dense = len(rows) > DENSE
    for label, own in rows.groupby("label"):
        x, y, style = own["x"].to_numpy(float), own["value"].to_numpy(float), look[str(label)]
        clear = {"clip_on": dense, "color": style["color"], "marker": style["marker"]}
        axes.scatter(x, y, s=8, alpha=0.45, linewidths=0, rasterized=dense, zorder=3, gid=f"seeds:{label}", **clear)
        axes.scatter(
            x.mean(), y.mean(), s=24, linewidths=0.5, edgecolors="black", zorder=4, gid=f"centre:{label}", **clear
        )
