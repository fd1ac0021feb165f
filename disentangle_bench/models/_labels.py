"""How well a model tells the labels that it was not told."""

from __future__ import annotations

from typing import Any

import numpy as np


def label_error(predicted: np.ndarray, data: Any, rows: np.ndarray, seed: int, rule: str) -> tuple[float, str]:
    """The share of these rows whose class is predicted wrong, and its convention.

    Counted are images that training does not see; of a set without such images, those whose labels it was not told;
    of one whose labels are all told, all.

    Parameters
    ----------
    predicted : (n,) classes, 0 ... K - 1
    data : the resident data
    rows : (n,) of the data set
    seed : of the run, which decides what it was told
    rule : how the class is predicted, in words
    """
    held = data.data
    known = held.known(seed)
    labels = held.factors[rows, held.names.index(held.label)]
    counted, which = np.ones(len(rows), bool), "that training does not see"
    if not held.fit:
        counted, which = ~np.isin(rows, known), "whose labels it was not told"
    if not counted.any():
        counted, which = np.ones(len(rows), bool), "whose labels it was told"
    wrong = float((predicted != labels)[counted].mean())
    told = f"{len(known):,} labels told" if held.labels is not None else "all labels told"
    return wrong, f"share of wrong {held.label} by {rule}, {counted.sum():,} images {which}; {told}"
