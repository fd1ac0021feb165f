"""The option `labels` of every data set: how it is said, which images it lets a run know, and what the engine draws."""

import dataclasses

import numpy as np
import pytest
import torch

from disentangle_bench.datasets import called, load
from disentangle_bench.models.classifier import Classifier
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.settings import with_options
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack
from disentangle_bench.training.stream import Stream

CPU = torch.device("cpu")
SHIFTED = "toy(correlate=scale:posX:0.1, holdout=shape:2, labels=30)"


def stream(seed):
    return Stream(seed, "draws", CPU)


def apart(data, rows):
    """How far scale and posX are from each other, as shares of their ranges."""
    return abs(data.factors[rows, 1] / 2 - data.factors[rows, 2] / 7).mean()


@pytest.fixture(scope="module")
def some():
    return load("toy(labels=30)")


# How it is said


@pytest.mark.parametrize(
    ("text", "canonical", "told"),
    [
        ("30", "30", 30),
        ("1e2", "100", 100),
        ("100.0", "100", 100),
        (" 030 ", "30", 30),
        ("576", "576", 576),
        ("0.10", "0.1", 57),
        (".1", "0.1", 57),
        ("1", "1", 576),
        ("1.0", "1", 576),
    ],
)
def test_a_number_has_one_spelling_and_up_to_one_it_is_a_share(text, canonical, told):
    assert called(f"toy(labels={text})") == (f"toy(labels={canonical})", "")
    data = load(f"toy(labels={text})")
    assert data.labels == float(canonical) and len(data.known(0)) == told and data.name == "toy"


@pytest.mark.parametrize("text", ["-30", "0", "3.5", "many", "nan", "inf", "", "30:40"])
def test_what_is_no_number_of_images_is_refused_by_the_name_of_the_set(text):
    message = f"toy.labels: got '{text}', expected a fraction up to 1, or a whole number of images"
    with pytest.raises(ValueError, match=message):
        load(f"toy(labels={text})")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("labels=577", "^toy: labels=577: .*whole number up to 576"),
        ("labels=2", "^toy: labels=2: .*means 0 images of shape .*, expected 1 to 192"),
        ("labels=0.002", "^toy: labels=0.002: .*means 0 images of shape 0, expected 1 to 192"),
        ("labels=385, holdout=shape:2", "^toy: labels=385: .*whole number up to 384"),
        ("label=30", "unknown option of toy 'label'; did you mean 'labels'"),
    ],
)
def test_labels_that_the_set_does_not_have_are_refused_before_anything_is_drawn(options, message):
    with pytest.raises(ValueError, match=message):
        load(f"toy({options})")


def test_a_setting_of_every_data_set_ends_up_in_its_name():
    assert with_options(["toy", "digits"], ["data.labels=100"]) == ["toy(labels=100)", "digits(labels=100)"]
    assert with_options(["toy"], ["toy.labels=1e2,0.50"]) == ["toy(labels=100)", "toy(labels=0.5)"]
    assert with_options(["toy(holdout=shape:2)"], ["data.labels=30"]) == ["toy(holdout=shape:2, labels=30)"]
    with pytest.raises(ValueError, match=r"toy.labels: got 'ten'"):
        with_options(["toy"], ["data.labels=ten"])


def test_runs_that_are_told_more_are_other_runs_whatever_the_spelling():
    names = ["toy", "toy(labels=30)", "toy(labels=3e1)", "toy(labels=60)"]
    runs = Study([Classifier()], names, seeds=[0]).runs()
    assert [run.dataset for run in runs] == ["toy", "toy(labels=30)", "toy(labels=60)"]
    assert len({run.id for run in runs}) == 3 and len({run.dataset_sha256 for run in runs}) == 1


# Which images a run may know


def test_known_images_depend_on_the_seed_of_the_run_alone(some):
    first = some.known(0)
    np.testing.assert_array_equal(first, load("toy(labels=30)").known(0))
    assert (np.diff(first) > 0).all() and (np.bincount(some.factors[first, 0]) == 10).all()
    assert len(set(first) & set(some.known(1))) < 10


def test_without_the_option_all_training_images_are_known():
    held = dataclasses.replace(load("toy(holdout=shape:1)"), fit=500)
    rows = np.arange(500)
    np.testing.assert_array_equal(held.known(3), rows[held.factors[:500, 0] != 1])
    assert held.told(3) is held


@pytest.mark.parametrize("labels", [30.0, 0.2])
def test_known_images_are_images_that_training_sees(labels):
    for options in ({"fit": 450}, {"weight": np.arange(576) % 5 < 2.0}, {"label": None, "fit": 300}):
        held = dataclasses.replace(load("toy"), labels=labels, **options)
        rows = held.known(0)
        assert rows.max() < (held.fit or 576)
        assert held.weight is None or held.weight[rows].all()
        seen = len(dataclasses.replace(held, labels=None).known(0))
        assert len(rows) == (30 if labels > 1 else pytest.approx(0.2 * seen, abs=1.5))


