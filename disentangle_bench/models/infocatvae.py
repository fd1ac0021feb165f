"""InfoCatVAE, Lelarge & Pineau 2018:   L = L_CatVAE + info E_{c ~ 1/K, z ~ p(z|c)}[-log q(c | g(z))]

arXiv 1806.08240. What the decoder g draws of a class must be read as that class: a bound on the mutual information of c
and g(z), whose gradient moves decoder and encoder. g(z) are the likelihood's probabilities. Together with the prior,
which is fixed, it keeps q(c) from collapsing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ._networks import frozen_statistics
from .catvae import CatVAE
from .vae import require


@dataclass(frozen=True)
class InfoCatVAE(CatVAE):
    info: float = 1.0  # lambda_I
    draws: int = 10  # of each class, a step

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "info", self.info >= 0, "at least 0")
        require(self, "draws", self.draws >= 1, "at least 1")

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        K = self.K(data)
        return {**super().draw(data, n, t, rng), "eps_prior": rng.normal(self.draws, K, K * self.latents)}

    def loss(  # type: ignore[override]
        self, net: Any, x: Tensor, eps: Tensor, eps_prior: Tensor, u: Tensor | None = None, heat: float = 1.0
    ) -> dict[str, Tensor]:
        terms = super().loss(net, x, eps, u, heat)
        draws, K, _ = eps_prior.shape
        z = self.prior_means(K, x) + eps_prior  # (draws, K, d)
        with frozen_statistics(net.encoder):
            logits, *_ = net.encoder(net.decoder(z.flatten(0, 1)).sigmoid())
        c = torch.arange(K, device=x.device).repeat(draws)
        return {**terms, "information": self.info * cross_entropy(logits, c)}
