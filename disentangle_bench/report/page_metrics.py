"""The sections of metrics: what a number is, how it was computed, and what every configuration has of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._frame import Frame, place_name
from .density import conventions
from .glossary import in_order, meaning
from .metrics_text import define, families
from .page_board import MANY
from .page_parts import NONE, digits, slug, span, table_of
from .tables import Board


def metrics(frame: Frame, summary: Frame, boards: Sequence[Board]) -> list[dict[str, Any]]:
    """A section a family of metrics, in the order of tables.

    Parameters
    ----------
    frame : from `load`
    summary : from `tables.long`
    boards : of all data sets
    """
    shown = in_order([metric for board in boards for metric in board.cells])
    controls = {label for board in boards for label in board.controls}
    return [
        {
            "name": name,
            "id": f"metric-{slug(name)}",
            "definition": define(name),
            "parts": [
                {
                    "metric": metric,
                    "text": meaning(metric).text,
                    "unit": meaning(metric).unit,
                    "conventions": conventions(frame, metric),
                }
                for metric in members
            ],
            "tables": _numbers(summary[summary["metric"].isin(members)], name, controls),
        }
        for name, members in families(shown).items()
    ]


def _numbers(rows: Frame, name: str, controls: set[str]) -> list[Any]:
    """What the seeds of each configuration say."""
    cells, grey = [], set()
    for i, row in enumerate(rows.itertuples()):
        numbers = [digits(value, row.metric) for value in (row.mean, row.sd, row.iqm)]
        interval = span(row.low, row.high, lambda value, metric=row.metric: digits(value, metric))
        cells.append([row.label, place_name(row.dataset, row.source), row.metric, str(row.n), *numbers, interval])
        grey |= {i} if row.label in controls else set()
    head = ["model", "data set", "metric", "seeds", "mean", "sd", "IQM", "95 % interval of the IQM"]
    return table_of(cells, f"Numbers of {name}", head, words=3, grey=frozenset(grey), folded=len(cells) > MANY // 4)


def best(summary: Frame, boards: Sequence[Board]) -> list[Any]:
    """The best configuration of each metric on each data set, as one table; none where there is nothing to choose."""
    rows = []
    for board in boards:
        held = summary[(summary["dataset"] == board.dataset) & (summary["source"] == board.source)]
        held = held[~held["label"].isin(board.controls)]
        for metric in board.cells:
            own = held[held["metric"] == metric]
            if meaning(metric).best and len(own) > 1:
                row = own.sort_values("mean", ascending=meaning(metric).best == "low").iloc[0]
                spread = digits(row["sd"], metric)
                told = digits(row["mean"], metric) + (f" ± {spread}" if spread != NONE else "")
                place = place_name(board.dataset, board.source)
                rows.append([metric + meaning(metric).arrow, place, row["label"], told, str(row["n"]), str(len(own))])
    caption = "Best mean among trained models. How sure that is, ranks and intervals of each data set say."
    head = ["metric", "data set", "model", "mean ± sd", "seeds", "of so many configurations"]
    return table_of(rows, caption, head, words=3, folded=len(rows) > MANY)
