"""Semi-supervised AAE, Makhzani et al. 2016, section 5:   L = L_AAE - alpha E_told[log q(y|x)]

The adversarial autoencoder with one head a class (see `aae`): critics of z and of y, the soft y decoded; and on images
whose class is told the cross entropy of y. The paper takes three phases in turn, here all move side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor
from torch.nn.functional import cross_entropy

from ._findings import Findings
from ._labels import label_error
from .aae import AAE
from .vae import require


@dataclass(frozen=True)
class AAESemi(AAE):
    alpha: float = 10.0  # weight of -log q(y|x) of what is told, beside nats of reconstruction

    needs: ClassVar[str] = "some labels"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "alpha", self.alpha >= 0, "at least 0")

    def fits(self, data: Any) -> None:
        super().fits(data)
        K = data.sizes[data.names.index(data.label)]
        if self.heads and self.heads < K:
            raise ValueError(
                f"heads is {self.heads}, and data set {data.name!r} has {K} classes; 0 takes one head each"
            )

    def K(self, data: Any) -> int:
        return self.heads or data.classes

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        rows = data.labelled(n, rng)
        return {**super().draw(data, n, t, rng), "x_l": data.at(rows), "y": data.labels(rows)}

    def loss(  # type: ignore[override]
        self, net: Any, x: Tensor, prior: Tensor, category: Tensor, x_l: Tensor, y: Tensor
    ) -> dict[str, dict[str, Tensor]]:
        terms = super().loss(net, x, prior, category)
        logits = net.encoder(x_l)[:, self.latents :]
        terms["autoencoder"]["classification"] = self.alpha * cross_entropy(logits, y)
        return terms

    def findings(self, net: Any, data: Any, rows: Any, codes: Any, rng: Any) -> Findings:
        """The error of the largest head."""
        return Findings({"label_error": label_error(codes.clusters, data, rows, rng.seed, "the largest head")})
