"""InfoMEC, Hsu et al. 2023:   InfoM = (mean_d max_k N_dk / sum_k N_dk - 1/F) / (1 - 1/F),   N = I(z_d; v_k) / H(v_k)"""

from __future__ import annotations

import warnings
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._information import discretise, entropy, mutual_information
from ._inputs import check, check_option
from ._metric import metric
from ._neighbours import neighbour_information


class InfoMEC(NamedTuple):
    infom: float
    infoe: float
    infoc: float
    nmi: NDArray[np.float64]


@metric(
    estimator="nearest-neighbour mutual information, linear probe on the same rows",
    variants={"": {}, "bins": {"estimator": "bins"}},
    estimators={"bins": "plug-in mutual information, equal-width bins, linear probe on the same rows"},
    unused={"": ("bins",), "bins": ("estimator", "neighbours")},
)
def infomec(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    estimator: Literal["knn", "bins"] = "knn",
    neighbours: int = 10,
    bins: int = 20,
    least_range: float = 0.05,
    iterations: int = 100,
    undefined: str = "raise",
) -> InfoMEC:
    """InfoMEC: modularity, explicitness and compactness as shares of information.

    InfoM = (1/A sum_d max_k N_dk / sum_k N_dk - 1/F) / (1 - 1/F),   N_dk = I(z_d; v_k) / H(v_k),   A active codes

    InfoC = (1/F sum_k max_d N_dk / sum_d N_dk - 1/A) / (1 - 1/A)

    InfoE = 1/F sum_k [1 - L_k / log V_k],   L_k the mean log loss of reading factor k, of V_k values, linearly

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) integers, one column per factor of variation
    estimator : of I(z_d; v_k): "knn" from nearest neighbours (Ross 2014), "bins" the plug-in with equal-width bins
    neighbours : of each row within its value of the factor, for "knn"
    bins : of each code, for "bins"
    least_range : a code is active if its range is more than this share of the largest range of all codes
    iterations : at most, in fitting each classifier
    undefined : "raise" refuses arrays of which a part of the result is undefined; "nan" gives nan for it and warns

    Returns
    -------
    NamedTuple of three floats in [0, 1] and a matrix, 1 being best

    * `infom`, modularity: each active code knows one factor. Undefined for one factor.
    * `infoe`, explicitness: factors can be read from the codes linearly.
    * `infoc`, compactness: each factor is known to one active code. Undefined for one active code.
    * `nmi`, N_dk as (d, f), inactive codes too. Neighbours may give a little more than 1.

    A code that knows nothing, and a factor that no active code knows, count with 0. Without any active code all are 0.
    Noise has no fixed InfoM and InfoC, see the notes; its InfoE is near 0.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, a factor that never varies, wrong options, or an undefined part.

    Notes
    -----
    * All given rows are used, the classifiers are judged on the rows that they were fitted on: with few rows InfoE is
      too high. Information is in nats; the unit cancels.
    * The defaults reproduce the authors' own code: ten neighbours, the range of a twentieth, and for InfoE standardised
      codes (the inactive ones too), logistic regression without penalty, stopped after 100 steps, with values of a
      factor weighted to equal frequency in fitting but not in the loss. More steps raise InfoE of nearly separable
      codes by up to 0.04.
    * `estimator="bins", least_range=0.125` reproduces MIR ("mutual information ratio") of the authors' other
      repository, latent_quantization.
    * InfoM and InfoC divide what little is known, so that chance decides where nothing is. Estimates of no information
      scatter around 0 and are cut there, and the largest of a few is a large share of their sum: for dSprites' factors
      noise has an InfoM of 0.5 to 0.8 and an InfoC of 0.3 to 0.5 in any number of rows, with "bins" 0.14 and 0.02. Read
      them beside InfoE, or beside the matrix.
    * Equal codes are told apart by a tiny fixed number for each row, where the authors' code draws a new one each time.
      Therefore perfect codes with few values do not reach 1: the information of unrelated pairs is noise, cut at 0,
      which costs 0.01 in 2,000 rows. Two runs of the authors' code differed by up to 0.16 where noise decides. Take
      "bins" for quantised codes of up to 20 levels; the mode that the authors have for them (levels as classes, one-hot
      codes for InfoE) is not here.
    * Activity depends on scale. One outlier makes all other codes inactive, and an informative code on a small scale
      is left out of InfoM and InfoC.
    * Linear in information, where `modularity` takes squares: the same codes score lower here.
    * A duplicated code halves InfoC and leaves InfoM and InfoE alone.
    * A code that knows one of two correlated factors knows the other: a warning is given.

    References
    ----------
    Hsu, Dorrell, Whittington, Wu, Finn 2023, "Disentanglement via latent quantization", section 4.
    Ross 2014, "Mutual information between discrete and continuous data sets".

    Examples
    --------
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> scores = infomec(factors, factors, estimator="bins")
    >>> round(scores.infom, 6), round(scores.infoe, 3), round(scores.infoc, 6)
    (1.0, 1.0, 1.0)
    >>> twice = infomec(np.repeat(factors, 2, axis=1), factors, estimator="bins")
    >>> round(twice.infom, 6), round(twice.infoc, 6)  # half of 1, rescaled so that a quarter is 0
    (1.0, 0.333333)
    >>> infomec(np.zeros((20, 3)), factors)[:3]
    (0.0, 0.0, 0.0)
    """
    x, y = check(codes, factors, independent=True)
    for name, value, least in ("neighbours", neighbours, 1), ("bins", bins, 2), ("iterations", iterations, 1):
        check_option(name, value, least)
    if estimator not in ("knn", "bins"):
        raise ValueError(f"estimator must be 'knn' or 'bins', got {estimator!r}")
    if not 0 <= least_range < 1:
        raise ValueError(f"least_range must be at least 0 and below 1, got {least_range!r}")
    if undefined not in ("raise", "nan"):
        raise ValueError(f"undefined must be 'raise' or 'nan', got {undefined!r}")
    ranges = np.ptp(x, axis=0)
    active = ranges > least_range * ranges.max()
    infom, infoc = True, True
    if y.shape[1] == 1:
        infom = _undefined(undefined, "infom", "compares factors and needs at least 2, factors has 1")
    if active.sum() == 1:
        reason = f"compares codes and needs at least 2 of enough range, codes has 1 (of {x.shape[1]})"
        infoc = _undefined(undefined, "infoc", reason)
    known = (
        neighbour_information(x, y, neighbours) if estimator == "knn" else mutual_information(discretise(x, bins), y)
    )
    nmi = known / entropy(y)
    return InfoMEC(
        _concentration(nmi[active]) if infom else float("nan"),
        _explicitness(x, y, iterations),
        _concentration(nmi[active].T) if infoc else float("nan"),
        nmi,
    )


