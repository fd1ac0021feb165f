"""Active units, Burda et al. 2016:   AU = number of d with Var_x(E[z_d | x]) > 0.01"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import check_codes
from ._metric import metric


@metric(estimator="variance of the mean code", bounds=(0.0, float("inf")), best=None)
def active_units(codes: ArrayLike, *, threshold: float = 0.01) -> float:
    """Active units: how many codes vary between rows at all; uses no factors.

    AU = sum_d [Var_x(E[z_d | x]) > threshold]

    Parameters
    ----------
    codes : (n, d) floats, the mean codes
    threshold : a code is active if its variance is larger

    Returns
    -------
    float, a whole number from 0 to d. Neither end is better: compare it with the number of factors.

    Raises
    ------
    ValueError
        Codes that do not fit the description, or a threshold below 0.

    Notes
    -----
    * The threshold 0.01 is the convention, and supposes a standard normal prior: it has no meaning for codes on another
      scale, nor for sampled codes, whose noise counts as activity.
    * A constant code is never active, and neither is any code of a single row.
    * Counts duplicates and rotations of the same information in full, and says nothing about factors.

    References
    ----------
    Burda, Grosse, Salakhutdinov 2016, "Importance weighted autoencoders", section 5.

    Examples
    --------
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> active_units(factors)
    2.0
    >>> active_units(0.05 * factors)
    0.0
    >>> active_units(np.zeros((20, 3)))
    0.0
    """
    x = check_codes(codes)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float | np.number) or not threshold >= 0:
        raise ValueError(f"threshold must be a number of at least 0, got {threshold!r}")
    return float(((np.ptp(x, axis=0) > 0) & (x.var(axis=0) > threshold)).sum())
