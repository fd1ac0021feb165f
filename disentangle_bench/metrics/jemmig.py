"""JEMMIG, Do and Tran 2020:   joint entropy minus gap,   1/F sum_k [H(z_(1), v_k) - I(z_(1); v_k) + I(z_(2); v_k)]"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._information import discretise, entropy, mutual_information
from ._inputs import check, check_option
from ._metric import metric


@metric(estimator="plug-in entropies, equal-width bins")
def jemmig(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    bins: int = 20,
    factor_bins: int | None = None,
    normalised: bool = True,
) -> float:
    """Joint entropy minus mutual information gap: whether one code is a factor, knows all of it and nothing else.

    J_k = H(z_(1), v_k) - I(z_(1); v_k) + I(z_(2); v_k),   z_(1), z_(2) the two codes that know most about v_k
    JEMMIG = 1/F sum_k [1 - J_k / (H(v_k) + log bins)]

    J_k in nats is 0 for a code that takes one value for each value of the factor; each thing else that it varies with
    adds to its joint entropy, and so to J_k.

    Parameters
    ----------
    codes : (n, d) floats, d >= 2
    factors : (n, f) integers, one column per factor of variation; columns of fractions are binned if continuous
    bins : number of equal-width bins of each code, from its minimum to its maximum
    factor_bins : put factors into so many equal-width bins, too; by default integers are classes as they are
    normalised : False gives 1/F sum_k J_k in nats, where 0 is best and H(v_k) + log bins the worst

    Returns
    -------
    float in [0, 1], 1 best; with normalised=False nats, 0 best.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, fewer than two codes, or a factor that never varies.

    Notes
    -----
    * All given rows are used. Ubisoft's comparative framework (Carbonneau et al. 2022) is met with bins=10, its
      default, or 20, of codes that it scales to [0, 1] first, which matters to values on the edge of a bin. Do and
      Tran bin posteriors instead of means, in 100 bins.
    * The scale does not begin at 0: normal noise in 20 bins scores 0.12 to 0.17, because log bins is more than the
      entropy of a code that fills its bins unevenly, and a code that is CONSTANT scores log bins / (H(v_k) + log bins),
      0.45 to 0.8: it has no entropy to be charged for. Read it beside a metric that asks for information, such as
      `mig`.
    * It depends on the number of bins, twice: a continuous code that orders a factor perfectly pays for every bin
      beyond the factor's values.
    * Duplicated codes score low although nothing is lost: the gap is 0, and only the joint entropy is left.
    * Of codes that know equally much, the one of least entropy is z_(1).

    References
    ----------
    Do, Tran 2020, "Theory and evaluation metrics for learning disentangled representations", ICLR.
    Carbonneau, Zaidi, Boilard, Gagnon 2022, "Measuring disentanglement: a review of metrics".

    Examples
    --------
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> round(jemmig(factors, factors), 9), abs(round(jemmig(factors, factors, normalised=False), 9))
    (1.0, 0.0)
    >>> round(jemmig(np.repeat(factors, 2, axis=1), factors), 3)
    0.667
    >>> round(jemmig(np.zeros((20, 2)), factors), 3)  # log(20) / (H + log(20))
    0.667
    """
    codes, factors = check(codes, factors, least_codes=2, factor_bins=factor_bins, independent=True)
    check_option("bins", bins, 2)
    binned = discretise(codes, bins)
    information, own, whole = mutual_information(binned, factors), entropy(binned), entropy(factors)
    costs = np.empty(len(whole))  # nats
    for k, known in enumerate(information.T):
        first, second = np.lexsort((own, -known.round(12)))[:2]
        costs[k] = own[first] + whole[k] - 2 * known[first] + known[second]
    costs = np.maximum(costs, 0)  # rounding
    return float((1 - costs / (whole + np.log(bins))).mean() if normalised else costs.mean())
