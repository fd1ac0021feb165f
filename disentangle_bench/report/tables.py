"""Leaderboards: a table a data set, a row a configuration, a column a metric; controls apart at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ._frame import Frame, at, budget, is_control, place_name, places
from .density import gaps, refuse
from .glossary import choose, in_order, meaning, number
from .labels import ordered
from .statistics import summary

NONE = "–"
LEGEND = (
    "Mean ± standard deviation over seeds; ↑ higher is better, ↓ lower is better; best mean in bold, which says "
    "nothing of significance; controls, listed last, are not competitors: they show what the numbers mean."
)


@dataclass(frozen=True)
class Board:
    """The leaderboard of one data set, as text.

    `cells` has a row a label and a column a metric, "mean ± sd" each; `best` says which cells to set in bold; `seeds`
    are the finished runs a label; `controls` are the labels that are listed apart; `notes` name what is missing.
    """

    dataset: str
    source: str
    budget: str
    cells: Frame
    best: Frame
    seeds: dict[str, int]
    controls: list[str]
    notes: list[str]

    @property
    def title(self) -> str:
        return ", ".join(filter(None, [place_name(self.dataset, self.source), self.budget]))


def long(frame: Frame, metrics: Sequence[str] | None = None) -> Frame:
    """The summary of every configuration and metric, in the order of tables.

    Raises
    ------
    ValueError
        Duplicate runs, mixed versions of a metric (see `density.refuse`), or an unknown metric.
    """
    refuse(frame)
    table = summary(frame)
    table = table[table["metric"].isin(choose(metrics, table["metric"]))]
    labels, names = ordered(frame), in_order(table["metric"])
    return table.sort_values(
        ["dataset", "source", "label", "metric"],
        ignore_index=True,
        key=lambda column: column.map({"label": labels.index, "metric": names.index}.get(str(column.name), str)),
    )


def boards(frame: Frame, metrics: Sequence[str] | None = None) -> list[Board]:
    """A leaderboard for every data set and source of images. Raises as `long`."""
    table = long(frame, metrics)
    return [_board(frame, table, dataset, source) for dataset, source in places(frame)]


def _board(frame: Frame, table: Frame, dataset: str, source: str) -> Board:
    import pandas as pd

    names = in_order(table["metric"])
    here, table = at(frame, dataset, source), at(table, dataset, source)
    labels = ordered(here)
    controls = ordered(here[is_control(here)])
    seeds = {label: int(group["run"].nunique()) for label, group in here[here["status"] == "done"].groupby("label")}
    cells = pd.DataFrame(NONE, index=labels, columns=names, dtype=object)
    best = pd.DataFrame(False, index=labels, columns=names)
    for row in table.itertuples():
        cells.loc[row.label, row.metric] = _cell(row, seeds[row.label])
    for metric, group in table[~table["label"].isin(controls)].groupby("metric"):
        shown = {row.label: float(number(row.mean, metric)) for row in group.itertuples()}  # equal as printed is equal
        wanted = {"high": max, "low": min}.get(meaning(metric).best)
        if wanted and len(set(shown.values())) > 1:
            best.loc[[label for label, value in shown.items() if value == wanted(shown.values())], metric] = True
    return Board(
        dataset,
        source,
        budget(here),
        cells,
        best,
        {label: seeds.get(label, 0) for label in labels},
        controls,
        gaps(frame, dataset, source, names),
    )


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
    lines = [
        f"### {board.title}",
        "",
        *("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]),
        "",
        LEGEND,
        "",
        *(f"* {note}" for note in board.notes),
    ]
    return "\n".join(lines).rstrip() + "\n"


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
