"""MPI3D, Gondal et al. 2019: a robot arm holds an object; drawn, drawn well, and photographed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from disentangle_bench import catalog

from . import _download, _npz, _unpacked
from ._download import File
from ._factored import FactoredData, Pixels, grid

HOME = "https://huggingface.co/datasets/waleedgondal/mpi3d/resolve/main/"  # of the authors
BEFORE = "https://storage.googleapis.com/disentanglement_dataset/Final_Dataset/"  # until they moved
VARIANTS = {  # md5 as kept by disent
    "toy": File(
        "mpi3d_toy.npz",
        (f"{HOME}mpi3d_toy.npz", f"{BEFORE}mpi3d_toy.npz"),
        md5="55889cb7c7dfc655d6e0277beee88868",
    ),
    "realistic": File(
        "mpi3d_realistic.npz",
        (f"{HOME}mpi3d_realistic.npz", f"{BEFORE}mpi3d_realistic.npz"),
        md5="59a6225b88b635365f70c91b3e52f70f",
    ),
    "real": File(
        "mpi3d_real.npz",
        (f"{HOME}mpi3d_real.npz", f"{BEFORE}mpi3d_real.npz"),
        md5="0f33f609918fb5c97996692f91129802",
    ),
    "complex": File(  # nobody keeps a hash of this one
        "real3d_complicated_shapes_ordered.npz",
        (
            "https://drive.usercontent.google.com/download?id=1Tp8eTdHxgUMtsZv5uAoYAbJR1BOa_OQm&export=download&confirm=t",
        ),
    ),
}
FILES = tuple(VARIANTS.values())
LICENCE = "CC BY 4.0"
CITATION = (
    "Gondal et al. 2019, On the transfer of inductive bias from simulation to the real world: a new disentanglement "
    "dataset, NeurIPS 32"
)

NAMES = (
    "object_color",
    "object_shape",
    "object_size",
    "camera_height",
    "background_color",
    "horizontal_axis",
    "vertical_axis",
)
KINDS = ("categorical", "categorical", "ordered", "ordered", "categorical", "ordered", "ordered")


def mpi3d(data_dir: str | Path | None = None, *, variant: str = "toy") -> FactoredData:
    """One of the four sets, every combination of seven factors once.

    Factors are the object's colour, shape and size, the height of the camera, the background's colour, and the two
    angles of the arm in 40 steps each. Neither angle makes a full turn: both are ordered. Rows are in the official
    order, the last factor fastest. The official file is unpacked once, to 12.7 GB (complex: 5.7 GB) beside it, and
    mapped from there: no image is held in memory.

    Parameters
    ----------
    data_dir : folder of the official file; by default the environment variable BENCH_DATA or the user's cache folder
    variant : "toy" (drawn simply), "realistic" (drawn well) or "real" (photographs): 1,036,800 images, six colours and
        six shapes (cone, cube, cylinder, hexagonal, pyramid, sphere); "complex": 460,800 photographs of everyday
        objects (cup, tennis ball, croissant, beer cup) in four colours. For "complex" no hash is published: the file
        is taken as it is, and its own hash is recorded, which takes some seconds at each load.

    Returns
    -------
    FactoredData, images (64, 64, 3), `source` "official", `sha256` the file's published md5, or its own sha256

    Raises
    ------
    ConnectionError
        The file is not there and cannot be downloaded.
    ValueError
        An unknown variant; a file is damaged (it is left as it is); there is no room for the unpacked images.

    References
    ----------
    Gondal et al. 2019, "On the transfer of inductive bias from simulation to the real world: a new disentanglement
    dataset" (CC BY 4.0). disentanglement_lib reads an older file of 460,800 images, four colours and four shapes.
    """
    (file,) = files(variant=variant)
    if not file.digest:
        import pooch

        file = replace(file, sha256=pooch.file_hash(str(_download.local(file, data_dir))))
    shape = _shape(variant)
    pixels = _unpacked.images(f"mpi3d_{variant}", (file,), data_dir, shape, lambda paths: read(paths[0], shape))
    return _data(variant, pixels, file.digest)


def outline(*, variant: str = "toy") -> FactoredData:
    """The set without its images: nothing is read. `sha256` is "unpublished" for "complex", whose hash nobody keeps."""
    (file,) = files(variant=variant)
    name = "mpi3d" if variant == "toy" else f"mpi3d(variant={variant})"
    return _data(variant, _unpacked.Absent(name, _shape(variant)), file.digest or "unpublished")


def files(*, variant: str = "toy") -> tuple[File, ...]:
    """What a variant needs of `FILES`."""
    return (VARIANTS[catalog.choose("mpi3d.variant", variant, list(VARIANTS))],)


def fetch(data_dir: str | Path | None = None, *, variant: str = "toy") -> Path:
    """Path of a variant's official file, checked; downloaded if it is not in the data folder."""
    return _download.fetch_all(files(variant=variant), data_dir)[0]


def read(path: str | Path, shape: tuple[int, ...], rows: int = 1024) -> Iterator[np.ndarray]:
    """The images of a file in the official format (a .npz with `images`), `rows` at a time: (m, h, w, 3) uint8.

    Raises
    ------
    ValueError
        The file has no array `images` of this shape, or is damaged.
    """
    return _npz.blocks(path, "images", shape, rows, "MPI3D")


def _sizes(variant: str) -> tuple[int, ...]:
    kinds_of_objects = 4 if variant == "complex" else 6
    return (kinds_of_objects, kinds_of_objects, 2, 3, 3, 40, 40)


def _shape(variant: str) -> tuple[int, ...]:
    return (math.prod(_sizes(variant)), 64, 64, 3)


def _data(variant: str, pixels: np.ndarray | Pixels, sha256: str) -> FactoredData:
    sizes = _sizes(variant)
    levels = tuple(np.arange(float(size)) for size in sizes)
    return FactoredData("mpi3d", pixels, grid(sizes), levels, NAMES, KINDS, "official", sha256, label="object_shape")
