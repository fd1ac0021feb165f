"""Reducing AAE, Makhzani et al. 2016, section 7:   L = L_semi + apart sum_(i<j) (eta - |w_i - w_j|)_+

Adversarial autoencoder for dimensionality reduction: the code is u = y W + z, a cluster head w_k, a row of W, for each
class, and style z around it (see `aae_semi` for y and z). (a)_+ is the larger of a and 0. Heads nearer than eta are
pushed apart, at a cost that is linear in the distance; heads farther apart cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ._networks import NETWORKS, glorot
from .aae_semi import AAESemi
from .vae import require


@dataclass(frozen=True)
class AAEReduce(AAESemi):
    eta: float = 4.0  # how far apart heads are to be; style has a standard deviation of 1
    apart: float = 10.0  # weight of that, beside nats of reconstruction

    players: ClassVar[dict[str, tuple[str, ...]]] = {
        "autoencoder": ("encoder", "heads", "decoder"),
        "critic": ("critic",),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "eta", self.eta >= 0, "at least 0")
        require(self, "apart", self.apart >= 0, "at least 0")

    def nets(self, data: Any) -> dict[str, nn.Module]:
        return {
            **super().nets(data),
            "heads": glorot(nn.Linear(self.K(data), self.latents, bias=False)),
            "decoder": NETWORKS[self.pair(data)].decoder(self.latents, data.shape),
        }

    def q(self, net: Any, x: Tensor) -> dict[str, Tensor]:
        parts = super().q(net, x)
        return {**parts, "u": parts["z"] + net.heads(parts["y"])}

    def loss(self, net: Any, *args: Any, **draws: Any) -> dict[str, dict[str, Tensor]]:  # type: ignore[override]
        terms = super().loss(net, *args, **draws)
        terms["autoencoder"]["apart"] = self.apart * nearness(net.heads.weight.T, self.eta)
        return terms

    def mode(self, q: dict[str, Tensor]) -> Tensor:
        return q["u"]

    def blocks(self, net: Any) -> dict[str, int]:
        return {"u": self.latents}


def nearness(heads: Tensor, eta: float) -> Tensor:
    """sum_(i<j) max(0, eta - |w_i - w_j|) of heads (K, d)."""
    i, j = torch.triu_indices(len(heads), len(heads), 1, device=heads.device)
    squares = (heads[i] - heads[j]).square().sum(1)
    return (eta - (squares + 1e-12).sqrt()).relu().sum()  # the root of 0 has no slope
