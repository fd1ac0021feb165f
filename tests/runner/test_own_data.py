"""Own data through the commands: a file runs and is reported as it is, and is known by what it holds."""

import json
import re
import sys
import warnings
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from disentangle_bench.datasets import _own_images, called, load
from disentangle_bench.runner.plan import BUDGETS, Study
from disentangle_bench.runner.settings import metric_options, question

QUICK = ["--seeds", "1", "--steps", "3", "--device", "cpu", "--on", "here", "--metrics", "mig"]


def write(path="mine.npz", n=1000, seed=0, shape=(16, 16, 3)):
    rng = np.random.default_rng(seed)
    factors = np.stack([rng.permutation(np.arange(n) % 3), rng.permutation(np.arange(n) % 5)], axis=1)
    np.savez(path, images=rng.integers(0, 256, (n, *shape), dtype=np.uint8), factors=factors)
    return path


def test_a_thousand_random_images_run_and_are_reported_untouched(bench):
    write()
    code, out, err = bench("run", "--models", "betavae,oracle", "--data", "mine.npz", *QUICK, "--rows", "150")
    assert code == 0, err
    assert "2 configurations x 1 seeds on mine (own " in out and "next: bench report results/mine" in out
    table = pd.read_csv("results/mine/results.csv")
    assert set(table.dataset) == {"mine"} and set(table.status) == {"done"} and set(table.n) == {150}
    assert set(table.dataset_sha256) == {load("mine.npz").sha256}
    assert table[(table.model == "oracle") & (table.metric == "mig")].value.item() > 0.9
    code, out, err = bench("report", "results/mine", "--metrics", "mig", "--format", "svg")
    assert code == 0, err
    assert "mine" in Path("results/mine/report/report.html").read_text()
    assert bench("status", "results/mine")[0] == bench("score", "results/mine", "--metrics", "sap")[0] == 0
    run = table.run[0]
    assert "mine" in bench("show", run, "--results", "results")[1]


def test_a_run_is_known_by_what_a_file_holds_and_not_by_its_place(bench, tmp_path):
    write()
    assert bench("run", "--models", "noise", "--data", "mine.npz", *QUICK)[0] == 0
    Path("moved").mkdir()
    Path("mine.npz").rename("moved/mine.npz")
    code, out, _ = bench("run", "--models", "noise", "--data", "moved/mine.npz", *QUICK)
    assert code == 0 and "0 new, 1 done" in out
    assert not any(str(tmp_path) in path.read_text() for path in Path("results/mine/runs").glob("*/run.json"))
    write("mine.npz", seed=1)
    code, out, _ = bench("run", "--models", "noise", "--data", "mine.npz,moved/mine.npz", *QUICK)
    assert code == 0 and "2 runs; 1 new, 1 done" in out
    table = pd.read_csv("results/mine/results.csv")
    assert table.groupby("source").dataset_sha256.nunique().tolist() == [1, 1]  # which reports never mix


def test_images_that_stay_in_their_file_make_the_same_numbers(bench, monkeypatch):
    write(n=90, shape=(16, 16, 3))
    with np.load("mine.npz") as held, h5py.File("mine.h5", "w") as file:
        file.create_dataset("images", data=held["images"], chunks=(7, 16, 16, 3))
        file["factors"] = held["factors"]
    words = ["run", "--models", "vae,pca", *QUICK]
    assert bench(*words, "--data", "mine.npz", "--out", "a")[0] == 0
    monkeypatch.setattr(_own_images.read, "__defaults__", (0,))
    code, _, err = bench(*words, "--data", "mine.h5", "--out", "b")
    assert code == 0, err
    assert isinstance(load("mine.h5").pixels, _own_images.FromFile)
    assert Path("a/results.csv").read_bytes() == Path("b/results.csv").read_bytes()


def test_workers_find_own_data_from_anywhere(bench):
    Path("own_worker_data.py").write_text(
        "import numpy as np\n\ndef faces():\n    rng = np.random.default_rng(0)\n"
        "    images = rng.integers(0, 256, (60, 8, 8), dtype=np.uint8)\n"
        "    return {'images': images, 'factors': np.stack([np.arange(60) % 3, np.arange(60) // 30], 1)}\n"
    )
    words = ["run", "--models", "oracle,noise", "--data", "own_worker_data:faces", *QUICK, "--on", "processes"]
    code, _, err = bench(*words)
    assert code == 0, err
    assert set(pd.read_csv("results/faces/results.csv").dataset) == {"faces"}


