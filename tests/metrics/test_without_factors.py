"""UDR and the scores of codes alone, by hand and by brute force."""

import tracemalloc
from itertools import combinations
from math import log, sqrt

import numpy as np
import pytest

from disentangle_bench.metrics import (
    active_units,
    factorised_support,
    mi_score,
    total_correlation,
    udr,
    wasserstein_correlation,
)
from disentangle_bench.metrics._information import mutual_information
from disentangle_bench.metrics.factorised_support import _largest_gap
from disentangle_bench.metrics.udr import _agreement

GRID = np.indices((3, 4)).reshape(2, -1).T


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# UDR


def test_udr_of_a_matrix():
    """Columns: 0.64 / 0.8 and 0.25 / 0.7; rows: 0.64 / 1, 0.25 / 0.5 and nothing; over two and three codes."""
    r = np.array([[0.8, 0.2], [0, 0.5], [0, 0]])
    assert _agreement(r) == pytest.approx((0.8 + 0.25 / 0.7 + 0.64 + 0.5 + 0) / 5, abs=1e-15)
    assert _agreement(r.T) == pytest.approx(_agreement(r), abs=1e-15)
    assert _agreement(np.zeros((3, 0))) == 0


def test_udr_is_the_median_over_the_others():
    same, other = GRID - GRID.mean(axis=0), noise(12, 2)
    apart = udr([same, other]).mean
    assert 0.05 < apart < 0.9
    assert udr([same, same, same, other]).each == pytest.approx([1, 1, 1, apart], abs=1e-12)
    assert udr([same, same, same, other]).mean == pytest.approx((3 + apart) / 4, abs=1e-12)


def test_udr_of_one_code_is_its_correlation():
    """Ranks 1 2 3 4 and 2 1 4 3: 1 - 6 * 4 / 60. The lasso takes its penalty off the correlation."""
    a, b = np.array([[0.0], [1], [2], [5]]), np.array([[1.0], [0], [5], [2]])
    assert udr([a, b]).mean == pytest.approx(0.6, abs=1e-12)
    correlation = np.corrcoef(a.T, b.T)[0, 1]
    assert udr([a, -b], relevance="lasso").mean == pytest.approx(correlation - 0.1, abs=1e-6)
    assert udr([a, b], relevance="lasso", penalty=0.2).mean == pytest.approx(correlation - 0.2, abs=1e-6)


def test_udr_of_unrelated_runs_is_low():
    runs = [noise(5000, 4, seed=seed) for seed in range(3)]
    assert udr(runs).mean < 0.02
    assert udr(runs, relevance="lasso").mean == 0


def test_udr_of_a_part_of_the_codes():
    """Ten uncorrelated codes against three of them: 3 columns of 1 and 3 rows of ten, over 13."""
    codes = np.linalg.qr(noise(200, 10) - noise(200, 10).mean(axis=0))[0] * 14
    assert udr([codes, codes[:, [7, 2, 4]]], relevance="lasso", least_variance=0.5).mean == pytest.approx(
        0.9 * 6 / 13, abs=1e-6
    )


def test_udr_leaves_uninformative_codes_out():
    """By variance, or by the KL divergence (m^2 + s^2 - 1) / 2 - log s: 0.0093 for s = 0.905, 0.0114 for 0.895."""
    codes = np.column_stack([GRID - GRID.mean(axis=0), 0.09 * noise(12, 1)])
    alone = codes[:, :2]
    assert udr([codes, alone]).mean == pytest.approx(1, abs=1e-12)
    assert udr([codes, alone], least_variance=1e-4).mean < 0.95
    centred = np.column_stack([alone, 1e-9 * noise(12, 1)])
    for s, expected in (0.905, True), (0.895, False):
        sd = np.column_stack([np.full((12, 2), 0.1), np.full(12, s)])
        assert (udr([centred, alone], sd=[sd, sd[:, :2]]).mean == pytest.approx(1, abs=1e-12)) == expected


