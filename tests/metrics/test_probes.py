"""Explicitness and SAP: values by hand, identities, options, degenerate inputs."""

import numpy as np
import pytest

from disentangle_bench.metrics import betavae_score, explicitness, factorvae_score, mcc, r2, sap
from disentangle_bench.metrics._dependence import CorrelatedFactors
from disentangle_bench.metrics._fit import predicted, probabilities
from disentangle_bench.metrics.explicitness import _area

GRID = np.tile(np.indices((2, 3, 4)).reshape(3, -1).T, (10, 1))  # every combination ten times, 240 rows
NOISE = np.random.default_rng(0).normal(size=GRID.shape)


# The area under a ROC curve


def test_area_by_hand():
    """Positives 1, 2 and negatives 0, 2: of four pairs two are won, one is tied, one lost."""
    assert _area(np.array([1.0, 2, 0, 2]), np.array([True, True, False, False])) == 2.5 / 4
    assert _area(np.array([3.0, 2, 1, 0]), np.array([True, True, False, False])) == 1
    assert _area(np.zeros(5), np.arange(5) < 2) == 0.5


def test_area_is_that_of_scikit_learn():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    score, positive = rng.integers(50, size=3000) / 7, rng.random(3000) < 0.03
    assert _area(score, positive) == pytest.approx(roc_auc_score(positive, score), abs=1e-12)


# Explicitness


def test_rescaled_explicitness_starts_at_0():
    codes = GRID + NOISE
    assert explicitness(codes, GRID, rescale=True) == pytest.approx(2 * explicitness(codes, GRID) - 1, abs=1e-15)
    assert explicitness(np.zeros((240, 2)), GRID, rescale=True) == 0


def test_binary_models_cannot_rank_the_middle_of_a_line():
    """Classes 0 to 3 on a line. One model a class can only rise or fall: the middle ones win 2 of 3 pairs at best.

    Divided by their sum, the outer models leave the middle to the middle.
    """
    factors = np.tile(np.arange(4), 60)[:, None]
    line = {"test_codes": factors, "test_factors": factors}
    score = explicitness(factors, factors, classifier="binary", **line)
    assert score == pytest.approx((1 + 2 / 3 + 2 / 3 + 1) / 4, abs=1e-12)
    assert explicitness(factors, factors, classifier="free one-vs-rest", **line) > score + 0.1
    assert explicitness(factors, factors, **line) == 1


@pytest.mark.parametrize("scaling", ["z-score", "min-max"])
def test_explicitness_forgets_the_scale_of_each_code(scaling):
    codes = GRID + NOISE
    moved = codes * [1e-4, 1, 1e4] + [5, -3, 1e3]
    assert explicitness(moved, GRID, scaling=scaling) == pytest.approx(
        explicitness(codes, GRID, scaling=scaling), abs=1e-6
    )
    dull = np.hstack([codes, np.full((240, 1), 0.1)])
    assert explicitness(dull, GRID, scaling=scaling) == pytest.approx(
        explicitness(codes, GRID, scaling=scaling), abs=1e-6
    )


def test_the_scaling_shows_and_so_do_balance_and_classifier():
    codes = (GRID + 0.5 * NOISE) @ [[1.0, 1, 0], [0, 1, 1], [1, 0, 2]]
    rare = GRID.copy()
    rare[:200, 2] = 0
    options = [
        {},
        {"scaling": "min-max"},
        {"balanced": True},
        {"classifier": "one-vs-rest"},
        {"classifier": "free one-vs-rest"},
        {"classifier": "binary"},
    ]
    scores = [explicitness(codes, rare, **given) for given in options]
    assert len(set(scores)) == len(options)


def test_probabilities():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(90, 2)), np.repeat([3, -1, 7], 30)
    x[:, 0] += y
    for classifier in ("softmax", "one-vs-rest", "free one-vs-rest"):
        classes, p = probabilities(x, y, x[:5], classifier)
        assert classes.tolist() == [-1, 3, 7]
        assert p.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-12)
    binary = probabilities(x, y, x[:5], "binary")[1]
    assert binary / binary.sum(axis=1, keepdims=True) == pytest.approx(p, abs=1e-15)
    for classifier in ("softmax", "one-vs-rest"):
        classes, p = probabilities(x, y, x, classifier)
        assert np.array_equal(predicted(x, y, x, classifier), classes[p.argmax(axis=1)])


# SAP


def test_continuous_is_the_linear_predictor():
    codes = GRID @ [[1.0, 1, 0], [0, 1, 1], [1, 0, 2]]
    assert sap(codes, GRID, continuous=True) == sap(codes, GRID, predictor="linear")
    assert sap(codes, GRID + 0.5, predictor="linear") == pytest.approx(sap(codes, GRID, continuous=True), abs=1e-12)


def test_numbers_matter_to_the_linear_predictor_also_where_they_are_fractions():
    """0, 0.1, 1 is no line of class indices."""
    values = np.array([0, 0.1, 1])[np.tile(np.arange(3), 20)][:, None]
    codes = np.hstack([values, np.tile([0, 1], 30)[:, None]])
    assert sap(codes, values, predictor="linear") == pytest.approx(1, abs=1e-12)


