"""dSprites: the re-created images are the pinned ones and turn, grow and move as the published ones do."""

import hashlib
import importlib
import logging
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from disentangle_bench.datasets import _sprites, load
from disentangle_bench.datasets._download import File

module = importlib.import_module("disentangle_bench.datasets.dsprites")

# Fewest and most white pixels of an image, for scales 0.5 ... 1.
WHITE = {
    "square": [(81, 100), (121, 144), (169, 196), (225, 256), (288, 324), (360, 400)],
    "ellipse": [(68, 78), (98, 109), (136, 148), (177, 192), (226, 241), (282, 297)],
    "heart": [(50, 62), (75, 88), (103, 116), (136, 150), (174, 192), (217, 233)],
}
ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1, dtype=np.uint8)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_OFFLINE", "1")
        return load("dsprites", tmp_path_factory.mktemp("empty"))


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setenv("BENCH_OFFLINE", "1")


def row(data, *factors):
    return np.ravel_multi_index(factors, data.sizes)


def moments(image):
    """Mean column, mean row and their covariance over the white pixels of an image."""
    rows, columns = np.nonzero(image[..., 0])
    return columns.mean(), rows.mean(), np.mean((columns - columns.mean()) * (rows - rows.mean()))


def test_the_set_describes_itself(data):
    assert (data.name, data.source, data.label, data.packed) == ("dsprites", "rendered", "shape", True)
    assert data.names == ("shape", "scale", "orientation", "posX", "posY")
    assert data.kinds == ("categorical", "ordered", "cyclic", "ordered", "ordered")
    assert (len(data), data.sizes, data.shape) == (737_280, (3, 6, 40, 32, 32), (64, 64, 1))


def test_rows_are_in_the_published_order(data):
    rows = np.array([0, 1, 32, 1024, 40_960, 245_760, 737_279])
    np.testing.assert_array_equal(
        data.factors[rows],
        [
            [0, 0, 0, 0, 0],
            [0, 0, 0, 0, 1],
            [0, 0, 0, 1, 0],
            [0, 0, 1, 0, 0],
            [0, 1, 0, 0, 0],
            [1, 0, 0, 0, 0],
            [2, 5, 39, 31, 31],
        ],
    )
    np.testing.assert_allclose(data.values[rows[[0, -1]]], [[1, 0.5, 0, 0, 0], [3, 1, 2 * np.pi, 1, 1]])


def test_the_bits_are_the_pinned_ones(data):
    pinned = "3a228f4037ef3d42a42588e0e01f1078aa2df13cfa17584e88c95ed9fb5672da"
    assert data.sha256 == hashlib.sha256(data.pixels.data).hexdigest() == pinned
    assert [hashlib.sha256(part.data).hexdigest() for part in np.split(data.pixels, 3)] == [
        "7f9585f857d6f31b929f44080c3762f056865e255b880ea78b01fe3eed775301",
        "d88b207a29c35e494cd8b63e8ddb29df0721c137922afee046d52ee123538003",
        "d4b2dbb174aca48fa86bf731227c713dc8a04902636b42212e176497ab199386",
    ]


def test_white_pixels(data):
    parts = data.pixels.reshape(18, 40_960, 512)
    counts = [ONES[part].sum(1, dtype=int) for part in parts]
    assert [(count.min(), count.max()) for count in counts] == [limits for shape in WHITE.values() for limits in shape]
    totals = np.array([count.sum() for count in counts]).reshape(3, 6).sum(1)
    assert totals.tolist() == [53_612_886, 42_070_950, 32_645_028]
    assert totals.sum() == 128_328_864


def test_images_are_the_unpacked_bits(data):
    rows = np.random.default_rng(0).integers(len(data), size=200)
    bits = np.unpackbits(data.pixels[rows, :, :, 0], axis=-1)
    images = data.take(rows)
    assert (images.dtype, images.shape) == (np.uint8, (200, 64, 64, 1))
    np.testing.assert_array_equal(images, 255 * bits[..., None])


