"""MCE-VAE, Bajaj, Roy & Zhang 2021:   L = E_q[-log p(x|x^)] + INV + KL(z_c) + beta [KL(z) + KL(tau)]

Invariance-based multi-clustering, arXiv 2107.11717. KL(z) and KL(tau) are to N(0, I), KL(z_c) to a mixture.
x~ = d(z_c, z) is the canonical image; exp(tau) in SO(2), SE(2) or SIM(2) puts it in place: x^(p) = x~(exp(tau) p).
q(z_c|x) = sum_k w_k N(mu_k, s_k^2) and p(z_c) = 1/K sum_k N(r e_k, s^2 I): one component a class. E_q is taken exactly
over k, by decoding all K. KL(z_c) is the chain-rule bound (`Mixture.kl_to`), exact for the joint of k and z_c; or an
estimate from a sample of each component; or Hershey & Olsen's variational approximation (2007). `gaussian` has one
Gaussian for all components, as the paper's code, and w_k = softmax_k(-KL_k), which make the bound tight: one decoding
instead of K, and components that stay in use. `warm` is not the paper's.

    supervised      INV = E_q[-log p(x_init | x~)], x_init the untransformed image
    unsupervised    INV = 1/R sum_r |z_r - z|^2 + |z_c,r - z_c|^2 - log p(x~_r | x~), index r: x moved by a random g_r

What has index r is a constant. z and z_c are posterior means in INV's squares, since samples would only add their own
variance. x~ and x~_r are decoded from samples, with the same noise in both, and averaged over components: decoded at
the means, x~ would be free of the likelihood, and learns to be an image that costs INV little and shows nothing. No
table of results could be read in the paper, so none is matched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from . import _lie
from ._findings import Findings, by_class
from ._networks import NETWORKS, Shape, frozen_statistics, gated, glorot, mlp
from ._probability import Gaussian, Mixture, bernoulli_nll, one_hot_means, share
from .vae import VAE, require

KL = {"bound": Mixture.kl_to, "monte_carlo": Mixture.kl_sampled, "variational": Mixture.kl_variational}
NOISE = 1e-5  # chance that a moved pixel is flipped: keeps its logit finite, at most 0.05 nats an image of 64x64


@dataclass(frozen=True)
class MCEVAE(VAE):
    latents: int = 3  # width of z
    lr: float = 1e-3  # of Adam
    group: str = "se2"  # so2 | se2 | sim2
    classes: int = 0  # K; 0 stands for the number of classes that the data set has
    beta: float = 1.0  # weight of KL(z) and KL(tau)
    r: float = 1.0  # distance of the prior's components from the origin
    s: float = 0.3  # their standard deviation; at 1 (as published) they all but coincide
    supervised: bool = False  # INV is shown the untransformed images
    R: int = 1  # random transforms an image and step; 25 as published, the expectation is the same
    kl: str = "bound"  # of z_c | monte_carlo | variational
    posterior: str = "mixture"  # of z_c | gaussian
    warm: int = 0  # steps until KL(z_c) has its full weight: 1/20 for a quarter of them, then rising geometrically

    version: ClassVar[int] = 2  # at 28x28: heads of their own for means and log variances, rectified
    own: ClassVar[Mapping[tuple[int, int], str]] = {(28, 28): "mcevae"}

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "group", self.group in _lie.DIMENSION, f"one of {', '.join(_lie.DIMENSION)}")
        for field in ("classes", "beta", "r", "warm"):
            require(self, field, getattr(self, field) >= 0, "at least 0")
        require(self, "s", self.s > 0, "a number above 0")
        require(self, "R", self.R >= 1, "at least 1")
        require(self, "kl", self.kl in KL, f"one of {', '.join(KL)}")
        require(self, "posterior", self.posterior in ("mixture", "gaussian"), "one of mixture, gaussian")

    def fits(self, data: Any) -> None:
        super().fits(data)
        if self.supervised and data.home is None:
            raise ValueError(f"supervised=True needs untransformed images, and data set {data.name!r} has none")

    def nets(self, data: Any) -> dict[str, nn.Module]:
        K, pair = self.classes or data.classes, self.pair(data)
        decoder = gated if self.network == "auto" else NETWORKS[pair].decoder
        return {
            "encoder": Encoder(
                pair, data.shape, K, K if self.posterior == "mixture" else 1, self.latents, _lie.DIMENSION[self.group]
            ),
            "decoder": decoder(K + self.latents, data.shape),
        }

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        rows, K = data.rows(n, rng), self.classes or data.classes
        noise = {
            "x": data.at(rows),
            "eps_c": rng.normal(n, K if self.posterior == "mixture" else 1, K),
            "eps_z": rng.normal(n, self.latents),
            "eps_tau": rng.normal(n, _lie.DIMENSION[self.group]),
            "weight": 0.05 ** share(4 / 3 * (1 - share(t, self.warm)), 1) if self.warm else 1.0,
        }
        if self.supervised:
            return {**noise, "target": data.canonical(rows)}
        return {**noise, "target": _lie.random(rng.uniform(self.R, n, 4), _lie.DIMENSION[self.group])}

    def q(self, net: Any, x: Tensor) -> tuple[Mixture, Gaussian, Gaussian]:
        logits, z_c, z, tau = net.encoder(x)
        prior = one_hot_means(z_c.shape[3], self.r, x)
        if self.posterior == "mixture":
            q_c = Mixture(logits, Gaussian(prior + z_c[:, 0], z_c[:, 1]))
        else:
            part = Gaussian(z_c[:, 0], z_c[:, 1])
            q_c = Mixture(-part.kl_to(prior, self.s).sum(2), part)
        return q_c, _halves(z), _halves(tau)

    def loss(
        self,
        net: Any,
        x: Tensor,
        eps_c: Tensor,
        eps_z: Tensor,
        eps_tau: Tensor,
        target: Tensor,  # type: ignore[override]
        weight: float = 1.0,
    ) -> dict[str, Tensor]:
        q_c, q_z, q_tau = self.q(net, x)
        K, means = eps_c.shape[1], one_hot_means(eps_c.shape[2], self.r, x)

        def each(a: Tensor) -> Tensor:  # (n, ...) -> (n K, ...): the same for every k
            return a.repeat_interleave(K, 0)

        canonicals = self.canonicals(net, q_c, q_z, eps_c, eps_z)
        x_k = canonicals.flatten(0, 1)
        moved = self.moved(x_k, each(q_tau.at(eps_tau)))
        expected = lambda nll: q_c.expected(nll.view(-1, K)).mean()  # noqa: E731
        if self.supervised:
            invariance = expected(bernoulli_nll(each(target), x_k))
        else:
            invariance = self.invariance(net, x, target, (q_c, q_z, q_tau), canonicals, eps_c, eps_z)
        return {
            "reconstruction": expected(bernoulli_nll(each(x), moved)),
            "invariance": invariance,
            "kl_c": weight * KL[self.kl](q_c, means, self.s, eps_c).mean(),
            "kl_z": self.beta * q_z.kl_to_standard().sum(1).mean(),
            "kl_tau": self.beta * q_tau.kl_to_standard().sum(1).mean(),
        }

    def moved(self, canonical: Tensor, tau: Tensor) -> Tensor:
        """Logits of canonical images (given as logits) put in place by exp(tau).

        Probabilities are what moves: between pixels, extreme logits of both signs would average out and cost nothing.
        """
        p = _lie.warp(canonical.sigmoid(), _lie.exponential(tau))
        return (NOISE + (1 - 2 * NOISE) * p).logit()

    def invariance(self, net: Any, x: Tensor, g: Tensor, q: Any, x_k: Tensor, eps_c: Tensor, eps_z: Tensor) -> Tensor:
        """Unsupervised INV of images x with posterior q and canonical logits x_k, for transforms g (R, n, dim)."""
        R, (q_c, q_z, _) = len(g), q
        with torch.no_grad(), frozen_statistics(net.encoder):
            r_c, r_z, _ = self.q(net, _lie.warp(x.repeat(R, 1, 1, 1), _lie.exponential(g.flatten(0, 1))))
            moved = self.canonicals(net, r_c, r_z, eps_c.repeat(R, 1, 1), eps_z.repeat(R, 1)).sigmoid()
            x_r = r_c.expected(moved)  # (R n, c, h, w)
        content_r, content = torch.cat([r_c.mean, r_z.mean], 1), torch.cat([q_c.mean, q_z.mean], 1)
        n, K = x_k.shape[:2]
        nll = bernoulli_nll(x_r.repeat_interleave(K, 0), x_k.repeat(R, 1, 1, 1, 1).flatten(0, 1)).view(R, n, K)
        apart = (content_r - content.repeat(R, 1)).square().sum(1).view(R, n)
        return torch.stack([a + q_c.expected(cost) for a, cost in zip(apart, nll)]).mean()

    def canonicals(self, net: Any, q_c: Mixture, q_z: Gaussian, eps_c: Tensor, eps_z: Tensor) -> Tensor:
        """Logits (n, K, c, h, w) of the canonical images of each component's sample."""
        n, K, _ = q_c.parts.mean.shape
        z = torch.cat([q_c.parts.at(eps_c), q_z.at(eps_z)[:, None].expand(n, K, -1)], 2)
        return net.decoder(z.flatten(0, 1)).unflatten(0, (n, K))

    def codes(self, q: Any) -> Gaussian:
        """Means and standard deviations of [z_c, z, tau]; those of z_c are the whole mixture's."""
        mean, sd = (torch.cat([getattr(part, which) for part in q], 1) for which in ("mean", "sd"))
        return Gaussian(mean, 2 * sd.log())

    def mode(self, q: Any) -> Tensor:
        """Codes to decode: z_c at the mean of its heaviest component."""
        q_c, q_z, q_tau = q
        heaviest = q_c.parts.mean.expand(-1, q_c.w.shape[1], -1)[torch.arange(len(q_z.mean)), self.clusters(q)]
        return torch.cat([heaviest, q_z.mean, q_tau.mean], 1)

    def clusters(self, q: Any) -> Tensor:
        """The heaviest component of z_c, (n,)."""
        return q[0].logits.argmax(1)

    def rate(self, q: Any) -> Tensor:
        """KL in nats: a column for z_c (the bound), one a unit of z and of tau."""
        q_c, q_z, q_tau = q
        kl_c = q_c.kl_to(one_hot_means(q_c.logits.shape[1], self.r, q_z.mean), self.s)
        return torch.cat([kl_c[:, None], q_z.kl_to_standard(), q_tau.kl_to_standard()], 1)

    def findings(self, net: Any, data: Any, rows: Any, codes: Any, rng: Any) -> Findings:
        """How near canonical images come to the untransformed ones, the angle's fate, and what components draw."""
        K, dim = net.encoder.weights.out_features, _lie.DIMENSION[self.group]
        found, w, nll = Findings(), [], []
        for part in torch.from_numpy(rows).to(data.device).split(64):
            q = self.q(net, data.at(part))
            w.append(q[0].w)
            if data.home is not None:
                nll.append(bernoulli_nll(data.canonical(part), self.canonical(net, self.mode(q))))
        if nll:
            value = float(torch.cat(nll).cpu().double().mean())
            found.facts["canonical_reconstruction"] = value, "-log p(untransformed image | canonical image), nats"
        if (angle := data.angle(rows)) is not None:
            labels = torch.zeros(len(rows)) if data.label is None else data.label[rows].cpu()
            value = _lie.correlation_within(labels, torch.from_numpy(codes.mean[:, -dim]), angle)
            found.facts["rotation_correlation"] = value, "|circular correlation| with the true angle, within classes"
        classes = [f"k = {k}" for k in range(K)]
        weights, names = by_class(data, rows, torch.cat(w).cpu().numpy())
        found.tables["mean weight of each component of z_c"] = weights, names, classes
        z_c = one_hot_means(K, self.r, rng.normal(0))[:, None] + self.s * rng.normal(K, 8, K)
        z = torch.cat([z_c, rng.normal(K, 8, self.latents)], 2)
        images = net.decoder(z.flatten(0, 1)).sigmoid().unflatten(0, (K, 8))
        found.sheets["canonical images drawn from each component of p(z_c)"] = images, classes
        return found

    def canonical(self, net: Any, z: Tensor) -> Tensor:
        """Logits of the canonical images of codes [z_c, z, tau] (n, d)."""
        return net.decoder(z[:, : -_lie.DIMENSION[self.group]])

    def decode(self, net: Any, z: Tensor) -> Tensor:
        return self.moved(self.canonical(net, z), z[:, -_lie.DIMENSION[self.group] :])

    def blocks(self, net: Any) -> dict[str, int]:
        return {"z_c": net.encoder.weights.out_features, "z": self.latents, "tau": _lie.DIMENSION[self.group]}


