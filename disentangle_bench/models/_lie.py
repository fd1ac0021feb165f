"""Exponential maps of SO(2), SE(2) and SIM(2) from algebra coordinates tau, and the image warp they drive.

With c = lambda + i theta and u = u1 + i u2 the group element is  p -> e^c p + u (e^c - 1)/c  on the complex plane.
Coordinates: SO(2) (theta), SE(2) (theta, u1, u2), SIM(2) (theta, u1, u2, lambda); angles in radians, lengths in half
image widths (the image is the square [-1, 1]^2, x to the right, y downwards), lambda the logarithm of the scale.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

DIMENSION = {"so2": 1, "se2": 3, "sim2": 4}
TERMS = 14  # of the series below |c| = 1: what is left out stays under 1e-12


def exponential(tau: Tensor) -> Tensor:
    """Affine matrices of exp(tau), (n, 1 | 3 | 4) -> (n, 2, 3). Differentiable everywhere, tau = 0 included."""
    theta, u1, u2, lam = pad(tau, (0, 4 - tau.shape[1])).unbind(1)
    a, b = lam.exp() * theta.cos(), lam.exp() * theta.sin()  # e^c
    re, im = _quotient(lam, theta, a, b)  # (e^c - 1) / c
    rows = torch.stack([a, -b, re * u1 - im * u2, b, a, im * u1 + re * u2], 1)
    return rows.view(-1, 2, 3)


def _quotient(lam: Tensor, theta: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """(e^c - 1)/c: the quotient itself for |c| > 1; sum_k c^k / (k+1)! below, where it would divide 0 by 0."""
    square = lam.square() + theta.square()
    near = square < 1
    x, y = torch.where(near, lam, 0), torch.where(near, theta, 0)  # or the branch not taken makes NaN gradients
    re, im = torch.ones_like(x), torch.zeros_like(y)
    for k in range(TERMS, 0, -1):  # Horner: 1 + c/2 (1 + c/3 (1 + ...))
        re, im = 1 + (re * x - im * y) / (k + 1), (re * y + im * x) / (k + 1)
    safe = torch.where(near, 1, square)
    far_re, far_im = ((a - 1) * lam + b * theta) / safe, (b * lam - (a - 1) * theta) / safe
    return torch.where(near, re, far_re), torch.where(near, im, far_im)


def inverse(M: Tensor) -> Tensor:
    """Inverse of affine matrices, (n, 2, 3): (A, t) -> (A^-1, -A^-1 t)."""
    A = torch.linalg.inv(M[:, :, :2])
    return torch.cat([A, -A @ M[:, :, 2:]], 2)


def random(u: Tensor, dimension: int) -> Tensor:
    """Coordinates (..., dimension) from uniform ones (..., 4): angle U(-pi, pi), shifts U(-1/4, 1/4), scale U(1/2, 1).

    As those of a warp they are of the map from where a pixel is to where it was: such a scale enlarges by 1 to 2.
    """
    angle, u1, u2, scale = u.unbind(-1)
    g = torch.stack([math.pi * (2 * angle - 1), u1 / 2 - 0.25, u2 / 2 - 0.25, (0.5 + scale / 2).log()], -1)
    return g[..., :dimension]


def circular_correlation(a: Tensor, b: Tensor) -> float:
    """How well one angle follows another, up to any constant turn: Fisher & Lee 1983, from -1 to 1; angles (n,).

    sum_ij sin(a_i - a_j) sin(b_i - b_j) over the root of the product of their sums of squares; 0 where one is constant.
    """
    a, b, n = a.double(), b.double(), len(a)
    both = a.cos().dot(b.cos()) * a.sin().dot(b.sin()) - a.cos().dot(b.sin()) * a.sin().dot(b.cos())
    spread = [n * n - (2 * x).cos().sum().square() - (2 * x).sin().sum().square() for x in (a, b)]
    return float(4 * both / (spread[0] * spread[1]).sqrt()) if min(spread) > 1e-9 * n * n else 0.0


def correlation_within(labels: Tensor, a: Tensor, b: Tensor) -> float:
    """|circular correlation| within each class of labels (n,), mean over rows: each class may turn by its own angle."""
    found = [(at.double().mean(), circular_correlation(a[at], b[at])) for at in (labels == c for c in labels.unique())]
    return float(sum(share * abs(value) for share, value in found))


def warp(images: Tensor, M: Tensor) -> Tensor:
    """Images (n, c, h, w) seen through M (n, 2, 3): out(p) = in(M p), so content moves by M^-1; edges go on outside."""
    h, w = images.shape[2:]
    y, x = ((torch.arange(n, dtype=M.dtype, device=M.device) * 2 + 1) / n - 1 for n in (h, w))  # centres of pixels
    grid = M[:, None, None, :, 2] + x[:, None] * M[:, None, None, :, 0] + y[:, None, None] * M[:, None, None, :, 1]
    return grid_sample(images, grid, padding_mode="border", align_corners=False)
