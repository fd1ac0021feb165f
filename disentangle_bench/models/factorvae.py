"""FactorVAE, Kim & Mnih 2018, eq. 2 and 3:   L = E_q[-log p(x|z)] + KL(q(z|x) || p(z)) + gamma E_q[D_0(z) - D_1(z)]

D_0 - D_1 are a critic's logits for "a sample of q(z)" against "of prod_j q(z_j)", whose difference estimates the log
ratio of the two, and its mean the total correlation. The critic learns on samples z of one batch and on z' of another
whose columns are permuted independently; it never moves the encoder.

Published on dSprites: FactorVAE score 0.82.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ._networks import glorot
from ._probability import bernoulli_nll
from .vae import VAE, require


@dataclass(frozen=True)
class FactorVAE(VAE):
    gamma: float = 35.0  # weight of the total correlation
    critic_lr: float = 1e-4  # of the critic's Adam

    players: ClassVar[dict[str, tuple[str, ...]]] = {"vae": ("encoder", "decoder"), "critic": ("critic",)}

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "gamma", self.gamma >= 0, "at least 0")
        require(self, "critic_lr", self.critic_lr > 0, "a number above 0")

    def nets(self, data: Any) -> dict[str, nn.Module]:
        return {**super().nets(data), "critic": critic(self.latents)}

    def optimisers(self) -> dict[str, dict[str, Any]]:
        return {"vae": {"lr": self.lr}, "critic": {"lr": self.critic_lr, "betas": (0.5, 0.9)}}

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        other = super().draw(data, n, t, rng)
        return {
            **super().draw(data, n, t, rng),
            "other": other["x"],
            "other_eps": other["eps"],
            "order": rng.uniform(n, self.latents).argsort(0),
        }

    def loss(  # type: ignore[override]
        self, net: Any, x: Tensor, eps: Tensor, other: Tensor, other_eps: Tensor, order: Tensor
    ) -> dict[str, dict[str, Tensor]]:
        q = self.q(net, x)
        z = q.at(eps)
        with torch.no_grad():
            permuted = self.q(net, other).at(other_eps).gather(0, order)
        joint, apart = net.critic(z).unbind(1)
        is_joint, is_apart = (torch.full((len(x),), k, device=x.device) for k in (0, 1))
        return {
            "vae": {
                "reconstruction": bernoulli_nll(x, net.decoder(z)).mean(),
                "kl": q.kl_to_standard().sum(1).mean(),
                "total_correlation": self.gamma * (joint - apart).mean(),
            },
            "critic": {
                "joint": 0.5 * cross_entropy(net.critic(z.detach()), is_joint),
                "permuted": 0.5 * cross_entropy(net.critic(permuted), is_apart),
            },
        }


def critic(latents: int, outputs: int = 2, width: int = 1000) -> nn.Module:
    """Six hidden layers of 1000, leaky units of slope 0.2 (5,018,002 parameters for ten latents and two logits)."""
    widths = [latents, *[width] * 6]
    hidden = [layer for n, m in pairwise(widths) for layer in (nn.Linear(n, m), nn.LeakyReLU(0.2))]
    return glorot(nn.Sequential(*hidden, nn.Linear(width, outputs)))
