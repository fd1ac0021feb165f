"""Grids of images and animations: pixels are read back, and rows are named."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from disentangle_bench.report import load, pictures
from disentangle_bench.report.pictures import FRAME, GAP, animation, mosaic, read_pictures, reconstructions, traversals


@pytest.fixture(scope="module")
def frame(original):
    return load(original)


def test_a_mosaic_frames_every_image() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 5, 1), dtype=np.uint8)
    sheet = mosaic(images)
    assert sheet.shape == (2 * (4 + GAP) + GAP, 3 * (5 + GAP) + GAP, 3)
    assert (sheet[GAP + 4 + GAP : GAP + 4 + GAP + 4, GAP : GAP + 5] == images[1, 0]).all()
    frame = np.ones(sheet.shape[:2], bool)
    for r in range(2):
        for k in range(3):
            frame[GAP + r * (4 + GAP) :, GAP + k * (5 + GAP) :][:4, :5] = False
    assert (sheet[frame] == FRAME).all() and len(set(FRAME)) == 3  # visible beside every grey


def test_colour_images_keep_their_colours() -> None:
    image = np.array([[[10, 20, 30]]], np.uint8)[None, None]
    assert mosaic(image)[GAP, GAP].tolist() == [10, 20, 30]


def run_of(frame, label: str, dataset: str) -> str:
    return str(frame.loc[(frame["label"] == label) & (frame["dataset"] == dataset), "run"].iloc[0])


def test_reconstructions_have_named_rows(frame, original) -> None:
    shown = {
        f"{label}, seed 0": read_pictures(original, run_of(frame, label, "digits"))
        for label in ("betavae (beta=8)", "mcevae")
    }
    first, second = reconstructions(shown, "digits (rendered)").axes
    assert [t.get_text() for t in first.get_yticklabels()] == ["input", "reconstruction"]
    assert [t.get_text() for t in second.get_yticklabels()] == ["input", "reconstruction", "canonical"]
    assert second.get_title(loc="left") == "mcevae, seed 0"
    held = shown["mcevae, seed 0"]
    expected = mosaic(np.stack([held["inputs"], held["reconstructions"], held["canonical"]]))
    assert (second.images[0].get_array() == expected).all()


def test_traversals_have_a_named_row_a_unit(frame, original) -> None:
    held = read_pictures(original, run_of(frame, "mcevae", "dsprites"))
    (axes,) = traversals(held, "mcevae, seed 0", "dsprites (official)").axes
    names = [t.get_text() for t in axes.get_yticklabels()]
    assert names == [f"{name}  [−2, 2]" for name in ("z_c1", "z_c2", "z1", "z2", "tau1", "tau2")]
    assert (axes.images[0].get_array() == mosaic(held["traversals"])).all()
    rows = axes.get_yticks() // (axes.images[0].get_array().shape[0] / 6)
    assert rows.tolist() == [0, 1, 2, 3, 4, 5]  # every name beside its own row


def test_no_pictures_are_none(frame, original) -> None:
    assert read_pictures(original, run_of(frame, "oracle", "dsprites")) is None


@pytest.mark.parametrize(("channels", "still"), [(1, False), (3, False), (1, True)])
def test_the_animation_sweeps_there_and_back(tmp_path, channels: int, still: bool) -> None:
    images = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (7, 5, 8, 8, channels))
    if still:  # frames alike must not be merged
        images = images[:, :1].repeat(5, 1)
    held = {"traversals": images, "traversal_names": np.array([f"z{i}" for i in range(7)])}
    with Image.open(animation(held, tmp_path / "film.gif", tile=16, milliseconds=50)) as film:
        assert film.n_frames == 2 * 5 - 2 and film.info["loop"] == 0 and film.info["duration"] == 50
        for number, step in enumerate([0, 1, 2, 3, 4, 3, 2, 1]):
            film.seek(number)
            tile = np.asarray(film.convert("RGB"))[20 : 20 + 16, 6 : 6 + 16]  # the first unit's, below its name
            expected = np.broadcast_to(images[0, step].repeat(2, 0).repeat(2, 1), (16, 16, 3))
            assert np.abs(tile.astype(int) - expected).max() <= 8  # 64 colours


def test_what_a_model_itself_shows_is_sheets_and_tables_with_their_names():
    held = {
        "inputs": np.zeros((2, 4, 4, 1), np.uint8),
        "sheet:drawn": np.zeros((3, 5, 4, 4, 1), np.uint8),
        "rows:drawn": np.array(["a", "b", "c"]),
        "table:means": np.array([[0.25, 0.75]], np.float32),
        "rows:means": np.array(["all"]),
        "columns:means": np.array(["k0", "k1"]),
    }
    figure = pictures.findings(held, "some model", "on some data")
    assert figure is not None
    sheet, table = figure.axes[:2]
    assert [t.get_text() for t in sheet.get_yticklabels()] == ["a", "b", "c"] and sheet.get_title() == "drawn"
    assert [t.get_text() for t in table.get_xticklabels()] == ["k0", "k1"]
    assert [t.get_text() for t in table.texts] == ["0.25", "0.75"]
    assert pictures.findings({"inputs": held["inputs"]}, "some model", "on some data") is None


@pytest.mark.parametrize(("most", "told"), [(1.0, "1.00"), (0.5, "0.50"), (0.006, "0.0060"), (0.0, "0.00")])
def test_small_numbers_of_a_table_are_not_all_zero(most: float, told: str) -> None:
    values = {"table:t": np.array([[0.0, most]]), "rows:t": np.array(["a"]), "columns:t": np.array(["x", "y"])}
    figure = pictures.findings(values, "model", "data")
    assert figure is not None and figure.axes[0].texts[1].get_text() == told


def test_a_damaged_file_is_named(tmp_path) -> None:
    path = tmp_path / "runs" / "abc" / "pictures.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(ValueError, match=r"pictures.npz is damaged .*: move it away to report without it"):
        read_pictures(tmp_path, "abc")