@pytest.mark.parametrize(
    ("representations", "options", "message"),
    [
        ([GRID], {}, "representations must be two or more arrays .n, d., got 1"),
        ([], {}, "representations must be two or more arrays .n, d., got 0"),
        ([GRID, GRID[1:]], {}, r"representations\[1\] has 11 rows, representations\[0\] has 12"),
        ([GRID, GRID[:, 0]], {}, r"representations\[1\]: codes must be 2-D"),
        ([GRID * np.nan, GRID], {}, r"representations\[0\]: codes must be finite"),
        ([GRID, GRID], {"sd": [GRID + 1]}, "sd must have the shapes of representations"),
        ([GRID, GRID], {"sd": [GRID + 1, GRID]}, "sd must be above 0, got 0"),
        ([GRID, GRID], {"relevance": "pearson"}, "relevance must be 'spearman' or 'lasso', got 'pearson'"),
        ([GRID, GRID], {"penalty": 0}, "penalty must lie between 0 and 1, got 0"),
    ],
)
def test_udr_refuses_by_name(representations, options, message):
    with pytest.raises(ValueError, match=message):
        udr(representations, **options)


# Support


def product(points):
    return np.stack(np.meshgrid(*points.T), axis=-1).reshape(-1, 2)


@pytest.mark.parametrize(
    "points",
    [
        noise(60, 2),
        np.random.default_rng(0).integers(6, size=(20, 2)).astype(float),
        np.random.default_rng(1).uniform(size=(150, 2)) ** 3,
        np.column_stack([np.arange(40.0), np.arange(40.0) ** 2]),
        np.array([[0.0, 0], [1, 1]]),
        np.array([(a, b) for a in range(9) for b in range(9) if (a + b) % 2 == 0], dtype=float),  # all holes alike
    ],
)
def test_the_largest_gap_by_brute_force(points):
    distances = np.linalg.norm(product(points)[:, None] - points, axis=-1)
    assert _largest_gap(points) == pytest.approx(distances.min(axis=1).max(), abs=1e-12)


def test_factorised_support_is_the_mean_over_pairs_of_standardised_codes():
    codes = noise(50, 3) * [1, 20, 0.3] + [0, 5, -1]
    scaled = codes / codes.std(axis=0)
    gaps = [_largest_gap(scaled[:, list(pair)]) for pair in combinations(range(3), 2)]
    assert factorised_support(codes) == pytest.approx(np.mean(gaps), abs=1e-12)
    assert factorised_support(codes, aggregate="sum") == pytest.approx(np.sum(gaps), abs=1e-12)
    with pytest.raises(ValueError, match="aggregate must be 'mean' or 'sum', got 'max'"):
        factorised_support(codes, aggregate="max")


def test_factorised_support_forgives_correlation_and_sees_a_missing_combination():
    correlated = np.repeat(GRID, np.where(GRID[:, 0] == GRID[:, 1], 50, 1), axis=0)
    assert factorised_support(correlated) == 0
    missing = correlated[(correlated != [2, 3]).any(axis=1)]  # the nearest rows are one step away
    step = min(1 / missing.std(axis=0))
    assert factorised_support(missing) == pytest.approx(step, abs=1e-12)


def test_factorised_support_needs_little_memory():
    """20,000 values of both codes make 400 million combinations."""
    codes = noise(20_000, 2)
    tracemalloc.start()
    factorised_support(codes)
    assert tracemalloc.get_traced_memory()[1] < 40e6
    tracemalloc.stop()


# Covariance


def correlated(r, n=500):
    """Two codes whose sample correlation is r to rounding."""
    z = noise(n, 2)
    z = np.linalg.qr(z - z.mean(axis=0))[0] * sqrt(n - 1)
    return z @ np.array([[1, r], [0, sqrt(1 - r * r)]])


