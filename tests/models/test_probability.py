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


def estimates(q, means, sd, draws=400):
    n, K, d = q.parts.mean.shape
    eps = torch.randn(draws, n, K, d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return (
        torch.stack([q.kl_sampled(means, sd, e) for e in eps]).mean(0),
        q.kl_to(means, sd),
        q.kl_variational(means, sd),
    )


def test_every_kl_of_one_component_is_the_gaussian_s(q):
    one = Mixture(torch.zeros(len(q.mean), 1), Gaussian(q.mean[:, None], q.logvar[:, None]))
    means = torch.full((1, q.mean.shape[1]), 0.4, dtype=torch.float64)
    exact = q.kl_to(means[0], 0.7).sum(1)
    sampled, bound, variational = estimates(one, means, 0.7, 4000)
    assert_close(bound, exact)
    assert_close(variational, exact)
    assert_close(sampled, exact, rtol=0.03, atol=0.03)


def test_sampled_kl_of_mixtures_on_a_line_is_the_integral_and_below_the_bound():
    q = Mixture(
        torch.tensor([[0.2, -0.5]], dtype=torch.float64),
        Gaussian(torch.tensor([[[-1.0], [1.2]]], dtype=torch.float64), torch.tensor([[[-1.0], [0.3]]]).double()),
    )
    means = torch.tensor([[-0.5], [0.8], [2.0]], dtype=torch.float64)
    x = torch.linspace(-12, 12, 20001, dtype=torch.float64)
    density = sum(
        w * Normal(m, s).log_prob(x).exp() for w, m, s in zip(q.w[0], q.parts.mean[0, :, 0], q.parts.sd[0, :, 0])
    )
    prior = sum(Normal(m, 0.6).log_prob(x).exp() for m in means[:, 0]) / 3
    exact = torch.trapezoid(density * (density / prior).log(), x)
    eps = torch.randn(4000, 1, 2, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    sampled = torch.stack([q.kl_sampled(means, 0.6, e) for e in eps]).mean()
    assert_close(sampled, exact, rtol=0.02, atol=0)


def test_variational_kl_is_its_formula_written_out_and_exact_for_parts_that_are_far_apart():
    generator = torch.Generator().manual_seed(1)
    parts = Gaussian(*torch.randn(2, 2, 3, 4, dtype=torch.float64, generator=generator))
    mixture = Mixture(torch.randn(2, 3, dtype=torch.float64, generator=generator), parts)
    means = torch.randn(5, 4, dtype=torch.float64, generator=generator)
    for row in range(2):
        a = [Normal(m, s) for m, s in zip(parts.mean[row], parts.sd[row])]
        b = [Normal(m, 0.5) for m in means]
        expected = 0.0
        for i, w in enumerate(mixture.w[row]):
            own = sum(v * (-kl_divergence(a[i], o).sum()).exp() for v, o in zip(mixture.w[row], a))
            prior = sum((-kl_divergence(a[i], o).sum()).exp() for o in b) / 5
            expected = expected + w * (own / prior).log()
        assert_close(mixture.kl_variational(means, 0.5)[row], expected)
    ends = torch.tensor([[[-50.0], [50.0]]], dtype=torch.float64)
    far = Mixture(torch.tensor([[0.3, -0.3]], dtype=torch.float64), Gaussian(ends, torch.full_like(ends, -0.4)))
    places = torch.tensor([[-49.0], [51.0]], dtype=torch.float64)
    kl = far.parts.kl_to(places, 0.5)[..., 0]
    assert_close(far.kl_variational(places, 0.5), (far.w * (far.w.log() + math.log(2) + kl)).sum(1))


def test_sampled_and_variational_kl_do_not_exceed_the_bound(q):
    generator = torch.Generator().manual_seed(1)
    parts = Gaussian(*torch.randn(2, 8, 4, 4, dtype=torch.float64, generator=generator))
    mixture = Mixture(torch.randn(8, 4, dtype=torch.float64, generator=generator), parts)
    sampled, bound, variational = estimates(mixture, torch.eye(4, dtype=torch.float64), 0.5)
    assert (sampled < bound + 0.05).all() and (variational <= bound + 1e-9).all()
    assert torch.autograd.gradcheck(
        lambda m: Mixture(mixture.logits, Gaussian(m, parts.logvar)).kl_variational(torch.eye(4).double(), 0.5).sum(),
        parts.mean.clone().requires_grad_(),
    )
