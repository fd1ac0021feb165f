"""Files that are not as the canonical sets have them are refused with their name, the place and what was expected."""

import gzip
import importlib
import io

import h5py
import numpy as np
import official_files
import pytest
from scipy.io import savemat

from disentangle_bench.datasets._matrix import matrix

shapes3d, mpi3d, cars3d, smallnorb = (
    importlib.import_module(f"disentangle_bench.datasets.{name}")
    for name in ("shapes3d", "mpi3d", "cars3d", "smallnorb")
)
ROOMS, CARS, TOYS = (2, 1, 2, 2, 2, 3), (2, 3, 4), (2, 4, 2, 3, 2)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"images": None}, "has no array 'images', but labels"),
        ({"labels": None}, "has no array 'labels', but images"),
        ({"images": np.zeros((47, 64, 64, 3), "u1")}, r"images is \(47, 64, 64, 3\) uint8, expected \(48, 64, 64, 3\)"),
        ({"images": np.zeros((48, 64, 64, 3), "f4")}, r"images is .* float32, expected .* uint8"),
        ({"labels": np.zeros((48, 5))}, r"labels is \(48, 5\) float64, expected \(48, 6\) float64"),
        ({"labels": np.zeros((48, 6))}, "labels are not every combination of floor_hue, .* the last fastest: row 1 is"),
    ],
)
def test_other_hdf5_files(tmp_path, changed, message):
    path = tmp_path / "other.h5"
    official_files.shapes3d(path, ROOMS, **changed)
    with pytest.raises(ValueError, match=f"other.h5 is no Shapes3D file: .*{message}.*Delete it or move it away"):
        list(shapes3d.read(path, ROOMS))


@pytest.mark.parametrize("content", [b"", b"no HDF5", None])
def test_damaged_hdf5_files(tmp_path, content):
    path = tmp_path / "damaged.h5"
    official_files.shapes3d(path, ROOMS, chunks=(48, 64, 64, 3))
    if content is None:  # within the packed images
        with h5py.File(path) as file:
            start = file["images"].id.get_chunk_info(0).byte_offset
        held = bytearray(path.read_bytes())
        held[start + 1000 : start + 3000] = bytes(2000)
        content = bytes(held)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged.h5 is no Shapes3D file"):
        list(shapes3d.read(path, ROOMS))


@pytest.mark.parametrize("chunks", [(48, 16, 16, 1), (7, 64, 64, 3), (1, 32, 32, 3), None])
def test_chunks_of_any_size_are_read(tmp_path, chunks):
    images = official_files.shapes3d(tmp_path / "any.h5", ROOMS, chunks=chunks)
    np.testing.assert_array_equal(np.concatenate(list(shapes3d.read(tmp_path / "any.h5", ROOMS))), images)


@pytest.mark.parametrize("rows", [1, 4, 6, 100])
def test_parts_of_any_size_are_read(tmp_path, rows):
    images = official_files.mpi3d(tmp_path / "any.npz", 6)
    blocks = list(mpi3d.read(tmp_path / "any.npz", images.shape, rows))
    assert len(blocks) == -(-6 // rows)
    np.testing.assert_array_equal(np.concatenate(blocks), images)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"imgs": np.zeros((6, 8, 8, 3), np.uint8)}, "images.npy"),
        (
            {"images": np.zeros((5, 8, 8, 3), np.uint8)},
            r"images is \(5, 8, 8, 3\) uint8, expected \(6, 8",
        ),
        ({"images": np.zeros((6, 8, 8, 3))}, r"images is \(6, 8, 8, 3\) float64, expected"),
        ({"images": np.array([{"a": "pickle"}], dtype=object)}, r"images is \(1,\) object, expected"),
        (None, "not a zip file"),
    ],
)
def test_other_npz_files(tmp_path, arrays, message):
    path = tmp_path / "other.npz"
    path.write_bytes(b"\x80\x04N.")
    if arrays:
        np.savez(path, **arrays)
    with pytest.raises(ValueError, match=f"other.npz is no MPI3D file: .*{message}.*Delete it or move it away"):
        list(mpi3d.read(path, (6, 8, 8, 3)))


def test_npz_files_that_do_not_hold_what_their_head_says(tmp_path):
    import zipfile

    content = io.BytesIO()
    np.save(content, np.ones((6, 8, 8, 3), np.uint8))
    held = content.getvalue()
    for other, message in (held[:-1], "images ends in row 5 of 6"), (held + b"?", "images goes on behind its last row"):
        with zipfile.ZipFile(tmp_path / "odd.npz", "w") as archive:
            archive.writestr("images.npy", other)
        with pytest.raises(ValueError, match=message):
            list(mpi3d.read(tmp_path / "odd.npz", (6, 8, 8, 3), rows=4))


