"""InfoGAN-CR, Lin, Thekumparampil, Fanti & Oh 2020, eq. 3 and 4:   L_InfoGAN + alpha L_CR,   L_CR = -E[log H_i(x, x')]

"InfoGAN-CR and ModelCentrality". Two images x, x' are drawn with the same noise and the same unit i of the code, all
other units at least `gap` apart; a network H tells i. G and H both lower L_CR, whose least value is log K less the
generalised Jensen-Shannon divergence of the K kinds of pairs. Units: both values from U(-1 + gap / 2, 1 - gap / 2),
then moved apart by gap / 2 each.

G cares for L_CR from step `switch` on; gap falls to 0 at step `narrow`. H learns all the time and starts anew at each
of these steps. On dSprites the authors have no gap, and switch late. Weights of D and H have spectral norms (Miyato et
al. 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.parametrize import register_parametrization

from ._networks import NETWORKS, glorot
from .infogan import InfoGAN
from .vae import require


@dataclass(frozen=True)
class InfoGANCR(InfoGAN):
    categories: int = 0  # K, of the unit that is a class; 0 for none
    critic_lr: float = 2e-3  # of D's, Q's and H's Adam
    lam_c: float = 0.05  # weight of what Q misses of the numbers
    alpha: float = 2.0  # weight of L_CR
    switch: int = 288_000  # the step from which it counts
    gap: float = 0.0  # least distance of the units that differ
    narrow: int = 0  # the step from which there is no gap

    players: ClassVar[dict[str, tuple[str, ...]]] = {
        "critic": ("look", "D", "Q"),
        "generator": ("generator",),
        "contrast": ("H",),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "latents", self.latents >= 2, "at least 2: one of them is told from the others")
        for field in ("alpha", "switch", "narrow"):
            require(self, field, getattr(self, field) >= 0, "at least 0")
        require(self, "gap", 0 <= self.gap < 2, "0 to below 2, the width of a unit")
        require(self, "gap", self.gap == 0 or self.narrow > 0, "0, or a step at which it ends (`narrow`)")

    def nets(self, data: Any) -> dict[str, nn.Module]:
        h, w, c = data.shape
        look, width = NETWORKS[self.pair(data)].trunk((h, w, 2 * c))
        nets = {**super().nets(data), "H": glorot(nn.Sequential(look, nn.Linear(width, self.latents)))}
        for name in ("look", "D", "H"):
            normed(nets[name])
        return nets

    def optimisers(self) -> dict[str, dict[str, Any]]:
        settings = super().optimisers()
        return {**settings, "contrast": settings["critic"]}

    @property
    def restarts(self) -> dict[int, tuple[str, ...]]:
        return {step: ("contrast",) for step in (self.switch, self.narrow) if step}

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        i = rng.integers(self.latents, n)
        gap = self.gap * (t < self.narrow)
        first, second = apart(rng.uniform(2, n, self.latents), gap)
        same = torch.arange(self.latents, device=i.device) == i[:, None]
        whole = 2 * rng.uniform(n, self.latents) - 1
        pair = torch.where(same, whole, first), torch.where(same, whole, second)
        return {
            **super().draw(data, n, t, rng),
            "pair": torch.cat(pair),
            "i": i,
            "noise_2": rng.normal(n, self.noise),
            "on": (t >= self.switch) * torch.ones_like(first[0, 0]),
        } | ({"k_2": rng.integers(self.categories, n)} if self.categories else {})

    def loss(  # type: ignore[override]
        self,
        net: Any,
        x: Tensor,
        c: Tensor,
        noise: Tensor,
        pair: Tensor,
        i: Tensor,
        noise_2: Tensor,
        on: Tensor,
        k: Tensor | None = None,
        k_2: Tensor | None = None,
    ) -> dict[str, dict[str, Tensor]]:
        terms = super().loss(net, x, c, noise, k)
        both = self.drawn(net, pair, noise_2.repeat(2, 1), None if k_2 is None else k_2.repeat(2))
        missed = cross_entropy(net.H(torch.cat(both.chunk(2), 1)), i)
        terms["generator"]["contrast"] = self.alpha * on * missed
        return {**terms, "contrast": {"contrast": missed}}


def apart(u: Tensor, gap: Any) -> tuple[Tensor, Tensor]:
    """Two codes (n, units) whose values are at least `gap` apart, of uniform numbers u (2, n, units) in [0, 1)."""
    first, second = (2 - gap) * u - (1 - gap / 2)
    way = torch.where(first < second, 0.5, -0.5).to(u) * gap
    return first - way, second + way


class Spectral(nn.Module):
    """A weight over its largest singular value, followed by a step of power iteration whenever training uses it."""

    u: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("u", torch.randn(len(weight)))

    def forward(self, weight: Tensor) -> Tensor:
        flat = weight.flatten(1)
        with torch.no_grad():
            v = _unit(self.u @ flat)
            u = _unit(flat @ v) if self.training else self.u
            if self.training:
                self.u.copy_(u)
        return weight / (u @ flat @ v)


def normed(net: nn.Module) -> nn.Module:
    """The net with a spectral norm on every weight of a linear or convolution layer."""
    for layer in list(net.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            register_parametrization(layer, "weight", Spectral(layer.weight))
    return net


def _unit(x: Tensor) -> Tensor:
    return x / (x.norm() + 1e-12)
