"""Codes on the way: which steps, that they are those of a shorter run, and that nothing is lost or doubled."""

import json

import numpy as np
import pandas as pd
import pytest

from disentangle_bench import schema
from disentangle_bench.metrics import mig
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.runner import milestones
from disentangle_bench.runner import run as runner
from disentangle_bench.runner.codes import read_codes
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.rescore import rescore_all
from disentangle_bench.runner.store import Store
from disentangle_bench.training import engine

STEPS = 40
THOROUGH = pytest.mark.thorough


def runs(*models, seeds=1, steps=STEPS):
    return Study(list(models or ["vae"]), ["toy"], range(seeds), steps=steps, batch=8, rows=60).runs()


def go(folder, planned, at=(10, 30), metrics=("mig",), stack="1", rerun="missing", blocks=(), **options):
    store = Store(folder)
    same = {"study": "t", "metrics": metrics, "stack": stack, "rerun": rerun, "blocks": blocks}
    made = runner.plan(planned, store, **same)
    return runner.execute(made, store, on="here", evaluate_at=at, fresh=rerun == "all", **options)


def numbers(records):
    """What does not depend on when it ran."""
    return [[{**row, "seconds": 0} for row in r["scores"] + r["milestones"]] for r in records]


def weights(path):
    from safetensors.numpy import load_file

    return load_file(path)


@pytest.mark.parametrize(
    ("text", "steps"), [("", []), ("10k,30k,100k", [10_000, 30_000, 100_000]), (" 500, 2k ,7", [7, 500, 2000])]
)
def test_what_people_type(text, steps):
    assert milestones.parse(text) == steps


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10k,x", "--evaluate-at: got 'x', expected steps above zero, such as 10k,30k,100k"),
        ("0", "--evaluate-at: got '0', expected steps above zero"),
        ("0k", "--evaluate-at: got '0k', expected"),
        ("-5", "--evaluate-at: got '-5', expected"),
        ("1.5k", "--evaluate-at: got '1.5k', expected"),
        ("²", "--evaluate-at: got '²', expected"),
        ("10k,10000", "--evaluate-at: got '10k,10000', which names step 10,000 twice"),
    ],
)
def test_bad_steps_are_refused(text, message):
    with pytest.raises(ValueError) as error:
        milestones.parse(text)
    assert message in str(error.value)


def test_steps_from_the_end_on_are_left_out_and_told():
    told = "--evaluate-at 40, 1,000: left out, runs end after 40 steps and are scored there anyway"
    assert milestones.within([10, 40, 1000], runs("vae", "noise")) == ([10], told)
    assert milestones.within([10], runs()) == ([10], "")
    assert milestones.within([], runs("noise")) == milestones.within([], []) == ([], "")


def test_a_milestone_is_the_end_of_a_shorter_run(tmp_path):
    (record,) = go(tmp_path / "long", runs("mcevae"), at=[10], metrics=["mig", "nmi"], blocks=["each"])
    (short,) = go(tmp_path / "short", runs("mcevae", steps=10), at=[], metrics=["mig", "nmi"], blocks=["each"])
    long, end = Store(tmp_path / "long").path(record["run"]), Store(tmp_path / "short").path(short["run"])
    there, here = np.load(long / "codes-10.npz"), np.load(end / "codes.npz")
    assert set(there.files) == set(here.files)
    for name in here.files:
        np.testing.assert_array_equal(there[name], here[name], name)
    first, second = weights(long / "model-10.safetensors"), weights(end / "model.safetensors")
    assert set(first) == set(second) and all((first[name] == second[name]).all() for name in first)
    own = [{**row, "seconds": 0} for row in short["scores"] if row["metric"] != "canonical_reconstruction"]
    assert [{**row, "seconds": 0} for row in record["milestones"]] == [{"step": 10, **row} for row in own]
    assert {row["metric"] for row in own} >= {"mig", "nmi.kmeans", "nmi.own", "reconstruction", "kl", "elbo"}