def test_known_images_of_shifted_data_are_as_correlated_as_training_and_none_is_held_out():
    data = load(SHIFTED)
    rows = data.known(0)
    assert data.shift == "correlate=scale:posX:0.1, holdout=shape:2" and data.labels == 30
    assert (np.bincount(data.factors[rows, 0]) == 15).all()
    assert apart(data, rows) < 0.12 < 0.35 < apart(data, load("toy(labels=30)").known(0))


def test_groups_of_what_is_told_hold_told_images_alone(some):
    for data in (some, load(SHIFTED), dataclasses.replace(some, fit=450)):
        told = data.told(4)
        rows = told.groups(300, 4, np.random.default_rng(0))
        assert set(rows.ravel()) == set(data.known(4)) == set(told.known(9))
        assert (data.factors[rows, 0] == data.factors[rows[:, :1], 0]).all()
        assert told.labels is None and told.scored.tolist() == data.scored.tolist()
    with pytest.raises(ValueError, match="size is 11; shape 0 of data set 'toy' has 10 images for training"):
        some.told(0).groups(1, 11, np.random.default_rng(0))


# What the engine draws


def test_the_engine_draws_labelled_images_from_those_of_the_seed_each_alike(some):
    data = Resident(some, CPU)
    for seed in (0, 1):
        rows, counts = data.labelled(30_000, stream(seed)).unique(return_counts=True)
        assert rows.tolist() == some.known(seed).tolist()
        assert abs(counts - 1000).max() < 5 * 1000**0.5
    assert (data.known, data.told) == (30, 30 / 576)
    assert not set(data.rows(300, stream(0)).tolist()) <= set(some.known(0).tolist())


def test_where_all_is_told_labelled_images_come_as_training_draws_them():
    plain = load("toy(correlate=scale:posX:0.1, holdout=shape:2)")
    data = Resident(plain, CPU)
    assert torch.equal(data.labelled(500, stream(3)), data.rows(500, stream(3)))
    assert data.told == 1 and data.known == (plain.weight > 0).sum()


def test_the_share_that_is_told_is_one_of_training_images():
    held = Resident(dataclasses.replace(load("toy"), fit=400, labels=40.0), CPU)
    assert held.told == 0.1
    assert Resident(load("toy(holdout=shape:2, labels=96)"), CPU).told == 0.25


def test_groups_and_contrasts_of_the_engine_show_told_images_alone(some):
    data = Resident(dataclasses.replace(some, labels=300.0), CPU)
    for seed in (0, 1):
        known = set(data.data.known(seed).tolist())
        for rows in data.groups(500, 3, stream(seed), None), data.contrasts(50, 2, stream(seed)):
            assert set(rows.flatten().tolist()) <= known
    assert data.data.known(0).tolist() != data.data.known(1).tolist()


def test_some_are_all_that_is_told_or_a_fixed_choice_of_it(some):
    data = Resident(some, CPU)
    assert data.some(100, stream(2)).tolist() == some.known(2).tolist()
    few = data.some(12, stream(2))
    assert len(few) == 12 and (few.diff() > 0).all() and set(few.tolist()) < set(some.known(2).tolist())
    assert torch.equal(few, Resident(some, CPU).some(12, stream(2)))


def test_shares_of_factors_go_from_zero_to_one(some):
    shares = Resident(some, CPU, torch.float64).shares(torch.tensor([0, 575, 64]))
    expected = torch.tensor([[0, 0, 0, 0], [1, 1, 1, 1], [0, 0.5, 0, 0]], dtype=torch.float64)
    assert torch.equal(shares, expected)


@pytest.mark.parametrize("way", ["sequential", "vmap"])
def test_seeds_of_one_stack_draw_from_their_own_labels_and_are_as_if_alone(some, way):
    seen = {0: set(), 1: set()}

    class Watched(Resident):
        def labelled(self, n, rng):
            rows = super().labelled(n, rng)
            seen[rng.seed].update(rows.tolist())
            return rows

    stack = Stack([(Classifier(), 0), (Classifier(), 1)], Watched(some, CPU, torch.float64), 16, way=way)
    stack.advance(25)
    assert seen == {seed: set(some.known(seed).tolist()) for seed in (0, 1)}
    alone = Stack([(Classifier(), 1)], Resident(some, CPU, torch.float64), 16)
    alone.advance(25)
    together, single = ([value for *_, value in members[-1].log] for members in (stack.members, alone.members))
    assert together == pytest.approx(single, rel=1e-9)
