"""IRS, InfoMEC and the scores of clusters, by hand and by brute force."""

from math import log

import numpy as np
import pytest
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_classif

from disentangle_bench.metrics import cluster_purity, infomec, irs, v_measure
from disentangle_bench.metrics._dependence import CorrelatedFactors
from disentangle_bench.metrics._information import entropy, mutual_information
from disentangle_bench.metrics._neighbours import neighbour_information
from disentangle_bench.metrics.infomec import _concentration

GRID = np.indices((3, 4)).reshape(2, -1).T


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# IRS


def test_irs_of_four_points():
    """At most 2.5 from the mean. Factor 0 has codes (0, 2), (3, 5), which are 1 from their means, factor 1 has 1.5."""
    codes, factors = np.array([[0], [2], [3], [5]]), np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    assert irs(codes, factors[:, [0]], quantile=1) == pytest.approx(1 - 1 / 2.5)
    assert irs(codes, factors[:, [1]], quantile=1) == pytest.approx(1 - 1.5 / 2.5)
    assert irs(codes, factors, quantile=1) == pytest.approx(1 - 1 / 2.5)


def test_irs_averages_values_without_weights_and_codes_by_their_range():
    """Value 0 has 8 rows that do not move, value 1 has 2 rows, 2 from their mean: 1 on average, of at most 2."""
    code = np.array([0.0] * 8 + [-2, 2])
    factor = np.repeat([0, 1], [8, 2])[:, None]
    assert irs(code[:, None], factor, quantile=1) == pytest.approx(1 - 1 / 2)
    both = np.column_stack([code, 10 * factor[:, 0]])  # largest deviations 2 and 8
    assert irs(both, factor, quantile=1) == pytest.approx((2 * 0.5 + 8 * 1) / 10)


def test_irs_interpolates_its_quantile():
    """Deviations of either value from 0.25: three of 0.25 and one of 0.75. 0.9 lies 0.7 of the way between the last."""
    code, factor = np.array([0, 0, 0, 1, 0, 0, 0, 1.0])[:, None], np.repeat([0, 1], 4)[:, None]
    assert irs(code, factor, quantile=1) == pytest.approx(0)
    assert irs(code, factor, quantile=0.9) == pytest.approx(1 - (0.25 + 0.7 * 0.5) / 0.75)


def test_irs_of_a_factor_of_many_values():
    factor = np.repeat(np.arange(40), 5)[:, None]
    assert irs(factor, factor) == 1
    assert irs(factor, factor, factor_bins=20) < 0.99


def test_irs_of_rare_values_with_outliers():
    """Ten values with 0 nine times and 10 once, 9 from their mean; one of 9,900 rows of 5, so that 5.04 is the most."""
    code = np.concatenate([np.tile([0.0] * 9 + [10], 10), np.full(9900, 5)])
    factor = np.concatenate([np.repeat(np.arange(10), 10), np.full(9900, 10)])
    assert irs(code[:, None], factor[:, None], quantile=1) == pytest.approx(1 - 10 * 9 / 11 / 5.04, abs=1e-9)


@pytest.mark.parametrize("quantile", [0, 1.1, -1, np.nan, True, "0.9", None])
def test_irs_refuses_other_quantiles(quantile):
    with pytest.raises(ValueError, match="quantile must be a number above 0 and at most 1"):
        irs(GRID, GRID, quantile=quantile)


# Information from neighbours


def by_all_pairs(code, factor, neighbours):
    counts = np.bincount(factor)[factor]
    code, factor, counts = code[counts > 1], factor[counts > 1], counts[counts > 1]
    distance = np.abs(code[:, None] - code)
    k = np.minimum(neighbours, counts - 1)
    own = np.sort(np.where(factor[:, None] == factor, distance, np.inf), axis=1)  # itself comes first
    closer = (distance < own[np.arange(len(code)), k][:, None]).sum(axis=1)
    mean = (digamma(k) - digamma(counts) - digamma(closer)).mean()
    return max(0.0, digamma(len(code)) + mean)


