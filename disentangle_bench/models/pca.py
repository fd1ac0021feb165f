"""Control: principal components of the pixels, z = W (x - mean), Pearson 1901: the best linear code of its width.

With as many as there are pixels they are the pixels themselves, turned: k-means on both is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np


@dataclass(frozen=True)
class PCA:
    latents: int = 10
    trains: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.latents < 1:
            raise ValueError(f"pca.latents: got {self.latents}, expected at least 1")

    def represent(self, data: Any, rows: np.ndarray, shown: np.ndarray, seed: int) -> dict[str, Any]:
        """`codes` (n, latents) fitted to the rows' own images, and `reconstructions` of those shown."""
        from sklearn.decomposition import PCA as Components

        x = data.take(rows).reshape(len(rows), -1).astype(np.float32) / 255
        width = min(self.latents, *x.shape)
        solver = "full" if width == min(x.shape) else "randomized"
        fit = Components(width, svd_solver=solver, random_state=seed)
        codes = fit.fit_transform(x)
        z = fit.transform(data.take(shown).reshape(len(shown), -1).astype(np.float32) / 255)
        images = fit.inverse_transform(z).clip(0, 1).reshape(-1, *data.shape)
        return {"codes": codes.astype(np.float32), "reconstructions": (images * 255).round().astype(np.uint8)}
