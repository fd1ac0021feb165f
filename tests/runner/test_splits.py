"""Runs on shifted data are scored on all images, on the training distribution and on what training never saw."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from disentangle_bench import rng, schema
from disentangle_bench.datasets import load
from disentangle_bench.metrics import mig
from disentangle_bench.models.pca import PCA
from disentangle_bench.runner import run as runner
from disentangle_bench.runner import splits
from disentangle_bench.runner.codes import read_codes, write_codes
from disentangle_bench.runner.outcome import Sample, write_samples
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.rescore import numbers
from disentangle_bench.runner.score import FACTS, fact
from disentangle_bench.runner.selection import with_elbo
from disentangle_bench.runner.store import Store
from disentangle_bench.schema import ALL, HELD_OUT, SPLITS, TRAIN

SHIFT = "correlate=scale:posX:0.2, holdout=shape:2+posY:4-7"
WORDS = {
    ALL: f"images=all, trained on {SHIFT}",
    TRAIN: f"images=train distribution, {SHIFT}",
    HELD_OUT: f"images=never seen in training, {SHIFT}",
}


@pytest.fixture(scope="module")
def data():
    return load(f"toy({SHIFT})")


def weighted(weight, **changes):
    return dataclasses.replace(load("toy"), weight=np.asarray(weight, float), shift="by hand", **changes)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of runs on shifted data, and their records by model and seed."""
    folder = tmp_path_factory.mktemp("shifted") / "toy"
    question = Study(["vae", "oracle", "pca", "noise"], [f"toy({SHIFT})"], range(2), steps=4, batch=8, rows=90)
    metrics = ["mig", "cluster_accuracy"]
    plan = runner.plan(question.runs(), Store(folder), study="test", metrics=metrics, blocks=["each"], stack="1")
    records = runner.execute(plan, Store(folder), on="here", evaluate_at=[2])
    return folder, {(record["model"], record["seed"]): record for record in records}


@pytest.fixture
def copy(made, tmp_path):
    """A store of one finished run that a test may break, and its record."""
    folder, records = made
    record = records["vae", 0]
    store = Store(tmp_path).open()
    for path in (folder / "runs" / record["run"]).iterdir():
        (store.path(record["run"]) / path.name).write_bytes(path.read_bytes())
    return store, record


def only(rows, split, metric=None):
    return [row for row in rows if row["split"] == split and metric in (None, row["metric"])]


# which rows


def test_data_without_a_shift_have_one_split():
    rows = splits.samples(load("toy"), 50)
    assert list(rows) == [ALL] and (rows[ALL] == splits.evaluation_rows(load("toy"), 50)).all()


def test_rows_of_each_split(data):
    rows = splits.samples(data, 90)
    assert list(rows) == list(SPLITS) and [len(rows[split]) for split in SPLITS] == [90, 90, 90]
    assert (rows[ALL] == splits.samples(load("toy"), 90)[ALL]).all()  # whatever was trained on
    assert (data.weight[rows[TRAIN]] > 0).all()
    assert (data.weight[rows[HELD_OUT]] == 0).all() and len(set(rows[HELD_OUT])) == 90
    assert all((rows[split] == again).all() for split, again in splits.samples(data, 90).items())
    assert len(splits.samples(data, 500)[HELD_OUT]) == (data.weight == 0).sum() == 96  # all that there are


def test_training_rows_come_as_often_as_their_weight():
    weight = np.repeat([3.0, 1.0, 0.0], 192)
    share = (splits.samples(weighted(weight), 576)[TRAIN] < 192).mean()
    assert abs(share - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 576)


def test_a_single_unseen_row_is_no_split():
    weight = np.ones(576)
    weight[7] = 0
    assert list(splits.samples(weighted(weight), 50)) == [ALL, TRAIN]
    weight[8] = 0
    assert sorted(splits.samples(weighted(weight), 50)[HELD_OUT]) == [7, 8]


def test_only_rows_that_may_be_scored_are_drawn():
    rows = splits.samples(weighted(np.arange(576) % 2, fit=300), 100)
    assert all(min(own) >= 300 for own in rows.values()) and len(rows) == 3


