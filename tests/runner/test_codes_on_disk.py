"""Damaged codes of finished runs: seen by their end when a run is planned, and by all of them when they are read."""

import errno
import pickle

import numpy as np
import pandas as pd
import pytest

from disentangle_bench.runner import run as runner
from disentangle_bench.runner.codes import readable
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.store import Store, save_arrays


def go(folder):
    question = Study(["vae", "noise"], ["toy"], [0], steps=6, batch=8, rows=60)
    plan = runner.plan(question.runs(), Store(folder), study="test", metrics=["mig"])
    return runner.execute(plan, Store(folder), on="here")


@pytest.mark.parametrize("damage", [b"", b"PK", None])
def test_a_done_run_without_whole_codes_is_done_again(tmp_path, damage):
    first = go(tmp_path)
    before = (tmp_path / "results.csv").read_text()
    codes = tmp_path / "runs" / first[0]["run"] / "codes.npz"
    if damage is None:
        codes.unlink()
    else:
        codes.write_bytes(damage)
    again = go(tmp_path)
    assert again[1] == first[1] and codes.stat().st_size > 1000
    assert (tmp_path / "results.csv").read_text() == before


def test_codes_that_are_only_found_broken_when_read_are_done_anew_the_next_time(tmp_path):
    first = go(tmp_path)
    before = (tmp_path / "results.csv").read_text()
    codes = tmp_path / "runs" / first[0]["run"] / "codes.npz"
    whole = codes.read_bytes()
    codes.write_bytes(whole[:200] + bytes(20) + whole[220:])
    with pytest.raises(ValueError, match=r"codes.npz: expected a readable .npz file, got .*; the same command does"):
        go(tmp_path)
    assert set(pd.read_csv(tmp_path / "results.csv").model) == {"noise"}
    go(tmp_path)
    assert (tmp_path / "results.csv").read_text() == before


@pytest.mark.parametrize("where", ["zipfile.ZipFile", "numpy.load"])
def test_codes_that_the_system_does_not_let_be_read_now_stay(tmp_path, monkeypatch, where):
    def refused(path, *arguments, **options):
        raise OSError(errno.EMFILE, "Too many open files", str(path))

    go(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.glob("runs/*/*")}
    with monkeypatch.context() as patch, pytest.raises(OSError, match="Too many open files"):
        patch.setattr(where, refused)
        question = Study(["vae", "noise"], ["toy"], [0], steps=6, batch=8, rows=60)
        plan = runner.plan(question.runs(), Store(tmp_path), study="test", metrics=["mig", "sap"])
        runner.execute(plan, Store(tmp_path), on="here")
    assert {path: path.read_bytes() for path in tmp_path.glob("runs/*/*")} == before


def test_a_damaged_run_that_another_does_anew_meanwhile_is_left_to_it(tmp_path, monkeypatch):
    run = go(tmp_path)[0]["run"]

    def anew(store, run, *arguments):
        record = store.record(run)
        store.save({**record, "seconds": 12.0})
        raise ValueError("codes.npz: damaged")

    monkeypatch.setattr(runner, "rescore", anew)
    with pytest.raises(ValueError, match="damaged"):
        go(tmp_path)
    record = Store(tmp_path).record(run)
    assert record is not None and record["seconds"] == 12.0


def test_a_file_of_codes_is_known_by_its_end(tmp_path):
    path = tmp_path / "codes.npz"
    assert not readable(path)
    save_arrays(path, {"mean": np.zeros((50, 2)), "factors": np.zeros((50, 1))})
    whole = path.read_bytes()
    assert readable(path)
    for broken in b"", b"PK", whole[:-1], whole[: len(whole) // 2], pickle.dumps([1]):
        path.write_bytes(broken)
        assert not readable(path)
    save_arrays(path, {"mean": np.zeros((50, 2))})
    assert not readable(path)
