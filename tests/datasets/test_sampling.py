"""Pairs, groups, labelled images and clips: on a full grid, on a table of some combinations, on shifted data."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from disentangle_bench.datasets import _shelves, load
from disentangle_bench.datasets._factored import FactoredData
from disentangle_bench.datasets._shift import shifted


def rng(seed=0):
    return np.random.default_rng(seed)


def table(factors, kinds=("categorical", "ordered", "ordered")):
    """A set of empty images with these factors."""
    factors = np.array(factors)
    levels = tuple(np.arange(column.max() + 1.0) for column in factors.T)
    pixels = np.zeros((len(factors), 4, 4, 1), np.uint8)
    return FactoredData("table", pixels, factors, levels, tuple("abc"), kinds, "made", "0" * 64, label="a")


@pytest.fixture(scope="module")
def toy():
    return load("toy")


@pytest.fixture(scope="module")
def some(toy):
    """Two thirds of the toy's rows, in another order: no grid."""
    rows = rng(7).permutation(len(toy))[:384]
    return dataclasses.replace(toy, pixels=toy.pixels[rows], factors=toy.factors[rows], home=None)


@pytest.fixture(scope="module", params=["toy", "some", "shifted"])
def data(request, toy, some):
    held = shifted(toy, correlate="posX:posY:0.2", holdout="shape:2+scale:1")
    return {"toy": toy, "some": some, "shifted": held}[request.param]


@pytest.mark.parametrize("k", [1, 2, None])
def test_pairs_differ_in_just_the_factors_that_they_say(data, k):
    first, second, changed = data.pairs(500, rng(), k=k)
    np.testing.assert_array_equal(data.factors[first] != data.factors[second], changed)
    counts = changed.sum(1)
    assert set(counts) == ({1, 2, 3} if k is None else {k})
    if data.weight is not None:
        assert data.weight[first].all() and data.weight[second].all()


def test_every_set_of_factors_changes_as_often_as_the_other(toy):
    changed = toy.pairs(6000, rng(), k=2).changed
    counts = np.unique(changed, axis=0, return_counts=True)[1]
    assert len(counts) == 6 and abs(counts - 1000).max() < 4 * np.sqrt(1000)


def test_a_changed_value_is_uniform_among_the_others(toy):
    first, second, _ = toy.pairs(8000, rng(), k=1, among=["posX"])
    step = (toy.factors[second, 2] - toy.factors[first, 2]) % 8
    counts = np.bincount(step, minlength=8)
    assert counts[0] == 0 and abs(counts[1:] - 8000 / 7).max() < 4 * np.sqrt(8000 / 7)


def test_partners_come_as_often_as_training_sees_them(toy):
    data = shifted(toy, correlate="posX:posY:0.2")
    _, second, _ = data.pairs(40_000, rng(), k=1, among=["posX"])
    y3 = second[data.factors[second, 3] == 3]
    near = np.abs(data.factors[y3, 2] - 3).mean()
    uniform = np.abs(np.arange(8) - 3).mean()
    assert near < 0.75 * uniform  # those close to the diagonal


def test_orientations_a_full_turn_apart_are_no_different_values():
    angles = np.linspace(0, 2 * np.pi, 5)  # the last is the first again
    pixels = np.zeros((5, 4, 4, 1), np.uint8)
    data = FactoredData("turn", pixels, np.arange(5)[:, None], (angles,), ("angle",), ("cyclic",), "made", "0" * 64)
    first, second, _ = data.pairs(400, rng(), k=1)
    assert {(a % 4, b % 4) for a, b in zip(first, second)} == {(a, b) for a in range(4) for b in range(4) if a != b}


def test_draws_depend_on_the_generator_alone(data):
    for draw in (
        lambda r: np.stack(data.pairs(20, r, k=None)[:2]),
        lambda r: data.groups(20, 3, r),
        lambda r: data.clips(20, 3, r),
    ):
        np.testing.assert_array_equal(draw(rng(3)), draw(rng(3)))
        assert (draw(rng(3)) != draw(rng(4))).any()


def test_groups_are_different_images_of_one_class(data):
    rows = data.groups(200, 5, rng())
    shapes = data.factors[rows, 0]
    assert rows.shape == (200, 5) and (shapes == shapes[:, :1]).all()
    assert all(len(set(row)) == 5 for row in rows.tolist())
    assert set(shapes[:, 0]) == {0, 1, 2}
    by = data.groups(50, 4, rng(), by="posX")
    assert (data.factors[by, 2] == data.factors[by[:, :1], 2]).all()


def test_a_group_may_be_all_that_a_class_has():
    data = table([[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0]])
    assert {frozenset(row) for row in data.groups(40, 2, rng()).tolist()} == {frozenset({0, 1}), frozenset({2, 3})}


def test_labelled_rows_are_equally_many_of_each_class_for_a_number_and_in_proportion_for_a_share(data):
    rows = data.labelled(30, seed=0)
    assert (np.bincount(data.factors[rows, 0]) == 10).all() and (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, data.labelled(30, seed=0))
    assert (rows != data.labelled(30, seed=1)).any()
    seen = np.ones(len(data), bool) if data.weight is None else data.weight > 0
    share = np.bincount(data.factors[data.labelled(0.25, seed=0), 0])
    np.testing.assert_allclose(share, np.bincount(data.factors[seen, 0]) / 4, atol=0.5)
    assert len(data.labelled(31, seed=0)) == 31


