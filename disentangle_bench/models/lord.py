"""LORD, Gabbay & Hoshen 2020, eq. 4 and 6:   L = E[d(G(e_y, c_i + sigma n), x_i)] + lam E|c_i|^2,   n ~ N(0, I)

"Demystifying inter-class disentanglement". Codes are parameters: one e a class, one c an image. Noise and decay make c
dear, e is free: what a class shares goes there. Encoders, which new images need, are fitted to these codes:

    L_E = E[d(G(E_y(x), E_c(x)), x)] + match E[mean (E_y(x) - e_y)^2 + mean (E_c(x) - c_i)^2]

and move neither codes nor G. The paper fits them afterwards, here they follow side by side. d is what the paper calls
perceptual: `vgg` where VGG-16's weights are at hand, or pixels and structure, `l1_ssim`; the row says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ._deterministic import Deterministic
from ._findings import Findings
from ._identity import SHOWN, leakage, swaps
from ._likeness import LIKENESS, weights_file
from ._networks import NETWORKS, glorot
from .vae import require


@dataclass(frozen=True)
class LORD(Deterministic):
    latents: int = 20  # width of e and c together
    e: int = 10  # of the latents: the first ones are the class code e, the others c
    lr: float = 3e-4  # of Adam; codes move ten times as fast
    sigma: float = 1.0  # standard deviation of the noise on c
    lam: float = 1e-4  # weight of |c|^2
    match: float = 10.0  # weight of what encoders miss
    images: int = 20_000  # most that get a c of their own; of a larger set a random choice is trained on
    likeness: str = "auto"  # | l1_ssim | vgg; auto: vgg where its weights are at hand

    needs: ClassVar[str] = "labels"
    players: ClassVar[dict[str, tuple[str, ...]]] = {
        "latents": ("classes", "contents", "generator"),
        "encoders": ("class_encoder", "content_encoder"),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "e", 1 <= self.e < self.latents, f"1 to {self.latents - 1}, latents without one")
        for field in ("sigma", "lam", "match"):
            require(self, field, getattr(self, field) >= 0, "at least 0")
        require(self, "images", self.images >= 2, "at least 2")
        require(self, "likeness", self.likeness in ("auto", *LIKENESS), f"auto, {' or '.join(LIKENESS)}")
        if self.likeness == "auto":  # what was used is part of the run's name
            object.__setattr__(self, "likeness", "vgg" if weights_file() else "l1_ssim")

    def fits(self, data: Any) -> None:
        super().fits(data)
        data.told(0).groups(1, 2, np.random.default_rng(0))  # a class of one image shares nothing
        if self.likeness == "vgg" and weights_file() is None:
            raise ValueError("likeness=vgg needs VGG-16's weights (docs/models/lord.md); l1_ssim needs none")

    def nets(self, data: Any) -> dict[str, nn.Module]:
        pair, c = NETWORKS[self.pair(data)], self.latents - self.e
        (class_trunk, width), (content_trunk, _) = pair.trunk(data.shape), pair.trunk(data.shape)
        return {
            "classes": Codes(data.classes, self.e),
            "contents": Codes(min(self.images, data.known), c),
            "generator": pair.decoder(self.latents, data.shape),
            "class_encoder": glorot(nn.Sequential(class_trunk, nn.Linear(width, self.e))),
            "content_encoder": glorot(nn.Sequential(content_trunk, nn.Linear(width, c))),
        }

    def optimisers(self) -> dict[str, dict[str, Any]]:
        return {"latents": {"lr": self.lr, "betas": (0.5, 0.999)}, "encoders": {"lr": self.lr, "betas": (0.5, 0.999)}}

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        rows = data.some(self.images, rng)
        i = rng.integers(len(rows), n)
        noise = rng.normal(n, self.latents - self.e)
        return {"x": data.at(rows[i]), "y": data.labels(rows[i]), "i": i, "noise": noise}

    def loss(self, net: Any, x: Tensor, y: Tensor, i: Tensor, noise: Tensor) -> dict[str, dict[str, Tensor]]:  # type: ignore[override]
        d, e, c = LIKENESS[self.likeness], net.classes.at(y), net.contents.at(i)
        drawn = net.generator(torch.cat([e, c + self.sigma * noise], 1))
        z = self.q(net, x)
        missed_e, missed_c = (z - torch.cat([e, c], 1).detach()).square().tensor_split([self.e], 1)
        return {
            "latents": {self.likeness: d(x, drawn).mean(), "decay": self.lam * c.square().sum(1).mean()},
            "encoders": {
                self.likeness: d(x, net.generator(z)).mean(),
                "match": self.match * (missed_e.mean() + missed_c.mean()),
            },
        }

    def q(self, net: Any, x: Tensor) -> Tensor:
        """[e, c] as the encoders see them."""
        return torch.cat([net.class_encoder(x), net.content_encoder(x)], 1)

    def decode(self, net: Any, z: Tensor) -> Tensor:
        return net.generator(z)

    def findings(self, net: Any, data: Any, rows: Any, codes: Any, rng: Any) -> Findings:
        """Whether class and content leak into each other, and images of one's class with another's content."""
        e, c = codes.mean[:, : self.e], codes.mean[:, self.e :]
        found = Findings(leakage(("e", e), ("c", c), data, rows))
        x = data.at(torch.from_numpy(rows[:SHOWN]).to(data.device))
        z = self.q(net, x)
        mixed = lambda i, j: self.decode(net, torch.cat([z[i, : self.e], z[j, self.e :]], 1)).sigmoid()  # noqa: E731
        found.sheets["class of one image, content of another"] = swaps(x, mixed, "class", "content")
        return found

    def blocks(self, net: Any) -> dict[str, int]:
        return {"e": self.e, "c": self.latents - self.e}


class Codes(nn.Module):
    """One code a row, from U(-0.05, 0.05). They are ten times their parameters: Adam, whose steps do not depend on the
    scale of gradients, moves them ten times as fast as weights."""

    def __init__(self, n: int, d: int) -> None:
        super().__init__()
        self.tenth = nn.Parameter(torch.empty(n, d).uniform_(-0.005, 0.005))

    def at(self, rows: Tensor) -> Tensor:
        return 10 * self.tenth[rows]
