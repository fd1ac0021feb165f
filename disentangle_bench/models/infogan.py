"""InfoGAN, Chen et al. 2016, eq. 6:   min_(G, Q) max_D E[log D(x)] + E[log(1 - D(G(c, n)))] - lam E[log Q(c|G(c, n))]

A code c of one uniform category and independent units from U(-1, 1), and noise n ~ N(0, I), are drawn as an image; Q
reads c from it, a bound on their mutual information: I(c; G(c, n)) >= H(c) + E[log Q(c|G(c, n))]. D and Q share their
layers but for the last. G deceives D by -log D(G). Of real images Q is the representation.

Q of a unit is a Gaussian, with a standard deviation of 1 or, where `deviation` is learned, one that it tells. Networks
are those of Lin et al. 2020. All players move side by side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot, softplus

from ._findings import Findings
from ._networks import NETWORKS, glorot
from ._probability import Gaussian, certain, log_normal
from .vae import VAE, require


@dataclass(frozen=True)
class InfoGAN(VAE):
    latents: int = 5  # units of c that are numbers
    categories: int = 10  # K, of the unit that is a class; 0 for none
    noise: int = 5  # width of n
    lr: float = 1e-3  # of G's Adam
    critic_lr: float = 2e-4  # of D's and Q's
    lam: float = 1.0  # weight of what Q misses of the category
    lam_c: float = 0.1  # and of the numbers
    deviation: str = "fixed"  # of Q's Gaussians, at 1 | learned

    players: ClassVar[dict[str, tuple[str, ...]]] = {"critic": ("look", "D", "Q"), "generator": ("generator",)}

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "categories", self.categories == 0 or self.categories >= 2, "at least 2, or 0")
        require(self, "noise", self.noise >= 0, "at least 0")
        for field in ("lam", "lam_c"):
            require(self, field, getattr(self, field) >= 0, "at least 0")
        require(self, "critic_lr", self.critic_lr > 0, "a number above 0")
        require(self, "deviation", self.deviation in ("fixed", "learned"), "fixed or learned")

    def pair(self, data: Any) -> str:
        return "infogan" if self.network == "auto" else super().pair(data)

    def nets(self, data: Any) -> dict[str, nn.Module]:
        pair = NETWORKS[self.pair(data)]
        look, width = pair.trunk(data.shape)
        return {
            "look": glorot(look),
            "D": glorot(nn.Linear(width, 1)),
            "Q": glorot(nn.Sequential(nn.Linear(width, 128), nn.LeakyReLU(0.2), nn.Linear(128, self.outputs))),
            "generator": pair.decoder(self.latents + self.categories + self.noise, data.shape),
        }

    @property
    def outputs(self) -> int:
        """What Q tells: means, logits of the category, and log variances where they are learned."""
        return self.latents * (2 if self.deviation == "learned" else 1) + self.categories

    def optimisers(self) -> dict[str, dict[str, Any]]:
        return {
            "critic": {"lr": self.critic_lr, "betas": (0.5, 0.999)},
            "generator": {"lr": self.lr, "betas": (0.5, 0.999)},
        }

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        category = {"k": rng.integers(self.categories, n)} if self.categories else {}
        return {
            "x": data.images(n, rng),
            "c": 2 * rng.uniform(n, self.latents) - 1,
            "noise": rng.normal(n, self.noise),
            **category,
        }

    def loss(  # type: ignore[override]
        self, net: Any, x: Tensor, c: Tensor, noise: Tensor, k: Tensor | None = None
    ) -> dict[str, dict[str, Tensor]]:
        seen = net.look(self.drawn(net, c, noise, k))
        real, fake = net.D(net.look(x)), net.D(seen)
        information = self.information(net.Q(seen), c, k)
        return {
            "critic": {"real": softplus(-real).mean(), "drawn": softplus(fake).mean(), "information": information},
            "generator": {"adversarial": softplus(-fake).mean(), "information": information},
        }

    def drawn(self, net: Any, c: Tensor, noise: Tensor, k: Tensor | None) -> Tensor:
        """Images (n, channels, h, w) in [0, 1] of codes."""
        category = [] if k is None else [one_hot(k, self.categories).to(c)]
        return net.generator(torch.cat([c, *category, noise], 1)).sigmoid()

    def information(self, told: Tensor, c: Tensor, k: Tensor | None) -> Tensor:
        """lam E[-log Q(k)] + lam_c E[-log Q(c)], the latter less its value for a perfect Q of standard deviation 1."""
        q, logits = self.read(told)
        cost = self.lam_c * -(log_normal(c, q.mean, q.logvar) + 0.5 * math.log(2 * math.pi)).sum(1).mean()
        return cost if k is None else cost + self.lam * cross_entropy(logits, k)

    def read(self, told: Tensor) -> tuple[Gaussian, Tensor]:
        """Q of the numbers, and logits of the category, (n, categories)."""
        mean, logits, logvar = told.tensor_split([self.latents, self.latents + self.categories], 1)
        return Gaussian(mean, logvar if self.deviation == "learned" else torch.zeros_like(mean)), logits

    def q(self, net: Any, x: Tensor) -> tuple[Gaussian, Tensor]:
        return self.read(net.Q(net.look(x)))

    def codes(self, q: tuple[Gaussian, Tensor]) -> Gaussian:
        """[means of c, probabilities of the category]; noise only where Q tells its own."""
        numbers, logits = q
        own = numbers if self.deviation == "learned" else certain(numbers.mean)
        category = certain(logits.softmax(1))
        return Gaussian(*(torch.cat([getattr(part, of) for part in (own, category)], 1) for of in ("mean", "logvar")))

    def mode(self, q: tuple[Gaussian, Tensor]) -> Tensor:
        numbers, logits = q
        likeliest = [one_hot(logits.argmax(1), self.categories).to(logits)] if self.categories else []
        return torch.cat([numbers.mean, *likeliest], 1)

    def decode(self, net: Any, z: Tensor) -> Tensor:
        """Logits of the images of codes, with no noise: Q tells nothing of it."""
        return net.generator(torch.cat([z, z.new_zeros(len(z), self.noise)], 1))

    def rate(self, q: tuple[Gaussian, Tensor]) -> None:  # type: ignore[override]
        """Q is no posterior whose cost is counted."""

    def clusters(self, q: tuple[Gaussian, Tensor]) -> Tensor | None:
        """The likeliest category, (n,)."""
        return q[1].argmax(1) if self.categories else None

    def findings(self, net: Any, data: Any, rows: Any, codes: Any, rng: Any) -> Findings:
        """What is drawn: a row a category, or any."""
        K, n = self.categories or 4, 8
        k = torch.arange(K, device=data.device).repeat_interleave(n) if self.categories else None
        c, noise = 2 * rng.uniform(K * n, self.latents) - 1, rng.normal(K * n, self.noise)
        images = self.drawn(net, c, noise, k).unflatten(0, (K, n))
        return Findings(sheets={"drawn": (images, [f"k = {i}" if self.categories else "" for i in range(K)])})

    def blocks(self, net: Any) -> dict[str, int]:
        return {"c": self.latents} | ({"k": self.categories} if self.categories else {})
