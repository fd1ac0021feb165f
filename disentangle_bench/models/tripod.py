"""Tripod, Hsu et al. 2024, eq. 3 to 9:   L = E[-log p(x|z)] + information I(z) + curvature H

"Tripod: three complementary inductive biases for disentangled representation learning".

    z = tanh c, rounded to one of `values` evenly spaced numbers in [-1, 1], straight through
    I = E[log q(z) - sum_j log q_j(z_j)],   q the density of n codes of d units, Gaussian kernels of widths
                                            h_j = s_j (4 / ((d + 2) n))^(1 / (d + 4))
    H = sum over layers of E[var_r D^2_r f] / E[var_g D^2_g f],   f a layer of the decoder

D^2_v f = [f(z + e s v) - 2 f(z) + f(z - e s v)] / e^2 is a second difference along v, s the deviations of tanh c over
the batch; its variance over v with random signs, r, is twice the sum of squared mixed derivatives, and over Gaussian v,
g, of all second derivatives. So H is the share of curvature in which one unit changes what another does, whatever the
scale.

Weights stand beside a likelihood averaged over pixels, as in the published code, and so count once a pixel here. q_j is
the density of one unit under q, with the same width; that code has another one, s_j. Weights are those for Shapes3D.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ._deterministic import Deterministic
from ._probability import bernoulli_nll
from .vae import require


@dataclass(frozen=True)
class Tripod(Deterministic):
    values: int = 12  # n, of each unit
    lr: float = 2e-4  # of Adam
    information: float = 1e-4  # weight of I, a pixel
    curvature: float = 1e-2  # weight of H, a pixel
    directions: int = 2  # of each kind that a second difference is taken along
    e: float = 0.1  # length of a difference, in deviations of the units

    players: ClassVar[dict[str, tuple[str, ...]]] = {"autoencoder": ("encoder", "decoder")}

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "values", self.values >= 2, "at least 2")
        for field in ("information", "curvature"):
            require(self, field, getattr(self, field) >= 0, "at least 0")
        require(self, "directions", self.directions >= 2, "at least 2, for a variance")
        require(self, "e", self.e > 0, "a number above 0")

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        shape = self.directions, n, self.latents
        signs = 2 * (rng.uniform(*shape) < 0.5).to(data.dtype) - 1
        return {"x": data.images(n, rng), "r": signs, "g": rng.normal(*shape)}

    def q(self, net: Any, x: Tensor) -> Tensor:
        """The values that stand for images, (n, latents)."""
        return self.rounded(net.encoder(x).tanh())

    def rounded(self, c: Tensor) -> Tensor:
        steps = (self.values - 1) / 2
        return ((c + 1) * steps).round() / steps - 1

    def loss(self, net: Any, x: Tensor, r: Tensor, g: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        c, pixels = net.encoder(x).tanh(), x[0].numel()
        z = c + (self.rounded(c) - c).detach()
        s = c.std(0, correction=0) + 1e-6
        mixed, all_ = ([v.var(0, correction=0).mean() for v in self.differences(net, z, s, way)] for way in (r, g))
        shares = [part / (whole + 1e-10) for part, whole in zip(mixed, all_)]
        return {
            "reconstruction": bernoulli_nll(x, net.decoder(z)).mean(),
            "information": self.information * pixels * multiinformation(z, s),
            "curvature": self.curvature * pixels * torch.stack(shares).sum(),
        }

    def differences(self, net: Any, z: Tensor, s: Tensor, v: Tensor) -> list[Tensor]:
        """Second differences along v (directions, n, units) of the decoder's hidden layers, (directions, n, ...)."""
        step = self.e * s * v
        up, here, down = (hidden(net.decoder, code.flatten(0, 1)) for code in (z + step, z.expand_as(v), z - step))
        n = len(z)
        return [((a - 2 * b + c) / self.e**2).unflatten(0, (-1, n)) for a, b, c in zip(up, here, down)]


def hidden(decoder: nn.Module, h: Tensor) -> list[Tensor]:
    """What each layer but the last gives, where a non-linearity of its own ends it; without one what all of them do."""
    layers = [layer for part in decoder.children() for layer in (part if isinstance(part, nn.Sequential) else [part])]
    every, units = [], []
    for layer in layers:
        h = layer(h)
        every.append(h)
        if not list(layer.parameters()) and not isinstance(layer, nn.Unflatten):
            units.append(h)
    return units or every[:-1]


def multiinformation(z: Tensor, s: Tensor) -> Tensor:
    """I of points (n, d) whose units have standard deviations s (d,), in nats; a kernel's point counts itself."""
    n, d = z.shape
    h = s * (4 / ((d + 2) * n)) ** (1 / (d + 4))
    log_k = -0.5 * ((z[:, None] - z) / h).square() - h.log() - 0.5 * math.log(2 * math.pi)  # (n, n, d)
    joint, each = log_k.sum(2).logsumexp(1) - math.log(n), log_k.logsumexp(1) - math.log(n)
    return (joint - each.sum(1)).mean()
