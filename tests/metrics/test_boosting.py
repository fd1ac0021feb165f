"""The fast trees against scikit-learn's own, and their cuts against all cuts."""

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from disentangle_bench.metrics._boosting import boost
from disentangle_bench.metrics._cuts import BLOCK, cuts
from disentangle_bench.metrics._lanes import LANES


def both(classes, n, d, noise, seed=0):
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(classes), rng.integers(classes, size=n - classes)])
    x = y[:, None] * rng.normal(size=d) + noise * rng.normal(size=(n, d))
    test_x = x + rng.normal(size=(n, d))
    reference = GradientBoostingClassifier(random_state=0).fit(x, y)
    return one(x, y, test_x, classes), (
        reference.feature_importances_,
        reference.predict(x),
        reference.predict(test_x),
    )


def one(x, y, test_x, classes, seed=0):
    return [part[:, 0] for part in boost(x, y[:, None], test_x, [classes], seed)]


def test_where_nothing_ties_they_are_the_same():
    """One code, so that no two codes can split equally well. Ten classes fill more lanes than there are."""
    for classes in (2, 3, 5, 10):
        (importance, train, test), (expected, train_expected, test_expected) = both(classes, 400, 1, 1.0)
        assert importance == pytest.approx(expected, abs=1e-12)
        assert (train == train_expected).all()
        assert (test == test_expected).all()


def test_where_every_value_repeats_they_are_the_same():
    """Twelve values in 400 rows, spread over blocks of sorted rows that begin and end anywhere."""
    rng = np.random.default_rng(1)
    x = rng.integers(12, size=(400, 1)).astype(float)
    y = (x[:, 0] + rng.integers(4, size=400)).astype(int) // 5
    expected = GradientBoostingClassifier(random_state=0).fit(x, y)
    importance, train, _ = one(x, y, x, 3)
    assert (importance == expected.feature_importances_).all()
    assert (train == expected.predict(x)).all()


@pytest.mark.parametrize("classes", [2, 4, 7])
def test_with_ties_importances_are_as_near_as_those_of_two_seeds(classes):
    (importance, train, test), (expected, train_expected, test_expected) = both(classes, 600, 4, 2.0)
    # two of scikit-learn's own seeds differ by up to 0.004 in importance and agree on 0.895 of test rows (7 classes)
    assert np.abs(importance - expected).max() < 0.008
    assert (train == train_expected).mean() >= 0.98
    assert (test == test_expected).mean() > 0.87
    assert importance.sum() == pytest.approx(1)


def test_columns_do_not_depend_on_their_neighbours_or_on_threads():
    """Five columns share lanes. One code: no ties, so that a column's own draws do not matter."""
    rng = np.random.default_rng(0)
    classes = [2, 5, 3, 11, 2]
    y = np.stack([rng.permutation(np.arange(300) % size) for size in classes], axis=1)
    x, test_x = y @ rng.normal(size=(5, 1)) + rng.normal(size=(300, 1)), rng.normal(size=(50, 1))
    together = boost(x, y, test_x, classes, 0)
    for k, size in enumerate(classes):
        for part, alone in zip(together, one(x, y[:, k], test_x, size)):
            assert part[:, k] == pytest.approx(alone, abs=1e-12)
    wide = np.hstack([x, rng.normal(size=(300, 3))])
    wide_test = np.hstack([test_x, rng.normal(size=(50, 3))])
    for part, other in zip(*(boost(wide, y, wide_test, classes, 0, jobs) for jobs in (1, 2))):
        assert (part == other).all()


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_best_cut_is_the_best_of_all_cuts(level):
    """Bounds leave nothing out: 700 rows of a column without ties, one with twenty values, one with two, a constant."""
    rng = np.random.default_rng(level)
    n, lanes, width = 700, 5, 2**level * LANES
    x = np.stack([rng.normal(size=n), rng.integers(20, size=n), rng.integers(2, size=n), np.zeros(n)])
    node = rng.integers(2**level, size=(n, LANES)).astype(np.uint8)
    r = rng.normal(size=(n, LANES)) + (x[:1].T > 0.5) * rng.normal(size=LANES)
    r[:, 3] = 0.25  # pure: not split
    order = np.argsort(x, axis=1, kind="stable")
    values = np.take_along_axis(x, order, 1)
    edge = np.diff(values, axis=1, prepend=values[:, :1], append=values[:, -1:]) > 0
    room = 4 * (n // BLOCK + 1) * width
    held = np.empty(room), np.empty(room, np.float32), np.empty(room, np.float32), np.empty(n * LANES)
    draws = np.zeros(lanes, np.uint64)
    found = cuts(level, order.astype(np.uint32), edge, r.ravel(), node.ravel(), held, lanes, draws)
    for w in range(width):
        score, size, column, place = (part[w] for part in found)
        inside = node[:, w % LANES] == w // LANES
        assert size == inside.sum()
        if w % LANES in (3, 5, 6, 7):
            assert score == -1
            continue
        best, where = max(
            (between(r[:, w % LANES], inside, order[c], j), (c, j)) for c in range(4) for j in np.flatnonzero(edge[c])
        )
        assert score == pytest.approx(best, rel=1e-9)
        assert between(r[:, w % LANES], inside, order[column], place) == pytest.approx(best, rel=1e-9), where


def between(r, inside, order, place):
    """Variance between the two sides of a cut, -1 if one is empty."""
    left = np.zeros(len(r), bool)
    left[order[:place]] = True
    sides = [r[inside & side] for side in (left, ~left)]
    if not all(map(len, sides)):
        return -1
    return sum(len(side) * (side.mean() - r[inside].mean()) ** 2 for side in sides) / inside.sum()


def test_a_seed_gives_the_same_trees_and_numpys_own_stream_is_left_alone():
    np.random.seed(7)
    before = np.random.get_state()[1].copy()
    x = np.repeat(np.random.default_rng(0).normal(size=(80, 1)), 3, axis=1)  # three copies: every split ties
    y = (x[:, 0] > 0).astype(int)
    first, again, other = (one(x, y, x, 2, seed)[0] for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).any() and (first > 0).all()
    assert (np.random.get_state()[1] == before).all()


def test_codes_that_never_vary_are_worth_nothing():
    y = np.arange(60) % 3
    importance, train, test = one(np.zeros((60, 2)), y, np.zeros((5, 2)), 3)
    assert (importance == 0).all() and (train == train[0]).all() and (test == test[0]).all()


def test_a_leaf_of_one_misfit_row_does_not_overflow():
    """Its step is one over a probability that a hundred rounds made tiny."""
    x = np.arange(400.0)[:, None]
    y = (x[:, 0] >= 200).astype(int)
    y[5] = 1
    for labels, classes in (y, 2), (np.where(x[:, 0] > 300, 2, y), 3):
        importance, train, _ = one(x, labels, x, classes)
        assert importance == pytest.approx([1])
        assert (train == labels).all()