@pytest.mark.parametrize("shape", range(3))
def test_posx_moves_right_and_posy_down(data, shape):
    along_x = [moments(image) for image in data.take([row(data, shape, 2, 7, x, 9) for x in range(32)])]
    along_y = [moments(image) for image in data.take([row(data, shape, 2, 7, 9, y) for y in range(32)])]
    steps_x, steps_y = np.diff(along_x, axis=0), np.diff(along_y, axis=0)
    assert steps_x[:, 0].min() > 0.5 and abs(steps_x[:, 1]).max() < 0.5
    assert steps_y[:, 1].min() > 0.5 and abs(steps_y[:, 0]).max() < 0.5


def test_sprites_turn_counter_clockwise_on_the_screen(data):
    flat, rising, upright, falling = (
        moments(image)[2] for image in data.take([row(data, 1, 5, turn, 15, 15) for turn in (0, 5, 10, 15)])
    )  # an ellipse at 0, 46, 92 and 138 degrees
    assert abs(flat) < 1
    assert rising < -5  # its right end went up: rows count downwards
    assert abs(upright) < 2
    assert falling > 5
    down, right = data.take([row(data, 2, 5, turn, 15, 15) for turn in (0, 10)])[..., 0] > 0  # a heart and its tip
    across, along = down.sum(1), right.sum(0)  # white pixels in rows, in columns
    assert across[across > 0][-1] < across[across > 0][0]
    assert along[along > 0][-1] < along[along > 0][0]


def test_the_last_orientation_repeats_the_first(data):
    turns = data.pixels.reshape(18, 40, -1)
    np.testing.assert_array_equal(turns[:, 39], turns[:, 0])
    assert not any(np.array_equal(turns[i, 38], turns[i, 0]) for i in range(18))


def test_across_all_places_a_sprite_moves_by_whole_pixels(data):
    """One step is 32/31 pixels, so that only the way from the first to the last place is a pure shift."""
    places = data.pixels.reshape(720, 32, 32, 64, 8)  # bits: 32 columns are 4 bytes
    np.testing.assert_array_equal(places[:, 31], np.roll(places[:, 0], 4, axis=-1))
    np.testing.assert_array_equal(places[:, :, 31], np.roll(places[:, :, 0], 32, axis=-2))


def test_distinct_images(data):
    images = data.pixels.reshape(len(data), 512)
    assert len({hashlib.blake2b(image, digest_size=16).digest() for image in images}) == 715_706


def test_canonical_images_are_the_same_object_upright_and_in_the_middle(data):
    rows = np.random.default_rng(1).integers(len(data), size=300)
    factors, homes = data.factors[rows], data.factors[data.home[rows]]
    np.testing.assert_array_equal(homes[:, :2], factors[:, :2])
    np.testing.assert_array_equal(homes[:, 2:], np.tile([0, 15, 15], (300, 1)))
    centres = np.array([moments(image)[:2] for image in data.canonical(rows)])  # 16 + 32 * 15 / 31 = 31.48 pixels
    assert abs(centres[:, 0] - 30.98).max() < 0.5  # a pixel's centre lies half a pixel further
    assert abs(centres[factors[:, 0] < 2, 1] - 30.98).max() < 0.5  # a heart turns round a point below its middle


def test_polygons_are_filled_by_the_even_odd_rule():
    """A square of 3 x 2 pixels whose upper and lower edges run through pixel centres: the upper line is left out."""
    x, y = 256 * np.array([[10, 13, 13, 10]]), 256 * np.array([[20, 20, 22, 22]]) + 128
    image = np.unpackbits(_sprites.fill(x, y).astype(">u8").view(np.uint8)).reshape(64, 64)
    expected = np.zeros((64, 64), int)
    expected[21:23, 10:13] = 1
    np.testing.assert_array_equal(image, expected)


def test_comparison_counts_images_and_pixels(data):
    assert module.compare(data) == (0, 0)
    kept = data.pixels[[7, 700_000]]
    try:
        data.pixels[7, 0, 0] ^= 1
        data.pixels[700_000, 40, 3] ^= 0b10100001
        assert module.compare(data) == (2, 3)
    finally:
        data.pixels[[7, 700_000]] = kept


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads the peak where Linux tells it")
def test_drawing_and_using_it_takes_400_megabytes(tmp_path):
    """Not by getrusage: its peak is inherited from the process that starts this one."""
    code = f"""
import re
import numpy as np
def peak():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
before = peak()
from disentangle_bench.datasets import load
data = load("dsprites", {str(tmp_path)!r})
rng = np.random.default_rng(0)
for _ in range(100):
    data.images(64, rng)
data.canonical(range(64))
print(data.pixels.nbytes, peak() - before)"""
    environment = {**os.environ, "BENCH_OFFLINE": "1"}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    held, added = map(int, found.stdout.split())
    assert held < added < 400 * 2**20


