"""HFS, Roth et al. 2023, section 3:   L = E_q[-log p(x|z)] + beta KL + gamma H + delta sum_j (1 - sd_j)_+

"Disentanglement of correlated factors via Hausdorff factorized support": every combination of two units' values is to
occur, however often. For posterior means mu of a batch, with sd_j the standard deviation of unit j over it,

    H = sum_(i<j) max_(a, b) min_k (mu_ai - mu_ki)^2 + (mu_bj - mu_kj)^2,

the squared Hausdorff distance of the batch in units i, j from the product of its two projections, summed over pairs of
units. (a)_+ is the larger of a and 0; the last term keeps the units from shrinking, which would bring H to 0. Images
alone are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ._probability import bernoulli_nll
from .betavae import BetaVAE
from .vae import require


@dataclass(frozen=True)
class HFS(BetaVAE):
    gamma: float = 100.0  # weight of H
    delta: float = 1.0  # weight of the units' scale

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "gamma", self.gamma >= 0, "at least 0")
        require(self, "delta", self.delta >= 0, "at least 0")

    def loss(self, net: Any, x: Tensor, eps: Tensor) -> dict[str, Tensor]:
        q = self.q(net, x)
        return {
            "reconstruction": bernoulli_nll(x, net.decoder(q.at(eps))).mean(),
            "kl": self.beta * q.kl_to_standard().sum(1).mean(),
            "factorised_support": self.gamma * hausdorff(q.mean),
            "scale": self.delta * (1 - (q.mean.var(0, correction=0) + 1e-6).sqrt()).relu().sum(),
        }


def hausdorff(z: Tensor) -> Tensor:
    """H of points (n, d). The three points that decide it are found first; gradients flow through them alone."""
    n, d = z.shape
    found = []
    with torch.no_grad():
        apart = (z[:, None] - z).square().movedim(2, 0)  # (d, n, n)
        for i in range(d - 1):
            near, k = (apart[i, None, :, None] + apart[i + 1 :, None]).min(3)  # (d - i - 1, a, b)
            at = near.flatten(1).argmax(1)
            found.append(torch.stack([at // n, at % n, k.flatten(1).gather(1, at[:, None])[:, 0]]))
    if not found:
        return z.sum() * 0
    a, b, k = torch.cat(found, 1)[:, None]  # (1, pairs) each
    first, second = (z[:, units] for units in torch.triu_indices(d, d, 1, device=z.device))
    return sum(
        ((own.gather(0, point) - own.gather(0, k)).square().sum() for own, point in ((first, a), (second, b))),
        start=z.new_zeros(()),
    )
