"""Which unit of a code knows which factor: information and importance, a row a unit and a column a factor."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .canvas import COLUMN, PAGE, SMALL, TEXT, TINY, scale, slanted, table
from .run_codes import RunCodes, classes_of, information

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNITS = 30  # rows that a reader can take in
ROWS = 2000  # of codes that trees are fitted to


def matrices(held: RunCodes, title: str, *, trees: bool = False) -> Figure:
    """How much each unit of a run's code knows about each factor, as the metrics see it.

    Left the mutual information as a share of the factor's entropy, what `mig` takes its gap from: 1 in one cell of a
    column and 0 elsewhere is a factor that one unit knows all about and no other knows anything of. Right, with
    `trees`, the importances that `dci` judges: what share each unit has in predicting a factor.

    Parameters
    ----------
    held : from `run_codes.read_codes`
    title : the label and its seed, data set and budget
    trees : fit the gradient-boosted trees of `dci`, to at most 2,000 rows: a second or two. Left out where a code has
        one unit or more than 30, or where there is only one factor.

    Notes
    -----
    Of more than 30 units those are shown that know most about any factor. Information is counted in 20 bins a unit and
    not corrected: of few images, units that know nothing seem to know something (0.15 of ten classes from 300 images).
    """
    from matplotlib.figure import Figure

    known = information(held)
    units = np.sort(np.argsort(-known.max(axis=1), kind="stable")[:UNITS])
    shown = {"mutual information / entropy": known}
    if trees and 1 < len(held.units) <= UNITS and len(held.names) > 1:
        shown["importance to boosted trees (DCI)"] = importance(held)
    width = min(PAGE, (1.5 + 0.4 * len(held.names)) * len(shown) + 0.6)
    figure = Figure(figsize=(max(width, COLUMN), 1.5 + 0.19 * len(units)), layout="constrained")
    found = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, (name, values) in zip(found, shown.items()):
        texts = np.vectorize("{:.2f}".format)(values[units])
        image = table(axes, values[units], [held.units[u] for u in units], held.names, texts)
        slanted(axes)
        axes.tick_params(axis="y", labelsize=SMALL if len(units) <= 20 else TINY)
        axes.set_xlabel(name, fontsize=SMALL)
    scale(figure, image, found)
    more = f"\n{UNITS} of {len(held.units)} units: those that know most" if len(held.units) > UNITS else ""
    figure.suptitle(title + more, fontsize=TEXT)
    return figure


def importance(held: RunCodes) -> NDArray[np.float64]:
    """Importances of the units for each factor, (d, f), columns summing to 1: those of `dci` on at most 2,000 rows."""
    from ..metrics import dci

    some = held.some(ROWS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of factors that depend on each other: the table's rows say so
        return np.asarray(dci(some.codes, classes_of(some.factors)).importance)
