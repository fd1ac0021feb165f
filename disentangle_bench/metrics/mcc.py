"""Mean correlation coefficient, Hyvarinen and Morioka 2016:   MCC = 1/F max_pi sum_k |corr(z_pi(k), v_k)|"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ._inputs import check_numbers
from ._metric import metric
from ._regression import check_turns, explained


@metric(
    estimator="absolute correlation of code and factor value, codes matched one to one",
    variants={"": {}, "spearman": {"correlation": "spearman"}},
    estimators={"spearman": "absolute rank correlation of code and factor value, codes matched one to one"},
    unused={"": ("correlation",), "spearman": ("correlation",)},
)
def mcc(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    correlation: Literal["pearson", "spearman"] = "pearson",
    cyclic: Mapping[int, float] | None = None,
) -> float:
    """Mean correlation coefficient: how well each factor correlates with a code of its own.

    MCC = 1/F max_pi sum_k |corr(z_pi(k), v_k)|,   pi gives each factor another code (Hungarian method)

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) numbers, one column per factor of variation
    correlation : "pearson" of the values, or "spearman": of their ranks, ties sharing the mean of theirs
    cyclic : by column of factors, the period after which it repeats. In place of |corr| such a factor has the multiple
        correlation of the code (or its ranks) with (cos, sin) of 2 pi v / period.

    Returns
    -------
    float in [0, 1]; 1 when each factor has a code that is linear in it (Spearman: that orders it). A constant code
    correlates with nothing. Noise scores near 0, and above it by about the largest of d chance correlations.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, or a factor that never varies.

    Notes
    -----
    * All given rows are used: nothing is fitted but the matching.
    * With fewer codes than factors, the factors that are left without one count 0. Papers on identifiability have as
      many codes as sources; there it is the same as their mean over codes.
    * Factors are taken as numbers: the score of one with more than two values and no order depends on its labels.
    * A cyclic factor needs one code that is a cosine of it, at any phase, and that need not tell all its values apart:
      of a pair (cos, sin) one is matched and scores 1. A code that is linear in the value scores 0.78 to 1 on it.
    * A code may correlate with other factors, too; that costs nothing as long as each factor finds a code. Duplicated
      codes cost nothing. Correlated factors lend each other's codes a correlation.
    * Published values (Hyvarinen and Morioka 2016, Khemakhem et al. 2020) are Pearson on held-out rows; some apply
      an affine map to the codes first ("weak" MCC), which is another number and not computed here.

    References
    ----------
    Hyvarinen, Morioka 2016, "Unsupervised feature extraction by time-contrastive learning and nonlinear ICA".
    Khemakhem, Monti, Kingma, Hyvarinen 2020, "ICE-BeeM: identifiable conditional energy-based deep models based on
        nonlinear ICA".
    Mardia 1976, "Linear-circular correlation coefficients and rhythmometry".

    Examples
    --------
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> mcc(factors[:, ::-1] * [-1.0, 2.0], factors)
    1.0
    >>> mcc(factors[:, :1], factors)                         # one code for two factors
    0.5
    >>> mcc(np.zeros((20, 3)), factors)
    0.0
    """
    from scipy.optimize import linear_sum_assignment

    if correlation not in ("pearson", "spearman"):
        raise ValueError(f"correlation must be 'pearson' or 'spearman', got {correlation!r}")
    x, targets = check_numbers(codes, factors, cyclic)
    check_turns(targets)
    if correlation == "spearman":
        from scipy.stats import rankdata

        x = rankdata(x, axis=0)
        targets = [rankdata(target, axis=0) if target.shape[1] == 1 else target for target in targets]
    matrix = np.sqrt(np.stack([explained(x, target) for target in targets], axis=1))  # (d, f)
    return float(matrix[linear_sum_assignment(matrix, maximize=True)].sum() / matrix.shape[1])
