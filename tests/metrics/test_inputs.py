"""How factors are read: whole numbers, fractions, continuous and cyclic values; factors that depend on each other."""

import warnings

import numpy as np
import pytest

from disentangle_bench.metrics import mig, sap
from disentangle_bench.metrics._dependence import CorrelatedFactors, association
from disentangle_bench.metrics._inputs import check, check_number_split, check_numbers, check_split

GRID = np.tile(np.indices((2, 3, 4)).reshape(3, -1).T, (10, 1))  # 240 rows
CODES = GRID * 1.0


def test_the_values_of_a_factor_are_as_good_as_their_indices():
    radians = GRID * [1, 0.5, np.pi / 2]
    assert np.array_equal(check(CODES, radians)[1], GRID)
    assert mig(CODES, radians) == mig(CODES, GRID)


def test_a_column_of_fractions_with_many_values_is_continuous_and_binned():
    x = np.random.default_rng(0).random((2000, 2))
    classes = check(x, x)[1]
    assert np.array_equal(np.unique(classes), np.arange(20))
    low, high = x[:, 0].min(), x[:, 0].max()
    assert np.array_equal(classes[:, 0], np.minimum(np.floor((x[:, 0] - low) / (high - low) * 20), 19))
    assert mig(x, x) == pytest.approx(1, abs=0.05)  # a bit below: the plug-in information of independent columns


def test_whole_numbers_are_classes_however_many():
    with pytest.warns(UserWarning, match="column 0 has 500 whole numbers in 500 rows, and each is a class of its own"):
        assert len(np.unique(check(np.arange(500.0)[:, None], np.arange(500)[:, None])[1])) == 500


def test_factors_can_be_binned_on_demand():
    forty = np.arange(400)[:, None] % 40
    assert np.array_equal(check(forty * 1.0, forty, factor_bins=20)[1], np.where(forty == 39, 19, forty * 20 // 39))
    with pytest.raises(ValueError, match="factor_bins must be a whole number of at least 2, got 1"):
        check(forty, forty, factor_bins=1)


def test_both_parts_of_a_split_share_their_bins():
    x = np.linspace(0, 1, 1000)[:, None] ** 2
    split = check_split(x[:500], x[:500], x[500:], x[500:], seed=0)
    assert split.factors.max() < split.test_factors.max() == 19
    assert split.test_factors.min() >= split.factors.max()


def test_cyclic_factors_become_points_on_a_circle():
    _, (plain, turning) = check_numbers(CODES, GRID[:, [0, 2]], {1: 4})
    assert plain.shape == (240, 1) and np.array_equal(plain[:, 0], GRID[:, 0])
    quarter = turning[GRID[:, 2] == 1]
    assert np.allclose(quarter, [0, 1]) and np.allclose((turning**2).sum(1), 1)
    split = check_number_split(CODES, GRID, None, None, {2: 4}, seed=3)
    assert [target.shape for target in split.targets] == [(160, 1), (160, 1), (160, 2)]


@pytest.mark.parametrize("cyclic", [{3: 4}, {-1: 4}, {0: 0}, {0: -2.0}, {"x": 4}, {0: np.inf}])
def test_a_wrong_period_is_refused_by_name(cyclic):
    with pytest.raises(ValueError, match=r"cyclic must map a column of factors \(0 to 2\) to its period, got"):
        sap(CODES, GRID, continuous=True, cyclic=cyclic)


def test_association_of_binary_factors_is_their_correlation():
    """For two binary columns Cramer's V is |Pearson's r|; the correction is of order 1 / n."""
    rng = np.random.default_rng(0)
    x = rng.integers(2, size=20_000)
    y = np.where(rng.random(20_000) < 0.8, x, 1 - x)  # r = 0.6
    assert association(np.stack([x, y], 1))[0, 1] == pytest.approx(0.6, abs=0.02)
    assert association(np.stack([x, 5 - x], 1))[0, 1] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("n", [20, 300, 10_000])
def test_chance_is_not_association(n):
    rng = np.random.default_rng(n)
    factors = np.stack([rng.integers(size, size=n) for size in (3, 6, 40, 32, 32)], 1)
    assert np.array_equal(association(factors), np.eye(5))


def test_dependent_factors_warn_and_independent_ones_do_not():
    rng = np.random.default_rng(0)
    x = rng.integers(10, size=2000)
    follower = np.clip(x + rng.integers(-1, 2, size=2000), 0, 9)
    factors = np.stack([rng.integers(4, size=2000), x, follower], 1)
    with pytest.warns(CorrelatedFactors, match=r"columns 1 and 2 depend on each other \(Cramer's V 0\.[5-7]") as caught:
        mig(factors * 1.0, factors)
    assert caught[0].filename == __file__  # it points at the caller
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mig(factors * 1.0, factors[:, :2])


def test_numbers_too_large_to_be_told_apart_are_refused_in_any_table():
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(4, size=200) / 2, rng.integers(3, size=200) * 1e19 + 1e19], axis=1)
    with pytest.raises(ValueError, match=r"factors must lie within \+-2\*\*53"):
        mig(factors, factors)


def test_factors_that_number_their_rows_cost_no_square_of_memory():
    import tracemalloc

    ids = np.stack([np.arange(5000), np.random.default_rng(0).permutation(5000)], axis=1)
    tracemalloc.start()
    association(ids)
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()
