"""V-measure, Rosenberg and Hirschberg 2007:   v = (1 + beta) h c / (beta h + c),   h = I / H(Y),   c = I / H(C)"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import check_labels
from ._metric import metric


class VMeasure(NamedTuple):
    homogeneity: float
    completeness: float
    v: float


@metric(estimator="shares of entropy, harmonic mean")
def v_measure(labels: ArrayLike, clusters: ArrayLike, *, beta: float = 1.0) -> VMeasure:
    """Homogeneity, completeness and their harmonic mean, the V-measure.

    h = I(Y; C) / H(Y),   c = I(Y; C) / H(C),   v = (1 + beta) h c / (beta h + c)

    Parameters
    ----------
    labels : (n,) integers, the class of each row
    clusters : (n,) integers, the cluster of each row; the numbers are names
    beta : above 1 completeness weighs more in v, below 1 homogeneity

    Returns
    -------
    NamedTuple of three floats in [0, 1]

    * `homogeneity`, 1 when no cluster mixes classes; so does a single class
    * `completeness`, 1 when no class is spread over clusters; so does a single cluster
    * `v`, 1 for the same partition under any names, 0 when either of them is 0

    Raises
    ------
    ValueError
        Not 1-D integers, lengths that differ, or a `beta` that is no number of at least 0.

    Notes
    -----
    * With beta = 1, v is `nmi` with the arithmetic mean.
    * Homogeneity is 1 when every row is its own cluster, completeness when there is one cluster: read them together.
    * Not corrected for chance: random clusters score above 0, the more so the more clusters there are. `ari` is
      corrected.

    References
    ----------
    Rosenberg, Hirschberg 2007, "V-measure: a conditional entropy-based external cluster evaluation measure".

    Examples
    --------
    >>> v_measure([0, 0, 1, 1], [7, 7, 3, 3])
    VMeasure(homogeneity=1.0, completeness=1.0, v=1.0)
    >>> v_measure([0, 0, 1, 1], [0, 1, 0, 1])
    VMeasure(homogeneity=0.0, completeness=0.0, v=0.0)
    >>> v_measure([0, 0, 1, 1], [0, 0, 0, 0])
    VMeasure(homogeneity=0.0, completeness=1.0, v=0.0)
    """
    from sklearn.metrics import homogeneity_completeness_v_measure

    y, c = check_labels(labels, clusters)
    if isinstance(beta, bool) or not isinstance(beta, int | float | np.number) or not 0 <= beta < np.inf:
        raise ValueError(f"beta must be a number of at least 0, got {beta!r}")
    return VMeasure(*(min(1.0, max(0.0, float(part))) for part in homogeneity_completeness_v_measure(y, c, beta=beta)))
