"""Gaussian Wasserstein correlation, Locatello et al. 2019:   W = 2 tr C - 2 tr (D^1/2 C D^1/2)^1/2,   D = diag C"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import check_codes
from ._metric import metric


class WassersteinCorrelation(NamedTuple):
    raw: float
    normalised: float


@metric(estimator="of the Gaussian with the codes' covariance", bounds=(0.0, float("inf")), best=0.0)
def wasserstein_correlation(codes: ArrayLike) -> WassersteinCorrelation:
    """Gaussian Wasserstein correlation: the work that it takes to make codes uncorrelated; uses no factors.

    W = W_2^2(N(0, C), N(0, D)) = 2 tr C - 2 tr (D^1/2 C D^1/2)^1/2,   C the covariance of the codes, D its diagonal

    Parameters
    ----------
    codes : (n, d) floats, n >= 2

    Returns
    -------
    NamedTuple of two floats, 0 when no two codes are correlated, and for a single code

    * `raw`, W in squared units of the codes, at least 0 and at most 2 tr C
    * `normalised`, W / tr C, in [0, 2); 0 if all codes are constant

    Raises
    ------
    ValueError
        Codes that do not fit the description, or one row, which has no covariance.

    Notes
    -----
    * All given rows are used, with covariance over n - 1. Published values (Locatello et al. 2019) used 10,000 mean
      codes, as disentanglement_lib does, which this reproduces. For singular covariances that gives complex numbers;
      here collinear and constant codes have a value like any others.
    * Noise scores near 0 as perfect codes do, for both are uncorrelated. Raw, it is in squares of the codes' unit.
    * Codes of large variance dominate; the raw score multiplies with the square of a common scale.
    * Sees correlation alone: dependent codes without correlation, and rotations of codes of equal variance, score 0.
    * Correlated factors make a perfect code score above 0.

    References
    ----------
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
    representations".
    Dowson, Landau 1982, "The Frechet distance between multivariate normal distributions".

    Examples
    --------
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> [round(part, 9) for part in wasserstein_correlation(factors)]
    [0.0, 0.0]
    >>> twice = [[1], [-1], [1], [-1]] @ np.ones((1, 2))  # C = 4/3 everywhere: W = 2 (2 - sqrt 2) 4/3
    >>> [round(part, 3) for part in wasserstein_correlation(twice)]
    [1.562, 0.586]
    >>> wasserstein_correlation(np.zeros((20, 3)))
    WassersteinCorrelation(raw=0.0, normalised=0.0)
    """
    x = check_codes(codes)
    if len(x) < 2:
        raise ValueError("codes must have at least 2 rows, because one has no covariance; got 1")
    x = x[:, np.ptp(x, axis=0) > 0]
    if x.shape[1] < 2:
        return WassersteinCorrelation(0.0, 0.0)
    x = (x - x.mean(axis=0)) / np.sqrt(len(x) - 1)
    variance = (x**2).sum(axis=0)
    # eigenvalues of D^1/2 C D^1/2 are squared singular values of x D^1/2, which keep the digits of small codes
    roots = np.linalg.svd(np.linalg.qr(x * np.sqrt(variance), mode="r"), compute_uv=False)
    raw = max(0.0, float(2 * variance.sum() - 2 * roots.sum()))
    return WassersteinCorrelation(raw, raw / float(variance.sum()))