def _undefined(how: str, part: str, reason: str) -> bool:
    message = f"{part} is undefined: it {reason}"
    if how == "raise":
        raise ValueError(f"{message}; undefined='nan' gives nan for it")
    warnings.warn(message, UserWarning, stacklevel=3)
    return False


def _concentration(shares: NDArray) -> float:
    """Of each row's total the share of its largest, from 0 for equal parts to 1; mean over rows, 0 for an empty one."""
    if 0 in shares.shape:
        return 0.0
    total = shares.sum(axis=1)
    largest = np.divide(shares.max(axis=1), total, out=np.full(len(total), 1 / shares.shape[1]), where=total > 0)
    return float(np.clip((largest.mean() * shares.shape[1] - 1) / (shares.shape[1] - 1), 0, 1))


def _explicitness(x: NDArray, y: NDArray, iterations: int) -> float:
    from sklearn.linear_model import LogisticRegression

    from ._fit import fit

    x = x[:, np.ptp(x, axis=0) > 0]
    if not x.shape[1]:
        return 0.0
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    read = []
    for column in y.T:
        values, classes = np.unique(column, return_inverse=True)
        classifier = LogisticRegression(C=np.inf, class_weight="balanced", max_iter=iterations, tol=1e-4 / len(x))
        right = fit(classifier, x, classes).predict_proba(x)[np.arange(len(x)), classes]
        loss = -np.log(np.maximum(right, np.finfo(np.float64).eps)).mean()
        read.append(max(0.0, 1 - loss / np.log(len(values))))
    return float(np.mean(read))
