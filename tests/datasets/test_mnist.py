"""MNIST and Fashion-MNIST from small files in the official format: gz as published, or unpacked as anyone's own."""

import gzip
import hashlib
import importlib

import numpy as np
import pytest
from typer.testing import CliRunner

from disentangle_bench import cli, contract, datasets
from disentangle_bench.datasets import _idx, load, spell
from disentangle_bench.datasets._moved import RANGES, move

TRAIN, TEST = 30, 12  # images
NAMES = {"mnist": "digit", "fashion_mnist": "garment"}


def idx(array):
    """An array as the official files hold it."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def put(folder, arrays, *, packed):
    """Write the four files; their sha256."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = [gzip.compress(idx(array)) if packed else idx(array) for array in arrays]
    for file, content in zip(_idx.FILES, contents):
        (folder / (f"{file}.gz" if packed else file)).write_bytes(content)
    return tuple(hashlib.sha256(content).hexdigest() for content in contents)


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(0)
    images = np.zeros((TRAIN + TEST, 28, 28), np.uint8)
    images[:, 4:24, 4:24] = rng.integers(256, size=(len(images), 20, 20))
    labels = (np.arange(len(images)) % 10).astype(np.uint8)
    return images[:TRAIN], labels[:TRAIN], images[TRAIN:], labels[TRAIN:]


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("BENCH_OFFLINE", "1")


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def official(name, arrays, monkeypatch, tmp_path):
    """The data folder."""
    known = tuple((0, sha256) for sha256 in put(tmp_path / name, arrays, packed=True))
    files = _idx.files(name, ("https://nowhere.invalid/",), known)
    monkeypatch.setattr(importlib.import_module(f"disentangle_bench.datasets.{name}"), "FILES", files)
    return tmp_path


@pytest.fixture
def local(arrays, tmp_path):
    """The data folder."""
    put(tmp_path / "mnist", arrays, packed=False)
    return tmp_path


def test_official_files_are_read_in_order(name, official, arrays):
    data = load(name, official)
    assert (data.name, data.source, data.label, data.names) == (name, "official", NAMES[name], (NAMES[name],))
    assert (len(data), data.shape, data.sizes, data.fit) == (TRAIN + TEST, (28, 28, 1), (10,), TRAIN)
    rows = np.arange(len(data))
    np.testing.assert_array_equal(data.take(rows)[..., 0], np.concatenate(arrays[::2]))
    np.testing.assert_array_equal(data.canonical(rows), data.take(rows))
    np.testing.assert_array_equal(data.factors[:, 0], np.concatenate(arrays[1::2]))
    assert data.sha256 == hashlib.sha256(np.concatenate(arrays[::2]).tobytes()).hexdigest()


@pytest.mark.parametrize(("transform", "moving"), [("so2", 1), ("se2", 3), ("sim2", 4)])
def test_canonical_images_moved_as_the_factors_say_are_the_images(name, official, transform, moving):
    data = load(f"{name}(transform={transform})", official)
    assert data.names == (NAMES[name], *list(RANGES)[:moving]) and data.source == "official"
    assert data.kinds == ("categorical", *["continuous"] * moving)
    rows = np.array([0, TRAIN - 1, TRAIN, len(data) - 1])
    still = [0.0, 0.0, 0.0, 1.0][moving:]
    expected = [
        move(image[..., 0], *values[1:], *still) for image, values in zip(data.canonical(rows), data.table[rows])
    ]
    np.testing.assert_array_equal(data.take(rows)[..., 0], expected)
    assert (data.take(rows) != data.canonical(rows)).any((1, 2, 3)).all()


def test_no_original_is_seen_in_training_and_scored(official, name):
    data = load(f"{name}(copies=2, transform=se2)", official)
    assert len(data) == 2 * (TRAIN + TEST) and data.fit == 2 * TRAIN
    assert set(data.home[: data.fit]) == set(range(TRAIN))
    assert set(data.home[data.scored]) == set(range(TRAIN, TRAIN + TEST))
    assert (np.bincount(data.home) == 2).all()
    assert spell(name, {"copies": 2, "transform": "se2"}) == f"{name}(copies=2, transform=se2)"


def test_unpacked_files_may_hold_any_set_of_the_format(arrays, local):
    assert load("mnist", local).source == "local"
    letters = [arrays[0][:4], np.array([0, 25, 3, 25], np.uint8), arrays[2][:3], np.array([1, 2, 3], np.uint8)]
    put(local / "mnist", letters, packed=False)
    data = load("mnist", local)
    assert (len(data), data.fit, data.sizes) == (7, 4, (26,))


def test_official_files_come_before_unpacked_ones(official, name, arrays):
    put(official / name, [part[::-1] for part in arrays], packed=False)
    assert load(name, official).source == "official"
    (official / name / "t10k-labels-idx1-ubyte.gz").unlink()
    assert load(name, official).source == "local"  # all of it: sets never mix


