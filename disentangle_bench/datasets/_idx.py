"""Sets in the format of MNIST: four IDX files, images and labels to train on, images and labels to test on.

An IDX file of bytes: 0, 0, 8, the number of dimensions, each dimension as four bytes (highest first), then the values.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from . import _download, _moved
from ._download import File
from ._factored import FactoredData

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
SIDE = 28  # pixels


def files(name: str, urls: tuple[str, ...], known: tuple[tuple[int, str], ...]) -> tuple[File, ...]:
    """The official files of a set, packed, in the order of `FILES`.

    Parameters
    ----------
    name : name of the set and of its folder in the data folder
    urls : where the files are, up to their names: the place that published them, then mirrors
    known : bytes and sha256 of each
    """
    return tuple(
        File(f"{name}/{file}.gz", tuple(f"{url}{file}.gz" for url in urls), size, sha256)
        for file, (size, sha256) in zip(FILES, known)
    )


def load(
    name: str, official: tuple[File, ...], data_dir: str | Path | None, *, label: str, transform: str, copies: int
) -> FactoredData:
    """The set of the four files, moved; arguments as in `fetch` and `moved`. From unpacked files, `source` is "local".

    Raises
    ------
    ConnectionError, ValueError
        As `fetch` and `read`; an unknown option, before anything is downloaded.
    """
    _moved.check(name, transform, copies)
    paths = fetch(name, official, data_dir)
    source = "official" if paths[0].suffix == ".gz" else "local"
    return _moved.moved(name, *read(paths), label=label, transform=transform, copies=copies, source=source)


def fetch(name: str, official: tuple[File, ...], data_dir: str | Path | None) -> tuple[Path, ...]:
    """Paths of a set's four files, in the order of `FILES`: the official ones, or unpacked ones in their place.

    Unpacked files may hold any set in this format. They are used where not all official files are there; then nothing
    is downloaded, so that two sets never mix.

    Raises
    ------
    ConnectionError
        Official files are neither there nor to be downloaded; the message says which, and where to put them.
    ValueError
        An official file is damaged (it is left as it is), or some of the unpacked files are missing.
    """
    folder = _download.folder(data_dir) / name
    unpacked = [folder / file for file in FILES]
    missing = [f"{file}.gz" for file in FILES if not (folder / f"{file}.gz").exists()]
    if missing and any(path.exists() for path in unpacked):
        if absent := [path.name for path in unpacked if not path.exists()]:
            raise ValueError(f"{folder} holds unpacked files, but not all four: {', '.join(absent)} missing")
        return tuple(unpacked)
    try:
        return _download.fetch_all(official, data_dir)
    except ConnectionError as error:
        raise ConnectionError(
            f"{error}. Put {', '.join(missing)} into {folder}: the official files from "
            f"{official[0].urls[0].rpartition('/')[0]}/, or all four of another set in this format, unpacked and "
            "without .gz in their names"
        ) from error


def read(paths: tuple[Path, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All images (m, 28, 28) uint8, their labels (m,) uint8 and, as (m,) booleans, which are for testing: the last.

    Raises
    ------
    ValueError
        A file is damaged or of another format, has images of another size, or as many labels as there are no images.
    """
    images, labels = [array(path, 3) for path in paths[::2]], [array(path, 1) for path in paths[1::2]]
    for path, file, held, classes in zip(paths[::2], paths[1::2], images, labels):
        if held.shape[1:] != (SIDE, SIDE):
            raise ValueError(f"{path} holds images of {held.shape[1:]} pixels, expected {(SIDE, SIDE)}")
        if len(held) != len(classes):
            raise ValueError(f"{file} holds {len(classes):,} labels, expected {len(held):,}: the images of {path.name}")
    test = np.repeat([False, True], [len(part) for part in images])
    return np.concatenate(images), np.concatenate(labels), test


def array(path: Path, dimensions: int) -> np.ndarray:
    """The uint8 array of an IDX file, packed (.gz) or not.

    Raises
    ------
    ValueError
        The file is damaged, empty, or holds something else than bytes in so many dimensions.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is no complete gzip file: {error}") from error
    magic, start = bytes([0, 0, 8, dimensions]), 4 + 4 * dimensions
    if (got := content[:4]) != magic:
        raise ValueError(f"{path} is no IDX file of bytes: starts with {got.hex(' ')!r}, expected {magic.hex(' ')!r}")
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    if len(content) != start + math.prod(shape) or not math.prod(shape):
        raise ValueError(
            f"{path} is damaged: got {len(content):,} bytes, expected {start + math.prod(shape):,} for an array {shape}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