def correlated(n=4000, seed=0):
    """Two normal factors of correlation 0.8, whole numbers."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, 2))
    return np.rint(5 * np.column_stack([a[:, 0], 0.8 * a[:, 0] + 0.6 * a[:, 1]])).astype(int)


def test_conditional_sap_of_correlated_factors():
    factors = correlated()
    with pytest.warns(CorrelatedFactors):
        plain = sap(factors, factors, predictor="linear")
    assert plain == pytest.approx(1 - np.corrcoef(factors.T)[0, 1] ** 2, abs=1e-9)
    assert sap(factors, factors, predictor="linear", conditional=True) == pytest.approx(1, abs=1e-9)
    noise = np.random.default_rng(1).normal(size=(4000, 4))
    assert sap(noise, factors, predictor="linear", conditional=True) < 0.01


def test_conditional_sap_is_the_squared_partial_correlation():
    """r_xy.z = (r_xy - r_xz r_yz) / sqrt((1 - r_xz^2)(1 - r_yz^2))"""
    factors = correlated(200)
    codes = factors + 5 * np.random.default_rng(2).normal(size=factors.shape)
    r = np.corrcoef(codes.T, factors.T)
    s = [
        [(r[d, k] - r[d, o] * r[2, 3]) ** 2 / ((1 - r[d, o] ** 2) * (1 - r[2, 3] ** 2)) for k, o in ((2, 3), (3, 2))]
        for d in (0, 1)
    ]
    expected = np.mean(np.abs(np.subtract(*s)))
    assert sap(codes, factors, predictor="linear", conditional=True) == pytest.approx(expected, abs=1e-9)


def test_conditional_sap_of_one_factor_and_of_nothing_left():
    codes = np.hstack([GRID[:, [2]], NOISE])
    one = GRID[:, [2]]
    assert sap(codes, one, predictor="linear", conditional=True) == sap(codes, one, predictor="linear")
    with pytest.raises(ValueError, match="factors: column 0 is a linear function of the others"):
        sap(codes, GRID[:, [0, 0]] * [1, 3], predictor="linear", conditional=True)
    assert sap(np.full((240, 2), 0.1), GRID, predictor="linear", conditional=True) == 0


def test_sap_by_trees_singles_out_the_middle():
    """A machine on one number cannot; a tree can, and then only guessing is left for the second best."""
    factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (60, 1))
    same = {"test_codes": factors, "test_factors": factors}
    assert sap(factors, factors, predictor="tree", **same) == pytest.approx(1 - (1 / 4 + 1 / 5) / 2, abs=1e-12)
    assert sap(factors, factors) < 0.5


def test_the_depth_of_the_tree_bounds_its_classes():
    """One split tells one of four values from the rest, or two from two: half the rows at best."""
    factors = np.tile(np.indices((4, 4)).reshape(2, -1).T, (30, 1))
    same = {"test_codes": factors, "test_factors": factors}
    assert sap(factors, factors, predictor="tree", depth=1, **same) == pytest.approx(1 / 2 - 1 / 4, abs=1e-12)
    assert sap(factors, factors, predictor="tree", depth=2, **same) == pytest.approx(1 - 1 / 4, abs=1e-12)


def test_trees_see_small_differences_far_from_0():
    shifted = GRID * 1e-4 + 1e6
    assert sap(shifted, GRID, predictor="tree") == sap(GRID, GRID, predictor="tree")


# Options


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: explicitness(GRID, GRID, classifier="svm"),
            "classifier must be 'softmax', 'one-vs-rest', .* 'binary', got 'svm'",
        ),
        (lambda: explicitness(GRID, GRID, scaling="none"), "scaling must be 'z-score' or 'min-max', got 'none'"),
        (lambda: betavae_score(GRID, GRID, classifier="binary"), "classifier must be 'softmax' or 'one-vs-rest', got"),
        (lambda: mcc(GRID, GRID, correlation="kendall"), "correlation must be 'pearson' or 'spearman', got 'kendall'"),
        (lambda: r2(GRID, GRID, probe="mlp"), "probe must be 'linear' or 'kernel', got 'mlp'"),
        (lambda: r2(GRID, GRID, landmarks=1), "landmarks must be a whole number of at least 2, got 1"),
        (lambda: r2(GRID, GRID, blocks={"a": [0.5]}), "blocks: 'a' must hold columns of codes, 0 to 2, got 0.5"),
        (lambda: sap(GRID, GRID, predictor="forest"), "predictor must be 'svm', 'linear' or 'tree', got 'forest'"),
        (lambda: sap(GRID, GRID, predictor="tree", continuous=True), "continuous=True means predictor='linear'"),
        (lambda: sap(GRID, GRID, conditional=True), "conditional=True needs predictor='linear', got predictor='svm'"),
        (lambda: sap(GRID, GRID, predictor="tree", depth=0), "depth must be a whole number of at least 1, got 0"),
    ],
)
def test_wrong_options_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("call", [sap, betavae_score, factorvae_score])
def test_correlated_factors_are_warned_of(call):
    factors = correlated(600)
    with pytest.warns(CorrelatedFactors, match="columns 0 and 1"):
        call(factors, factors, **({} if call is sap else {"train": 500, "test": 300}))
