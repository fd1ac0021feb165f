"""N-VAE, Antorán & Miguel 2019:   L = E_q[-log p(x|y, z)] + KL(z_s) + beta_c KL(z_c) - label_weight log q(y|x)

"Disentangling and learning robust representations with natural clustering", arXiv 1901.09415; no table was found.
z = [z_s, z_c]: z_s is shared by all classes, z_c is masked by the class: the decoder sees vec(onehot(y) x [1, z_c]),
zero outside block y, so that its first layer has weights of each class's own. Training decodes with the true class,
everything else with argmax q(y|x). beta_c > 1 makes the masked channel the dearer one, which pushes what classes share
into z_s. Widths, networks and optimiser are the suite's choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from ..adam import Adam
from ._findings import Findings, by_class
from ._networks import NETWORKS, glorot
from ._probability import Gaussian, bernoulli_nll
from .vae import VAE, require

TAUGHT, BATCH = 500, 50  # steps of a classifier, images a step


@dataclass(frozen=True)
class NVAE(VAE):
    latents: int = 5  # of z_s
    masked: int = 5  # L, of z_c
    beta_c: float = 4.0  # weight of KL(z_c)
    label_weight: float = 10.0  # at 1 the 2.3 nats of ten classes are lost beside a hundred nats of pixels

    needs: ClassVar[str] = "labels"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "masked", self.masked >= 0, "at least 0")
        require(self, "beta_c", self.beta_c >= 0, "at least 0")
        require(self, "label_weight", self.label_weight >= 0, "at least 0")

    def nets(self, data: Any) -> dict[str, nn.Module]:
        C, width, pair = data.classes, self.latents + self.masked, self.pair(data)
        return {
            "encoder": Encoder(pair, data.shape, width, C),
            "decoder": NETWORKS[pair].decoder(self.latents + C * (self.masked + 1), data.shape),
        }

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        rows = data.labelled(n, rng)
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

    def findings(self, net: Any, data: Any, rows: Any, codes: Any, rng: Any) -> Findings:
        """What each unit of z_c means to each class, images drawn of classes, and how well these teach a classifier."""
        C, found = data.classes, Findings()
        if self.masked:
            q = Gaussian(*(torch.from_numpy(v[:, self.latents :]) for v in (codes.mean, 2 * np.log(codes.sd))))
            kl, names = by_class(data, rows, q.kl_to_standard().numpy())
            found.tables["KL of each unit of z_c by class, nats"] = (
                kl,
                names,
                [f"z_c{i + 1}" for i in range(self.masked)],
            )
        for sigma in (1.0, 1.4):
            y = torch.arange(C, device=data.device).repeat_interleave(8)
            images = self.drawn(net, y, sigma, rng).unflatten(0, (C, 8))
            found.sheets[f"drawn from the prior, sigma = {sigma:g}"] = images, [f"y = {c}" for c in range(C)]
        for share in (0.0, 0.4, 1.0):
            found.facts[f"accuracy.generated_{share:.0%}".rstrip("%")] = (
                self.taught(net, data, rows, share, rng),
                f"of a classifier (this network's trunk, {TAUGHT} steps of {BATCH}, Adam at 1e-3) on scored images, "
                f"taught with {share:.0%} images drawn at sigma = 1{'' if data.data.fit else ', on these images too'}",
            )
        return found

    def drawn(self, net: Any, y: Tensor, sigma: float, rng: Any) -> Tensor:
        """Images (n, c, h, w) of these classes (n,), with z from N(0, sigma^2 I)."""
        z = sigma * rng.normal(len(y), self.latents + self.masked)
        own = one_hot(y, net.encoder.label.out_features).to(z)
        return self.decode(net, torch.cat([z, own], 1)).sigmoid()

    def taught(self, net: Any, data: Any, rows: Any, share: float, rng: Any) -> float:
        """Accuracy on `rows` of a new classifier, taught with real images and this share of drawn ones."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**31, 1)))
            trunk, width = NETWORKS[self.pair(data)].trunk(data.shape)
            classifier = glorot(nn.Sequential(trunk, nn.Linear(width, data.classes))).to(data.device, data.dtype)
        adam = Adam(classifier.parameters(), 1e-3)
        for _ in range(TAUGHT):
            real = data.labelled(BATCH, rng)
            x, y, k = data.at(real), data.labels(real), round(BATCH * share)
            if k:
                x[:k] = self.drawn(net, y[:k], 1.0, rng)
            with torch.enable_grad():
                gradients = torch.autograd.grad(cross_entropy(classifier(x), y), list(classifier.parameters()))
            for parameter, gradient in zip(classifier.parameters(), gradients):
                parameter.grad = gradient
            adam.step()
        classifier.eval()
        parts = torch.from_numpy(rows).to(data.device).split(256)
        right = [(classifier(data.at(part)).argmax(1) == data.labels(part)).cpu() for part in parts]
        return float(torch.cat(right).double().mean())

    def blocks(self, net: Any) -> dict[str, int]:
        return {"z_s": self.latents, "z_c": self.masked} if self.masked else {"z_s": self.latents}


def mask(z_c: Tensor, y: Tensor) -> Tensor:
    """vec(y x [1, z_c]): (n, L) and one-hot (n, C) -> (n, C (L + 1)), zero outside the block of the class."""
    own = torch.cat([y.new_ones(len(y), 1), z_c], 1)
    return (y[:, :, None] * own[:, None]).flatten(1)


class Encoder(nn.Module):
    """Images -> mean and log variance, each (n, width), and logits of the class (n, C), from one trunk."""

    def __init__(self, pair: str, shape: tuple[int, int, int], width: int, C: int) -> None:
        super().__init__()
        self.trunk, features = NETWORKS[pair].trunk(shape)
        self.mean, self.logvar = nn.Linear(features, width), nn.Linear(features, width)
        self.label = nn.Linear(features, C)
        glorot(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.trunk(x)
        return self.mean(features), self.logvar(features), self.label(features)
