"""Robust MIG, Do and Tran 2020:   RMIG = 1/F sum_k [I(z_(1); v_k) - I(z_(2); v_k)],   z quantised by q(bin | x)"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._information import entropy
from ._inputs import check_option
from ._metric import metric
from ._posterior import check_posterior, posterior_information


@metric(estimator="masses of normal posteriors in equal bins of a fixed range")
def rmig(
    codes: ArrayLike,
    sd: ArrayLike,
    factors: ArrayLike,
    *,
    bins: int = 100,
    span: float = 4.0,
    factor_bins: int | None = None,
    normalised: bool = True,
) -> float:
    """Robust mutual information gap: MIG of latents in bins that each posterior fills by its probability.

    RMIG = 1/F sum_k [I(z_(1); v_k) - I(z_(2); v_k)] / H(v_k),   z_(1), z_(2) the two codes that know most about v_k
    q(bin, v_k) = 1/n sum over rows that have v_k of q(bin | x),   q(bin | x) = integral of N(code, sd^2) over the bin

    Parameters
    ----------
    codes : (n, d) floats, d >= 2, the means of the posteriors
    sd : (n, d) floats above 0, their standard deviations
    factors : (n, f) integers, one column per factor of variation; columns of fractions are binned if continuous
    bins : number of equal bins of each code
    span : the bins reach from -span to span; the outermost take what lies beyond
    factor_bins : put factors into so many equal-width bins, too; by default integers are classes as they are
    normalised : False leaves out the division by H(v_k) and gives nats

    Returns
    -------
    float in [0, 1], 1 best; with normalised=False nats, at most the mean entropy of the factors. Noise scores near 0.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, fewer than two codes, a factor that never varies, an `sd` that has
        another shape than `codes` or is not positive, a `span` that is not positive.

    Notes
    -----
    * Divided by H(v_k) by default, as in the authors' code, so that the number has a range and can be read beside
      `mig`; normalised=False is the bare gap, in which factors with many values weigh more. The authors' code takes the
      density at the middle of a bin for its mass, which moves scores by up to 0.003.
    * The range from -4 to 4 and bins of 0.08 suit latents that follow a standard normal prior. They are fixed, so the
      score is not invariant to scale: multiplied by 100, most codes fall into the two outermost bins.
    * It is `mig_posterior` in coarser bins of a fixed range: the information of each code is at most as high. Against
      `mig`, a posterior that is wider than a bin counts as what it is, and a dead unit has no information.
    * No sampling, no seed: q(bin | x) is averaged over all given rows.
    * Duplicated codes score 0 although nothing is lost; one code that holds two factors costs nothing.

    References
    ----------
    Do, Tran 2020, "Theory and evaluation metrics for learning disentangled representations", ICLR.

    Examples
    --------
    >>> factors = np.indices((2, 2, 5)).reshape(3, -1)[:2].T
    >>> round(rmig(factors, np.full((20, 2), 0.05), factors), 6)
    1.0
    >>> round(rmig(factors, np.full((20, 2), 0.05), factors, normalised=False), 6)  # log(2)
    0.693147
    >>> rmig(np.zeros((20, 2)), np.ones((20, 2)), factors)
    0.0
    """
    mean, spread, classes = check_posterior(codes, sd, factors, least_codes=2, factor_bins=factor_bins)
    check_option("bins", bins, 2)
    if not isinstance(span, int | float | np.number) or isinstance(span, bool) or not 0 < span < np.inf:
        raise ValueError(f"span must be a number above 0, got {span!r}")
    high = np.full(mean.shape[1], float(span))
    count = np.full(mean.shape[1], bins, np.int64)
    information = posterior_information(mean, spread, classes, -high, high, count)  # (d, f) nats
    second, first = np.sort(information / entropy(classes) if normalised else information, axis=0)[-2:]
    gap = float((first - second).mean())
    return min(gap, 1.0) if normalised else gap  # rounding
