"""Ray: the same tables as one process gives, whoever dies on the way; nothing printed, nothing sent."""

import dataclasses
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from disentangle_bench.runner import afar, executors, on_ray
from disentangle_bench.runner import run as runner
from disentangle_bench.runner import work as worker
from disentangle_bench.runner.store import Store

ray = pytest.importorskip("ray")


STUDY = """
from disentangle_bench.runner.plan import Study
study = Study(["vae", "pca"], ["toy"], range(2), steps=30, batch=8, rows=60, metrics=["mig", "modularity"])
"""


def go(folder, on="here", **options):
    exec(STUDY, names := {})
    store, question = Store(folder), names["study"]
    made = runner.plan(question.runs(), store, study="test", metrics=question.metrics, stack="1")
    records = runner.execute(made, store, on=on, **options)
    return (folder / "results.csv").read_text(), records


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return go(tmp_path_factory.mktemp("here"))[0]


@pytest.fixture(scope="module")
def cluster():
    """Two machines of a core each; workers find this file."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([os.getcwd(), str(Path(__file__).parent)]))
        for name, value in {
            "initial_delay_ms": 500,
            "period_ms": 500,
            "timeout_ms": 500,
            "failure_threshold": 3,
        }.items():
            patch.setenv(f"RAY_health_check_{name}", str(value))
        machines = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        machines.add_node(num_cpus=1)
        on_ray.connect([""], machines.address)
        yield machines
        ray.shutdown()
        machines.shutdown()


def double(task, watch):
    watch(f"at {task}")
    logging.getLogger("disentangle_bench.training").warning("careful with %d", task)
    assert "torch" not in sys.modules and os.environ["BENCH_OFFLINE"] == "1"
    return 2 * task


def test_every_task_comes_back_with_its_result_messages_and_warnings(cluster, caplog, capfd):
    heard = []
    assert dict(on_ray.spread(range(5), double, heard.append, ["", ""])) == {i: 2 * i for i in range(5)}
    assert sorted(heard) == [f"at {i}" for i in range(5)]
    assert sorted(caplog.messages) == [f"careful with {i}" for i in range(5)]
    assert capfd.readouterr().out == ""


def fall(task, watch):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_always_dies_is_one_exception(cluster, monkeypatch):
    monkeypatch.setattr(on_ray, "RETRIES", 1)
    ((task, outcome),) = on_ray.spread([7], fall, print, [""])
    assert task == 7 and isinstance(outcome, Exception)


def refuse(task, watch):
    raise OSError(28, "No space left on device")


def test_what_a_task_raises_is_raised_here(cluster):
    with pytest.raises(OSError, match="No space left on device"):
        list(on_ray.spread([7], refuse, print, [""]))


def killed_half_way(task, watch):
    """A VAE takes the second machine with it between two steps; then, on the first one, its worker alone."""
    doomed = ray.get_runtime_context().get_node_id() == (task.folder / "doomed").read_text()

    def spy(message):
        if task.runs[0].model == "vae" and "step 15" in message.text:
            if doomed and _first(task.folder / "machine"):
                os.kill(os.getppid(), signal.SIGKILL)
                os.kill(os.getpid(), signal.SIGKILL)
            while not (task.folder / "machine").exists():
                time.sleep(0.05)
            if _first(task.folder / "worker"):
                os.kill(os.getpid(), signal.SIGKILL)
        watch(message)

    return worker.work(task, spy)


def _first(mark):
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


@pytest.mark.thorough
def test_a_study_gives_the_tables_of_one_process_whoever_dies(cluster, alone, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(runner, "work", killed_half_way)
    (other,) = {node["NodeID"] for node in ray.nodes()} - {ray.get_runtime_context().get_node_id()}
    (tmp_path / "doomed").write_text(other)
    table, records = go(tmp_path, "ray", checkpoint_every=5)
    assert (tmp_path / "worker").exists() and (tmp_path / "machine").exists()
    assert [record["status"] for record in records] == ["done"] * 4
    assert table == alone
    assert capfd.readouterr().out == ""


def blind(there, task, watch):
    """A worker that does not see the results folder."""
    return afar.work(there, dataclasses.replace(task, folder=Path("/nowhere/results")), watch)


@pytest.mark.thorough
def test_workers_that_do_not_see_the_folder_hand_their_runs_back(cluster, alone, tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(worker, "finish", leave_it)
        go(tmp_path)
    (waiting,) = tmp_path.glob("runs/*/pending.json")
    before = json.loads(waiting.read_text())
    monkeypatch.setattr(afar, "work", blind)  # here alone: workers have a module of their own
    table, records = go(tmp_path, "ray", scorers="1")
    assert table == alone and [record["status"] for record in records] == ["done"] * 4
    (after,) = [record for record in records if record["run"] == before["run"]]
    assert after["seconds"] == before["seconds"]  # this one was only scored
    assert not list(tmp_path.glob(".session*")) and not list(tmp_path.glob("runs/*/lock"))
    files = [{path.name for path in folder.iterdir()} for folder in tmp_path.glob("runs/*")]
    assert {"run.json", "codes.npz", "model.safetensors", "log.parquet", "pictures.npz", "best.safetensors"} in files


def leave_it(*arguments, **options):
    raise SystemExit


@pytest.mark.thorough
def test_the_command_starts_its_own_cluster_and_prints_what_it_always_prints(alone, tmp_path):
    (tmp_path / "test.py").write_text(STUDY)
    command = [sys.executable, "-m", "disentangle_bench.cli", "run", "--study", "test.py", "--out", "r"]
    command += ["--device", "cpu", "--on", "ray", "--only", "model=pca"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (tmp_path / "r" / "results.csv").read_text().splitlines() == re.findall("^run.*|.*,pca,.*", alone)
    lines = found.stdout.splitlines()
    assert lines[0].startswith("study test: 1 configurations") and lines[-1] == "next: bench report r"
    assert "ray" not in found.stdout.lower() and "Error" not in found.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--on", "ray"], "--on ray needs Ray, which is not installed: pip install 'disentangle-bench[ray]'"),
        (["--on", "processes", "--address", "auto"], "--address auto: is of a Ray cluster, and needs --on ray"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(bench, monkeypatch, words, message):
    monkeypatch.setitem(sys.modules, "ray", None)
    code, _, err = bench("run", "--models", "vae", "--dataset", "toy", *words)
    assert code == 2 and message in err and not Path("results").exists()


def test_a_device_by_number_is_refused():
    with pytest.raises(ValueError, match="--on ray: got --device cuda:1, expected cpu or cuda"):
        executors.choose("ray", "cuda:1", 3)


def test_nobody_at_the_address_is_said_at_once(monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(ValueError, match=r"--on ray: no cluster at 127\.0\.0\.1:1: .*refused"):
        on_ray.connect([""], "127.0.0.1:1")
