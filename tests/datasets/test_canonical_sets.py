"""The canonical sets from small files in their official formats, through to what a study sees of them."""

import dataclasses
import importlib
import os
import threading
from functools import partial
from types import SimpleNamespace

import numpy as np
import official_files
import pytest
from PIL import Image

from disentangle_bench import datasets
from disentangle_bench.datasets import _unpacked, load

shapes3d, mpi3d, cars3d, smallnorb = (
    importlib.import_module(f"disentangle_bench.datasets.{name}")
    for name in ("shapes3d", "mpi3d", "cars3d", "smallnorb")
)
MEANS = {  # of all images, as disent publishes them
    "shapes3d": (0.502585, 0.578760, 0.603450),
    "cars3d": (0.897668, 0.889166, 0.885148),
    "smallnorb": (0.752092,),
}
SIZES = {"shapes3d": (2, 2, 2, 1, 2, 3), "cars3d": (2, 3, 4), "smallnorb": (2, 4, 2, 3, 2)}


def lanczos(picture):
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize((64, 64), Image.Resampling.LANCZOS))


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("BENCH_OFFLINE", "1")


def shrink(monkeypatch, module, sizes, read):
    """The module as if the set had these sizes."""
    monkeypatch.setattr(module, "SIZES", sizes)
    monkeypatch.setattr(module, "LEVELS", tuple(level[:size] for level, size in zip(module.LEVELS, sizes)))
    monkeypatch.setattr(module, "SHAPE", (int(np.prod(sizes)), *module.SHAPE[1:]))
    monkeypatch.setattr(module, "read", read)


@pytest.fixture
def small_shapes3d(tmp_path, monkeypatch):
    sizes, path = SIZES["shapes3d"], tmp_path / "3dshapes.h5"
    images = official_files.shapes3d(path, sizes, chunks=(10, 16, 16, 1))
    shrink(monkeypatch, shapes3d, sizes, partial(shapes3d.read, sizes=sizes))
    monkeypatch.setattr(shapes3d, "FILES", (official_files.known(path),))
    return images


@pytest.fixture
def small_cars3d(tmp_path, monkeypatch):
    sizes, path = SIZES["cars3d"], tmp_path / "cars.tar.gz"
    held = official_files.cars3d(path, sizes, 32)
    shrink(monkeypatch, cars3d, sizes, partial(cars3d.read, sizes=sizes, side=32))
    monkeypatch.setattr(cars3d, "FILES", (official_files.known(path),))
    return held


@pytest.fixture
def small_smallnorb(tmp_path, monkeypatch):
    sizes = SIZES["smallnorb"]
    paths, left = official_files.smallnorb(tmp_path / "smallnorb", sizes, 24)
    shrink(monkeypatch, smallnorb, sizes, partial(smallnorb.read, sizes=sizes, side=24))
    files = tuple(official_files.known(path, f"smallnorb/{path.name}") for path in paths)
    monkeypatch.setattr(smallnorb, "FILES", files)
    return left


@pytest.fixture
def small_mpi3d(tmp_path, monkeypatch):
    path = tmp_path / "mpi3d_toy.npz"
    images = official_files.mpi3d(path, 6)
    monkeypatch.setattr(mpi3d, "_sizes", lambda variant: (3, 1, 2, 1, 1, 1, 1))
    files = {"toy": official_files.known(path), "complex": dataclasses.replace(official_files.known(path), sha256=None)}
    monkeypatch.setattr(mpi3d, "VARIANTS", files)
    return images


def test_shapes3d_is_read_in_order(small_shapes3d, tmp_path):
    data = load("shapes3d", tmp_path)
    assert (data.name, data.source, data.label, data.shape) == ("shapes3d", "official", "shape", (64, 64, 3))
    assert data.sha256 == shapes3d.FILES[0].sha256 and data.kinds[:3] == 3 * ("cyclic",)
    rows = np.array([47, 0, 13, 13, 30])
    np.testing.assert_array_equal(data.take(rows), small_shapes3d[rows])
    np.testing.assert_array_equal(data.factors, official_files.combinations(SIZES["shapes3d"]))


def test_cars3d_is_sorted_by_elevation_azimuth_and_model(small_cars3d, tmp_path):
    data = load("cars3d", tmp_path)
    assert (data.names, data.sizes, data.shape) == (("elevation", "azimuth", "object_type"), (2, 3, 4), (64, 64, 3))
    for row in 0, 5, 17, 23:
        elevation, azimuth, model = data.factors[row]
        expected = lanczos(small_cars3d[model][..., azimuth, elevation])
        np.testing.assert_array_equal(data.take([row])[0], expected)


def test_smallnorb_is_the_left_pictures_of_both_parts_sorted(small_smallnorb, tmp_path):
    data, told = load("smallnorb", tmp_path), load("smallnorb(instances=true)", tmp_path)
    assert (data.names, data.sizes) == (("category", "elevation", "azimuth", "lighting"), (2, 2, 3, 2))
    assert (told.names, told.sizes) == (smallnorb.NAMES, SIZES["smallnorb"]) and data.sha256 == told.sha256
    assert data.shape == (64, 64, 1) and len(data) == len(small_smallnorb) == 96
    np.testing.assert_array_equal(told.factors, official_files.combinations(SIZES["smallnorb"]))
    np.testing.assert_array_equal(told.factors[:, [0, 2, 3, 4]], data.factors)
    expected = np.stack([lanczos(small_smallnorb[tuple(row)]) for row in told.factors.tolist()])
    np.testing.assert_array_equal(data.take(np.arange(96))[..., 0], expected)


