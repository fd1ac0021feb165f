"""Correlated factors and combinations that training never sees."""

import numpy as np
import pytest
import torch

from disentangle_bench.datasets import load
from disentangle_bench.datasets._shift import shifted
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stream import Stream


@pytest.fixture(scope="module")
def toy():
    return load("toy")


def test_nothing_asked_for_changes_nothing(toy):
    assert shifted(toy) is toy


def test_the_weights_of_a_pair_are_the_density_and_leave_the_others_uniform(toy):
    data = shifted(toy, correlate="scale:posX:0.2")
    table = data.weight.reshape(toy.sizes).sum((0, 3))  # scale, posX
    a, b = np.meshgrid(np.arange(3) / 2, np.arange(8) / 7, indexing="ij")
    density = np.exp(-((a - b) ** 2) / (2 * 0.2**2))
    np.testing.assert_allclose(table, density / density.sum(), rtol=1e-12)
    assert np.allclose(data.weight.reshape(toy.sizes).sum((1, 2, 3)), 1 / 3)
    assert data.shift == "correlate=scale:posX:0.2"


@pytest.mark.parametrize("sigma, low, high", [(0.1, 0.9, 1.0), (0.2, 0.75, 0.95), (0.7, 0.1, 0.4), (100, -1e-4, 1e-3)])
def test_a_small_sigma_is_a_strong_correlation_and_a_large_one_none(toy, sigma, low, high):
    data = shifted(toy, correlate=f"posX:posY:{sigma}")
    x, y = toy.factors[:, 2], toy.factors[:, 3]
    covariance = np.cov(np.stack([x, y]), aweights=data.weight, ddof=0)
    assert low < covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]) < high


def test_pairs_multiply_and_a_confounder_is_tied_to_all_others(toy):
    several = shifted(toy, correlate="scale:shape:0.3+scale:posX:0.3+scale:posY:0.3").weight
    np.testing.assert_allclose(shifted(toy, correlate="scale:*:0.3").weight, several)


def test_a_continuous_factor_counts_by_its_value():
    data = load("digits(transform=so2)")
    angle = data.values[:, 1]
    weight = shifted(data, correlate="digit:angle:0.2").weight
    share = (angle - angle.min()) / np.ptp(angle)
    expected = np.exp(-((data.factors[:, 0] / 9 - share) ** 2) / 0.08)
    np.testing.assert_allclose(weight, expected / expected[: data.fit].sum())
    held = shifted(data, holdout="angle:0-1.5").weight == 0
    np.testing.assert_array_equal(held, (angle >= 0) & (angle <= 1.5))


@pytest.mark.parametrize(
    "text, held",
    [
        ("shape:2", lambda f: f[:, 0] == 2),
        ("posX:4-7", lambda f: f[:, 2] >= 4),
        ("shape:1+scale:0-1", lambda f: (f[:, 0] == 1) & (f[:, 1] <= 1)),
        (
            "shape:0+posX:0|shape:1+posX:7",
            lambda f: ((f[:, 0] == 0) & (f[:, 2] == 0)) | ((f[:, 0] == 1) & (f[:, 2] == 7)),
        ),
    ],
)
def test_what_is_held_out_is_never_drawn_and_the_rest_is_drawn_alike(toy, text, held):
    data = shifted(toy, holdout=text)
    expected = held(toy.factors)
    np.testing.assert_array_equal(data.weight == 0, expected)
    np.testing.assert_allclose(data.weight[~expected], 1 / (~expected).sum())
    rows = data.rows(20_000, np.random.default_rng(0))
    assert not expected[rows].any() and len(np.unique(rows)) == (~expected).sum()


def test_the_engine_draws_rows_as_often_as_their_weights_say(toy):
    data = shifted(toy, correlate="scale:posX:0.2", holdout="shape:2")
    resident = Resident(data, torch.device("cpu"))
    rows = resident.rows(200_000, Stream(0, "draws", torch.device("cpu"))).numpy()
    count, expected = np.bincount(rows, minlength=len(data)), 200_000 * data.weight
    assert not count[expected == 0].any()
    seen = expected > 5
    chi2 = ((count[seen] - expected[seen]) ** 2 / expected[seen]).sum()
    assert abs(chi2 - seen.sum()) < 4 * np.sqrt(2 * seen.sum())  # mean and spread of chi-squared
    other = data.rows(200_000, np.random.default_rng(0))  # the same distribution without torch
    assert abs(np.bincount(other, minlength=len(data)) - expected).max() < 6 * np.sqrt(expected.max())


def test_rows_that_training_does_not_see_anyway_stay_unseen():
    data = shifted(load("digits"), holdout="digit:3")
    resident = Resident(data, torch.device("cpu"))
    rows = resident.rows(20_000, Stream(0, "draws", torch.device("cpu"))).numpy()
    assert rows.max() < data.fit and 3 not in data.factors[rows, 0]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"correlate": "scale:posX"}, "got 'scale:posX', expected A:B:SIGMA"),
        ({"correlate": "scale:posZ:0.2"}, "unknown factor 'posZ'; did you mean 'posY'"),
        ({"correlate": "scale:posX:0"}, "sigma 0 .* above 0"),
        ({"correlate": "scale:posX:-1"}, "above 0"),
        ({"correlate": "scale:scale:0.2"}, "two different factors"),
        ({"correlate": "scale:posX:0.2+posX:scale:0.4"}, "once"),
        ({"holdout": "shape"}, "expected FACTOR:VALUE"),
        ({"holdout": "shapes:1"}, "unknown factor 'shapes'; did you mean 'shape'"),
        ({"holdout": "shape:3"}, "classes of shape from 0 to 2"),
        ({"holdout": "posX:5-2"}, "classes of posX from 0 to 7"),
        ({"correlate": "+"}, "got '', expected A:B:SIGMA"),
        ({"holdout": "shape:1|"}, "got '', expected FACTOR:VALUE"),
        ({"holdout": "shape:0-2"}, "leaves nothing to train on"),
    ],
)
def test_what_cannot_be_is_refused_by_name(toy, options, message):
    with pytest.raises(ValueError, match=message):
        shifted(toy, **options)
