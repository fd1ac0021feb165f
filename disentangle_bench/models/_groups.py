"""What several images of one group tell together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from .. import rng
from ._probability import Gaussian

SIZES = (1, 2, 4, 8)  # images of a group that are pooled


def evidence(
    c: Gaussian, labels: np.ndarray, pooled: Callable[[Tensor, Tensor], Gaussian], name: str
) -> dict[str, tuple[float, str]]:
    """How well a linear classifier tells the class from the mean content of 1, 2, 4, 8 images: facts `evidence.SIZE`.

    The classifier (multinomial logistic regression) is fitted to single images of a random half of the rows. The other
    half is cut into groups of one class each, whose posteriors `pooled` makes one: from two images on the labels of
    test images are used to pool them, and the fact says so.

    Parameters
    ----------
    c : posteriors of content, (n, units)
    labels : (n,) classes
    pooled : means and log variances (groups, size, units) -> Gaussian (groups, units)
    name : of the class factor, for the convention
    """
    from sklearn.linear_model import LogisticRegression

    order = rng.stream(0, "accumulated evidence").permutation(len(labels))
    fit, test = order[: len(order) // 2], order[len(order) // 2 :]
    means = c.mean.double().numpy()
    centre, scale = means[fit].mean(0), means[fit].std(0) + 1e-12
    if len(np.unique(labels[fit])) < 2:
        return {}
    classifier = LogisticRegression(max_iter=1000).fit((means[fit] - centre) / scale, labels[fit])
    found = {}
    for size in SIZES:
        groups = [rows[: len(rows) // size * size].reshape(-1, size) for rows in _by_class(test, labels)]
        members = np.concatenate(groups)
        if not len(members):
            break
        several = pooled(c.mean[members], c.logvar[members]).mean.double().numpy()
        right = classifier.predict((several - centre) / scale) == labels[members[:, 0]]
        how = "one image each" if size == 1 else f"{size} images of one class pooled by their labels"
        convention = f"share of {name} told by logistic regression on the mean of c, half to fit, half to test, {how}"
        found[f"evidence.{size}"] = float(right.mean()), convention
    return found


def _by_class(rows: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    return [rows[labels[rows] == label] for label in np.unique(labels[rows])]
