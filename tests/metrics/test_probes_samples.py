"""Fixed-factor scores from a sample of rows: what is drawn, and what comes of it."""

from itertools import combinations

import numpy as np
import pytest

from disentangle_bench.metrics import betavae_score, factorvae_score
from disentangle_bench.metrics._fixed_factor import Partners, is_grid, subsets

GRID = np.tile(np.indices((2, 3, 4)).reshape(3, -1).T, (10, 1))  # every combination ten times, 240 rows
NOISE = np.random.default_rng(0).normal(size=GRID.shape)
FEW = {"train": 500, "test": 300}


# Batches from a sample of rows


def test_which_tables_are_grids():
    grid = np.indices((2, 3)).reshape(2, -1).T
    assert is_grid(grid) and is_grid(np.tile(grid, (3, 1))[::-1]) and is_grid(grid * [5, -2] + 1)
    assert not is_grid(grid[1:]) and not is_grid(np.vstack([grid, grid[:1]]))
    assert not is_grid(np.vstack([grid[1:], grid[1:2]]))  # as many rows, one combination twice
    assert not is_grid(np.eye(70, dtype=int))  # 2^70 combinations


def test_subsets_are_all_equally_likely():
    drawn = subsets(np.full(20_000, 5), 3, np.random.default_rng(0))
    assert (np.sort(drawn, axis=1)[:, 1:] != np.sort(drawn, axis=1)[:, :-1]).all()
    names, counts = np.unique(np.sort(drawn, axis=1), axis=0, return_counts=True)
    assert names.tolist() == [list(c) for c in combinations(range(5), 3)]
    assert counts / 20_000 == pytest.approx(np.full(10, 0.1), abs=0.01)
    mixed = subsets(np.array([3, 100, 3]), 3, np.random.default_rng(0))
    assert np.sort(mixed[[0, 2]], axis=1).tolist() == [[0, 1, 2]] * 2 and (mixed < [[3], [100], [3]]).all()


def test_batches_of_a_sample_repeat_no_row_and_pairs_are_two():
    rng = np.random.default_rng(0)
    factors = np.column_stack([rng.permutation(np.arange(400) % 2), rng.permutation(np.arange(400) % 40)])
    partners = Partners(factors)
    assert not partners.grid
    k, rows = partners.batches(3000, 16, np.random.default_rng(1))
    values = factors[rows, k[:, None]]
    assert (values == values[:, :1]).all()
    different = np.array([len(set(row)) for row in rows])
    assert (different[k == 0] == 16).all()  # 200 rows a value
    assert (different[k == 1] < 16).all()  # 10 rows a value
    common = np.bincount(rows[k == 0].ravel(), minlength=400)
    assert common.std() < 1.2 * np.sqrt(common.mean())
    k, first, second = partners.pairs(3000, 4, np.random.default_rng(1))
    assert (factors[first, k[:, None]] == factors[second, k[:, None]]).all()
    assert (first != second).all()
    counts = np.bincount(second[k == 0].ravel(), minlength=400)
    assert counts.std() < 1.3 * np.sqrt(counts.mean())
    k, first, second = Partners(np.array([[0, 0], [0, 1], [1, 1]])).pairs(200, 2, np.random.default_rng(0))
    assert (first == second)[(k == 0)[:, None] & (first == 2)].all()  # alone with its value


def test_pairs_of_a_grid_may_be_one_row():
    _, first, second = Partners(GRID).pairs(2000, 8, np.random.default_rng(1))
    assert (first == second).mean() == pytest.approx((2 / 240 + 3 / 240 + 4 / 240) / 3, abs=0.002)


def test_a_sample_of_rows_gives_noise_no_hint_of_the_factor():
    """Rows with 75 others of a value are paired with themselves once in 75: without care noise scores 0.23 here."""
    rng = np.random.default_rng(0)
    factors = rng.integers([3, 6, 40, 32, 32], size=(3000, 5))
    scores = [betavae_score(rng.normal(size=(3000, 10)), factors, seed=seed) for seed in range(3)]
    assert np.mean(scores) == pytest.approx(0.2, abs=0.015)


def test_a_sample_of_rows_is_nearly_as_good_as_the_grid():
    """z + e with var e = var z, and 5 codes of noise: 0.982 if factors are drawn anew, 0.971 if batches repeat rows."""
    sizes = np.array([3, 6, 40, 32, 32])
    scores = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        factors = rng.integers(sizes, size=(10_000, 5))
        z = (factors - (sizes - 1) / 2) / np.sqrt((sizes**2 - 1) / 12)
        codes = np.hstack([z + rng.normal(size=z.shape), rng.normal(size=z.shape)])
        scores.append(factorvae_score(codes, factors, seed=seed))
    assert np.mean(scores) == pytest.approx(0.982, abs=0.005)


# Options of the fixed-factor scores


@pytest.mark.parametrize("metric", [betavae_score, factorvae_score])
def test_rescaled_accuracy(metric):
    codes = GRID + 3 * NOISE
    assert metric(codes, GRID, rescale=True, **FEW) == pytest.approx(
        (metric(codes, GRID, **FEW) * 3 - 1) / 2, abs=1e-12
    )
    assert metric(GRID, GRID, rescale=True, **FEW) == 1


def test_factorvae_score_where_no_code_is_left():
    assert factorvae_score(0 * NOISE, GRID) == 0
    assert factorvae_score(0 * NOISE, GRID, rescale=True) == pytest.approx(-1 / 2)
