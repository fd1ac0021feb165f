"""Own data that is refused: every bad input with its place."""

import pickle
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from own_forms import FACTORS, IMAGES, NAMES, N, write_folder, write_function, write_hdf5, write_npz
from PIL import Image

from disentangle_bench import elsewhere
from disentangle_bench.datasets import load

pytestmark = pytest.mark.usefixtures("own_folder")

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
