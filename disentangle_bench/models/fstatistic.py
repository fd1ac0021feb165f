"""F-statistic loss, Ridgeway & Mozer 2018, eq. 1 to 3:   L = -E[sum over the d largest units j of log P(F_j < f_j)]

"Learning deep disentangled embeddings with the F-statistic loss". Two sets of m images each differ in the value of one
factor, and need not be told which. f_j is how far apart unit j of the embedding holds them, beside its spread within
each:

    f_j = (m / 2) (mean_1 - mean_2)^2 / [(ss_1 + ss_2) / (2m - 2)],   ss the sum of squares about the set's mean

and P(F < f) the probability of less, were both means the same: F(1, 2m - 2), which is the square of Student's t. With
2m - 2 even it has a closed form. d units are asked to tell the sets apart, whichever do best; the others are free to
ignore the factor. Nothing draws images: a decoder learns to, from the embedding, and never moves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from ._deterministic import Deterministic
from ._networks import NETWORKS, glorot
from ._probability import bernoulli_nll
from .vae import require


@dataclass(frozen=True)
class FStatistic(Deterministic):
    d: int = 2  # units that are to tell two values of a factor apart
    m: int = 8  # images of each value

    needs: ClassVar[str] = "contrasts"
    players: ClassVar[dict[str, tuple[str, ...]]] = {"embedding": ("encoder",), "reader": ("decoder",)}

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "d", 1 <= self.d <= self.latents, f"1 to {self.latents}, which are all latents")
        require(self, "m", self.m >= 2, "at least 2")

    def fits(self, data: Any) -> None:
        super().fits(data)
        data.told(0).contrasts(1, self.m, np.random.default_rng(0))

    def nets(self, data: Any) -> dict[str, nn.Module]:
        pair = NETWORKS[self.pair(data)]
        trunk, width = pair.trunk(data.shape)
        return {  # no statistic depends on where an embedding lies: no bias
            "encoder": glorot(nn.Sequential(trunk, nn.Linear(width, self.latents, bias=False))),
            "decoder": pair.decoder(self.latents, data.shape),
        }

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        """About n images: pairs of sets, one after the other."""
        return {"x": data.at(data.contrasts(max(1, n // (2 * self.m)), self.m, rng).flatten())}

    def q(self, net: Any, x: Tensor) -> Tensor:
        return net.encoder(x)

    def loss(self, net: Any, x: Tensor) -> dict[str, dict[str, Tensor]]:  # type: ignore[override]
        z = self.q(net, x)
        p = log_less(*statistic(z.unflatten(0, (-1, 2, self.m))), 2 * self.m - 2)
        return {
            "embedding": {"separation": -p.topk(self.d, 1).values.sum(1).mean()},
            "reader": {"reconstruction": bernoulli_nll(x, net.decoder(z.detach())).mean()},
        }


def statistic(z: Tensor) -> tuple[Tensor, Tensor]:
    """f of pairs of sets (pairs, 2, m, units) as f = between / within, (pairs, units) each."""
    m, mean = z.shape[2], z.mean(2, keepdim=True)
    between = m / 2 * (mean[:, 0, 0] - mean[:, 1, 0]).square()
    return between, (z - mean).square().sum((1, 2)) / (2 * m - 2)


def log_less(between: Tensor, within: Tensor, v: int) -> Tensor:
    """log P(F < between / within) of F(1, v), v even, as |t| < sqrt(f) of Student's t (Abramowitz & Stegun 26.7.4):

    P = sin a [1 + 1/2 cos^2 a + ... + (1 3 ... (v - 3)) / (2 4 ... (v - 2)) cos^(v - 2) a],   tan a = sqrt(f / v)
    """
    tiny = torch.finfo(between.dtype).tiny
    whole = between + v * within + tiny
    cos2 = v * within / whole  # of a
    total, term = torch.ones_like(cos2), torch.ones_like(cos2)
    for k in range(1, v // 2):
        term = term * cos2 * (2 * k - 1) / (2 * k)
        total = total + term
    return 0.5 * ((between + tiny).log() - whole.log()) + total.log()
