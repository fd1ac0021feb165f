"""Adjusted Rand index, Hubert and Arabie 1985:   ARI = (R - E[R]) / (max R - E[R]),   R the pairs of rows that agree"""

from __future__ import annotations

from numpy.typing import ArrayLike

from ._inputs import check_labels
from ._metric import metric


@metric(estimator="pairs, corrected for chance", bounds=(-0.5, 1.0))
def ari(labels: ArrayLike, clusters: ArrayLike) -> float:
    """Adjusted Rand index: whether pairs of rows are together in the clusters when they are together in the classes.

    ARI = (R - E[R]) / (max R - E[R]),   R = sum_ab C(n_ab, 2),   E[R] its mean over permutations of the rows

    with E[R] = AB / C(n, 2) and max R = (A + B) / 2 for A, B the pairs that are together in classes and in clusters.

    Parameters
    ----------
    labels : (n,) integers, the class of each row
    clusters : (n,) integers, the cluster of each row; the numbers are names

    Returns
    -------
    float in [-0.5, 1]; 1 for the same partition under any names, 0 on average for random ones, below 0 for worse
    than random.

    Raises
    ------
    ValueError
        Not 1-D integers, or lengths that differ.

    Notes
    -----
    One class or one cluster alone scores 0, and so does every row its own cluster; the same of them
    on both sides is one partition and scores 1.

    References
    ----------
    Hubert, Arabie 1985, "Comparing partitions", Journal of Classification 2.

    Examples
    --------
    >>> ari([0, 0, 1, 1], [7, 7, 3, 3])
    1.0
    >>> ari([0, 0, 1, 1], [0, 1, 0, 1])
    -0.5
    >>> ari([0, 0, 1, 1], [0, 0, 0, 0])
    0.0
    """
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(*check_labels(labels, clusters)))
