"""Control: principal components of the pixels, z = W (x - mean), Pearson 1901: the best linear code of its width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np


@dataclass(frozen=True)
class PCA:
    latents: int = 10
    trains: ClassVar[bool] = False

    def represent(self, data: Any, rows: np.ndarray, seed: int) -> dict[str, Any]:
        """`codes` (n, latents) fitted to the rows' own images, and `reconstructions` of the first eight."""
        from sklearn.decomposition import PCA as Components

        x = data.take(rows).reshape(len(rows), -1).astype(np.float32) / 255
        fit = Components(self.latents, svd_solver="randomized", random_state=seed)
        codes = fit.fit_transform(x)
        images = fit.inverse_transform(codes[:8]).clip(0, 1).reshape(-1, *data.shape)
        return {"codes": codes.astype(np.float32), "reconstructions": (images * 255).round().astype(np.uint8)}
