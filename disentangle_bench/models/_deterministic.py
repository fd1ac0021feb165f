"""The root of models whose codes have no noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ._networks import NETWORKS, glorot
from ._probability import Gaussian, certain
from .vae import VAE


@dataclass(frozen=True)
class Deterministic(VAE):
    """What `q` gives of images is their code, (n, d). It has no finite KL to a prior."""

    def nets(self, data: Any) -> dict[str, nn.Module]:
        pair = NETWORKS[self.pair(data)]
        trunk, width = pair.trunk(data.shape)
        return {
            "encoder": glorot(nn.Sequential(trunk, nn.Linear(width, self.latents))),
            "decoder": pair.decoder(self.latents, data.shape),
        }

    def codes(self, q: Any) -> Gaussian:
        return certain(q)

    def mode(self, q: Any) -> Tensor:
        return q

    def rate(self, q: Any) -> None:  # type: ignore[override]
        """A code without noise has none."""
