"""MIG-sup, Li et al. 2020, section 4:   1/D sum_d [I'(z_d; v_(1)) - I'(z_d; v_(2))],   I' = I(z_d; v_k) / H(v_k)"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ._conditional import information_and_entropy
from ._information import discretise, entropy, share
from ._inputs import check, check_option
from ._metric import metric

NOTHING = 1e-12  # share of an entropy: rounding, not information


@metric(estimator="plug-in mutual information, equal-width bins")
def mig_sup(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    bins: int = 20,
    factor_bins: int | None = None,
    normalise: Literal["factor", "code"] = "factor",
    inactive: Literal["keep", "drop"] = "keep",
    conditional: bool = False,
) -> float:
    """MIG-sup: how much more a code knows about its best known factor than about any other.

    MIG-sup = 1/D sum_d [I'(z_d; v_(1)) - I'(z_d; v_(2))],   v_(1), v_(2) the two factors that z_d knows most about

    with I'(z_d; v_k) = I(z_d; v_k) / H(v_k). MIG asks it of factors over codes, this of codes over factors.

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) integers, f >= 2, one column per factor of variation; columns of fractions are binned if continuous
    bins : number of equal-width bins of each code, from its minimum to its maximum
    factor_bins : put factors into so many equal-width bins, too; by default integers are classes as they are
    normalise : "factor" divides by H(v_k); "code" divides by H(z_d), the entropy of the binned code
    inactive : what to do with codes that know nothing about any factor, such as constants: "keep" counts their gap of
        0; "drop" leaves them out of the mean
    conditional : for correlated factors: I(z_d; v_k | v_c) and H(v_k | v_c) in place of I(z_d; v_k) and H(v_k), with
        v_c all factors that pairs with a Cramer's V above 0.1 link to v_k, adjusted for chance as in `mig`

    Returns
    -------
    float in [0, 1]; 1 when each code knows all of one factor and nothing of the rest. Noise scores near 0.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, fewer than two factors, a factor that never varies; with `conditional`,
        normalise="code", or a factor of which the others leave nothing to be found out.

    Notes
    -----
    * The default is normalised as MIG is, so that both can be read together, and a code that knows its factor wholly
      scores 1 however finely it varies otherwise. normalise="code" is what Ubisoft's comparative framework (Carbonneau
      et al. 2022) computes, with bins=10 by default, of codes that it scales to [0, 1] first; a constant code makes it
      NaN there. It asks how much of the code is about the factor: a code with noise in it, or one of several that
      share a factor, is judged by what its bins hold.
    * The authors' code takes the information of sampled posteriors, and averages over units whose means have a variance
      above 0.01: leave out the others' columns before the call to count as they do.
    * Codes that know nothing count as 0 by default, because nearly dead codes do so too: leaving out exact constants
      alone would make the score jump. A wide code with few active units therefore scores low.
    * Codes that split a factor score less than 1 each with "factor", although each is about that factor alone.
    * Says nothing about completeness: a factor that no code knows costs nothing, duplicated codes cost nothing.
    * A factor with more values than bins cannot reach 1. Plug-in information is biased upwards when there are few rows
      per bin and value, more so for factors with many values.

    References
    ----------
    Li, Murkute, Gyawali, Wang 2020, "Progressive learning and disentanglement of hierarchical representations", ICLR.
    Carbonneau, Zaidi, Boilard, Gagnon 2022, "Measuring disentanglement: a review of metrics".

    Examples
    --------
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> mig_sup(factors, factors)
    1.0
    >>> both = factors @ [[1], [4]]  # one code that holds both
    >>> round(mig_sup(both, factors), 9)
    0.0
    >>> mig_sup(np.zeros((20, 3)), factors)
    0.0
    """
    codes, factors = check(codes, factors, least_factors=2, factor_bins=factor_bins, independent=not conditional)
    check_option("bins", bins, 2)
    if normalise not in ("factor", "code"):
        raise ValueError(f"normalise must be 'factor' or 'code', got {normalise!r}")
    if inactive not in ("keep", "drop"):
        raise ValueError(f"inactive must be 'keep' or 'drop', got {inactive!r}")
    if conditional and normalise == "code":
        raise ValueError("normalise must be 'factor' where conditional is true, got 'code'")
    binned = discretise(codes, bins)
    information, entropies = information_and_entropy(binned, factors, conditional)
    shares = share(information, entropies if normalise == "factor" else entropy(binned)[:, None])  # (d, f)
    second, first = np.sort(shares, axis=1)[:, -2:].T
    gaps = (first - second)[first > NOTHING] if inactive == "drop" else first - second
    return float(gaps.mean()) if len(gaps) else 0.0
