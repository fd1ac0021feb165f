"""Shapes3D, Burgess & Kim 2018: 480,000 pictures of an object in a room, every combination of six factors once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from . import _unpacked
from ._download import File, fetch_all
from ._factored import FactoredData, Pixels, grid

FILES = (
    File(
        "3dshapes.h5",
        ("https://storage.googleapis.com/3d-shapes/3dshapes.h5",),
        267_573_662,
        sha256="0a0f6ed98baff276a50f3a081a7434d788da63cb135a98189b2a5b5769be1785",
    ),
)
LICENCE = "Apache 2.0"
CITATION = "Burgess & Kim 2018, 3D Shapes dataset, https://github.com/google-deepmind/3d-shapes"

HUES = 2 * np.pi * np.arange(10) / 10  # radians round the circle of hues, from red on
NAMES = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
KINDS = ("cyclic", "cyclic", "cyclic", "ordered", "categorical", "ordered")
LEVELS = (HUES, HUES, HUES, np.linspace(0.75, 1.25, 8), np.arange(4.0), np.linspace(-30, 30, 15))
SIZES = tuple(len(level) for level in LEVELS)
SHAPE = (math.prod(SIZES), 64, 64, 3)


def shapes3d(data_dir: str | Path | None = None) -> FactoredData:
    """The set with the hues of floor, wall and object, the object's scale and shape (cube, cylinder, sphere, capsule),
    and the orientation of the room, -30 to 30 degrees.

    Hues are cyclic: after the tenth comes the first. The room turns by less than a full turn, so that its orientation
    is ordered. Rows are in the official order, the last factor fastest. The official file (268 MB) is unpacked once, to
    5.9 GB beside it, and mapped from there: no image is held in memory.

    Parameters
    ----------
    data_dir : folder of the official file; by default the environment variable BENCH_DATA or the user's cache folder

    Returns
    -------
    FactoredData, images (64, 64, 3), `source` "official", `sha256` that of the file

    Raises
    ------
    ConnectionError
        The file is not there and cannot be downloaded.
    ValueError
        A file is damaged (it is left as it is), or there is no room for the unpacked images.

    References
    ----------
    Burgess & Kim 2018, "3D Shapes dataset" (Apache 2.0).
    """
    return _data(_unpacked.images("3dshapes", FILES, data_dir, SHAPE, lambda paths: read(paths[0])))


def outline() -> FactoredData:
    """The set without its images: nothing is read."""
    return _data(_unpacked.Absent("shapes3d", SHAPE))


def fetch(data_dir: str | Path | None = None) -> Path:
    """Path of the official file, checked; downloaded (268 MB) if it is not in the data folder."""
    return fetch_all(FILES, data_dir)[0]


def read(path: str | Path, sizes: tuple[int, ...] = SIZES, side: int = 64) -> Iterator[np.ndarray]:
    """The images of a file in the official format in order, whole chunks of the file at a time: (m, side, side, 3).

    Raises
    ------
    ValueError
        The file is damaged, lacks `images` or `labels`, holds others, or is in another order than the factors'.
    """
    import h5py

    n = math.prod(sizes)
    try:
        with h5py.File(path, "r") as file:
            images = _array(file, "images", (n, side, side, 3), "u1")
            labels = np.asarray(_array(file, "labels", (n, len(sizes)), "f8"))
            classes = np.stack([np.unique(column, return_inverse=True)[1].ravel() for column in labels.T], 1)
            if wrong := np.flatnonzero((classes != grid(sizes)).any(1)).tolist():
                raise ValueError(
                    f"labels are not every combination of {', '.join(NAMES)}, the last fastest: row {wrong[0]} is "
                    f"{labels[wrong[0]].tolist()}"
                )
            chunk = images.chunks[0] if images.chunks else 1
            rows = chunk * -(-1024 // chunk)
            for i in range(0, n, rows):
                yield images[i : i + rows]
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} is no Shapes3D file: {error}. Delete it or move it away, then run again.") from error


def _array(file: Any, key: str, shape: tuple[int, ...], dtype: str) -> Any:
    if key not in file:
        raise ValueError(f"it has no array {key!r}, but {', '.join(sorted(file)) or 'nothing'}")
    held = file[key]
    if (held.shape, held.dtype) != (shape, np.dtype(dtype)):
        raise ValueError(f"{key} is {held.shape} {held.dtype}, expected {shape} {np.dtype(dtype)}")
    return held


def _data(pixels: np.ndarray | Pixels) -> FactoredData:
    sha256 = FILES[0].digest
    return FactoredData("shapes3d", pixels, grid(SIZES), LEVELS, NAMES, KINDS, "official", sha256, label="shape")
