"""Vectors mixed from factors: each mix is what it is called, and models train on it."""

import numpy as np
import pytest

from disentangle_bench.datasets import load, numeric


def observed(data):
    """Observations from -1 to 1 (n, width), to half a step of 1/127.5."""
    return data.pixels.reshape(len(data), -1) / 127.5 - 1


def residual(data):
    """The largest difference between observations and the best linear function of the factors."""
    v, x = np.column_stack([data.values, np.ones(len(data))]), observed(data)
    return abs(v @ np.linalg.lstsq(v, x, rcond=None)[0] - x).max()


@pytest.mark.parametrize("name", list(numeric.PINNED))
def test_it_is_the_pinned_set(name):
    assert load(name).sha256 == numeric.PINNED[name]


@pytest.mark.parametrize("values", numeric.VALUES)
@pytest.mark.parametrize("mix", numeric.MIXES)
def test_only_the_nonlinear_mix_is_not_linear(mix, values):
    found = residual(load(f"numeric(mix={mix}, values={values})"))
    assert found > 0.2 if mix == "nonlinear" else found < 1.1 / 127.5


def test_the_rotated_mix_is_a_rotation():
    v = np.eye(5)
    q = numeric.mixed(v, "rotated", 16).T  # (width, factors)
    c = np.linalg.norm(q[:, 0])
    np.testing.assert_allclose(q.T @ q, c**2 * np.eye(5), atol=1e-12)
    assert abs(q).sum(1).max() == pytest.approx(1)  # it just stays in range
    assert abs(q / c).max() < 0.99  # and it is no permutation
    spread = np.linalg.svd(observed(load("numeric(mix=rotated)")), compute_uv=False)
    np.testing.assert_allclose(spread, spread[0], rtol=0.01)  # so that no principal component is a factor


@pytest.mark.parametrize("mix", numeric.MIXES)
def test_every_combination_has_an_observation_of_its_own(mix):
    data = load(f"numeric(mix={mix})")
    assert len(data) == 8**4 == len(np.unique(data.pixels, axis=0))
    assert data.shape == (1, 4 if mix == "rotated" else 16, 1) and data.kinds == ("ordered",) * 4


def test_continuous_factors_keep_their_values():
    data = load("numeric(values=continuous, factors=2)")
    assert data.kinds == ("continuous",) * 2 and len(data) == 10_000
    np.testing.assert_array_equal(data.table, data.values)
    assert len(np.unique(data.values[:, 0])) == len(data)
    level = np.stack([level[column] for level, column in zip(data.levels, data.factors.T)], axis=1)
    assert abs(level - data.values).max() <= 1 / numeric.CLASSES  # half a class


def test_discrete_and_continuous_factors_are_mixed_alike():
    pictures = [load(f"numeric(values={values})") for values in numeric.VALUES]
    fits = [np.linalg.lstsq(data.values, observed(data), rcond=None)[0] for data in pictures]
    np.testing.assert_allclose(*fits, atol=0.002)


@pytest.mark.parametrize(
    "options, message",
    [
        ("mix=lineal", "unknown numeric.mix 'lineal'; did you mean 'linear'?"),
        ("values=real", "unknown numeric.values 'real'"),
        ("factors=0", "numeric.factors: got 0, expected 1 to 6"),
        ("factors=7", "numeric.factors: got 7, expected 1 to 6"),
        ("width=3", "numeric.width: got 3, expected at least the number of factors, 4"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError) as error:
        load(f"numeric({options})")
    assert message in str(error.value)


def test_dense_networks_train_on_it(tmp_path):
    from disentangle_bench.models.betavae import BetaVAE
    from disentangle_bench.training import engine

    job = engine.Job(BetaVAE(network="dense"), 0, tmp_path)
    ((member, _),) = engine.train([job], load("numeric(mix=nonlinear)"), steps=20, batch=32, device="cpu")
    terms = [value for _, _, value in member.log]
    assert member.t == 20 and terms and np.isfinite(terms).all()
