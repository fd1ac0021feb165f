"""A disk that is really full, and one that is really read-only: what is done stays, the same command ends the rest."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from disentangle_bench.runner import run as runner
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.store import Store


def go(folder, **options):
    question = Study(["vae", "pca"], ["toy"], range(3), steps=8, batch=8, rows=60, metrics=["mig"])
    made = runner.plan(question.runs(), Store(folder), study="test", metrics=question.metrics, stack="1")
    return runner.execute(made, Store(folder), on="here", **options)


def mount(*words):
    return subprocess.run(["mount", *map(str, words)], capture_output=True, text=True)


@pytest.fixture
def disk(tmp_path):
    """A disk of its own in memory; called with options, it is mounted anew with these."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        refused = mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", place).stderr
    except FileNotFoundError as error:
        refused = str(error)
    if refused:
        pytest.skip(f"this system mounts nothing for tests: {refused.strip()}")

    def again(options):
        assert not mount("-o", f"remount,{options}", place).stderr
        return place

    yield again
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def finished(folder):
    """What is held of runs that are done; every record that is there is whole."""
    held = [json.loads(path.read_text()) for path in folder.glob("runs/*/run.json")]
    done = [record["run"] for record in held if record["status"] == "done"]
    for run in done:
        np.load(folder / "runs" / run / "codes.npz")["mean"]
    return {run: (folder / "runs" / run / "codes.npz").stat().st_mtime_ns for run in done}


@pytest.mark.thorough
def test_a_full_disk_loses_nothing_and_more_room_ends_the_study(disk, tmp_path):
    go(tmp_path / "whole")
    whole = (tmp_path / "whole" / "results.csv").read_text()
    (used,) = subprocess.run(["du", "-sk", tmp_path / "whole"], capture_output=True, text=True).stdout.split()[:1]
    done, tries = {}, 0
    for share in (0.05, 0.3, 0.5, 0.7, 0.9, 2.0):
        folder = disk(f"size={int(share * int(used))}k")
        try:
            records = go(folder / "r")
        except (OSError, ValueError) as error:
            assert "No space left on device" in str(error)
            tries += 1
        else:
            failed = [record["error"] for record in records if record["status"] != "done"]
            assert all("No space left on device" in error for error in failed)
            tries += bool(failed)
        now = finished(folder / "r")
        assert {run: now.get(run) for run in done} == done  # neither lost nor done again
        assert not list(folder.glob("r/**/.*.npz")) and not list(folder.glob("r/**/.*.json"))
        done = now
    assert tries >= 3 and len(done) == 6
    assert (folder / "r" / "results.csv").read_text() == whole


def test_a_read_only_folder_is_refused_before_any_work_and_can_be_read(disk, bench, monkeypatch):
    folder = disk("size=16m")
    go(folder / "r")
    held = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    disk("ro")
    monkeypatch.setattr("disentangle_bench.runner.work.work", None)
    words = "run", "--models", "vae", "--dataset", "toy", "--steps", "4", "--metrics", "mig", "--on", "here", "--out"
    for out in folder / "r", folder / "new":
        code, told, err = bench(*words, out)
        assert (code, told) == (2, "") and err == f"bench: --out '{out}' cannot be written: Read-only file system\n"
    code, told, _ = bench("status", folder / "r")
    assert code == 0 and "6 runs; 6 done" in told
    code, told, err = bench("collect", folder / "r")
    assert code == 2 and told == "" and "Read-only file system" in err
    assert held == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    disk("rw")
    assert os.access(folder, os.W_OK) and Path(folder / "r").is_dir()
