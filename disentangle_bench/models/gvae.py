"""GVAE, Hosoya 2019 (group-based learning of disentangled representations), eq. 5 and 6, the bound of ML-VAE:

    q(c|x_G) = N(1/|G| sum_{i in G} m_i, diag(1/|G| sum_{i in G} v_i))

m_i and v_i being mean and variance of q(c|x_i): an average, which does not grow more certain with the group.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from ._probability import Gaussian
from .mlvae import MLVAE


@dataclass(frozen=True)
class GVAE(MLVAE):
    def pooled(self, mean: Tensor, logvar: Tensor) -> Gaussian:
        return Gaussian(mean.mean(1), logvar.logsumexp(1) - math.log(mean.shape[1]))
