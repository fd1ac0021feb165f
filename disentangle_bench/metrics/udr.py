"""UDR, Duan et al. 2020:   [sum_b max_a R_ab^2 / sum_a R_ab + sum_a max_b R_ab^2 / sum_b R_ab] / (d_i + d_j)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._inputs import check_codes
from ._metric import metric


class UDR(NamedTuple):
    mean: float
    each: NDArray[np.float64]


@metric(
    estimator="Spearman correlation of codes of two runs, median over the others",
    variants={"": {}, "lasso": {"relevance": "lasso"}},
    estimators={"lasso": "lasso weights between codes of two runs, median over the others"},
    unused={"": ("penalty",)},
)
def udr(
    representations: Sequence[ArrayLike],
    *,
    sd: Sequence[ArrayLike] | None = None,
    relevance: Literal["spearman", "lasso"] = "spearman",
    penalty: float = 0.1,
    least_variance: float = 0.01,
    least_kl: float = 0.01,
) -> UDR:
    """Unsupervised disentanglement ranking: whether runs with other seeds find the same codes; uses no factors.

    UDR_ij = [sum_b max_a R_ab^2 / sum_a R_ab + sum_a max_b R_ab^2 / sum_b R_ab] / (d_i + d_j)

    with R_ab the relevance of code a of run i for code b of run j, over the d_i and d_j informative codes of the two
    runs. The score of run j is the median over all other runs i.

    Parameters
    ----------
    representations : two or more arrays (n, d_i) of floats: the mean codes of the same n rows by each run
    sd : as many arrays (n, d_i) of floats above 0, the standard deviations of the codes; None if there are none
    relevance : "spearman", the absolute rank correlation; "lasso", the absolute weight of code a in a lasso regression
        of code b on all informative codes of run i, all standardised; a weight above 1 counts as 1
    penalty : of the lasso's absolute weights, beside half the mean squared error
    least_variance : without `sd`, a code is informative if its variance is larger
    least_kl : with `sd`, a code is informative if its mean KL divergence from a standard normal is larger, in nats

    Returns
    -------
    NamedTuple

    * `mean`, float in [0, 1], the mean score of the runs; 1 when all runs have the same informative codes, uncorrelated
      among themselves, up to order, sign and (Spearman) any increasing function. For the lasso the best is 1 - penalty.
    * `each`, (runs,) scores, to choose a run by.

    A run without informative codes scores 0. Unrelated runs score near 0: 0.005 for ten codes in 10,000 rows by
    Spearman, 0 by lasso.

    Raises
    ------
    ValueError
        Fewer than two representations, arrays that do not fit the description or each other, or wrong options.

    Notes
    -----
    * Published values used both relevances, for models of the same hyper-parameters and other seeds, with `least_kl`
      0.01. disentanglement_lib has the lasso with penalty 0.1 as its default, and averages the means of the two sums of
      the equation, which differs where d_i and d_j do. There a weight above 1, which correlated codes get, counts in
      full; then the score may exceed 1.
    * Agreement is not disentanglement: runs that agree on the same entangled codes (PCA, say) score 1. The idea is that
      training entangles them differently each time.
    * A factor with a symmetry (a cyclic orientation) may be found in different, equally good ways: then it is low.
    * `least_variance` and `least_kl` suppose codes on the scale of a standard normal prior. Without them, codes that
      collapsed to the prior would count.
    * Depends on how many runs there are: a median over one other run is only that run.

    References
    ----------
    Duan, Matthey, Saraiva, Watters, Burgess, Lerchner, Higgins 2020, "Unsupervised model selection for variational
    disentangled representation learning", section 4.

    Examples
    --------
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> round(udr([factors, -factors[:, ::-1], np.exp(factors)]).mean, 9)
    1.0
    >>> mixed = factors @ [[1, 1], [1, -1]]
    >>> udr([factors, factors, mixed]).each.round(2)
    array([0.7, 0.7, 0.4])
    >>> udr([np.zeros((20, 2)), np.zeros((20, 2))]).mean
    0.0
    """
    kept = _informative(representations, sd, least_variance, least_kl)
    if relevance not in ("spearman", "lasso"):
        raise ValueError(f"relevance must be 'spearman' or 'lasso', got {relevance!r}")
    if not 0 < penalty < 1:
        raise ValueError(f"penalty must lie between 0 and 1, got {penalty!r}")
    z = [_standardised(_ranks(x) if relevance == "spearman" else x) for x in kept]
    scores = np.full((len(z), len(z)), np.nan)  # (runs, runs)
    for i, j in np.ndindex(*scores.shape):
        if relevance == "spearman" and i > j:
            scores[i, j] = scores[j, i]
        elif i != j:
            r = np.abs(z[i].T @ z[j]) / len(z[i]) if relevance == "spearman" else _lasso(z[i], z[j], penalty)
            scores[i, j] = _agreement(np.minimum(r, 1))
    each = np.nanmedian(scores, axis=0)
    return UDR(float(each.mean()), each)


def _informative(
    representations: Sequence[ArrayLike], sd: Sequence[ArrayLike] | None, least_variance: float, least_kl: float
) -> list[NDArray]:
    """The codes of each run that vary and are informative, (n, d_i)."""
    arrays = [_checked(one, f"representations[{i}]") for i, one in enumerate(representations)]
    if len(arrays) < 2:
        raise ValueError(f"representations must be two or more arrays (n, d), got {len(arrays)}")
    for i, x in enumerate(arrays):
        if len(x) != len(arrays[0]):
            raise ValueError(f"representations[{i}] has {len(x)} rows, representations[0] has {len(arrays[0])}")
    if sd is None:
        return [x[:, (np.ptp(x, axis=0) > 0) & (x.var(axis=0) > least_variance)] for x in arrays]
    deviations = [_checked(one, f"sd[{i}]") for i, one in enumerate(sd)]
    if [s.shape for s in deviations] != [x.shape for x in arrays]:
        shapes = [s.shape for s in deviations], [x.shape for x in arrays]
        raise ValueError(f"sd must have the shapes of representations, got {shapes[0]} and {shapes[1]}")
    if min(s.min() for s in deviations) <= 0:
        raise ValueError(f"sd must be above 0, got {min(s.min() for s in deviations)}")
    kl = [(x**2 + s**2 - 1 - 2 * np.log(s)).mean(axis=0) / 2 for x, s in zip(arrays, deviations)]
    return [x[:, (np.ptp(x, axis=0) > 0) & (k > least_kl)] for x, k in zip(arrays, kl)]


def _checked(array: ArrayLike, name: str) -> NDArray:
    try:
        return check_codes(array)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _ranks(x: NDArray) -> NDArray:
    from scipy.stats import rankdata

    return rankdata(x, axis=0) if x.size else x


def _standardised(x: NDArray) -> NDArray:
    """Zero mean and unit variance; zero where constant."""
    varies = np.ptp(x, axis=0) > 0
    centred = (x - x.mean(axis=0)) * varies
    return centred / np.where(varies, x.std(axis=0), 1)


def _lasso(x: NDArray, y: NDArray, penalty: float) -> NDArray:
    """(d_i, d_j) absolute weights."""
    from sklearn.linear_model import Lasso

    if 0 in (x.shape[1], y.shape[1]):
        return np.zeros((x.shape[1], y.shape[1]))
    model = Lasso(alpha=penalty, fit_intercept=False, precompute=True, random_state=0)
    return np.abs(model.fit(x, y).coef_).reshape(y.shape[1], x.shape[1]).T


def _agreement(r: NDArray) -> float:
    """UDR_ij from the relevance of d_i codes for d_j codes."""
    if 0 in r.shape:
        return 0.0
    total = 0.0
    for axis in 0, 1:
        largest, whole = r.max(axis=axis), r.sum(axis=axis)
        total += np.divide(largest**2, whole, out=np.zeros(len(whole)), where=whole > 0).sum()
    return float(total / sum(r.shape))
