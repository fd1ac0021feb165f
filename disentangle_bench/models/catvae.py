"""CatVAE, Lelarge & Pineau 2018:   L = E_q[-log p(x|z)] + E_q(c|x) KL(q(z|x,c) || p(z|c)) + KL(q(c|x) || 1/K)

"InfoCatVAE: representation learning with categorical variational autoencoders", arXiv 1806.08240. A code has one block
of delta units a class: p(z|c) = N(m_c, I) with m_c = lam on block c and 0 elsewhere, q(z|x,c) = N(mu_c(x), s_c(x)^2).

    marginal    the expectation over c is exact: all K samples are decoded
    soft        one sample is decoded, of parameters averaged with weights q(c|x) (the authors' code)
    gumbel      one sample is decoded, of a drawn class: straight-through Gumbel softmax

Not the paper's, and without effect unless asked for: weights beta_c and beta_z of the two KL terms, both `hot` at first
and cooled geometrically over `cool` steps, and balance KL(mean of q(c|x) over the batch || 1/K), which keeps all
classes in use.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ._findings import Findings, by_class
from ._networks import NETWORKS, glorot
from ._probability import Gaussian, Mixture, bernoulli_nll, share
from .vae import VAE, require

DECODING = ("marginal", "soft", "gumbel")


@dataclass(frozen=True)
class CatVAE(VAE):
    latents: int = 2  # delta, units a class
    lr: float = 1e-3  # of Adam
    classes: int = 0  # K; 0 stands for the number of classes that the data set has
    lam: float = 2.0  # how far a class's prior mean lies from 0, along each unit of its block
    decoding: str = "marginal"  # | soft | gumbel
    temperature: float = 0.5  # of gumbel
    beta_c: float = 1.0  # weight of KL(c)
    beta_z: float = 1.0  # weight of KL(z given c)
    hot: float = 1.0  # both KLs times this at first,
    cool: int = 0  # falling geometrically to 1 over so many steps
    balance: float = 0.0  # weight of KL(mean of q(c|x) over the batch to 1/K)

    own: ClassVar[Mapping[tuple[int, int], str]] = {(28, 28): "infocatvae"}

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "classes", self.classes >= 0, "at least 0")
        require(self, "decoding", self.decoding in DECODING, f"one of {', '.join(DECODING)}")
        for field in ("lam", "beta_c", "beta_z", "cool", "balance"):
            require(self, field, getattr(self, field) >= 0, "at least 0")
        require(self, "hot", self.hot > 0, "a number above 0")
        require(self, "hot", self.hot == 1 or self.cool > 0, "1, or steps to cool in (`cool`)")
        require(self, "temperature", self.temperature > 0, "a number above 0")

    def K(self, data: Any) -> int:
        return self.classes or data.classes

    def nets(self, data: Any) -> dict[str, nn.Module]:
        K, pair = self.K(data), self.pair(data)
        return {
            "encoder": Encoder(*NETWORKS[pair].trunk(data.shape), K, K * self.latents),
            "decoder": NETWORKS[pair].decoder(K * self.latents, data.shape),
        }

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        K = self.K(data)
        heat = self.hot ** (1 - share(t, self.cool)) if self.cool else 1.0
        noise = {"x": data.images(n, rng), "eps": rng.normal(n, K, K * self.latents), "heat": heat}
        return {**noise, "u": rng.uniform(n, K)} if self.decoding == "gumbel" else noise

    def q(self, net: Any, x: Tensor) -> Mixture:
        logits, mean, logvar = net.encoder(x)
        return Mixture(logits, Gaussian(mean, logvar))

    def prior_means(self, K: int, like: Tensor) -> Tensor:
        """(K, K delta): lam on the class's own block."""
        return self.lam * torch.eye(K, dtype=like.dtype, device=like.device).repeat_interleave(self.latents, 1)

    def loss(  # type: ignore[override]
        self, net: Any, x: Tensor, eps: Tensor, u: Tensor | None = None, heat: float = 1.0
    ) -> dict[str, Tensor]:
        q = self.q(net, x)
        kl, terms = self.divergence(q), {"reconstruction": self.likelihood(net, x, q, eps, u).mean()}
        terms |= {"kl_c": heat * self.beta_c * kl["kl_c"], "kl_z": heat * self.beta_z * kl["kl_z"]}
        if self.balance:
            share = q.w.mean(0)
            terms["balance"] = self.balance * (share * (len(share) * share).clamp_min(1e-20).log()).sum()
        return terms

    def likelihood(self, net: Any, x: Tensor, q: Mixture, eps: Tensor, u: Tensor | None) -> Tensor:
        """E_q[-log p(x|z)] of each image, (n,) nats."""
        K = q.w.shape[1]
        if self.decoding == "marginal":
            logits = net.decoder(q.parts.at(eps).flatten(0, 1))
            return (q.w * bernoulli_nll(x.repeat_interleave(K, 0), logits).view(-1, K)).sum(1)
        if u is None:
            share = q.w
        else:
            gumbel = -(-(u + 1e-20).log() + 1e-20).log()
            soft = ((q.logits.log_softmax(1) + gumbel) / self.temperature).softmax(1)
            share = one_hot(soft.argmax(1), K) + soft - soft.detach()
        mixed = Gaussian(*((share[..., None] * p).sum(1) for p in (q.parts.mean, q.parts.logvar)))
        return bernoulli_nll(x, net.decoder(mixed.at(eps[:, 0])))

    def divergence(self, q: Mixture) -> dict[str, Tensor]:
        """KL of c and of z given c."""
        log_w = q.logits.log_softmax(1)
        K = log_w.shape[1]
        means = self.prior_means(K, q.parts.mean)
        return {
            "kl_c": ((q.w * log_w).sum(1) + math.log(K)).mean(),
            "kl_z": (q.w * q.parts.kl_to(means, 1.0).sum(2)).sum(1).mean(),
        }

    def codes(self, q: Mixture) -> Gaussian:
        """[z, q(c|x)]: mean and deviation of the whole mixture; q(c|x) has no noise."""
        still = torch.full_like(q.w, -torch.inf)
        return Gaussian(torch.cat([q.mean, q.w], 1), torch.cat([2 * q.sd.log(), still], 1))

    def mode(self, q: Mixture) -> Tensor:
        """Mean of the likeliest class's z, (n, K delta)."""
        return q.parts.mean[torch.arange(len(q.w)), self.clusters(q)]

    def clusters(self, q: Mixture) -> Tensor:
        """The likeliest class, (n,)."""
        return q.logits.argmax(1)

    def rate(self, q: Mixture) -> Tensor:
        """KL in nats: a column for c, one a unit of z."""
        log_w = q.logits.log_softmax(1)
        kl_c = (q.w * log_w).sum(1, keepdim=True) + math.log(log_w.shape[1])
        kl_z = (q.w[..., None] * q.parts.kl_to(self.prior_means(log_w.shape[1], q.w), 1.0)).sum(1)
        return torch.cat([kl_c, kl_z], 1)

    def findings(self, net: Any, data: Any, rows: Any, codes: Any, rng: Any) -> Findings:
        """Which classes are in use, and what each draws."""
        K = net.encoder.category.out_features
        w, names = by_class(data, rows, codes.mean[:, -K:])
        z = self.prior_means(K, rng.normal(0))[:, None] + rng.normal(K, 8, K * self.latents)
        images = self.decode(net, z.flatten(0, 1)).sigmoid().unflatten(0, (K, 8))
        classes = [f"c = {k}" for k in range(K)]
        entropy = 0.0 - float((w[0] * np.log(np.maximum(w[0], 1e-30))).sum())
        return Findings(
            {"class_entropy": (entropy, "entropy of the mean of q(c|x), nats; log K if all classes are used alike")},
            {"drawn from each class, p(z|c)": (images, classes)},
            {"mean of q(c|x)": (w, names, classes)},
        )

    def blocks(self, net: Any) -> dict[str, int]:
        K = net.encoder.category.out_features
        return {"z": K * self.latents, "c": K}


class Encoder(nn.Module):
    """Images -> logits of c (n, K); mean and log variance of z given c, (n, K, d), linear in [features, one-hot c].

    `trunk` makes features of images, `width` of them.
    """

    def __init__(self, trunk: nn.Module, width: int, K: int, d: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.category = nn.Linear(width, K)
        self.mean, self.logvar = nn.Linear(width + K, d), nn.Linear(width + K, d)
        glorot(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.trunk(x)
        logits = self.category(features)
        n, K = logits.shape
        each = torch.eye(K, dtype=features.dtype, device=features.device).expand(n, K, K)
        together = torch.cat([features[:, None].expand(n, K, -1), each], 2)
        return logits, self.mean(together), self.logvar(together)
