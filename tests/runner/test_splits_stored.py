"""Folders of runs on shifted data: filled in, damaged, shared, shown, and those from before there were splits."""

import numpy as np
import pandas as pd
import pytest

from disentangle_bench import console, schema
from disentangle_bench.report import load as read
from disentangle_bench.runner import archive, outcome, splits
from disentangle_bench.runner import run as runner
from disentangle_bench.runner.codes import read_codes, readable
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.rescore import numbers, rescore_all, score_file
from disentangle_bench.runner.selection import compare_seeds
from disentangle_bench.runner.store import Store
from disentangle_bench.schema import ALL, HELD_OUT, SPLITS, TRAIN

RUNS = Study(["vae"], ["toy(holdout=shape:2)"], range(2), steps=4, batch=8, rows=60).runs()


def go(folder, metrics=("mig",)):
    plan = runner.plan(RUNS, Store(folder), study="test", metrics=metrics, stack="1")
    return runner.execute(plan, Store(folder), on="here", evaluate_at=[2])


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "shifted"
    go(folder)
    return folder


@pytest.fixture
def folder(original, tmp_path):
    """A copy of a folder of two finished runs, to be broken."""
    for path in original.rglob("*"):
        if path.is_file() and path.name != "lock":
            (tmp_path / "copy" / path.relative_to(original)).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "copy" / path.relative_to(original)).write_bytes(path.read_bytes())
    return tmp_path / "copy"


def first(folder):
    return Store(folder).record(RUNS[0].id)


def keys(rows):
    return [(row.get("step"), row["split"], row["metric"]) for row in rows]


def quiet(message):
    pass


def test_nothing_is_computed_twice(folder):
    before = (folder / "results.csv").read_text()
    assert rescore_all(Store(folder), ["mig"], {}, [], quiet) == (0, 2, [])
    assert compare_seeds(Store(folder), {}) == 0
    go(folder)
    assert (folder / "results.csv").read_text() == before


def test_what_a_split_lacks_is_filled_in(folder):
    store, whole = Store(folder), first(folder)
    for part in "scores", "milestones":
        kept = [row for row in whole[part] if (row["split"], row["metric"]) != (TRAIN, "mig")]
        store.save({**whole, part: [{**row, "seconds": 9.0} for row in kept]})
        assert rescore_all(store, ["mig"], {}, [], quiet)[0] == 1
        again = first(folder)
        assert keys(again[part]) == keys(whole[part])
        seconds = {row["split"]: row["seconds"] for row in again[part] if row["metric"] == "mig"}
        assert seconds[TRAIN] != seconds[ALL] == seconds[HELD_OUT] == 9.0
    rescore_all(store, ["modularity"], {}, [], quiet)
    assert {row["split"] for row in first(folder)["scores"] if row["metric"] == "modularity"} == set(SPLITS)


def test_a_run_from_before_there_were_splits_gets_the_numbers_of_those_that_it_has_codes_of(folder):
    store, whole = Store(folder), first(folder)
    known = [row for row in whole["scores"] if row["split"] == ALL]
    old = [{key: value for key, value in row.items() if key != "split"} for row in known]
    store.save({**whole, "schema": 4, "scores": old})
    assert first(folder)["scores"] == known
    rescore_all(store, ["mig"], {}, [], quiet)
    assert keys(first(folder)["scores"]) == keys(whole["scores"])  # facts, too: the files hold them


def test_numbers_of_a_split_whose_codes_are_gone_stay(folder):
    store, whole = Store(folder), first(folder)
    splits.file(store.codes(RUNS[0].id), TRAIN).unlink()
    assert rescore_all(store, ["mig", "modularity"], {}, [], quiet)[2] == []
    again = first(folder)["scores"]
    assert [row for row in again if row["split"] == TRAIN] == [row for row in whole["scores"] if row["split"] == TRAIN]
    assert {row["split"] for row in again if row["metric"] == "modularity"} == {ALL, HELD_OUT}


def test_damaged_codes_of_a_split_are_done_again(folder):
    before = (folder / "results.csv").read_text()
    path = splits.file(Store(folder).codes(RUNS[0].id), HELD_OUT)
    path.write_bytes(path.read_bytes()[:-100])
    assert not readable(Store(folder).codes(RUNS[0].id))
    go(folder)
    assert readable(path) and (folder / "results.csv").read_text() == before


def test_codes_under_the_name_of_another_split_are_refused(folder):
    path = Store(folder).codes(RUNS[0].id)
    splits.file(path, TRAIN).write_bytes(splits.file(path, HELD_OUT).read_bytes())
    with pytest.raises(ValueError, match=r"codes@train.npz: `split` is 'held-out', expected 'train' in a file of this"):
        numbers(path, ["mig"], {})


