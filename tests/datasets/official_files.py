"""Small files in the exact formats of the canonical sets, and what reading them must give."""

import gzip
import hashlib
import io
import itertools
import tarfile

import h5py
import numpy as np
from scipy.io import savemat

from disentangle_bench.datasets._download import File

RNG = np.random.default_rng(0)


def known(path, name=None):
    """The file as a set would list it."""
    return File(name or path.name, (), sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def combinations(sizes):
    return np.array(list(itertools.product(*map(range, sizes))))


def pictures(n, side, *channels):
    """Noise on slopes, so that a picture that is turned, mirrored or shrunk by another rule is another picture."""
    y, x = np.mgrid[:side, :side] / side
    slope = (60 * y + 130 * x).reshape(side, side, *(1 for _ in channels))
    return (slope + RNG.uniform(0, 60, (n, side, side, *channels))).astype(np.uint8)


def shapes3d(path, sizes, *, chunks=None, **changed):
    """As the 480,000: HDF5 with chunked, packed `images` and `labels`. The images."""
    images = pictures(int(np.prod(sizes)), 64, 3)
    levels = [np.arange(s) / 10 for s in sizes[:3]]
    levels += [np.linspace(0.75, 1.25, sizes[3]), np.arange(sizes[4]), np.linspace(-30, 30, sizes[5])]
    labels = np.array(list(itertools.product(*levels)), "f8")
    with h5py.File(path, "w") as file:
        for key, held in {"images": images, "labels": labels, **changed}.items():
            if held is not None:
                file.create_dataset(key, data=held, compression="gzip", chunks=chunks if key == "images" else None)
    return images


def mpi3d(path, n):
    """The images."""
    images = pictures(n, 64, 3)
    np.savez_compressed(path, images=images)
    return images


def cars3d(path, sizes, side, *, other=()):
    """As nips2015-analogy-data.tar.gz: a .mat file a model, among other files. `im` of each model."""
    elevations, azimuths, models = sizes
    held = {}
    with tarfile.open(path, "w:gz") as archive:

        def add(name, content):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))

        add("data/cars/list.txt", b"car_000_mesh\n")
        add("data/shapes48.mat", b"another set")
        for model in reversed(range(models)):  # in no order
            name = f"car_{model:03}_mesh.mat"
            im = pictures(elevations * azimuths, side, 3).reshape(elevations, azimuths, side, side, 3)
            held[model] = im.transpose(2, 3, 4, 1, 0)
            content = io.BytesIO()
            savemat(content, {"im": held[model], "mask": np.ones((2, 2))}, do_compression=True)
            add(f"data/cars/{name}", content.getvalue())
        for name, content in other:
            add(name, content)
    return held


MAGIC = {"u1": 0x1E3D4C55, "<i4": 0x1E3D4C54, "<f4": 0x1E3D4C51}


def matrix(array, dtype, magic=None):
    """As the files of NORB: at least three dimensions are written."""
    dims = [*array.shape, 1, 1][: max(3, array.ndim)]
    head = np.array([magic or MAGIC[dtype], array.ndim, *dims], "<i4")
    return gzip.compress(head.tobytes() + array.astype(dtype).tobytes(), mtime=0)


def smallnorb(folder, sizes, side):
    """Two parts by instance, in no order, pairs of pictures. Paths of the files; left pictures by their classes."""
    rows = RNG.permutation(combinations(sizes))
    folder.mkdir(parents=True, exist_ok=True)
    paths, left = [], {}
    for part in 0, 1:
        mine = rows[rows[:, 1] % 2 == part]
        pairs = np.stack([pictures(len(mine), side), pictures(len(mine), side)], 1)
        left |= {tuple(row): pair[0] for row, pair in zip(mine.tolist(), pairs)}
        info = mine[:, 1:] * [1, 1, 2, 1]
        for kind, held, dtype in ("dat", pairs, "u1"), ("cat", mine[:, 0], "<i4"), ("info", info, "<i4"):
            paths.append(folder / f"part{part}-{kind}.mat.gz")
            paths[-1].write_bytes(matrix(held, dtype))
    return tuple(paths), left
