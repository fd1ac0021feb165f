"""Batches of rows that share the value of one factor, drawn from a table of rows.

A generator of images would fix one factor and draw the others anew. A table can do the same: among the rows with that
value, pick one uniformly. On a full grid of factors (every combination equally often) the two are the same
distribution.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

CHUNK = 4_000_000  # floats of codes gathered at once: 32 MB


class Partners:
    """For any row and factor, the rows with the same value of that factor."""

    def __init__(self, factors: NDArray[np.int64]) -> None:
        n, f = factors.shape
        self.order = np.empty((f, n), np.intp)  # rows sorted by the factor's value
        self.start = np.empty((f, n), np.intp)  # where the group of a row begins in `order`
        self.size = np.empty((f, n), np.intp)  # rows in the group of a row
        for k, column in enumerate(factors.T):
            _, value, counts = np.unique(column, return_inverse=True, return_counts=True)
            self.order[k] = np.argsort(value, kind="stable")
            self.start[k] = (np.cumsum(counts) - counts)[value]
            self.size[k] = counts[value]

    def draw(self, k: NDArray, rows: NDArray, rng: np.random.Generator) -> NDArray[np.intp]:
        """For each of `rows` a row that shares factor k, uniform among them (the row itself included)."""
        return self.order[k, self.start[k, rows] + rng.integers(self.size[k, rows])]

    def pairs(self, points: int, batch: int, rng: np.random.Generator) -> tuple[NDArray, NDArray, NDArray]:
        """A factor a point, (points,), and `batch` pairs of rows, 2 x (points, batch): the two of a pair share it."""
        f, n = self.order.shape
        k = rng.integers(f, size=points)
        first = rng.integers(n, size=(points, batch))
        return k, first, self.draw(k[:, None], first, rng)

    def batches(self, points: int, batch: int, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        """A factor a point, (points,), and `batch` rows, (points, batch), that all share the value a random row has."""
        f, n = self.order.shape
        k = rng.integers(f, size=points)
        row = rng.integers(n, size=(points, 1))
        return k, self.draw(k[:, None], np.broadcast_to(row, (points, batch)), rng)


def over_batches(statistic: Callable[..., NDArray], codes: NDArray, *rows: NDArray) -> NDArray:
    """statistic(codes[rows], ...) of arrays (points, batch, d), a chunk of points at a time to bound the memory."""
    points, batch = rows[0].shape
    step = max(1, CHUNK // (batch * codes.shape[1]))
    return np.concatenate([statistic(*(codes[r[i : i + step]] for r in rows)) for i in range(0, points, step)])
