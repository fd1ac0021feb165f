"""The main job end to end on the toy set: resume, kills at any moment, failures as rows, half-finished reports."""

import json
import os
import random
import time

import pandas as pd
import pytest
from programs import Program

from disentangle_bench.datasets import load
from disentangle_bench.models.mcevae import MCEVAE
from disentangle_bench.models.vae import VAE
from disentangle_bench.runner import run as runner
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.rescore import rescore
from disentangle_bench.runner.splits import evaluation_rows
from disentangle_bench.runner.store import Store

METRICS = ["mig", "modularity", "cluster_accuracy"]


def study(models=("vae",), seeds=1, steps=6, **options):
    return Study(list(models), ["toy"], range(seeds), steps=steps, batch=8, rows=60, **options)


def go(question, folder, metrics=METRICS, rerun="missing", stack="1", **options):
    store = Store(folder)
    same = {"study": "test", "metrics": metrics, "options": question.options, "rerun": rerun, "stack": stack}
    return runner.execute(runner.plan(question.runs(), store, **same), store, **{"on": "here", **options})


def of_itself(record):
    """A record without what compares it with other runs."""
    return {**record, "scores": [row for row in record["scores"] if not row["metric"].startswith("udr")]}


def table(folder):
    return pd.read_csv(folder / "results.csv")


def test_a_run_leaves_its_files_and_rows(tmp_path):
    (record,) = go(study(["mcevae"]), tmp_path)
    folder = tmp_path / "runs" / record["run"]
    assert {p.name for p in folder.iterdir()} == {
        "run.json",
        "codes.npz",
        "log.parquet",
        "best.safetensors",
        "model.safetensors",
        "pictures.npz",
    }
    rows = table(tmp_path)
    assert set(rows.metric) == {
        "mig",
        "modularity",
        "cluster_accuracy.kmeans",
        "cluster_accuracy.own",
        "reconstruction",
        "kl",
        "elbo",
        "used_units",
        "canonical_reconstruction",
    }
    assert rows.source.unique().tolist() == ["drawn"] and rows.n.unique().tolist() == [60]
    assert json.loads(rows.params[0])["group"] == "se2"
    assert rows.convention.str.len().min() > 10


def test_evaluation_rows_are_different_and_the_same_for_everyone():
    rows = evaluation_rows(load("toy"), 100)
    assert len(set(rows.tolist())) == 100 and (rows == evaluation_rows(load("toy"), 100)).all()


def test_nothing_finished_is_done_twice(tmp_path):
    first = go(study(["vae", "noise"], seeds=2), tmp_path)
    assert go(study(["vae", "noise"], seeds=2), tmp_path) == first
    more = go(study(["vae", "noise"], seeds=3), tmp_path)
    assert [of_itself(r) for r in more if r["seed"] < 2] == [of_itself(r) for r in first]


def test_rerun_all_forgets_and_none_does_nothing(tmp_path):
    go(study(), tmp_path, rerun="none")
    assert table(tmp_path).empty
    (first,) = go(study(), tmp_path)
    (again,) = go(study(), tmp_path, rerun="all", fresh=True)
    assert again["finished"] >= first["finished"]
    assert [s["value"] for s in again["scores"]] == [s["value"] for s in first["scores"]]


def test_new_metrics_score_old_runs_without_training(tmp_path):
    (first,) = go(study(), tmp_path, metrics=["mig"])
    (again,) = go(study(), tmp_path, metrics=["mig", "modularity"])
    assert again["finished"] == first["finished"]
    assert {"mig", "modularity"} <= set(table(tmp_path).metric)
    assert not rescore(Store(tmp_path), first["run"], ["mig", "modularity"], {})


def test_stacked_and_spread_over_processes_give_the_same_table(tmp_path):
    question = study(["vae", "betavae", "pca"], seeds=2)
    go(question, tmp_path / "one")
    go(question, tmp_path / "stacked", stack="2")
    go(question, tmp_path / "processes", on="processes")
    assert (tmp_path / "one" / "results.csv").read_text() == (tmp_path / "stacked" / "results.csv").read_text()
    assert (tmp_path / "one" / "results.csv").read_text() == (tmp_path / "processes" / "results.csv").read_text()


@pytest.fixture
def fragile(monkeypatch):
    """A VAE of seven latents cannot be built."""
    nets = VAE.nets

    def break_at_seven(model, data):
        if model.latents == 7:
            raise RuntimeError("seven is too many")
        return nets(model, data)

    monkeypatch.setattr(VAE, "nets", break_at_seven)


def test_a_failing_model_is_one_row_and_is_tried_again(tmp_path, fragile):
    question = study([VAE(latents=7), MCEVAE(), VAE()], seeds=2)
    records = go(question, tmp_path, stack="2")
    assert [r["status"] for r in records] == ["failed", "failed", "done", "done", "done", "done"]
    bad = table(tmp_path).query("status == 'failed'")
    assert bad.error.tolist() == ["RuntimeError: seven is too many"] * 2
    assert "Traceback" in (tmp_path / "runs" / records[0]["run"] / "error.txt").read_text()
    store = Store(tmp_path)
    made = runner.plan(question.runs(), store, study="test", metrics=METRICS)
    assert dict(made.count()) == {"failed": 2, "done": 4} and [r.id for r in made.wanted] == [
        r["run"] for r in records[:2]
    ]