# files


def test_each_split_has_a_file_of_its_own(tmp_path, data):
    path = tmp_path / "codes-30.npz"
    assert splits.file(path, ALL) == path and splits.file(path, TRAIN).name == "codes-30@train.npz"
    assert list(splits.files(path)) == [ALL]
    for split, rows in splits.samples(data, 20).items():
        arrays = {"mean": np.zeros((20, 3), np.float32)}
        write_codes(path, arrays, data, rows, {"z": 3}, {"kl": 1.5}, split)
        held = read_codes(splits.file(path, split))
        assert (held.split, held.shift) == (split, SHIFT) and (held.factors == data.table[rows]).all()
    assert {split: file.name for split, file in splits.files(path).items()} == {
        ALL: "codes-30.npz",
        TRAIN: "codes-30@train.npz",
        HELD_OUT: "codes-30@held-out.npz",
    }


def test_codes_without_a_shift_are_stored_as_ever(tmp_path):
    write_codes(tmp_path / "codes.npz", {"mean": np.zeros((5, 3))}, load("toy"), np.arange(5), {"z": 3}, {})
    with np.load(tmp_path / "codes.npz") as held:
        assert set(held.files) == {"mean", "rows", "factors", "names", "periods", "label", "blocks", "facts"}
    assert (read_codes(tmp_path / "codes.npz").split, read_codes(tmp_path / "codes.npz").shift) == (ALL, "")


def test_weights_without_words_are_a_shift_too(tmp_path):
    data = dataclasses.replace(weighted(np.arange(576)), shift="")
    assert splits.images(TRAIN, splits.shift(data)) == "images=train distribution, rows by weight"


def test_codes_of_all_images_are_written_last(tmp_path, monkeypatch, data):
    """So that where they are, nothing is missing."""
    written = []
    monkeypatch.setattr("disentangle_bench.runner.codes.save_arrays", lambda path, arrays: written.append(path.name))
    samples = {split: Sample(rows, {}, {}) for split, rows in splits.samples(data, 20).items()}
    write_samples(tmp_path / "codes.npz", samples, data, {})
    assert written == ["codes@held-out.npz", "codes@train.npz", "codes.npz"]


def test_an_unknown_split_is_refused(tmp_path):
    np.savez(tmp_path / "codes.npz", mean=np.zeros((5, 3)), factors=np.zeros((5, 1)), split="test")
    with pytest.raises(ValueError, match=r"codes.npz: `split` is 'test', expected one of all, train, held-out"):
        read_codes(tmp_path / "codes.npz")


# numbers


@pytest.mark.filterwarnings("ignore::disentangle_bench.metrics._dependence.CorrelatedFactors")
def test_every_number_is_of_its_own_images(made, data):
    folder, records = made
    for (model, _), record in records.items():
        rows = splits.samples(data, 90)
        for split, file in splits.files(Store(folder).codes(record["run"])).items():
            held = read_codes(file)
            assert (held.factors == data.table[rows[split]]).all()
            (row,) = [row for row in only(record["scores"], split, "mig") if row["block"] == ALL]
            vary = held.factors[:, np.ptp(held.factors, axis=0) > 0]
            assert row["value"] == mig(held.codes, vary) and row["n"] == 90, (model, split)
            assert ("depend on each other" in row["warning"]) == (split == TRAIN)
        assert {row["split"] for row in record["scores"]} == set(SPLITS)


def test_every_row_says_of_which_images_it_is(made):
    folder, records = made
    rows = [row for record in records.values() for row in record["scores"] + record["milestones"]]
    assert all(row["convention"].endswith(WORDS[row["split"]]) for row in rows)
    table = pd.read_csv(folder / "results.csv")
    assert (
        table.convention.str.contains(SHIFT, regex=False).all()
        and not table.duplicated(["run", "metric", "block", "split"]).any()
    )


def test_facts_are_of_each_split(made):
    scores = made[1]["vae", 0]["scores"]
    for split in SPLITS:
        facts = {row["metric"]: row for row in only(scores, split) if row["call"] == "training"}
        assert set(facts) == {*FACTS, "elbo"}
        assert facts["elbo"]["value"] == -facts["reconstruction"]["value"] - facts["kl"]["value"]
    assert len({only(scores, split, "reconstruction")[0]["value"] for split in SPLITS}) == 3


