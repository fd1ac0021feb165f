"""Cars3D, Reed et al. 2015: 183 models of cars seen from 24 sides and 4 heights, 17,568 pictures."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from . import _unpacked
from ._download import File, fetch_all
from ._factored import FactoredData, Pixels, grid
from ._resize import smaller

FILES = (
    File(
        "nips2015-analogy-data.tar.gz",
        (
            "http://www.scottreed.info/files/nips2015-analogy-data.tar.gz",
            "http://www-personal.umich.edu/~reedscot/files/nips2015-analogy-data.tar.gz",
        ),
        md5="4e866a7919c1beedf53964e6f7a23686",  # as kept by disent and latte
    ),
)
LICENCE = "none stated; the models are those of Fidler et al. 2012"
CITATION = "Reed, Zhang, Zhang & Lee 2015, Deep visual analogy-making, NeurIPS 28"

NAMES = ("elevation", "azimuth", "object_type")
KINDS = ("ordered", "cyclic", "categorical")
LEVELS = (np.arange(4.0), 2 * np.pi * np.arange(24) / 24, np.arange(183.0))  # azimuth in radians
SIZES = (4, 24, 183)
SIDE = 64  # pixels
SHAPE = (17_568, SIDE, SIDE, 3)


def cars3d(data_dir: str | Path | None = None) -> FactoredData:
    """The set with elevation of the camera, azimuth (a full turn in 24 steps of 15 degrees) and the model of car.

    Rows are as in Locatello et al. 2019: elevation, azimuth, model, the last fastest; models in the order of their
    files' names. Pictures are 128 x 128 in the official archive and made 64 x 64 as in that study, by Lanczos' windowed
    sinc. This is done once; the result (216 MB) lies beside the archive and is mapped from there.

    Parameters
    ----------
    data_dir : folder of the official archive; by default the environment variable BENCH_DATA or the user's cache folder

    Returns
    -------
    FactoredData, images (64, 64, 3), `source` "official", `sha256` the archive's published md5

    Raises
    ------
    ConnectionError
        The archive is not there and cannot be downloaded.
    ValueError
        A file is damaged (it is left as it is), or there is no room for the images.

    References
    ----------
    Reed, Zhang, Zhang & Lee 2015, "Deep visual analogy-making" (no licence stated).
    """
    return _data(_unpacked.images("cars3d-64x64", FILES, data_dir, SHAPE, lambda paths: read(paths[0])))


def outline() -> FactoredData:
    """The set without its images: nothing is read."""
    return _data(_unpacked.Absent("cars3d", SHAPE))


def fetch(data_dir: str | Path | None = None) -> Path:
    """Path of the official archive, checked; downloaded if it is not in the data folder."""
    return fetch_all(FILES, data_dir)[0]


def read(path: str | Path, sizes: tuple[int, int, int] = SIZES, side: int = 128) -> Iterator[np.ndarray]:
    """The images of an archive in the official format (.mat files below cars/) in order: (n, 64, 64, 3) uint8, at once.

    Parameters
    ----------
    side : of the pictures in the archive, pixels

    Raises
    ------
    ValueError
        The archive is damaged, or its files are not what they should be; the message names the file.
    """
    models = {}
    try:
        with tarfile.open(path, "r|gz") as archive:  # once from its beginning to its end
            for member in archive:
                name = PurePosixPath(member.name)
                if name.suffix == ".mat" and name.parent.name == "cars":
                    content = archive.extractfile(member)
                    assert content is not None
                    models[name.name] = _model(content.read(), name.name, (side, side, 3, sizes[1], sizes[0]))
        if len(models) != sizes[2]:
            raise ValueError(f"it has {len(models)} files cars/*.mat, expected {sizes[2]}")
    except (OSError, EOFError, ValueError, tarfile.TarError, zlib.error) as error:
        raise ValueError(f"{path} is no Cars3D archive: {error}. Delete it or move it away, then run again.") from error
    yield np.stack([models[name] for name in sorted(models)], axis=2).reshape(-1, SIDE, SIDE, 3)


def _model(content: bytes, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """All pictures of one car: (elevations, azimuths, 64, 64, 3)."""
    from scipy.io import loadmat

    try:
        pictures = loadmat(io.BytesIO(content), variable_names=["im"])["im"]
    except Exception as error:  # it has no error of its own for files that are none
        raise ValueError(f"{name} is no MATLAB file with an array 'im': {error!r}") from None
    if (pictures.shape, pictures.dtype) != (shape, np.uint8):
        raise ValueError(f"{name}: im is {pictures.shape} {pictures.dtype}, expected {shape} uint8")
    pictures = pictures.transpose(4, 3, 0, 1, 2)  # elevation, azimuth, row, column, colour
    return smaller(np.ascontiguousarray(pictures).reshape(-1, *shape[:3]), SIDE).reshape(
        *pictures.shape[:2], SIDE, SIDE, 3
    )


def _data(pixels: np.ndarray | Pixels) -> FactoredData:
    sha256 = FILES[0].digest
    return FactoredData("cars3d", pixels, grid(SIZES), LEVELS, NAMES, KINDS, "official", sha256, label="object_type")
