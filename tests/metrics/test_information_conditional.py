"""Conditional information, for correlated factors: exact identities, what is left of chance, what is refused."""

import warnings

import numpy as np
import pytest
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

from disentangle_bench.metrics import dcimig, jemmig, mig, mig_posterior, mig_sup, modularity, rmig
from disentangle_bench.metrics._conditional import _within, information_and_entropy
from disentangle_bench.metrics._dependence import CorrelatedFactors


def correlated(n, keep, seed=0):
    """Two factors of six values, equal in a share `keep` of rows and by chance; a third that is independent."""
    rng = np.random.default_rng(seed)
    first, second, third = rng.integers(0, 6, n), rng.integers(0, 6, n), rng.integers(0, 4, n)
    return np.stack([first, np.where(rng.random(n) < keep, first, second), third], axis=1)


@pytest.mark.parametrize("n", [1, 30, 3000])
def test_the_mean_by_chance_is_exact(n):
    """One stratum: as scikit-learn has it."""
    rng = np.random.default_rng(n)
    a, b = rng.integers(0, 5, n), rng.integers(0, 7, n)
    known, whole, chance = _within(np.zeros(n, int), a[:, None], b)[0]
    assert chance == pytest.approx(expected_mutual_information(contingency_matrix(a, b, sparse=True), n), abs=1e-10)
    p = np.bincount(b) / n
    assert whole == pytest.approx(-(p[p > 0] * np.log(p[p > 0])).sum(), abs=1e-12)
    assert 0 <= known + 1e-12 <= whole + 2e-12


def test_the_mean_by_chance_within_strata():
    """Strata of many sizes, one of a single row: the mean over permutations, and the weighted mean over strata."""
    rng = np.random.default_rng(0)
    stratum = np.concatenate([np.repeat(np.arange(6), [40, 25, 10, 5, 2, 1]), np.full(60, 6)])
    z, v = rng.integers(0, 5, len(stratum)), rng.integers(0, 4, len(stratum))

    def plug_in(v):
        total = 0.0
        for s in np.unique(stratum):
            table = contingency_matrix(z[stratum == s], v[stratum == s]) / len(stratum)
            both = table > 0
            p = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
            total += (table[both] * np.log(table[both] / p[both])).sum()
        return total

    known, _, chance = _within(stratum, z[:, None], v)[0]
    assert known == pytest.approx(plug_in(v), abs=1e-12)
    shuffled = []
    for _ in range(400):
        permuted = v.copy()
        for s in np.unique(stratum):
            permuted[stratum == s] = rng.permutation(permuted[stratum == s])
        shuffled.append(plug_in(permuted))
    assert chance == pytest.approx(np.mean(shuffled), abs=4 * np.std(shuffled) / 20)
    assert chance > 0.1


def test_conditional_information_of_codes_that_are_factors():
    v = correlated(3000, 0.6)
    information, entropies = information_and_entropy(v, v, True)
    plain, whole = information_and_entropy(v, v, False)
    assert plain[0, 1] > 0.4
    assert max(information[0, 1], information[1, 0]) < 1e-12  # nothing beyond what it is compared with
    assert np.diag(information) == pytest.approx(entropies, abs=1e-12)
    p = np.array([[np.mean((v[:, 0] == a) & (v[:, 1] == b)) for b in range(6)] for a in range(6)])
    assert entropies[1] == pytest.approx(-(p * np.log(p / p.sum(axis=1, keepdims=True))).sum(), abs=1e-12)
    assert (information[:, 2] == plain[:, 2]).all()  # it depends on no other
    assert entropies[2] == whole[2]


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("metric", [mig, mig_sup])
def test_conditional_scores(metric, keep):
    """Perfect codes get 1, noise 0, a code that mixes both correlated factors costs as it does without correlation."""
    v = correlated(10000, keep)
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(len(v), 3))
    assert metric(v, v, conditional=True) > 0.998
    assert metric(noise, v, conditional=True) < 0.005
    with pytest.warns(CorrelatedFactors):
        assert metric(v, v) < 0.95
    mixed = np.column_stack([v[:, 0], v[:, 0] + 6 * v[:, 1], v[:, 2]])
    assert metric(mixed, v, conditional=True) < 0.8


def test_conditional_scores_with_few_rows():
    """300 rows, 36 combinations: the plug-in information of noise is a third of the entropy, the score near 0."""
    v = correlated(300, 0.6)
    noise = np.random.default_rng(1).normal(size=(300, 3))
    known, whole, chance = _within(v[:, 0], np.digitize(noise[:, [0]], np.linspace(-2, 2, 19)), v[:, 1])[0]
    assert known / whole > 0.3
    assert known == pytest.approx(chance, rel=0.15)
    assert mig(noise, v, conditional=True) < 0.05
    assert mig(v, v, conditional=True) > 0.98


def test_modularity_with_correlated_factors():
    v = correlated(3000, 0.9)
    with pytest.warns(CorrelatedFactors):
        assert modularity(v, v) < 0.85
    assert modularity(v, v, conditional=True) > 0.999


@pytest.mark.parametrize("metric", [mig, mig_sup, modularity])
def test_a_factor_that_the_others_determine_is_refused(metric):
    rng = np.random.default_rng(0)
    v = rng.integers(0, 5, (1000, 2))
    copied = np.column_stack([v, v[:, 0] // 2])  # 2 is a function of 0
    with pytest.raises(ValueError, match=r"column 2 is nearly determined by the columns it goes with, \[0\].*drop it"):
        metric(rng.normal(size=(1000, 3)), copied, conditional=True)


def test_too_few_rows_for_each_combination_are_refused():
    """Every combination of the two others occurs twice: entropy remains, but any code that tells both rows has it."""
    rng = np.random.default_rng(0)
    a, b = np.tile(np.indices((20, 20)).reshape(2, -1), 2)
    v = np.column_stack([a, b, (a + b) // 4 + rng.integers(0, 4, 800)])
    _, whole, chance = _within(20 * a + b, v, v[:, 2])[2]
    assert whole == pytest.approx(chance, abs=1e-9)
    assert whole > 0.4
    with pytest.raises(ValueError, match=r"column 0 .* \[1, 2\], or has too few rows for each of their combinations"):
        mig(v, v, conditional=True)


@pytest.mark.parametrize("metric", [mig, mig_sup, modularity, jemmig, dcimig, mig_posterior, rmig])
def test_correlated_factors_are_warned_of(metric):
    v = correlated(1000, 0.5)
    given = (v, np.full(v.shape, 0.1), v) if metric in (mig_posterior, rmig) else (v, v)
    with pytest.warns(CorrelatedFactors, match="columns 0 and 1"):
        metric(*given)
    if metric in (mig, mig_sup, modularity):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            metric(*given, conditional=True)


def test_a_common_effect_links_its_causes():
    """Independent causes a and b depend on each other given c = a + b: a perfect code must still score 1."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(5, size=(2, 10_000))
    c = np.where(rng.random(10_000) < 0.2, rng.integers(9, size=10_000), a + b)
    factors = np.stack([a, b, c], axis=1)
    for score in (mig, mig_sup, modularity):
        assert score(factors * 1.0, factors, conditional=True) == pytest.approx(1, abs=1e-9)
    assert mig(rng.normal(size=(10_000, 3)), factors, conditional=True) < 0.01
