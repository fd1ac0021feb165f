"""`bench status`: every planned run is counted once, by what became of it; pace and time left by hand."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from disentangle_bench.runner import locks
from disentangle_bench.runner import status as told
from disentangle_bench.runner.outcome import Outcome, record
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.status import status, words
from disentangle_bench.runner.store import Store
from disentangle_bench.runner.task import Task


@pytest.fixture
def folder(tmp_path):
    """Eight runs planned: three done ten minutes apart, one failed, one diverged, two locked, one of these with a
    checkpoint; one interrupted. A ninth is of an earlier plan."""
    runs = Study(["vae"], ["toy"], range(9), steps=3000, rows=10).runs()
    store = Store(tmp_path).open()
    store.save_study({"study": "test", "runs": [{**run.description, "run": run.id} for run in runs[:8]]})
    task = Task(runs, tmp_path, "test", [], {})

    def save(run, minute, **outcome):
        made = record(task, run, Outcome(**outcome), latents=10, scores=[])
        store.save({**made, "finished": f"2026-01-01T00:{minute:02}:00+00:00"})

    for minute, run in zip((0, 10, 20), runs):
        save(run, minute)
    save(runs[3], 30, status="failed", error="ValueError: no")
    save(runs[4], 40, status="diverged", error="nan")
    save(runs[8], 50)
    for run in runs[5:7]:
        locks.take(store.path(run.id))
    for run in runs[6:8]:
        header = {"run": json.dumps({"t": 1200})}
        save_file({"x": torch.zeros(2)}, store.path(run.id) / "checkpoint.safetensors", header)
    yield tmp_path
    for run in runs[5:7]:
        locks.release(store.path(run.id))


def test_every_run_is_counted_once(folder):
    now = status(folder)
    assert (now.runs, now.done, len(now.failed), len(now.diverged), len(now.running), now.missing) == (8, 3, 1, 1, 2, 1)
    assert (now.interrupted, now.others, now.study) == (1, 1, "test")
    assert [(it.run["seed"], it.step, it.by.pid) for it in now.running] == [
        (5, None, os.getpid()),
        (6, 1200, os.getpid()),
    ]
    assert all(0 <= it.seconds < 60 and 0 <= it.age < 60 for it in now.running)


def test_pace_and_time_left(folder):
    now = status(folder)
    assert now.rate == pytest.approx(6.0)  # five in forty minutes, of which the first only starts the clock
    assert now.left == pytest.approx(3 / 6)  # two that run and one that is missing


def test_pace_is_that_of_the_last_hour_or_of_the_last_ten():
    assert told.rate([]) is None and told.rate(["2026-01-01T00:00:00+00:00"] * 3) is None
    slow = [f"2026-01-01T{hour:02}:00:00+00:00" for hour in range(20)]
    assert told.rate(slow) == pytest.approx(1.0)
    fast = [f"2026-01-02T00:{minute:02}:00+00:00" for minute in range(60)]
    assert told.rate(slow + fast) == pytest.approx(60.0)


def test_nothing_is_left_to_wait_for_where_nothing_runs(folder):
    for run in status(folder).running:
        locks.release(folder / "runs" / run.run["run"])
    now = status(folder)
    assert (now.running, now.missing, now.interrupted, now.left) == ([], 3, 2, None)


def test_a_dead_process_runs_nothing(folder):
    (first, _) = status(folder).running
    lock = folder / "runs" / first.run["run"] / "lock"
    lock.write_text(json.dumps({**dataclasses.asdict(first.by), "started": "1"}))
    assert len(status(folder).running) == 1


def test_words_name_who_and_how_far(folder):
    text = "\n".join(words(status(folder), folder))
    assert (
        "8 runs; 3 done, 2 running, 1 failed, 1 diverged, 1 missing (1 of them have a checkpoint to go on from); "
        in text
    )
    assert "1 runs of earlier plans lie here, too" in text
    assert re.search(rf"step 1,200 of 3,000, \d+ s ago; begun \d+ s ago by process {os.getpid()} on \S", text)
    assert "no checkpoint yet" in text and "failed: vae toy seed 3" in text and "ValueError: no" in text
    assert "6.0 runs an hour; about 30.0 min left" in text


@pytest.mark.parametrize("damage", [b"", b"\x00" * 7, b"\xff" * 64, None])
def test_a_damaged_checkpoint_has_no_step(tmp_path, damage):
    path = tmp_path / "checkpoint.safetensors"
    if damage is None:
        save_file({"x": torch.zeros(2)}, path)
    else:
        path.write_bytes(damage)
    assert told.step(path) is None and told.step(tmp_path / "none") is None


def test_a_folder_without_a_study_is_counted_by_its_records(folder):
    (folder / "study.json").unlink()
    now = status(folder)
    assert (now.runs, now.done, now.missing, now.others) == (6, 4, 0, 0)


def test_the_command(bench, folder):
    code, out, err = bench("status", folder)
    assert code == 0 and "8 runs; 3 done" in out and not err
    code, _, err = bench("status", "nothing")
    assert code == 2 and "nothing: no runs here" in err


def test_a_folder_is_found_by_its_name_below_results(bench, folder, results):
    Path("results").mkdir()
    Path("results/mine").symlink_to(folder)
    Path("results/toy").symlink_to(results)
    code, out, _ = bench("status", "mine")
    assert code == 0 and "study test in results/mine: 8 runs" in out
    code, _, err = bench("status", "mime")
    assert code == 2 and err == "bench: unknown results folder 'mime'; did you mean 'mine'? known: mine, toy\n"
    code, out, _ = bench("collect", "toy")
    assert code == 0 and "results/toy/results.csv" in out
    Path("mine").mkdir()  # a path comes first
    code, _, err = bench("status", "mine")
    assert code == 2 and "mine: no runs here" in err


def test_status_needs_no_torch_and_writes_nothing(folder):
    def held():
        """When each was written, save for locks, whose holder renews them."""
        return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.name != "lock"}

    before = held()
    code = f"import sys; sys.argv[1:] = ['status', {str(folder)!r}]\nfrom disentangle_bench import cli\n"
    code += "try: cli.app()\nfinally: print('torch' in sys.modules, file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "8 runs" in result.stdout and result.stderr.strip().endswith("False") and held() == before
