"""Full and read-only disks, files that are damaged or not what they say, memory that runs out: what is done stays.

The long test, kills at random moments, is `benchmarks/faults.py`.
"""

import errno
import io
import json
import os
import pickle
import resource
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from disentangle_bench import schema
from disentangle_bench.models.pca import PCA
from disentangle_bench.runner import outcome, store
from disentangle_bench.runner import run as runner
from disentangle_bench.runner import work as worker
from disentangle_bench.runner.codes import read_codes
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.store import Store


def go(folder, models=("vae", "pca"), seeds=2, on="here", **options):
    question = Study(models, ["toy"], range(seeds), steps=8, batch=8, rows=60, metrics=["mig"])
    made = runner.plan(question.runs(), Store(folder), study="test", metrics=question.metrics, stack="1")
    return runner.execute(made, Store(folder), on=on, **options)


def ended(records):
    """When runs have ended; scores that are filled in later do not change it."""
    return [(record["run"], record["finished"], record["seconds"]) for record in records]


def table(folder):
    return (folder / "results.csv").read_text()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    go(folder)
    return table(folder)


class Full:
    """A disk with room for so many files; then half of one is written."""

    def __init__(self, monkeypatch, room):
        self.room, self.write = room, np.savez_compressed
        monkeypatch.setattr(np, "savez_compressed", self.save)

    def save(self, file, **arrays):
        self.room -= 1
        if self.room < 0:
            held = io.BytesIO()
            self.write(held, **arrays)
            file.write(held.getvalue()[: len(held.getvalue()) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.write(file, **arrays)


def test_runs_for_which_the_disk_was_too_full_are_rows_and_done_later(tmp_path, whole, monkeypatch):
    with monkeypatch.context() as patch:
        Full(patch, room=3)
        records = go(tmp_path)
    assert [record["status"] for record in records] == ["done", "failed", "failed", "failed"]
    assert {record["error"] for record in records[1:]} == {"OSError: [Errno 28] No space left on device"}
    assert not list(tmp_path.glob("runs/*/.*")), "half a file keeps the disk full"
    again = go(tmp_path)
    assert ended(again)[0] == ended(records)[0] and table(tmp_path) == whole


def test_a_disk_without_room_for_a_row_ends_the_study_and_keeps_what_is_done(tmp_path, whole, monkeypatch):
    write = store.write_atomic

    def refuse(path, how):
        if len(list(tmp_path.glob("runs/*/run.json"))) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, how)

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_atomic", refuse)
        patch.setattr(outcome, "write_atomic", refuse)
        with pytest.raises(OSError, match="No space left on device"):
            go(tmp_path)
    done = {path.read_text() for path in tmp_path.glob("runs/*/run.json")}
    assert len(done) == 2
    records = go(tmp_path)
    assert {record["status"] for record in records} == {"done"} and table(tmp_path) == whole


def test_a_folder_that_cannot_be_written_is_told_before_any_work(bench, monkeypatch):
    touch = Path.touch

    def refuse(path, *args, **more):
        if "writable" in path.name:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        touch(path, *args, **more)

    monkeypatch.setattr(Path, "touch", refuse)
    code, out, err = bench("run", "--models", "vae", "--dataset", "toy", "--steps", "4", "--out", "r")
    assert code == 2 and out == "" and err == "bench: --out 'r' cannot be written: Read-only file system\n"


class Trap:
    """Whoever unpickles this makes a file."""

    def __reduce__(self):
        return os.mkdir, ("sprung",)


@pytest.mark.parametrize("inside", [False, True], ids=["instead of an archive", "inside one"])
def test_a_pickle_in_place_of_codes_is_refused_and_the_run_done_again(tmp_path, whole, monkeypatch, inside):
    monkeypatch.chdir(tmp_path)
    first = go(tmp_path / "r")
    codes = tmp_path / "r" / "runs" / first[0]["run"] / "codes.npz"
    if inside:
        held = read_codes(codes)
        np.savez(codes, mean=np.array([Trap()], object), factors=held.factors)
    else:
        codes.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match=r"codes.npz: expected a readable \.npz file"):
        read_codes(codes)
    if inside:  # seen only when it is read
        with pytest.raises(ValueError, match="the same command does these runs anew"):
            go(tmp_path / "r")
    again = go(tmp_path / "r")
    assert not (tmp_path / "sprung").exists()
    assert ended(again)[1:] == ended(first)[1:] and table(tmp_path / "r") == whole


