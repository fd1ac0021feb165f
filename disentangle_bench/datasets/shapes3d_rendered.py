"""A room with an object, ray-cast here: the six factors and sizes of Shapes3D, in images that are not Shapes3D's.

480,000 images, 64 x 64, every combination once, drawn when they are asked for: nothing is downloaded, nothing stored.
Numbers on it are not comparable with published ones on Shapes3D (Burgess & Kim 2018): scene, light and materials are
our own, and simpler. It serves development, tests, and studies that need six factors and no file.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from . import _room
from ._drawn import Drawn
from ._factored import FactoredData, grid

VERSION = 1  # of what is drawn
PINNED = {"shapes3d_rendered": "f593cf1da430a2346a8d6d8a9cfebb9b15cea230c18298f62f3ea68a0befdd74"}

HUES, FIFTHS = 10, 5  # red, green and blue of a hue are fifths of the brightest
NAMES = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
KINDS = ("cyclic", "cyclic", "cyclic", "ordered", "categorical", "ordered")
TURN = np.arange(HUES) * (2 * np.pi / HUES)
LEVELS = (TURN, TURN, TURN, _room.SCALES, np.arange(4.0), _room.ANGLES)
SIZES = tuple(len(level) for level in LEVELS)
GEOMETRIES = SIZES[3] * SIZES[4] * SIZES[5]


def shapes3d_rendered(data_dir: str | Path | None = None) -> FactoredData:
    """The set with factors floor, wall and object hue, scale, shape (cube, cylinder, sphere, capsule), orientation.

    Hues are radians around the colour circle, ten evenly spaced; scales 0.75 ... 1.25; orientations are degrees, -30
    ... 30, by which the camera goes around the room. Nothing is read from `data_dir`. Loading casts the 480 geometries,
    in about a second; an image mixes one of them with three colours.

    Geometry is computed in float64 with operations that IEEE 754 defines to the bit, from cosines rounded to twelve
    digits, and colours are mixed in integers: every machine is expected to draw the same bits. It is not proved for
    each; `sha256` is that of what this machine draws (the geometries and the colours that all images follow from),
    and `bench data verify shapes3d_rendered` compares it with ours.

    Returns
    -------
    FactoredData, `source` "ray-cast"

    References
    ----------
    Burgess & Kim 2018, "3D shapes dataset": the factors, their names, order and sizes.
    """
    rule = bytes([VERSION]) + colours().tobytes()
    return FactoredData(
        "shapes3d_rendered",
        Drawn((int(np.prod(SIZES)), _room.SIDE, _room.SIDE, 3), mixed),
        grid(SIZES),
        LEVELS,
        NAMES,
        KINDS,
        "ray-cast",
        hashlib.sha256(rule + _room.cast().tobytes()).hexdigest(),
        label="shape",
    )


def colours() -> np.ndarray:
    """Red, green and blue of the ten hues in fifths, (10, 3) uint8: saturated and as bright as can be."""
    third = 3 * np.arange(HUES)[:, None]  # of a turn, of which a sixth is 5
    shares = np.hstack([abs(third - 15) - FIFTHS, 2 * FIFTHS - abs(third - 10), 2 * FIFTHS - abs(third - 20)])
    return shares.clip(0, FIFTHS).astype(np.uint8)


def mixed(rows: np.ndarray) -> np.ndarray:
    """Images of these rows, (m, 64, 64, 3) uint8: each geometry's maps, times the colours of floor, wall and object."""
    hues, geometry = np.divmod(rows, GEOMETRIES)
    maps = _room.cast()[geometry]  # (m, 6, 4096)
    shares = maps[:, :3].astype(np.uint16)
    colour = colours().astype(np.uint16)[np.stack(np.unravel_index(hues, SIZES[:3]))]  # (3 parts, m, 3)
    images = np.empty((len(rows), shares.shape[2], 3), np.uint8)
    for c in range(3):
        fifths = shares[:, 0] * colour[0, :, c, None]
        for part in 1, 2:
            fifths += shares[:, part] * colour[part, :, c, None]
        images[..., c] = (fifths + FIFTHS // 2) // FIFTHS + maps[:, 3 + c]
    return images.reshape(-1, _room.SIDE, _room.SIDE, 3)
