"""Text tables: Markdown, and LaTeX with the package booktabs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

SPECIAL = {
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{letter: "\\" + letter for letter in "_%&#${}"},
}


def escape(text: str) -> str:
    """What LaTeX prints as this text.

    Examples
    --------
    >>> print(escape("my_own ↑"))
    my\\_own $\\uparrow$
    """
    return "".join(SPECIAL.get(letter, letter) for letter in text)


def markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table whose first row is its head."""
    head, *body = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return [head, "| " + " | ".join(["---"] * len(rows[0])) + " |", *body]


def latex_table(
    columns: str, head: Sequence[str], parts: Iterable[Sequence[Sequence[str]]], notes: Sequence[str]
) -> str:
    """A table with a rule between its parts, sentences below it in small type; cells are LaTeX, the rest is text."""
    body = "\n\\midrule\n".join("\n".join(" & ".join(row) + r" \\" for row in part) for part in parts if part)
    told = " ".join(escape(note.rstrip(".")) + "." for note in notes)
    lines = [
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(map(escape, head)) + r" \\",
        r"\midrule",
        *filter(None, [body]),
        r"\bottomrule",
        r"\end{tabular}",
        "",
        rf"\smallskip{{\footnotesize {told}\par}}",
        "",
    ]
    return "\n".join(lines)
