"""How much of a metric is the model, how much its hyper-parameters, how much luck: shares of variance."""

from __future__ import annotations

from ._frame import Frame, finished, is_control
from .glossary import in_order

LEVELS = ("model", "strength", "seed")


def decomposition(frame: Frame) -> Frame:
    """Shares of the variance of each metric on each data set: between models, between strengths of a model, and rest.

    With m the mean of all runs, m_i that of a model, m_ij that of one of its configurations, every run's distance is

        y_ijk - m = (m_i - m) + (m_ij - m_i) + (y_ijk - m_ij)

    and the squares of the three parts, summed over runs, add up to that of the whole, balanced or not (sums of squares
    of type I: the model first, strength within it, the seed is what is left). "model" is what Locatello et al. call
    explained by the objective, "model" and "strength" together what objective and strength explain.

    Parameters
    ----------
    frame : from `load`; controls do not take part

    Returns
    -------
    DataFrame, a row a data set, source and metric, in the order of tables: shares `model`, `strength` and `seed`, which
    sum to 1, and n (runs). A share is missing where there is nothing to tell apart at its level: one model; no model
    with two configurations. All are missing where no configuration has two seeds, as luck cannot be told from the rest,
    and where all runs score alike.

    Notes
    -----
    Chance has its share, too: were all runs alike but for luck, k models would "explain" (k - 1) / (n - 1) on average.

    References
    ----------
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
    representations", section 5.3.
    """

    rows = finished(frame)
    rows = rows[~is_control(rows)]
    place = ["dataset", "source", "metric"]
    nested = [place, [*place, "model"], [*place, "label"]]  # a label is one configuration of one model
    y = rows["value"].astype(float)
    means = [y.groupby([rows[key] for key in keys]).transform("mean") for keys in nested]
    parts = {"model": means[1] - means[0], "strength": means[2] - means[1], "seed": y - means[2]}
    squares = rows[place].assign(**{level: part**2 for level, part in parts.items()}).groupby(place).sum()
    counts = rows.groupby(place).agg(models=("model", "nunique"), labels=("label", "nunique"), n=("run", "size"))
    told = {"model": counts["models"] > 1, "strength": counts["labels"] > counts["models"]}
    whole = squares.sum(axis=1)
    scale = y.abs().groupby([rows[key] for key in place]).max() ** 2 * counts["n"]
    varies = (whole > 1e-24 * scale) & (counts["n"] > counts["labels"])  # less is rounding
    table = squares.div(whole.where(varies), axis=0)
    for level, there in told.items():
        table[level] = table[level].where(there)
    table = table.assign(n=counts["n"]).reset_index()
    names = in_order(table["metric"])
    return table.sort_values(
        place, ignore_index=True, key=lambda column: column.map(names.index) if column.name == "metric" else column
    )[[*place, *LEVELS, "n"]]
