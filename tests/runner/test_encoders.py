"""Encoders from anywhere: the codes are theirs, the numbers those of the codes, and whatever is wrong is said."""

import io
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from disentangle_bench.datasets import load
from disentangle_bench.metrics import mig
from disentangle_bench.runner import encode
from disentangle_bench.runner.codes import read_codes
from disentangle_bench.runner.splits import evaluation_rows

TOY = load("toy")
ROWS = evaluation_rows(TOY, 150)
PIXELS = TOY.take(ROWS).reshape(150, -1).astype(np.float32) / 255  # (150, 16 * 16 * 1)
WEIGHT = np.random.default_rng(0).normal(size=(256, 4)).astype(np.float32)
CODES = PIXELS @ WEIGHT


@pytest.fixture(autouse=True)
def paths(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])


def write_function(body, name="encoder"):
    module = f"encoder_{abs(hash((body, Path.cwd()))):x}"
    np.save("weight.npy", WEIGHT)
    Path(f"{module}.py").write_text(
        f"import numpy as np\nWEIGHT = np.load({str(Path('weight.npy').resolve())!r})\n"
        f"LINEAR = lambda x: x.reshape(len(x), -1) @ WEIGHT\n{body}\n"
    )
    return f"{module}:{name}"


class Net(torch.nn.Module):
    def __init__(self, two=False):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.from_numpy(WEIGHT))
        self.noise = torch.nn.Dropout()
        self.two = two

    def forward(self, x: torch.Tensor):
        mean = self.noise(x.flatten(1)) @ self.weight
        return (mean, mean.abs() + 1) if self.two else mean


def write_torchscript(path="encoder.pt", two=False):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.trace(Net(two).eval(), torch.zeros(2, 1, 16, 16)).save(path)
    return path


def write_onnx(path="encoder.onnx", shape=("n", 1, 16, 16), outputs=1):
    nodes = [
        helper.make_node("Flatten", ["images"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "weight"], ["mean"]),
        helper.make_node("Exp", ["mean"], ["sd"]),
    ]
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ["mean", "sd"][:outputs]]
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        made,
        [numpy_helper.from_array(WEIGHT, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, path)
    return path


ENCODERS = {
    "function": lambda: write_function("encoder = LINEAR"),
    "torch module": lambda: write_function(
        "import torch\nclass Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.drop = torch.nn.Dropout()\n"
        "    def forward(self, x):\n        return self.drop(x.flatten(1)) @ torch.from_numpy(WEIGHT)\nencoder = Net()"
    ),
    "torchscript": write_torchscript,
    "onnx": write_onnx,
    "onnx of one image": lambda: write_onnx(shape=(1, 1, 16, 16)),
    "onnx of seven images": lambda: write_onnx(shape=(7, 1, 16, 16)),
    "onnx of 64 images": lambda: write_onnx(shape=(64, 1, 16, 16)),
}


@pytest.mark.parametrize("kind", ENCODERS)
def test_codes_are_what_the_encoder_makes_of_the_images(kind):
    found = encode.encode(ENCODERS[kind](), TOY, ROWS)
    assert list(found) == ["codes"]
    np.testing.assert_allclose(found["codes"], CODES, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("write", [lambda: write_torchscript(two=True), lambda: write_onnx(outputs=2)])
def test_two_outputs_are_mean_and_standard_deviation(write):
    found = encode.encode(write(), TOY, ROWS[:70])
    np.testing.assert_allclose(found["mean"], CODES[:70], rtol=1e-4, atol=1e-4)
    assert list(found) == ["mean", "sd"] and found["sd"].shape == (70, 4) and (found["sd"] > 0).all()


def test_layouts():
    given = load_colours()
    name = write_function("seen = []\ndef encoder(x):\n    seen.append(x)\n    return x.reshape(len(x), -1)[:, :2]")
    encode.encode(name, given, np.arange(5))
    encode.encode(name, given, np.arange(5), "nhwc")
    first, last = sys.modules[name.partition(":")[0]].seen
    assert (first.shape, last.shape, first.dtype) == ((5, 3, 4, 6), (5, 4, 6, 3), np.float32)
    np.testing.assert_array_equal(last, given.take(np.arange(5)) / np.float32(255))
    np.testing.assert_array_equal(first, last.transpose(0, 3, 1, 2))


def load_colours():
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 6, 3), dtype=np.uint8)
    np.savez("colours.npz", images=images, factors=np.stack([np.arange(20) % 2, np.arange(20) % 5], 1))
    return load("colours.npz")


def test_scores_are_those_of_the_codes_and_can_be_had_again_from_the_file(bench):
    name = write_function("def encoder(x):\n    return LINEAR(x), 1 + 0 * LINEAR(x)")
    words = ["--metrics", "mig,mig_posterior"]
    code, out, err = bench(
        "score", "--encoder", name, "--dataset", "toy", "--rows", "150", "--save", "kept.npz", *words
    )
    assert code == 0, err
    table = pd.read_csv(io.StringIO(out)).set_index("metric")
    np.testing.assert_allclose(table.value["mig"], mig(CODES, TOY.factors[ROWS]), atol=1e-6)
    assert table.n["mig"] == 150 and "mig_posterior" in table.index
    again = pd.read_csv(io.StringIO(bench("score", "kept.npz", *words)[1])).set_index("metric")
    pd.testing.assert_frame_equal(table, again)
    held = read_codes("kept.npz")
    np.testing.assert_array_equal(held.factors, TOY.factors[ROWS])
    assert (held.names, held.label, held.kind) == (TOY.names, "shape", "mean")