def test_a_record_of_a_newer_schema_is_not_touched(tmp_path):
    (first,) = go(tmp_path, ["pca"], 1)
    path = tmp_path / "runs" / first["run"] / "run.json"
    assert json.loads(path.read_text())["schema"] == schema.VERSION
    path.write_text(json.dumps({**first, "schema": schema.VERSION + 1}))
    before = path.read_text()
    for attempt in (lambda: go(tmp_path, ["pca"], 1), Store(tmp_path).collect):
        with pytest.raises(ValueError, match=rf"run.json is of a newer schema than {schema.VERSION}"):
            attempt()
    assert path.read_text() == before


def test_a_record_of_another_run_counts_as_missing(tmp_path):
    (first,) = go(tmp_path, ["pca"], 1)
    path = tmp_path / "runs" / first["run"] / "run.json"
    path.write_text(json.dumps({**first, "run": "../../elsewhere"}))
    assert Store(tmp_path).record(first["run"]) is None
    (again,) = go(tmp_path, ["pca"], 1)
    assert again["run"] == first["run"] and not (tmp_path.parent / "elsewhere").exists()


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp/elsewhere", "..", "a\\b"])
def test_a_study_whose_name_leaves_the_results_is_refused(bench, name):
    Path("study.py").write_text(
        f"from disentangle_bench.runner.plan import Study\nstudy = Study(['pca'], ['toy'], [0], name={name!r})\n"
    )
    code, _, err = bench("run", "--study", "study.py", "--on", "here")
    assert code == 2 and f"Study: name is {name!r}" in err and {path.name for path in Path().iterdir()} == {"study.py"}


@pytest.mark.parametrize("damage", [lambda held: held[: len(held) // 2], lambda held: held[:40] + b"\xff" * 40, pickle])
def test_a_corrupted_checkpoint_starts_the_run_afresh(tmp_path, whole, monkeypatch, caplog, damage):
    from disentangle_bench.training import checkpoint  # torch, which other processes of this file do without

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoint, "save", interrupted(checkpoint.save))
        go(tmp_path, checkpoint_every=3)
    (path,) = tmp_path.glob("runs/*/checkpoint.safetensors")
    path.write_bytes(pickle.dumps(Trap()) if damage is pickle else damage(path.read_bytes()))
    go(tmp_path)
    assert "is not readable as a checkpoint: the run starts afresh" in caplog.text
    assert table(tmp_path) == whole and not Path("sprung").exists()


def interrupted(save):
    def once(*args):
        save(*args)
        raise KeyboardInterrupt

    return once


def greedy(task, watch):
    """The run of seed 0 wants more memory than its process may have; that of seed 1 is ended by the system for it."""
    if task.runs[0].seed == 0:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used + 2**32, resource.RLIM_INFINITY))
        represent, PCA.represent = PCA.represent, lambda *arguments: np.ones(2**36)
        try:
            return worker.work(task, watch)
        finally:
            PCA.represent = represent
    if task.runs[0].seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return worker.work(task, watch)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux alone tells what a process uses")
@pytest.mark.thorough
def test_runs_without_memory_fail_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "work", greedy)
    short, killed, whole = go(tmp_path, ["pca"], 3, on="processes")
    assert (short["status"], killed["status"], whole["status"]) == ("failed", "failed", "done")
    assert "MemoryError" in short["error"] and "the worker process died" in killed["error"]
    rows = pd.read_csv(tmp_path / "results.csv")
    assert rows.groupby("seed").status.unique().map(list).to_dict() == {0: ["failed"], 1: ["failed"], 2: ["done"]}


@pytest.mark.parametrize(("on", "most"), [("here", 1), ("processes", len(os.sched_getaffinity(0)))])
def test_after_so_many_failures_nothing_more_is_started(tmp_path, monkeypatch, on, most):
    monkeypatch.setattr(runner, "work", breaks)
    records = go(tmp_path, ["pca"], 12, on=on, max_failures=1)
    assert 1 <= len(records) <= 2 * most and {record["status"] for record in records} == {"failed"}


def breaks(task, watch):
    outcome.fail(Store(task.folder), task, task.runs[0], "ValueError: no")
    return []
