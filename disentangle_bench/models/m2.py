"""M2, Kingma, Rezende, Mohamed & Welling 2014, eq. 6 to 9:   J = told E[L] + (1 - told) E[U] - alpha E[log q(y|x)]

    L(x, y) = E_q(z|x,y)[-log p(x|y, z)] + KL(q(z|x, y) || N(0, I)) + log K
    U(x)    = sum_y q(y|x) L(x, y) - H(q(y|x)),   the sum over all K classes exact

"Semi-supervised learning with deep generative models". `told` is the share of training images whose class is told, so
that J is a mean over all images; the paper's alpha is 0.1 N beside a sum over them, hence alpha = 0.1 here. p(y) is
uniform. What is not told is drawn from all training images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from ._findings import Findings
from ._labels import label_error
from ._networks import NETWORKS
from ._probability import Gaussian, Mixture, bernoulli_nll
from .catvae import Encoder
from .vae import VAE, require


@dataclass(frozen=True)
class M2(VAE):
    latents: int = 50  # width of z
    lr: float = 3e-4  # of Adam
    alpha: float = 0.1  # weight of -log q(y|x) of what is told

    needs: ClassVar[str] = "some labels"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "alpha", self.alpha >= 0, "at least 0")

    def nets(self, data: Any) -> dict[str, nn.Module]:
        pair = NETWORKS[self.pair(data)]
        return {
            "encoder": Encoder(*pair.trunk(data.shape), data.classes, self.latents),
            "decoder": pair.decoder(self.latents + data.classes, data.shape),
        }

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        rows = data.labelled(n, rng)
        return {
            "x": data.images(n, rng),
            "eps": rng.normal(n, data.classes, self.latents),
            "x_l": data.at(rows),
            "y": data.labels(rows),
            "eps_l": rng.normal(n, self.latents),
            "told": data.told,
        }

    def q(self, net: Any, x: Tensor) -> Mixture:
        """q(y|x) as weights, q(z|x, y) as parts."""
        logits, mean, logvar = net.encoder(x)
        return Mixture(logits, Gaussian(mean, logvar))

    def loss(  # type: ignore[override]
        self, net: Any, x: Tensor, eps: Tensor, x_l: Tensor, y: Tensor, eps_l: Tensor, told: float
    ) -> dict[str, Tensor]:
        return self.bound(net, self.q(net, x), x, eps, self.q(net, x_l), x_l, y, eps_l, told)

    def bound(
        self,
        net: Any,
        q: Mixture,
        x: Tensor,
        eps: Tensor,
        q_l: Mixture,
        x_l: Tensor,
        y: Tensor,
        eps_l: Tensor,
        told: float,
    ) -> dict[str, Tensor]:
        """The terms of J of posteriors q of x, which are not told, and q_l of x_l, which are of classes y."""
        K = q.w.shape[1]
        own = one_hot(y, K).to(x)
        z_l = Gaussian(*((own[..., None] * part).sum(1) for part in (q_l.parts.mean, q_l.parts.logvar)))
        every = torch.eye(K, dtype=x.dtype, device=x.device).expand(len(x), K, K)
        codes = torch.cat([q.parts.at(eps), every], 2).flatten(0, 1)
        nll = self.nll(net, x.repeat_interleave(K, 0), codes).view(-1, K)
        nll_l = self.nll(net, x_l, torch.cat([z_l.at(eps_l), own], 1))
        kl_z, kl_z_l = q.parts.kl_to_standard().sum(2), z_l.kl_to_standard().sum(1)
        return {
            "reconstruction": told * nll_l.mean() + (1 - told) * q.expected(nll).mean(),
            "kl_z": told * kl_z_l.mean() + (1 - told) * q.expected(kl_z).mean(),
            "kl_y": told * math.log(K) + (1 - told) * kl_to_uniform(q.logits).mean(),
            "classification": self.alpha * cross_entropy(q_l.logits, y),
        }

    def nll(self, net: Any, x: Tensor, code: Tensor) -> Tensor:
        """-log p(x|y, z) of each, (n,), from codes [z, one-hot y]."""
        return bernoulli_nll(x, net.decoder(code))

    def codes(self, q: Mixture) -> Gaussian:
        """[z given the likeliest class, q(y|x)]; q(y|x) has no noise."""
        z, still = self.likeliest(q), torch.full_like(q.w, -torch.inf)
        return Gaussian(torch.cat([z.mean, q.w], 1), torch.cat([z.logvar, still], 1))

    def mode(self, q: Mixture) -> Tensor:
        y = one_hot(self.clusters(q), q.w.shape[1])
        return torch.cat([self.likeliest(q).mean, y.to(q.w)], 1)

    def likeliest(self, q: Mixture) -> Gaussian:
        """q(z|x, y) of the likeliest class, (n, latents)."""
        at = self.clusters(q)[:, None, None].expand(-1, 1, self.latents)
        return Gaussian(*(part.gather(1, at)[:, 0] for part in (q.parts.mean, q.parts.logvar)))

    def clusters(self, q: Mixture) -> Tensor:
        """The likeliest class, (n,)."""
        return q.logits.argmax(1)

    def rate(self, q: Mixture) -> Tensor:
        """KL in nats: a column for y, one a unit of z."""
        return torch.cat([kl_to_uniform(q.logits)[:, None], q.expected(q.parts.kl_to_standard())], 1)

    def findings(self, net: Any, data: Any, rows: Any, codes: Any, rng: Any) -> Findings:
        """The error of q(y|x), and every class drawn with the same z: what z holds beside the class."""
        K = data.classes
        z = rng.normal(8, self.latents).repeat(K, 1)
        y = torch.eye(K, dtype=z.dtype, device=z.device).repeat_interleave(8, 0)
        images = self.decode(net, torch.cat([z, y], 1)).sigmoid().unflatten(0, (K, 8))
        return Findings(
            {"label_error": label_error(codes.clusters, data, rows, rng.seed, "argmax q(y|x)")},
            {"drawn of each class, a column a z": (images, [f"y = {c}" for c in range(K)])},
        )

    def blocks(self, net: Any) -> dict[str, int]:
        return {"z": self.latents, "y": net.encoder.category.out_features}


def kl_to_uniform(logits: Tensor) -> Tensor:
    """KL(w || 1/K) of each row, (n,) nats."""
    log_w = logits.log_softmax(1)
    return (log_w.exp() * log_w).sum(1) + math.log(log_w.shape[1])
