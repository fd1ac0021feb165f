"""Toy sprites: 576 images, 16 x 16, drawn in a millisecond. For tests and for teaching; no result rests on it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from ._factored import FactoredData, grid, home

SIDE = 16  # pixels
RADII = np.array([2, 3, 4])  # pixels from the centre of a sprite to its rim
CENTRES = np.arange(4, 12)  # pixels: the largest sprite just fits in
NAMES = ("shape", "scale", "posX", "posY")
KINDS = ("categorical", "ordered", "ordered", "ordered")
LEVELS = (np.array([1.0, 2.0, 3.0]), RADII / 4, np.linspace(0, 1, 8), np.linspace(0, 1, 8))
SIZES = tuple(len(level) for level in LEVELS)
PINNED = {"toy": "e8eff08cc3ce0f62804acd4311107e7cb18058858ee1fed6ab187a0a44aa154f"}


def toy(data_dir: str | Path | None = None) -> FactoredData:
    """White squares, discs and crosses of three sizes at 8 x 8 places on black. Nothing is read from `data_dir`.

    Canonical images show the same shape and scale at posX = posY = 3, half a pixel left of and above the middle.

    Examples
    --------
    >>> cross = toy().take([384])[0, 2:7, 2:7, 0]       # the smallest cross at the top left
    >>> print(cross // 255)
    [[0 0 1 0 0]
     [0 0 1 0 0]
     [1 1 1 1 1]
     [0 0 1 0 0]
     [0 0 1 0 0]]
    """
    factors = grid(SIZES)
    shape, scale, x, y = factors.T[:, :, None, None]
    row, column = np.indices((SIDE, SIDE))
    dx, dy, r = abs(column - CENTRES[x]), abs(row - CENTRES[y]), RADII[scale]
    far = np.maximum(dx, dy)
    white = np.choose(shape, [far <= r, dx**2 + dy**2 <= r**2 + r, (far <= r) & (np.minimum(dx, dy) == 0)])
    bits = np.packbits(white, axis=-1)
    sha256 = hashlib.sha256(bits.data).hexdigest()
    return FactoredData(
        "toy",
        bits[..., None],
        factors,
        LEVELS,
        NAMES,
        KINDS,
        "drawn",
        sha256,
        packed=True,
        label="shape",
        home=home(SIZES, {2: 3, 3: 3}),
    )
