"""Images of official files as an array on disk: unpacked once beside the files, then mapped, never held in memory.

Official files are packed for the way to us, not for drawing images at random: a batch of 64 out of Shapes3D's HDF5 file
means unpacking thousands of other images. Unpacked, any image is one read, and processes on a machine share what the
operating system keeps of the file.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from . import _download
from ._download import File


class Absent:
    """Stands for images that are not here, where only their number and shape matter: what is planned needs no file.

    Parameters
    ----------
    name : data set, as people type it
    shape : (n, h, w, c)
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.name, self.shape = name, shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        raise ValueError(f"an outline has no images: `bench data fetch {self.name!r}` gets them, then load the set")


def images(
    stem: str,
    files: tuple[File, ...],
    data_dir: str | Path | None,
    shape: tuple[int, ...],
    read: Callable[[tuple[Path, ...]], Iterable[np.ndarray]],
) -> np.ndarray:
    """The images of some official files, mapped read-only from an .npy file beside them that the first call makes.

    The .npy file bears the hash of the official files in its name; where it is, they are not looked at any more. It is
    made under another name and renamed, by one process while others wait, and only where the disk has room for it.

    Parameters
    ----------
    stem : beginning of the .npy file's name; changes when what `read` makes of the files changes
    files : with hashes; downloaded and checked if need be
    shape : (n, h, w, c)
    read : gets the paths of the files and yields all images in the order of rows, some at a time, (m, h, w, c) uint8

    Raises
    ------
    ConnectionError, ValueError
        As `_download.local` and `read`; the .npy file is damaged; there is no room for it.
    """
    beside = (_download.folder(data_dir) / files[0].name).parent
    target = beside / f"{stem}-{_download.digest(files).removeprefix('md5:')[:12]}.npy"
    if not target.exists():
        paths = _download.fetch_all(files, data_dir)
        _make(target, shape, lambda: read(paths))
    try:
        pixels = np.load(target, mmap_mode="r", allow_pickle=False)
        if (pixels.shape, pixels.dtype) != (shape, np.uint8):
            raise ValueError(f"holds {pixels.shape} {pixels.dtype}, expected {shape} uint8")
    except (ValueError, EOFError) as error:
        raise ValueError(
            f"{target} is damaged: {error}. Delete it; it is made again from the official files."
        ) from None
    return pixels


def _make(target: Path, shape: tuple[int, ...], read: Callable[[], Iterable[np.ndarray]]) -> None:
    temporary = _download.part_of(target)
    try:
        with _download.alone(target) as wanted:
            if not wanted:
                return
            if (free := shutil.disk_usage(target.parent).free) < (need := math.prod(shape)):
                raise ValueError(
                    f"{target} needs {need / 1e9:.1f} GB for the unpacked images, its disk has {free / 1e9:.1f} GB "
                    "free: make room, or choose another folder with --data-dir or BENCH_DATA"
                )
            try:
                _write(temporary, shape, read())
                os.replace(temporary, target)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ValueError(f"{target} cannot be written: {error}. Choose another folder with --data-dir.") from error


def _write(path: Path, shape: tuple[int, ...], blocks: Iterable[np.ndarray]) -> None:
    from tqdm import tqdm

    rows = 0
    with path.open("wb") as out, tqdm(total=shape[0], unit=" images", unit_scale=True, desc="unpacking") as bar:
        np.lib.format.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for block in blocks:
            if block.shape[1:] != shape[1:] or block.dtype != np.uint8:
                raise ValueError(f"images are {block.shape[1:]} {block.dtype}, expected {shape[1:]} uint8")
            out.write(np.ascontiguousarray(block).data)
            bar.update(len(block))
            rows += len(block)
    if rows != shape[0]:
        raise ValueError(f"there are {rows:,} images, expected {shape[0]:,}")
