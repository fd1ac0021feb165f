"""Information of latents drawn from posteriors: by an integral, by the formula of the paper, by hand."""

from math import log

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from disentangle_bench.metrics import mig, mig_posterior, rmig

GRID = np.indices((4, 5)).reshape(2, -1).T  # 20 rows, exactly independent
ON_POSTERIORS = [mig_posterior, rmig]
TWO = np.array([0, 0, 1, 1])[:, None]  # a binary factor


def entropy_of_two(distance):
    """Differential entropy of an even mixture of two standard normals, by an integral."""

    def density(z):
        return (norm.pdf(z) + norm.pdf(z - distance)) / 2

    return quad(lambda z: -density(z) * np.log(density(z)), -12, distance + 12, limit=500)[0]


@pytest.mark.parametrize("distance", [0.0, 0.5, 1.0, 2.0, 4.0, 40.0])
@pytest.mark.parametrize("sd", [1.0, 0.01, 30.0])
def test_two_normal_posteriors(distance, sd):
    """I = H(mixture) - H(normal), in units of log 2; the second code is dead. From 0 to log 2, whatever the scale."""
    codes = np.column_stack([TWO[:, 0] * distance * sd + 5, np.zeros(4)])
    known = entropy_of_two(distance) - (1 + log(2 * np.pi)) / 2
    value = mig_posterior(codes, np.full(codes.shape, sd), TWO)
    assert value == pytest.approx(known / log(2), abs=1e-4)
    assert value <= known / log(2) + 1e-6  # a lower bound
    if distance in (0, 40):
        assert value == pytest.approx(distance / 40, abs=1e-9)


