"""Clustering accuracy, Xie et al. 2016, eq. 10:   ACC = max_m 1/n sum_i [y_i = m(c_i)],   m one-to-one"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import check_labels
from ._metric import metric


@metric(estimator="best one-to-one matching of clusters and classes")
def cluster_accuracy(labels: ArrayLike, clusters: ArrayLike) -> float:
    """Clustering accuracy: the share of rows that are right when each cluster is named after one class of its own.

    accuracy = max_m 1/n sum_i [y_i = m(c_i)],   m one-to-one from clusters to classes

    Parameters
    ----------
    labels : (n,) integers, the class of each row
    clusters : (n,) integers, the cluster of each row; the numbers are names, -1 is a cluster like any other

    Returns
    -------
    float in (0, 1]; 1 for the same partition under any names. For C classes of equal size, one cluster scores 1/C
    and random clusters a little more (the matching is chosen afterwards).

    Raises
    ------
    ValueError
        Not 1-D integers, or lengths that differ.

    Notes
    -----
    * There may be more or fewer clusters than classes. Rows in a cluster without a class are wrong, so splitting a
      class costs.
    * One to one is what Xie et al. 2016 (DEC), Jiang et al. 2017 (VaDE) and Hu et al. 2017 (IMSAT) call ACC. Many to
      one, where clusters may share a class, is `cluster_purity`; adversarial autoencoders (Makhzani et al. 2016) and
      GMVAE (Dilokthanakul et al. 2016) report accuracies of that kind, with more clusters than classes. When every row
      is its own cluster the one is the number of classes over n, the other 1: never put both kinds in one table.

    References
    ----------
    Xie, Girshick, Farhadi 2016, "Unsupervised deep embedding for clustering analysis", equation 10.
    Jiang, Zheng, Tan, Tang, Zhou 2017, "Variational deep embedding".
    Hu, Miyato, Tokui, Matsumoto, Sugiyama 2017, "Learning discrete representations via information maximizing
    self-augmented training".
    Kuhn 1955, "The Hungarian method for the assignment problem".

    Examples
    --------
    >>> cluster_accuracy([0, 0, 1, 1], [7, 7, 3, 3])
    1.0
    >>> cluster_accuracy([0, 0, 1, 1], [0, 1, 0, 1])
    0.5
    >>> cluster_accuracy([0, 0, 1, 1], [0, 0, 0, 0])
    0.5
    """
    from scipy.optimize import linear_sum_assignment

    y, c = (np.unique(names, return_inverse=True)[1] for names in check_labels(labels, clusters))
    together = np.bincount(c * (y.max() + 1) + y, minlength=(c.max() + 1) * (y.max() + 1)).reshape(c.max() + 1, -1)
    return float(together[linear_sum_assignment(together, maximize=True)].sum() / len(y))
