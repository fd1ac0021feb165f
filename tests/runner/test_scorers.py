"""Scores apart from training: the same tables, and what was trained is never trained again, whoever dies on the way."""

import dataclasses
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from programs import FORKS

from disentangle_bench.runner import executors, locks, outcome
from disentangle_bench.runner import run as runner
from disentangle_bench.runner import work as worker
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.store import PENDING, Store
from disentangle_bench.runner.task import Beside

STUDY = Study(["vae", "pca"], ["toy"], range(2), steps=6, batch=8, rows=60, metrics=["mig", "modularity"])


def go(folder, **options):
    made = runner.plan(STUDY.runs(), Store(folder), study="test", metrics=STUDY.metrics, stack="1")
    options = {"on": "here", "evaluate_at": [3], **options}
    return made, runner.execute(made, Store(folder), **options)


def left(folder):
    """All files that are kept, and those whose bytes tell no time."""
    held = {str(path.relative_to(folder)): path for path in folder.glob("runs/*/*")}
    same = {name: path.read_bytes() for name, path in held.items() if path.suffix in (".safetensors", ".parquet")}
    return sorted(held), same, (folder / "results.csv").read_text()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    go(folder)
    return left(folder)


@pytest.mark.parametrize("runs", [1, pytest.param(2, marks=pytest.mark.thorough)])
def test_scores_of_processes_beside_are_those_of_the_worker_itself(tmp_path, whole, runs):
    heard = []
    _, records = go(tmp_path, on="processes", scorers=str(runs), watch=heard.append)
    assert left(tmp_path) == whole and [record["status"] for record in records] == ["done"] * 4
    assert [message.text for message in heard if message.share == 1].count("trained") == 4
    assert not list(tmp_path.glob(f"runs/*/{PENDING}"))


def test_what_another_scores_meanwhile_gets_the_numbers_that_were_asked_for_here(tmp_path):
    def another(task, watch):
        if not task.later:  # another program was faster, and asked for less
            there = dataclasses.replace(task, metrics=["mig"], session="another's")
            assert worker.work(there, watch) == []
        return worker.work(task, watch)

    def spread(tasks, job, watch, workers, beside):
        for task in [*tasks, *beside.take(99)]:
            yield task, another(task, watch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executors, "choose", lambda *arguments: (spread, [""], 1))
        _, records = go(tmp_path)
    called = [{row["call"] for row in record["scores"]} for record in records]
    assert len(called) == 4 and all({"mig", "modularity"} <= calls for calls in called)


def test_runs_that_nobody_has_ended_are_told(tmp_path):
    made, _ = go(tmp_path)
    store = Store(tmp_path)
    assert runner.stopped(made, store, None) == runner.stopped(made, store, 1) == ""
    for run in made.runs[:2]:
        store.forget(run.id, checkpoint=True)  # as a program did that has died since
    assert runner.stopped(made, store, None).startswith("2 runs were not ended by whom they were left to; the same")
    assert runner.stopped(made, store, 1).startswith("--max-failures 1: 2 runs were not started; the same command")
    with locks.hold([store.path(made.runs[0].id)]):
        assert runner.stopped(made, store, None).startswith("1 runs were not")


class Dead(BaseException):
    """What ends a process at once."""


def dies(*arguments, **options):
    raise Dead


def trains(*arguments, **options):
    raise AssertionError("this run was trained before")


def test_a_run_that_died_before_its_scores_is_only_scored(tmp_path, whole, monkeypatch, bench):
    with monkeypatch.context() as patch, pytest.raises(Dead):
        patch.setattr(worker, "finish", dies)
        go(tmp_path)
    (waiting,) = tmp_path.glob(f"runs/*/{PENDING}")
    assert not waiting.with_name("checkpoint.safetensors").exists()
    code, out, _ = bench("status", tmp_path)
    assert code == 0 and "0 done, 0 running, 0 failed, 0 diverged, 4 missing (1 of them trained and not scored" in out
    made = runner.plan(STUDY.runs(), Store(tmp_path), study="test", metrics=STUDY.metrics, stack="1")
    assert [run.id for run in made.trained] == [waiting.parent.name] and len(made.stacks) == 3
    assert made.count() == {"new": 3, "trained": 1}
    with monkeypatch.context() as patch:
        patch.setattr(worker, "_train", trains)
        patch.setattr(worker, "_control", trains)
        (record,) = [r for r in go(tmp_path)[1] if r["status"] == "done"]  # the others have failed
    assert record["run"] == waiting.parent.name and not waiting.exists()
    go(tmp_path)
    assert left(tmp_path) == whole


def test_everything_again_trains_again(tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Dead):
        patch.setattr(worker, "finish", dies)
        go(tmp_path)
    made = runner.plan(STUDY.runs(), Store(tmp_path), study="test", metrics=STUDY.metrics, stack="1", rerun="all")
    assert not made.trained and len(made.stacks) == 4


