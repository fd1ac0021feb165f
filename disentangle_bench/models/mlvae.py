"""ML-VAE, Bouchacourt, Tomioka & Nowozin 2018, eq. 5, of images in groups G that share their content c, not style s:

    L = 1/|G| sum_{i in G} (E_q[-log p(x_i|c_G, s_i)] + KL(q(s|x_i) || p(s)))  +  1/|G| KL(q(c|x_G) || p(c))

    q(c|x_G) ~ prod_{i in G} q(c|x_i):   1/v_G = sum_i 1/v_i,   m_G = v_G sum_i m_i / v_i

One c is drawn a group, and its KL counts once a group; the bound of the group is divided by its size, so that terms are
an image's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from ._findings import Findings
from ._groups import evidence
from ._probability import Gaussian, bernoulli_nll
from .vae import VAE, require


@dataclass(frozen=True)
class MLVAE(VAE):
    content: int = 5  # of the latents: the first ones are c, the others s
    group: int = 4  # images
    beta: float = 1.0  # weight of both KLs
    by: str = "label"  # the factor that a group shares; label: the one that is the class

    needs: ClassVar[str] = "groups"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "content", 1 <= self.content < self.latents, f"1 to {self.latents - 1}, latents without one")
        require(self, "group", self.group >= 1, "at least 1")
        require(self, "beta", self.beta >= 0, "at least 0")

    def fits(self, data: Any) -> None:
        super().fits(data)
        data.told(0).groups(1, self.group, np.random.default_rng(0), by=self.shared)

    @property
    def shared(self) -> str | None:
        """The factor as data sets are asked for it."""
        return None if self.by == "label" else self.by

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        """n images in groups; those of a group one after the other. What is left of n is left out."""
        rows = data.groups(max(1, n // self.group), self.group, rng, self.shared)
        return {
            "x": data.at(rows.flatten()),
            "eps_c": rng.normal(len(rows), self.content),
            "eps_s": rng.normal(rows.numel(), self.latents - self.content),
        }

    def loss(self, net: Any, x: Tensor, eps_c: Tensor, eps_s: Tensor) -> dict[str, Tensor]:
        q = self.q(net, x)
        c = self.pooled(*(part[:, : self.content].unflatten(0, (-1, self.group)) for part in (q.mean, q.logvar)))
        s = Gaussian(q.mean[:, self.content :], q.logvar[:, self.content :])
        z = torch.cat([c.at(eps_c).repeat_interleave(self.group, 0), s.at(eps_s)], 1)
        return {
            "reconstruction": bernoulli_nll(x, net.decoder(z)).mean(),
            "kl_style": self.beta * s.kl_to_standard().sum(1).mean(),
            "kl_content": self.beta * c.kl_to_standard().sum(1).mean() / self.group,
        }

    def pooled(self, mean: Tensor, logvar: Tensor) -> Gaussian:
        """The posterior of a group's content, (groups, content), from those of its images, (groups, group, content)."""
        total = -(-logvar).logsumexp(1)
        return Gaussian(total.exp() * (mean / logvar.exp()).sum(1), total)

    def findings(self, net: Any, data: Any, rows: Any, codes: Any, rng: Any) -> Findings:
        """How well c tells the group's factor, from one image and from several: `_groups.evidence`."""
        c = Gaussian(*(torch.from_numpy(part[:, : self.content]) for part in (codes.mean, 2 * np.log(codes.sd))))
        name = self.shared or data.data.label
        labels = data.data.factors[rows, data.data.names.index(name)]
        return Findings(facts=evidence(c, labels, self.pooled, name))

    def blocks(self, net: Any) -> dict[str, int]:
        return {"c": self.content, "s": self.latents - self.content}
