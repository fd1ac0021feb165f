"""Information metrics of binned codes on inputs whose value is known by hand."""

from math import log

import numpy as np
import pytest

from disentangle_bench.metrics import dcimig, jemmig, mig, mig_posterior, mig_sup, modularity, rmig

GRID = np.indices((4, 5)).reshape(2, -1).T  # 20 rows, exactly independent
BOTH = GRID @ [[1], [4]]  # one code, a value for every combination
FAMILY = [mig, mig_sup, modularity, jemmig, dcimig]
ON_POSTERIORS = [mig_posterior, rmig]


# bins of factors, what is divided by what


def test_factor_bins():
    """40 values in 20 bins are 20 pairs: the same as halving the index."""
    fine = np.tile(np.arange(40), 6)
    other = np.repeat(np.arange(6), 40)
    codes = np.stack([fine + 0.3 * other, other, np.sin(fine)], axis=1)
    for metric in FAMILY:
        binned = metric(codes, np.stack([fine, other], axis=1), factor_bins=20)
        assert binned == pytest.approx(metric(codes, np.stack([fine // 2, other], axis=1)), abs=1e-12)
        assert abs(binned - metric(codes, np.stack([fine, other], axis=1))) > 1e-7


@pytest.mark.parametrize("metric", [*FAMILY, *ON_POSTERIORS])
def test_bad_bins_are_refused_by_name(metric):
    given = (GRID, np.ones(GRID.shape), GRID) if metric in ON_POSTERIORS else (GRID, GRID)
    for option in ("bins", "factor_bins"):
        with pytest.raises(ValueError, match=f"{option} must be a whole number of at least 2, got 1"):
            metric(*given, **{option: 1})


@pytest.mark.parametrize("metric", [mig, mig_sup])
def test_bad_options_are_refused_by_name(metric):
    with pytest.raises(ValueError, match="normalise must be 'factor' or 'code', got 'both'"):
        metric(GRID, GRID, normalise="both")
    with pytest.raises(ValueError, match="normalise must be 'factor' where conditional is true"):
        metric(GRID, GRID, normalise="code", conditional=True)
    with pytest.raises(ValueError, match="inactive must be 'keep' or 'drop', got None"):
        mig_sup(GRID, GRID, inactive=None)


def test_mig_by_the_entropy_of_the_code():
    """A binary factor, and a code of four values that knows it: log 2 of log 2, or of log 4. The other code is dead."""
    factor = np.array([0, 0, 1, 1])[:, None]
    codes = np.array([[0, 0], [1, 0], [2, 0], [3, 0]])
    assert mig(codes, factor) == pytest.approx(1, abs=1e-15)
    assert mig(codes, factor, normalise="code") == pytest.approx(0.5, abs=1e-15)


def test_mig_sup_of_codes_that_hold_two_factors():
    assert mig_sup(BOTH, GRID) == pytest.approx(0, abs=1e-15)  # knows all of either
    assert mig_sup(BOTH, GRID, normalise="code") == pytest.approx((log(5) - log(4)) / log(20), abs=1e-15)
    part = np.stack([GRID[:, 0] // 2 + 2 * GRID[:, 1], GRID[:, 0]], axis=1)  # half of one and all of the other; one
    assert mig_sup(part, GRID) == pytest.approx((1 - 0.5 + 1) / 2, abs=1e-15)


def test_mig_sup_of_dead_codes():
    codes = np.column_stack([GRID, np.full(20, 0.1)])
    for normalise in ("factor", "code"):
        assert mig_sup(codes, GRID, normalise=normalise) == pytest.approx(2 / 3, abs=1e-15)
        assert mig_sup(codes, GRID, normalise=normalise, inactive="drop") == pytest.approx(1, abs=1e-15)
    assert mig_sup(codes[:, 2:], GRID, inactive="drop") == 0


@pytest.mark.parametrize("metric", [mig_sup, dcimig, modularity])
def test_one_factor_is_refused(metric):
    with pytest.raises(ValueError, match=r"factors: .* at least 2, got 1"):
        metric(GRID, GRID[:, [0]])


@pytest.mark.parametrize("metric", [mig, jemmig])
def test_one_code_is_refused_and_one_factor_is_not(metric):
    with pytest.raises(ValueError, match=r"codes: .* at least 2, got 1"):
        metric(BOTH, GRID)
    assert metric(GRID, GRID[:, [0]]) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("metric", FAMILY)
def test_fewer_codes_than_factors_and_more(metric):
    """The mean is over the right axis: three factors, two codes, and the other way round."""
    cube = np.indices((2, 3, 4)).reshape(3, -1).T
    fewer = {mig: 2 / 3, mig_sup: 1, modularity: 1, dcimig: log(6) / log(24)}
    fewer[jemmig] = (2 + 1 - log(2 * 4) / log(20 * 4)) / 3  # nobody knows the third: the plainest code's entropy, too
    with_noise = {mig: 1, mig_sup: 2 / 3, modularity: 2 / 3, dcimig: 1, jemmig: 1}
    assert metric(cube[:, :2], cube) == pytest.approx(fewer[metric], abs=1e-12)
    assert metric(cube, cube[:, :2]) == pytest.approx(with_noise[metric], abs=1e-12)


# JEMMIG, DCIMIG


def test_jemmig_by_hand():
    """The code has four values for two of the factor: J = log 4 - log 2, and the dead code adds nothing."""
    factor = np.array([0, 0, 1, 1])[:, None]
    codes = np.array([[0, 0], [1, 0], [2, 0], [3, 0]])
    assert jemmig(codes, factor, normalised=False) == pytest.approx(log(2), abs=1e-15)
    assert jemmig(codes, factor, bins=8) == pytest.approx(1 - log(2) / log(16), abs=1e-15)
    copied = np.repeat(factor, 2, axis=1)
    assert jemmig(copied, factor, normalised=False) == pytest.approx(log(2), abs=1e-15)
    assert jemmig(np.zeros((4, 2)), factor, normalised=False) == pytest.approx(log(2), abs=1e-15)


def test_jemmig_takes_the_plainer_of_codes_that_know_equally_much():
    """Whatever the order. The gap is 0: J is the joint entropy, H(v)."""
    for order in ([0, 1], [1, 0]):
        codes = np.column_stack([GRID[:, 0], BOTH])[:, order]
        assert jemmig(codes, GRID[:, [0]], normalised=False) == pytest.approx(log(4), abs=1e-15)


def test_dcimig_by_hand():
    whole = log(4) + log(5)
    assert dcimig(BOTH, GRID) == pytest.approx((log(5) - log(4)) / whole, abs=1e-15)
    assert dcimig(GRID[:, [1, 1]], GRID) == pytest.approx(log(5) / whole, abs=1e-15)  # not twice, and 0 for the other
    assert dcimig(np.column_stack([BOTH, GRID[:, 1]]), GRID) == pytest.approx(log(5) / whole, abs=1e-15)  # the best
