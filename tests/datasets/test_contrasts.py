"""Pairs of sets that tell one factor apart: which value they share, which rows they come from, what is refused."""

import dataclasses

import numpy as np
import pytest
import torch

from disentangle_bench.datasets import _contrasts, load
from disentangle_bench.datasets._factored import FactoredData
from disentangle_bench.datasets._shift import shifted
from disentangle_bench.training.resident import POOL, Resident
from disentangle_bench.training.stream import Stream


def rng(seed=0):
    return np.random.default_rng(seed)


def table(factors, kinds, levels=None):
    """A set of empty images with these factors; continuous ones are drawn."""
    factors = np.array(factors)
    levels = levels or tuple(np.arange(column.max() + 1.0) for column in factors.T)
    exact = np.where(np.array(kinds) == "continuous", rng().random(factors.shape), factors)
    pixels, exact = np.zeros((len(factors), 4, 4, 1), np.uint8), exact if "continuous" in kinds else None
    names = tuple("abc"[: len(kinds)])
    return FactoredData("table", pixels, factors, levels, names, kinds, "made", "0" * 64, exact=exact)


def told_apart(data, sets):
    """Factors (n, f) of which both sets have one value each, and not the same."""
    values = data.factors[sets]  # (n, 2, size, f)
    return (values == values[:, :, :1]).all((1, 2)) & (values[:, 0, 0] != values[:, 1, 0])


@pytest.fixture(scope="module")
def toy():
    return load("toy")


@pytest.fixture(scope="module", params=["grid", "rows", "shifted", "split"])
def data(request, toy):
    rows = rng(7).permutation(len(toy))[:384]
    some = dataclasses.replace(toy, pixels=toy.pixels[rows], factors=toy.factors[rows], home=None)
    held = shifted(toy, correlate="posX:posY:0.2", holdout="shape:2+scale:1")
    return {"grid": toy, "rows": some, "shifted": held, "split": dataclasses.replace(some, fit=300)}[request.param]


def test_both_sets_have_a_value_each_of_exactly_one_factor_and_it_is_another(data):
    sets = data.contrasts(600, 8, rng())
    assert sets.shape == (600, 2, 8)
    assert (told_apart(data, sets).sum(1) == 1).all()


def test_every_factor_is_told_apart_as_often_as_the_other(data):
    counts = told_apart(data, data.contrasts(2000, 8, rng())).sum(0)
    assert abs(counts - 500).max() < 4 * np.sqrt(500)


def test_images_of_a_set_are_different_ones_and_of_those_that_training_sees(data):
    sets = data.contrasts(600, 8, rng())
    assert all(len(set(part)) == 8 for part in sets.reshape(-1, 8))
    seen = np.arange(len(data)) < (data.fit or len(data))
    assert seen[sets].all() and (data.weight is None or data.weight[sets].all())
    assert len(np.unique(sets)) > 0.7 * (seen if data.weight is None else data.weight > 0).sum()


def test_the_other_set_has_any_other_value_alike(toy):
    sets = toy.contrasts(16_000, 4, rng())
    x = told_apart(toy, sets)[:, 2]
    step = (toy.factors[sets[x, 1, 0], 2] - toy.factors[sets[x, 0, 0], 2]) % 8
    counts = np.bincount(step, minlength=8)
    assert counts[0] == 0 and abs(counts[1:] - x.sum() / 7).max() < 4 * np.sqrt(x.sum() / 7)


def test_a_full_turn_is_the_same_value():
    """Orientations 0 and 4 of five look alike, as the first and the last of dSprites do."""
    turn = (np.linspace(0, 2 * np.pi, 5),)
    data = table(np.repeat(np.arange(5), 6)[:, None], ("cyclic",), turn)
    sets = data.contrasts(2000, 3, rng())
    pairs = {tuple(pair) for pair in data.factors[sets[:, :, 0], 0]}
    assert pairs == {(a, b) for a in range(5) for b in range(5) if a % 4 != b % 4}


def test_factors_without_classes_or_with_one_alone_are_not_told_apart():
    kinds, factors = ("ordered", "categorical", "continuous"), [[i % 3, 0, i % 4] for i in range(60)]
    data = table(factors, kinds)
    assert told_apart(data, data.contrasts(200, 5, rng()))[:, 0].all()
    left = table(np.array(factors)[:, 1:], kinds[1:])
    with pytest.raises(ValueError, match="contrasts: data set 'table' has no factor with several classes"):
        left.contrasts(1, 2, rng())


def test_a_value_of_too_few_images_is_named():
    data = table([[0]] * 9 + [[1]] * 3, ("categorical",))
    assert set(data.contrasts(50, 3, rng())[:, :, 0].ravel() // 9) == {0, 1}
    with pytest.raises(ValueError, match="size is 4; a 1 of data set 'table' has 3 images for training"):
        data.contrasts(1, 4, rng())


def test_a_factor_of_which_training_sees_one_value_is_named(toy, monkeypatch):
    monkeypatch.setattr(_contrasts, "ROUNDS", 20)
    seen = shifted(toy, holdout="scale:1-2")
    with pytest.raises(ValueError, match="contrasts: training sees no two values of scale of data set 'toy'"):
        seen.contrasts(40, 4, rng())


def test_the_engine_draws_from_a_fixed_choice_of_pairs_whoever_asks(toy):
    held, CPU = Resident(toy, torch.device("cpu")), torch.device("cpu")
    first, second = (held.contrasts(5000, 64, Stream(seed, "draws", CPU)).numpy() for seed in (3, 4))
    assert first.shape == (5000, 2, 64) and (told_apart(toy, first).sum(1) == 1).all()
    kept = POOL // 64
    assert 0.9 * kept < len(set(map(bytes, first))) <= len(set(map(bytes, first)) | set(map(bytes, second))) <= kept


def test_a_run_that_is_told_of_some_images_draws_contrasts_of_these_alone():
    held = Resident(load("toy(labels=300)"), torch.device("cpu"))
    for seed in (0, 1):
        sets = held.contrasts(3000, 4, Stream(seed, "draws", torch.device("cpu"))).numpy()
        assert set(np.unique(sets)) <= set(held.data.known(seed)) and len(np.unique(sets)) > 290
    assert set(held.data.known(0)) != set(held.data.known(1))