def test_some_unpacked_files_are_not_enough(local):
    (local / "mnist" / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(
        ValueError, match="mnist holds unpacked files, but not all four: train-labels-idx1-ubyte missing"
    ):
        load("mnist", local)


def test_what_is_missing_offline_is_said_with_its_place(official, name):
    (official / name / "train-labels-idx1-ubyte.gz").unlink()
    (official / name / "t10k-images-idx3-ubyte.gz").unlink()
    missing = r"from \S+\. Put train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz into "
    for ask in load, datasets.fetch:
        with pytest.raises(ConnectionError, match=f"BENCH_OFFLINE forbids its download {missing}{official / name}: "):
            ask(name, official)
        with pytest.raises(ConnectionError, match="Put " + ", ".join(f"{file}.gz" for file in _idx.FILES)):
            ask(name, official / "elsewhere")
    assert not (official / "elsewhere").exists()


def test_a_server_that_cannot_be_reached_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("BENCH_OFFLINE")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    files = _idx.files("mnist", ("http://127.0.0.1:1/mnist/",), 4 * ((0, "0" * 64),))
    monkeypatch.setattr("disentangle_bench.datasets.mnist.FILES", files)
    with pytest.raises(ConnectionError, match=r"http://127.0.0.1:1/mnist/train-images-idx3-ubyte.gz cannot be reached"):
        load("mnist", tmp_path)


def test_fetch_is_the_folder(official, name):
    assert datasets.fetch(name, official) == official / name


@pytest.mark.parametrize("file", _idx.FILES)
def test_a_damaged_official_file_is_refused_and_left_alone(official, name, file):
    path = official / name / f"{file}.gz"
    path.write_bytes(path.read_bytes()[:-9])
    kept = path.read_bytes()
    for ask in load, datasets.fetch:
        with pytest.raises(ValueError, match=rf"{path} \({len(kept):,} bytes\) is damaged .*sha256 .*, expected "):
            ask(name, official)
    assert path.read_bytes() == kept


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        (0, lambda held: b"", "no IDX file of bytes: starts with '', expected '00 00 08 03'"),
        (1, lambda held: b"\x00\x00\x0b\x01" + held[4:], "starts with '00 00 0b 01', expected '00 00 08 01'"),
        (2, lambda held: held[:6], r"is damaged: got 6 bytes, expected 16 for an array \(0, 0, 0\)"),
        (2, lambda held: held[:-1], r"is damaged: got 9,423 bytes, expected 9,424 for an array \(12, 28, 28\)"),
        (3, lambda held: held + b"\x00", r"got 21 bytes, expected 20 for an array \(12,\)"),
        (
            3,
            lambda held: idx(np.zeros(11, np.uint8)),
            "holds 11 labels, expected 12: the images of t10k-images-idx3-ubyte",
        ),
        (0, lambda held: idx(np.zeros((TRAIN, 32, 32), np.uint8)), r"of \(32, 32\) pixels, expected \(28, 28\)"),
        (0, lambda held: idx(np.zeros((0, 28, 28), np.uint8)), r"expected 16 for an array \(0, 28, 28\)"),
    ],
)
def test_damaged_unpacked_files_are_refused_by_name(local, file, damage, message):
    path = local / "mnist" / _idx.FILES[file]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=f"{path} .*{message}"):
        load("mnist", local)


@pytest.mark.parametrize("damage", [lambda held: held[:-20], lambda held: b"no gzip", lambda held: held[:99] + held])
def test_damaged_gzip_files_are_refused_by_name(official, name, damage):
    path = official / name / "train-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=f"{path} is no complete gzip file"):
        _idx.array(path, 3)


def test_unknown_options_are_refused_before_anything_is_fetched(name, tmp_path):
    with pytest.raises(ValueError, match=rf"{name}.transform: got 'so3', expected one of none, so2, se2, sim2"):
        load(f"{name}(transform=so3)", tmp_path)
    with pytest.raises(ValueError, match=rf"{name}.copies: got 0, expected at least 1"):
        load(f"{name}(copies=0)", tmp_path)


def test_the_contract_and_the_command_line(official, name, monkeypatch):
    monkeypatch.setenv("BENCH_DATA", str(official))
    contract.loads_consistent_data(importlib.import_module(f"disentangle_bench.datasets.{name}").__dict__[name])
    shown = CliRunner().invoke(cli.app, ["data", "info", f"{name}(transform=so2)"]).output
    assert f"{name}: 42 images (28, 28, 1), source official" in shown and f"{NAMES[name]} " in shown
    assert CliRunner().invoke(cli.app, ["data", "fetch", name]).output.strip().endswith(name)


def test_the_published_hashes_are_whole_and_differ():
    files = [file for name in NAMES for file in importlib.import_module(f"disentangle_bench.datasets.{name}").FILES]
    assert all(len(bytes.fromhex(file.sha256)) == 32 for file in files) and len({file.sha256 for file in files}) == 8


@pytest.mark.network
def test_the_official_files_can_be_downloaded(name, monkeypatch, tmp_path):
    monkeypatch.delenv("BENCH_OFFLINE")
    data = load(name, tmp_path)
    assert (data.source, len(data), data.fit) == ("official", 70_000, 60_000)
