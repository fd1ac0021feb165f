"""Likelihoods and divergences against torch.distributions, closed forms and simulation."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Categorical, Independent, MixtureSameFamily, Normal, kl_divergence
from torch.testing import assert_close

from disentangle_bench.models._probability import Gaussian, Mixture, bernoulli_nll, one_hot_means


@pytest.fixture
def q():
    torch.manual_seed(0)
    return Gaussian(torch.randn(7, 3), torch.randn(7, 3))


def test_bernoulli_nll_sums_over_pixels():
    torch.manual_seed(0)
    x, logits = torch.rand(4, 2, 5, 5).round(), torch.randn(4, 2, 5, 5)
    assert_close(bernoulli_nll(x, logits), -Bernoulli(logits=logits).log_prob(x).sum((1, 2, 3)))


def test_bernoulli_nll_of_certain_logits_is_finite():
    assert_close(bernoulli_nll(torch.ones(1, 1, 1, 1), torch.full((1, 1, 1, 1), -200.0)), torch.tensor([200.0]))


def test_gaussian_kl(q):
    assert_close(q.kl_to_standard(), kl_divergence(Normal(q.mean, q.sd), Normal(0.0, 1.0)))
    mean = torch.randn(3)
    assert_close(q.kl_to(mean, 0.3), kl_divergence(Normal(q.mean, q.sd), Normal(mean, 0.3)))


def test_sample_has_the_stated_moments():
    q = Gaussian(torch.tensor([[2.0, -1.0]]), torch.tensor([[0.0, math.log(9.0)]]))
    torch.manual_seed(0)
    z = q.at(torch.randn(200_000, 2))
    assert_close(z.mean(0), q.mean[0], atol=0.03, rtol=0)
    assert_close(z.std(0), torch.tensor([1.0, 3.0]), atol=0.03, rtol=0)


def test_one_component_is_the_gaussian(q):
    mixture = Mixture(torch.zeros(7, 1), Gaussian(q.mean[:, None], q.logvar[:, None]))
    assert_close(mixture.kl_to(torch.zeros(1, 3), 1.0), q.kl_to_standard().sum(1))
    assert_close(mixture.mean, q.mean)
    assert_close(mixture.sd, q.sd)


def test_certain_choice_costs_the_gaussian_and_log_K():
    # w one-hot and the chosen part equal to its prior: only the choice costs, log K
    K, means = 5, one_hot_means(5, 2.0, torch.zeros(1))
    logits = 100.0 * torch.eye(K)
    parts = Gaussian(means.expand(K, K, K), torch.full((K, K, K), 2 * math.log(0.3)))
    assert_close(Mixture(logits, parts).kl_to(means, 0.3), torch.full((K,), math.log(K)))


def test_bound_is_above_the_true_divergence_and_meets_it_when_parts_are_apart():
    torch.manual_seed(0)
    K = 3

    def true(mixture, means, sd, n=100_000):
        q = MixtureSameFamily(
            Categorical(mixture.w[0]), Independent(Normal(mixture.parts.mean[0], mixture.parts.sd[0]), 1)
        )
        p = MixtureSameFamily(Categorical(torch.ones(K)), Independent(Normal(means, sd), 1))
        z = q.sample((n,))
        return (q.log_prob(z) - p.log_prob(z)).mean()

    for radius, gap in [(0.5, None), (20.0, 0.01)]:
        means = one_hot_means(K, radius, torch.zeros(1))
        mixture = Mixture(
            torch.randn(1, K), Gaussian(means[None] + 0.1 * torch.randn(1, K, K), torch.randn(1, K, K) - 2)
        )
        bound, value = mixture.kl_to(means, 0.5)[0], true(mixture, means, 0.5)
        assert bound > value - 0.02
        if gap:
            assert_close(bound, value, atol=0.05, rtol=0)


def test_mixture_moments_are_those_of_its_samples():
    torch.manual_seed(1)
    mixture = Mixture(torch.randn(1, 4), Gaussian(torch.randn(1, 4, 2), torch.randn(1, 4, 2)))
    z = MixtureSameFamily(
        Categorical(mixture.w[0]), Independent(Normal(mixture.parts.mean[0], mixture.parts.sd[0]), 1)
    ).sample((400_000,))
    assert_close(mixture.mean[0], z.mean(0), atol=0.02, rtol=0)
    assert_close(mixture.sd[0], z.std(0), atol=0.02, rtol=0)