def test_udr_is_of_all_images(made):
    for record in made[1].values():
        assert {row["split"] for row in record["scores"] if row["metric"].startswith("udr")} == {ALL}


def test_milestones_have_every_split(made):
    record = made[1]["vae", 1]
    assert {(row["step"], row["split"]) for row in record["milestones"]} == {(2, split) for split in SPLITS}
    for split in SPLITS:
        assert {row["metric"] for row in only(record["milestones"], split)} >= {"mig", "kl", "elbo", "reconstruction"}


def test_controls_see_what_they_may(made, data):
    folder, records = made
    held = {model: splits.files(Store(folder).codes(records[model, 0]["run"])) for model in ("oracle", "pca")}
    rows = splits.samples(data, 90)
    for split, file in held["oracle"].items():
        assert (read_codes(file).codes == data.table[rows[split]]).all()
        assert only(records["oracle", 0]["scores"], split, "cluster_accuracy.own")[0]["value"] == (
            None if split == HELD_OUT else 1.0
        )
    same = dict(zip(rows[ALL], read_codes(held["pca"][ALL]).codes))  # a row's code is the same in every split
    again = [(same[row], code) for row, code in zip(rows[TRAIN], read_codes(held["pca"][TRAIN]).codes) if row in same]
    assert len(again) > 5 and all((one == other).all() for one, other in again)


def test_components_are_those_of_the_training_distribution():
    data, shown = weighted(load("toy").factors[:, 0] == 0), np.arange(8)
    images = data.take(np.arange(576)).reshape(576, -1) / 255.0
    seen = images[data.rows(576, rng.stream(3, "components"))]
    _, _, v = np.linalg.svd(seen - seen.mean(0), full_matrices=False)
    expected = np.abs((images - seen.mean(0)) @ v[:2].T)
    for rows in np.arange(576), np.arange(300, 310):
        codes = PCA(2).represent(data, rows, shown, 3)["codes"]
        np.testing.assert_allclose(np.abs(codes), expected[rows], atol=1e-3)
    own = PCA(2).represent(load("toy"), np.arange(576), shown, 3)["codes"]
    assert np.abs(np.abs(own) - expected).max() > 0.1


def test_a_label_with_one_value_is_no_perfect_score(made):
    """Held out are images of one shape: whatever the clusters are, they agree with it."""
    (row,) = only(made[1]["noise", 0]["scores"], HELD_OUT, "cluster_accuracy.kmeans")
    assert row["value"] is None and row["error"].startswith("undefined: labels: shape has a single value")
    (row,) = only(made[1]["noise", 0]["scores"], ALL, "cluster_accuracy.kmeans")
    assert row["value"] < 0.7


@pytest.mark.parametrize(("split", "begins"), [(ALL, "ValueError: factors"), (HELD_OUT, "undefined: factors")])
def test_images_that_are_too_alike_are_no_failure_of_a_split(tmp_path, split, begins):
    data = weighted(np.arange(576) > 3)
    rows = np.zeros(4, int)
    write_codes(tmp_path / "codes.npz", {"mean": np.zeros((4, 2))}, data, rows, {}, {})
    write_codes(tmp_path / "codes.npz", {"mean": np.zeros((4, 2))}, data, rows, {}, {}, split)
    (row,) = only(numbers(tmp_path / "codes.npz", ["mig"], {}), split)
    assert row["value"] is None and row["error"].startswith(begins)
    assert schema.broken(row["error"]) == (split == ALL)


def test_an_elbo_says_of_which_images_it_is():
    rows = [fact(name, 1.0, 10, FACTS[name], TRAIN, "holdout=shape:2") for name in FACTS]
    (row,) = only(with_elbo(rows), TRAIN, "elbo")
    assert row["value"] == -2.0 and row["convention"].endswith("; images=train distribution, holdout=shape:2")
    assert with_elbo(with_elbo(rows)) == with_elbo(rows)
