"""Normalised mutual information, Vinh et al. 2010:   NMI = 2 I(Y; C) / (H(Y) + H(C))"""

from __future__ import annotations

from numpy.typing import ArrayLike

from ._inputs import check_labels
from ._metric import metric


@metric(estimator="normalised by the arithmetic mean of entropies")
def nmi(labels: ArrayLike, clusters: ArrayLike) -> float:
    """Normalised mutual information: how much clusters and classes tell about each other.

    NMI = 2 I(Y; C) / (H(Y) + H(C))

    Parameters
    ----------
    labels : (n,) integers, the class of each row
    clusters : (n,) integers, the cluster of each row; the numbers are names

    Returns
    -------
    float in [0, 1]; 1 for the same partition under any names, 0 for independent ones. One class or one cluster
    alone scores 0, both alone 1: then they are the same partition.

    Raises
    ------
    ValueError
        Not 1-D integers, or lengths that differ.

    Notes
    -----
    * Not corrected for chance: it grows with the number of clusters, and is high when every row is its own. `ari` is
      corrected.
    * Other normalisations (geometric mean, maximum, minimum) give other numbers.

    References
    ----------
    Vinh, Epps, Bailey 2010, "Information theoretic measures for clusterings comparison", table 2 (NMI sum).

    Examples
    --------
    >>> nmi([0, 0, 1, 1], [7, 7, 3, 3])
    1.0
    >>> nmi([0, 0, 1, 1], [0, 1, 0, 1])
    0.0
    >>> nmi([0, 0, 1, 1], [0, 0, 0, 0])
    0.0
    """
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(*check_labels(labels, clusters)))
