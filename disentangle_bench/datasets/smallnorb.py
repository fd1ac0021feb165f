"""SmallNORB, LeCun, Huang & Bottou 2004: 50 toys photographed from 162 sides in 6 lights, 48,600 pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from . import _unpacked
from ._download import File, digest, fetch_all
from ._factored import FactoredData, Pixels, grid
from ._matrix import matrix
from ._resize import smaller

URL = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/"
OTHER = "http://www.cs.nyu.edu/~ylclab/data/norb-v1.0-small/"
PARTS = ("smallnorb-5x46789x9x18x6x2x96x96-training", "smallnorb-5x01235x9x18x6x2x96x96-testing")
KNOWN = {  # bytes and sha256, as kept by tensorflow_datasets
    f"{PARTS[0]}-dat": (131_896_188, "5ffd6272a07d32695ee1082a26a41a93a37aab8c28da047f8c34ed348d214873"),
    f"{PARTS[0]}-cat": (348, "2784e542c1922060691090952b6cd6278879a216c90f81476f0f00256d42cdaa"),
    f"{PARTS[0]}-info": (71_052, "de7eb932ebe7a4ee16217fead60660d0eb3d23632c2f4d1c51f88c501c17bf32"),
    f"{PARTS[1]}-dat": (130_799_817, "cf7104eed3e51174d2f65b66d1e5878b9da233b886f161b0d88f4510ba2c7474"),
    f"{PARTS[1]}-cat": (347, "ecaf6d5bb8c3bc5eab9cf0258f6d2198dd474e016e374836fc097f2e5ff509ff"),
    f"{PARTS[1]}-info": (10_428, "16adf314226327ee006d1a44db8cfef52773c06c829951d5653a9f6f310248a2"),
}
FILES = tuple(
    File(f"smallnorb/{name}.mat.gz", (f"{URL}{name}.mat.gz", f"{OTHER}{name}.mat.gz"), size, sha256)
    for name, (size, sha256) in KNOWN.items()
)
LICENCE = "for research only, may not be sold"
CITATION = (
    "LeCun, Huang & Bottou 2004, Learning methods for generic object recognition with invariance to pose and lighting, "
    "CVPR"
)

NAMES = ("category", "instance", "elevation", "azimuth", "lighting")
KINDS = ("categorical", "categorical", "ordered", "cyclic", "categorical")
TURN = 2 * np.pi * np.arange(18) / 18
LEVELS = (np.arange(5.0), np.arange(10.0), np.linspace(30, 70, 9), TURN, np.arange(6.0))  # degrees, radians
SIZES = tuple(len(level) for level in LEVELS)
STEPS = (1, 1, 1, 2, 1)  # files count azimuths 0, 2, ..., 34, in units of 10 degrees
SIDE = 64  # pixels
SHAPE = (math.prod(SIZES), SIDE, SIDE, 1)


def smallnorb(data_dir: str | Path | None = None, *, instances: bool = False) -> FactoredData:
    """Toys of five categories (animal, human, plane, truck, car), seen by the left camera.

    Factors are category, elevation of the camera (30 to 70 degrees), azimuth (a full turn in 18 steps) and lighting, as
    in Locatello et al. 2019: which of a category's ten toys is shown varies, but is none. Toys do not face one way at
    azimuth 0. Both official parts are one set, sorted by category, instance, elevation, azimuth and lighting, the last
    fastest. Pictures are 96 x 96 in the official files and made 64 x 64 as in that study, by Lanczos' windowed sinc.
    This is done once; the result (199 MB) lies beside the files and is mapped from there.

    Parameters
    ----------
    data_dir : folder that holds, or shall hold, the six files in a folder smallnorb; by default the environment
        variable BENCH_DATA or the user's cache folder
    instances : count the toy as a factor, too: "instance", 0 ... 9 within its category

    Returns
    -------
    FactoredData, images (64, 64, 1), `source` "official", `sha256` one of the files' hashes

    Raises
    ------
    ConnectionError
        The files are not there and cannot be downloaded.
    ValueError
        A file is damaged (it is left as it is), or there is no room for the images.

    References
    ----------
    LeCun, Huang & Bottou 2004, "Learning methods for generic object recognition with invariance to pose and lighting"
    (for research only).
    """
    return _data(_unpacked.images("left-64x64", FILES, data_dir, SHAPE, read), instances)


def outline(*, instances: bool = False) -> FactoredData:
    """The set without its images: nothing is read."""
    return _data(_unpacked.Absent("smallnorb", SHAPE), instances)


def fetch(data_dir: str | Path | None = None) -> Path:
    """Folder of the six files, checked; they are downloaded (263 MB) if they are not there."""
    return fetch_all(FILES, data_dir)[0].parent


def read(paths: tuple[Path, ...], sizes: tuple[int, ...] = SIZES, side: int = 96) -> Iterator[np.ndarray]:
    """The left images of files in the official format, sorted by their factors: (n, 64, 64, 1) uint8, at once.

    Parameters
    ----------
    paths : dat, cat and info of one part, then of the next
    side : of the pictures in the files, pixels

    Raises
    ------
    ValueError
        A file is damaged, holds something else, or the parts are not every combination of factors once.
    """
    n = math.prod(sizes)
    pixels, seen = np.empty((n, SIDE, SIDE, 1), np.uint8), np.zeros(n, int)
    for dat, cat, info in zip(paths[::3], paths[1::3], paths[2::3]):
        category = np.concatenate(list(matrix(cat, (None,))))
        classes = np.column_stack([category, *np.concatenate(list(matrix(info, (len(category), 4)))).T])
        whole, left = np.divmod(classes, STEPS)
        if (wrong := ((whole < 0) | (whole >= sizes) | (left > 0)).any(1)).any():
            row, tops = int(wrong.argmax()), [step * (size - 1) for step, size in zip(STEPS, sizes)]
            raise ValueError(
                f"{info}: row {row} is {classes[row].tolist()} with its category before it, expected 0 ... {tops}"
            )
        at, done = np.asarray(np.ravel_multi_index(tuple(whole.T), sizes)), 0
        seen += np.bincount(at, minlength=n)
        for pictures in matrix(dat, (len(category), 2, side, side)):
            pixels[at[done : done + len(pictures)]] = smaller(pictures[:, 0], SIDE)
            done += len(pictures)
    if (seen != 1).any():
        row = int(np.argmax(seen != 1))
        raise ValueError(
            f"{paths[0].parent}: {', '.join(NAMES)} = {grid(sizes)[row].tolist()} is there {seen[row]} times, "
            "expected once"
        )
    yield pixels


def _data(pixels: np.ndarray | Pixels, instances: bool) -> FactoredData:
    kept = [i for i, name in enumerate(NAMES) if instances or name != "instance"]
    return FactoredData(
        "smallnorb",
        pixels,
        grid(SIZES)[:, kept],
        tuple(LEVELS[i] for i in kept),
        tuple(NAMES[i] for i in kept),
        tuple(KINDS[i] for i in kept),
        "official",
        digest(FILES),
        label="category",
    )
