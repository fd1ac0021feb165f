"""Variational autoencoder, Kingma & Welling 2014, eq. 10:   L = E_q[-log p(x|z)] + KL(q(z|x) || N(0, I))

Bernoulli likelihood on logits, diagonal Gaussian posterior. Networks, ten latents and Adam at 1e-4 as in the study of
Locatello et al. 2019, table 4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from torch import Tensor, nn

from ._networks import NETWORKS, GaussianEncoder, choose
from ._probability import Gaussian, bernoulli_nll


def require(model: Any, field: str, true: bool, expected: str) -> None:
    """Refuse a hyper-parameter before any work is done with it."""
    if not true:
        name = type(model).__module__.rpartition(".")[2]
        raise ValueError(f"{name}.{field}: got {getattr(model, field)!r}, expected {expected}")


@dataclass(frozen=True)
class VAE:
    """The root of the zoo: what a model overrides is what its paper changes.

    `draw` names what the objective is a function of; `loss` receives exactly those names and returns its named,
    weighted terms, whose sum is minimised: nats, summed over pixels and latents, mean over the batch.
    """

    latents: int = 10  # width of z
    lr: float = 1e-4  # of Adam
    network: str = "auto"  # | locatello | locatello_paper | burgess | higgins | mcevae | infocatvae | infogan | dense

    version: ClassVar[int] = 1  # raised when the same parameters stop meaning the same training
    trains: ClassVar[bool] = True
    needs: ClassVar[str] = "images"  # | some labels | some factors | labels | pairs | groups | contrasts | clips
    players: ClassVar[dict[str, tuple[str, ...]]] = {"vae": ("encoder", "decoder")}
    own: ClassVar[Mapping[tuple[int, int], str]] = {}  # networks of the paper's code by the size of images

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            require(self, field.name, not isinstance(value, float) or math.isfinite(value), "a finite number")
        require(self, "latents", self.latents >= 1, "at least 1")
        require(self, "lr", self.lr > 0, "a number above 0")
        require(self, "network", self.network in ["auto", *NETWORKS], f"one of auto, {', '.join(NETWORKS)}")

    def fits(self, data: Any) -> None:
        """Refuse, with a ValueError, a data set that lacks what the model needs. Nothing has been trained yet."""
        self.pair(data)
        if self.needs in ("labels", "some labels") and data.label is None:
            raise ValueError(f"needs labels, and data set {data.name!r} has none")

    def pair(self, data: Any) -> str:
        """The name of the networks for a data set's images."""
        return choose(self.network, data.shape, self.own)

    def nets(self, data: Any) -> dict[str, nn.Module]:
        """Freshly drawn networks for a data set's images (`data.shape`) and classes (`data.classes`)."""
        pair = self.pair(data)
        return {
            "encoder": GaussianEncoder(pair, data.shape, self.latents),
            "decoder": NETWORKS[pair].decoder(self.latents, data.shape),
        }

    def optimisers(self) -> dict[str, dict[str, Any]]:
        """Adam's settings, a player each."""
        return {player: {"lr": self.lr} for player in self.players}

    @property
    def restarts(self) -> dict[int, tuple[str, ...]]:
        """Steps before which players start anew, with fresh networks and optimisers."""
        return {}

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        """The arguments of `loss` at step t, from the run's own stream.

        t is a tensor without axes: a schedule computes with it (see `share`), and never asks for its value.
        """
        return {"x": data.images(n, rng), "eps": rng.normal(n, self.latents)}

    def q(self, net: Any, x: Tensor) -> Any:
        """Posterior of images: all that the methods below need to know of them, from one pass of the encoder."""
        return Gaussian(*net.encoder(x))

    def loss(self, net: Any, x: Tensor, eps: Tensor) -> dict[str, Tensor]:
        q = self.q(net, x)
        return {
            "reconstruction": bernoulli_nll(x, net.decoder(q.at(eps))).mean(),
            "kl": q.kl_to_standard().sum(1).mean(),
        }

    def codes(self, q: Any) -> Any:
        """The representation: an object with mean and sd, each (n, d)."""
        return q

    def mode(self, q: Any) -> Tensor:
        """The code that stands for an image where one is decoded, (n, d)."""
        return q.mean

    def rate(self, q: Any) -> Tensor:
        """Unweighted KL of each image's posterior to the prior in nats, a column a unit."""
        return q.kl_to_standard()

    def decode(self, net: Any, z: Tensor) -> Tensor:
        """Logits (n, c, h, w) of the images that codes (n, d) stand for."""
        return net.decoder(z)

    def blocks(self, net: Any) -> dict[str, int]:
        """Names and widths of the blocks that a code is made of, in order."""
        return {"z": self.latents}