@pytest.mark.parametrize("neighbours", [1, 3, 10])
def test_information_from_neighbours_by_all_pairs(neighbours):
    """The last factor has a class of one row, two of two, and one of three. scikit-learn rounds in small classes."""
    rng = np.random.default_rng(0)
    rare = np.zeros(500, dtype=int)
    rare[:8] = [1, 2, 2, 3, 3, 4, 4, 4]
    factors = np.column_stack([rng.integers(3, size=500), rng.integers(40, size=500), rare])
    codes = np.column_stack([noise(500) + factors[:, 0], np.exp(noise(500, seed=1)) + 5, rng.standard_cauchy(500)])
    ours = neighbour_information(codes, factors, neighbours)
    expected = [[by_all_pairs(x, y, neighbours) for y in factors.T] for x in codes.T]
    assert ours == pytest.approx(np.array(expected), abs=1e-12)
    theirs = mutual_info_classif(codes, factors[:, 0], n_neighbors=neighbours, random_state=0)
    assert ours[:, 0] == pytest.approx(theirs, abs=1e-12)


def test_information_from_neighbours_of_equal_codes():
    """A code that is the factor has its entropy (by digamma for log), one that is independent next to none."""
    factors = np.tile(GRID, (50, 1))
    information = neighbour_information(factors, factors, 10)
    assert np.diag(information) == pytest.approx(entropy(factors), abs=0.01)
    assert information[[0, 1], [1, 0]] == pytest.approx([0, 0], abs=0.03)


def test_information_from_neighbours_ignores_order_scale_and_sign():
    """Of five equal codes each, so that ten neighbours are more: which of the next equal codes comes first shows."""
    factors = np.tile(GRID, (5, 1))
    codes = np.column_stack([factors, factors.sum(axis=1)])
    changed = np.column_stack([-7 * codes[:, 2], np.full(60, 0.1), 3 - codes[:, 0]])
    first, _, third = neighbour_information(codes, factors, 10)
    assert neighbour_information(changed, factors, 10) == pytest.approx(np.stack([third, [0, 0], first]), abs=1e-12)


def test_information_from_neighbours_at_its_limits():
    one_row_a_class = np.arange(20)[:, None]
    assert neighbour_information(noise(20, 2), one_row_a_class, 3).tolist() == [[0], [0]]
    assert neighbour_information(np.zeros((20, 2)), GRID[:10].repeat(2, axis=0), 3).tolist() == [[0, 0], [0, 0]]


# InfoMEC


def test_concentration_of_a_matrix():
    """Rows: all in one, shares 3 : 1 : 0, equal, nothing: (1 + 3/4 + 1/3 + 1/3) / 4, rescaled so that 1/3 is 0."""
    shares = np.array([[0.5, 0, 0], [0.3, 0.1, 0], [0.2, 0.2, 0.2], [0, 0, 0]])
    assert _concentration(shares) == pytest.approx((1 + 0.625 + 0 + 0) / 4, abs=1e-15)
    assert _concentration(np.zeros((0, 3))) == _concentration(np.zeros((3, 0))) == 0


def test_infom_is_about_codes_and_infoc_about_factors():
    """Code 0 knows both factors, code 1 the second alone: N = (log 3, log 4) / themselves and (0, 1)."""
    codes = np.column_stack([GRID[:, 0] + 3 * GRID[:, 1], GRID[:, 1]])
    scores = infomec(codes, GRID, estimator="bins")
    assert scores.nmi == pytest.approx(np.array([[1, 1], [0, 1]]), abs=1e-12)
    assert scores.infom == pytest.approx(0.5, abs=1e-12)  # shares 1/2 and 1
    assert scores.infoc == pytest.approx(0.5, abs=1e-12)  # factor 0: 1, factor 1: 1/2
    assert infomec(codes[:, [0, 0, 1]], GRID, estimator="bins").infom == pytest.approx(1 / 3, abs=1e-12)


@pytest.mark.filterwarnings("ignore:.*undefined")
def test_infoe_of_a_noisy_bit():
    """Three rows in four are right: the best prediction has the loss of a coin of 1/4."""
    factor = np.repeat([0, 1], 40)[:, None]
    code = np.repeat([0, 1, 1, 0], [30, 10, 30, 10])[:, None]
    lost = -(0.75 * log(0.75) + 0.25 * log(0.25)) / log(2)
    scores = infomec(np.hstack([code, np.full((80, 1), 0.1)]), factor, undefined="nan", estimator="bins")
    assert scores.infoe == pytest.approx(1 - lost, abs=1e-6)


