"""DIP-VAE-II, Kumar et al. 2018, eq. 7:   as DIP-VAE-I, with C = Cov[mean(x)] + E[diag(sd(x)^2)]

That is the covariance of samples of q(z). The settings are those of Locatello et al. 2019, where lambda_d = lambda_od.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ._probability import Gaussian
from .dipvae_i import DIPVAEI


@dataclass(frozen=True)
class DIPVAEII(DIPVAEI):
    ratio: float = 1.0  # lambda_d / lambda_od

    def covariance(self, q: Gaussian) -> Tensor:
        return super().covariance(q) + q.logvar.exp().mean(0).diag()
