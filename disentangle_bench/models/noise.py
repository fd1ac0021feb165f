"""Control: codes that know nothing, z ~ N(0, I), independent of x: what each metric gives to chance.

Its reconstruction is the best that a decoder can do without a code: each pixel's mean over the images, which costs
sum_pixels H(mean) nats an image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..rng import stream


@dataclass(frozen=True)
class Noise:
    latents: int = 10
    trains: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.latents < 1:
            raise ValueError(f"noise.latents: got {self.latents}, expected at least 1")

    def represent(self, data: Any, rows: np.ndarray, shown: np.ndarray, seed: int) -> dict[str, Any]:
        """`codes` (n, latents), the `facts` in nats an image, and the mean image as each of the `reconstructions`."""
        codes = stream(seed, "noise codes").standard_normal((len(rows), self.latents), dtype=np.float32)
        total = np.zeros(data.shape)
        for part in np.array_split(rows, max(1, len(rows) // 1000)):
            total += data.take(part).sum(0, dtype=np.float64)
        mean = total / len(rows) / 255
        inside = mean[(mean > 0) & (mean < 1)]
        entropy = -(inside * np.log(inside) + (1 - inside) * np.log1p(-inside)).sum()
        image = (mean * 255).round().astype(np.uint8)
        return {
            "codes": codes,
            "facts": {"reconstruction": float(entropy), "kl": 0.0, "used_units": 0.0},
            "reconstructions": np.repeat(image[None], len(shown), 0),
        }
