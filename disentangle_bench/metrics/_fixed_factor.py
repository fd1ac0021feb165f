"""Batches of rows that share the value of one factor, drawn from a table of rows.

A generator of images would fix one factor and draw the others anew. A table can do the same: among the rows with that
value, pick one uniformly. On a full grid of factors (every combination equally often) the two are the same
distribution. Any other table is a sample of rows. A row that repeats in a batch tells nothing new there, unlike the
fresh one that a generator would make, so batches of a sample repeat no row where there are enough.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FEW = 10  # rows a value
CHUNK = 4_000_000  # floats of codes gathered at once: 32 MB


class Partners:
    """For any row and factor, the rows with the same value of that factor."""

    def __init__(self, factors: NDArray[np.int64]) -> None:
        n, f = factors.shape
        self.grid = is_grid(factors)
        self.order = np.empty((f, n), np.intp)  # rows sorted by the factor's value
        self.place = np.empty((f, n), np.intp)  # where a row is in `order`
        self.start = np.empty((f, n), np.intp)  # where the group of a row begins in `order`
        self.size = np.empty((f, n), np.intp)  # rows in the group of a row
        for k, column in enumerate(factors.T):
            _, value, counts = np.unique(column, return_inverse=True, return_counts=True)
            self.order[k] = np.argsort(value, kind="stable")
            self.place[k, self.order[k]] = np.arange(n)
            self.start[k] = (np.cumsum(counts) - counts)[value]
            self.size[k] = counts[value]

    def draw(self, k: NDArray, rows: NDArray, rng: np.random.Generator) -> NDArray[np.intp]:
        """For each of `rows` a row that shares factor k, uniform among them (the row itself included)."""
        return self.order[k, self.start[k, rows] + rng.integers(self.size[k, rows])]

    def other(self, k: NDArray, rows: NDArray, rng: np.random.Generator) -> NDArray[np.intp]:
        """For each of `rows` another row that shares factor k, uniform among them; the row itself if it is alone."""
        size, place = self.size[k, rows], self.place[k, rows]
        drawn = self.start[k, rows] + rng.integers(np.maximum(size - 1, 1))
        return self.order[k, drawn + ((drawn >= place) & (size > 1))]

    def pairs(self, points: int, batch: int, rng: np.random.Generator) -> tuple[NDArray, NDArray, NDArray]:
        """A factor a point, (points,), and `batch` pairs of rows, 2 x (points, batch): the two of a pair share it.

        The two may be one and the same row on a full grid only, where that means a combination drawn twice.
        """
        f, n = self.order.shape
        k = rng.integers(f, size=points)
        first = rng.integers(n, size=(points, batch))
        return k, first, (self.draw if self.grid else self.other)(k[:, None], first, rng)

    def batches(self, points: int, batch: int, rng: np.random.Generator) -> tuple[NDArray, NDArray]:
        """A factor a point, (points,), and `batch` rows, (points, batch), that all share the value a random row has.

        Rows may repeat on a full grid, and where fewer than 2 x `batch` rows have that value: sets of rows without
        repeats would be so alike there that they had the same chance features again and again.
        """
        f, n = self.order.shape
        k = rng.integers(f, size=points)
        row = rng.integers(n, size=(points, 1))
        rows = self.draw(k[:, None], np.broadcast_to(row, (points, batch)), rng)
        if not self.grid:
            many = np.flatnonzero(self.size[k, row[:, 0]] >= 2 * batch)
            of, row = k[many], row[many, 0]
            places = self.start[of, row][:, None] + subsets(self.size[of, row], batch, rng)
            rows[many] = self.order[of[:, None], places]
        return k, rows


def partners(factors: NDArray[np.int64]) -> Partners:
    """The partners of all rows; warns of a factor with few rows a value."""
    found = Partners(factors)
    for k, values in enumerate(len(np.unique(column)) for column in factors.T):
        if not found.grid and len(factors) < FEW * values:
            warnings.warn(
                f"factors: column {k} has {values} values in {len(factors)} rows, so that sets of rows which share one "
                "repeat, and noise scores too high: give more rows, or coarser values",
                UserWarning,
                stacklevel=3,
            )
    return found


def is_grid(factors: NDArray[np.int64]) -> bool:
    """Whether all combinations of the factors' values occur, equally often."""
    columns = [np.unique(column, return_inverse=True)[1] for column in factors.T]
    sizes = [int(column.max()) + 1 for column in columns]
    cells = int(np.prod(sizes, dtype=object))
    if cells > len(factors) or len(factors) % cells:
        return False
    return bool((np.bincount(np.ravel_multi_index(columns, sizes), minlength=cells) == len(factors) // cells).all())


def subsets(sizes: NDArray, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """For each of `sizes`, none below `count`, so many different whole numbers below it: (len(sizes), count).

    Every set of numbers is equally likely (Floyd's algorithm: Bentley and Floyd 1987, "A sample of brilliance").
    """
    chosen = np.empty((len(sizes), count), np.intp)
    for i in range(count):
        last = sizes - count + i
        drawn = rng.integers(last + 1)
        taken = (chosen[:, :i] == drawn[:, None]).any(axis=1)
        chosen[:, i] = np.where(taken, last, drawn)
    return chosen


def over_batches(statistic: Callable[..., NDArray], codes: NDArray, *rows: NDArray) -> NDArray:
    """statistic(codes[rows], ...) of arrays (points, batch, d), a chunk of points at a time to bound the memory."""
    points, batch = rows[0].shape
    step = max(1, CHUNK // (batch * codes.shape[1]))
    return np.concatenate([statistic(*(codes[r[i : i + step]] for r in rows)) for i in range(0, points, step)])
