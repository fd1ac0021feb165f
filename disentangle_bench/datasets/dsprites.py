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
from pathlib import Path

import numpy as np

from disentangle_bench import catalog

from . import _backgrounds, _download, _npz, _sprites, _unpacked
from ._download import File
from ._factored import FactoredData, Pixels, grid, home

NAME = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
FILES = (
    File(
        NAME,
        (
            f"https://github.com/google-deepmind/dsprites-dataset/raw/master/{NAME}",
            f"https://raw.githubusercontent.com/google-deepmind/dsprites-dataset/master/{NAME}",
        ),
        sha256="857dc001287e8efa226e0025fac6b29e5745c621b380b0d3363e4e33f4e28fa2",
    ),
)
LICENCE = "Apache 2.0"
CITATION = (
    "Matthey, Higgins, Hassabis & Lerchner 2017, dSprites: disentanglement testing sprites dataset, "
    "https://github.com/google-deepmind/dsprites-dataset"
)

# The file's first factor, colour, has one value. No metric can count a factor that never varies, so it is left out.
NAMES = ("shape", "scale", "orientation", "posX", "posY")
KINDS = ("categorical", "ordered", "cyclic", "ordered", "ordered")
LEVELS = (np.array([1.0, 2.0, 3.0]), _sprites.SCALES, _sprites.ANGLES, _sprites.PLACES, _sprites.PLACES)
SIZES = tuple(len(level) for level in LEVELS)
SHAPE = (737_280, 64, 64)
BACKGROUNDS = ("none", *_backgrounds.KINDS)
RENDERED = "3a228f4037ef3d42a42588e0e01f1078aa2df13cfa17584e88c95ed9fb5672da"  # of the bits drawn without the file
PINNED = {"dsprites": RENDERED} | {
    f"dsprites(background={kind})": _backgrounds.sha256(kind, RENDERED) for kind in _backgrounds.KINDS
}


def dsprites(data_dir: str | Path | None = None, *, background: str = "none") -> FactoredData:
    """The set with factors shape (square, ellipse, heart), scale, orientation, posX (0 is left) and posY (0 is top).

    Orientations are radians, counter-clockwise. Images are kept as bits (377 MB). Canonical images show the same shape
    and scale at orientation 0 and at posX = posY = 15: 32 places have no middle one, this is half a pixel left of and
    above it.

    Parameters
    ----------
    data_dir : folder of the official file; by default the environment variable BENCH_DATA or the user's cache folder
    background : "none": white on black. The variants of Locatello et al. 2019, (64, 64, 3), whose backgrounds are no
        factors: "colour", each sprite in a random colour; "noise", random pixels around the sprite; "scream", a patch
        of a picture in a random tint, inverted where the sprite is. They are drawn when images are asked for. Two
        things differ from the study: a background belongs to its row and is the same whenever that is shown, where the
        study draws it anew; and the picture is drawn here, in the manner of the painting that the study used.

    Returns
    -------
    FactoredData, `source` "official" (`sha256` of the file) or "rendered" (`sha256` of the bits); with a background,
    `source` names it, too, and `sha256` is of the version of the backgrounds and of the sprites' hash

    Raises
    ------
    ValueError
        An unknown background; or the official file is there but damaged. It is never replaced silently.

    References
    ----------
    Matthey, Higgins, Hassabis & Lerchner 2017, "dSprites: disentanglement testing sprites dataset" (Apache 2.0).
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
    representations" (the variants).
    """
    catalog.choose("dsprites.background", background, list(BACKGROUNDS))
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
        bits, source, sha256 = read(path), "official", FILES[0].digest
    pixels = bits[..., None] if background == "none" else _backgrounds.Backgrounds(bits, background)
    return _data(pixels, background, source, sha256, packed=background == "none")


def outline(*, background: str = "none") -> FactoredData:
    """The official set without its images: nothing is read or drawn."""
    catalog.choose("dsprites.background", background, list(BACKGROUNDS))
    pixels = _unpacked.Absent("dsprites", (*SHAPE, 1 if background == "none" else 3))
    return _data(pixels, background, "official", FILES[0].digest)


def fetch(data_dir: str | Path | None = None) -> Path:
    """Path of the official file, checked; downloaded (26 MB) if it is not in the data folder.

    Raises
    ------
    ConnectionError, ValueError
        It cannot be downloaded; it is there but damaged.
    """
    return _download.fetch_all(FILES, data_dir)[0]


def read(path: str | Path, shape: tuple[int, int, int] = SHAPE, chunk: int = 1024) -> np.ndarray:
    """The images of a file in the official format as bits: (n, 64, 8) uint8. Holds `chunk` unpacked images at a time.

    Raises
    ------
    ValueError
        The file has no array `imgs` of this shape, or is damaged.
    """
    bits, i = np.empty((*shape[:2], shape[2] // 8), np.uint8), 0
    for block in _npz.blocks(path, "imgs", shape, chunk, "dSprites"):
        bits[i : i + len(block)] = np.packbits(block, axis=-1)
        i += len(block)
    return bits


def compare(data: FactoredData) -> tuple[int, int]:
    """How far a dSprites set is from the re-created one: number of differing images, most differing pixels in an image.

    For the official file a few hundred images and one or two pixels are expected.
    """
    pixels = np.asarray(data.pixels).reshape(-1, _sprites.SIDE, _sprites.SIDE // 8)
    images = most = 0
    for i, block in enumerate(_sprites.blocks()):
        other = pixels[i * len(block) : (i + 1) * len(block)]
        differing = np.unpackbits(np.bitwise_xor(block, other, dtype=np.uint8), axis=-1).sum((1, 2))
        images, most = images + int(np.count_nonzero(differing)), max(most, int(differing.max()))
    return images, most


def _data(
    pixels: np.ndarray | Pixels, background: str, source: str, sha256: str, *, packed: bool = False
) -> FactoredData:
    if background != "none":
        source = f"{source}, {_backgrounds.KINDS[background]}"
        sha256 = _backgrounds.sha256(background, sha256)
    upright = home(SIZES, {2: 0, 3: 15, 4: 15})
    return FactoredData(
        "dsprites", pixels, grid(SIZES), LEVELS, NAMES, KINDS, source, sha256, packed, label="shape", home=upright
    )
