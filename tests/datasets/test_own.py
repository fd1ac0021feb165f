"""Own data: one set in every form, what is made of it, and its name."""

import logging
from pathlib import Path

import numpy as np
import pytest
from own_forms import FACTORS, IMAGES, NAMES, N, write_folder, write_function, write_hdf5, write_npz

from disentangle_bench import datasets, flags
from disentangle_bench.datasets import _own_images, called, load, parse, spell

pytestmark = pytest.mark.usefixtures("own_folder")

FORMS = {
    "npz": write_npz,
    "compressed npz": lambda: (
        np.savez_compressed("faces.npz", images=IMAGES, factors=FACTORS, names=NAMES) or "faces.npz"
    ),
    "npz of floats": lambda: write_npz(images=(IMAGES / 255).astype(np.float32)),
    "hdf5": write_hdf5,
    "hdf5 of floats, no chunks": lambda: write_hdf5("faces.hdf5", None, images=IMAGES / 255),
    "folder": write_folder,
    "function": lambda: write_function(
        "def faces():\n    with np.load('faces.npz') as held:\n        return dict(held)",
        module=f"f{write_npz()[:5]}_fn",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_data(form):
    data = load(FORMS[form]())
    np.testing.assert_array_equal(data.take(np.arange(N)), IMAGES)
    np.testing.assert_array_equal(data.table, FACTORS)
    assert (data.name, data.names, data.shape, data.label) == ("faces", tuple(NAMES), (8, 6, 3), None)
    assert data.kinds == ("ordered", "ordered", "continuous") and data.sizes[:2] == (3, 2)
    assert data.sha256 == load(write_npz("other.npz")).sha256 and data.source == f"own {data.sha256[:8]}"


@pytest.mark.parametrize(
    "change",
    [
        {"images": np.where(np.arange(N)[:, None, None, None] == 39, 255 - IMAGES, IMAGES)},
        {"factors": FACTORS[::-1]},
        {"names": np.array(["shape", "lit", "width"])},
        {"kinds": np.array(["categorical", "ordered", "continuous"])},
        {"label": np.array("shape")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_changes_it_is_another_set(change):
    assert load(write_npz()).sha256 != load(write_npz("other.npz", **change)).sha256


def test_grey_images_need_no_axis_of_channels():
    grey = load(write_npz(images=IMAGES[..., 0]))
    assert grey.shape == (8, 6, 1)
    assert grey.sha256 == load(write_npz("b.npz", images=IMAGES[..., :1])).sha256
    folder = load(write_folder("grey", images=IMAGES[..., 0]))
    np.testing.assert_array_equal(folder.take([5, 5, 1]), IMAGES[[5, 5, 1], ..., :1])


def test_floats_are_rounded_to_the_nearest_byte():
    images = np.full((N, 2, 2), 0.5)
    images[0] = [[0.0, 1.0], [0.499 / 255, 0.501 / 255]]
    data = load(write_npz(images=images))
    assert data.take([0]).ravel().tolist() == [0, 255, 0, 1] and set(data.take([1]).ravel()) == {128}


@pytest.mark.parametrize("chunks", [None, (1, 8, 6, 3), (7, 8, 6, 3), (16, 3, 6, 3)])
@pytest.mark.parametrize("floats", [False, True])
def test_a_large_file_is_read_when_images_are_asked_for(monkeypatch, chunks, floats):
    path = write_hdf5(chunks=chunks, images=IMAGES / 255 if floats else IMAGES)
    whole = load(path)
    monkeypatch.setattr(_own_images, "TOGETHER", 5)
    monkeypatch.setattr(_own_images.read, "__defaults__", (0,))
    data = load(path)
    assert isinstance(data.pixels, _own_images.FromFile) and isinstance(whole.pixels, np.ndarray)
    assert data.sha256 == whole.sha256
    for rows in ([39, 0, 7, 7, 6, 13], np.arange(N)[::-1], [], np.array([3])):
        np.testing.assert_array_equal(data.take(np.array(rows, int)), IMAGES[np.array(rows, int)])


def test_a_chunk_is_read_once_however_its_rows_are_asked_for(monkeypatch):
    monkeypatch.setattr(_own_images.read, "__defaults__", (0,))
    data = load(write_hdf5())
    spans = []
    read = _own_images._slice
    monkeypatch.setattr(_own_images, "_slice", lambda given, a, b: spans.append((a, b)) or read(given, a, b))
    data.take(np.array([20, 1, 15, 0, 1, 39]))
    assert spans == [(0, 2), (15, 21), (39, 40)]


def test_continuous_and_cyclic_factors():
    factors = np.stack([np.arange(N) % 4, np.linspace(3, 7, N)], axis=1)
    data = load(write_npz(factors=factors, names=np.array(["hue", "size"]), kinds=np.array(["cyclic", "continuous"])))
    assert data.periods == (4.0, 0.0)
    np.testing.assert_allclose(data.values[:, 0], factors[:, 0] * np.pi / 2)
    np.testing.assert_array_equal(data.values[:, 1], factors[:, 1])
    assert set(data.factors[:, 1]) == set(range(20)) and (np.diff(data.factors[:, 1]) >= 0).all()
    assert load(write_npz("c.npz", factors=factors, names=None, kinds=None)).names == ("factor0", "factor1")


def test_whole_numbers_may_be_said_to_be_continuous():
    years = np.stack([np.arange(N) % 2, 1990 + np.arange(N) % 7], axis=1)
    path = write_npz(factors=years, names=np.array(["lit", "year"]))
    data = load(f"{path}(kinds=year:continuous)")
    np.testing.assert_array_equal(data.table, years)
    with pytest.raises(ValueError, match=r"`factors`, row 0, column 1: got 1990 for 'year'.*0 \.\.\. 6"):
        load(path)


def test_options_say_what_the_form_has_no_place_for():
    data = load(f"{write_folder()}(label=shape, kinds=shape:categorical+lit:categorical)")
    assert data.label == "shape" and data.kinds == ("categorical", "categorical", "continuous")
    same = write_npz("x.npz", label=np.array("shape"), kinds=np.array(["categorical", "categorical", "continuous"]))
    assert load(same).sha256 == data.sha256
    assert load(f"{same}(label=lit)").label == "lit"


def test_shifts_are_options_of_own_data_too():
    data = load(f"{write_npz()}(holdout=shape:2)")
    assert (data.weight == 0).sum() == (FACTORS[:, 0] == 2).sum() and data.shift == "holdout=shape:2"
    assert data.sha256 == load("faces.npz").sha256


def test_a_function_may_return_factored_data():
    body = (
        "import dataclasses\nfrom disentangle_bench.datasets import load\n"
        "def small():\n    return dataclasses.replace(load('toy'), sha256='')\n"
        "def other():\n    toy = load('toy')\n"
        "    return dataclasses.replace(toy, pixels=np.where(np.arange(576)[:, None, None, None] == 5, 0, toy.pixels))"
    )
    name = write_function(body, "small")
    small, other = load(name), load(name.replace("small", "other"))
    assert (small.name, other.name, small.packed, small.home is None) == ("small", "other", True, False)
    assert len({small.sha256, other.sha256, load("toy").sha256}) == 3 and small.source == f"own {small.sha256[:8]}"
    with pytest.raises(ValueError, match="label and kinds are those of the FactoredData"):
        load(f"{name}(label=shape)")


def test_a_function_may_return_tensors():
    pytest.importorskip("torch")
    body = (
        "import torch\ndef tensors():\n    with np.load('faces.npz') as held:\n"
        "        return {'names': held['names']} | {k: torch.from_numpy(held[k]) for k in ('images', 'factors')}"
    )
    assert load(write_npz()).sha256 == load(write_function(body, "tensors")).sha256


def test_a_function_can_be_named_with_its_folder_and_from_anywhere(tmp_path, monkeypatch):
    write_npz()
    name = write_function(f"def faces():\n    return dict(np.load({str(tmp_path / 'faces.npz')!r}))")
    where = called(name)[1]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load(where).sha256 == load(f"../{name}").sha256 == load("../faces.npz").sha256
    assert called(f"../{name}") == ("faces", where)


def test_what_nobody_asks_for_is_said_to_be_left_aside(caplog):
    with caplog.at_level(logging.WARNING, "disentangle_bench"):
        load(write_npz(kind=np.array(["ordered"] * 3)))
    assert "faces.npz: kind left aside; of use are images, factors, names, kinds, label" in caplog.text


def test_names_in_tables():
    assert called("a/b/faces.v2 (new).npz")[0] == "faces.v2-new"
    assert called("a/b/faces.h5(label=shape)") == (
        "faces(label=shape)",
        str(Path("a/b/faces.h5").resolve()) + "(label=shape)",
    )
    assert called("toy(holdout=shape:02 | scale: 1)") == ("toy(holdout=shape:2|scale:1)", "")
    assert called(Path("faces.npz")) == called("faces.npz") == ("faces", str(Path("faces.npz").resolve()))
    with pytest.raises(ValueError, match="could not tell it from the suite's own 'dsprites'; rename it, say my-dspr"):
        called(write_npz("dsprites.npz"))
    Path("toy").mkdir()
    assert called("toy") == ("toy", "")


def test_options_of_every_set():
    assert parse("toy(correlate=scale:posX:0.20, holdout=shape:2)") == (
        "toy",
        {"correlate": "scale:posX:0.2", "holdout": "shape:2"},
    )
    assert spell("toy", {"correlate": "", "holdout": "shape:2"}) == "toy(holdout=shape:2)"
    assert load("toy(correlate=scale:posX:0.2)").shift == "correlate=scale:posX:0.2"
    assert parse("toy(holdout=shape:02+posX:0.50-3.0)")[1] == {"holdout": "shape:2+posX:0.5-3"}
    assert parse("toy(correlate=a-01:b-2.50-c:0.00001)")[1] == {"correlate": "a-01:b-2.50-c:0.00001"}
    assert load("toy").weight is None and len(datasets.outline("toy")) == 576
    with pytest.raises(ValueError, match=r"unknown option of toy 'corelate'; did you mean 'correlate'"):
        load("toy(corelate=scale:posX:0.2)")
    with pytest.raises(ValueError, match=r"unknown option of .*faces.npz 'lable'; did you mean 'label'"):
        load("faces.npz(lable=shape)")
    with pytest.raises(ValueError, match="unknown dataset 'toi'; did you mean 'toy'"):
        load("toi")
    with pytest.raises(ValueError, match="no file to fetch: it is your own"):
        datasets.fetch(write_npz())


def test_every_set_with_an_outline_is_known_and_shifted_without_its_files():
    for name in datasets.names():
        if hasattr(datasets.module_of(name), "outline"):
            whole = datasets.outline(name)
            factor = whole.names[0]
            data = datasets.outline(f"{name}(holdout={factor}:0)")
            assert data.shift == f"holdout={factor}:0" and not data.weight[whole.factors[:, 0] == 0].any()


def test_fetch_passes_on_the_options_that_choose_a_file(monkeypatch):
    module = datasets.module_of("mpi3d")
    monkeypatch.setattr(module, "fetch", lambda data_dir=None, *, variant="toy": (data_dir, variant))
    assert datasets.fetch("mpi3d(variant=real, holdout=object_color:0)", "here") == ("here", "real")


def test_dataset_and_data_on_the_command_line():
    here = str(Path.cwd())
    assert flags.data(None, []) == ["dsprites"] and flags.data("toy,digits", []) == ["toy", "digits"]
    assert flags.data(None, ["a.npz,b", "m:f"]) == [f"{here}/a.npz", f"{here}/b", f"{here}/m:f"]
    assert flags.data("toy", ["a.npz(label=x, kinds=x:cyclic)"]) == ["toy", f"{here}/a.npz(label=x, kinds=x:cyclic)"]
