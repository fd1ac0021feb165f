"""MIG of latents drawn from their posteriors, Chen et al. 2018, section 4.1:   I(z_j; v_k) = H(z_j) - H(z_j | v_k)"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._information import entropy
from ._inputs import check_option
from ._metric import metric
from ._posterior import check_posterior, posterior_information

REACH = 5  # standard deviations
FINEST = 1 / 50  # least width of a bin, of the least standard deviation


@metric(estimator="aggregate posterior of normal codes, integrated over fine bins")
def mig_posterior(
    codes: ArrayLike, sd: ArrayLike, factors: ArrayLike, *, bins: int = 2000, factor_bins: int | None = None
) -> float:
    """Mutual information gap of latents drawn from their posteriors, with the estimator of the paper.

    MIG = 1/F sum_k [I(z_(1); v_k) - I(z_(2); v_k)] / H(v_k),   I(z_j; v_k) = H(z_j) - H(z_j | v_k)
    q(z_j) = 1/n sum_i q(z_j | x_i),   q(z_j | v_k) the same over the rows that have v_k,   q(z_j | x_i) normal

    z_(1), z_(2) are the two codes that know most about v_k. The paper estimates the entropies by drawing from q and
    averaging log q; in one dimension they are integrals, which are computed here.

    Parameters
    ----------
    codes : (n, d) floats, d >= 2, the means of the posteriors
    sd : (n, d) floats above 0, their standard deviations
    factors : (n, f) integers, one column per factor of variation; columns of fractions are binned if continuous
    bins : most equal bins over which a code is integrated, from the least mean - 5 sd to the greatest mean + 5 sd; bins
        are not made narrower than a fiftieth of its least sd
    factor_bins : put factors into so many equal-width bins, too; by default integers are classes as they are

    Returns
    -------
    float in [0, 1]; near 1 when each factor is known to one code alone, and posteriors of different values do not
    overlap. Noise scores near 0, and codes whose posteriors are all alike exactly 0.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, fewer than two codes, a factor that never varies, an `sd` that has
        another shape than `codes` or is not positive.

    Notes
    -----
    * This is Chen et al.'s MIG; what goes by the name since Locatello et al. 2019 is `mig`, of binned means. Means may
      separate values that posteriors blur: then this score is lower, and no number of bins of the means can tell.
    * Masses of bins are exact differences of the normal distribution function. The information of a binned latent is a
      lower bound that grows with the bins to the integral: 2,000 leave an error below 0.001 nats where sd is at least
      1/500 of the range (40 values, 10,000 rows; 0.0025 for 1,000 values, 0.1 nats at 1/4000). A few rows of immense sd
      make bins too coarse for all.
    * p(v_k) and p(x | v_k) are relative frequencies of the given rows. Chen et al. took the full grid of dSprites.
    * No sampling, no seed. Time and memory grow linearly with rows and with bins.
    * As sd goes to 0, z tells every row with its own mean from all others: codes that differ in all rows then
      know everything about every factor, until bins get too wide for them, from where on this is `mig` in `bins` bins.
      Posteriors that are too narrow (an autoencoder's) make the score meaningless, as few rows do.
    * Duplicated codes score 0 although nothing is lost; one code that holds two factors costs nothing.

    References
    ----------
    Chen, Li, Grosse, Duvenaud 2018, "Isolating sources of disentanglement in variational autoencoders", section 4.1
        and appendix.

    Examples
    --------
    >>> factors = np.indices((2, 2, 5)).reshape(3, -1)[:2].T
    >>> round(mig_posterior(factors, np.full((20, 2), 0.05), factors), 6)
    1.0
    >>> 0.01 < mig_posterior(factors, np.full((20, 2), 1.0), factors) < 0.2  # posteriors overlap
    True
    >>> mig_posterior(np.zeros((20, 2)), np.ones((20, 2)), factors)
    0.0
    """
    mean, spread, classes = check_posterior(codes, sd, factors, least_codes=2, factor_bins=factor_bins)
    check_option("bins", bins, 2)
    low, high = (mean - REACH * spread).min(axis=0), (mean + REACH * spread).max(axis=0)
    wanted = np.ceil((high - low) / (FINEST * spread.min(axis=0)))
    count = np.clip(wanted, 2, bins).astype(np.int64)
    shares = posterior_information(mean, spread, classes, low, high, count) / entropy(classes)  # (d, f)
    second, first = np.sort(shares, axis=0)[-2:]
    return min(float((first - second).mean()), 1.0)  # rounding
