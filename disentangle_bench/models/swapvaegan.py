"""Swap VAE-GAN, Mathieu et al. 2016, eq. 1 to 5:

    L = 1/2 E[-log p(x|z, s)] + E[-log p(x|z, s')] + kl KL(q(z|x, s) || N(0, I)) - adversarial E[log D(g(z, s_y), y)]

"Disentangling factors of variation in deep representations using adversarial training". s = s(x) is to hold the class,
without noise, z all else. s' is that of another image of the class, so that s must be the class's alone; the critic D
knows the class y, and tells real images of it from those drawn with s of one image and z of another (or with z ~ N(0,
I) where `prior`), so that z must not bring a class of its own:

    L_D = -0.95 log D(x, y) - 0.05 log(1 - D(x, y)) - log(1 - D(g(z, s_y), y))

Weights are the published code's, beside squared errors averaged over pixels; here likelihoods are summed over them, and
so `adversarial` counts once a pixel. The code's `kl` is 0.1 times 6 over the number of pixels: 0.6 here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, softplus

from ._findings import Findings
from ._identity import SHOWN, leakage, swaps
from ._networks import NETWORKS, glorot, mlp
from ._probability import Gaussian, bernoulli_nll
from .vae import VAE, require

REAL = 0.95  # what D is asked to say of a real image


@dataclass(frozen=True)
class SwapVAEGAN(VAE):
    latents: int = 20  # width of s and z together
    s: int = 10  # of the latents: the first ones are s, the others z
    kl: float = 0.6  # weight of the KL of z
    adversarial: float = 0.01  # weight of deceiving D, a pixel
    critic_lr: float = 1e-4  # of D's Adam
    prior: bool = False  # z of drawn images from N(0, I), not from another image

    needs: ClassVar[str] = "labels"
    players: ClassVar[dict[str, tuple[str, ...]]] = {
        "vae": ("trunk", "specified", "unspecified", "decoder"),
        "critic": ("look", "judge"),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "s", 1 <= self.s < self.latents, f"1 to {self.latents - 1}, latents without one")
        for field in ("kl", "adversarial"):
            require(self, field, getattr(self, field) >= 0, "at least 0")
        require(self, "critic_lr", self.critic_lr > 0, "a number above 0")

    def fits(self, data: Any) -> None:
        super().fits(data)
        data.told(0).groups(1, 2, np.random.default_rng(0))

    def nets(self, data: Any) -> dict[str, nn.Module]:
        pair, z = NETWORKS[self.pair(data)], self.latents - self.s
        (trunk, width), (look, _) = pair.trunk(data.shape), pair.trunk(data.shape)
        return {
            "trunk": glorot(trunk),
            "specified": glorot(nn.Linear(width, self.s)),
            "unspecified": glorot(nn.Linear(width + self.s, 2 * z)),
            "decoder": pair.decoder(self.latents, data.shape),
            "look": glorot(look),
            "judge": glorot(mlp([width + data.classes, 256, 1])),
        }

    def optimisers(self) -> dict[str, dict[str, Any]]:
        return {"vae": {"lr": self.lr}, "critic": {"lr": self.critic_lr, "betas": (0.5, 0.999)}}

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        """About n images: two of each class drawn, and as many others."""
        m = max(1, n // 3)
        rows = torch.cat([data.groups(m, 2, rng, None).T.flatten(), data.labelled(m, rng)])  # (3m,)
        z = self.latents - self.s
        return {
            "x": data.at(rows),
            "y": one_hot(data.labels(rows), data.classes).to(data.dtype),
            "eps": rng.normal(3 * m, z),
            "z_p": rng.normal(2 * m, z),
        }

    def q(self, net: Any, x: Tensor) -> tuple[Tensor, Gaussian]:
        """s, and the posterior of z."""
        h = net.trunk(x)
        s = net.specified(h)
        return s, Gaussian(*net.unspecified(torch.cat([h, s], 1)).chunk(2, 1))

    def loss(  # type: ignore[override]
        self, net: Any, x: Tensor, y: Tensor, eps: Tensor, z_p: Tensor
    ) -> dict[str, dict[str, Tensor]]:
        """x holds images of a class, others of the same classes, and any others, each a third."""
        (s, q), m, pixels = self.q(net, x), len(x) // 3, x[0].numel()
        z = q.at(eps)
        own = bernoulli_nll(x, net.decoder(torch.cat([s, z], 1)))
        partners = torch.cat([s[m : 2 * m], s[:m]])
        swapped = bernoulli_nll(x[: 2 * m], net.decoder(torch.cat([partners, z[: 2 * m]], 1)))
        given = torch.cat([s[:m], s[2 * m :]])  # of the first and the last third, with each other's z
        other = z_p if self.prior else torch.cat([z[2 * m :], z[:m]])
        drawn, classes = net.decoder(torch.cat([given, other], 1)).sigmoid(), torch.cat([y[:m], y[2 * m :]])
        real, fake = self.D(net, x, y), self.D(net, drawn, classes)
        return {
            "vae": {
                "reconstruction": 0.5 * own.mean(),
                "swapped": swapped.mean(),
                "kl": self.kl * q.kl_to_standard().sum(1).mean(),
                "adversarial": self.adversarial * pixels * softplus(-fake).mean(),
            },
            "critic": {
                "real": (REAL * softplus(-real) + (1 - REAL) * softplus(real)).mean(),
                "drawn": softplus(fake).mean(),
            },
        }

    def D(self, net: Any, x: Tensor, y: Tensor) -> Tensor:
        """Logits for "a real image of class y", (n,)."""
        return net.judge(torch.cat([net.look(x), y], 1))[:, 0]

    def codes(self, q: tuple[Tensor, Gaussian]) -> Gaussian:
        """[s, z]; s has no noise."""
        s, z = q
        return Gaussian(torch.cat([s, z.mean], 1), torch.cat([torch.full_like(s, -torch.inf), z.logvar], 1))

    def mode(self, q: tuple[Tensor, Gaussian]) -> Tensor:
        return torch.cat([q[0], q[1].mean], 1)

    def rate(self, q: tuple[Tensor, Gaussian]) -> None:  # type: ignore[override]
        """s has no noise, and so no finite KL."""

    def findings(self, net: Any, data: Any, rows: Any, codes: Any, rng: Any) -> Findings:
        """Whether s and z leak into each other, and images with s of one and z of another."""
        s, z = codes.mean[:, : self.s], codes.mean[:, self.s :]
        found = Findings(leakage(("s", s), ("z", z), data, rows))
        x = data.at(torch.from_numpy(rows[:SHOWN]).to(data.device))
        code = self.mode(self.q(net, x))
        mixed = lambda i, j: self.decode(net, torch.cat([code[i, : self.s], code[j, self.s :]], 1)).sigmoid()  # noqa: E731
        found.sheets["s of one image, z of another"] = swaps(x, mixed, "s", "z")
        return found

    def blocks(self, net: Any) -> dict[str, int]:
        return {"s": self.s, "z": self.latents - self.s}
