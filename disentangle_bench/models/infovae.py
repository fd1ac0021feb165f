"""InfoVAE, Zhao et al. 2019, eq. 6:   L = E_q[-log p(x|z)] + (1 - alpha) KL + (alpha + lam - 1) D(q(z) || p(z))

D compares samples of all images with the prior: `mmd`, `stein` or `adversarial` (section 4 of the paper; Gretton et al.
2012, Liu & Wang 2016, Makhzani et al. 2016). alpha = 0, lam = 1 is the VAE; alpha = 1 the MMD-VAE, which pays for no
image's information. Kernels are exp(-|a - b|^2 / 2 s^2) with 2 s^2 = 2 d for mmd and the median rule for stein.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import softplus

from ._probability import bernoulli_nll
from .factorvae import critic
from .vae import VAE, require


@dataclass(frozen=True)
class InfoVAE(VAE):
    alpha: float = 1.0  # 1 - alpha is the weight of an image's KL
    lam: float = 1000.0  # alpha + lam - 1 is the weight of the divergence
    divergence: str = "mmd"  # | stein | adversarial
    critic_lr: float = 1e-4  # of the adversarial divergence

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "alpha", self.alpha <= 1, "at most 1: the weight of the KL is 1 - alpha")
        require(self, "lam", self.alpha + self.lam >= 1, "at least 1 - alpha: the weight of D is alpha + lam - 1")
        require(self, "divergence", self.divergence in DIVERGENCES, f"one of {', '.join(DIVERGENCES)}")
        require(self, "critic_lr", self.critic_lr > 0, "a number above 0")
        if self.divergence == "adversarial":  # an instance's own players
            object.__setattr__(self, "players", {"vae": ("encoder", "decoder"), "critic": ("critic",)})

    def nets(self, data: Any) -> dict[str, nn.Module]:
        more = {"critic": critic(self.latents, 1)} if self.divergence == "adversarial" else {}
        return {**super().nets(data), **more}

    def optimisers(self) -> dict[str, dict[str, Any]]:
        settings = {"vae": {"lr": self.lr}, "critic": {"lr": self.critic_lr, "betas": (0.5, 0.9)}}
        return {player: settings[player] for player in self.players}

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        return {**super().draw(data, n, t, rng), "prior": rng.normal(n, self.latents)}

    def loss(self, net: Any, x: Tensor, eps: Tensor, prior: Tensor) -> dict[str, Any]:  # type: ignore[override]
        q = self.q(net, x)
        z = q.at(eps)
        weight = self.alpha + self.lam - 1
        terms = {
            "reconstruction": bernoulli_nll(x, net.decoder(z)).mean(),
            "kl": (1 - self.alpha) * q.kl_to_standard().sum(1).mean(),
        }
        if self.divergence != "adversarial":
            return {**terms, self.divergence: weight * DIVERGENCES[self.divergence](z, prior)}
        return {
            "vae": {**terms, "adversarial": weight * softplus(-net.critic(z)).mean()},
            "critic": {
                "real": 0.5 * softplus(-net.critic(prior)).mean(),
                "fake": 0.5 * softplus(net.critic(z.detach())).mean(),
            },
        }


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """(n, m) of rows (n, d) and (m, d)."""
    return (a[:, None] - b).square().sum(2)


def mmd(z: Tensor, prior: Tensor) -> Tensor:
    """Unbiased estimate of the squared maximum mean discrepancy of two samples (n, d)."""
    n, d = z.shape

    def mean(a: Tensor, b: Tensor, same: bool) -> Tensor:
        k = (-squared_distances(a, b) / (2 * d)).exp()
        return (k.sum() - n) / (n * (n - 1)) if same else k.mean()  # a row with itself: 1, left out

    return mean(z, z, True) + mean(prior, prior, True) - 2 * mean(z, prior, False)


def stein(z: Tensor, prior: Tensor) -> Tensor:
    """What has the gradient of the KL's steepest descent in z (Stein variational gradient): -mean_i z_i . phi(z_i).

    phi(z_i) = mean_j [k(z_j, z_i) grad log p(z_j) + grad_j k(z_j, z_i)] is a constant; the value itself means nothing.
    """
    fixed = z.detach()
    distances = squared_distances(fixed, fixed)
    h = (distances.median() / math.log(len(z) + 1)).clamp_min(1e-12)  # all codes the same: no repulsion
    k = (-distances / h).exp()  # (j, i), symmetric
    phi = (k @ -fixed + 2 / h * (k.sum(1, keepdim=True) * fixed - k @ fixed)) / len(z)
    return -(z * phi).sum(1).mean()


DIVERGENCES: dict[str, Any] = {"mmd": mmd, "stein": stein, "adversarial": None}