@pytest.mark.filterwarnings("ignore:.*undefined")
def test_infoe_balances_values():
    """A rare value: codes without information are fitted as if it were common, whose loss is log 2 and score 0."""
    factor = np.repeat([0, 0, 0, 1], 20)[:, None]
    code = np.tile([0, 1], 40)[:, None]
    assert infomec(code, factor, undefined="nan", estimator="bins").infoe == pytest.approx(0, abs=1e-9)


@pytest.mark.filterwarnings("ignore:.*undefined")
def test_infomec_leaves_codes_of_small_range_out():
    codes = np.column_stack([100.0 * GRID[:, 0], GRID[:, 1], 0.01 * GRID.sum(axis=1)])
    scores = infomec(codes, GRID, estimator="bins", undefined="nan")
    assert scores.infom == 1
    assert np.isnan(scores.infoc)
    assert scores.nmi.shape == (3, 2)
    assert infomec(codes, GRID, estimator="bins", least_range=0.01).infoc == 1
    assert infomec(codes, GRID, estimator="bins", least_range=0).infom < 1


def test_infomec_names_what_is_undefined():
    with pytest.raises(ValueError, match=r"infom is undefined: .* at least 2, factors has 1"):
        infomec(GRID, GRID[:, [0]])
    with pytest.raises(ValueError, match=r"infoc is undefined: .* codes has 1 \(of 2\)"):
        infomec(np.column_stack([GRID[:, 0], np.zeros(12)]), GRID)
    with pytest.warns(UserWarning, match=r"infoc is undefined: .* codes has 1 \(of 1\)"):
        scores = infomec(GRID[:, [0]], GRID, undefined="nan", estimator="bins")
    assert scores.infom == pytest.approx(1)
    assert np.isnan(scores.infoc)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"estimator": "kde"}, "estimator must be 'knn' or 'bins', got 'kde'"),
        ({"undefined": "skip"}, "undefined must be 'raise' or 'nan', got 'skip'"),
        ({"neighbours": 0}, "neighbours must be a whole number of at least 1, got 0"),
        ({"bins": 1}, "bins must be a whole number of at least 2, got 1"),
        ({"iterations": 0}, "iterations must be a whole number of at least 1, got 0"),
        ({"least_range": 1}, "least_range must be at least 0 and below 1, got 1"),
    ],
)
def test_infomec_refuses_other_options(option, message):
    with pytest.raises(ValueError, match=message):
        infomec(GRID, GRID, **option)


@pytest.mark.parametrize("score", [irs, infomec])
def test_correlated_factors_are_told(score):
    factors = np.repeat([[0, 0], [1, 1], [2, 2], [2, 1]], 30, axis=0)
    with pytest.warns(CorrelatedFactors, match="columns 0 and 1"):
        score(factors + 0.1 * noise(120, 2), factors)


# Clusters


def test_purity_by_counting():
    rng = np.random.default_rng(0)
    labels, clusters = rng.integers(3, size=40), rng.integers(-2, 5, size=40)
    right = sum(np.bincount(labels[clusters == c]).max() for c in np.unique(clusters))
    assert cluster_purity(labels, clusters) == right / 40
    assert cluster_purity(labels - 7, clusters * 1000) == right / 40


def test_purity_of_many_clusters_needs_no_table():
    labels = np.arange(30_000)
    assert cluster_purity(labels, labels[::-1]) == 1


def test_v_measure_from_entropies():
    rng = np.random.default_rng(1)
    labels, clusters = rng.integers(3, size=60), rng.integers(5, size=60)
    shared = mutual_information(labels[:, None], clusters[:, None]).item()
    h, c = shared / entropy(labels[:, None]).item(), shared / entropy(clusters[:, None]).item()
    assert h > c
    assert v_measure(labels, clusters) == pytest.approx((h, c, 2 * h * c / (h + c)), abs=1e-12)
    assert v_measure(labels, clusters, beta=2).v == pytest.approx(3 * h * c / (2 * h + c), abs=1e-12)
    assert v_measure(clusters, labels)[:2] == pytest.approx((c, h), abs=1e-12)
    with pytest.raises(ValueError, match="beta must be a number of at least 0, got -1"):
        v_measure(labels, clusters, beta=-1)