def test_the_end_is_the_same_with_and_without(tmp_path):
    with_, without = go(tmp_path / "a", runs("vae", "noise")), go(tmp_path / "b", runs("vae", "noise"), at=[])
    assert (tmp_path / "a" / "results.csv").read_text() == (tmp_path / "b" / "results.csv").read_text()
    assert [r["run"] for r in with_] == [r["run"] for r in without]
    assert [len(r["milestones"]) for r in with_ + without] == [2 * 5, 0, 0, 0]
    assert not (tmp_path / "b" / "milestones.parquet").exists()


def test_the_table_has_a_row_a_number_a_step(tmp_path):
    records = go(tmp_path, runs("vae", "noise", seeds=2))
    table = pd.read_parquet(tmp_path / "milestones.parquet")
    assert list(table) == list(schema.MILESTONES) == ["run", "step", *list(schema.SCORES)[1:]]
    assert {c: str(kind) for c, kind in table.dtypes.items() if c in ("step", "value", "n")} == {
        "step": "Int64",
        "value": "Float64",
        "n": "Int64",
    }
    assert sorted(set(zip(table.run, table.step))) == sorted((r["run"], s) for r in records[:2] for s in (10, 30))
    row = table.query("metric == 'mig' and step == 30").iloc[0]
    held = read_codes(Store(tmp_path).path(row.run) / "codes-30.npz")
    assert row.value == mig(held.codes, held.factors) and row.n == 60 and row.block == "all"
    go(tmp_path, runs("vae", "noise", seeds=2), at=[], rerun="all")
    assert not (tmp_path / "milestones.parquet").exists() and not list(tmp_path.rglob("*-10.*"))


def test_stacked_and_alone_reach_the_same_milestones(tmp_path):
    planned = runs(*(BetaVAE(beta=b) for b in (1, 8)), seeds=2)
    assert numbers(go(tmp_path / "one", planned)) == numbers(go(tmp_path / "four", planned, stack="4"))


class Killed(BaseException):
    pass


def die_at(monkeypatch, moment):
    """Let the process die once at this step of training, or soon after; until then each step is kept."""
    monkeypatch.setenv("BENCH_CHECKPOINT_SECONDS", "0")
    save = engine.checkpoint.save

    def dying(member, *rest):
        if member.t >= moment:
            monkeypatch.setattr(engine.checkpoint, "save", save)
            raise Killed
        save(member, *rest)

    monkeypatch.setattr(engine.checkpoint, "save", dying)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder of two runs that nothing cut short, and their records."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, go(folder, runs(seeds=2), stack="2")


@pytest.mark.parametrize("moment", [5, 10, pytest.param(11, marks=THOROUGH), pytest.param(30, marks=THOROUGH), 35])
def test_killed_and_gone_on_is_uninterrupted(tmp_path, monkeypatch, moment, whole):
    """Also when the checkpoint is from before a milestone whose codes were written: 10 and 30."""
    die_at(monkeypatch, moment)
    with pytest.raises(Killed):
        go(tmp_path / "cut", runs(seeds=2), stack="2")
    written = sorted(path.name for path in (tmp_path / "cut").rglob("codes-*.npz"))
    assert written == ["codes-10.npz"] * 2 * (moment >= 10) + ["codes-30.npz"] * 2 * (moment >= 30)
    again = go(tmp_path / "cut", runs(seeds=2), stack="2")
    assert numbers(again) == numbers(whole[1])
    for path in whole[0].rglob("codes-*.npz"):
        first, second = np.load(path), np.load(tmp_path / "cut" / path.relative_to(whole[0]))
        assert all((first[name] == second[name]).all() for name in first.files)
    assert milestones.missed([10, 30], Store(tmp_path / "cut"), again) == ""


