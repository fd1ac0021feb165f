"""DrNet, Denton & Birodkar 2017, eq. 1 to 4:

    L = E[-log p(x_2|c_1, p_2)] + similarity E|c_1 - c_2|^2 + adversarial E[B]

"Unsupervised learning of disentangled representations from video". x_1, x_2 are frames of one clip, in any order; the
content c of the first and the pose p of the second draw the second. Content is to be the same all along; pose is not to
tell of which clip it is. A critic C sees two poses, of one clip or of two, and poses keep it in doubt:

    B   = -1/2 log C(p_1, p_2) - 1/2 log(1 - C(p_1, p_2))
    L_C = -1/2 log C(p_1, p_2) - 1/2 log(1 - C(p_1, p_2')),   p_2' of another clip

c_2 in the similarity and the second pose in B are constants, as in the published code, whose weights stand beside
errors averaged over pixels, and over units of the content; likelihoods here are summed over pixels, and so both weights
count once a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ._deterministic import Deterministic
from ._findings import Findings
from ._identity import SHOWN, leakage, swaps
from ._networks import NETWORKS, glorot, mlp
from ._probability import bernoulli_nll
from .vae import require


@dataclass(frozen=True)
class DrNet(Deterministic):
    latents: int = 20  # width of content and pose together
    pose: int = 10  # of the latents: the last ones
    frames: int = 4  # of a clip
    moving: str = "any"  # the factor that moves; any: another one for each clip
    similarity: float = 1.0  # weight of content's change, a pixel
    adversarial: float = 1e-4  # weight of the critic's certainty, a pixel
    critic_lr: float = 1e-4  # of the critic's Adam

    needs: ClassVar[str] = "clips"
    players: ClassVar[dict[str, tuple[str, ...]]] = {
        "autoencoder": ("content_encoder", "pose_encoder", "decoder"),
        "critic": ("critic",),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, "pose", 1 <= self.pose < self.latents, f"1 to {self.latents - 1}, latents without one")
        require(self, "frames", self.frames >= 2, "at least 2")
        for field in ("similarity", "adversarial"):
            require(self, field, getattr(self, field) >= 0, "at least 0")
        require(self, "critic_lr", self.critic_lr > 0, "a number above 0")

    def fits(self, data: Any) -> None:
        super().fits(data)
        data.clips(1, self.frames, np.random.default_rng(0), moving=self.mover)

    @property
    def mover(self) -> str | None:
        """The factor that moves, as data sets are asked for it."""
        return None if self.moving == "any" else self.moving

    def nets(self, data: Any) -> dict[str, nn.Module]:
        pair = NETWORKS[self.pair(data)]
        (content, width), (pose, _) = pair.trunk(data.shape), pair.trunk(data.shape)
        return {
            "content_encoder": glorot(nn.Sequential(content, nn.Linear(width, self.latents - self.pose))),
            "pose_encoder": glorot(nn.Sequential(pose, nn.Linear(width, self.pose))),
            "decoder": pair.decoder(self.latents, data.shape),
            "critic": glorot(mlp([2 * self.pose, 100, 100, 1])),
        }

    def optimisers(self) -> dict[str, dict[str, Any]]:
        betas = (0.5, 0.999)
        return {"autoencoder": {"lr": self.lr, "betas": betas}, "critic": {"lr": self.critic_lr, "betas": betas}}

    def draw(self, data: Any, n: int, t: Any, rng: Any) -> dict[str, Any]:
        """n images: two different frames of n / 2 clips, the first frames of all of them first."""
        m = max(2, n // 2)
        films = data.clips(m, self.frames, rng, self.mover)
        two = rng.uniform(m, self.frames).argsort(1)[:, :2]
        return {"x": data.at(films.gather(1, two).T.flatten())}

    def loss(self, net: Any, x: Tensor) -> dict[str, dict[str, Tensor]]:  # type: ignore[override]
        x_2, pixels = x[len(x) // 2 :], x[0].numel()
        (c_1, c_2), (p_1, p_2) = net.content_encoder(x).chunk(2), net.pose_encoder(x).chunk(2)
        known_1, known_2 = p_1.detach(), p_2.detach()
        same = net.critic(torch.cat([p_1, known_2], 1))
        doubt = 0.5 * (softplus(-same) + softplus(same))
        alike = net.critic(torch.cat([known_1, known_2], 1))
        apart = net.critic(torch.cat([known_1, known_2.roll(1, 0)], 1))  # the pose of the clip before
        return {
            "autoencoder": {
                "reconstruction": bernoulli_nll(x_2, net.decoder(torch.cat([c_1, p_2], 1))).mean(),
                "similarity": self.similarity * pixels * (c_1 - c_2.detach()).square().mean(),
                "adversarial": self.adversarial * pixels * doubt.mean(),
            },
            "critic": {"same": 0.5 * softplus(-alike).mean(), "apart": 0.5 * softplus(apart).mean()},
        }

    def q(self, net: Any, x: Tensor) -> Tensor:
        """[content, pose]."""
        return torch.cat([net.content_encoder(x), net.pose_encoder(x)], 1)

    def findings(self, net: Any, data: Any, rows: Any, codes: Any, rng: Any) -> Findings:
        """Whether content and pose leak into each other, and images with content of one and pose of another."""
        k = self.latents - self.pose
        found = Findings(leakage(("content", codes.mean[:, :k]), ("pose", codes.mean[:, k:]), data, rows))
        x = data.at(torch.from_numpy(rows[:SHOWN]).to(data.device))
        z = self.q(net, x)
        mixed = lambda i, j: self.decode(net, torch.cat([z[i, :k], z[j, k:]], 1)).sigmoid()  # noqa: E731
        found.sheets["content of one image, pose of another"] = swaps(x, mixed, "content", "pose")
        return found

    def blocks(self, net: Any) -> dict[str, int]:
        return {"content": self.latents - self.pose, "pose": self.pose}
