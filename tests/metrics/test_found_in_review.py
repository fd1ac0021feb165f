"""Mistakes that were made once: inputs on which a metric gave a wrong number without a word."""

import numpy as np
import pytest

from disentangle_bench.metrics import betavae_score, dci_lasso, dci_logistic, infomec, mcc, r2, sap, udr


def test_a_kernel_probe_with_as_many_features_as_rows_does_not_learn_noise_by_heart():
    """Generalised cross-validation sees no cost in features that interpolate; the ceiling here is 0.5."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(1300, 10))
    y = (z[:, 0] + 0.5 * np.sin(2 * z[:, 1]) + rng.normal(size=1300))[:, None]
    for rows in (100, 300):
        score = r2(z[:rows], y[:rows], test_codes=z[300:], test_factors=y[300:], probe="kernel").mean
        assert 0.3 < score < 0.55, rows
    many = r2(z[:900], y[:900], test_codes=z[900:], test_factors=y[900:], probe="kernel", landmarks=900).mean
    assert 0.35 < many < 0.6


def test_a_kernel_probe_survives_an_outlier():
    z = np.random.default_rng(0).normal(size=(3000, 1))
    y = z.copy()
    z[5] = 1e12
    assert r2(z[:2000], y[:2000], test_codes=z[2000:], test_factors=y[2000:], probe="kernel").mean > 0.5  # 0 once


def test_conditional_sap_takes_no_rounding_of_float32_for_a_trace_of_a_factor():
    rng = np.random.default_rng(0)
    h0 = rng.integers(10, size=3000)
    h1 = ((h0 - 4.5) ** 2).astype(int) // 4 + rng.integers(2, size=3000)
    factors = np.stack([h0, h1], axis=1)
    codes = ((factors - factors.mean(axis=0)) / factors.std(axis=0) * [0.37, 1.9] + [0.11, -0.7]).astype(np.float32)
    assert sap(codes, factors, predictor="linear", conditional=True) == pytest.approx(1, abs=1e-6)


def test_conditional_sap_does_not_depend_on_the_units_of_factors():
    rng = np.random.default_rng(0)
    a = rng.normal(size=2000)
    factors = np.stack([a, a + rng.normal(size=2000), rng.normal(size=2000)], axis=1)
    codes = factors + 0.2 * rng.normal(size=factors.shape)
    plain = sap(codes, factors, predictor="linear", conditional=True)
    assert sap(codes, factors * [1, 1e10, 1e-9], predictor="linear", conditional=True) == pytest.approx(plain, abs=1e-6)


def test_small_numbers_are_not_taken_for_whole_turns():
    codes = np.tile(np.indices((3, 4)).reshape(2, -1).T, (20, 1))
    factors = codes * 1e-10
    for score in (mcc(codes, factors), r2(codes, factors).mean, sap(codes, factors, predictor="linear")):
        assert score == pytest.approx(1, abs=1e-9)


def test_cyclic_test_rows_that_are_all_alike_are_refused():
    factors = np.arange(40)[:, None] % 4
    codes = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(ValueError, match="column 0 cannot be judged, for all its test rows are alike"):
        r2(codes, factors, test_codes=codes[:3], test_factors=[[0], [4], [8]], cyclic={0: 4})


def test_a_factor_with_a_value_for_every_few_rows_is_warned_of():
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(3, size=600), rng.integers(140, size=600)], axis=1)
    with pytest.warns(UserWarning, match="column 1 has .* values in 600 rows"):
        betavae_score(rng.normal(size=(600, 4)), factors, train=100, test=50)


def test_nearest_neighbours_do_not_depend_on_the_origin():
    factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (30, 1))
    codes = factors + 0.3 * np.random.default_rng(0).normal(size=factors.shape)
    near, far = infomec(codes, factors), infomec(codes + 2**20, factors)
    assert far[:3] == pytest.approx(near[:3], abs=1e-3)


def test_codes_that_vary_by_less_than_float32_can_tell_are_refused():
    factors = np.tile(np.indices((4, 5)).reshape(2, -1).T, (30, 1))
    with pytest.raises(ValueError, match=r"codes: column 1 varies by 4e-60 only, less than float32 can tell"):
        mcc(factors * [1.0, 1e-60], factors)


def test_lasso_udr_scores_a_run_by_how_well_others_predict_it():
    """Run 0 is (a, b), run 1 is (a, b, a + b): a and b of run 1 are lone codes of run 0, but a + b is none.

    Predicting run 0 from run 1 asks of two codes, predicting run 1 from run 0 of three; the sums differ.
    """
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4000))
    first, second = np.stack([a, b], axis=1), np.stack([a, b, (a + b) / np.sqrt(2)], axis=1)
    each = udr([first, second], relevance="lasso").each
    standard = [(x - x.mean(axis=0)) / x.std(axis=0) for x in (first, second)]

    def agreement(source, target):
        from sklearn.linear_model import Lasso

        r = np.minimum(np.abs(Lasso(alpha=0.1, fit_intercept=False).fit(source, target).coef_).T, 1)
        r[r < 1e-3] = 0
        return sum((r.max(axis) ** 2 / np.maximum(r.sum(axis), 1e-12)).sum() for axis in (0, 1)) / 5

    assert each[0] == pytest.approx(agreement(standard[1], standard[0]), abs=5e-3)
    assert each[1] == pytest.approx(agreement(standard[0], standard[1]), abs=5e-3)
    assert abs(each[0] - each[1]) > 0.02


def test_udr_leaves_out_codes_whose_mean_is_constant():
    z = np.random.default_rng(0).normal(size=(500, 3))
    dead = np.hstack([z, np.full((500, 1), 0.1)])
    sd = np.full(dead.shape, 0.5)
    assert udr([dead, dead], sd=[sd, sd]).mean == pytest.approx(udr([z, z], sd=[sd[:, :3]] * 2).mean)


@pytest.mark.parametrize("cyclic", [5, [0], {0: "a"}, {0: None}, {True: 4}])
def test_wrong_kinds_of_cyclic_are_refused_by_name(cyclic):
    factors = np.tile(np.indices((3, 4)).reshape(2, -1).T, (20, 1))
    with pytest.raises(ValueError, match="cyclic must map"):
        mcc(factors, factors, cyclic=cyclic)


def test_two_valued_factors_weigh_like_others_in_logistic_importances():
    """|W_0| + |W_1| = |w| for the one weight w = W_1 - W_0 that scikit-learn keeps of two values."""
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(2, size=4000), rng.integers(2, size=4000)], axis=1)
    codes = factors + 0.5 * rng.normal(size=(4000, 2))
    found = dci_logistic(codes, factors).importance
    from sklearn.linear_model import LogisticRegression

    order = np.random.default_rng(0).permutation(4000)[:2666]
    x = (codes[order] - codes[order].mean(axis=0)) / codes[order].std(axis=0)
    alone = LogisticRegression(l1_ratio=1, C=1, solver="saga", tol=1e-6, max_iter=5000).fit(x, factors[order, 0])
    assert found[:, 0] == pytest.approx(np.abs(alone.coef_[0]) / 2, abs=0.02)


def test_lasso_penalties_do_not_depend_on_the_order_of_rows():
    factors = np.tile(np.indices((6, 5)).reshape(2, -1).T, (100, 1))
    factors = factors[np.lexsort(factors.T)]
    codes = factors + 0.5 * np.random.default_rng(0).normal(size=factors.shape)
    given = {"test_codes": codes, "test_factors": factors}
    order = np.random.default_rng(1).permutation(3000)
    in_order, shuffled = dci_lasso(codes, factors, **given), dci_lasso(codes[order], factors[order], **given)
    assert in_order.disentanglement == pytest.approx(shuffled.disentanglement, abs=0.03)
