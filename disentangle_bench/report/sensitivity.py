"""How scores depend on a hyper-parameter that was swept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ._frame import Frame, at, finished, is_control, place_name
from .canvas import TEXT, aligned, control_lines, dots, headed, heading, legend, limits, panels, plain
from .crowd import shown
from .glossary import meaning
from .labels import COLOURS, MARKERS, ordered, styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST = 3  # values of a parameter that make a curve
MOST = 6  # curves of a figure: combinations of the other parameters
KEY = "small: a seed   line and large: mean of the seeds   grey lines: controls"


def swept(frame: Frame, dataset: str, source: str) -> list[tuple[str, str]]:
    """Every (model, parameter) that has finished runs there with at least three values, all of them numbers."""
    runs = _with_settings(at(finished(frame), dataset, source))
    found = []
    for model, own in runs.groupby("model"):
        settings = list(own["settings"])
        for name in dict.fromkeys(key for setting in settings for key in setting):
            values = {setting.get(name) for setting in settings}
            if len(values) >= LEAST and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
                found.append((str(model), name))
    return found


def sensitivity(
    frame: Frame, model: str, parameter: str, dataset: str, source: str, metrics: Iterable[str] | None = None
) -> Figure:
    """A model's scores over the values of one of its parameters; a panel a metric.

    Every seed is a dot, a line joins the means. Runs that differ in other parameters, too, have a curve for each
    combination. The axis of the parameter is logarithmic where its values are spaced more evenly so.

    Parameters
    ----------
    frame : from `load`, whole: colours go by all labels in it
    model, parameter : what to show, one of `swept`; steps, batch and precision are parameters, too
    dataset, source : which runs to show
    metrics : names; None means all. At most six that have two fixed ends are shown.

    Raises
    ------
    ValueError
        No such sweep there (the message names those that there are), or no score of it.
    """
    known = swept(frame, dataset, source)
    if (model, parameter) not in known:
        told = ", ".join(f"{name} over {key}" for name, key in known) or "none"
        raise ValueError(f"no sweep of {model} over {parameter} on {place_name(dataset, source)}; there are: {told}")
    here = at(finished(frame), dataset, source)
    names = shown(here[here["model"] == model], metrics, 6)
    if not names:
        raise ValueError(f"no finished score of {model} on {place_name(dataset, source)}")
    rows = _curves(here[here["model"] == model], parameter)
    curves, look = list(dict.fromkeys(rows["curve"])), styles(frame)
    first = look[ordered(rows)[0]]
    colours = {
        curve: first if len(curves) == 1 else {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)]}
        for i, curve in enumerate(curves)
    }
    controls = here[is_control(here)]
    figure, found = panels(len(names))
    for axes, metric in zip(found, names):
        axes.set_ylim(*limits(rows.loc[rows["metric"] == metric, "value"].to_numpy(float), meaning(metric).bounds))
        for curve in curves[:MOST]:
            own = rows[(rows["metric"] == metric) & (rows["curve"] == curve)]
            _curve(axes, own, curve or model, colours[curve])
        _spaced(axes, rows["x"])
        control_lines(axes, controls[controls["metric"] == metric].groupby("label")["value"].mean(), look)
        axes.set_title(headed(metric), fontsize=TEXT)
        plain(axes)
    aligned(found, f"{parameter} of {model}")
    heading(figure, rows, dataset, source)
    entries = [dots(curve or model, colours[curve], linewidth=1.2) for curve in curves[:MOST]]
    entries += [dots(label, look[label], linewidth=1) for label in ordered(controls)]
    more = f"\n{len(curves) - MOST} more curves are not shown" if len(curves) > MOST else ""
    legend(figure, entries, KEY + more)
    return figure


def _with_settings(rows: Frame) -> Frame:
    """Runs that were trained, with all that they were told as a dictionary."""
    runs = rows[~is_control(rows)].drop_duplicates("run")
    told = [
        {**json.loads(run.params), "steps": int(run.steps), "batch": int(run.batch), "precision": run.precision}
        for run in runs.itertuples()
    ]
    return runs.assign(settings=told)


def _curves(rows: Frame, parameter: str) -> Frame:
    """A model's rows with x, the parameter's value, and the curve that they belong to: what else differs, in words."""
    runs = _with_settings(rows)
    settings = dict(zip(runs["run"], runs["settings"]))
    keys = dict.fromkeys(key for setting in settings.values() for key in setting if key != parameter)
    telling = [key for key in keys if len({str(setting.get(key)) for setting in settings.values()}) > 1]
    curves = {
        run: ", ".join(f"{key}={setting[key]}" for key in telling if key in setting)
        for run, setting in settings.items()
    }
    x = rows["run"].map({run: float(setting[parameter]) for run, setting in settings.items()})
    return rows.assign(x=x, curve=rows["run"].map(curves)).sort_values(["x", "seed"])


def _curve(axes: Axes, rows: Frame, name: str, look: dict[str, Any]) -> None:
    means = rows.groupby("x")["value"].mean()
    x = rows["x"].to_numpy(float)
    axes.scatter(x, rows["value"].to_numpy(float), s=6, alpha=0.4, linewidths=0, gid=f"seeds:{name}", **look)
    axes.plot(
        means.index.to_numpy(float), means.to_numpy(float), linewidth=1.2, markersize=4, gid=f"mean:{name}", **look
    )


def _spaced(axes: Axes, values: Frame) -> None:
    """The axis of a parameter, with a tick at each of its values while there is room."""
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, StrMethodFormatter

    points = np.unique(values.to_numpy(float))
    if geometric(points):
        axes.set_xscale("log")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if len(points) <= 7:
        axes.xaxis.set_major_locator(FixedLocator(points.tolist()))
        axes.xaxis.set_minor_locator(NullLocator())


def geometric(points: ArrayLike) -> bool:
    """Whether positive values lie more evenly on a logarithmic axis than on a straight one.

    Examples
    --------
    >>> geometric([1, 2, 4, 8]), geometric([10, 20, 30, 40]), geometric([0, 1, 10])
    (True, False, False)
    """
    x = np.unique(np.asarray(points, float))
    if len(x) < LEAST or x[0] <= 0:
        return False
    straight, bent = np.diff(x), np.diff(np.log(x))
    return bool(bent.std() / bent.mean() < straight.std() / straight.mean())
