"""Leaderboards: a table a data set, a row a configuration, a column a metric; controls apart at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..schema import ALL, named
from ._frame import Frame, at, budget, is_control, place_name, places, unnamed
from .density import gaps, refuse
from .glossary import choose, in_order, meaning, number
from .labels import ordered
from .statistics import summary

NONE = "–"
LEGEND = (
    "Mean ± standard deviation over seeds; ↑ higher is better, ↓ lower is better; best mean in bold, which says "
    "nothing of significance; controls, listed last, are not competitors: they show what the numbers mean."
)
BLOCKS = f"Blocks of the codes, each scored alone, beside all units; {NONE} where a model has no such block or number."


@dataclass(frozen=True)
class Board:
    """The leaderboard of one data set, as text.

    `cells` has a row a label and a column a metric, "mean ± sd" each; `best` says which cells to set in bold; `seeds`
    are the finished runs a label; `controls` are the labels that are listed apart; `notes` name what is missing.
    `blocks` has a row a metric and model that was scored by block, and a column a block.
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
    table = table[table["metric"].map(lambda metric: unnamed(metric)[0] in wanted).astype(bool)]
    labels, names = ordered(frame), in_order(table["metric"])
    return table.sort_values(
        ["dataset", "source", "label", "metric"],
        ignore_index=True,
        key=lambda column: column.map({"label": labels.index, "metric": names.index}.get(str(column.name), str)),
    )


def boards(frame: Frame, metrics: Sequence[str] | None = None) -> list[Board]:
    """A leaderboard for every data set and source of images. Raises as `long`."""
    table = long(frame, metrics)
    names = choose(metrics, table["metric"])
    return [_board(frame, table, names, dataset, source) for dataset, source in places(frame)]


def _board(frame: Frame, table: Frame, names: list[str], dataset: str, source: str) -> Board:
    import pandas as pd

    here, table = at(frame, dataset, source), at(table, dataset, source)
    labels = ordered(here)
    controls = ordered(here[is_control(here)])
    seeds = {label: int(group["run"].nunique()) for label, group in here[here["status"] == "done"].groupby("label")}
    cells = pd.DataFrame(NONE, index=labels, columns=names, dtype=object)
    best = pd.DataFrame(False, index=labels, columns=names)
    shown = table[table["metric"].isin(names)]
    for row in shown.itertuples():
        cells.loc[row.label, row.metric] = _cell(row, seeds[row.label])
    for metric, group in shown[~shown["label"].isin(controls)].groupby("metric"):
        means = {row.label: float(number(row.mean, metric)) for row in group.itertuples()}  # equal as printed is equal
        wanted = {"high": max, "low": min}.get(meaning(metric).best)
        if wanted and len(set(means.values())) > 1:
            best.loc[[label for label, value in means.items() if value == wanted(means.values())], metric] = True
    everything = in_order([*names, *_by_block(here, names)])
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


def _by_block(rows: Frame, names: Sequence[str]) -> list[str]:
    """These metrics as they are called in blocks, one for each block in which it is there."""
    plain = {unnamed(name)[0] for name in names}
    return [name for name in set(rows["metric"].dropna()) if unnamed(name)[0] in plain and unnamed(name)[1] != ALL]


def _blocks(table: Frame, names: Sequence[str], labels: Sequence[str], seeds: dict[str, int]) -> Frame:
    """As text: metric, model, all units, and a column a block."""
    import pandas as pd

    held = {(row.metric, row.label): _cell(row, seeds[row.label]) for row in table.itertuples()}
    blocks = sorted({unnamed(name)[1] for name in _by_block(table, names)})
    rows = []
    for metric in dict.fromkeys(unnamed(name)[0] for name in names):
        for label in labels:
            cells = [held.get((named(metric, block), label), NONE) for block in [ALL, *blocks]]
            rows += [[metric + meaning(metric).arrow, label, *cells]] if set(cells[1:]) - {NONE} else []
    return pd.DataFrame(rows, columns=["metric", "model", "all units", *blocks])


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
    lines = [f"### {board.title}", "", *_grid([head, *rows]), "", LEGEND, ""]
    if len(board.blocks):
        lines += ["#### By block", "", *_grid([list(board.blocks), *board.blocks.to_numpy().tolist()]), "", BLOCKS, ""]
    return "\n".join([*lines, *(f"* {note}" for note in board.notes)]).rstrip() + "\n"


def _grid(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return [head, "| " + " | ".join(["---"] * len(rows[0])) + " |", *body]


def latex(board: Board) -> str:
    """A leaderboard in LaTeX (package booktabs), what is missing below it in small type."""
    head = ["model", "seeds", *(_escape(metric + meaning(metric).arrow) for metric in board.cells)]
    rows = {label: _row(board, label, r"\textbf{{{}}}".format, _escape) for label in board.cells.index}
    apart = [[row for label, row in rows.items() if (label in board.controls) == control] for control in (False, True)]
    body = "\n\\midrule\n".join("\n".join(" & ".join(row) + r" \\" for row in part) for part in apart if part)
    notes = " ".join(_escape(note) + "." for note in [board.title, LEGEND.rstrip("."), *board.notes])
    return "\n".join(
        [
            rf"\begin{{tabular}}{{lr{'r' * len(board.cells.columns)}}}",
            r"\toprule",
            " & ".join(head) + r" \\",
            r"\midrule",
            body,
            r"\bottomrule",
            r"\end{tabular}",
            "",
            rf"\smallskip{{\footnotesize {notes}\par}}",
            "",
        ]
    )


def _row(board: Board, label: str, bold: Callable[[str], str], escape: Callable[[str], str] = str) -> list[str]:
    cells = [
        bold(escape(text)) if board.best.loc[label, metric] else escape(text)
        for metric, text in board.cells.loc[label].items()
    ]
    return [escape(label), str(board.seeds[label]), *cells]


def _escape(text: str) -> str:
    special = {
        "±": r"$\pm$",
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{letter: "\\" + letter for letter in "_%&#${}"},
    }
    return "".join(special.get(letter, letter) for letter in text)