def mat(**arrays):
    content = io.BytesIO()
    savemat(content, arrays)
    return content.getvalue()


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            [("data/cars/car_100_mesh.mat", mat(im=np.zeros((32, 32, 3, 3, 2), np.uint8)))],
            "has 5 files .*, expected 4",
        ),
        (
            [("data/cars/car_001_mesh.mat", mat(mask=np.zeros(3)))],
            "car_001_mesh.mat is no MATLAB .* array 'im': Key",
        ),
        ([("data/cars/car_001_mesh.mat", b"\x80\x04N.")], "car_001_mesh.mat is no MATLAB file with an array 'im'"),
        (
            [("data/cars/car_001_mesh.mat", mat(im=np.zeros((32, 32, 3, 2, 3), np.uint8)))],
            r"car_001_mesh.mat: im is \(32, 32, 3, 2, 3\) uint8, expected \(32, 32, 3, 3, 2\) uint8",
        ),
        ([("data/cars/car_001_mesh.mat", mat(im=np.zeros((32, 32, 3, 3, 2))))], r"float64, expected .* uint8"),
    ],
)
def test_other_archives_of_cars(tmp_path, other, message):
    path = tmp_path / "other.tar.gz"
    official_files.cars3d(path, CARS, 32, other=other)
    with pytest.raises(ValueError, match=f"other.tar.gz is no Cars3D archive: .*{message}.*Delete it or move it away"):
        list(cars3d.read(path, CARS, 32))


@pytest.mark.parametrize("damage", [lambda held: b"", lambda held: held[: len(held) // 2], lambda held: b"no gzip"])
def test_damaged_archives_of_cars(tmp_path, damage):
    path = tmp_path / "damaged.tar.gz"
    official_files.cars3d(path, CARS, 32)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"damaged.tar.gz is no Cars3D archive"):
        list(cars3d.read(path, CARS, 32))


HELD = np.arange(12, dtype="<i4").reshape(3, 4)
WHOLE = official_files.matrix(HELD, "<i4")


def test_a_matrix_is_read_some_rows_at_a_time(tmp_path):
    path = tmp_path / "held.mat.gz"
    path.write_bytes(WHOLE)
    assert [block.tolist() for block in matrix(path, (3, 4), rows=2)] == [HELD[:2].tolist(), HELD[2:].tolist()]
    path.write_bytes(official_files.matrix(HELD[0], "<i4"))  # of one dimension, three are written
    assert [block.tolist() for block in matrix(path, (None,))] == [HELD[0].tolist()]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (official_files.matrix(HELD, "u1"), r"starts with 0x1e3d4c55 \(uint8\), expected 0x1e3d4c54 \(int32\)"),
        (official_files.matrix(HELD, "<f4"), r"starts with 0x1e3d4c51, expected 0x1e3d4c54 \(int32\)"),
        (official_files.matrix(HELD.T, "<i4"), r"holds an array \(4, 3\), expected \(3, 4\)"),
        (official_files.matrix(HELD[None], "<i4"), r"holds an array \(1, 3, 4\), expected \(3, 4\)"),
        (gzip.compress(gzip.decompress(WHOLE)[:-1]), "ends within rows 0 to 3 of 3"),
        (gzip.compress(gzip.decompress(WHOLE) + b"?"), "goes on behind its 3 rows"),
        (gzip.compress(b"LU=\x1e"), "ends within its first bytes"),
        (WHOLE[:-9], "ended before the end-of-stream"),
        (WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:], "CRC check failed"),
        (b"\x80\x04N.", "Not a gzipped file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # packed bytes hold the hour
)
def test_other_matrices(tmp_path, content, message):
    path = tmp_path / "other.mat.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"other.mat.gz is no file of SmallNORB: .*{message}.*Delete it or move it"):
        list(matrix(path, (3, 4)))


def test_toys_that_do_not_exist_and_toys_that_lack(tmp_path):
    paths, _ = official_files.smallnorb(tmp_path, TOYS, 8)
    list(smallnorb.read(paths, TOYS, 8))
    held = np.frombuffer(gzip.decompress(paths[2].read_bytes())[20:], "<i4").reshape(-1, 4)
    for column, value, message in (
        (
            2,
            3,
            r"part0-info.mat.gz: row 7 is \[\d, \d, \d, 3, \d\] with its category before it, expected 0 ... \[1, 3",
        ),
        (0, 4, r"part0-info.mat.gz: row 7 is \[\d, 4, "),
        (1, -1, r"part0-info.mat.gz: row 7 is \[\d, \d, -1, "),
        (0, 1, r"category, instance, elevation, azimuth, lighting = .* is there [02] times, expected once"),
    ):
        info = held.copy()
        info[7, column] = value
        paths[2].write_bytes(official_files.matrix(info, "<i4"))
        with pytest.raises(ValueError, match=message):
            list(smallnorb.read(paths, TOYS, 8))