def test_a_milestone_that_training_had_passed_is_told(tmp_path, monkeypatch):
    die_at(monkeypatch, 20)
    with pytest.raises(Killed):
        go(tmp_path, runs(), at=[])
    records = go(tmp_path, runs())
    assert {row["step"] for row in records[0]["milestones"]} == {30} and records[0]["status"] == "done"
    told = "--evaluate-at 10: 1 runs had trained past that before; --rerun all trains them anew"
    assert milestones.missed([10, 30], Store(tmp_path), records) == told
    assert milestones.missed([30], Store(tmp_path), records) == ""
    assert milestones.missed([10], Store(tmp_path), go(tmp_path / "noise", runs("noise"))) == ""


def test_codes_of_a_training_that_begins_anew_are_removed(tmp_path):
    (record,) = go(tmp_path, runs())
    store, folder = Store(tmp_path), Store(tmp_path).path(record["run"])
    (folder / "checkpoint.safetensors").touch()
    store.forget(record["run"], checkpoint=False)
    kept = {"best.safetensors", *(f"{kind}-{step}.{end}" for step in (10, 30) for kind, end in FILES)}
    assert {path.name for path in folder.iterdir()} == kept | {"checkpoint.safetensors"}
    store.forget(record["run"], checkpoint=True)
    assert not list(folder.iterdir())


FILES = [("codes", "npz"), ("model", "safetensors")]


def test_missing_numbers_of_milestones_are_filled_in(tmp_path):
    (first,) = go(tmp_path, runs())
    assert go(tmp_path, runs()) == [first]
    (more,) = go(tmp_path, runs(), metrics=["mig", "modularity"])
    assert more["finished"] == first["finished"]
    kept = [row for row in more["milestones"] if row["metric"] != "modularity"]
    assert kept == first["milestones"] and len(more["milestones"]) == len(kept) + 2
    store = Store(tmp_path)
    assert rescore_all(store, ["sap"], {}, [], lambda message: None) == (1, 1, [])
    assert {"sap", "sap.tree"} <= set(pd.read_parquet(tmp_path / "milestones.parquet").metric)
    assert rescore_all(store, ["sap"], {}, [], lambda message: None)[0] == 0


def test_damaged_codes_of_a_milestone_keep_their_numbers(tmp_path, caplog):
    (first,) = go(tmp_path, runs())
    folder = Store(tmp_path).path(first["run"])
    (folder / "codes-10.npz").write_bytes(b"PK")
    (folder / "codes-30.npz").unlink()
    (again,) = go(tmp_path, runs(), metrics=["mig", "modularity"])
    assert again["milestones"] == first["milestones"]
    assert "codes-10.npz: expected a readable .npz file" in caplog.text and "stays" in caplog.text


def test_a_diverged_run_keeps_the_milestones_before(tmp_path, monkeypatch):
    from disentangle_bench.training.stack import Stack

    advance = Stack.advance

    def diverging(stack, upto):
        advance(stack, upto)
        if upto >= 20:
            stack.members[0].status = "diverged"

    monkeypatch.setattr(Stack, "advance", diverging)
    (record,) = go(tmp_path, runs())
    assert record["status"] == "diverged" and record["scores"] == []
    assert {row["step"] for row in record["milestones"]} == {10}
    assert milestones.missed([10, 30], Store(tmp_path), [record]) == ""
    monkeypatch.undo()
    (more,) = go(tmp_path, runs(), metrics=["mig", "modularity"])
    assert [row["metric"] for row in more["milestones"]][-1] == "modularity" and more["status"] == "diverged"


def test_checkpoints_are_of_one_run(tmp_path, monkeypatch):
    """What `work` says of a run is what its checkpoint must agree with."""
    told = []
    monkeypatch.setattr(engine, "train", lambda jobs, *of, **options: told.extend(jobs) or 1 / 0)
    (run,) = runs(BetaVAE(beta=8))
    go(tmp_path, [run])
    assert json.loads(json.dumps(told[0].identity)) == {
        "model": "betavae",
        "version": run.version,
        "params": dict(run.params),
        "dataset_sha256": run.dataset_sha256,
        "seed": 0,
        "steps": STEPS,
        "batch": 8,
        "precision": "fp32",
    }
