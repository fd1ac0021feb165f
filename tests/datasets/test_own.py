"""Own data: one set in every form, what is made of it, and every bad input with its place."""

import csv
import logging
import pickle
import re
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from disentangle_bench import datasets, elsewhere, flags
from disentangle_bench.datasets import _own_images, called, load, parse, spell

N = 40
rng = np.random.default_rng(0)
IMAGES = rng.integers(0, 256, (N, 8, 6, 3), dtype=np.uint8)
FACTORS = np.stack([np.arange(N) % 3, np.arange(N) % 2, rng.uniform(-1, 1, N)], axis=1)
NAMES = ["shape", "lit", "size"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def write_npz(path="faces.npz", **change):
    held = {"images": IMAGES, "factors": FACTORS, "names": np.array(NAMES), **change}
    np.savez(path, **{key: value for key, value in held.items() if value is not None})
    return path


def write_hdf5(path="faces.h5", chunks=(7, 8, 6, 3), **change):
    held = {"images": IMAGES, "factors": FACTORS, "names": NAMES, **change}
    with h5py.File(path, "w") as file:
        for key, value in held.items():
            file.create_dataset(key, data=value, chunks=chunks if key == "images" else None)
    return path


def write_folder(path="faces", header=("file", *NAMES), lines=None, images=IMAGES):
    Path(path).mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image).save(Path(path) / f"{i:02}.png")
    lines = [[f"{i:02}.png", *map(repr, map(float, row))] for i, row in enumerate(FACTORS)] if lines is None else lines
    with (Path(path) / "factors.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return path


def write_function(body, name="faces", module=None):
    module = module or f"own_{abs(hash((body, name, Path.cwd()))):x}"
    Path(f"{module}.py").write_text(f"import numpy as np\n{body}\n")
    return f"{module}:{name}"


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


BAD_ARRAYS = {
    "no images": ({"images": None}, "faces.npz: no `images`; it holds factors, names"),
    "no factors": ({"factors": None}, "faces.npz: no `factors`; it holds images, names"),
    "lengths": ({"factors": FACTORS[1:]}, "`images` has 40 rows, `factors` 39; expected one each"),
    "dtype": ({"images": IMAGES.astype(np.int64)}, "`images`: got int64, expected uint8"),
    "white is 1": ({"images": IMAGES > 99}, "`images`: got bool, expected uint8"),
    "bytes of 0 and 1": ({"images": (IMAGES > 99).astype(np.uint8)}, "no image has a byte above 1; expected 255"),
    "floats above 1": ({"images": IMAGES * 1.0}, "`images`, row 0: got "),
    "floats below 0": ({"images": IMAGES / 255 - 1e-3}, "expected floats in [0, 1]"),
    "not a number": (
        {"images": np.where(np.arange(N)[:, None, None, None] == 17, np.nan, IMAGES / 255)},
        "`images`, row 17: got nan at (0, 0, 0)",
    ),
    "channels first": ({"images": IMAGES.transpose(0, 3, 1, 2)}, "(40, 3, 8, 6), channels first; expected"),
    "either": ({"images": np.zeros((N, 3, 9, 3), np.uint8)}, "channels first or last, both are possible"),
    "alpha": ({"images": np.zeros((N, 8, 8, 4), np.uint8)}, "(40, 8, 8, 4), expected (n, h, w), (n, h, w, 1)"),
    "vectors": ({"images": np.zeros((N, 12), np.uint8)}, "vectors are images.reshape(n, 1, d, 1)"),
    "one factor": ({"factors": FACTORS[:, 0]}, "`factors`: got (40,) float64, expected (n, f)"),
    "words": ({"factors": np.full((N, 3), "a")}, "`factors`: got (40, 3) <U1, expected (n, f) integers or floats"),
    "from 1": ({"factors": FACTORS + [1, 0, 0]}, "`factors`, row 0, column 0: got 1 for 'shape'"),
    "a gap": ({"factors": FACTORS * [2, 1, 1]}, "`factors`, row 1, column 0: got 2 for 'shape', whose 3 different"),
    "negative": ({"factors": FACTORS - [0, 1, 0]}, "`factors`, row 0, column 1: got -1 for 'lit'"),
    "infinite": (
        {"factors": np.where(FACTORS[9, 2] == FACTORS, np.inf, FACTORS)},
        "`factors`, row 9, column 2: got inf, expected a finite number",
    ),
    "parts of classes": (
        {"kinds": np.array(["ordered", "ordered", "ordered"])},
        "for 'size', which is ordered: expected whole numbers",
    ),
    "kind": ({"kinds": np.array(["ordred", "ordered", "continuous"])}, "'ordred'; did you mean 'ordered'?"),
    "kinds": ({"kinds": np.array(["ordered"])}, "`kinds`: got 1, expected 3"),
    "names": ({"names": np.array(["a", "b"])}, "`names`: got 2, expected 3, one a column"),
    "same name": ({"names": np.array(["a", "b", "a"])}, "`names`, row 2: got 'a', expected a name of its own"),
    "name with a mark": ({"names": np.array(["a", "b:c", "d"])}, "`names`, row 1: got 'b:c'"),
    "name is bytes": ({"names": np.array([b"a", b"b", b"c"])}, "`names`: got (3,) |S1, expected (f,) texts"),
    "label": ({"label": np.array("shap")}, "did you mean 'shape'?"),
    "continuous label": ({"label": np.array("size")}, "unknown label in"),
    "labels": ({"label": np.arange(N)}, "`label`: got (40,) int64, expected the name of the factor"),
    "constant": ({"factors": FACTORS * 0}, "`factors`: each has a single value"),
    "no rows": ({"images": IMAGES[:0], "factors": FACTORS[:0]}, "`factors`: got (0, 3) float64"),
    "pickled names": ({"names": np.array(NAMES, object)}, "`names`: expected an undamaged .npz file, without Python"),
}


@pytest.mark.parametrize("case", BAD_ARRAYS)
def test_bad_arrays_are_refused_with_their_place(case):
    change, message = BAD_ARRAYS[case]
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        load(write_npz(**change))
    assert "faces.npz" in str(error.value)


def test_bad_files_are_refused_by_name():
    whole = Path(write_npz()).read_bytes()
    for name, content, message in [
        ("cut.npz", whole[: len(whole) // 2], "cut.npz"),
        ("turned.npz", whole[:500] + bytes([whole[500] ^ 255]) + whole[501:], "turned.npz, `images`"),
        ("object.npz", pickle.dumps({"images": 1}), "object.npz"),
        ("cut.h5", Path(write_hdf5()).read_bytes()[:3000], "cut.h5: expected an undamaged HDF5 file"),
        ("text.h5", b"images", "text.h5: expected an undamaged HDF5 file"),
        ("faces.zip", whole, "faces.zip: expected a .npz, .h5 or .hdf5 file"),
    ]:
        Path(name).write_bytes(content)
        with pytest.raises(ValueError, match=message):
            load(name)
    foreign = bytearray(whole)
    foreign[(at := foreign.rindex(b"PK\x01\x02") + 6) : at + 2] = b"\xff\xff"  # the version of zip that it asks for
    Path("foreign.npz").write_bytes(foreign)
    with pytest.raises(ValueError, match=r"foreign.npz.*: expected an undamaged .npz file.*version"):
        load("foreign.npz")
    np.save("one.npy", IMAGES)
    Path("one.npy").rename("one.npz")
    with pytest.raises(ValueError, match=r"one.npz: expected an undamaged .npz file"):
        load("one.npz")
    for name in ("none.npz", "none/", "none.h5", "./toy"):
        with pytest.raises(ValueError, match="no such file or folder"):
            load(name)


def test_bad_hdf5_is_refused_with_its_place():
    with h5py.File("group.h5", "w") as file:
        file.create_group("images")
        file["factors"] = FACTORS
    with pytest.raises(ValueError, match=r"group.h5, `images`: got a Group, expected a data set"):
        load("group.h5")
    for mark in b"SNOD", b"HEAP":  # of the table of what the file holds
        content = Path(write_hdf5()).read_bytes()
        Path("faces.h5").write_bytes(content.replace(mark, bytes(4)))
        with pytest.raises(ValueError, match=r"faces.h5: expected an undamaged HDF5 file"):
            load("faces.h5")
    with pytest.raises(ValueError, match=r"faces.h5, `images`, row 17: got nan"):
        load(write_hdf5(images=np.where(np.arange(N)[:, None, None, None] == 17, np.nan, IMAGES / 255)))
    path = write_hdf5("packed.h5")
    with h5py.File("packed.h5", "w") as file:
        file.create_dataset("images", data=IMAGES, chunks=(7, 8, 6, 3), compression="gzip")
        file["factors"] = FACTORS
        at = file["images"].id.get_chunk_info(1).byte_offset
    content = bytearray(Path(path).read_bytes())
    content[at : at + 40] = bytes(40)
    Path(path).write_bytes(content)
    with pytest.raises(ValueError, match=r"packed.h5, `images`, row \d+: cannot be read, the file is damaged"):
        load(path)


LINES = [[f"{i:02}.png", i % 3, i % 2] for i in range(4)]
HEADER = ("file", "shape", "lit")
BAD_FOLDERS = {
    "no column file": (("image", "shape", "lit"), LINES, "factors.csv: expected a column `file`"),
    "no factor": (("file",), [[line[0]] for line in LINES], "expected a column `file` and a column a factor, got file"),
    "empty": ((), [], "factors.csv: expected a column `file` and a column a factor, got nothing"),
    "short line": (HEADER, [*LINES[:2], LINES[2][:2], LINES[3]], "factors.csv, line 4: got 2 fields, expected 3"),
    "no number": (HEADER, [*LINES[:3], ["03.png", "cube", 1]], "line 5, column 'shape': got 'cube', expected a number"),
    "missing number": (HEADER, [["00.png", "", 1], *LINES[1:]], "line 2, column 'shape': got ''"),
    "nan": (HEADER, [["00.png", "nan", 1], *LINES[1:]], "line 2, column 'shape': got nan, expected a finite number"),
    "from 1": (HEADER, [[a, b + 1, c] for a, b, c in LINES], "line 2, column 'shape': got 1 for 'shape'"),
    "missing file": (HEADER, [*LINES[:3], ["33.png", 0, 1]], "line 5 of factors.csv, 33.png: no such file"),
    "twice": (HEADER, [*LINES[:3], ["01.png", 0, 1]], "line 5: 01.png again, first in line 3"),
    "no lines": (HEADER, [], "factors.csv: got (0, 2)"),
    "name with a mark": (("file", "shape", "lit:up"), LINES, "factors.csv, line 1: got 'lit:up', expected a name"),
    "two columns file": (("file", "file", "lit"), LINES, "expected a column `file` and a column a factor, got file, f"),
}


@pytest.mark.parametrize("case", BAD_FOLDERS)
def test_bad_tables_are_refused_with_line_and_column(case):
    header, lines, message = BAD_FOLDERS[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        load(write_folder(header=header, lines=lines, images=IMAGES[:4]))


def test_empty_lines_at_the_end_of_a_table_are_no_images():
    write_folder(header=HEADER, lines=[*LINES, [], []], images=IMAGES[:4])
    assert len(load("faces")) == 4


def test_images_of_a_folder_are_alike():
    write_folder(images=IMAGES[:4], header=HEADER, lines=LINES)
    for change, message in [
        (lambda: Image.fromarray(IMAGES[2, :4]).save("faces/02.png"), "02.png: 4 x 6 pixels (height x width), RGB, "),
        (lambda: Image.fromarray(IMAGES[2, ..., 0]).save("faces/02.png"), "8 x 6 pixels (height x width), grey, expec"),
        (lambda: Image.new("RGBA", (6, 8)).save("faces/02.png"), "02.png: its mode is RGBA, expected grey or RGB"),
        (lambda: Image.new("I;16", (6, 8)).save("faces/02.png"), "02.png: its mode is I;16"),
        (lambda: Path("faces/02.png").write_bytes(Path("faces/01.png").read_bytes()[:90]), "an undamaged image"),
        (lambda: Path("faces/02.png").write_text("no image"), "line 4 of factors.csv, 02.png: expected an undamaged"),
        (lambda: Path("faces/factors.csv").write_bytes(b"file,\xff"), "expected text in UTF-8"),
        (lambda: Path("faces/factors.csv").unlink(), "faces: no factors.csv in it"),
    ]:
        change()
        with pytest.raises(ValueError, match=re.escape(message)):
            load("faces")


@pytest.mark.parametrize(
    ("body", "name", "message"),
    [
        ("def faces(): pass", "face", "did you mean 'faces'?"),
        ("faces = 3", "faces", "expected a function, got int"),
        ("def faces(): return 3", "faces", "returned int, expected FactoredData or a mapping"),
        ("def faces(): return {'images': 1}", "faces", "no `factors`; it holds images"),
        ("def faces(): return {'images': 1, 'factors': [[1]]}", "faces", "`images`: got int64, expected uint8"),
        ("def faces(): raise KeyError('x')", "faces", "it failed, called without arguments: KeyError: 'x'"),
        ("def faces(path): pass", "faces", "it failed, called without arguments: TypeError"),
        ("import nothing_of_this_name", "faces", "needs nothing_of_this_name, which is not installed"),
        ("1 / 0", "faces", "ZeroDivisionError"),
        ("def faces(:", "faces", "SyntaxError"),
    ],
)
def test_bad_functions_are_refused_by_name(body, name, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        load(write_function(body, name))


def test_bad_modules_are_refused_by_name(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"no module 'no_such_module' in .* or among what is installed"):
        load("no_such_module:faces")
    name = write_function("def faces(): pass", module="own_twice")
    (tmp_path / "b").mkdir()
    elsewhere.find(name)
    monkeypatch.chdir(tmp_path / "b")
    write_function("def faces(): return 1", module="own_twice")
    with pytest.raises(ValueError, match="another module 'own_twice' is imported already"):
        elsewhere.find(name)


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
