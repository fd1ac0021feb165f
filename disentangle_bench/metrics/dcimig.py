"""DCIMIG, or 3CharM, Sepliarskaia et al. 2019:   sum_k max_d gap_d / sum_k H(v_k),   d over codes mostly about v_k"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._information import discretise, entropy, mutual_information
from ._inputs import check, check_option
from ._metric import metric


@metric(estimator="plug-in mutual information, equal-width bins")
def dcimig(codes: ArrayLike, factors: ArrayLike, *, bins: int = 20, factor_bins: int | None = None) -> float:
    """DCIMIG: how much of all factors sits in codes that are about one factor, the best code of each.

    DCIMIG = sum_k g_k / sum_k H(v_k),   g_k = max {I(z_d; v_k) - I(z_d; v_(2)) : codes d with v_(1) = v_k}

    with v_(1), v_(2) the two factors that z_d knows most about; g_k = 0 for a factor that no code knows best.

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) integers, f >= 2, one column per factor of variation; columns of fractions are binned if continuous
    bins : number of equal-width bins of each code, from its minimum to its maximum
    factor_bins : put factors into so many equal-width bins, too; by default integers are classes as they are

    Returns
    -------
    float in [0, 1]; 1 when each factor has a code that knows all of it and nothing of the rest. Noise scores near 0.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, fewer than two factors, or a factor that never varies.

    Notes
    -----
    * All given rows are used. Ubisoft's comparative framework (Carbonneau et al. 2022) is met with bins=10, its
      default, or 20, of codes that it scales to [0, 1] first, which matters to values on the edge of a bin.
    * Factors weigh by their entropy: one with 40 values counts for more than three with 3.
    * Duplicated, dead and useless codes cost nothing: only the best code of each factor counts. Modularity of that
      code and information are asked for; compactness is not.
    * Gaps are in nats, so that a code is taken to be about the factor with more values if it knows both alike.
    * A factor with more values than bins cannot count fully. Plug-in information is biased upwards when there are few
      rows per bin and value.

    References
    ----------
    Sepliarskaia, Kiseleva, de Rijke 2019, "Evaluating disentangled representations" (later "How to not measure
        disentanglement"), where it is 3CharM.
    Carbonneau, Zaidi, Boilard, Gagnon 2022, "Measuring disentanglement: a review of metrics".

    Examples
    --------
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> dcimig(factors, factors)
    1.0
    >>> dcimig(factors @ [[1], [4]], factors) < 0.1  # one code that holds both: log(5) - log(4) of log(20) nats
    True
    >>> dcimig(np.zeros((20, 3)), factors)
    0.0
    """
    codes, factors = check(codes, factors, least_factors=2, factor_bins=factor_bins, independent=True)
    check_option("bins", bins, 2)
    information = mutual_information(discretise(codes, bins), factors)  # (d, f) nats
    second, first = np.sort(information, axis=1)[:, -2:].T
    gained = np.zeros(information.shape[1])
    np.maximum.at(gained, information.argmax(axis=1), first - second)
    return float(min(gained.sum() / entropy(factors).sum(), 1.0))