class Encoder(nn.Module):
    """Images -> z_aug -> (weight logits, [mean, logvar] of z_c's components, of z, of tau).

    The paper's network has heads of two hidden layers, others linear ones; rectified, because with sigmoid units, as
    published, moved digits cluster worse (one run: 0.19 for 0.29). The last layer of tau starts at zero, so that
    exp(tau) starts as the identity, with a standard deviation of e^-2: from 1, as published, a supervised run on
    dsprites finds no sprite in 2,000 steps.
    """

    def __init__(self, pair: str, shape: Shape, K: int, parts: int, latents: int, tau: int) -> None:
        super().__init__()
        self.parts = parts
        self.trunk, width = NETWORKS[pair].trunk(shape)
        widths = [width, 512, 512] if pair == "mcevae" else [width]
        self.weights = nn.Linear(width, K)
        self.z_c = nn.ModuleList(mlp([*widths, parts * K]) for _ in range(2))  # means, log variances
        self.z = nn.ModuleList(mlp([*widths, latents]) for _ in range(2))
        self.tau = mlp([width, 32, 2 * tau])
        glorot(self)
        nn.init.zeros_(self.tau[-1].weight)  # type: ignore[arg-type]
        nn.init.constant_(self.tau[-1].bias[tau:], -4.0)  # type: ignore[index]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        z_aug = self.trunk(x)
        z_c = torch.stack([head(z_aug) for head in self.z_c], 1).unflatten(2, (self.parts, -1))  # (n, 2, parts, K)
        return self.weights(z_aug), z_c, torch.cat([head(z_aug) for head in self.z], 1), self.tau(z_aug)


def _halves(parameters: Tensor) -> Gaussian:
    return Gaussian(*parameters.chunk(2, 1))
