"""Own images as the suite keeps them: checked, as bytes, in memory or left in their file."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._factored import Pixels
from ._own_files import Given

RESIDENT = 2**30  # bytes of images that are kept in memory
TOGETHER = 1024  # images read at once, or a chunk of the file if that is more


def read(given: Given, n: int, held: Any, resident: int = RESIDENT) -> np.ndarray | Pixels:
    """Images (n, h, w, 1 or 3) uint8, all of them looked at once, and their bytes told to the hash `held`.

    Raises
    ------
    ValueError
        Another shape or type, floats outside [0, 1], or bytes that are only 0 and 1: what is white here is 255.
    """
    images, shape = given.images, shape_of(given)
    most, held_bytes = 0, int(np.prod(shape))
    same = isinstance(images, np.ndarray) and images.dtype == np.uint8
    kept = images.reshape(shape) if same else np.empty(shape, np.uint8) if held_bytes <= resident else None
    held.update(repr(shape).encode())
    step = _step(images)
    for start in range(0, n, step):
        block = _bytes(given, start, _slice(given, start, start + step)).reshape(-1, *shape[1:])
        held.update(np.ascontiguousarray(block).tobytes())
        most = max(most, int(block.max()))
        if kept is not None and not same:
            kept[start : start + step] = block
    if most <= 1:
        raise ValueError(f"{given.at('images', 0)}: no image has a byte above {most}; expected 255 for white")
    return FromFile(given, shape) if kept is None else kept


class FromFile:
    """Images that stay in a file and are read, a chunk at a time, when they are asked for."""

    dtype = np.dtype(np.uint8)

    def __init__(self, given: Given, shape: tuple[int, ...]) -> None:
        self.given, self.shape, self.step = given, shape, _step(given.images, 1)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        wanted, back = np.unique(rows, return_inverse=True)  # a file is read forwards
        found = np.empty((len(wanted), *self.shape[1:]), np.uint8)
        for part in np.split(np.arange(len(wanted)), np.flatnonzero(np.diff(wanted // self.step)) + 1):
            if len(part):
                low, high = int(wanted[part[0]]), int(wanted[part[-1]]) + 1
                block = _bytes(self.given, low, _slice(self.given, low, high)).reshape(-1, *self.shape[1:])
                found[part] = block[wanted[part] - low]
        return found[back.reshape(np.shape(rows))]


def shape_of(given: Given) -> tuple[int, ...]:
    """(n, h, w, c), with channels last and one or three of them, read from what is known without reading images."""
    shape, dtype = tuple(given.images.shape), given.images.dtype
    at = given.at("images")
    if dtype != np.uint8 and dtype.kind != "f":
        raise ValueError(f"{at}: got {dtype}, expected uint8 with white 255, or floats in [0, 1]")
    if len(shape) == 3:
        shape = *shape, 1
    elif len(shape) == 4 and shape[1] in (1, 3) and (shape[3] not in (1, 3) or shape[1] == 3):
        told = "channels first" if shape[3] not in (1, 3) else "channels first or last, both are possible"
        raise ValueError(
            f"{at}: got {given.images.shape}, {told}; expected (n, h, w, channels): images.transpose(0, 2, 3, 1)"
        )
    if len(shape) != 4 or shape[3] not in (1, 3) or 0 in shape[1:]:
        hint = "; vectors are images.reshape(n, 1, d, 1)" if len(shape) == 2 else ""
        raise ValueError(f"{at}: got {given.images.shape}, expected (n, h, w), (n, h, w, 1) or (n, h, w, 3){hint}")
    return shape


def _step(images: Any, least: int = TOGETHER) -> int:
    """Images of one chunk of the file, or of as many as make `least`."""
    chunk = (getattr(images, "chunks", None) or (1,))[0]
    return chunk * max(1, least // chunk)


def _slice(given: Given, start: int, stop: int) -> np.ndarray:
    try:
        return given.images[start:stop]
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{given.at('images', start)}: cannot be read, the file is damaged; {error}") from error


def _bytes(given: Given, start: int, block: np.ndarray) -> np.ndarray:
    """Floats in [0, 1] rounded to bytes, after a look at each."""
    if block.dtype == np.uint8:
        return block
    bad = ~((block >= 0) & (block <= 1))  # true for NaN, too
    if bad.any():
        first = tuple(np.argwhere(bad)[0])
        raise ValueError(
            f"{given.at('images', start + first[0])}: got {block[first]:g} at {tuple(map(int, first[1:]))}, expected "
            "floats in [0, 1]; what goes to 255 is images.astype(np.uint8)"
        )
    return np.rint(np.multiply(block, 255, dtype=np.float64)).astype(np.uint8)
