"""Vectors of numbers mixed from known factors: what a metric says of a code can be known beforehand.

No pictures: an observation is a vector, kept as an image of one row with one channel so that every model with dense
layers trains on it. Linear and rotated mixes are undone by a matrix, the nonlinear one is not.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from disentangle_bench import catalog
from disentangle_bench.rng import stream

from ._factored import FactoredData, grid

MIXES = ("linear", "rotated", "nonlinear")
VALUES = ("discrete", "continuous")
LEVELS = 8  # values of a discrete factor
CLASSES, ROWS = 20, 10_000  # of continuous ones: classes that metrics tell them apart by where they need some; vectors
MOST = 6  # factors
PINNED = {
    "numeric": "92d50b6a9c56688b8f9648fb2626af7bbf8d77e86ad0267a31cda8ee2cf6f426",
    "numeric(mix=nonlinear)": "4a6e8879be83ad1041472088e7d7ae0bd10f49466cf8098a2efe5419af7a541c",
    "numeric(mix=rotated)": "99cf1b7bea568f1c60362e1f419ba616e351373612fc60f2bec7d47097c5c4b2",
    "numeric(values=continuous)": "0afa7a83383e4caedfe21ecafc326f224bee40db8cc58a6e47ed1b8dea2aab86",
}


def numeric(
    data_dir: str | Path | None = None,
    *,
    mix: str = "linear",
    values: str = "discrete",
    factors: int = 4,
    width: int = 16,
) -> FactoredData:
    """Factors v1, v2, ... in [-1, 1] and what a fixed mix makes of them, in 256 steps from black (-1) to white (1).

    Parameters
    ----------
    mix : "linear", A v with the rows of A drawn at random and divided by their sums of magnitudes; "rotated", Q v / c
        with a random rotation Q, as wide as there are factors, and c the least number that keeps it within [-1, 1];
        "nonlinear", tanh(C tanh(B v + b)), with as many hidden units as numbers
    values : "discrete", eight evenly spaced values a factor and every combination once; "continuous", 10,000 vectors of
        independent uniform values, which metrics read as they are, or in 20 classes where they need classes
    factors : 1 to 6
    width : numbers of an observation, at least as many as factors. Not for "rotated".

    Returns
    -------
    FactoredData of images (1, width, 1). Mixes are the same whenever the set is loaded; nothing is read from
    `data_dir`. `sha256` is that of the observations.

    Raises
    ------
    ValueError
        An option is unknown or out of its range.

    Examples
    --------
    >>> data = numeric(mix="rotated", factors=3)
    >>> data.names, data.shape, len(data)
    (('v1', 'v2', 'v3'), (1, 3, 1), 512)
    """
    catalog.choose("numeric.mix", mix, list(MIXES))
    catalog.choose("numeric.values", values, list(VALUES))
    if not 1 <= factors <= MOST:
        raise ValueError(f"numeric.factors: got {factors}, expected 1 to {MOST}")
    if width < factors:
        raise ValueError(f"numeric.width: got {width}, expected at least the number of factors, {factors}")
    names = tuple(f"v{i + 1}" for i in range(factors))
    if values == "discrete":
        level, exact = np.linspace(-1, 1, LEVELS), None
        classes = grid((LEVELS,) * factors)
        v = level[classes]
    else:
        edges = np.linspace(-1, 1, CLASSES + 1)
        level = (edges[1:] + edges[:-1]) / 2
        v = exact = stream(0, "values of numeric").uniform(-1, 1, (ROWS, factors))
        classes = (np.digitize(v, edges) - 1).clip(0, CLASSES - 1).astype(np.int32)
    pixels = np.rint(127.5 * (1 + mixed(v, mix, width))).astype(np.uint8)[:, None, :, None]
    return FactoredData(
        "numeric",
        pixels,
        classes,
        (level,) * factors,
        names,
        ("ordered" if exact is None else "continuous",) * factors,
        "drawn",
        hashlib.sha256(pixels.data).hexdigest(),
        exact=exact,
    )


def mixed(v: np.ndarray, mix: str, width: int) -> np.ndarray:
    """Observations of factors (n, f) in [-1, 1]: (n, width) in [-1, 1], or (n, f) for the rotated mix."""
    rng = stream(0, f"{mix} mix of numeric")
    if mix == "rotated":
        q, r = np.linalg.qr(rng.uniform(-1, 1, (v.shape[1],) * 2))
        q = q * np.sign(np.diag(r))  # the one factorisation whose signs do not depend on the library
        return v @ (q / abs(q).sum(1).max()).T
    if mix == "linear":
        a = rng.uniform(-1, 1, (width, v.shape[1]))
        return v @ (a / abs(a).sum(1, keepdims=True)).T
    hidden = np.tanh(v @ rng.uniform(-2, 2, (v.shape[1], width)) + rng.uniform(-1, 1, width))
    return np.tanh(hidden @ rng.uniform(-1, 1, (width, width)) * np.sqrt(12 / width))
