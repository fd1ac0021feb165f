"""Whether metrics agree on which runs are good."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ._frame import Frame, at, finished, is_control, place_name
from .agreement import agreement
from .canvas import COLUMN, PAGE, TINY, heading, scale, slanted, table
from .crowd import shown
from .glossary import meaning

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAST = 3  # runs that have a ranking


def agreement_matrix(frame: Frame, dataset: str, source: str, metrics: Iterable[str] | None = None) -> Figure:
    """Spearman's rank correlation of every two metrics over all trained runs; controls are left out.

    In brackets where the 95 % bootstrap interval holds 0, or runs are too few for one.

    Parameters
    ----------
    frame : from `load`
    dataset, source : which runs to show
    metrics : names; None means all. At most twelve that have two fixed ends are shown, those of the card first.

    Raises
    ------
    ValueError
        Fewer than two metrics with three runs there.
    """
    from matplotlib.figure import Figure

    rows = at(finished(frame), dataset, source)
    rows = rows[~is_control(rows)]
    names = shown(rows, metrics)
    pairs = agreement(rows[rows["metric"].isin(names)], dataset, source) if len(names) > 1 else rows.iloc[:0]
    pairs = pairs[pairs["rho"].notna() & (pairs["n"] >= LEAST)] if len(pairs) else pairs
    names = [name for name in names if len(pairs) and name in {*pairs["a"], *pairs["b"]}]
    if len(names) < 2:
        raise ValueError(f"fewer than two metrics with {LEAST} runs each on {place_name(dataset, source)}")
    values, texts = np.full((len(names), len(names)), np.nan), np.full((len(names), len(names)), "", object)
    np.fill_diagonal(values, 1.0)
    for pair in pairs.itertuples():
        i, k = names.index(pair.a), names.index(pair.b)
        sure = pair.low > 0 or pair.high < 0
        values[i, k] = values[k, i] = pair.rho
        texts[i, k] = texts[k, i] = f"{pair.rho:.2f}" if sure else f"({pair.rho:.2f})"
    width = float(np.clip(1.9 + 0.4 * len(names), COLUMN, PAGE))
    figure = Figure(figsize=(width, 1.6 + 0.26 * len(names)), layout="constrained")
    axes = figure.subplots()
    heads = [f"{name}{meaning(name).arrow}" for name in names]
    image = table(axes, values, heads, heads, texts, ends=(-1, 1), colours="RdBu_r", size=TINY - 0.5)
    slanted(axes)
    scale(figure, image, [axes], "Spearman's ρ")
    count = rows.loc[rows["metric"].isin(names), "run"].nunique()
    heading(figure, rows, dataset, source, f"{count} runs")
    return figure
