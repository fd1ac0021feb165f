"""Exponential maps against scipy's, their derivative at the identity, and what a warp does to an image."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from torch.testing import assert_close

from disentangle_bench.models import _lie


def generator(tau):
    """The Lie algebra element of (theta, u1, u2, lambda) as a 3x3 matrix."""
    theta, u1, u2, lam = [*tau, 0, 0, 0][:4]
    return np.array([[lam, -theta, u1], [theta, lam, u2], [0, 0, 0]])


@pytest.mark.parametrize("group", _lie.DIMENSION)
@pytest.mark.parametrize("size", [1e-8, 1e-4, 0.1, 0.999, 1.001, 3.0])
def test_exponential_is_scipys(group, size):
    tau = np.random.default_rng(0).uniform(-size, size, (200, _lie.DIMENSION[group]))
    expected = np.stack([scipy.linalg.expm(generator(t))[:2] for t in tau])
    assert_close(_lie.exponential(torch.tensor(tau)), torch.tensor(expected), atol=1e-11, rtol=1e-11)


@pytest.mark.parametrize("group", _lie.DIMENSION)
def test_derivative_at_the_identity_is_the_generator(group):
    d = _lie.DIMENSION[group]
    zero = torch.zeros(d, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda t: _lie.exponential(t[None])[0], zero)
    for i in range(d):
        assert_close(jacobian[..., i], torch.tensor(generator(np.eye(d)[i])[:2]))


def test_second_derivative_of_a_turning_shift():
    # translation part of exp(theta, 1, 0): y = (1 - cos theta) / theta, whose slope at 0 is 1/2
    theta = torch.zeros(1, requires_grad=True)
    M = _lie.exponential(torch.cat([theta, torch.tensor([1.0, 0.0])])[None])
    (slope,) = torch.autograd.grad(M[0, 1, 2], theta)
    assert_close(slope, torch.tensor([0.5]))


@pytest.mark.parametrize("group", _lie.DIMENSION)
def test_gradient_is_finite_everywhere(group):
    tau = torch.cat([torch.zeros(1, 4), torch.eye(4), 1e-20 * torch.ones(1, 4), torch.randn(50, 4)])[
        :, : _lie.DIMENSION[group]
    ]
    tau.requires_grad_()
    (gradient,) = torch.autograd.grad(_lie.exponential(tau).square().sum(), tau)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("group", _lie.DIMENSION)
def test_exp_of_minus_tau_is_the_inverse(group):
    tau = torch.randn(100, _lie.DIMENSION[group], dtype=torch.float64)
    assert_close(_lie.inverse(_lie.exponential(tau)), _lie.exponential(-tau))


def blob(x, y, size=64, variance=0.005):
    """A round spot at (x, y) of the square [-1, 1]^2."""
    centres = (torch.arange(size) + 0.5) / size * 2 - 1
    return torch.exp(-((centres[None, :] - x) ** 2 + (centres[:, None] - y) ** 2) / (2 * variance))[None, None]


def test_warp_moves_content_by_the_inverse():
    moved = _lie.warp(blob(0.0, 0.0), _lie.exponential(torch.tensor([[0.0, 0.4, 0.0]])))
    assert_close(moved, blob(-0.4, 0.0), atol=0.02, rtol=0)
    # the matrix turns x into y (downwards), so a spot on the right is seen where M p is on the right: at the top
    turned = _lie.warp(blob(0.5, 0.0), _lie.exponential(torch.tensor([[math.pi / 2, 0.0, 0.0]])))
    assert_close(turned, blob(0.0, -0.5), atol=0.02, rtol=0)


def test_warp_and_back_returns_a_centred_spot():
    M = _lie.exponential(torch.tensor([[0.7, 0.2, -0.1, 0.2]]))
    spot = blob(0.0, 0.0, variance=0.03)  # wide enough for two bilinear readings to blur it little
    assert_close(_lie.warp(_lie.warp(spot, M), _lie.inverse(M)), spot, atol=0.03, rtol=0)


def test_a_scale_of_two_shows_twice_as_much_of_the_image():
    shrunk = _lie.warp(blob(0.6, 0.0), _lie.exponential(torch.tensor([[0.0, 0.0, 0.0, math.log(2)]])))
    row = shrunk[0, 0].sum(0)
    assert abs((row.argmax().item() + 0.5) / 32 - 1 - 0.3) < 0.04


def test_circular_correlation_is_fisher_and_lees_double_sum():
    generator = torch.Generator().manual_seed(0)
    a = 6 * torch.rand(40, generator=generator, dtype=torch.float64)
    b = a + torch.randn(40, generator=generator, dtype=torch.float64)
    i, j = torch.triu_indices(40, 40, 1)
    x, y = (a[i] - a[j]).sin(), (b[i] - b[j]).sin()
    expected = (x * y).sum() / (x.square().sum() * y.square().sum()).sqrt()
    assert _lie.circular_correlation(a, b) == pytest.approx(expected.item(), abs=1e-12)
    assert _lie.circular_correlation(a, a + 2.5) == pytest.approx(1) and _lie.circular_correlation(
        a, -a
    ) == pytest.approx(-1)
    assert _lie.circular_correlation(a, torch.full_like(a, 3.0)) == 0
