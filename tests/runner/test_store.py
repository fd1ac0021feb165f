"""Files appear whole or not at all; tables keep their schema; broken folders are worked around, never lost."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from disentangle_bench import schema
from disentangle_bench.runner.outcome import Outcome, record
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.score import fact
from disentangle_bench.runner.store import Store, save_arrays, write_atomic
from disentangle_bench.runner.task import Task


def records(folder, seeds=2):
    planned = Study(["vae"], ["toy"], range(seeds), steps=5, rows=10).runs()
    task = Task(planned, folder, "test", [], {})
    return [
        record(task, run, Outcome(), latents=10, scores=[fact("kl", 1.5 + run.seed, 10, "nats")]) for run in planned
    ]


def test_what_is_saved_is_read_and_collected(tmp_path):
    store = Store(tmp_path).open()
    for made in records(tmp_path):
        store.save(made)
        assert store.record(made["run"]) == made
    assert store.collect() == (2, 2)
    runs, scores = pd.read_parquet(tmp_path / "runs.parquet"), pd.read_parquet(tmp_path / "scores.parquet")
    assert list(runs) == list(schema.RUNS) and list(scores) == list(schema.SCORES)
    table = pd.read_csv(tmp_path / "results.csv")
    assert list(table) == schema.RESULTS
    assert dict(zip(table.seed, table.value)) == {0: 1.5, 1: 2.5}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run": "x"}'])
def test_a_half_written_record_counts_as_missing(tmp_path, text, caplog):
    store = Store(tmp_path).open()
    first, second = records(tmp_path)
    store.save(first)
    store.save(second)
    (store.path(first["run"]) / "run.json").write_text(text)
    assert store.record(first["run"]) is None
    assert [r["run"] for r in store.records()] == [second["run"]]
    assert store.collect() == (1, 1)
    assert "counts as missing" in caplog.text


def test_a_record_from_before_there_were_blocks_is_of_all_units(tmp_path):
    """Of version 1, even: without warnings."""
    store = Store(tmp_path).open()
    (made, _) = records(tmp_path)
    old = [{key: value for key, value in row.items() if key not in ("block", "warning")} for row in made["scores"]]
    store.save({**made, "scores": old})
    assert store.record(made["run"]) == made
    store.collect()
    assert pd.read_csv(tmp_path / "results.csv").block.tolist() == ["all"]


def test_a_record_of_schema_3_is_of_fp32_and_has_no_milestones(tmp_path):
    store = Store(tmp_path).open()
    (made, _) = records(tmp_path)
    store.save({key: value for key, value in made.items() if key not in ("precision", "way", "milestones")})
    assert store.record(made["run"]) == {**made, "precision": "fp32", "way": "", "milestones": []}
    store.collect()
    runs = pd.read_parquet(tmp_path / "runs.parquet")
    assert (runs.precision.tolist(), runs.way.tolist()) == (["fp32"], [""])
    assert pd.read_csv(tmp_path / "results.csv").precision.tolist() == ["fp32"]


@pytest.mark.parametrize("path", sorted(Path("results").glob("*/runs.parquet")), ids=lambda path: path.parent.name)
def test_tables_of_schema_3_can_be_read(path):
    held = pd.read_parquet(path).drop(columns=["precision", "way"], errors="ignore")
    runs = schema.conform(schema.migrate(held, "runs"), schema.RUNS, "runs")
    assert set(runs.precision) == {"fp32"} and set(runs.way) == {""} and list(runs.run) == list(held.run)


def test_tables_of_an_empty_folder_have_the_schema(tmp_path):
    assert Store(tmp_path).open().collect() == (0, 0)
    assert list(pd.read_csv(tmp_path / "results.csv")) == schema.RESULTS


def test_a_run_without_scores_is_still_a_row_with_its_error(tmp_path):
    store = Store(tmp_path).open()
    (made, _) = records(tmp_path)
    store.save({**made, "scores": [], "status": "failed", "error": "ValueError: no"})
    store.collect()
    (row,) = pd.read_csv(tmp_path / "results.csv").to_dict("records")
    assert (row["status"], row["error"], row["run"]) == ("failed", "ValueError: no", made["run"])


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "table"
    path.write_text("old")

    def broken(partial):
        partial.write_text("ne")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, broken)
    assert path.read_text() == "old"


def test_arrays_come_back(tmp_path):
    save_arrays(tmp_path / "a.npz", {"x": np.arange(3)})
    assert np.load(tmp_path / "a.npz")["x"].tolist() == [0, 1, 2]
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("frame", [{"a": [1]}, {"a": [1], "b": ["x"], "c": [1]}, {"a": ["one"], "b": ["x"]}])
def test_a_table_that_breaks_the_schema_is_refused(frame):
    with pytest.raises(ValueError, match="table 'numbers'"):
        schema.conform(pd.DataFrame(frame), {"a": "Int64", "b": "string"}, "numbers")


def test_an_unwritable_folder_is_refused_before_any_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"--out .* cannot be written"):
        Store(tmp_path / "file" / "results").open()


def test_records_are_json_that_people_can_read(tmp_path):
    (made, _) = records(tmp_path)
    assert json.loads(json.dumps(made)) == made
    assert set(schema.RUNS) <= set(made)


def test_tables_that_are_written_now_and_then_take_a_share_of_the_time(tmp_path, monkeypatch):
    now, written = [100.0], []
    store = Store(tmp_path)

    def collect():
        written.append(now[0])
        now[0] += 2.0

    monkeypatch.setattr("disentangle_bench.runner.store.time.monotonic", lambda: now[0])
    monkeypatch.setattr(store, "collect", collect)
    for _ in range(1000):
        store.collect_now_and_then(share=0.1)
        now[0] += 1.0
    assert written[:3] == [100.0, 122.0, 144.0]  # 2 s each, at most every 22 s


def test_a_record_that_the_system_does_not_let_be_seen_is_not_missing(tmp_path, monkeypatch):
    def refused(path, **options):
        raise OSError(5, "Input/output error", str(path))

    store = Store(tmp_path)
    assert store.stamp("f" * 12) == 0
    monkeypatch.setattr("pathlib.Path.stat", refused)
    with pytest.raises(OSError, match="Input/output error"):
        store.stamp("f" * 12)
