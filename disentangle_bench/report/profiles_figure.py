"""What share of a model's runs reach a score, over all scores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ._frame import Frame, finished, is_control, place_name
from .canvas import SMALL, TEXT, aligned, dots, headed, heading, legend, panels, plain
from .crowd import TOGETHER, pooled, shown
from .labels import ordered
from .profiles import profiles
from .statistics import ENOUGH

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def performance_profiles(frame: Frame, dataset: str, source: str, metrics: Iterable[str] | None = None) -> Figure:
    """The share of runs with a score above each threshold; a panel a metric, a line a configuration.

    A line that lies above another everywhere is better whatever counts as good. Thresholds run between the metric's
    own ends. Where there are more than ten configurations, a line is all runs of a model.

    Parameters
    ----------
    frame : from `load`, whole: colours go by all labels in it
    dataset, source : which runs to show
    metrics : names; None means all. At most six that have two fixed ends are shown, those of the card first.

    Raises
    ------
    ValueError
        No finished score there.
    """
    rows, look, together = pooled(finished(frame), dataset, source)
    rows = rows[~is_control(rows)]
    names, labels = shown(rows, metrics, 6), ordered(rows)
    if not names:
        raise ValueError(f"no finished score on {place_name(dataset, source)}")
    figure, found = panels(len(names))
    for axes, metric in zip(found, names):
        for label, line in profiles(rows, metric).groupby("label"):
            x, share = line["threshold"].to_numpy(float), line["share"].to_numpy(float)
            style: dict[str, Any] = {**look[str(label)], "markersize": 3, "linewidth": 1.2}
            middle = float((share > 0.5).mean())  # a marker there tells lines of one colour apart
            style["markevery"] = [int(middle * (len(x) - 1))]
            axes.plot(x, share, drawstyle="steps-post", gid=f"profile:{label}", **style)
            if line["low"].notna().any():
                low, high = line["low"].to_numpy(float), line["high"].to_numpy(float)
                axes.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0, step="post")
        axes.set_ylim(0, 1.02)
        axes.set_title(headed(metric), fontsize=TEXT)
        plain(axes)
    aligned(found, "score, 0 worst and 1 best")
    figure.supylabel("share of runs above", fontsize=SMALL)
    heading(figure, rows, dataset, source)
    entries = [dots(label, look[label], linewidth=1.2, markersize=3) for label in labels]
    key = f"band: 95 % bootstrap interval (from {ENOUGH} runs on)"
    legend(figure, entries, f"{key}\n{TOGETHER}" if together else key)
    return figure
