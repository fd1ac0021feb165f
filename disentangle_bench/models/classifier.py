"""Classifier, Bridle 1990 (softmax regression on the units of a network):   L = E_told[-log q(y|x)]

Images alone whose class is told. What labels give without any other image: the line that a model of some labels has to
beat. z, the units before the classes, is its code; a decoder learns to draw images from z and never moves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn.functional import cross_entropy, relu

from ._deterministic import Deterministic
from ._findings import Findings
from ._labels import label_error
from ._networks import NETWORKS, glorot
from ._probability import Gaussian, bernoulli_nll, certain


@dataclass(frozen=True)
class Classifier(Deterministic):
    lr: float = 3e-4  # of Adam

    needs: ClassVar[str] = "some labels"
    players: ClassVar[dict[str, tuple[str, ...]]] = {"classifier": ("encoder", "label"), "reader": ("decoder",)}

    def nets(self, data: Any) -> dict[str, nn.Module]:
        pair = NETWORKS[self.pair(data)]
        trunk, width = pair.trunk(data.shape)
        return {
            "encoder": glorot(nn.Sequential(trunk, nn.Linear(width, self.latents))),
            "label": glorot(nn.Linear(self.latents, data.classes)),
            "decoder": pair.decoder(self.latents, data.shape),
        }

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        rows = data.labelled(n, rng)
        return {"x": data.at(rows), "y": data.labels(rows)}

    def q(self, net: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        """z, and logits of q(y|x)."""
        z = net.encoder(x)
        return z, net.label(relu(z))

    def loss(self, net: Any, x: Tensor, y: Tensor) -> dict[str, dict[str, Tensor]]:  # type: ignore[override]
        z, logits = self.q(net, x)
        return {
            "classifier": {"classification": cross_entropy(logits, y)},
            "reader": {"reconstruction": bernoulli_nll(x, net.decoder(z.detach())).mean()},
        }

    def codes(self, q: tuple[Tensor, Tensor]) -> Gaussian:
        return certain(q[0])

    def mode(self, q: tuple[Tensor, Tensor]) -> Tensor:
        return q[0]

    def clusters(self, q: tuple[Tensor, Tensor]) -> Tensor:
        """The likeliest class, (n,)."""
        return q[1].argmax(1)

    def findings(self, net: Any, data: Any, rows: Any, codes: Any, rng: Any) -> Findings:
        return Findings({"label_error": label_error(codes.clusters, data, rows, rng.seed, "argmax q(y|x)")})
