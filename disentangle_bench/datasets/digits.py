"""Digits: 1,797 handwritten digits of 13 people (Alpaydin & Kaynak 1998), moved by known transformations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ._factored import FactoredData
from ._moved import moved

EDGE = 6  # pixels around the digit, which fills 16 x 16 of 28 x 28: the widest shift, 7 pixels, cuts little off
TEST = 297  # the last originals
PINNED = {  # with scipy 1.17, whose splines are floats
    "digits": "131942ad1916be0db455992531626bfe48b49d191ef190f7719398fc6cb27e1f",
    "digits(transform=so2)": "9385b6934a03fc92d48086f4d883bec20c53d04487160bf1a9a5e8807c7aac69",
    "digits(transform=se2)": "46c131d12642d14705e4a3b2ed9c211b0876bf8a49f0a304f79e783b2a5ef86e",
    "digits(transform=sim2)": "9d46b03c157f2cb437300df06e031245773b32eab24e58f42f2d087bc78983f9",
}


def digits(data_dir: str | Path | None = None, *, transform: str = "none", copies: int = 1) -> FactoredData:
    """Handwritten digits of scikit-learn, 28 x 28 pixels, each moved at random as in the paper of MCE-VAE.

    Parameters
    ----------
    transform : "none"; "so2", a rotation by U(-90, 90) degrees; "se2", also a shift by up to a quarter of the width
        each way; "sim2", also a scale of U(1/2, 1). Fixed for each image, the same whenever the set is loaded.
    copies : images of each original, every one moved anew

    Canonical images are the originals, unmoved. Training sees copies of 1,500 originals, what is scored are those of
    the other 297. The 8 x 8 originals are enlarged to 16 x 16 by cubic splines. Nothing is read from `data_dir`.

    Examples
    --------
    >>> data = digits(transform="so2")
    >>> data.names, len(data), data.shape, data.fit
    (('digit', 'angle'), 1797, (28, 28, 1), 1500)
    """
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits

    held: Any = load_digits()
    large: Any = zoom(held.images / 16, (1, 2, 2), order=3, mode="grid-constant", grid_mode=True)
    originals = np.zeros((len(large), 28, 28), np.uint8)
    originals[:, EDGE:-EDGE, EDGE:-EDGE] = np.rint(255 * np.clip(large, 0, 1))
    test = np.arange(len(originals)) >= len(originals) - TEST
    return moved(
        "digits", originals, held.target, test, label="digit", transform=transform, copies=copies, source="scikit-learn"
    )