def test_options_of_the_data_set_and_all_rows(bench):
    load_colours()
    name = write_function("encoder = lambda x: x.reshape(len(x), -1)[:, :3]")
    words = ["score", "--encoder", name, "--data", "colours.npz", "--rows", "all", "--metrics", "mig,nmi"]
    code, out, err = bench(*words)
    assert code == 1 and "nmi needs `label`" in err and set(pd.read_csv(io.StringIO(out)).n) == {20}
    code, out, err = bench(*words, "--set", "colours.label=factor0", "--set", "mig.bins=4")
    assert code == 0, err
    assert "nmi.kmeans" in out and "bins=4" in out


LINEAR = "encoder = LINEAR"
BAD = {
    "nothing": ([], "score: expected a results folder, a file of codes, or --encoder; one of them"),
    "both": (["codes.npz", "--encoder", "x:y"], "one of them"),
    "no data": (["--encoder", LINEAR], "expected one --dataset or --data, whose factors are known; got none"),
    "two sets": (["--encoder", LINEAR, "--dataset", "toy,digits"], "got toy, digits"),
    "factors": (["--encoder", LINEAR, "--dataset", "toy", "--factors", "f.npz"], "whose factors are known"),
    "data without": (["codes.npz", "--dataset", "toy"], "go with --encoder"),
    "rows": (["--encoder", LINEAR, "--dataset", "toy", "--rows", "some"], "--rows: got 'some'"),
    "layout": (["--encoder", LINEAR, "--dataset", "toy", "--layout", "nwhc"], "did you mean 'nhwc'?"),
    "save": (["--encoder", LINEAR, "--dataset", "toy", "--save", "no/x.npz"], "--save: got 'no/x.npz'"),
    "shift": (
        ["--encoder", LINEAR, "--dataset", "toy", "--set", "toy.holdout=shape:2"],
        "--encoder: holdout=shape:2 would say what training draws",
    ),
    "no form": (["--encoder", "encoder.txt", "--dataset", "toy"], "expected module:function, a TorchScript file"),
    "no file": (["--encoder", "none.onnx", "--dataset", "toy"], "--encoder none.onnx: no such file"),
    "no onnx": (["--encoder", "text.onnx", "--dataset", "toy"], "expected an undamaged ONNX file"),
    "no torchscript": (["--encoder", "text.pt", "--dataset", "toy"], "text.pt: expected a TorchScript file"),
    "weights": (["--encoder", "weights.pt", "--dataset", "toy"], "(torch.save does not)"),
    "onnx shape": (
        ["--encoder", "other.onnx", "--dataset", "toy"],
        "it expects images (16, 16, 1), the data set has (1, 16, 16); --layout nchw or nhwc?",
    ),
    "onnx input": (["--encoder", "flat.onnx", "--dataset", "toy"], "expected one input, float32 images of four"),
    "a number": (["--encoder", "encoder = 3", "--dataset", "toy"], "expected a function of images, got int"),
    "fails": (["--encoder", "encoder = lambda x: 1 / 0", "--dataset", "toy"], "failed on images (64, 1, 16, 16) float"),
    "torchscript fails": (["--encoder", "encoder.pt", "--dataset", "digits"], "encoder.pt: failed on images"),
    "vector": (["--encoder", "encoder = lambda x: LINEAR(x)[0]", "--dataset", "toy"], "got (4,) float32 for 64 images"),
    "images": (["--encoder", "encoder = lambda x: x", "--dataset", "toy"], "got (64, 1, 16, 16) float32 for 64 images"),
    "too few": (["--encoder", "encoder = lambda x: LINEAR(x)[1:]", "--dataset", "toy"], "got (63, 4) float32 for 64"),
    "three": (["--encoder", "encoder = lambda x: (LINEAR(x),) * 3", "--dataset", "toy"], "expected (64, d) floats"),
    "unlike": (
        ["--encoder", "encoder = lambda x: (LINEAR(x), LINEAR(x)[:, 1:])", "--dataset", "toy"],
        "got (64, 4) float32, (64, 3) float32",
    ),
    "other width": (
        ["--encoder", "encoder = lambda x: LINEAR(x)[:, : 2 + len(x) // 60]", "--dataset", "toy", "--rows", "100"],
        "got (36, 2) float32 for 36 images, but 3 columns before",
    ),
    "nothing left": (["--encoder", "encoder = lambda x: None", "--dataset", "toy"], "got NoneType for 64 images"),
    "by name": (["--encoder", "encoder = lambda x: {'z': LINEAR(x)}", "--dataset", "toy"], "got dict for 64 images"),
    "nan": (["--encoder", "encoder = lambda x: LINEAR(x) * np.nan", "--dataset", "toy"], "is nan, expected finite"),
    "logarithms": (
        ["--encoder", "encoder = lambda x: (LINEAR(x), 0 * LINEAR(x) - 2)", "--dataset", "toy"],
        "a standard deviation is -2; if these are logarithms, take exp",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_encoders_are_one_line_and_exit_code_2(bench, case):
    words, message = BAD[case]
    Path("text.onnx").write_text("text")
    Path("text.pt").write_text("text")
    torch.save(Net().state_dict(), "weights.pt")
    write_onnx("other.onnx", ("n", 16, 16, 1))
    write_onnx("flat.onnx", ("n", 256))
    if "encoder.pt" in words:
        write_torchscript()
    words = [write_function(word) if word.startswith("encoder = ") else word for word in words]
    code, out, err = bench("score", *words, "--metrics", "mig")
    assert code == 2 and message in err and "Traceback" not in err and not re.search("mig", out)
    assert not Path("codes.npz").exists()
