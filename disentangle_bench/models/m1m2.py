"""M1+M2, Kingma, Rezende, Mohamed & Welling 2014, section 2.3:   L = L_M1(x) + J_M2(h, y),   h ~ q(h|x) of M1

"Semi-supervised learning with deep generative models": M1 describes images by h, M2 describes h by its class and z,
with a Gaussian likelihood p(h|y, z). h is drawn anew each step, and M2 never moves M1. The paper trains M1 first and M2
then; here they train side by side, M2 on an h that settles. J is that of `m2`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ._networks import NETWORKS, GaussianEncoder, glorot
from ._probability import Gaussian, Mixture, bernoulli_nll, log_normal
from .catvae import Encoder
from .m2 import M2
from .vae import require


@dataclass(frozen=True)
class M1M2(M2):
    features: int = 50  # width of h
    hidden: int = 500  # units of M2's networks, one layer each

    players: ClassVar[dict[str, tuple[str, ...]]] = {"m1": ("features", "pixels"), "m2": ("encoder", "decoder")}

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "features", self.features >= 1, "at least 1")
        require(self, "hidden", self.hidden >= 1, "at least 1")

    def nets(self, data: Any) -> dict[str, nn.Module]:
        pair, K = self.pair(data), data.classes
        trunk = glorot(nn.Sequential(nn.Linear(self.features, self.hidden), nn.Softplus()))
        widths = self.latents + K, self.hidden, 2 * self.features
        return {
            "features": GaussianEncoder(pair, data.shape, self.features),
            "pixels": NETWORKS[pair].decoder(self.features, data.shape),
            "encoder": Encoder(trunk, self.hidden, K, self.latents),
            "decoder": glorot(nn.Sequential(nn.Linear(*widths[:2]), nn.Softplus(), nn.Linear(*widths[1:]))),
        }

    def optimisers(self) -> dict[str, dict[str, Any]]:
        return {"m1": {"lr": self.lr}, "m2": {"lr": self.lr}}

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        return {**super().draw(data, n, t, rng), "eps_h": rng.normal(2 * n, self.features)}

    def q(self, net: Any, x: Tensor) -> Mixture:
        return super().q(net, Gaussian(*net.features(x)).mean)

    def loss(  # type: ignore[override]
        self, net: Any, x: Tensor, eps: Tensor, x_l: Tensor, y: Tensor, eps_l: Tensor, told: float, eps_h: Tensor
    ) -> dict[str, dict[str, Tensor]]:
        q_h = Gaussian(*net.features(torch.cat([x, x_l])))
        h, n = q_h.at(eps_h), len(x)
        h_u, h_l = h.detach().tensor_split([n])
        return {
            "m1": {
                "reconstruction": bernoulli_nll(x, net.pixels(h[:n])).mean(),
                "kl": q_h.kl_to_standard()[:n].sum(1).mean(),
            },
            "m2": self.bound(net, super().q(net, h_u), h_u, eps, super().q(net, h_l), h_l, y, eps_l, told),
        }

    def nll(self, net: Any, x: Tensor, code: Tensor) -> Tensor:
        """-log p(h|y, z) of each, (n,)."""
        mean, logvar = net.decoder(code).chunk(2, 1)
        return -log_normal(x, mean, logvar).sum(1)

    def decode(self, net: Any, z: Tensor) -> Tensor:
        mean, _ = net.decoder(z).chunk(2, 1)
        return net.pixels(mean)
