"""Mutual information gap, Chen et al. 2018, section 4.1:   MIG = 1/F sum_k [I(z_(1); v_k) - I(z_(2); v_k)] / H(v_k)"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._information import discretise, entropy, mutual_information
from ._inputs import check, check_option
from ._metric import metric


@metric(estimator="plug-in mutual information, equal-width bins")
def mig(codes: ArrayLike, factors: ArrayLike, *, bins: int = 20) -> float:
    """Mutual information gap: how much more the best code knows about a factor than the second best.

    MIG = 1/F sum_k [I(z_(1); v_k) - I(z_(2); v_k)] / H(v_k),   z_(1), z_(2) the two codes that know most about v_k

    Parameters
    ----------
    codes : (n, d) floats, d >= 2
    factors : (n, f) integers, one column per factor of variation
    bins : number of equal-width bins of each code, from its minimum to its maximum

    Returns
    -------
    float in [0, 1]; 1 when each factor is known to one code alone. Noise scores near 0. Information and entropy are
    in nats; the unit cancels.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, fewer than two codes, or a factor that never varies (it has no entropy).

    Notes
    -----
    * All given rows are used. Published values (Locatello et al. 2019) used 10,000 rows and 20 bins.
    * Says nothing about what else a code carries: one code that holds two factors costs nothing.
    * Duplicated codes score 0 although nothing is lost.
    * A factor with more values than bins cannot reach 1. Heavy-tailed codes crowd into a few bins.
    * Plug-in information is biased upwards when there are few rows per bin and value.
    * Bins are closed on the left, so codes with ties on an edge change a little when flipped or rounded to float32.

    References
    ----------
    Chen, Li, Grosse, Duvenaud 2018, "Isolating sources of disentanglement in variational autoencoders", section 4.1.
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
        representations".

    Examples
    --------
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> mig(factors, factors)
    1.0
    >>> mig(np.repeat(factors, 2, axis=1), factors)
    0.0
    >>> mig(np.zeros((20, 3)), factors)
    0.0
    """
    codes, factors = check(codes, factors, least_codes=2)
    check_option("bins", bins, 2)
    information = mutual_information(discretise(codes, bins), factors) / entropy(factors)  # (d, f)
    second, first = np.sort(information, axis=0)[-2:]
    return float((first - second).mean())
