"""Ada-GVAE, Locatello et al. 2020 (weakly-supervised disentanglement without compromises), eq. 5 and section 4:

    L = 1/2 sum_{i = 1, 2} E_q~[-log p(x_i|z)] + beta KL(q~(z|x_i) || p(z))

for pairs of images that share most factors. Units whose posteriors of the two images are near each other,
delta_d = KL(q_d(z|x_1) || q_d(z|x_2)) < tau = (max_d delta_d + min_d delta_d) / 2, get the average of both as q~; the
others keep their own. Averaged are means and variances (GVAE, Hosoya 2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from ._probability import Gaussian, bernoulli_nll
from .betavae import BetaVAE
from .vae import require


@dataclass(frozen=True)
class AdaGVAE(BetaVAE):
    beta: float = 1.0  # weight of the KL
    k: int = 1  # factors that a pair differs in; 0: drawn for each pair

    needs: ClassVar[str] = "pairs"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "k", self.k >= 0, "at least 0")

    def fits(self, data: Any) -> None:
        super().fits(data)
        data.pairs(1, np.random.default_rng(0), k=self.k or None)

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        first, second = data.pairs(n, rng, self.k)
        return {
            "x": torch.cat([data.at(first), data.at(second)]),  # (2n, c, h, w): the first of all pairs, then the second
            "eps": rng.normal(2 * n, self.latents),
        }

    def loss(self, net: Any, x: Tensor, eps: Tensor) -> dict[str, Tensor]:
        q = self.q(net, x)
        first, second = (Gaussian(*halves) for halves in zip(q.mean.chunk(2), q.logvar.chunk(2)))
        delta = first.kl_to_other(second)  # (n, latents)
        tau = (delta.amax(1, keepdim=True) + delta.amin(1, keepdim=True)) / 2
        shared, both = (delta < tau).repeat(2, 1), self.average(first, second)
        q = Gaussian(
            torch.where(shared, both.mean.repeat(2, 1), q.mean),
            torch.where(shared, both.logvar.repeat(2, 1), q.logvar),
        )
        return {
            "reconstruction": bernoulli_nll(x, net.decoder(q.at(eps))).mean(),
            "kl": self.beta * q.kl_to_standard().sum(1).mean(),
        }

    def average(self, p: Gaussian, q: Gaussian) -> Gaussian:
        """What stands for both where they are shared: the mean of their means and of their variances."""
        return Gaussian((p.mean + q.mean) / 2, torch.logaddexp(p.logvar, q.logvar) - math.log(2))
