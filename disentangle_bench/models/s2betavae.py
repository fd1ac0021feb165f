"""S2-beta-VAE, Locatello et al. 2020, section 4:   L = E_q[-log p(x|z)] + beta KL + gamma E_told[R(mu, v)]

"Disentangling factors of variation using few labels". v are the factors of images that are told, as shares of their
range; mu is the mean of q(z|x), of which unit i is to tell factor i:

    xent    R = -sum_i v_i log s(mu_i) + (1 - v_i) log(1 - s(mu_i)),   s the logistic function
    l2      R = sum_i (mu_i - v_i)^2

R is summed over factors and averaged over the batch, in nats; the study's code sums over the batch, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from .betavae import BetaVAE
from .vae import require

R = {"xent": binary_cross_entropy_with_logits, "l2": mse_loss}


@dataclass(frozen=True)
class S2BetaVAE(BetaVAE):
    gamma: float = 64.0  # weight of what is told
    supervision: str = "xent"  # | l2

    needs: ClassVar[str] = "some factors"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "gamma", self.gamma >= 0, "at least 0")
        require(self, "supervision", self.supervision in R, f"one of {', '.join(R)}")

    def fits(self, data: Any) -> None:
        super().fits(data)
        if (f := len(data.names)) > self.latents:
            raise ValueError(f"latents is {self.latents}, and the {f} factors of {data.name!r} need a unit each")

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        rows = data.labelled(n, rng)
        return {**super().draw(data, n, t, rng), "x_l": data.at(rows), "v": data.shares(rows)}

    def loss(self, net: Any, x: Tensor, eps: Tensor, x_l: Tensor, v: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        told = self.q(net, x_l).mean[:, : v.shape[1]]
        cost = R[self.supervision](told, v, reduction="none").sum(1).mean()
        return {**super().loss(net, x, eps), "supervision": self.gamma * cost}
