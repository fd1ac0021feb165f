"""Adversarial autoencoder, Makhzani et al. 2016:   L = E[-log p(x|z)] - weight E[log D(z)],   z = e(x)

D tells draws from the prior N(0, I) from codes: L_D = -E[log D(prior)] / 2 - E[log(1 - D(z))] / 2. With `heads` = K the
code has, besides z, a point y on the simplex (section 6 of the paper), a softmax that a critic of its own compares with
one-hot draws of a uniform category; both are decoded. The players move side by side where the paper takes phases in
turn; networks and Adam are the suite's, and so is the weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, softplus

from ._networks import NETWORKS, glorot
from ._probability import Gaussian, bernoulli_nll, certain
from .factorvae import critic
from .vae import VAE, require


@dataclass(frozen=True)
class AAE(VAE):
    heads: int = 0  # K; 0 for a code without y
    weight: float = 10.0  # of deceiving the critics, beside nats of reconstruction
    critic_lr: float = 1e-4  # of the critics' Adam

    players: ClassVar[dict[str, tuple[str, ...]]] = {"autoencoder": ("encoder", "decoder"), "critic": ("critic",)}

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "heads", self.heads >= 0, "at least 0")
        require(self, "weight", self.weight >= 0, "at least 0")
        require(self, "critic_lr", self.critic_lr > 0, "a number above 0")

    def K(self, data: Any) -> int:
        """Heads; 0 for a code without y."""
        return self.heads

    def nets(self, data: Any) -> dict[str, nn.Module]:
        pair, K = NETWORKS[self.pair(data)], self.K(data)
        features, width = pair.trunk(data.shape)
        critics = {"z": critic(self.latents, 1)} | ({"y": critic(K, 1)} if K else {})
        return {
            "encoder": glorot(nn.Sequential(features, nn.Linear(width, self.latents + K))),
            "decoder": pair.decoder(self.latents + K, data.shape),
            "critic": nn.ModuleDict(critics),
        }

    def optimisers(self) -> dict[str, dict[str, Any]]:
        return {"autoencoder": {"lr": self.lr}, "critic": {"lr": self.critic_lr, "betas": (0.5, 0.9)}}

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        K = self.K(data)
        category = {"category": rng.integers(K, n)} if K else {}
        return {"x": data.images(n, rng), "prior": rng.normal(n, self.latents), **category}

    def q(self, net: Any, x: Tensor) -> dict[str, Tensor]:
        z, y = net.encoder(x).tensor_split([self.latents], 1)
        return {"z": z, "y": y.softmax(1)} if y.shape[1] else {"z": z}

    def loss(  # type: ignore[override]
        self, net: Any, x: Tensor, prior: Tensor, category: Tensor | None = None
    ) -> dict[str, dict[str, Tensor]]:
        parts = self.q(net, x)
        real = {"z": prior}
        if category is not None:
            real["y"] = one_hot(category, parts["y"].shape[1]).to(x)
        deceived = [softplus(-net.critic[part](parts[part])).mean() for part in real]
        return {
            "autoencoder": {
                "reconstruction": bernoulli_nll(x, net.decoder(self.mode(parts))).mean(),
                "adversarial": self.weight * torch.stack(deceived).sum(),
            },
            "critic": {
                **{f"real_{part}": 0.5 * softplus(-net.critic[part](real[part])).mean() for part in real},
                **{f"fake_{part}": 0.5 * softplus(net.critic[part](parts[part].detach())).mean() for part in real},
            },
        }

    def codes(self, q: dict[str, Tensor]) -> Gaussian:
        return certain(self.mode(q))

    def mode(self, q: dict[str, Tensor]) -> Tensor:
        return torch.cat(list(q.values()), 1)

    def rate(self, q: dict[str, Tensor]) -> None:
        """A code without noise has no finite KL to the prior."""

    def clusters(self, q: dict[str, Tensor]) -> Tensor | None:
        """The largest head, (n,)."""
        return q["y"].argmax(1) if "y" in q else None

    def blocks(self, net: Any) -> dict[str, int]:
        K = net.encoder[-1].out_features - self.latents
        return {"z": self.latents} | ({"y": K} if K else {})
