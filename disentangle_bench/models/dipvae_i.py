"""DIP-VAE-I, Kumar et al. 2018, eq. 6:   L = L_VAE + lambda_od sum_{i != j} C_ij^2 + lambda_d sum_i (C_ii - 1)^2

L_VAE = E_q[-log p(x|z)] + KL(q(z|x) || p(z)). C is the covariance of posterior means over the batch (divided by M). The
settings are those of Locatello et al. 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ._probability import Gaussian, bernoulli_nll
from .vae import VAE, require


@dataclass(frozen=True)
class DIPVAEI(VAE):
    lambda_od: float = 10.0  # weight of what is off the diagonal
    ratio: float = 10.0  # lambda_d / lambda_od

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "lambda_od", self.lambda_od >= 0, "at least 0")
        require(self, "ratio", self.ratio >= 0, "at least 0")

    def covariance(self, q: Gaussian) -> Tensor:
        """(d, d), whose distance from the identity is penalised."""
        centred = q.mean - q.mean.mean(0)
        return centred.T @ centred / len(centred)

    def loss(self, net: Any, x: Tensor, eps: Tensor) -> dict[str, Tensor]:
        q = self.q(net, x)
        C = self.covariance(q)
        diagonal = (C.diagonal() - 1).square().sum()
        off_diagonal = C.square().sum() - C.diagonal().square().sum()
        return {
            "reconstruction": bernoulli_nll(x, net.decoder(q.at(eps))).mean(),
            "kl": q.kl_to_standard().sum(1).mean(),
            "off_diagonal": self.lambda_od * off_diagonal,
            "diagonal": self.ratio * self.lambda_od * diagonal,
        }