def test_mpi3d_is_read_in_order(small_mpi3d, tmp_path):
    data = load("mpi3d", tmp_path)
    assert (data.names, data.sizes, data.label) == (mpi3d.NAMES, (3, 1, 2, 1, 1, 1, 1), "object_shape")
    np.testing.assert_array_equal(data.take([5, 0, 2]), small_mpi3d[[5, 0, 2]])
    with pytest.raises(ValueError, match=r"unknown mpi3d.variant 'realist'"):
        load("mpi3d(variant=realist)", tmp_path)


def test_a_file_without_a_published_hash_is_known_by_its_own(small_mpi3d, tmp_path):
    data = load("mpi3d(variant=complex)", tmp_path)
    assert data.sha256 == mpi3d.VARIANTS["toy"].sha256
    np.testing.assert_array_equal(data.take([4]), small_mpi3d[[4]])
    assert mpi3d.outline(variant="complex").sha256 == "unpublished"


def test_unpacked_images_are_mapped_and_need_the_official_file_no_more(small_shapes3d, tmp_path):
    load("shapes3d", tmp_path)
    (made,) = tmp_path.glob("*.npy")
    assert made.name == f"3dshapes-{shapes3d.FILES[0].sha256[:12]}.npy"
    assert sorted(path.name for path in tmp_path.iterdir()) == [made.name, "3dshapes.h5"]
    (tmp_path / "3dshapes.h5").unlink()
    data = load("shapes3d", tmp_path)
    assert isinstance(data.pixels, np.memmap) and not data.pixels.flags.writeable
    images = data.take([1])
    assert type(images) is np.ndarray and images.flags.writeable
    np.testing.assert_array_equal(images[0], small_shapes3d[1])


@pytest.mark.parametrize("damage", [lambda held: held[:-1], lambda held: b"", lambda held: b"\x80\x04N."])
def test_damaged_unpacked_images_are_refused_by_name(small_shapes3d, tmp_path, damage):
    load("shapes3d", tmp_path)
    (made,) = tmp_path.glob("*.npy")
    made.write_bytes(damage(made.read_bytes()))
    with pytest.raises(ValueError, match=rf"{made} is damaged: .*Delete it; it is made again from the official files"):
        load("shapes3d", tmp_path)
    np.save(made, np.zeros((48, 64, 64, 1), np.uint8))
    with pytest.raises(ValueError, match=r"holds \(48, 64, 64, 1\) uint8, expected \(48, 64, 64, 3\) uint8"):
        load("shapes3d", tmp_path)


def test_an_official_file_that_is_damaged_is_refused_and_left_alone(small_shapes3d, tmp_path):
    path = tmp_path / "3dshapes.h5"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"3dshapes.h5 \([\d,]+ bytes\) is damaged or another file: sha256"):
        load("shapes3d", tmp_path)
    assert os.listdir(tmp_path) == ["3dshapes.h5"]


def test_nothing_is_left_where_unpacking_fails(small_shapes3d, tmp_path, monkeypatch):
    def fails(path):
        yield small_shapes3d[:10]
        raise ValueError("no more")

    for read, message in (
        (fails, "no more"),
        (lambda path: [small_shapes3d[:10]], "there are 10 images, expected 48"),
        (lambda path: [small_shapes3d[..., :1]], r"images are \(64, 64, 1\) uint8, expected \(64, 64, 3\) uint8"),
    ):
        monkeypatch.setattr(shapes3d, "read", read)
        with pytest.raises(ValueError, match=message):
            load("shapes3d", tmp_path)
        assert [name for name in os.listdir(tmp_path) if not name.startswith(".")] == ["3dshapes.h5"]


def test_room_is_looked_for_before_unpacking(small_shapes3d, tmp_path, monkeypatch):
    monkeypatch.setattr(_unpacked.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(ValueError, match=r"needs 0.0 GB for the unpacked images, its disk has 0.0 GB free: make room"):
        load("shapes3d", tmp_path)


def test_two_at_once_unpack_once(small_shapes3d, tmp_path, monkeypatch):
    calls, read = [], shapes3d.read
    monkeypatch.setattr(shapes3d, "read", lambda path: calls.append(path) or read(path))
    found = []
    threads = [threading.Thread(target=lambda: found.append(load("shapes3d", tmp_path))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3 and len(calls) == 1


@pytest.mark.network
@pytest.mark.parametrize("name", ["shapes3d", "cars3d", "smallnorb", "mpi3d"])
def test_the_official_files_can_be_downloaded(name, monkeypatch, tmp_path_factory):
    monkeypatch.delenv("BENCH_OFFLINE")
    data, outline = load(name, tmp_path_factory.getbasetemp() / "official"), datasets.outline(name)
    assert (data.sha256, data.sizes, data.shape) == (outline.sha256, outline.sizes, outline.shape)
    means = {
        "shapes3d": (0.502585, 0.578760, 0.603450),
        "cars3d": (0.897668, 0.889166, 0.885148),
        "smallnorb": (0.752092,),
    }
    if name in means:  # of all images, as disent publishes them
        rows = np.random.default_rng(0).choice(len(data), 5000, replace=False)
        np.testing.assert_allclose(data.take(np.sort(rows)).mean((0, 1, 2)) / 255, means[name], atol=0.01)
