"""Runs handed back by a worker that does not see the results folder: whole, once, the record last."""

import dataclasses
import uuid

import pytest

from disentangle_bench.runner import afar, locks, outcome
from disentangle_bench.runner import work as worker
from disentangle_bench.runner.hand_out import hand_out
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.store import Store
from disentangle_bench.runner.task import NOBODY, Task


@pytest.fixture
def task(tmp_path):
    runs = Study(["vae"], ["toy"], range(2), steps=6, batch=8, rows=60).runs()
    Store(tmp_path).open()
    return Task(runs, tmp_path, "test", ["mig"], {}, "cpu", milestones=[3], session=uuid.uuid4().hex)


def quiet(message):
    pass


def held(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("runs/*/*")}


def test_who_sees_the_folder_works_in_it(task, tmp_path):
    with afar.seen(tmp_path, task.session):
        assert afar.work(lambda own, watch: own, task, quiet) is task
        other = dataclasses.replace(task, session="another's")
        assert isinstance(afar.work(lambda own, watch: own, other, quiet), afar.Left)
    assert list(tmp_path.iterdir()) == [tmp_path / "runs"]


def test_runs_come_back_as_they_would_have_been_left_here(task, tmp_path):
    left = afar.work(worker.work, dataclasses.replace(task, later=True), quiet)
    assert held(tmp_path) == {}  # nothing is written but by who keeps it
    assert afar.keep(Store(tmp_path), task, left) == []
    here = tmp_path / "here"
    worker.work(dataclasses.replace(task, folder=here), quiet)
    assert held(tmp_path).keys() == held(here).keys()
    same = [name for name in held(here) if name.endswith(("model.safetensors", "model-3.safetensors", "log.parquet"))]
    assert len(same) == 6 and all(held(tmp_path)[name] == held(here)[name] for name in same)
    records, others = (list(Store(folder).records()) for folder in (tmp_path, here))
    assert [r["scores"][0]["value"] for r in records] == [r["scores"][0]["value"] for r in others]


def test_the_record_is_written_last(task, tmp_path, monkeypatch):
    left, written, write = afar.work(worker.work, task, quiet), [], afar.write_atomic
    monkeypatch.setattr(afar, "write_atomic", lambda path, how: (written.append(path), write(path, how)))
    afar.keep(Store(tmp_path), task, left)
    names = [path.name for path in written]
    assert names.count("run.json") == 2 and names[-1] == "run.json" and names[len(names) // 2 - 1] == "run.json"


def test_runs_that_others_hold_or_have_ended_are_left_to_them(task, tmp_path):
    first, second = task.runs
    left, store = afar.work(worker.work, task, quiet), Store(tmp_path)
    assert afar.keep(store, dataclasses.replace(task, runs=[second]), left) == []
    stamp = store.stamp(second.id)
    assert locks.take(store.path(first.id), "another's")
    try:
        assert afar.keep(store, dataclasses.replace(task), left) == [first.id, second.id]
    finally:
        locks.release(store.path(first.id))
    assert store.stamp(first.id) == 0 and store.stamp(second.id) == stamp


def test_a_run_that_is_trained_is_asked_for_and_scored(task, tmp_path, monkeypatch):
    store, one = Store(tmp_path), dataclasses.replace(task, runs=task.runs[:1])
    worker.work(dataclasses.replace(one, later=True), quiet)
    monkeypatch.setattr(worker, "_train", None)
    wanted = one.scores(one.runs[0])
    asks = afar.work(worker.work, wanted, quiet)
    assert asks.asked and afar.keep(store, wanted, asks) == [one.runs[0].id]
    files = afar.read(store, wanted)
    left = afar.work(worker.work, dataclasses.replace(wanted, files=files), quiet)
    assert afar.keep(store, wanted, left) == []
    record = store.record(one.runs[0].id)
    assert record is not None and record["status"] == "done"
    assert {row["metric"] for row in record["scores"]} > {"mig"} and {row["step"] for row in record["milestones"]} == {
        3
    }


def test_a_run_that_fails_there_is_a_failed_row_here(task, tmp_path):
    bad = dataclasses.replace(task.runs[0], dataset_sha256="0" * 64)
    one = dataclasses.replace(task, runs=[bad])
    assert afar.keep(Store(tmp_path), one, afar.work(worker.work, one, quiet)) == []
    record = Store(tmp_path).record(bad.id)
    assert record is not None and record["status"] == "failed" and "holds other images" in record["error"]
    assert (tmp_path / "runs" / bad.id / "error.txt").exists()


def test_a_run_that_is_trained_stays_so_while_its_scores_are_written(task, tmp_path, monkeypatch):
    store, one = Store(tmp_path), dataclasses.replace(task, runs=task.runs[:1])
    worker.work(dataclasses.replace(one, later=True), quiet)
    wanted = dataclasses.replace(one.scores(one.runs[0]), files=afar.read(store, one))
    left, before = afar.work(worker.work, wanted, quiet), held(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
        patch.setattr(afar, "write_atomic", full)
        afar.keep(store, wanted, left)
    assert held(tmp_path) == before and outcome.trained(store, one.runs[0].id)
    assert afar.keep(store, wanted, left) == []
    assert "pending.json" not in {path.name for path in store.path(one.runs[0].id).iterdir()}
    assert [record["status"] for record in store.records()] == ["done"]


def full(*arguments):
    raise OSError(28, "full")


def test_a_full_disk_of_a_worker_fails_its_runs_alone(task, tmp_path):
    store = Store(tmp_path)

    def spread(tasks):
        return ((one, afar.work(full if one.runs[0].seed == 0 else worker.work, one, quiet)) for one in tasks)

    hand_out([dataclasses.replace(task, runs=[run]) for run in task.runs], NOBODY, spread, store)
    failed, done = (store.record(run.id) for run in task.runs)
    assert failed is not None and failed["error"] == "on the worker: [Errno 28] full"
    assert done is not None and done["status"] == "done"


def test_what_lies_in_a_run_by_accident_stays_there(task, tmp_path):
    folder = Store(tmp_path).path(task.runs[0].id)
    (folder / "notes").mkdir()
    (folder / "notes" / "mine.txt").touch()
    assert afar.read(Store(tmp_path), task)[task.runs[0].id] == {}


@pytest.mark.parametrize("name", ["../run.json", "/tmp/evil", "..", "a/b", ".7.run.json", "lock"])
def test_names_that_leave_a_run_are_refused(task, tmp_path, name):
    run = task.runs[0].id
    with pytest.raises(ValueError, match="is no name of a file of a run"):
        afar.keep(Store(tmp_path), task, afar.Left({run: {"run.json": b"{}", name: b"evil"}}))
    assert held(tmp_path) == {}
