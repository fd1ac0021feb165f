"""Ada-ML-VAE, Locatello et al. 2020 (weakly-supervised disentanglement without compromises), section 4:

    L = 1/2 sum_{i = 1, 2} E_q~[-log p(x_i|z)] + beta KL(q~(z|x_i) || p(z))

as Ada-GVAE, but shared units get the product of the two posteriors (ML-VAE, Bouchacourt et al. 2018): precisions add
up, 1/v = 1/v_1 + 1/v_2, and the mean is weighted by them. The study's code has twice this variance: `variance=mean`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from ._probability import Gaussian
from .adagvae import AdaGVAE
from .vae import require


@dataclass(frozen=True)
class AdaMLVAE(AdaGVAE):
    variance: str = "product"  # | mean: of the precisions

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "variance", self.variance in ("product", "mean"), "product or mean")

    def average(self, p: Gaussian, q: Gaussian) -> Gaussian:
        """The normalised product of both densities, or with `variance=mean` that of their roots."""
        logvar = -torch.logaddexp(-p.logvar, -q.logvar)
        mean = logvar.exp() * (p.mean / p.logvar.exp() + q.mean / q.logvar.exp())
        return Gaussian(mean, logvar + (math.log(2) if self.variance == "mean" else 0))
