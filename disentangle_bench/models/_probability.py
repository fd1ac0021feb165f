"""The alphabet that objectives are written in. Nats; a row an image, a column a latent unit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def share(t: Any, steps: int) -> Any:
    """How much of the first `steps` steps is over at step t, from 0 to 1; t a number, or a tensor as `draw` gets it."""
    return (t / steps).clamp(max=1) if isinstance(t, Tensor) else min(1, t / steps)


def bernoulli_nll(x: Tensor, logits: Tensor) -> Tensor:
    """-log p(x|logits) summed over pixels and channels: (n, c, h, w) twice -> (n,). Targets x in [0, 1]."""
    return binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


@dataclass(frozen=True)
class Gaussian:
    """N(mean, diag(exp(logvar))), one a row; mean and logvar (..., d)."""

    mean: Tensor
    logvar: Tensor

    @property
    def sd(self) -> Tensor:
        return (0.5 * self.logvar).exp()

    def at(self, eps: Tensor) -> Tensor:
        """The sample that standard normal noise eps stands for: mean + sd eps."""
        return self.mean + self.sd * eps

    def kl_to_standard(self) -> Tensor:
        """KL to N(0, I), a column a unit: (mean^2 + var - logvar - 1) / 2."""
        return 0.5 * (self.mean.square() + self.logvar.exp() - self.logvar - 1)

    def kl_to_other(self, q: Gaussian) -> Tensor:
        """KL to another Gaussian, a column a unit."""
        scaled = ((self.mean - q.mean).square() + self.logvar.exp()) / q.logvar.exp()
        return 0.5 * ((scaled - 1) + (q.logvar - self.logvar))  # so that equal ones are at 0 exactly

    def kl_to(self, mean: Tensor, sd: float) -> Tensor:
        """KL to N(mean, sd^2 I), a column a unit."""
        scaled = Gaussian((self.mean - mean) / sd, self.logvar - 2 * math.log(sd))
        return scaled.kl_to_standard()


def certain(code: Tensor) -> Gaussian:
    """The posterior of a code without noise, (n, d)."""
    return Gaussian(code, torch.full_like(code, -torch.inf))


@dataclass(frozen=True)
class Mixture:
    """sum_k w_k N(mean_k, sd_k^2): logits (n, K) of the weights, parts a Gaussian over (n, K, d).

    Parts (n, 1, d) stand for K equal ones, that is for a single Gaussian.
    """

    logits: Tensor
    parts: Gaussian

    @property
    def w(self) -> Tensor:
        return self.logits.softmax(1)

    def expected(self, values: Tensor) -> Tensor:
        """Mean over components of values (n, K, ...), a row each: (n, ...)."""
        if values.shape[1] == 1:
            return values[:, 0]
        return (self.w.view(*self.w.shape, *[1] * (values.ndim - 2)) * values).sum(1)

    @property
    def mean(self) -> Tensor:
        return self.expected(self.parts.mean)

    @property
    def sd(self) -> Tensor:
        """Standard deviation of the whole mixture, (n, d): within components and between them."""
        spread = self.parts.logvar.exp() + (self.parts.mean - self.mean[:, None]).square()
        return self.expected(spread).sqrt()

    def kl_to(self, means: Tensor, sd: float, eps: Tensor | None = None) -> Tensor:
        """Bound on KL to 1/K sum_k N(means_k, sd^2 I), (n,), by the chain rule over (k, z):

        KL(w || 1/K) + sum_k w_k KL(N(mean_k, sd_k^2) || N(means_k, sd^2 I)); exact for the joint of k and z.
        """
        log_w = self.logits.log_softmax(1)
        choice = (log_w.exp() * log_w).sum(1) + math.log(log_w.shape[1])
        return choice + (log_w.exp() * self.parts.kl_to(means, sd).sum(2)).sum(1)

    def kl_sampled(self, means: Tensor, sd: float, eps: Tensor) -> Tensor:
        """Unbiased estimate of KL to 1/B sum_b N(means_b, sd^2 I), (n,), from noise eps (n, K, d), stratified over k:

        sum_k w_k [log q(z_k) - log p(z_k)] with z_k drawn from component k.
        """
        z, log_w = self.parts.at(eps)[:, :, None], self.logits.log_softmax(1)  # (n, K, 1, d)
        q = log_normal(z, self.parts.mean[:, None], self.parts.logvar[:, None]).sum(3) + log_w[:, None]
        p = log_normal(z, means, torch.full_like(means, 2 * math.log(sd))).sum(3) - math.log(len(means))
        return (log_w.exp() * (q.logsumexp(2) - p.logsumexp(2))).sum(1)

    def kl_variational(self, means: Tensor, sd: float, eps: Tensor | None = None) -> Tensor:
        """Approximation of KL to 1/B sum_b N(means_b, sd^2 I), (n,); Hershey & Olsen 2007, eq. 20:

        sum_a w_a log [sum_a' w_a' exp(-KL(a || a')) / (1/B sum_b exp(-KL(a || b)))].
        """
        log_w, a = self.logits.log_softmax(1), Gaussian(self.parts.mean[:, :, None], self.parts.logvar[:, :, None])
        other_mean, other_logvar = self.parts.mean[:, None], self.parts.logvar[:, None]
        gap = (a.mean - other_mean).square()
        own = 0.5 * ((a.logvar.exp() + gap) / other_logvar.exp() + other_logvar - a.logvar - 1).sum(3)
        prior = a.kl_to(means, sd).sum(3)  # (n, K, B)
        near = (log_w[:, None] - own).logsumexp(2) - (-prior).logsumexp(2) + math.log(len(means))
        return (log_w.exp() * near).sum(1)


def log_normal(z: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """log N(z; mean, exp(logvar)), a column a unit."""
    return -0.5 * ((z - mean).square() / logvar.exp() + logvar + math.log(2 * math.pi))


def one_hot_means(K: int, radius: float, like: Tensor) -> Tensor:
    """Component means on the axes, (K, K): radius e_k."""
    return radius * torch.eye(K, dtype=like.dtype, device=like.device)
