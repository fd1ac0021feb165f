"""dSprites, Matthey et al. 2017: 737,280 white sprites on black, 64 x 64, every combination of five factors once.

The official file is used where it lies in the data folder or can be downloaded. Anywhere else the images are drawn anew
in a few seconds: re-created from the published geometry, they differ from the official file in an estimated 0.02 % of
the images by one pixel.

Two traits of the published set that scores should be read with: orientation 39 (a full turn) repeats orientation 0, and
squares and ellipses look almost the same after a quarter or half turn, so their orientation can hardly be told.
"""

from __future__ import annotations

import hashlib
import logging
import zipfile
import zlib
from pathlib import Path

import numpy as np

from . import _download, _sprites
from ._factored import FactoredData, grid, home

URL = "https://github.com/google-deepmind/dsprites-dataset/raw/master/dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
SHA256 = "857dc001287e8efa226e0025fac6b29e5745c621b380b0d3363e4e33f4e28fa2"

# The file's first factor, colour, has one value. No metric can count a factor that never varies, so it is left out.
NAMES = ("shape", "scale", "orientation", "posX", "posY")
KINDS = ("categorical", "ordered", "cyclic", "ordered", "ordered")
LEVELS = (np.array([1.0, 2.0, 3.0]), _sprites.SCALES, _sprites.ANGLES, _sprites.PLACES, _sprites.PLACES)
SIZES = tuple(len(level) for level in LEVELS)


def dsprites(data_dir: str | Path | None = None) -> FactoredData:
    """The set with factors shape (square, ellipse, heart), scale, orientation, posX (0 is left) and posY (0 is top).

    Orientations are radians, counter-clockwise. Images are kept as bits (377 MB). Canonical images show the same shape
    and scale at orientation 0 and at posX = posY = 15: 32 places have no middle one, this is half a pixel left of and
    above it.

    Parameters
    ----------
    data_dir : folder of the official file; by default the environment variable BENCH_DATA or the user's cache folder

    Returns
    -------
    FactoredData, `source` "official" (`sha256` of the file) or "rendered" (`sha256` of the bits)

    Raises
    ------
    ValueError
        The official file is there but damaged. It is never replaced silently.

    References
    ----------
    Matthey, Higgins, Hassabis & Lerchner 2017, "dSprites: disentanglement testing sprites dataset" (Apache 2.0).
    """
    try:
        path = fetch(data_dir)
    except ConnectionError as error:
        logging.getLogger("disentangle_bench").warning(
            "dsprites: %s. The images are re-created from the published geometry; they differ from the official file "
            "in an estimated 0.02 %% of the images by one pixel.",
            error,
        )
        bits, source = _sprites.render(), "rendered"
        sha256 = hashlib.sha256(bits.data).hexdigest()
    else:
        bits, source, sha256 = read(path), "official", SHA256
    return FactoredData(
        "dsprites",
        bits[..., None],
        grid(SIZES),
        LEVELS,
        NAMES,
        KINDS,
        source,
        sha256,
        packed=True,
        label="shape",
        home=home(SIZES, {2: 0, 3: 15, 4: 15}),
    )


def fetch(data_dir: str | Path | None = None) -> Path:
    """Path of the official file, checked; downloaded (26 MB) if it is not in the data folder.

    Raises
    ------
    ConnectionError, ValueError
        It cannot be downloaded; it is there but damaged.
    """
    return _download.local(URL, SHA256, data_dir)


def read(path: str | Path, shape: tuple[int, int, int] = (737280, 64, 64), chunk: int = 1024) -> np.ndarray:
    """The images of a file in the official format as bits: (n, 64, 8) uint8. Holds `chunk` unpacked images at a time.

    Raises
    ------
    ValueError
        The file has no array `imgs` of this shape, or is damaged.
    """
    bits = np.empty((*shape[:2], shape[2] // 8), np.uint8)
    try:
        with zipfile.ZipFile(path) as archive, archive.open("imgs.npy") as file:
            readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            got, fortran, dtype = readers[np.lib.format.read_magic(file)](file)
            if (got, fortran, dtype) != (shape, False, np.uint8):
                raise ValueError(f"imgs is {got} {dtype}{' in Fortran order' * fortran}, expected {shape} uint8")
            for i in range(0, shape[0], chunk):
                part = bits[i : i + chunk]
                part[:] = np.packbits(np.frombuffer(file.read(8 * part.size), np.uint8)).reshape(part.shape)
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is no dSprites file: {error}. Delete it or move it away, then run again.") from error
    return bits


def compare(data: FactoredData) -> tuple[int, int]:
    """How far a dSprites set is from the re-created one: number of differing images, most differing pixels in an image.

    For the official file a few hundred images and one or two pixels are expected.
    """
    pixels = data.pixels.reshape(-1, _sprites.SIDE, _sprites.SIDE // 8)
    images = most = 0
    for i, block in enumerate(_sprites.blocks()):
        other = pixels[i * len(block) : (i + 1) * len(block)]
        differing = np.unpackbits(np.bitwise_xor(block, other, dtype=np.uint8), axis=-1).sum((1, 2))
        images, most = images + int(np.count_nonzero(differing)), max(most, int(differing.max()))
    return images, most
