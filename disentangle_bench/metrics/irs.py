"""Interventional robustness score, Suter et al. 2019:   sum_d M_d max_k [1 - mean_v q(|z_d - E[z_d | v_k]|) / M_d]"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._inputs import check
from ._metric import metric


@metric(estimator="deviation from the mean code of each value, weighted by range", bounds=(-1.0, 1.0))
def irs(codes: ArrayLike, factors: ArrayLike, *, quantile: float = 0.99, factor_bins: int | None = None) -> float:
    """Interventional robustness score: how still a code stays while all factors but its own change.

    IRS = sum_d M_d max_k r_dk / sum_d M_d,   r_dk = 1 - 1/V_k sum_v q(|z_d - mean(z_d | v_k = v)|, v_k = v) / M_d

    with M_d = max |z_d - mean(z_d)| over all rows, V_k the number of values of factor k, and q the quantile over the
    rows that have this value.

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) integers, one column per factor of variation
    quantile : of the deviations among rows that share a value, in (0, 1]; 1 is the largest deviation
    factor_bins : None takes every value of a factor as it is; a number merges the values of each factor into as many
        equal-width bins first

    Returns
    -------
    float in [-1, 1]; 1 when each code is a function of one factor, whatever the function. Noise does not score 0,
    see the notes. Below 0 where a value has outliers of its own. Constant codes are left out; if
    there are no others the score is 0.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, a factor that never varies, or a quantile outside (0, 1].

    Notes
    -----
    * All given rows are used, training rows in published values.
    * `factor_bins=20` reproduces disentanglement_lib (Locatello et al. 2019), which merges the values of a factor that
      has more than 20. The default does not: the definition holds one value fixed, and within a merged bin even a
      perfect code moves. `quantile=1` reproduces the default of Ubisoft's comparative framework (Carbonneau et al.
      2022), which does not merge.
    * The paper takes the largest deviation. That hangs on one outlier, so the quantile 0.99 is the convention. It is
      compared with the largest deviation of all rows, though, so that codes with tails look robust: in 10,000 rows of
      dSprites' factors uniform noise scores 0.01, Gaussian noise 0.38 (0.25 with `quantile=1`), t noise of three
      degrees of freedom 0.8. Compare with noise of the same shape.
    * A value with few rows looks still: Gaussian noise scores 0.4 in 1,000 rows, 0.74 in 100, and 1 where every value
      has one row. Compare scores of equally many rows.
    * Codes are weighted by their largest deviation: the score depends on the scale of codes relative to each other, and
      one heavy-tailed code can decide it.
    * Says nothing about completeness: a factor spread over many codes, or absent from all, costs nothing.
    * Rows that share a value stand in for interventions, which is right only for independent factors; a warning is
      given when they are not.

    References
    ----------
    Suter, Miladinovic, Schoelkopf, Bauer 2019, "Robustly disentangled causal mechanisms: validating deep
    representations for interventional robustness", sections 4 and 5.

    Examples
    --------
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> irs(factors, factors)
    1.0
    >>> both = factors.sum(axis=1, keepdims=True)
    >>> round(irs(both, factors, quantile=1), 3)  # deviations 3.5; 2 for one value of factor 0, 1.5 of factor 1
    0.571
    >>> irs(np.zeros((20, 3)), factors)
    0.0
    """
    x, y = check(codes, factors, factor_bins=factor_bins, independent=True)
    if isinstance(quantile, bool) or not isinstance(quantile, int | float | np.number) or not 0 < quantile <= 1:
        raise ValueError(f"quantile must be a number above 0 and at most 1, got {quantile!r}")
    x = x[:, np.ptp(x, axis=0) > 0]
    if not x.shape[1]:
        return 0.0
    largest = np.abs(x - x.mean(axis=0)).max(axis=0)
    robustness = 1 - np.stack([_deviation(x, column, quantile) for column in y.T], axis=1) / largest[:, None]  # (d, f)
    return float(np.average(robustness.max(axis=1), weights=largest))


def _deviation(x: NDArray, classes: NDArray, quantile: float) -> NDArray:
    """(d,): the quantile of the distance from a value's mean code, averaged over values without weights."""
    order = np.argsort(classes, kind="stable")
    starts = np.flatnonzero(np.diff(classes[order])) + 1
    groups = np.split(x[order], starts)
    return np.mean([np.quantile(np.abs(rows - rows.mean(axis=0)), quantile, axis=0) for rows in groups], axis=0)
