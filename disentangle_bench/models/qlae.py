"""QLAE, Hsu et al. 2023, eq. 1 to 4:   L = E[-log p(x|z)] + quantisation E|sg(c) - z|^2 + commitment E|c - sg(z)|^2

"Disentanglement via latent quantization". The encoder's c, unit by unit, is replaced by the nearest of n values that
the unit has of its own, z_j = argmin_v in V_j |c_j - v|, and learns as if it had not been (straight through). Values
start evenly between -1/2 and 1/2 and follow c by the second term; sg is a constant. With a weight decay that is
unusually strong (decoupled from the gradient, Loshchilov & Hutter 2019), few values have to say all.

Weights stand beside a likelihood averaged over pixels and squares averaged over units, as in the published code; here
the likelihood is summed, and so both count once a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ._deterministic import Deterministic
from ._probability import bernoulli_nll
from .vae import require


@dataclass(frozen=True)
class QLAE(Deterministic):
    values: int = 10  # n, of each unit
    lr: float = 1e-3  # of Adam
    decay: float = 0.1  # of the weights of encoder and decoder
    quantisation: float = 0.01  # weight of moving values to codes, a pixel
    commitment: float = 0.01  # weight of moving codes to values, a pixel

    players: ClassVar[dict[str, tuple[str, ...]]] = {"autoencoder": ("encoder", "decoder"), "codebook": ("codebook",)}

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "values", self.values >= 2, "at least 2")
        for field in ("decay", "quantisation", "commitment"):
            require(self, field, getattr(self, field) >= 0, "at least 0")

    def nets(self, data: Any) -> dict[str, nn.Module]:
        return {**super().nets(data), "codebook": Codebook(self.latents, self.values)}

    def optimisers(self) -> dict[str, dict[str, Any]]:
        decayed = {"lr": self.lr, "weight_decay": self.decay, "decoupled_weight_decay": True}
        return {"autoencoder": decayed, "codebook": {"lr": self.lr}}

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        return {"x": data.images(n, rng)}

    def q(self, net: Any, x: Tensor) -> Tensor:
        """The values that stand for images, (n, latents)."""
        return net.codebook.nearest(net.encoder(x))

    def loss(self, net: Any, x: Tensor) -> dict[str, dict[str, Tensor]]:  # type: ignore[override]
        c, pixels = net.encoder(x), x[0].numel()
        z = net.codebook.nearest(c)
        through = c + (z - c).detach()
        return {
            "autoencoder": {
                "reconstruction": bernoulli_nll(x, net.decoder(through)).mean(),
                "commitment": self.commitment * pixels * (c - z.detach()).square().mean(),
            },
            "codebook": {"quantisation": self.quantisation * pixels * (c.detach() - z).square().mean()},
        }


class Codebook(nn.Module):
    """n values a unit, (units, n)."""

    def __init__(self, units: int, n: int) -> None:
        super().__init__()
        self.held = nn.Parameter(torch.linspace(-0.5, 0.5, n).repeat(units, 1))

    def nearest(self, c: Tensor) -> Tensor:
        """The value nearest to each code, (n, units)."""
        at = (c[:, :, None] - self.held).abs().argmin(2)
        return self.held.T.gather(0, at)
