"""Pictures made smaller as Locatello et al. 2019 made them, for Cars3D and SmallNORB."""

from __future__ import annotations

import numpy as np


def smaller(pictures: np.ndarray, side: int) -> np.ndarray:
    """Square pictures at `side` pixels a side, by Pillow's LANCZOS: a windowed sinc over three new pixels each way.

    Parameters
    ----------
    pictures : (n, h, h) or (n, h, h, 3) uint8

    Returns
    -------
    (n, side, side, c) uint8
    """
    from PIL import Image

    made = np.empty((len(pictures), side, side, *pictures.shape[3:]), np.uint8)
    for i, picture in enumerate(pictures):
        made[i] = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS))
    return made if made.ndim == 4 else made[..., None]
