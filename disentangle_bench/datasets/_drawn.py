"""Images that are drawn when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CHUNK = 256  # images drawn at a time, so that what drawing needs beside its result stays small


@dataclass(frozen=True)
class Drawn:
    """`pixels` of a data set whose images are functions of their row.

    Attributes
    ----------
    shape : (n, h, w, c)
    draw : (m,) rows -> (m, h, w, c) uint8, the same image for a row whatever it is drawn with; m is at most 256
    """

    shape: tuple[int, ...]
    draw: Callable[[np.ndarray], np.ndarray]
    dtype = np.dtype(np.uint8)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        rows = np.asarray(rows)
        if rows.size and not (rows.min() >= 0 and rows.max() < len(self)):
            raise IndexError(f"rows {rows.min()} ... {rows.max()}: expected 0 ... {len(self) - 1}")
        images = np.empty((len(rows), *self.shape[1:]), np.uint8)
        for start in range(0, len(rows), CHUNK):
            images[start : start + CHUNK] = self.draw(rows[start : start + CHUNK])
        return images