def test_a_failed_run_that_succeeds_later_leaves_no_trace_of_the_failure(tmp_path, fragile, monkeypatch):
    (failed,) = go(study([VAE(latents=7)]), tmp_path)
    monkeypatch.undo()
    (done,) = go(study([VAE(latents=7)]), tmp_path)
    assert (failed["status"], done["status"]) == ("failed", "done")
    assert not (tmp_path / "runs" / done["run"] / "error.txt").exists()
    assert table(tmp_path).status.unique().tolist() == ["done"]


def test_rerun_all_leaves_nothing_old_beside_a_failure(tmp_path, fragile, monkeypatch):
    monkeypatch.undo()
    (record,) = go(study([VAE(latents=7)]), tmp_path)
    monkeypatch.setattr(VAE, "nets", lambda model, data: 1 / 0)
    (again,) = go(study([VAE(latents=7)]), tmp_path, rerun="all", fresh=True)
    assert again["status"] == "failed" and again["scores"] == []
    assert {p.name for p in (tmp_path / "runs" / record["run"]).iterdir()} == {"run.json", "error.txt"}


def test_a_metric_that_fails_is_one_row(tmp_path):
    (record,) = go(study(["vae"], options={"mig": {"bins": -3}}), tmp_path)
    assert record["status"] == "done"
    (row,) = table(tmp_path).query("metric == 'mig'").to_dict("records")
    assert pd.isna(row["value"]) and "bins" in row["error"]


def test_a_half_written_run_folder_is_done_again(tmp_path):
    (first,) = go(study(), tmp_path / "whole")
    folder = tmp_path / "half" / "runs" / first["run"]
    folder.mkdir(parents=True)
    (folder / "codes.npz").write_bytes(b"PK")
    (folder / ".999999999.run.json").write_text('{"run": ')
    (folder / ".tmpAb3xYz").write_bytes(b"")  # of safetensors
    (folder / ".notes").mkdir()  # somebody's own
    (folder / "codes-mine.npz").write_bytes(b"PK")
    (folder / "checkpoint.safetensors").write_bytes(b"\x00" * 7)
    (second,) = go(study(), tmp_path / "half")
    assert go(study(), tmp_path / "half") == [second] and second["status"] == "done"
    assert [path.name for path in folder.glob(".*")] == [".notes"]
    assert (tmp_path / "half" / "results.csv").read_text() == (tmp_path / "whole" / "results.csv").read_text()


@pytest.mark.thorough
def test_a_report_is_made_of_what_is_finished(tmp_path, fragile):
    from disentangle_bench.report import load, report

    go(study([VAE(latents=7), "vae", "noise"], seeds=2), tmp_path)
    page = report(tmp_path)
    assert page.stat().st_size > 10_000 and "failed" in page.read_text()
    assert {"model", "seed", "metric", "value", "source"} <= set(load(tmp_path))


COMMAND = ["run", "--models", "vae,betavae,noise", "--dataset", "toy", "--seeds", "2", "--steps", "40"]
COMMAND += ["--metrics", "mig,modularity", "--device", "cpu", "--evaluate-at", "10,30"]


def left(folder):
    """What a folder holds, save for what depends on when it was made."""
    on_the_way = pd.read_parquet(folder / "milestones.parquet").drop(columns="seconds")
    return (folder / "results.csv").read_text(), on_the_way.to_csv()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    finished(Program(*COMMAND, "--on", "here", "--out", folder))
    return left(folder)


def finished(program):
    told = program.communicate()
    assert program.poll() == 0, told


def worked_on(folder, since):
    try:
        return any(lock.stat().st_mtime > since for lock in folder.glob("runs/*/lock"))
    except FileNotFoundError:  # it has just ended
        return True


@pytest.mark.parametrize("on", ["here", "processes"])
def test_killed_at_random_moments_the_table_is_the_same(tmp_path, on, uninterrupted):
    """Nothing lost, nothing doubled: SIGKILL to the whole process group, again and again, then run to the end. The
    first time may be before a worker is at work."""
    moments = random.Random(f"{on} {os.environ.get('BENCH_KILL_SEED', 0)}")
    command = [*COMMAND, "--on", on, "--out", tmp_path]
    for again in range(3 if on == "here" else 2):
        start = time.time()
        program = Program(*command, BENCH_CHECKPOINT_SECONDS="0")
        while again and not worked_on(tmp_path, start):
            assert program.poll() is None, program.communicate()
            time.sleep(0.05)
        time.sleep(moments.uniform(0.5, 5.0))
        program.kill()
    finished(Program(*command))
    assert left(tmp_path) == uninterrupted
    assert not [p for p in tmp_path.rglob("checkpoint*") if p.name.endswith(".safetensors")]
