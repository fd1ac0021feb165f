"""Generalised M2, Siddharth et al. 2017, eq. 4 to 8:   L = (1 - told) E[U(x)] + told gamma E[S(x, y)] + classification

"Learning disentangled representations with semi-supervised deep generative models". Any dependency between y and z: z =
[z_1, z_2] with q(z_1|x) q(y|z_1, x) q(z_2|y, z_1, x), z_2 the last `after` units. after = 0 is the paper's example,
q(z|x) q(y|z, x); where all units are, it is M2. What is told weights S proposals z_1s ~ q(z_1|x) by how well they fit
its class:

    S(x, y) = sum_s w_s [-log p(x|y, z_s) + log q(z_1s|x) q(y|z_1s, x) / p(z_1s) p(y) + KL(q(z_2|y, z_1s, x) || p(z_2))]
              - 1/S sum_s log q(y|z_1s, x),        w_s = q(y|z_1s, x) / sum_s' q(y|z_1s', x),   which add up to 1

The last term is the bound on log q(y|x), by Jensen; classification is alpha gamma times its mean, as in M2. U(x) sums
over all classes. KL of z_2 is exact, because proposals of z_2 do not enter w_s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ._findings import Findings
from ._labels import label_error
from ._networks import NETWORKS, glorot
from ._probability import Gaussian, bernoulli_nll, log_normal
from .m2 import kl_to_uniform
from .vae import VAE, require


class Posterior(NamedTuple):
    z_1: Gaussian  # (n, latents - after)
    logits: Tensor  # (n, K) of q(y|z_1, x) at the mean of z_1
    z_2: Gaussian  # (n, after) at the mean of z_1 and the likeliest class


@dataclass(frozen=True)
class GeneralisedM2(VAE):
    latents: int = 50  # width of z
    after: int = 0  # units of z that depend on y; y depends on the others
    lr: float = 3e-4  # of Adam
    S: int = 4  # proposals of z_1 for an image whose class is told
    alpha: float = 0.1  # weight of -log q(y|x) of what is told
    gamma: float = 1.0  # weight of all that is told

    needs: ClassVar[str] = "some labels"
    players: ClassVar[dict[str, tuple[str, ...]]] = {"vae": ("trunk", "z_1", "y", "z_2", "decoder")}

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "after", 0 <= self.after <= self.latents, f"0 to {self.latents}, which are all latents")
        require(self, "S", self.S >= 1, "at least 1")
        require(self, "alpha", self.alpha >= 0, "at least 0")
        require(self, "gamma", self.gamma >= 0, "at least 0")

    @property
    def before(self) -> int:
        """Width of z_1."""
        return self.latents - self.after

    def nets(self, data: Any) -> dict[str, nn.Module]:
        pair, K = NETWORKS[self.pair(data)], data.classes
        trunk, width = pair.trunk(data.shape)
        return {
            "trunk": glorot(trunk),
            "z_1": head(width, 2 * self.before),
            "y": head(width + self.before, K),
            "z_2": head(width + self.before + K, 2 * self.after),
            "decoder": pair.decoder(self.latents + K, data.shape),
        }

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        rows, K = data.labelled(n, rng), data.classes
        return {
            "x": data.images(n, rng),
            "eps_1": rng.normal(n, self.before),
            "eps_2": rng.normal(n, K, self.after),
            "x_l": data.at(rows),
            "y": data.labels(rows),
            "eps_l1": rng.normal(n, self.S, self.before),
            "eps_l2": rng.normal(n, self.S, self.after),
            "told": data.told,
        }

    def loss(  # type: ignore[override]
        self,
        net: Any,
        x: Tensor,
        eps_1: Tensor,
        eps_2: Tensor,
        x_l: Tensor,
        y: Tensor,
        eps_l1: Tensor,
        eps_l2: Tensor,
        told: float,
    ) -> dict[str, Tensor]:
        unknown, known = self.unknown(net, x, eps_1, eps_2), self.known(net, x_l, y, eps_l1, eps_l2)
        terms = {name: (1 - told) * unknown[name] + told * self.gamma * known[name] for name in unknown}
        return {**terms, "classification": self.alpha * self.gamma * known["bound"]}

    def unknown(self, net: Any, x: Tensor, eps_1: Tensor, eps_2: Tensor) -> dict[str, Tensor]:
        """U(x) in parts, summed over classes."""
        h = net.trunk(x)
        q_1 = _halves(net.z_1(h))
        z_1 = q_1.at(eps_1)
        logits = net.y(torch.cat([h, z_1], 1))
        n, K = logits.shape
        every = torch.eye(K, dtype=x.dtype, device=x.device).expand(n, K, K)
        each = torch.cat([torch.cat([h, z_1], 1)[:, None].expand(n, K, -1), every], 2)
        q_2 = _halves(net.z_2(each))
        codes = torch.cat([z_1[:, None].expand(n, K, -1), q_2.at(eps_2), every], 2).flatten(0, 1)
        nll = bernoulli_nll(x.repeat_interleave(K, 0), net.decoder(codes)).view(n, K)
        w = logits.softmax(1)
        return {
            "reconstruction": (w * nll).sum(1).mean(),
            "kl_z": (q_1.kl_to_standard().sum(1) + (w * q_2.kl_to_standard().sum(2)).sum(1)).mean(),
            "kl_y": kl_to_uniform(logits).mean(),
        }

    def known(self, net: Any, x: Tensor, y: Tensor, eps_1: Tensor, eps_2: Tensor) -> dict[str, Tensor]:
        """S(x, y) in parts, and the bound on -log q(y|x), which is a part of its kl_y."""
        h, (n, S, _) = net.trunk(x), eps_1.shape
        q_1 = _halves(net.z_1(h)[:, None])
        z_1 = q_1.at(eps_1)  # (n, S, latents - after)
        seen = torch.cat([h[:, None].expand(n, S, -1), z_1], 2)
        logits = net.y(seen)
        own = one_hot(y, logits.shape[2]).to(x)[:, None].expand(n, S, -1)
        log_w = (own * logits.log_softmax(2)).sum(2)  # log q(y|z_1s, x)
        w = log_w.softmax(1)
        q_2 = _halves(net.z_2(torch.cat([seen, own], 2)))
        codes = torch.cat([z_1, q_2.at(eps_2), own], 2).flatten(0, 1)
        nll = bernoulli_nll(x.repeat_interleave(S, 0), net.decoder(codes)).view(n, S)
        zero = torch.zeros_like(z_1)
        kl_1 = (log_normal(z_1, q_1.mean, q_1.logvar) - log_normal(z_1, zero, zero)).sum(2)
        bound = -log_w.mean(1)
        return {
            "reconstruction": (w * nll).sum(1).mean(),
            "kl_z": (w * (kl_1 + q_2.kl_to_standard().sum(2))).sum(1).mean(),
            "kl_y": ((w * log_w).sum(1) + bound).mean() + math.log(logits.shape[2]),
            "bound": bound.mean(),
        }

    def q(self, net: Any, x: Tensor) -> Posterior:
        h = net.trunk(x)
        z_1 = _halves(net.z_1(h))
        seen = torch.cat([h, z_1.mean], 1)
        logits = net.y(seen)
        y = one_hot(logits.argmax(1), logits.shape[1]).to(x)
        return Posterior(z_1, logits, _halves(net.z_2(torch.cat([seen, y], 1))))

    def codes(self, q: Posterior) -> Gaussian:
        """[z_1, z_2 given the likeliest class, q(y|x)]; q(y|x) has no noise."""
        still = torch.full_like(q.logits, -torch.inf)
        return Gaussian(
            torch.cat([q.z_1.mean, q.z_2.mean, q.logits.softmax(1)], 1),
            torch.cat([q.z_1.logvar, q.z_2.logvar, still], 1),
        )

    def mode(self, q: Posterior) -> Tensor:
        y = one_hot(self.clusters(q), q.logits.shape[1])
        return torch.cat([q.z_1.mean, q.z_2.mean, y.to(q.logits)], 1)

    def clusters(self, q: Posterior) -> Tensor:
        """The likeliest class, (n,)."""
        return q.logits.argmax(1)

    def rate(self, q: Posterior) -> Tensor:
        """KL in nats: a column for y, one a unit of z, that of z_2 given the likeliest class."""
        kl_y = kl_to_uniform(q.logits)[:, None]
        return torch.cat([kl_y, q.z_1.kl_to_standard(), q.z_2.kl_to_standard()], 1)

    def findings(self, net: Any, data: Any, rows: Any, codes: Any, rng: Any) -> Findings:
        """The error of q(y|x)."""
        rule = "argmax q(y|x), at the mean of z"
        return Findings({"label_error": label_error(codes.clusters, data, rows, rng.seed, rule)})

    def blocks(self, net: Any) -> dict[str, int]:
        widths = {"z_1": self.before, "z_2": self.after, "y": net.y.out_features}
        return {name: width for name, width in widths.items() if width}


class Nothing(nn.Module):
    """A head of no units."""

    def forward(self, h: Tensor) -> Tensor:
        return h[..., :0]


def head(n: int, m: int) -> nn.Module:
    """A linear head of m units."""
    return glorot(nn.Linear(n, m)) if m else Nothing()


def _halves(parameters: Tensor) -> Gaussian:
    return Gaussian(*parameters.chunk(2, -1))
