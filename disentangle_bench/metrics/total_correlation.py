"""Gaussian total correlation, Locatello et al. 2019:   TC = (sum_d log C_dd - log det C) / 2,   C the covariance"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import check_codes
from ._metric import metric


@metric(estimator="of the Gaussian with the codes' covariance, nats", bounds=(0.0, float("inf")), best=0.0)
def total_correlation(codes: ArrayLike) -> float:
    """Gaussian total correlation: how far codes are from uncorrelated ones; uses no factors.

    TC = KL(N(0, C) || N(0, diag C)) = (sum_d log C_dd - log det C) / 2,   C the covariance of the codes

    Parameters
    ----------
    codes : (n, d) floats; constant ones are left out

    Returns
    -------
    float, at least 0, in nats; 0 when no two codes are correlated, and for a single code.

    Raises
    ------
    ValueError
        Codes that do not fit the description; as many codes as rows, or codes that are linear functions of each other:
        their total correlation is infinite. The message names the columns.

    Notes
    -----
    * All given rows are used. Published values (Locatello et al. 2019) used 10,000 mean codes, as disentanglement_lib
      does, which this reproduces. Its values for constant and for collinear codes are NaN, infinite, or rounding.
    * Noise scores near 0 as perfect codes of independent factors do.
    * Grows with the number of codes. With few rows it is too high, by about d (d - 1) / 4n.
    * Sees correlation alone: dependent codes without correlation, and rotations of codes of equal variance, score 0.
      Low values are therefore no evidence of disentanglement; Locatello et al. found none.
    * Unused codes that are small but not constant count like the others, since scale cancels.
    * Correlated factors make a perfect code score above 0.

    References
    ----------
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
    representations".
    Watanabe 1960, "Information theoretical analysis of multivariate correlation".

    Examples
    --------
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> round(total_correlation(factors), 9)
    0.0
    >>> round(total_correlation(factors @ [[1, 1], [0, 1]]), 3)  # correlation r^2 = 5/13: -log(1 - r^2) / 2
    0.243
    >>> total_correlation(np.zeros((20, 3)))
    0.0
    """
    x = check_codes(codes)
    varies = np.flatnonzero(np.ptp(x, axis=0) > 0)
    if len(varies) < 2:
        return 0.0
    n, d = len(x), len(varies)
    if n <= d:
        raise ValueError(
            f"codes must have more rows than columns that vary, got {n} rows and {d} such columns: "
            "their total correlation is infinite"
        )
    z = x[:, varies] - x[:, varies].mean(axis=0)
    z /= np.sqrt((z**2).sum(axis=0))
    eigenvalues, vectors = np.linalg.eigh(z.T @ z)  # of the correlation matrix: scales cancel
    if eigenvalues[0] <= 10 * d * np.finfo(np.float64).eps * eigenvalues[-1]:
        together = varies[np.abs(vectors[:, 0]) > 1e-6].tolist()
        raise ValueError(
            f"codes: columns {together} are not linearly independent, so that their total correlation is "
            "infinite; drop those that repeat others"
        )
    return max(0.0, float(-np.log(eigenvalues).sum() / 2))
