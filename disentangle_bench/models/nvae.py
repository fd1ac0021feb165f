"""N-VAE, Antorán & Miguel 2019:   L = E_q[-log p(x|y, z)] + KL(z_s) + beta_c KL(z_c) - label_weight log q(y|x)

"Disentangling and learning robust representations with natural clustering"; no table was found. z = [z_s, z_c]: z_s is
shared by all classes, z_c is masked by the class: the decoder sees vec(onehot(y) x [1, z_c]), zero outside block y, so
that its first layer has weights of each class's own. Training decodes with the true class, everything else with argmax
q(y|x). beta_c > 1 makes the masked channel the dearer one, which pushes what classes share into z_s. Widths, networks
and optimiser are the suite's choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from ._networks import decoder, glorot, trunk
from ._probability import Gaussian, bernoulli_nll
from .vae import VAE, require


@dataclass(frozen=True)
class NVAE(VAE):
    latents: int = 5  # of z_s
    masked: int = 5  # L, of z_c
    beta_c: float = 4.0
    label_weight: float = 10.0  # at 1 the 2.3 nats of ten classes are lost beside a hundred nats of pixels

    needs: ClassVar[str] = "labels"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "masked", self.masked >= 0, "at least 0")
        require(self, "beta_c", self.beta_c >= 0, "at least 0")
        require(self, "label_weight", self.label_weight >= 0, "at least 0")

    def nets(self, data: Any) -> dict[str, nn.Module]:
        C, width = data.classes, self.latents + self.masked
        return {
            "encoder": Encoder(data.shape, width, C),
            "decoder": decoder(self.latents + C * (self.masked + 1), data.shape),
        }

    def draw(self, data: Any, n: int, t: int, rng: Any) -> dict[str, Any]:
        rows = data.rows(n, rng)
        eps = rng.normal(n, self.latents + self.masked)
        return {"x": data.at(rows), "y": data.labels(rows), "eps": eps}

    def q(self, net: Any, x: Tensor) -> tuple[Gaussian, Tensor]:
        """Posterior of [z_s, z_c], and logits of q(y|x)."""
        mean, logvar, logits = net.encoder(x)
        return Gaussian(mean, logvar), logits

    def loss(self, net: Any, x: Tensor, y: Tensor, eps: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        q, logits = self.q(net, x)
        z = torch.cat([q.at(eps), one_hot(y, logits.shape[1]).to(x)], 1)
        kl_s, kl_c = q.kl_to_standard().split([self.latents, self.masked], 1)
        return {
            "reconstruction": bernoulli_nll(x, self.decode(net, z)).mean(),
            "kl_s": kl_s.sum(1).mean(),
            "kl_c": self.beta_c * kl_c.sum(1).mean(),
            "label": self.label_weight * cross_entropy(logits, y),
        }

    def decode(self, net: Any, z: Tensor) -> Tensor:
        """Logits of images from [z_s, z_c, one-hot y]."""
        z_s, z_c, y = z.split([self.latents, self.masked, z.shape[1] - self.latents - self.masked], 1)
        return net.decoder(torch.cat([z_s, mask(z_c, y)], 1))

    def codes(self, q: tuple[Gaussian, Tensor]) -> Gaussian:
        return q[0]

    def mode(self, q: tuple[Gaussian, Tensor]) -> Tensor:
        return torch.cat([q[0].mean, one_hot(self.clusters(q), q[1].shape[1]).to(q[0].mean)], 1)

    def clusters(self, q: tuple[Gaussian, Tensor]) -> Tensor:
        """The likeliest class, (n,): supervised, so its accuracy is a classifier's."""
        return q[1].argmax(1)

    def rate(self, q: tuple[Gaussian, Tensor]) -> Tensor:
        return q[0].kl_to_standard()

    def blocks(self, net: Any) -> dict[str, int]:
        return {"z_s": self.latents, "z_c": self.masked} if self.masked else {"z_s": self.latents}


def mask(z_c: Tensor, y: Tensor) -> Tensor:
    """vec(y x [1, z_c]): (n, L) and one-hot (n, C) -> (n, C (L + 1)), zero outside the block of the class."""
    own = torch.cat([y.new_ones(len(y), 1), z_c], 1)
    return (y[:, :, None] * own[:, None]).flatten(1)


class Encoder(nn.Module):
    """Images -> mean and log variance, each (n, width), and logits of the class (n, C), from one trunk."""

    def __init__(self, shape: tuple[int, int, int], width: int, C: int) -> None:
        super().__init__()
        self.trunk, features = trunk(shape)
        self.mean, self.logvar = nn.Linear(features, width), nn.Linear(features, width)
        self.label = nn.Linear(features, C)
        glorot(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.trunk(x)
        return self.mean(features), self.logvar(features), self.label(features)
