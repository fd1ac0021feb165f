"""Control: principal components of the pixels, z = W (x - mean), Pearson 1901: the best linear code of its width.

With as many as there are pixels they are the pixels themselves, turned: k-means on both is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..rng import stream

MOST = 10_000  # images that components are fitted to


@dataclass(frozen=True)
class PCA:
    latents: int = 10
    trains: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.latents < 1:
            raise ValueError(f"pca.latents: got {self.latents}, expected at least 1")

    def represent(self, data: Any, rows: np.ndarray, shown: np.ndarray, seed: int) -> dict[str, Any]:
        """`codes` (n, latents) fitted to the rows' own images, and `reconstructions` of those shown.

        Where training draws some images more often than others, they are fitted to images drawn like that: whatever the
        rows, the components are the same.
        """
        from sklearn.decomposition import PCA as Components

        def flat(rows: np.ndarray) -> np.ndarray:
            return data.take(rows).reshape(len(rows), -1).astype(np.float32) / 255

        own = data.weight is None
        seen = flat(rows if own else data.rows(min(MOST, len(data)), stream(seed, "components")))
        width = min(self.latents, *seen.shape)
        solver = "full" if width == min(seen.shape) else "randomized"
        fit = Components(width, svd_solver=solver, random_state=seed)
        codes = fit.fit_transform(seen) if own else fit.fit(seen).transform(flat(rows))
        z = fit.transform(flat(shown))
        images = fit.inverse_transform(z).clip(0, 1).reshape(-1, *data.shape)
        return {"codes": codes.astype(np.float32), "reconstructions": (images * 255).round().astype(np.uint8)}