def test_options_reach_own_data_and_every_set(bench):
    write(n=60, shape=(16, 16, 1))
    words = ["--models", "noise", "--data", "mine.npz", "--dataset", "toy", "--dry-run", *QUICK]
    code, out, err = bench("run", *words, "--set", "mine.label=factor0", "--set", "data.holdout=factor0:2")
    assert code == 2 and "toy: unknown factor 'factor0'; known: shape, scale, posX, posY" in err
    code, out, _ = bench("run", *words, "--set", "mine.holdout=factor0:2,factor0:1", "--set", "toy.holdout=shape:2")
    assert code == 0 and "3 runs" in out
    for name in ("mine(holdout=factor0:1)", "mine(holdout=factor0:2)", "toy(holdout=shape:2)"):
        assert name in out
    code, out, _ = bench(
        "run", "--models", "noise", "--dataset", "toy", *QUICK, "--dry-run", "--set", "data.holdout=shape:2"
    )
    assert code == 0 and "toy(holdout=shape:2)" in out


def test_settings_of_data_sets_are_known_by_name():
    names = question(["noise"], ["digits(copies=2)"], "1", 1, "quick", ["digits.transform=so2,none"], None).datasets
    assert list(names) == ["digits(copies=2, transform=so2)", "digits(copies=2)"]
    with pytest.raises(ValueError, match="unknown model of this plan or metric 'date'; did you mean 'data'"):
        question(["noise"], ["toy"], "1", 1, "quick", ["date.holdout=shape:2"], None)
    with pytest.raises(ValueError, match="unknown model of this plan or metric 'data'"):
        metric_options(["data.holdout=shape:2"], BUDGETS["quick"], [])
    with pytest.raises(ValueError, match="digits is not among the datasets of this plan"):
        question(["noise"], ["toy"], "1", 1, "quick", ["digits.copies=2"], None)


def test_a_study_names_own_data_by_their_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("a.npz", n=40)
    (run,) = Study(["noise"], ["a.npz(label=factor1)"], [0]).runs()
    assert (run.dataset, run.where) == ("a(label=factor1)", f"{tmp_path}/a.npz(label=factor1)")
    assert "where" not in run.description and str(tmp_path) not in json.dumps(run.description)
    assert load(called(run.where)[1]).sha256 == run.dataset_sha256


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--data", "none.npz"], "none.npz: no such file or folder"),
        (["--data", "toy"], "no such file or folder; --dataset toy is one of the suite's"),
        (["--data", "cut.npz"], "cut.npz"),
        (["--data", "module_that_is_not:f"], "no module 'module_that_is_not'"),
        (["--data", "mine.npz(lable=x)"], "did you mean 'label'?"),
        (["--data", "toy.npz"], "could not tell it from the suite's own 'toy'"),
        (["--data", "mine.npz", "--study", "study.py"], "--study holds the whole question"),
        (["--dataset", "toy", "--study", "study.py"], "--study holds the whole question"),
        (["--data", "mine.npz", "--set", "mine.holdout=factor9:1"], "unknown factor 'factor9'; did you mean 'factor"),
    ],
)
def test_bad_data_are_one_line_before_any_work(bench, words, message):
    Path("cut.npz").write_bytes(Path(write(n=30)).read_bytes()[:300])
    write("toy.npz", n=30)
    models = [] if "--study" in words else ["--models", "vae", *QUICK]
    code, _, err = bench("run", *models, *words)
    assert code == 2 and message in err and "Traceback" not in err
    assert not list(Path().glob("**/run.json"))


DOCUMENT = Path(__file__).parents[2] / "docs" / "data.md"
PARTS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", DOCUMENT.read_text(encoding="utf8"), re.MULTILINE | re.DOTALL))
FORMS = ["A .npz file", "A folder of images", "An HDF5 file", "A Python function", "Codes from anywhere"]


@pytest.mark.parametrize("part", [*FORMS, "An encoder from anywhere"])
def test_every_example_of_the_document_runs_as_it_stands(bench, part, monkeypatch):
    """In an empty folder, in order: python is run, or kept where it names a file; commands are run with few steps.
    Reports of own data are tested above."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for kind, code in re.findall(r"```(\w+)\n(.*?)```", PARTS[part], re.DOTALL):
        if kind == "python" and (named := re.match(r"# (\w+\.py)\n", code)):
            Path(named[1]).write_text(code)
        elif kind == "python":
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", r"`torch\.jit", DeprecationWarning)  # as whoever copies it sees them
                exec(compile(code, "docs/data.md", "exec"), {"__name__": "example"})
        for command in re.findall(r"^bench (?!report)(.*)$", code, re.MULTILINE) if kind == "sh" else []:
            words = command.partition("#")[0].split()
            few = ["--seeds", "1", "--steps", "2", "--device", "cpu", "--on", "here", "--metrics", "mig"]
            status, _, err = bench(*words, *(few if words[0] == "run" else []))
            assert status == 0, f"bench {command}\n{err}"
