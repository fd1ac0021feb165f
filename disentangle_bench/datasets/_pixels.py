"""What a data set needs of its images: that they can be asked for by row."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Pixels(Protocol):
    """Images that need not be in memory: read from a file or drawn when they are asked for. An array is one, too."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # (n, h, w, c)

    @property
    def dtype(self) -> np.dtype: ...  # uint8

    def __len__(self) -> int: ...

    def __getitem__(self, rows: np.ndarray, /) -> np.ndarray: ...  # (m,) integers in any order -> (m, h, w, c)