def test_what_is_done_anew_leaves_nothing_of_before(folder):
    store, run = Store(folder), RUNS[0].id
    (store.path(run) / "checkpoint.safetensors").touch()
    store.forget(run, checkpoint=False)
    kept = {f"codes-2{end}.npz" for end in ("", "@train", "@held-out")}
    assert {path.name for path in store.path(run).glob("codes*")} == kept
    store.forget(run, checkpoint=True)
    assert not list(store.path(run).glob("codes*"))


def test_codes_of_every_split_are_shared(folder, tmp_path):
    packed, manifest = archive.pack(folder, tmp_path, codes=True)
    names = {name.rpartition("/")[2] for name in manifest["files"] if "codes" in name}
    assert names == {f"codes{step}{end}.npz" for step in ("", "-2") for end in ("", "@train", "@held-out")}
    archive.unpack(packed, tmp_path / "theirs")
    for path in (folder / "runs").rglob("codes*.npz"):
        assert (tmp_path / "theirs" / path.relative_to(folder)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", ["codes@test.npz", "codes@.npz", "codes@train@train.npz", "codes-2@all.npz"])
def test_other_names_are_no_codes(name):
    assert not archive.NAMES.fullmatch(f"runs/{RUNS[0].id}/{name}")
    assert archive.NAMES.fullmatch(f"runs/{RUNS[0].id}/codes-2@train.npz")


def test_a_single_file_is_scored_as_its_split(folder):
    path = splits.file(Store(folder).codes(RUNS[0].id), TRAIN)
    (row,) = score_file(path, None, ["mig"], {}, [])
    (known,) = [r for r in first(folder)["scores"] if (r["split"], r["metric"]) == (TRAIN, "mig")]
    assert {**row, "seconds": 0} == {**known, "seconds": 0}


def test_commands_name_the_split(folder, bench):
    code, out, _ = bench("score", splits.file(Store(folder).codes(RUNS[0].id), TRAIN), "--metrics", "mig")
    assert code == 0 and out.splitlines()[0].startswith("metric,block,split,") and "mig,all,train," in out
    code, out, _ = bench("score", folder, "--metrics", "mig")
    assert code == 0 and "0 of 2 runs lacked numbers" in out


def test_runs_are_shown_with_their_splits(folder, capsys):
    console.run(first(folder), Store(folder).path(RUNS[0].id))
    out = capsys.readouterr().out
    assert "mig {train}" in out and "mig {held-out}" in out and "kl {train}" in out
    assert out.count("mig {train}") == 2  # of the end, and of the milestone


def test_tables_have_a_metric_a_split(folder):
    frame = read(folder)
    assert {"mig", "mig {train}", "mig {held-out}", "kl {train}"} <= set(frame.metric)
    assert not frame.duplicated(["run", "metric"]).any()
    table = pd.read_csv(folder / "results.csv")
    assert set(table.split) == set(SPLITS) and list(table).index("split") == list(table).index("block") + 1


def test_tables_of_schema_4_are_of_all_images(folder):
    for name in "scores", "milestones":
        held = pd.read_parquet(folder / f"{name}.parquet")
        held[held.split == ALL].drop(columns="split").to_parquet(folder / f"{name}.parquet")
    Store(folder).save_study({**Store(folder).study(), "schema": 4})
    frame = read(folder)
    assert set(frame.split) == {ALL} and "mig" in set(frame.metric) and not frame.metric.str.contains("{").any()


@pytest.mark.parametrize("path", ["results/dsprites-quick", "results/digits-clustering"])
def test_tables_in_the_repository_read(path):
    assert set(read(path).split) == {ALL}


def test_a_record_of_a_newer_schema_is_left_alone(folder):
    Store(folder).save({**first(folder), "schema": schema.VERSION + 1})
    with pytest.raises(ValueError, match="is of a newer schema than 5"):
        first(folder)


def test_codes_on_the_way_are_those_of_the_same_rows(folder):
    path = Store(folder).path(RUNS[0].id)
    for split in SPLITS:
        early, late = (read_codes(splits.file(path / name, split)) for name in ("codes-2.npz", "codes.npz"))
        assert (early.factors == late.factors).all() and not np.array_equal(early.codes, late.codes)


def test_a_run_that_ends_between_its_files_is_done_again(tmp_path, original, monkeypatch):
    write = outcome.write_codes

    def full(path, arrays, data, rows, blocks, facts, split):
        if split == ALL and path.name == "codes.npz":
            raise OSError(28, "No space left on device")
        write(path, arrays, data, rows, blocks, facts, split)

    monkeypatch.setattr(outcome, "write_codes", full)
    records = go(tmp_path)
    assert [record["status"] for record in records] == ["failed", "failed"]
    left = {path.name for path in Store(tmp_path).path(RUNS[0].id).glob("codes*")}
    assert "codes@train.npz" in left and "codes.npz" not in left
    monkeypatch.undo()
    go(tmp_path)
    assert (tmp_path / "results.csv").read_text() == (original / "results.csv").read_text()
