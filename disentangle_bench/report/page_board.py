"""The leaderboard of the page: every data set in one table, to be sorted and filtered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._frame import Frame, place_name
from .glossary import in_order, meaning
from .page_parts import Table, table_of
from .tables import LEGEND, NONE, Board

MANY = 40  # rows of a table from which on it is closed until a reader asks for it


def board(frame: Frame, boards: Sequence[Board]) -> dict[str, Any]:
    """Rows, columns and what filters choose from; empty where nothing has a number."""
    metrics = in_order([metric for held in boards for metric in held.cells])
    if not metrics:
        return {}
    models = dict(zip(frame["label"], frame["model"]))
    rows = []
    for held in boards:
        cells, best = ({m: held_[m].tolist() for m in held_} for held_ in (held.cells, held.best))
        place = place_name(held.dataset, held.source)
        for i, label in enumerate(held.cells.index):
            parts = [(*_parts(cells[m][i]), bool(best[m][i])) if m in cells else (NONE, "", False) for m in metrics]
            rows.append(
                {
                    "label": label,
                    "model": models[label],
                    "place": place,
                    "seeds": held.seeds[label],
                    "control": label in held.controls,
                    "apart": i == 0 and bool(rows),
                    "cells": parts,
                }
            )
    return {
        "legend": LEGEND,
        "metrics": metrics,
        "heads": [metric + meaning(metric).arrow for metric in metrics],
        "rows": rows,
        "places": list(dict.fromkeys(row["place"] for row in rows)),
        "models": list(dict.fromkeys(row["model"] for row in rows)),
        "blocks": [table for held in boards for table in _blocks(held)],
    }


def _parts(text: str) -> tuple[str, str]:
    """Mean, and what is told beside it."""
    value, _, more = text.partition(" ")
    return value, more


def _blocks(held: Board) -> list[Table]:
    rows = held.blocks.to_numpy().tolist()
    caption = f"Blocks of codes on {held.title}"
    return table_of(rows, caption, list(held.blocks), words=2, folded=len(rows) > MANY)
