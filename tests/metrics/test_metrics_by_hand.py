"""Values that can be worked out on paper, or by brute force in another way."""

from math import log

import numpy as np
import pytest

from disentangle_bench import metrics
from disentangle_bench.metrics import dci, factorvae_score, mig, modularity
from disentangle_bench.metrics._dci import aggregate as dci_of
from disentangle_bench.metrics._fixed_factor import Partners, over_batches
from disentangle_bench.metrics._information import discretise, entropy, mutual_information
from disentangle_bench.metrics._metric import metric
from disentangle_bench.metrics.factorvae_score import _vote
from disentangle_bench.metrics.modularity import _aggregate as modularity_of

RNG_SEED = 3


# Information


def test_information_of_a_table():
    """Counts 3 1 / 1 3 of eight rows: p = 3/8 or 1/8 against 1/4."""
    a, b = np.repeat([0, 0, 1, 1], [3, 1, 1, 3])[:, None], np.repeat([0, 1, 0, 1], [3, 1, 1, 3])[:, None]
    assert mutual_information(a, b).item() == pytest.approx(0.75 * log(1.5) + 0.25 * log(0.5), abs=1e-15)


def test_information_columns_and_limits():
    """Halves and quarters: entropy with itself, that of a coarser copy with it, nothing with an independent column."""
    a = np.array([0, 0, 1, 2] * 2)
    coarse, independent = (a > 0).astype(int), np.repeat([5, -3], 4)
    table = mutual_information(a[:, None], np.stack([a, coarse, independent], axis=1))
    entropies = entropy(np.stack([a, coarse, independent], axis=1))
    assert entropies == pytest.approx([1.5 * log(2), log(2), log(2)], abs=1e-15)
    assert table.tolist() == [pytest.approx([1.5 * log(2), log(2), 0], abs=1e-15)]
    assert table[0, 2] == 0


def test_bins():
    codes = np.array([[0.0, 3.0, -1.0], [1.9, 3.0, 1.0], [2.0, 3.0, 0.0], [4.0, 3.0, -0.5]])
    assert discretise(codes, 2)[:, 0].tolist() == [0, 0, 1, 1]  # closed on the left
    assert len(set(discretise(codes, 2)[:, 1])) == 1  # constant
    assert discretise(codes, 4)[:, 2].tolist() == [0, 3, 2, 1]


def test_bins_of_codes_that_differ_by_rounding_only():
    codes = np.array([[1.0], [1.0 + 2**-52], [1.0]])
    low, high, again = discretise(codes, 20)[:, 0]
    assert 0 <= low == again < high == 19


# Scores from matrices


def test_modularity_of_a_matrix():
    """Rows: two factors, known twice as well as once -> 1 - 1/(4 x 2); one factor -> 1; none -> 0 or left out."""
    information = np.array([[2.0, 1, 0], [0, 3, 0], [0, 0, 0]])
    assert modularity_of(information, "keep") == pytest.approx((0.875 + 1 + 0) / 3, abs=1e-15)
    assert modularity_of(information, "drop") == pytest.approx((0.875 + 1) / 2, abs=1e-15)
    assert modularity_of(np.zeros((2, 3)), "drop") == 0
    assert modularity_of(np.full((1, 3), 0.1), "keep") == 0  # knows all equally: exactly 0, whatever the rounding


def test_modularity_ignores_rounding_in_place_of_information():
    assert modularity_of(np.array([[1e-17, 2e-17], [1, 0]]), "keep") == 0.5


def test_dci_of_a_matrix():
    """Codes 1 and 2 share factor 1: every code is pure, factor 1 has half the weight and entropy log 2 of log 3."""
    disentanglement, completeness = dci_of(np.array([[1, 0], [0, 0.5], [0, 0.5]]))
    assert disentanglement == pytest.approx(1, abs=1e-15)
    assert completeness == pytest.approx(1 - 0.5 * log(2) / log(3), abs=1e-15)


def test_dci_weighs_codes_by_their_importance():
    """Code 0 has weight 1.5 of 2 and shares 2 : 1, code 1 has 0.5 and is pure; columns share 1 : 0 and 1 : 1."""
    disentanglement, completeness = dci_of(np.array([[1, 0.5], [0, 0.5]]))
    shared = 1 + (2 / 3 * log(2 / 3) + 1 / 3 * log(1 / 3)) / log(2)
    assert disentanglement == pytest.approx(0.75 * shared + 0.25, abs=1e-15)
    assert completeness == pytest.approx(0.5, abs=1e-15)


