"""Mutual information gap, Chen et al. 2018, section 4.1:   MIG = 1/F sum_k [I(z_(1); v_k) - I(z_(2); v_k)] / H(v_k)"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ._conditional import information_and_entropy
from ._information import discretise, entropy, share
from ._inputs import check, check_option
from ._metric import metric


@metric(estimator="plug-in mutual information, equal-width bins")
def mig(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    bins: int = 20,
    factor_bins: int | None = None,
    normalise: Literal["factor", "code"] = "factor",
    conditional: bool = False,
) -> float:
    """Mutual information gap: how much more the best code knows about a factor than the second best.

    MIG = 1/F sum_k [I(z_(1); v_k) - I(z_(2); v_k)] / H(v_k),   z_(1), z_(2) the two codes that know most about v_k

    Parameters
    ----------
    codes : (n, d) floats, d >= 2
    factors : (n, f) integers, one column per factor of variation; columns of fractions are binned if continuous
    bins : number of equal-width bins of each code, from its minimum to its maximum
    factor_bins : put factors into so many equal-width bins, too; by default integers are classes as they are
    normalise : "factor" divides by H(v_k), as Chen et al. do; "code" divides each I(z_d; v_k) by H(z_d), the entropy
        of the binned code, before the gap is taken (constant codes count as knowing nothing)
    conditional : for correlated factors: I(z_d; v_k | v_c) and H(v_k | v_c) in place of I(z_d; v_k) and H(v_k), with
        v_c all factors that pairs with a Cramer's V above 0.1 link to v_k, adjusted for chance (see Notes)

    Returns
    -------
    float in [0, 1]; 1 when each factor is known to one code alone. Noise scores near 0. Information and entropy are
    in nats; the unit cancels.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, fewer than two codes, a factor that never varies (it has no entropy);
        with `conditional`, normalise="code", or a factor of which the others leave nothing to be found out.

    Notes
    -----
    * All given rows are used. Published values (Locatello et al. 2019) used 10,000 rows and 20 bins.
    * Elsewhere: dent bins factors too (bins=20, factor_bins=20). Ubisoft's comparative framework (Carbonneau et al.
      2022) has normalise="code" and bins=10 by default, of codes that it scales to [0, 1] first, which matters to
      values on the edge of a bin; its flag for continuous factors is factor_bins=10.
    * normalise="code" lowers the score of a code with more bins than its factor has values, however well it does.
    * Correlated factors: a code of one knows something about the other, and a perfect one stays below 1
      (`CorrelatedFactors` warns). `conditional` asks what a code knows beyond the correlated factors. There the
      plug-in information J within their combinations is biased upwards, on average to E when v_k is permuted within
      them; (J - E) / (H(v_k | v_c) - E), at least 0, is then used for I / H, so that a perfect code scores 1 and noise
      near 0. Uncorrelated factors keep their I / H. Dependence of three factors of which no two depend is not seen.
    * Says nothing about what else a code carries: one code that holds two factors costs nothing (`mig_sup`).
    * Duplicated codes score 0 although nothing is lost.
    * A factor with more values than bins cannot reach 1. Heavy-tailed codes crowd into a few bins.
    * Plug-in information is biased upwards when there are few rows per bin and value.
    * Bins are closed on the left, so codes with ties on an edge change a little when flipped or rounded to float32.

    References
    ----------
    Chen, Li, Grosse, Duvenaud 2018, "Isolating sources of disentanglement in variational autoencoders", section 4.1.
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
        representations".
    Vinh, Epps, Bailey 2010, "Information theoretic measures for clusterings comparison": the adjustment for chance.

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
    codes, factors = check(codes, factors, least_codes=2, factor_bins=factor_bins, independent=not conditional)
    check_option("bins", bins, 2)
    if normalise not in ("factor", "code"):
        raise ValueError(f"normalise must be 'factor' or 'code', got {normalise!r}")
    if conditional and normalise == "code":
        raise ValueError("normalise must be 'factor' where conditional is true, got 'code'")
    binned = discretise(codes, bins)
    information, entropies = information_and_entropy(binned, factors, conditional)
    shares = share(information, entropies if normalise == "factor" else entropy(binned)[:, None])  # (d, f)
    second, first = np.sort(shares, axis=0)[-2:]
    return float((first - second).mean())
