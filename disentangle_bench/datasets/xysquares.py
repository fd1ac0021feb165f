"""Coloured squares on a grid whose places do not overlap: how far apart two images are says nothing of their factors.

Any two places of a square share no pixel, so that every move, near or far, changes a pixelwise loss by the same amount
(Michlo, Klein & James 2021, "Overlooked implications of the reconstruction loss for VAE disentanglement"). Models whose
order of latents comes from the overlap of neighbouring images have nothing to learn it from. Drawn here by their idea;
262,144 images, 64 x 64, made when they are asked for.
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

import numpy as np

from ._drawn import Drawn
from ._factored import FactoredData, grid

SIDE, SQUARE, PLACES = 64, 8, 8  # pixels, pixels, places each way
COLOURS = ("red", "green", "blue")
PINNED = {
    "xysquares": "00ce5ea18791d6d25a319da3289af52182de763578bf9031955157661e6daf8f",
    "xysquares(spacing=4)": "8daa1897285002071c661de73731adb009d09f52d733312759d794babb144c31",
    "xysquares(squares=1)": "a32c0f3947b1e7cdb147917121c11a2d1fe5d9458edb0fe36c24b3a571c43414",
}


def xysquares(data_dir: str | Path | None = None, *, spacing: int = 8, squares: int = 3) -> FactoredData:
    """A red, a green and a blue square of 8 x 8 pixels, each anywhere on a grid of 8 x 8 places; colours add up.

    Parameters
    ----------
    spacing : pixels from a place to the next, 1 to 8. At 8 places do not overlap; the smaller, the more they do, and
        the more pixels tell of distance.
    squares : 1 to 3. A single one is white on black, one channel; two are red and green.

    Returns
    -------
    FactoredData with factors x_red (0 is left), y_red (0 is top), x_green ..., or x and y; their values are the pixels
    left of and above the square. Nothing is read from `data_dir`. `sha256` is that of the 64 places of a square.

    Raises
    ------
    ValueError
        An option is out of its range.

    Examples
    --------
    >>> data = xysquares(squares=1)
    >>> images = data.take([0, 1, 63]) > 0  # top left, a place further down, bottom right
    >>> [int((images[0] != other).sum()) for other in images[1:]]
    [128, 128]
    """
    for option, got, most in ("spacing", spacing, SQUARE), ("squares", squares, len(COLOURS)):
        if not 1 <= got <= most:
            raise ValueError(f"xysquares.{option}: got {got}, expected 1 to {most}")
    sizes, shown = (PLACES,) * (2 * squares), COLOURS[:squares]
    left = (SIDE - SQUARE - spacing * (PLACES - 1)) // 2 + spacing * np.arange(PLACES)
    tiles = drawn(left)
    channels = 1 if squares == 1 else 3
    return FactoredData(
        "xysquares",
        Drawn((PLACES ** len(sizes), SIDE, SIDE, channels), partial(placed, tiles, squares)),
        grid(sizes),
        (left.astype(float),) * len(sizes),
        ("x", "y") if squares == 1 else tuple(f"{axis}_{colour}" for colour in shown for axis in "xy"),
        ("ordered",) * len(sizes),
        "drawn",
        hashlib.sha256(bytes([squares]) + tiles.tobytes()).hexdigest(),
    )


def drawn(left: np.ndarray) -> np.ndarray:
    """A square at every place, y fastest: (64, 64, 64) uint8. Columns that it starts at are the rows, too."""
    pixel = np.arange(SIDE)
    inside = (pixel >= left[:, None]) & (pixel < left[:, None] + SQUARE)  # (places, pixels)
    return np.where(inside[None, :, :, None] & inside[:, None, None, :], np.uint8(255), np.uint8(0)).reshape(
        -1, SIDE, SIDE
    )


def placed(tiles: np.ndarray, squares: int, rows: np.ndarray) -> np.ndarray:
    """Images of these rows, (m, 64, 64, 1 or 3) uint8."""
    images = np.zeros((len(rows), SIDE, SIDE, 1 if squares == 1 else 3), np.uint8)
    for c, place in enumerate(np.unravel_index(rows, (len(tiles),) * squares)):
        images[..., c] = tiles[place]
    return images
