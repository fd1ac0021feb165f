"""Factors as numbers and circles, MCC and R^2: values by hand, identities, degenerate inputs."""

import numpy as np
import pytest

from disentangle_bench.metrics import mcc, r2, sap
from disentangle_bench.metrics._regression import basis, explained, remainder

GRID = np.tile(np.indices((2, 3, 4)).reshape(3, -1).T, (10, 1))  # every combination ten times, 240 rows
NOISE = np.random.default_rng(0).normal(size=GRID.shape)


def angles(size, times=1):
    """Values 0 to size - 1, and their (cos, sin)."""
    v = np.tile(np.arange(size), times)
    return v[:, None], np.stack([np.cos(2 * np.pi * v / size), np.sin(2 * np.pi * v / size)], axis=1)


# Correlation and circles


def test_explained_is_the_r2_of_a_regression():
    from sklearn.linear_model import LinearRegression

    rng = np.random.default_rng(0)
    codes, target = rng.normal(size=(50, 3)), rng.normal(size=(50, 2))
    codes[:, 0] += target[:, 0] - target[:, 1]
    expected = [LinearRegression().fit(target, code).score(target, code) for code in codes.T]
    assert explained(codes, target) == pytest.approx(expected, abs=1e-12)
    assert explained(codes, target[:, :1]) == pytest.approx(np.corrcoef(codes.T, target[:, 0])[3, :3] ** 2, abs=1e-12)


def test_remainder_is_orthogonal_and_exactly_0_where_nothing_is_left():
    rng = np.random.default_rng(0)
    others, own = rng.normal(size=(40, 2)), rng.normal(size=(40, 1))
    left = remainder(np.hstack([own, others @ [[1.0], [2]] + 5]), others)
    assert left[:, 0] @ others == pytest.approx([0, 0], abs=1e-12) and left[:, 0].any()
    assert not left[:, 1].any()
    assert basis(np.hstack([others, others])).shape == (40, 2)
    assert basis(np.ones((40, 1))).shape == (40, 0)


def test_a_cyclic_factor_is_a_circle():
    """A cosine is a line on it; the value itself is a saw, of whose variance the first harmonic is all that counts.

    Of v = 0 .. s - 1 the first Fourier coefficient is 1 / (e^(2 pi i / s) - 1), with modulus 1 / (2 sin(pi / s)); twice
    its square over the variance (s^2 - 1) / 12 is 6 / ((s^2 - 1) sin^2(pi / s)).
    """
    v, circle = angles(12, 3)
    assert mcc(circle[:, :1], v, cyclic={0: 12}) == pytest.approx(1, abs=1e-12)
    assert mcc(circle[:, :1], v) < 0.5
    line = 6 / ((12**2 - 1) * np.sin(np.pi / 12) ** 2)
    assert mcc(v, v, cyclic={0: 12}) == pytest.approx(np.sqrt(line), abs=1e-12)
    assert sap(np.hstack([circle[:, :1], v]), v, predictor="linear", cyclic={0: 12}) == pytest.approx(
        1 - line, abs=1e-12
    )
    assert mcc(circle, v, cyclic={0: 12}) == pytest.approx(1, abs=1e-12)
    assert sap(circle, v, predictor="linear", cyclic={0: 12}) == pytest.approx(0, abs=1e-12)
    turned = (v + 5) % 12  # another origin
    assert mcc(circle[:, :1], turned, cyclic={0: 12}) == pytest.approx(1, abs=1e-12)


def test_a_circle_of_two_values_is_a_line():
    v = np.tile([0, 1, 1], 20)[:, None]
    codes = np.random.default_rng(0).normal(size=(60, 2)) + v
    assert mcc(codes, v, cyclic={0: 2}) == pytest.approx(mcc(codes, v), abs=1e-12)


def test_a_factor_that_stands_still_modulo_its_period_is_refused():
    v = np.column_stack([GRID[:, 0], 4 * GRID[:, 2]])
    for call in (mcc, r2, lambda *given, cyclic: sap(*given, predictor="linear", cyclic=cyclic)):
        with pytest.raises(ValueError, match="cyclic: column 1 of factors has a single value up to whole periods"):
            call(GRID, v, cyclic={1: 4})


# MCC


def test_mcc_by_hand():
    """|r| = 0.8 for both codes with factor 0; code 1 is factor 1: 0.9 on average, whichever code is greedier."""
    a, b = np.array([-1.0, -1, 1, 1]), np.array([-1.0, 1, -1, 1])
    codes = np.column_stack([-(0.8 * a + 0.6 * b * a), b])
    assert mcc(codes, np.column_stack([a, b]).astype(int)) == pytest.approx(0.9, abs=1e-12)


def test_mcc_matches_one_to_one_and_for_the_best_sum():
    """Code 0 is best for both factors (0.8, 0.6), code 1 knows factor 0 only (0.7): 0.6 + 0.7 beats 0.8 + 0."""
    h = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]).repeat(2, axis=1)
    extra = np.array([1, -1] * 4)
    factors = h[1:3].T
    codes = np.column_stack([0.8 * h[1] + 0.6 * h[2], 0.7 * h[1] + np.sqrt(0.51) * extra * h[3]])
    matrix = np.abs(np.corrcoef(codes.T, factors.T)[:2, 2:])
    best = max(matrix[0, 0] + matrix[1, 1], matrix[0, 1] + matrix[1, 0]) / 2
    assert best > (matrix[0].max() + matrix[1, 1]) / 2 - 1e-12
    assert mcc(codes, factors) == pytest.approx(best, abs=1e-12)
    assert mcc(codes, factors) == pytest.approx(0.65, abs=0.06)


