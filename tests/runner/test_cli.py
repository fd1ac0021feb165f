"""What people type: help at once, errors in one line before any work, exit codes that can be trusted."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from disentangle_bench import catalog, cli
from disentangle_bench.metrics import mig
from disentangle_bench.runner.codes import read_codes
from disentangle_bench.runner.store import Store

QUICK = ["--dataset", "toy", "--seeds", "1", "--steps", "4", "--device", "cpu", "--on", "here"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--models", "betavea"], "unknown model 'betavea'; did you mean 'betavae'?"),
        (["run", "--models", "vae", "--dataset", "toi"], "unknown dataset 'toi'; did you mean 'toy'?"),
        (["run", "--models", "vae", *QUICK, "--metrics", "migg"], "unknown metric 'migg'; did you mean 'mig'?"),
        (["run", "--models", "vae", *QUICK, "--set", "vae.betta=1"], "unknown parameter of vae 'betta'"),
        (["run", "--models", "vae", "--dataset", "toy", "--seeds", "0"], "--seeds: got '0'"),
        (["run", "--models", "vae", "--dataset", "toy", "--steps", "0"], "--steps"),
        (["run", "--models", "vae", "--dataset", "toy", "--budget", "papper"], "did you mean 'paper'?"),
        (["run", "--models", "vae", *QUICK, "--device", "abacus"], "device: got 'abacus'"),
        (["run", "--models", "vae", *QUICK, "--out", "file/results"], "--out 'file/results' cannot be written"),
        (["run"], "--models: nothing given"),
        (["run", "--models", ","], "--models: nothing given"),
        (["run", "--models", "vae", "--dataset", ""], "--dataset: nothing given"),
        (["run", "--models", "vae", *QUICK, "--set", "vae.latents=0"], "vae.latents: got 0, expected at least 1"),
        (["run", "--models", "vae", *QUICK, "--set", "vae.lr=nan"], "vae.lr: got nan"),
        (["run", "--models", "mcevae", *QUICK, "--set", "mcevae.group=se3"], "mcevae.group: got 'se3'"),
        (["run", "--models", "vae", *QUICK, "--set", "betavae.beta=2"], "betavae is not among the models of this plan"),
        (["run", "--models", "vae", *QUICK, "--rerun", "sometimes"], "unknown --rerun 'sometimes'"),
        (["run", "--study", "study.py", "--models", "vae"], "--study holds the whole question"),
        (["run", "--study", "file"], "study file 'file'"),
        (["score", "file"], "file: expected a readable .npz file"),
        (["check", "file"], "file: expected a Python file"),
        (["data", "preview", "toy", "--out", "none/toy.png"], "none/toy.png"),
        (["run", "--study", "nothing.py"], "study file 'nothing.py' does not exist"),
        (["score", "nothing.npz"], "nothing.npz: no such file"),
        (["report", "nothing"], "nothing"),
        (["list", "modells"], "did you mean 'models'?"),
        (["show", "abc"], "run 'abc': expected one match"),
        (["data", "info", "dsprits"], "did you mean 'dsprites'?"),
        (["check", "nothing.py"], "nothing.py: no such file"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(bench, words, message):
    Path("file").write_text("")
    code, _, err = bench(*words)
    assert code == 2 and message in err and "Traceback" not in err
    assert not list(Path().glob("**/run.json"))


def test_run_report_show_list(bench):
    code, out, _ = bench("run", "--models", "mcevae,noise", *QUICK, "--metrics", "mig", "--out", "r")
    assert code == 0 and "2 new" in out and "next: bench report r" in out
    assert set(pd.read_csv("r/results.csv").model) == {"mcevae", "noise"}
    assert bench("report", "r", "--metrics", "mig", "--format", "svg")[0] == 0 and Path("r/report/report.html").exists()
    run = pd.read_csv("r/results.csv").run[0]
    code, out, _ = bench("show", run[:5], "--results", ".")
    assert code == 0 and "model.safetensors" in out and "mig" in out
    code, out, _ = bench("run", "--models", "mcevae,noise", *QUICK, "--metrics", "mig", "--out", "r")
    assert code == 0 and "0 new, 2 done" in out
    listed = dict(line.split(maxsplit=1) for line in bench("list", "models")[1].splitlines())
    assert list(listed) == catalog.names("model")
    assert {name for name, text in listed.items() if "=" not in text} <= {*catalog.CONTROLS, "infogan"}  # a game of two


def test_dry_run_prints_the_plan_and_writes_nothing(bench):
    code, out, _ = bench("run", "--models", "vae,controls", *QUICK, "--dry-run")
    assert code == 0 and "5 configurations x 1 seeds on toy (drawn) = 5 runs; 5 new" in out
    assert not Path("results").exists()


def test_a_failed_run_makes_exit_code_1_and_is_listed(bench, monkeypatch):
    monkeypatch.setattr("disentangle_bench.models.vae.VAE.nets", lambda model, data: 1 / 0)
    code, out, _ = bench("run", "--models", "vae,noise", *QUICK, "--metrics", "mig", "--out", "r")
    assert code == 1 and "failed: vae toy seed 0" in out and "error.txt" in out
    assert "1 runs done" in out


def test_score_of_a_strangers_codes(bench):
    factors = np.indices((3, 4)).reshape(2, -1).T.repeat(5, 0)
    np.savez("codes.npz", codes=factors * 1.0, factors=factors)
    code, out, _ = bench("score", "codes.npz", "--metrics", "mig,modularity", "--set", "mig.bins=7")
    rows = [line.split(",") for line in out.splitlines()]
    assert code == 0 and [row[0] for row in rows] == ["metric", "mig", "modularity"]
    assert float(rows[1][3]) == pytest.approx(1.0) and "bins=7" in out
    codes = factors * 1.0
    codes[0, 0] = np.inf
    np.savez("codes.npz", codes=codes, factors=factors)
    code, out, _ = bench("score", "codes.npz", "--metrics", "mig")
    assert code == 1 and "ValueError" in out


def test_score_fills_a_folder(bench):
    bench("run", "--models", "noise", *QUICK, "--metrics", "mig", "--set", "mig.bins=7", "--out", "r")
    assert bench("score", "r", "--metrics", "mig,modularity")[0] == 0
    rows = pd.read_csv("r/results.csv").set_index("metric")
    assert {"mig", "modularity"} <= set(rows.index)
    assert "bins=7" in rows.convention["mig"]  # as the folder was run, unless told otherwise
    bench("score", "r", "--metrics", "mig", "--set", "mig.bins=9")
    assert "bins=9" in pd.read_csv("r/results.csv").set_index("metric").convention["mig"]


def test_score_goes_on_after_damaged_codes(bench):
    bench("run", "--models", "noise,oracle", *QUICK, "--metrics", "mig", "--out", "r")
    damaged = next(Path("r/runs").glob("*/codes.npz"))
    damaged.write_bytes(b"PK")
    code, out, err = bench("score", "r", "--metrics", "mig,modularity")
    assert code == 1 and "1 of 2 runs" in out and str(damaged) in err
    assert "modularity" in set(pd.read_csv("r/results.csv").metric)


def test_score_of_a_file_by_block(bench):
    factors = np.indices((3, 4)).reshape(2, -1).T.repeat(5, 0)
    codes = np.column_stack([factors, factors @ [[1, 1], [1, -1]]])
    np.savez("c.npz", codes=codes, factors=factors, blocks='{"z_c": 2, "z": 2}')
    code, out, _ = bench("score", "c.npz", "--metrics", "mig", "--blocks", "z,z_c+z")
    rows = pd.read_csv(io.StringIO(out))
    assert code == 0 and rows.block.tolist() == ["all", "z", "z_c+z"]
    assert rows.value.tolist() == pytest.approx([mig(codes, factors), mig(codes[:, 2:], factors), rows.value[0]])
    code, _, err = bench("score", "c.npz", "--metrics", "mig", "--blocks", "z_d")
    assert code == 2 and "unknown block 'z_d'; did you mean 'z_c'?" in err


def test_run_rescore_and_report_by_block(bench):
    words = ["run", "--models", "mcevae,noise", *QUICK, "--metrics", "mig,nmi", "--set", "mig.bins=7", "--out", "r"]
    code, out, err = bench(*words, "--blocks", "each")
    assert code == 0 and "on all units and blocks each" in out and "--blocks" not in err
    table = pd.read_csv("r/results.csv")
    counts = table[table.metric == "mig"].groupby("model").block.agg(list).to_dict()
    assert counts == {"mcevae": ["all", "tau", "z", "z_c"], "noise": ["all"]}
    assert set(table[table.metric.isin(["kl", "reconstruction", "nmi.own"])].block) == {"all"}
    record = next(r for r in Store("r").records() if r["model"] == "mcevae")
    codes = read_codes(Store("r").path(record["run"]) / "codes.npz")
    row = next(row for row in record["scores"] if (row["metric"], row["block"]) == ("mig", "z_c"))
    assert row["value"] == mig(codes.codes[:, : codes.blocks["z_c"]], codes.factors, bins=7)
    before = Path("r/results.csv").read_text()
    assert bench(*words, "--blocks", "each")[0] == 0 and Path("r/results.csv").read_text() == before
    code, out, _ = bench("score", "r", "--metrics", "modularity", "--blocks", "z+tau")
    assert code == 0 and "2 of 2 runs" in out
    own = pd.read_csv("r/results.csv").query("model == 'mcevae' and metric == 'modularity'")
    assert own.block.tolist() == ["all", "tau", "z", "z+tau", "z_c"]  # the folder's own blocks, and the new one
    assert json.loads(Path("r/study.json").read_text())["blocks"] == ["each", "z+tau"]
    for count in (1, 0):  # mig and nmi of z+tau; nothing
        assert f"{count} of 2 runs" in bench("score", "r", "--metrics", "mig,nmi,modularity")[1]
    code, _, err = bench("score", "r", "--blocks", "z_d")
    assert code == 2 and "unknown block 'z_d'; did you mean 'z_c'?" in err
    assert "mig [z_c]" in bench("show", record["run"], "--results", ".")[1]
    assert bench("report", "r", "--metrics", "mig,mig [z_c]", "--format", "svg")[0] == 0
    assert Path("r/report/mig-z_c.toy-drawn.svg").exists()


def test_a_block_that_no_run_has_is_warned_of_when_they_are_done(bench):
    options = ["--metrics", "mig", "--blocks", "each,y", "--out", "r"]
    code, out, err = bench("run", "--models", "vae,noise", *QUICK, *options)
    assert code == 0 and "2 runs done" in out and "--blocks each: the whole code is the only block here" in err


def test_a_metric_without_a_value_is_named_at_the_end_and_no_failure(bench):
    options = ["--set", "mcevae.group=so2", "--metrics", "mig", "--blocks", "tau", "--out", "r"]
    code, out, _ = bench("run", "--models", "mcevae", *QUICK, *options)
    assert code == 0 and re.search(r"no mig \[tau\]: mcevae toy seed 0 \[\w+\] undefined: codes: .* at least 2", out)


def test_a_study_has_its_blocks(bench):
    Path("mystudy.py").write_text(
        "from disentangle_bench.runner.plan import Study\n"
        "study = Study(['noise'], ['toy'], [0], rows=50, metrics=['mig'], blocks=['z'])\n"
    )
    code, _, err = bench("run", "--study", "mystudy.py", "--blocks", "each")
    assert code == 2 and "--study holds the whole question" in err
    assert bench("run", "--study", "mystudy.py", "--on", "here")[0] == 0
    assert pd.read_csv("results/mystudy/results.csv").query("metric == 'mig'").block.tolist() == ["all", "z"]


def test_data_info_and_preview(bench):
    code, out, _ = bench("data", "info", "toy")
    assert code == 0 and "576 images (16, 16, 1)" in out and "shape" in out
    assert bench("data", "preview", "toy")[0] == 0 and Path("toy.png").stat().st_size > 100


def test_check_tells_what_a_file_breaks(bench):
    Path("mymetric.py").write_text("def mymetric(codes, factors):\n    return 2.0\n")
    code, out, _ = bench("check", "mymetric.py")
    assert code == 1 and "FAILED says what it is" in out


def test_every_help_ends_with_commands_to_copy():
    for command in ["run", "score", "status", "report", "stress", "list", "show", "data", "check"]:
        text = CliRunner().invoke(cli.app, [command, "--help"]).output
        assert text.count("bench " + command) >= 2, command


def test_a_study_is_run_from_its_file(bench):
    Path("mystudy.py").write_text(
        "from disentangle_bench.runner.plan import Study\n"
        "study = Study(['noise', 'oracle'], ['toy'], range(2), rows=50, metrics=['mig'])\n"
    )
    code, _, _ = bench("run", "--study", "mystudy.py", "--on", "here")
    assert code == 0 and len(pd.read_csv("results/mystudy/results.csv")) == 4 * 3 + 2 * 4  # mig, udr twice; facts
    assert json.loads(Path("results/mystudy/study.json").read_text())["study"] == "mystudy"


def imported(statement):
    """Names of the modules that a statement brings into a fresh interpreter."""
    code = f"{statement}; import sys; print(' '.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_light_imports():
    assert not {"torch", "pandas", "sklearn", "scipy"} & imported("from disentangle_bench.metrics import mig, dci, sap")
    assert not {"torch", "numpy", "pandas"} & imported("import disentangle_bench.cli")
    assert "torch" not in imported(
        "import disentangle_bench.runner.run, disentangle_bench.report, disentangle_bench.datasets"
    )


def test_help_and_list_import_nothing_heavy():
    code = (
        "import sys; sys.argv[1:] = ['list', 'metrics']\nfrom disentangle_bench import cli\ntry: cli.app()\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ))
    assert "mig" in result.stdout and not {"torch", "numpy", "pandas"} & set(result.stderr.split())
