"""The stress card as files: what each case is, a table of verdicts, figures, and the values themselves."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import catalog
from ..cases import CASES, NOISE, POSTERIOR_SD, ROWS
from ..stress import CHANCE, LARGE, SMALL, Row, Verdict, judge, settings
from .glossary import family
from .stress_figures import overview, reactions
from .stress_words import MOVES, by_word, cell, signed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 12  # names in a sentence

GROUPS = {
    "What the codes hold": ["noise", "rotation", "copies", "idle codes", "constant codes", "missing codes"],
    "How they are written": [
        "order and sign",
        "scale of all",
        "scale of one",
        "monotone",
        "heavy tails",
        "one outlier",
    ],
    "What they are judged with": ["bins", "correlation", "rows", "rows of noise", "codes of noise"],
}
FINDINGS = [  # case, verdicts, what those metrics do; left out where none does
    (
        "rotation",
        ("invariant", "robust"),
        "hardly notice that codes are mixed in pairs, by up to 45 degrees (as should those that ask what can be read)",
    ),
    ("noise", ("invariant", "robust"), "hardly notice noise of up to twice the deviation of the codes"),
    ("missing codes", ("invariant", "robust"), "hardly notice that codes are gone, and with them whole factors"),
    (
        "copies",
        MOVES,
        "are moved by exact copies of the codes, although nothing is lost (as should those that count codes a factor)",
    ),
    ("idle codes", MOVES, "are moved by codes of pure noise beside the good ones"),
    ("constant codes", MOVES, "are moved by codes that never vary"),
    ("order and sign", ("robust", *MOVES), "depend on the order or the sign of codes, which are arbitrary"),
    ("scale of all", ("robust", *MOVES), "depend on the unit of the codes, which is arbitrary"),
    ("one outlier", MOVES, "are moved by a single row in 1,000"),
    ("correlation", MOVES, "take a dependence of the factors for a change of the codes, which are as good as before"),
    ("rows", MOVES, "differ between 10,000 rows and fewer, so that such scores do not compare"),
    ("rows of noise", MOVES, "give noise another score when there are few rows"),
    ("codes of noise", MOVES, "give noise another score when there are more or fewer codes of it"),
]


def write(rows: Sequence[Row], out: Path) -> Path:
    """Write stress.csv, a figure a metric, overview.png and README.md, each under a temporary name first.

    Returns
    -------
    Path of README.md.
    """
    import pandas as pd

    out.mkdir(parents=True, exist_ok=True)
    verdicts = judge(rows)
    table = pd.DataFrame(rows).to_csv(index=False, float_format="%.6g", lineterminator="\n")
    _replace(out / "stress.csv", table.encode("utf8"))
    _replace(out / "overview.png", _png(overview(verdicts)))
    for name in _families(verdicts):
        _replace(out / f"{name}.png", _png(reactions([row for row in rows if family(row.metric) == name])))
    _replace(out / "README.md", markdown(rows, verdicts).encode("utf8"))
    return out / "README.md"


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    partial.write_bytes(content)
    os.replace(partial, path)


def _png(figure: Figure) -> bytes:
    """In 128 colours, a third of the size."""
    from PIL import Image

    plain, small = io.BytesIO(), io.BytesIO()
    figure.savefig(plain, format="png", dpi=120)
    Image.open(plain).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()


def markdown(rows: Sequence[Row], verdicts: Sequence[Verdict]) -> str:
    """README.md."""
    seeds = len({row.seed for row in rows})
    parts = [
        "# Stress card",
        f"How every metric of codes reacts when one thing about the codes changes. `bench stress` wrote this page, "
        f"stress.csv (metric, case, level, seed, value, error) and the figures; {seeds} seeds. Unless a case says "
        f"otherwise, codes are good ones: {ROWS:,} rows, four independent uniform factors of 3, 4, 6 and 6 values, a "
        f"code for each factor (its value, standardised) with Gaussian noise of deviation {NOISE}. Perfect codes "
        "would hide much, for scores at their ceiling do not move. Metrics of posteriors are told a standard deviation "
        f"of {POSTERIOR_SD}. Options are the metrics' defaults{_exceptions(verdicts)}. Metrics of clusters, and of "
        "several representations, are not here.",
        "## What stands out",
        "\n".join(_findings(verdicts)),
        "## The level of nothing",
        "Mean value over seeds. A score means something between what noise and perfect codes get with as many rows.",
        _floor(rows, verdicts),
        "## Verdicts",
        _legend(verdicts),
        "![The largest change of every number in every case](overview.png)",
        *(f"### {title}\n\n{_matrix(verdicts, cases)}" for title, cases in _groups().items()),
        "## The cases",
        *(_case(verdicts, case) for case in CASES),
        "## The metrics",
        *(_metric(rows, verdicts, name) for name in _families(verdicts)),
    ]
    return "\n\n".join(parts) + "\n"


def _families(verdicts: Iterable[Verdict]) -> list[str]:
    return list(dict.fromkeys(family(v.metric) for v in verdicts))


def _groups() -> dict[str, list[str]]:
    """Every case once, new ones too."""
    rest = [case for case in CASES if not any(case in group for group in GROUPS.values())]
    return {**GROUPS, **({"More": rest} if rest else {})}


def _exceptions(verdicts: Iterable[Verdict]) -> str:
    changed: dict[str, list[str]] = {}
    for name in _families(verdicts):
        text = ", ".join(f"{key}={value}" for key, value in settings(name).items() if key != "undefined")
        if text:
            changed.setdefault(text, []).append(name)
    return "".join(f", but for {', '.join(names)}: {text}" for text, names in changed.items())


def _findings(verdicts: Sequence[Verdict]) -> list[str]:
    total = len({v.metric for v in verdicts})
    found = []
    for case, words, what in FINDINGS:
        those = sorted((v for v in verdicts if v.case == case and v.word in words), key=lambda v: -abs(v.change))
        named = [f"{v.metric} ({signed(v.change)})" for v in those[:MOST]]
        more = f" and {len(those) - MOST} more" if len(those) > MOST else ""
        if those:
            found.append(f"* **{case}**: {len(those)} of {total} numbers {what}: {', '.join(named)}{more}.")
    return found or ["* Nothing: every number is invariant where it should be."]


def _floor(rows: Sequence[Row], verdicts: Sequence[Verdict]) -> str:
    columns = {
        "perfect codes": ("noise", 0),
        "good codes": ("copies", 1),
        "noise, 100 rows": ("rows of noise", 100),
        "noise, 1,000 rows": ("codes of noise", 4),
        "noise, 10,000 rows": ("rows of noise", 10_000),
        "noise, 20 codes": ("codes of noise", 20),
    }
    values: dict[tuple[str, str, float], list[float]] = {}
    for row in rows:
        values.setdefault((row.metric, row.case, row.level), []).append(row.value)
    lines = [["metric", *columns]]
    for name in dict.fromkeys(v.metric for v in verdicts):
        means = [sum(found) / len(found) for found in (values[name, case, at] for case, at in columns.values())]
        lines.append([name, *("none" if mean != mean else f"{mean:.3f}".replace("-", "−") for mean in means)])
    return _grid(lines)


def _grid(lines: list[list[str]]) -> str:
    rule = ["---", *["---:"] * (len(lines[0]) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [lines[0], rule, *lines[1:]])


def _legend(verdicts: Sequence[Verdict]) -> str:
    functions = {name: catalog.get("metric", name) for name in _families(verdicts)}
    low = [name for name, function in functions.items() if function.best == function.bounds[0]]
    return (
        "The number is the largest change from the base, mean over seeds, in shares of the metric's range (where that "
        f"has no end, of the base, or of 1 if that is more). ✓ invariant: below {SMALL} at every level, or below "
        f"{CHANCE} and the seeds disagree on its direction. ≈ robust: below {LARGE}. ▼ falls, ▲ rises: that or more. "
        "✗ refuses: no value; levels that are refused stand behind. – the metric has no such option."
        + (f" Low is best for {', '.join(low)}." if low else "")
    )


def _matrix(verdicts: Sequence[Verdict], cases: Sequence[str]) -> str:
    held = {(v.metric, v.case): cell(v) for v in verdicts}
    names = dict.fromkeys(v.metric for v in verdicts)
    return _grid([["metric", *cases], *([name, *(held[name, case] for case in cases)] for name in names)])


def _lists(verdicts: Iterable[Verdict], name: str) -> str:
    """As in "**invariant**: ...; **falls**: ... (-0.50)"."""
    return "; ".join(f"**{word}**: {', '.join(names)}" for word, names in by_word(verdicts, name).items())


def _case(verdicts: Sequence[Verdict], case: str) -> str:
    told = CASES[case]
    levels = ", ".join(f"{level:,g}" for level in told.levels)
    return (
        f"### {case}\n\n{told.text} Levels ({told.unit}): {levels}; base {told.base:,g}. *Wanted:* {told.wanted}\n\n"
        + _lists((v for v in verdicts if v.case == case), "metric")
    )


def _metric(rows: Sequence[Row], verdicts: Sequence[Verdict], name: str) -> str:
    function = catalog.get("metric", name)
    reasons = {row.case: row.error for row in rows if row.error and family(row.metric) == name}
    lines = [
        f"* `{metric}`: " + _lists((v for v in verdicts if v.metric == metric), "case")
        for metric in dict.fromkeys(v.metric for v in verdicts if family(v.metric) == name)
    ]
    lines += [f"* No value, {case}: {reason}" for case, reason in reasons.items()]
    head = f"### {name}\n\nVersion {function.version}: {function.estimator}."
    return f"{head}\n\n" + "\n".join(lines) + f"\n\n![Values of {name} in every case]({name}.png)"
