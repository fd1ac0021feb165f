"""AnnealedVAE, Burgess et al. 2018, eq. 8:   L = E_q[-log p(x|z)] + gamma |KL(q(z|x) || p(z)) - C|

C rises from 0 to c_max over the first `anneal` steps. The modulus is that of the batch's mean KL. A c_max above what
the data need (13.5 nats tell any two of dSprites' images apart) makes the encoder spend information on nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ._probability import share
from .vae import VAE, require


@dataclass(frozen=True)
class AnnealedVAE(VAE):
    c_max: float = 25.0  # nats
    gamma: float = 1000.0  # weight of the distance to C
    anneal: int = 100_000  # steps until C is c_max

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "c_max", self.c_max >= 0, "at least 0")
        require(self, "gamma", self.gamma >= 0, "at least 0")
        require(self, "anneal", self.anneal >= 1, "at least 1")

    def C(self, t: Any) -> Any:
        """Capacity in nats at step t."""
        return self.c_max * share(t, self.anneal)

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        return {**super().draw(data, n, t, rng), "C": self.C(t)}

    def loss(self, net: Any, x: Tensor, eps: Tensor, C: Any) -> dict[str, Tensor]:  # type: ignore[override]
        terms = super().loss(net, x, eps)
        return {"reconstruction": terms["reconstruction"], "capacity": self.gamma * (terms["kl"] - C).abs()}