def test_labelled_rows_are_training_rows():
    data = load("digits")
    assert data.labelled(100, seed=0).max() < data.fit


def test_clips_move_one_factor_by_one_class_a_frame(data):
    rows = data.clips(300, 4, rng())
    steps = np.diff(data.factors[rows], axis=1)
    moving = (steps != 0).any(1)
    assert (moving.sum(1) == 1).all() and set(np.flatnonzero(moving.any(0))) == {2, 3}
    for clip, which in zip(steps, moving.argmax(1)):
        assert set(clip[:, which]) in ({1}, {-1})
    if data.weight is not None:
        assert data.weight[rows].all()


def test_labelled_rows_are_as_correlated_as_what_training_draws(toy):
    held = shifted(toy, correlate="scale:posX:0.1")
    apart = abs(toy.factors[:, 1] / 2 - toy.factors[:, 2] / 7)
    assert apart[held.labelled(30, 0)].mean() < 0.15 < 0.35 < apart[toy.labelled(30, 0)].mean()


def test_of_images_that_are_alike_in_all_factors_clips_show_any():
    held = table(np.repeat(np.indices((2, 3, 1)).reshape(3, -1).T, 4, axis=0))  # as SmallNORB: other toys, told by none
    films = held.clips(400, 3, rng(), moving="b")
    assert (np.bincount(films.ravel() % 4, minlength=4) > 200).all() and (np.diff(held.factors[films, 1]) != 0).all()


def test_what_sampling_keeps_is_bounded(toy, monkeypatch):
    monkeypatch.setattr(_shelves, "ROOM", 20_000)
    held = dataclasses.replace(toy)
    first = held.pairs(50, rng(), k=None)
    kept = _shelves._KEPT[held].values()
    assert 1 < len(kept) < 14 and sum(shelf.nbytes for shelf in kept) <= 20_000
    assert all(map(np.array_equal, first, held.pairs(50, rng(), k=None)))


def test_clips_of_a_cyclic_factor_go_around_without_showing_an_image_twice():
    angles = np.linspace(0, 2 * np.pi, 5)
    pixels = np.zeros((5, 4, 4, 1), np.uint8)
    data = FactoredData("turn", pixels, np.arange(5)[:, None], (angles,), ("angle",), ("cyclic",), "made", "0" * 64)
    frames = data.clips(100, 4, rng()) % 4
    assert set(np.diff(frames, axis=1).ravel() % 4) == {1, 3}


@pytest.mark.parametrize(
    "ask, message",
    [
        (lambda d: d.pairs(1, rng(), k=5), "k is 5, expected 1 to 4"),
        (lambda d: d.pairs(1, rng(), k=0), "k is 0, expected 1 to 4"),
        (lambda d: d.pairs(1, rng(), among=["posZ"]), "unknown factor 'posZ'; did you mean 'posY'"),
        (lambda d: d.pairs(1, rng(), k=None, among=["posX"]), "k is None, expected 1 to 0"),
        (lambda d: d.groups(1, 200, rng()), "size is 200; shape 0 of data set 'toy' has 192 images"),
        (lambda d: d.groups(1, 0, rng()), "size is 0; expected 1 at least"),
        (lambda d: d.groups(1, -1, rng()), "size is -1; expected 1 at least"),
        (lambda d: d.groups(1, 2, rng(), by="form"), "unknown factor 'form'"),
        (lambda d: d.labelled(2, 0), "share 2 means 0 images of shape .*, expected 1 to 192"),
        (lambda d: d.labelled(0.001, 0), "share 0.001 means 0 images of shape 0"),
        (lambda d: d.labelled(0, 0), "share is 0, expected a fraction"),
        (lambda d: d.labelled(577, 0), "up to 576"),
        (lambda d: d.labelled(3.5, 0), "whole number"),
        (lambda d: d.clips(1, 1, rng()), "length is 1, expected 2"),
        (lambda d: d.clips(1, 9, rng()), "no factor of data set 'toy' moves through 9 values; .* none"),
        (lambda d: d.clips(1, 4, rng(), moving="shape"), "shape .* moves through 4 values; .* posX, posY"),
    ],
)
def test_what_the_data_cannot_give_is_named(toy, ask, message):
    with pytest.raises(ValueError, match=message):
        ask(toy)


def test_a_table_without_such_images_says_so():
    lone = table([[0, 0, 0], [1, 1, 1], [2, 2, 2]])
    with pytest.raises(ValueError, match="no two images for training that differ in a and no more"):
        lone.pairs(2, rng(), k=1, among=["a"])
    with pytest.raises(ValueError, match="images for training in which b alone moves"):
        lone.clips(2, 2, rng(), moving="b")
    assert len(lone.pairs(2, rng(), k=3).first) == 2
    with pytest.raises(ValueError, match="has no label"):
        dataclasses.replace(lone, label=None).groups(1, 1, rng())
    with pytest.raises(ValueError, match="continuous: no two images share"):
        load("digits(transform=so2)").groups(1, 2, rng(), by="angle")


def test_the_example_of_the_documentation_runs():
    text = Path("docs/data.md").read_text(encoding="utf8").partition("## Images for models that are told something")[2]
    found = {}
    exec(text.partition("```python\n")[2].partition("```")[0], found)
    assert found["pairs"].changed.sum() == 64 and found["images"].shape == (40, 16, 16, 1)
    assert found["groups"].shape == (8, 4) and len(found["rows"]) == 30