def test_spearman_sees_order_alone():
    codes = np.exp(5 * GRID) * [-1, 1, 1]
    assert mcc(codes, GRID, correlation="spearman") == pytest.approx(1, abs=1e-12)
    assert mcc(codes, GRID) < 0.95
    assert mcc(GRID**3 + NOISE, GRID, correlation="spearman") == mcc(
        (GRID**3 + NOISE) ** 3, GRID, correlation="spearman"
    )


def test_spearman_is_scipys():
    from scipy.stats import spearmanr

    codes = (GRID[:, [2]] + NOISE[:, [0]]).round(1)
    expected = abs(spearmanr(codes[:, 0], GRID[:, 2])[0])
    assert mcc(codes, GRID[:, [2]], correlation="spearman") == pytest.approx(expected, abs=1e-12)


def test_mcc_of_fewer_codes_than_factors_and_of_one_each():
    assert mcc(GRID[:, :2], GRID) == pytest.approx(2 / 3, abs=1e-12)
    assert mcc(GRID[:, [1]], GRID[:, [1]]) == pytest.approx(1, abs=1e-12)
    assert mcc([[0.0], [1.0]], [[0], [5]]) == pytest.approx(1, abs=1e-12)


# R^2


def test_r2_of_a_line_is_that_of_scikit_learn():
    from sklearn.linear_model import LinearRegression

    codes = GRID @ [[1.0, 1, 0], [0, 1, 1], [1, 0, 2]] + NOISE
    train, test = slice(0, 160), slice(160, 240)
    result = r2(codes[train], GRID[train], test_codes=codes[test], test_factors=GRID[test])
    expected = [LinearRegression().fit(codes[train], y[train]).score(codes[test], y[test]) for y in GRID.T]
    assert result.matrix == pytest.approx(np.maximum([expected], 0), abs=1e-9)
    assert result.mean == pytest.approx(np.mean(np.maximum(expected, 0)), abs=1e-9)
    assert r2(codes * 1e-3 + 7, GRID).mean == pytest.approx(r2(codes, GRID).mean, abs=1e-9)


def test_r2_has_the_share_of_signal():
    """z = v + e with var v = var e: half of v is predictable."""
    rng = np.random.default_rng(0)
    v = rng.integers(20, size=(6000, 1))
    codes = v + v.std() * rng.normal(size=(6000, 1))
    assert r2(codes, v).mean == pytest.approx(0.5, abs=0.03)
    assert r2(codes, v, probe="kernel").mean == pytest.approx(0.5, abs=0.04)


def test_a_kernel_reads_what_a_line_cannot():
    rng = np.random.default_rng(0)
    v = rng.uniform(-1, 1, size=(1500, 2))
    codes = np.column_stack([v[:, 0] * np.cos(3 * v[:, 1]), v[:, 0] * np.sin(3 * v[:, 1]), v[:, 1] ** 3]) * [1, -30, 1]
    assert r2(codes, v).mean < 0.75
    assert r2(codes, v, probe="kernel").mean > 0.97
    assert r2(rng.normal(size=(1500, 3)), v, probe="kernel").mean < 0.02


@pytest.mark.parametrize("probe", ["linear", "kernel"])
def test_r2_of_a_cyclic_factor_pools_its_two_columns(probe):
    v, circle = angles(12, 30)
    assert r2(circle, v, probe=probe, cyclic={0: 12}).mean == pytest.approx(1, abs=1e-6)
    half = r2(circle[:, :1], v, probe=probe, cyclic={0: 12}).mean  # cos is known, sin not at all
    assert half == pytest.approx(0.5, abs=0.03)
    assert r2(circle, v).mean < 0.7  # saws cannot be read from a circle by a line


def test_blocks():
    codes = np.column_stack([GRID[:, 0], GRID[:, 1] + GRID[:, 0], GRID[:, 2], NOISE[:, 0]])
    for probe in ("linear", "kernel"):
        result = r2(codes, GRID, probe=probe, blocks={"a": [0, 1], "b": (2,), "noise": np.array([3])})
        assert result.matrix == pytest.approx(np.array([[1, 1, 0], [0, 0, 1], [0, 0, 0]]), abs=0.06)
        assert result.mean == pytest.approx(1, abs=0.03)
    for blocks, message in [({"a": [4]}, "'a' must hold columns of codes, 0 to 3, got 4"), ({"a": []}, "at least one")]:
        with pytest.raises(ValueError, match=message):
            r2(codes, GRID, blocks=blocks)


@pytest.mark.parametrize("probe", ["linear", "kernel"])
def test_r2_of_degenerate_codes(probe):
    """Constant codes and duplicates add nothing; a code constant in the rows for fitting is ignored in the others."""
    dull = np.hstack([GRID, GRID, np.full((240, 2), 0.1)])
    assert r2(dull, GRID, probe=probe).mean == pytest.approx(1, abs=1e-6)
    wild = np.hstack([GRID, 1e9 * NOISE[:, :1]])
    still = np.hstack([GRID, np.zeros((240, 1))])
    assert r2(still, GRID, probe=probe, test_codes=wild, test_factors=GRID).mean == pytest.approx(1, abs=1e-6)
    assert r2(np.zeros((240, 1)), GRID, probe=probe).matrix.tolist() == [[0, 0, 0]]
    few = GRID[[0, 5, 10, 15, 20, 1, 6, 11, 16]][:, [2]]
    assert 0 <= r2(NOISE[:9], few, probe=probe).mean <= 1


def test_a_factor_that_does_not_vary_in_the_test_rows_has_no_r2():
    with pytest.raises(ValueError, match="factors: column 1 cannot be judged, for all its test rows are alike"):
        r2(GRID, GRID, test_codes=GRID, test_factors=GRID * [1, 0, 1] + [0, 1, 0])
