"""Modularity, Ridgeway and Mozer 2018:   1/D sum_d [1 - sum_{k != k*} I(z_d; v_k)^2 / ((F - 1) I(z_d; v_k*)^2)]"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._conditional import information_and_entropy
from ._information import discretise
from ._inputs import check, check_option
from ._metric import metric

NOTHING = 1e-25  # squared nats: rounding, not information


@metric(estimator="plug-in mutual information, equal-width bins")
def modularity(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    bins: int = 20,
    factor_bins: int | None = None,
    inactive: Literal["keep", "drop"] = "keep",
    conditional: bool = False,
) -> float:
    """Modularity: whether each code knows about one factor only.

    modularity = 1/D sum_d m_d,   m_d = 1 - sum_{k != k*} I_dk^2 / ((F - 1) I_dk*^2)

    with I_dk = I(z_d; v_k) in nats and k* = argmax_k I_dk.

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) integers, f >= 2, one column per factor of variation; columns of fractions are binned if continuous
    bins : number of equal-width bins of each code, from its minimum to its maximum
    factor_bins : put factors into so many equal-width bins, too; by default integers are classes as they are
    inactive : what to do with codes that know nothing about any factor, such as constants: "keep" counts them with
        m_d = 0, as published values do; "drop" leaves them out of the mean
    conditional : for correlated factors: I(z_d; v_k | v_c) in place of I(z_d; v_k), with v_c all factors that
        pairs with a Cramer's V above 0.1 link to v_k, adjusted for chance (see Notes)

    Returns
    -------
    float in [0, 1]; 1 when every code knows one factor, 0 when no code knows any. Noise has no fixed value, because
    chance decides what it seems to know: 0.15 (five factors of 20 values) to 0.6 (ten of two) in 3,000 rows, 0.67 for
    dSprites' factors in 10,000.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, fewer than two factors, a factor that never varies; with `conditional`,
        a factor of which the others leave nothing to be found out.

    Notes
    -----
    * All given rows are used. Published values (Locatello et al. 2019) used 10,000 rows and 20 bins.
    * Elsewhere: dent bins factors too (bins=20, factor_bins=20). Ubisoft's comparative framework (Carbonneau et al.
      2022) has bins=10 by default, of codes that it scales to [0, 1] first, which matters to values on the edge of a
      bin; its flag for continuous factors is factor_bins=10. In both a constant code makes the score NaN.
    * Correlated factors: a code of one knows something about the other, and a perfect one stays below 1
      (`CorrelatedFactors` warns). `conditional` asks what a code knows beyond the correlated factors, adjusted for
      chance as in `mig`: H (J - E) / (H - E), at least 0, of H = H(v_k | v_c), the plug-in J = I(z_d; v_k | v_c), and
      E its mean when v_k is permuted within combinations of v_c. Uncorrelated factors keep their plug-in information,
      which is not adjusted: noise scores higher than without (0.2 to 0.9, by the factors' sizes).
    * Every code weighs the same, however little it knows: a unit that is nearly but not exactly dead counts with the
      modularity of its noise, which is high when factors differ in their number of values (the plug-in bias grows
      with that number).
    * Says nothing about completeness: a factor may be spread over many codes, or be missing.

    References
    ----------
    Ridgeway, Mozer 2018, "Learning deep disentangled embeddings with the F-statistic loss", NeurIPS.

    Examples
    --------
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> modularity(factors, factors)
    1.0
    >>> modularity(np.zeros((20, 2)), factors)
    0.0
    >>> with_a_constant = np.column_stack([factors, np.zeros(20)])
    >>> round(modularity(with_a_constant, factors), 3), modularity(with_a_constant, factors, inactive="drop")
    (0.667, 1.0)
    """
    codes, factors = check(codes, factors, least_factors=2, factor_bins=factor_bins, independent=not conditional)
    check_option("bins", bins, 2)
    if inactive not in ("keep", "drop"):
        raise ValueError(f"inactive must be 'keep' or 'drop', got {inactive!r}")
    information, _ = information_and_entropy(discretise(codes, bins), factors, conditional)
    return _aggregate(information, inactive)


def _aggregate(information: NDArray[np.float64], inactive: str) -> float:
    """Modularity from a matrix of information, (d, f) nats."""
    squared = information**2
    best = squared.max(axis=1)
    known = best > NOTHING
    other = (squared.sum(axis=1) - best) / (information.shape[1] - 1)
    each = 1 - np.divide(np.minimum(other, best), best, out=np.ones_like(best), where=known)  # (d,)
    counted = each[known] if inactive == "drop" else each
    return float(counted.mean()) if len(counted) else 0.0