@pytest.mark.parametrize("damage", ["codes", "record"])
def test_what_is_damaged_is_trained_again(tmp_path, whole, monkeypatch, damage):
    with monkeypatch.context() as patch, pytest.raises(Dead):
        patch.setattr(worker, "finish", dies)
        go(tmp_path)
    (waiting,) = tmp_path.glob(f"runs/*/{PENDING}")
    if damage == "codes":
        codes = waiting.with_name("codes.npz")
        codes.write_bytes(codes.read_bytes()[:100] + b"\xff" * 40 + codes.read_bytes()[140:])
        assert outcome.trained(Store(tmp_path), waiting.parent.name)  # it is seen when it is read
        assert [record["status"] for record in go(tmp_path)[1]].count("failed") == 1
    else:
        waiting.write_text(waiting.read_text()[:50])
    go(tmp_path)
    assert left(tmp_path) == whole


def test_a_scorer_that_dies_fails_its_run_alone_and_the_next_start_scores_it(tmp_path, whole, monkeypatch):
    monkeypatch.setattr(runner, "work", killed)
    _, records = go(tmp_path, on="processes", scorers="1")
    assert [record["status"] for record in records] == ["failed", "done", "done", "done"]
    assert "the worker process died" in records[0]["error"]
    monkeypatch.setattr(runner, "work", worker.work)
    monkeypatch.setattr(worker, "_train", trains)
    go(tmp_path)
    assert left(tmp_path) == whole


def killed(task, watch):
    if not task.later and (task.runs[0].model, task.runs[0].seed) == ("vae", 0):
        os.kill(os.getpid(), signal.SIGKILL)
    return worker.work(task, watch)


def never_scored(folder):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runner.work = slow
    go(folder, on="processes", scorers="1")


def slow(task, watch):
    """Scores wait to be killed; training does not."""
    if not task.later:
        (task.folder / "scoring").touch()
        time.sleep(600)
    return worker.work(task, watch)


@pytest.mark.parametrize("signal_", [pytest.param(signal.SIGKILL, marks=pytest.mark.thorough), signal.SIGINT])
def test_a_command_killed_while_others_score_has_nothing_to_train_again(tmp_path, whole, monkeypatch, signal_):
    folder = tmp_path / "r"
    process = FORKS.Process(target=never_scored, args=(folder,))
    process.start()
    while len(list(folder.glob(f"runs/*/{PENDING}"))) < 4 or not (folder / "scoring").exists():
        assert process.exitcode is None
        time.sleep(0.05)
    os.kill(process.pid, signal_)
    process.join(timeout=60)
    assert process.exitcode is not None
    (folder / "scoring").unlink()
    monkeypatch.setattr(worker, "_train", trains)
    monkeypatch.setattr(worker, "_control", trains)
    deadline = time.monotonic() + 20
    while list(folder.glob("runs/*/lock")) and time.monotonic() < deadline:
        go(folder)  # its workers have ended a second later, and their locks are those of the dead
        time.sleep(0.2)
    go(folder)
    assert left(folder) == whole


def test_tasks_beside_the_others_may_come_up_on_the_way():
    beside = Beside(2)
    seen = []
    for task, result in executors.processes([1, 2], square, seen.append, [""], beside):
        seen.append((task, result))
        if task < 3:
            beside.tasks.append(task + 10)
    assert sorted(pair for pair in seen if isinstance(pair, tuple)) == [(1, 1), (2, 4), (11, 121), (12, 144)]


def square(task, watch):
    return task**2


@pytest.fixture
def machine(monkeypatch):
    """Eight cores and two CUDA devices."""
    monkeypatch.setattr(executors.os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(executors, "cuda", lambda device: ["0", "1"] if device == "cuda" else [])


@pytest.mark.parametrize(
    ("name", "device", "scorers", "expected"),
    [
        ("auto", "cpu", "auto", (executors.processes, 8, 0)),
        ("auto", "cpu", "3", (executors.processes, 5, 3)),
        ("auto", "cuda", "auto", (executors.processes, 2, 6)),
        ("auto", "cuda", "0", (executors.processes, 2, 0)),
        ("auto", "cuda:1", "auto", (executors.processes, 1, 7)),
        ("auto", "cuda:1", "0", (executors.here, 1, 0)),
        ("here", "cuda", "auto", (executors.here, 1, 0)),
        ("ray", "cuda", "auto", (executors.on_ray.spread, 2, sys.maxsize)),
        ("ray", "cpu", "auto", (executors.on_ray.spread, 8, 0)),
    ],
)
def test_who_scores_follows_what_trains(machine, name, device, scorers, expected):
    executor, workers, many = executors.choose(name, device, 99, scorers)
    assert (executor, len(workers), many) == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scorers", "some"], "--scorers: got 'some', expected auto or a number, 0 for none"),
        (["--scorers", "-1"], "--scorers: got '-1', expected auto or a number, 0 for none"),
        (["--scorers", "2", "--on", "here"], "--scorers 2: --on here is one process, which scores what it has trained"),
    ],
)
def test_scorers_that_cannot_be_are_said_before_any_work(bench, words, message):
    code, _, err = bench("run", "--models", "pca", "--dataset", "toy", *words)
    assert code == 2 and message in err and not Path("results").exists()
