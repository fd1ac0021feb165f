"""Purity, Manning et al. 2008, section 16.3:   1/n sum_c max_y n_cy,   n_cy the rows of class y in cluster c"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import check_labels
from ._metric import metric


@metric(estimator="each cluster named after its majority class, many to one")
def cluster_purity(labels: ArrayLike, clusters: ArrayLike) -> float:
    """Purity, or many-to-one accuracy: the share of rows in the majority class of their cluster.

    purity = 1/n sum_c max_y n_cy,   n_cy the number of rows of class y in cluster c

    Parameters
    ----------
    labels : (n,) integers, the class of each row
    clusters : (n,) integers, the cluster of each row; the numbers are names, -1 is a cluster like any other

    Returns
    -------
    float in (0, 1]; 1 when no cluster mixes classes. One cluster scores the share of the largest class.

    Raises
    ------
    ValueError
        Not 1-D integers, or lengths that differ.

    Notes
    -----
    * 1 when every row is its own cluster: it never falls when a cluster is split. Compare equal numbers of clusters
      only, or take `cluster_accuracy`, which is one to one, or a score that is corrected for chance (`ari`).
    * Papers report many-to-one naming as "accuracy" or "error", too. Makhzani et al. 2016 (16 and 30 clusters of ten
      digits), and Dilokthanakul et al. 2016 after them, name a cluster after its most typical row rather than after its
      majority, which scores no better than this.
    * Never below `cluster_accuracy`, and equal to it when the majority classes of all clusters differ.
    * Majorities are counted on the rows given. A classifier from clusters would take them from training rows.

    References
    ----------
    Manning, Raghavan, Schuetze 2008, "Introduction to information retrieval", section 16.3.
    Makhzani, Shlens, Jaitly, Goodfellow, Frey 2016, "Adversarial autoencoders", section on unsupervised clustering.
    Dilokthanakul et al. 2016, "Deep unsupervised clustering with Gaussian mixture variational autoencoders".

    Examples
    --------
    >>> cluster_purity([0, 0, 1, 1], [7, 7, 3, 3])
    1.0
    >>> cluster_purity([0, 0, 1, 1], [0, 1, 2, 3])
    1.0
    >>> cluster_purity([0, 0, 1, 1], [0, 0, 0, 0])
    0.5
    """
    y, c = (np.unique(names, return_inverse=True)[1] for names in check_labels(labels, clusters))
    pairs, counts = np.unique(np.stack([c, y]), axis=1, return_counts=True)  # those that occur: linear in n
    majority = np.zeros(int(c.max()) + 1, dtype=np.int64)
    np.maximum.at(majority, pairs[0], counts)
    return float(majority.sum() / len(y))
