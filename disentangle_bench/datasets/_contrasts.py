"""Draws of images that tell one factor apart: two sets, each of one value of it, all else as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ._sampling import ROUNDS, groups
from ._shelves import classes

if TYPE_CHECKING:
    from ._factored import FactoredData


def contrasts(data: FactoredData, n: int, size: int, draws: np.random.Generator) -> np.ndarray:
    """n pairs of sets of different images. Each set shares one factor's value, not the other's: rows, (n, 2, size).

    The factor is drawn for each pair, among all that have classes and several of them.

    Raises
    ------
    ValueError
        No such factor, or a value that fewer images have; it is named.
    """
    table = zip(data.names, data.kinds, data.sizes)
    able = [i for i, (_, kind, values) in enumerate(table) if kind != "continuous" and values > 1]
    if not able:
        raise ValueError(f"contrasts: data set {data.name!r} has no factor with several classes")
    chosen = draws.integers(len(able), size=n)
    found = np.empty((n, 2, size), np.intp)
    for j in np.unique(chosen):
        name, own = data.names[able[j]], np.flatnonzero(chosen == j)
        value = classes(data, np.arange(len(data.names)) == able[j])[:, 0]
        found[own, 0] = groups(data, len(own), size, draws, by=name)
        missing = own
        for _ in range(ROUNDS):
            found[missing, 1] = groups(data, len(missing), size, draws, by=name)
            missing = missing[value[found[missing, 0, 0]] == value[found[missing, 1, 0]]]
            if not len(missing):
                break
        else:
            raise ValueError(f"contrasts: training sees no two values of {name} of data set {data.name!r}")
    return found
