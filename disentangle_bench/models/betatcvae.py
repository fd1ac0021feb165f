"""beta-TCVAE, Chen et al. 2018, eq. 4:   L = E_q[-log p(x|z)] + alpha I(z; n) + beta TC(z) + gamma KL_dims

n is the number of an image, KL_dims = sum_j KL(q(z_j) || p(z_j)). The terms need log q(z), which a minibatch estimates:
for sample i of a batch of M + 1

    log q(z_i) ~ log sum_j W_ij q(z_i | x_j)

with stratified weights W_ii = 1/N, one other (N - M) / (N M) and the rest 1/M a row (appendix C.2), or weights of
1 / (N (M + 1)) everywhere (section 4.1 of the paper), which shift TC by (d - 1) log N (M + 1) and change no gradient.
With alpha = gamma = 1 the loss is the VAE's and (beta - 1) TC, where the KL is exact. Estimates of TC depend on the
batch: they are good for a gradient, not as a number. Published on dSprites: best MIG 0.45.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ._probability import Gaussian, bernoulli_nll, log_normal
from .vae import VAE, require


@dataclass(frozen=True)
class BetaTCVAE(VAE):
    alpha: float = 1.0  # weight of the index-code information
    beta: float = 6.0  # weight of the total correlation
    gamma: float = 1.0  # weight of the dimension-wise KL
    sampling: str = "stratified"  # | weighted

    def __post_init__(self) -> None:
        super().__post_init__()
        for weight in ("alpha", "beta", "gamma"):
            require(self, weight, getattr(self, weight) >= 0, "at least 0")
        require(self, "sampling", self.sampling in WEIGHTS, f"one of {', '.join(WEIGHTS)}")

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        return {**super().draw(data, n, t, rng), "N": len(data)}

    def loss(self, net: Any, x: Tensor, eps: Tensor, N: int) -> dict[str, Tensor]:  # type: ignore[override]
        q = self.q(net, x)
        z = q.at(eps)
        information, total_correlation, dimensions = decompose(q, z, WEIGHTS[self.sampling](len(x), N, z.device).to(z))
        terms = {"reconstruction": bernoulli_nll(x, net.decoder(z)).mean()}
        if self.alpha == self.gamma == 1:
            kl = q.kl_to_standard().sum(1).mean()
            return {**terms, "kl": kl, "total_correlation": (self.beta - 1) * total_correlation}
        return {
            **terms,
            "information": self.alpha * information,
            "total_correlation": self.beta * total_correlation,
            "dimensions": self.gamma * dimensions,
        }


def decompose(q: Gaussian, z: Tensor, log_weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Index-code information, total correlation and dimension-wise KL of samples z (n, d), in nats.

    Their sum is the mean of log q(z|x) - log p(z), whatever the weights (n, n).
    """
    each = log_normal(z[:, None], q.mean, q.logvar)  # (i, j, d): log q(z_il | x_j)
    log_q = (log_weights + each.sum(2)).logsumexp(1)
    log_q_apart = (log_weights[..., None] + each).logsumexp(1).sum(1)
    log_q_own = each.diagonal().sum(0)
    log_p = log_normal(z, torch.zeros_like(z), torch.zeros_like(z)).sum(1)
    return (log_q_own - log_q).mean(), (log_q - log_q_apart).mean(), (log_q_apart - log_p).mean()


def stratified(n: int, N: int, device: torch.device | None = None) -> Tensor:
    """log W (n, n), each row summing to 1, for a batch of n out of N images."""
    M = n - 1
    if not 1 <= M < N:
        raise ValueError(f"batch: got {n} of {N} images, expected from 2 to all of them")
    own = torch.eye(n, dtype=torch.bool, device=device)
    W = torch.full((n, n), -math.log(M), dtype=torch.float64, device=device)
    return W.masked_fill(own, -math.log(N)).masked_fill(own.roll(1, 1), math.log((N - M) / (N * M)))


def weighted(n: int, N: int, device: torch.device | None = None) -> Tensor:
    """log W (n, n): the same everywhere."""
    return torch.full((n, n), -math.log(n * N), dtype=torch.float64, device=device)


WEIGHTS = {"stratified": stratified, "weighted": weighted}