def test_the_formula_of_the_paper_by_sampling():
    """H(z) and H(z | v) as means of -log q over draws, sums over all rows and over the rows of a value."""
    rng = np.random.default_rng(0)
    factors = np.stack([np.arange(60) % 3, np.arange(60) // 3 % 4], axis=1)
    mean = np.column_stack([factors[:, 0] + 0.2 * rng.normal(size=60), 0.7 * factors[:, 1], rng.normal(size=60)])
    sd = np.exp(rng.normal(-1, 0.5, size=mean.shape))
    rows = rng.integers(0, 60, 40000)
    shares, errors = np.empty((3, 2)), np.empty((3, 2))
    for d, k in np.ndindex(3, 2):
        z = rng.normal(mean[rows, d], sd[rows, d])
        density = norm.pdf(z[:, None], mean[:, d], sd[:, d])  # (draws, rows)
        same = factors[rows, k][:, None] == factors[:, k]
        log_ratio = np.log((density * same).sum(axis=1) / same.sum(axis=1)) - np.log(density.mean(axis=1))
        shares[d, k] = log_ratio.mean() / log(3 + k)
        errors[d, k] = log_ratio.std() / 200 / log(3 + k)
    second, first = np.sort(shares, axis=0)[-2:]
    assert mig_posterior(mean, sd, factors) == pytest.approx((first - second).mean(), abs=4 * errors.max())
    assert (first - second).mean() > 0.3


def test_finer_bins_know_more_and_converge():
    """Halving bins loses nothing; the integral is reached as the square of their width."""
    rng = np.random.default_rng(0)
    codes = np.column_stack([GRID[:, 0], np.zeros(20)])
    sd = np.column_stack([np.exp(rng.normal(-1, 0.3, 20)), np.ones(20)])
    scores = [mig_posterior(codes, sd, GRID[:, [0]], bins=bins) for bins in (4, 8, 16, 32, 64, 128, 256)]
    assert (np.diff(scores) >= 0).all()
    assert scores[0] < scores[-1] - 0.1
    assert scores[-1] == pytest.approx(mig_posterior(codes, sd, GRID[:, [0]]), abs=1e-3)
    assert 3 < (scores[-1] - scores[-3]) / (scores[-1] - scores[-2]) < 7  # 5 exactly where the error is quadratic


def test_bins_stop_where_they_are_fine_enough():
    rng = np.random.default_rng(0)
    codes, sd = rng.normal(size=(60, 2)), np.full((60, 2), 0.5)
    factors = (codes + rng.normal(size=(60, 2)) > 0).astype(int)
    assert mig_posterior(codes, sd, factors, bins=2000) == mig_posterior(codes, sd, factors, bins=10**6)


@pytest.mark.parametrize("metric", ON_POSTERIORS)
def test_narrow_posteriors_of_few_values_are_mig(metric):
    """A few discrete values, each in its own bin: the plug-in information."""
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 4, (500, 3))
    codes = np.where(rng.random((500, 3)) < 0.7, factors, rng.integers(0, 4, (500, 3)))
    codes[:, 2] = (codes[:, 2] + codes[:, 1]) % 4
    value = metric(codes * 0.9, np.full(codes.shape, 1e-6), factors)
    assert value == pytest.approx(mig(codes, factors), abs=1e-9)
    assert 0.2 < value < 0.6


def test_rmig_of_two_bins_by_hand():
    """Right of 0 with probability Phi(mean / sd), however far the span."""
    mean, sd = np.array([-0.5, -0.5, 1.0, 1.0]), np.array([1.0, 1.0, 2.0, 2.0])
    right = norm.cdf(mean / sd)[[0, 2]]

    def h(p):
        return -p * np.log(p) - (1 - p) * np.log(1 - p)

    known = h(right.mean()) - h(right).mean()
    codes, spread = np.column_stack([mean, np.zeros(4)]), np.column_stack([sd, np.ones(4)])
    for span in (0.1, 4.0, 1000):
        assert rmig(codes, spread, TWO, bins=2, span=span, normalised=False) == pytest.approx(known, abs=1e-12)
        assert rmig(codes, spread, TWO, bins=2, span=span) == pytest.approx(known / log(2), abs=1e-12)


def test_rmig_has_a_scale():
    """Values 0 and 0.01 share a bin; values beyond the span share the last one."""
    sd = np.full((4, 2), 1e-4)
    for values, score in [((0.01, 0.03), 0), ((0.01, 0.09), 1), ((5, 6), 0), ((-5, 6), 1)]:
        codes = np.column_stack([np.take(values, TWO[:, 0]), np.zeros(4)])
        assert rmig(codes, sd, TWO) == pytest.approx(score, abs=1e-9)
        assert mig_posterior(codes, sd, TWO) == pytest.approx(1, abs=1e-9)


def test_rmig_in_nats_is_a_mean_of_entropies():
    value = rmig(GRID - 2.5, np.full(GRID.shape, 0.01), GRID, normalised=False)
    assert value == pytest.approx((log(4) + log(5)) / 2, abs=1e-9)


@pytest.mark.parametrize("metric", ON_POSTERIORS)
def test_wrong_posteriors_are_refused_by_name(metric):
    codes, sd = GRID.astype(float), np.ones(GRID.shape)
    for given, message in [
        ((codes, sd[:, :1], GRID), r"sd has shape \(20, 1\), codes has \(20, 2\)"),
        ((codes, sd[1:], GRID), r"sd has shape \(19, 2\), codes has \(20, 2\)"),
        ((codes, sd[:, 0], GRID), r"sd must be 2-D"),
        ((codes, np.where(codes == 3, 0, sd), GRID), "sd must be above 0 .* got 0.0 in row 3, column 1"),
        ((codes, -sd, GRID), "sd must be above 0 .* got -1.0 in row 0, column 0"),
        ((codes, np.where(codes == 3, np.nan, sd), GRID), "sd must be finite .* got nan in row 3, column 1"),
        ((np.where(codes == 3, np.inf, codes), sd, GRID), "codes must be finite .* got inf in row 3, column 1"),
        ((codes, sd, GRID[1:]), "codes has 20 rows, factors has 19"),
        ((codes, sd, GRID * [1, 0]), "column 1 has the single value 0 .* drop it"),
        ((codes[:, :1], sd[:, :1], GRID), "codes: .* at least 2, got 1"),
        ((codes[:1], sd[:1], GRID[:1]), "column 0 has the single value 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            metric(*given)


def test_wrong_spans_are_refused_by_name():
    for span in (0, -1.0, np.inf, np.nan, True, "4"):
        with pytest.raises(ValueError, match="span must be a number above 0, got"):
            rmig(GRID, np.ones(GRID.shape), GRID, span=span)


@pytest.mark.parametrize("metric", ON_POSTERIORS)
def test_extreme_posteriors(metric):
    """Far from 0 with next to no spread, and the widest there is: a number in the range, no warning."""
    for scale, sd in [(1e-30, 1e-38), (1e30, 1e-30), (1.0, 1e38), (1e37, 1e38), (1e-3, 1e-300)]:
        value = metric(GRID * scale, np.full(GRID.shape, sd), GRID)
        assert 0 <= value <= 1