def test_dci_of_equal_and_of_no_importance():
    assert dci_of(np.full((3, 2), 0.2)) == pytest.approx((0, 0), abs=1e-15)
    assert dci_of(np.zeros((3, 2))) == (0, 0)


def test_sap_of_four_points():
    """Squared correlations 0.8 and 0 with the one factor."""
    codes, factors = np.array([[0, 1], [1, 0], [2, 0], [3, 1]]), np.array([[0], [0], [1], [1]])
    assert metrics.sap(codes, factors, continuous=True) == pytest.approx(0.8, abs=1e-15)


def test_mig_of_four_points():
    """Code 0 is the factor, H = log 2. Code 1 has joint shares 1/2, 1/4, 1/4, marginal ones 3/4, 1/4 and 1/2, 1/2."""
    codes, factors = np.array([[0, 0], [0, 0], [1, 0], [1, 1]]), np.array([[0], [0], [1], [1]])
    second = 0.5 * log(0.5 / 0.375) + 0.25 * log(0.25 / 0.375) + 0.25 * log(0.25 / 0.125)
    assert metrics.mig(codes, factors) == pytest.approx((log(2) - second) / log(2), abs=1e-15)


def test_majority_vote():
    """Codes 0, 1, 2 win for factors 0 (2 of 3), 1 (2 of 2), 0 (1 of 1); code 3 never won and is given factor 0."""
    winner, k = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0])
    test_winner, test_k = np.array([0, 1, 2, 2, 3]), np.array([0, 1, 1, 0, 0])
    assert _vote(winner, k, test_winner, test_k) == 4 / 5
    assert _vote(np.array([0, 0]), np.array([1, 0]), np.array([0, 0]), np.array([0, 1])) == 0.5  # a tie: the lowest


# Batches


def test_pairs_share_their_factor_and_nothing_else():
    factors = np.indices((2, 3, 4)).reshape(3, -1).T
    k, first, second = Partners(factors).pairs(20_000, 3, np.random.default_rng(RNG_SEED))
    a, b = factors[first], factors[second]  # (points, batch, f)
    for fixed in range(3):
        agree = (a == b)[k == fixed].mean(axis=(0, 1))
        expected = np.array([1 / 2, 1 / 3, 1 / 4])
        expected[fixed] = 1
        assert agree == pytest.approx(expected, abs=0.015)
        assert agree[fixed] == 1
    assert np.bincount(k) / len(k) == pytest.approx(np.full(3, 1 / 3), abs=0.015)
    assert np.bincount(second.ravel()) / second.size == pytest.approx(np.full(24, 1 / 24), abs=0.004)


def test_batches_share_the_value_of_a_random_row():
    """Three rows have value 0 and one has 1: three batches in four hold rows 0, 1, 2, equally often."""
    factors = np.array([[0, 0], [0, 1], [0, 0], [1, 1]])
    k, rows = Partners(factors).batches(20_000, 6, np.random.default_rng(RNG_SEED))
    values = factors[rows, k[:, None]]
    assert (values == values[:, :1]).all()
    assert (values[k == 0, 0] == 0).mean() == pytest.approx(0.75, abs=0.02)
    common = rows[(k == 0) & (values[:, 0] == 0)]
    assert np.bincount(common.ravel(), minlength=4) / common.size == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0], abs=0.01)


def test_chunks_change_nothing(monkeypatch):
    codes, rows = np.random.default_rng(0).normal(size=(30, 4)), np.random.default_rng(1).integers(30, size=(50, 6))
    whole = codes[rows].var(axis=1)
    monkeypatch.setattr("disentangle_bench.metrics._fixed_factor.CHUNK", 7 * 6 * 4)
    assert np.array_equal(over_batches(lambda z: z.var(axis=1), codes, rows), whole)


# Scale, where a score depends on it


def test_what_scale_does():
    factors = np.tile(np.indices((2, 3, 4)).reshape(3, -1).T, (10, 1))
    mixed = (factors - factors.mean(axis=0)) @ np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1.0]])
    few = {"train": 1000, "test": 500}
    assert factorvae_score(factors, factors, **few) == 1
    assert factorvae_score(0.01 * factors, factors, **few) == 0  # all below the threshold
    assert factorvae_score(0.01 * factors, factors, prune=0, **few) == 1
    lost = factorvae_score(factors * [1, 1, 0.01], factors, **few)
    assert lost == pytest.approx(2 / 3, abs=0.1)
    assert metrics.betavae_score(1e-3 * mixed, factors, **few) < metrics.betavae_score(mixed, factors, **few) - 0.2
    centred = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    assert abs(metrics.sap(4 * centred, factors) - metrics.sap(centred, factors)) > 0.05
    assert metrics.sap(1e-7 * factors, factors, continuous=True) == 0  # variance counts as none
    assert metrics.sap(1e-7 * factors, factors, continuous=True, least_variance=0) == pytest.approx(1, abs=1e-9)


