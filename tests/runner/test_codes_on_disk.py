"""Damaged codes of finished runs: seen by their end when a run is planned, and by all of them when they are read."""

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