@pytest.mark.parametrize("r", [0.3, -0.9])
def test_of_two_correlated_codes(r):
    """-log(1 - r^2) / 2; roots of eigenvalues 1 + r and 1 - r; neither knows about scales where it should not."""
    codes = correlated(r)
    assert total_correlation(codes) == pytest.approx(-log(1 - r * r) / 2, abs=1e-10)
    assert total_correlation(codes * [1e-6, 1e6] + 5) == pytest.approx(-log(1 - r * r) / 2, abs=1e-8)
    raw = 4 - 2 * (sqrt(1 + r) + sqrt(1 - r))
    assert wasserstein_correlation(codes) == pytest.approx((raw, raw / 2), abs=1e-10)
    assert wasserstein_correlation(3 * codes + 5) == pytest.approx((9 * raw, raw / 2), abs=1e-9)


def test_wasserstein_correlation_of_unequal_variances():
    """Variances 4 and 1, correlation 1: the product D^1/2 C D^1/2 has rank 1 and trace 16 + 1."""
    codes = noise(100, 1) @ [[2.0, 1]]
    codes /= codes[:, 1].std(ddof=1)
    assert wasserstein_correlation(codes).raw == pytest.approx(10 - 2 * sqrt(17), abs=1e-10)


def test_total_correlation_refuses_what_is_infinite():
    x = noise(50, 3)
    with pytest.raises(ValueError, match=r"columns \[1, 3\] are not linearly independent.* infinite; drop those"):
        total_correlation(np.column_stack([np.zeros(50), x[:, 0], x[:, 1], -3e4 * x[:, 0] + 2]))
    with pytest.raises(ValueError, match=r"columns \[0, 1, 3\] are not linearly"):
        total_correlation(np.column_stack([x, x[:, 0] - x[:, 1]]))
    with pytest.raises(ValueError, match=r"codes must have more rows .* got 3 rows and 3 such columns"):
        total_correlation(x[:3])
    assert total_correlation(np.column_stack([x, x[:, 0] + 1e-5 * noise(50, seed=5)])) > 5  # nearly is not


def test_one_row():
    one = np.ones((1, 2))
    assert total_correlation(one) == factorised_support(one) == mi_score(one) == active_units(one) == 0
    with pytest.raises(ValueError, match="at least 2 rows"):
        wasserstein_correlation(one)


# Pairs and counts


def test_mi_score_is_the_mean_over_pairs():
    """Codes 0 and 1 share all (log 3), code 2 shares nothing: two of six ordered pairs. A constant makes it twelve."""
    codes = np.column_stack([GRID[:, 0], -GRID[:, 0], GRID[:, 1]])
    assert mi_score(codes) == pytest.approx(2 * log(3) / 6, abs=1e-12)
    dull = np.column_stack([codes, np.full(12, 0.1)])
    assert mi_score(dull) == pytest.approx(2 * log(3) / 12, abs=1e-12)
    assert mi_score(dull, inactive="drop") == pytest.approx(2 * log(3) / 6, abs=1e-12)
    assert mi_score(codes, bins=2) == pytest.approx(  # values 0 | 1, 2 and mirrored
        2 * mutual_information((codes[:, [0]] > 0).astype(int), (codes[:, [0]] > 1).astype(int)).item() / 6, abs=1e-12
    )


def test_mi_score_refuses_by_name():
    with pytest.raises(ValueError, match="inactive='drop' leaves 1 codes that vary, and a pair needs 2"):
        mi_score(np.column_stack([GRID[:, 0], np.zeros(12)]), inactive="drop")
    with pytest.raises(ValueError, match="inactive must be 'keep' or 'drop', got 'skip'"):
        mi_score(GRID, inactive="skip")
    with pytest.raises(ValueError, match="bins must be a whole number of at least 2, got 1"):
        mi_score(GRID, bins=1)


def test_active_units_counts_variances_above_the_threshold():
    bits = np.tile([[-1.0], [1]], (10, 1))  # variance 1
    codes = bits * [0.0999, 0.1001, 1, 30] + [100, 100, 0, 0]
    assert active_units(codes) == 3
    assert active_units(codes, threshold=0) == 4
    assert active_units(codes, threshold=1) == 1
    assert active_units(np.full((100, 1), 0.1), threshold=0) == 0
    for threshold in (-1, np.nan, "0.1", True):
        with pytest.raises(ValueError, match="threshold must be a number of at least 0"):
            active_units(codes, threshold=threshold)
