"""Rows of a data set sorted by the values of some factors: what `_sampling` draws from."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

if TYPE_CHECKING:
    from ._factored import FactoredData

ROOM = 2**28  # bytes of a data set's shelves that are kept


class Shelves:
    """Rows for training, sorted by the values of some factors, so that one like another is drawn in no time."""

    def __init__(self, data: FactoredData, like: np.ndarray) -> None:
        key = keys(data, like)
        seen = np.flatnonzero(seen_rows(data)).astype(np.int32)
        self.key, self.rows = key.astype(np.int32), seen[np.argsort(key[seen], kind="stable")]
        self.starts = np.searchsorted(key[self.rows], np.arange(int(key.max()) + 2)).astype(np.int32)
        weight = data.weight
        self.total = None if weight is None else np.concatenate([[0], np.cumsum(weight[self.rows])])

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in (self.key, self.rows, self.starts, self.total) if array is not None)

    def draw(self, rows: np.ndarray, draws: np.random.Generator) -> np.ndarray:
        """For each of these rows one that is alike, as often as training sees it; perhaps the same."""
        low, high = self.starts[self.key[rows]], self.starts[self.key[rows] + 1]
        if self.total is None:
            return self.rows[draws.integers(low, high)]
        at = np.searchsorted(self.total, draws.uniform(self.total[low], self.total[high]), side="right") - 1
        return self.rows[np.clip(at, low, high - 1)]


_KEPT: WeakKeyDictionary[FactoredData, dict[bytes, Shelves]] = WeakKeyDictionary()  # as long as their data


def shelves(data: FactoredData, like: np.ndarray) -> Shelves:
    """Made once, and kept as long as there is room: a set of seven factors has 127 of them."""
    kept = _KEPT.setdefault(data, {})
    kept[like.tobytes()] = found = kept.pop(like.tobytes(), None) or Shelves(data, like)  # the latest is last
    while len(kept) > 1 and sum(shelf.nbytes for shelf in kept.values()) > ROOM:
        del kept[next(iter(kept))]
    return found


def keys(data: FactoredData, factors: np.ndarray) -> np.ndarray:
    """A number for each combination of these factors' values: (n,) integers. Continuous ones count by their value."""
    key, top = np.zeros(len(data), np.int64), 1
    for i in np.flatnonzero(factors):
        column = data.factors[:, i]
        if data.kinds[i] == "continuous":
            column = np.unique(data.values[:, i], return_inverse=True)[1].ravel()
        size = int(column.max()) + 1
        key, top = key * size + column, top * size
        if top > len(data):  # few of these numbers occur
            key = np.unique(key, return_inverse=True)[1].ravel()
            top = int(key.max()) + 1
    return key


def classes(data: FactoredData, factors: np.ndarray) -> np.ndarray:
    """Classes of these factors, a cyclic one's first again where it begins anew; of continuous ones the values."""
    around = np.array([round(period) or np.inf for period in data.periods])
    table = data.table[:, factors]
    return np.where(np.isinf(around[factors]), table, np.fmod(table, around[factors]))


def seen_rows(data: FactoredData) -> np.ndarray:
    """Rows that training may see: (n,) booleans."""
    seen = np.arange(len(data)) < (data.fit or len(data))
    return seen if data.weight is None else seen & (data.weight > 0)
