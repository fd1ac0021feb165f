"""Verdicts of the stress card in words: for cells of tables, for lists, and for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..stress import LARGE, Verdict

SYMBOLS = {"invariant": "✓", "robust": "≈", "falls": "▼", "rises": "▲", "refuses": "✗", "not asked": "–"}
MOVES = ("falls", "rises")
MARK = {"invariant": "", "refuses": "×", "not asked": "·"}  # in a figure, of what has no number
FEW = 4  # numbers that the terminal shows side by side


def level_text(level: float) -> str:
    """As on an axis: 10000 is 10k."""
    return f"{level / 1000:g}k" if level >= 1000 else f"{level:g}"


def signed(value: float, digits: int | None = None) -> str:
    """With the digits that tell it from the bounds of its verdict, or with so many."""
    if digits is None:
        digits = 2 if abs(value) >= LARGE else 3
    return f"{value:+.{digits if abs(value) < 10 else 0}f}".replace("-", "−")


def cell(verdict: Verdict, *, level: bool = False) -> str:
    """As in "▼ falls −0.39; refuses at 3"; with `level`, that of the largest change, too."""
    if verdict.word == "not asked":
        return SYMBOLS[verdict.word]
    text = f"{SYMBOLS[verdict.word]} {verdict.word}"
    text += f" {change(verdict, level)}" if verdict.word in ("robust", *MOVES) else ""
    lost = "/".join(map(level_text, verdict.failed))
    return text + (f"; refuses at {lost}" if lost and verdict.word != "refuses" else "")


def change(verdict: Verdict, level: bool) -> str:
    """As in "−0.39" or "−0.39 at 45"."""
    return signed(verdict.change) + (f" at {level_text(verdict.level)}" if level else "")


def by_word(verdicts: Iterable[Verdict], name: str) -> dict[str, list[str]]:
    """What each word holds of, in the order of `SYMBOLS`, with the largest changes first.

    `name` says what is listed: "metric", or "case", which comes with the level of its largest change.
    """
    held, found = list(verdicts), {}
    for word in SYMBOLS:
        told = word in ("robust", *MOVES)
        own = sorted((v for v in held if v.word == word), key=lambda v: -abs(v.change) if told else 0)
        found[word] = [getattr(v, name) + (f" ({change(v, name == 'case')})" if told else "") for v in own]
    return {word: names for word, names in found.items() if names and word != "not asked"}


def table(verdicts: Sequence[Verdict]) -> Any:
    """For the terminal: a row a case for a few numbers, else a row a number with its cases by word."""
    from rich.table import Table

    names = list(dict.fromkeys(v.metric for v in verdicts))
    if len(names) <= FEW:
        held = {(v.metric, v.case): cell(v, level=True) for v in verdicts}
        shown = Table("case", *names)
        for case in dict.fromkeys(v.case for v in verdicts):
            shown.add_row(case, *(held[name, case] for name in names))
        return shown
    shown = Table("metric", "invariant", "robust", "falls or rises", show_lines=True)
    for name in names:
        words = by_word((v for v in verdicts if v.metric == name), "case")
        moved = words.get("falls", []) + words.get("rises", [])
        shown.add_row(name, *(", ".join(part) for part in (words.get("invariant", []), words.get("robust", []), moved)))
    return shown
