"""Leaderboards: a table a data set, a row a configuration, a column a metric; controls apart at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..schema import ALL, SPLITS, named
from ._frame import Frame, at, budget, is_control, place_name, places, unnamed
from .comparisons import improvement, improvement_interval, oriented
from .density import gaps, refuse
from .glossary import choose, in_order, meaning, number
from .labels import ordered
from .statistics import ENOUGH, summary
from .typeset import escape, latex_table, markdown_table

NONE = "–"
WHOLE = (ALL, ALL)  # block and split of what leaderboards show
LEGEND = (
    "Mean ± standard deviation over seeds; ↑ higher is better, ↓ lower is better. Bold: the best mean, and every model "
    f"that {ENOUGH} seeds or more do not tell apart from it (the 95 % interval of the probability that a run of the "
    f"best beats one of it holds 1/2, one pair at a time). With fewer than {ENOUGH} seeds bold is the best mean alone, "
    "which says nothing of significance. Controls, listed last, are not competitors: they show what the numbers mean."
)
BLOCKS = (
    f"Blocks of the codes, each scored alone, beside all units; {NONE} where a model has no such block or number. "
    "Where training drew some images more often: train, images as it drew them; held-out, those that it never drew."
)
LONG = ["data set", "metric", "model", "seeds", "mean ± sd", "interval of the mean", "IQM", "interval of the IQM"]
INTERVALS = (
    f"95 % bootstrap intervals over seeds; {NONE} where there are fewer than {ENOUGH}, which tell none. "
    "IQM: mean of the middle half of the seeds. ↑ higher is better, ↓ lower is better."
)


@dataclass(frozen=True)
class Board:
    """The leaderboard of one data set, as text.

    `cells` has a row a label and a column a metric, "mean ± sd" each; `best` says which cells to set in bold; `seeds`
    are the finished runs a label; `controls` are the labels that are listed apart; `notes` name what is missing.
    `blocks` has a row a metric and model that was scored by block or split, and a column a block and split.
    """

    dataset: str
    source: str
    budget: str
    cells: Frame
    best: Frame
    seeds: dict[str, int]
    controls: list[str]
    notes: list[str]
    blocks: Frame

    @property
    def title(self) -> str:
        return ", ".join(filter(None, [place_name(self.dataset, self.source), self.budget]))


def long(frame: Frame, metrics: Sequence[str] | None = None) -> Frame:
    """The summary of every configuration and metric, by block, too, in the order of tables.

    Raises
    ------
    ValueError
        Duplicate runs, mixed versions of a metric (see `density.refuse`), or an unknown metric.
    """
    refuse(frame)
    table = summary(frame)
    wanted = {unnamed(metric)[0] for metric in choose(metrics, table["metric"])}
    table = table[table["metric"].isin([name for name in table["metric"].unique() if unnamed(name)[0] in wanted])]
    labels, names = ordered(frame), in_order(table["metric"])
    return table.sort_values(
        ["dataset", "source", "label", "metric"],
        ignore_index=True,
        key=lambda column: column.map({"label": labels.index, "metric": names.index}.get(str(column.name), str)),
    )


def boards(frame: Frame, metrics: Sequence[str] | None = None, table: Frame | None = None) -> list[Board]:
    """A leaderboard for every data set and source of images. Raises as `long`, which makes `table` if none is given."""
    held: Frame = long(frame, metrics) if table is None else table
    names, tried = choose(metrics, held["metric"]), choose(metrics, frame["metric"].dropna())
    return [_board(frame, held, names, tried, dataset, source) for dataset, source in places(frame)]


def _board(frame: Frame, table: Frame, names: list[str], tried: list[str], dataset: str, source: str) -> Board:
    import pandas as pd

    here, table = at(frame, dataset, source), at(table, dataset, source)
    runs = here.drop_duplicates("run")
    labels, controls = ordered(runs), ordered(runs[is_control(runs)])
    seeds = runs.loc[runs["status"] == "done", "label"].value_counts().to_dict()
    cells = pd.DataFrame(NONE, index=labels, columns=names, dtype=object)
    best = pd.DataFrame(False, index=labels, columns=names)
    shown = table[table["metric"].isin(names)]
    for row in shown.itertuples():
        cells.loc[row.label, row.metric] = _cell(row, seeds[row.label])
    numbers = dict(list(here.groupby("metric")))
    for metric, group in shown[~shown["label"].isin(controls)].groupby("metric"):
        best.loc[_best(numbers[metric], group, metric, dataset, source), metric] = True
    everything = in_order([*tried, *_by_block(here, tried)])  # also what failed for all runs, and has no column
    return Board(
        dataset,
        source,
        budget(here),
        cells,
        best,
        {label: seeds.get(label, 0) for label in labels},
        controls,
        gaps(frame, dataset, source, everything),
        _blocks(table, names, labels, seeds),
    )


def _best(frame: Frame, rows: Frame, metric: str, dataset: str, source: str) -> list[str]:
    """The labels to set in bold: the best mean, what prints like it, what enough seeds do not tell apart from it."""
    sign = {"high": 1, "low": -1}.get(meaning(metric).best)
    printed = {row.label: float(number(row.mean, metric)) for row in rows.itertuples()}
    if not sign or len(set(printed.values())) == 1:
        return []
    means, seeds = (rows.set_index("label")[column] for column in ("mean", "n"))
    top = (sign * means).idxmax()
    tied = {label for label, value in printed.items() if value == printed[top]}
    if seeds[top] >= ENOUGH:
        scores = oriented(frame, metric, dataset, source)
        rivals = [label for label in printed if seeds[label] >= ENOUGH]
        p = [improvement(scores[top], scores[label]) for label in rivals]
        low, _ = improvement_interval(p, seeds[top], seeds[rivals].to_numpy())
        tied |= {label for label, least in zip(rivals, low) if least <= 0.5}
    return [label for label in printed if label in tied]


def _by_block(rows: Frame, names: Sequence[str]) -> list[str]:
    """These metrics as they are called in blocks and splits, one for each in which it is there."""
    plain = {unnamed(name)[0] for name in names}
    return [name for name in set(rows["metric"].dropna()) if unnamed(name)[0] in plain and unnamed(name)[1:] != WHOLE]


def _blocks(table: Frame, names: Sequence[str], labels: Sequence[str], seeds: dict[str, int]) -> Frame:
    """As text: metric, model, all units, and a column a block and split."""
    import pandas as pd

    held = {(row.metric, row.label): _cell(row, seeds[row.label]) for row in table.itertuples()}
    found = {unnamed(name)[1:] for name in _by_block(table, names)}
    parts = sorted(found, key=lambda part: (SPLITS.index(part[1]), part[0] != ALL, part[0]))
    rows = []
    for metric in dict.fromkeys(unnamed(name)[0] for name in names):
        for label in labels:
            cells = [held.get((named(metric, *part), label), NONE) for part in [WHOLE, *parts]]
            rows += [[metric + meaning(metric).arrow, label, *cells]] if set(cells[1:]) - {NONE} else []
    heads = [split if block == ALL else named(block, split=split) for block, split in parts]
    return pd.DataFrame(rows, columns=["metric", "model", "all units", *heads])


def _cell(row: Any, seeds: int) -> str:
    text = number(row.mean, row.metric)
    text += f" ± {number(row.sd, row.metric)}" if row.n > 1 else ""
    return text + (f" (n={row.n})" if row.n != seeds else "")


def wide(found: Sequence[Board]) -> Frame:
    """All leaderboards in one frame of text: dataset, source, model, seeds, and a column a metric."""
    import pandas as pd

    return pd.concat(
        [
            board.cells.rename_axis("model")
            .reset_index()
            .assign(dataset=board.dataset, source=board.source, seeds=list(board.seeds.values()))[
                ["dataset", "source", "model", "seeds", *board.cells.columns]
            ]
            for board in found
        ],
        ignore_index=True,
    )


def markdown(board: Board) -> str:
    """A leaderboard in Markdown, its title above, what is missing below."""
    head = ["model", "seeds", *(metric + meaning(metric).arrow for metric in board.cells)]
    rows = [_row(board, label, lambda text: f"**{text}**") for label in board.cells.index]
    lines = [f"### {board.title}", "", *markdown_table([head, *rows]), "", LEGEND, ""]
    if len(board.blocks):
        lines += [
            "#### By block and split",
            "",
            *markdown_table([list(board.blocks), *board.blocks.to_numpy().tolist()]),
            "",
            BLOCKS,
            "",
        ]
    return "\n".join([*lines, *(f"* {note}" for note in board.notes)]).rstrip() + "\n"


def latex(board: Board) -> str:
    """A leaderboard in LaTeX (package booktabs), what is missing below it in small type."""
    head = ["model", "seeds", *(metric + meaning(metric).arrow for metric in board.cells)]
    rows = {label: _row(board, label, r"\textbf{{{}}}".format, escape) for label in board.cells.index}
    apart = [[row for label, row in rows.items() if (label in board.controls) == control] for control in (False, True)]
    return latex_table("lr" + "r" * len(board.cells.columns), head, apart, [board.title, LEGEND, *board.notes])


def _row(board: Board, label: str, bold: Callable[[str], str], escape: Callable[[str], str] = str) -> list[str]:
    cells = [
        bold(escape(text)) if board.best.loc[label, metric] else escape(text)
        for metric, text in board.cells.loc[label].items()
    ]
    return [escape(label), str(board.seeds[label]), *cells]


def spelt(table: Frame) -> Frame:
    """The long leaderboard as text: a row a metric and model, with both intervals."""
    import pandas as pd

    rows = [
        [
            place_name(row.dataset, row.source),
            row.metric + meaning(row.metric).arrow,
            row.label,
            str(row.n),
            number(row.mean, row.metric) + (f" ± {number(row.sd, row.metric)}" if row.n > 1 else ""),
            _range(row.mean_low, row.mean_high, row.metric),
            number(row.iqm, row.metric),
            _range(row.low, row.high, row.metric),
        ]
        for row in table.itertuples()
    ]
    return pd.DataFrame(rows, columns=LONG)


def _range(low: float, high: float, metric: str) -> str:
    return NONE if np.isnan(low) else f"{number(low, metric)} to {number(high, metric)}"


def long_markdown(table: Frame) -> str:
    """What `long` gives, in Markdown."""
    return "\n".join([*markdown_table([LONG, *spelt(table).to_numpy().tolist()]), "", INTERVALS, ""])


def long_latex(table: Frame) -> str:
    """What `long` gives, in LaTeX (package booktabs), a rule between data sets."""
    parts = [part.map(escape).to_numpy().tolist() for _, part in spelt(table).groupby(LONG[0], sort=False)]
    return latex_table("lllrrrrr", LONG, parts, [INTERVALS])