def test_drawing_is_announced_in_honest_words(data, offline, monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(_sprites, "render", lambda: data.pixels[..., 0])
    with caplog.at_level(logging.WARNING, "disentangle_bench"):
        assert load("dsprites", tmp_path).source == "rendered"
    (record,) = caplog.records
    assert str(tmp_path) in record.message
    assert "re-created from the published geometry" in record.message
    assert "differ from the official file in an estimated 0.02 % of the images by one pixel" in record.message


def test_without_a_network_it_is_drawn(data, monkeypatch, tmp_path):
    monkeypatch.delenv("BENCH_OFFLINE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(module, "FILES", (File("dsprites.npz", ("http://127.0.0.1:1/dsprites.npz",)),))
    monkeypatch.setattr(_sprites, "render", lambda: data.pixels[..., 0])
    assert load("dsprites", tmp_path).source == "rendered"
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_official_file_is_never_replaced(offline, tmp_path):
    path = tmp_path / "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
    path.write_bytes(b"PK damaged")
    with pytest.raises(ValueError, match=rf"{path.name} \(10 bytes\) is damaged .*Delete it or move it away"):
        load("dsprites", tmp_path)
    assert path.read_bytes() == b"PK damaged"


# The official format: a compressed .npz that holds a pickle, not to be opened, beside the images.

SMALL = (2500, 64, 64)


@pytest.fixture(scope="module")
def small(data):
    return data.take(np.random.default_rng(2).integers(len(data), size=SMALL[0]))[..., 0] // 255


@pytest.fixture
def file(small, tmp_path):
    path = tmp_path / "dsprites.npz"
    np.savez_compressed(
        path,
        imgs=small,
        latents_classes=np.zeros((len(small), 6), int),
        metadata=np.array({"title": "a pickle"}, dtype=object),
    )
    return path


def test_the_official_file_is_used_where_it_lies(data, offline, monkeypatch, file, tmp_path):
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setattr(module, "FILES", (File(file.name, (), sha256=sha256),))
    monkeypatch.setattr(module, "read", lambda path: {file: data.pixels[..., 0]}[path])
    official = load("dsprites", tmp_path)
    assert (official.source, official.sha256) == ("official", sha256)


def test_official_images_are_read_chunk_by_chunk(small, file):
    expected = np.packbits(small, axis=-1)
    np.testing.assert_array_equal(module.read(file, SMALL, chunk=1000), expected)
    np.testing.assert_array_equal(module.read(file, SMALL, chunk=5000), expected)


@pytest.mark.parametrize(
    "arrays, message",
    [
        ({"images": np.zeros((5, 64, 64), np.uint8)}, "imgs.npy"),
        ({"imgs": np.zeros((4, 64, 64), np.uint8)}, r"imgs is \(4, 64, 64\) uint8, expected \(5, 64, 64\) uint8"),
        ({"imgs": np.zeros((5, 64, 64))}, r"imgs is \(5, 64, 64\) float64, expected"),
        ({"imgs": np.asfortranarray(np.zeros((5, 64, 64), np.uint8))}, "in Fortran order, expected"),
        ({"imgs": np.array([{}], dtype=object)}, r"imgs is \(1,\) object, expected"),  # a pickle
    ],
)
def test_other_arrays_are_refused(tmp_path, arrays, message):
    np.savez_compressed(tmp_path / "other.npz", **arrays)
    with pytest.raises(ValueError, match="other.npz is no dSprites file: .*" + message + ".*Delete it or move it away"):
        module.read(tmp_path / "other.npz", (5, 64, 64))


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped"])
def test_damage_is_noticed(file, damage):
    content = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as archive:
        start = archive.getinfo("imgs.npy").header_offset
    if damage == "flipped":
        content[start + 5000] ^= 0xFF
    file.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "flipped": content}[damage])
    with pytest.raises(ValueError, match=r"dsprites\.npz is no dSprites file"):
        module.read(file, SMALL)