def test_a_constant_code_never_wins_the_vote():
    """Its variance is rounding, over all rows more so than in a batch of 16: without care it would always win."""
    factors = np.tile(np.indices((2, 3)).reshape(2, -1).T, (10, 1))
    noisy = factors + 0.2 * np.random.default_rng(RNG_SEED).normal(size=factors.shape)
    codes = np.column_stack([np.full(60, 0.1), noisy])
    assert codes.var(axis=0)[0] > 10 * codes[:16].var(axis=0)[0] >= 0
    assert factorvae_score(codes, factors, batch=16, prune=0, train=300, test=300) > 0.98


# Explicitness and classes that are missing


def one_hot(factors, size=4):
    return np.eye(size)[factors[:, 0]]


@pytest.mark.parametrize("absent", ["test", "train"])
def test_explicitness_matches_classes_by_label(absent):
    """Class 1, in the middle, is missing from one part. The others are read perfectly, unless matched by position."""
    everything, some = np.tile(np.arange(4), 30)[:, None], np.tile([0, 2, 3], 30)[:, None]
    train, test = (everything, some) if absent == "test" else (some, everything[everything[:, 0] != 1])
    assert metrics.explicitness(one_hot(train), train, test_codes=one_hot(test), test_factors=test) == 1


def test_rows_of_an_unknown_class_count_as_rest():
    """Classes 0 and 1 are fitted on a line. Rows of class 2 lie beyond: they look more like 1 than those of 1 do."""
    train, test = np.repeat([0, 1], 20)[:, None], np.array([0, 0, 1, 1, 2, 2])[:, None]
    score = metrics.explicitness(train, train, test_codes=test, test_factors=test)
    assert score == pytest.approx((1 + 0.5) / 2)  # class 1 beats both rows of 0 and loses to both rows of 2


def test_a_factor_that_cannot_be_judged_is_refused():
    train, test = np.repeat([0, 1], 20)[:, None], np.zeros((5, 1), int)
    with pytest.raises(ValueError, match=r"column 0 cannot be judged.* test rows have only \[0\]"):
        metrics.explicitness(train, train, test_codes=test, test_factors=test)


def test_a_code_that_is_constant_in_training_is_ignored_in_testing():
    rng = np.random.default_rng(RNG_SEED)
    train, test = np.repeat([0, 1], 20)[:, None], np.repeat([0, 1], 10)[:, None]
    wild = np.hstack([test, 1e6 * rng.normal(size=(20, 1))])
    dull = np.hstack([train, np.full((40, 1), 0.1)])
    assert metrics.explicitness(dull, train, test_codes=wild, test_factors=test) == 1


@pytest.mark.parametrize("name", ["sap", "dci"])
def test_an_unseen_class_is_always_predicted_wrongly(name):
    """A third of the test rows has a value that training lacks: accuracy 2/3 on that factor, whatever the code."""
    train = np.tile(np.indices((2, 2)).reshape(2, -1).T, (10, 1))
    test = np.tile(np.indices((3, 2)).reshape(2, -1).T, (10, 1))
    if name == "dci":
        scores = dci(train, train, test_codes=test, test_factors=test)
        assert scores.informativeness == pytest.approx((2 / 3 + 1) / 2)
        assert scores.informativeness_train == 1
    else:  # best codes reach 2/3 and 1; the second best guess: 1/3 and 1/2
        assert metrics.sap(train, train, test_codes=test, test_factors=test) == pytest.approx((1 / 3 + 1 / 2) / 2)


# The decorator


def test_the_decorator_returns_the_function():
    def score(codes, factors):
        return 1.0

    assert metric(estimator="by hand", version=2, bounds=(0, 5), best=5)(score) is score
    assert vars(score) == {
        "estimator": "by hand",
        "version": 2,
        "bounds": (0, 5),
        "best": 5,
        "variants": {"": {}},
        "estimators": {},
        "unused": {},
    }
    assert vars(modularity)["bounds"] == (0.0, 1.0)


def test_a_huge_constant_code_leaves_the_bins_of_the_others_alone():
    factors = np.indices((21, 5)).reshape(2, -1).T
    codes = 0.3 * factors
    for constant in (1e16, -3.0, 3e38):
        assert mig(np.column_stack([codes, np.full(105, constant)]), factors) == mig(codes, factors)
