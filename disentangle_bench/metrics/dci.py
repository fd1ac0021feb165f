"""Disentanglement, completeness, informativeness, Eastwood and Williams 2018, section 2, with gradient-boosted trees"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._fit import fit
from ._inputs import Split, check, check_option, check_split
from ._metric import metric


@metric(estimator="gradient-boosted trees, accuracy")
def dci(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    predictor: str = "gbt",
    backend: str = "fast",
    rows: int | None = None,
    jobs: int = 1,
    seed: int = 0,
) -> DCI:
    """DCI: whether each code matters for one factor, each factor needs one code, and all codes predict the factors.

    R_dk is the importance of code d for predicting factor k. With P_dk = R_dk / sum_k R_dk and Q_dk = R_dk / sum_d R_dk

    disentanglement = sum_d w_d [1 + sum_k P_dk log_F P_dk],   w_d = sum_k R_dk / sum R
    completeness    = sum_k w_k [1 + sum_d Q_dk log_D Q_dk],   w_k = sum_d R_dk / sum R
    informativeness = mean over factors of the accuracy on test rows

    Parameters
    ----------
    codes : (n, d) floats, d >= 2
    factors : (n, f) integers, f >= 2, one column per factor of variation
    test_codes, test_factors : rows to judge on. Without them two thirds of the rows are for fitting and one third for
        judging, by a permutation from np.random.default_rng(seed).
    predictor : "gbt", gradient-boosted trees as scikit-learn's GradientBoostingClassifier has them by default (100
        rounds of trees of depth 3)
    backend : "sklearn", that classifier itself, or "fast", the same trees some twenty times faster; they differ by
        rounding and by which of equally good splits is drawn
    rows : at most so many rows for fitting, a random part of them; scores depend on it. The cost grows with rows x
        codes x classes of all factors.
    jobs : factors to fit side by side
    seed : for the split, the choice of `rows` and the trees

    Returns
    -------
    DCI, floats in [0, 1], 1 best for all. Noise has disentanglement and completeness near 0 and the informativeness of
    guessing the most frequent value; constant codes have 0, 0 and the same.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, a factor that never varies, an unknown predictor or backend; fewer than
        two codes or factors, for which disentanglement or completeness has no meaning.

    Notes
    -----
    * Published values (Locatello et al. 2019) used the same trees, 10,000 rows to fit and 5,000 to judge.
    * Trees break ties between equally good codes at random: between seeds, scores move by 0.005, and duplicated
      codes share their importance unevenly.
    * Other predictors give other numbers, not better or worse ones: importances of a lasso or a forest differ in kind.
    * Trees see float32. Codes far from 0 compared with their spread lose it.
    * A class that is missing from the rows for fitting is always predicted wrongly.

    References
    ----------
    Eastwood, Williams 2018, "A framework for the quantitative evaluation of disentangled representations", section 2.
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
        representations".

    Examples
    --------
    >>> factors = np.indices((2, 2, 25)).reshape(3, -1)[:2].T
    >>> [round(score, 6) for score in dci(factors, factors)]
    [1.0, 1.0, 1.0, 1.0]
    >>> dci(np.zeros((100, 2)), factors)[:2]
    (0.0, 0.0)
    >>> split = np.column_stack([factors[:, 0] + factors[:, 1], factors[:, 0] - factors[:, 1]])
    >>> dci(split, factors).disentanglement < 0.1 < dci(split, factors).informativeness
    True
    """
    if predictor != "gbt":
        raise ValueError(f"predictor must be 'gbt', got {predictor!r}")
    if backend not in FIT:
        raise ValueError(f"backend must be one of {', '.join(FIT)}, got {backend!r}")
    if rows is not None:
        check_option("rows", rows, 2)
    check_option("jobs", jobs, 1)
    split = check_split(codes, factors, test_codes, test_factors, seed=seed, least_codes=2, least_factors=2)
    if rows is not None and rows < len(split.codes):
        split = _subset(split, rows, seed)
    from joblib import Parallel, delayed

    each = range(split.factors.shape[1])
    fits = Parallel(jobs, prefer=PREFER[backend])(delayed(FIT[backend])(split, k, seed) for k in each)
    importance, train, test = (np.array(part) for part in zip(*fits))  # (f, d), (f,), (f,)
    disentanglement, completeness = _aggregate(importance.T)
    return DCI(disentanglement, completeness, float(test.mean()), float(train.mean()))


class DCI(NamedTuple):
    """Scores in [0, 1]."""

    disentanglement: float
    completeness: float
    informativeness: float
    informativeness_train: float


def _subset(split: Split, rows: int, seed: int) -> Split:
    chosen = np.random.default_rng(seed).permutation(len(split.codes))[:rows]
    try:
        codes, factors = check(split.codes[chosen], split.factors[chosen])
    except ValueError as error:
        raise ValueError(f"among the {rows} rows chosen for fitting, {error}") from None
    return split._replace(codes=codes, factors=factors)


def _fast(split: Split, k: int, seed: int) -> tuple[NDArray, float, float]:
    """Importance of every code, (d,), and accuracy on the rows fitted and judged."""
    from ._boosting import boost

    classes, y = np.unique(split.factors[:, k], return_inverse=True)
    importance, train, test = boost(split.codes, y, split.test_codes, len(classes), seed)
    return importance, float(np.mean(train == y)), float(np.mean(classes[test] == split.test_factors[:, k]))


def _sklearn(split: Split, k: int, seed: int) -> tuple[NDArray, float, float]:
    """As `_fast`."""
    from sklearn.ensemble import GradientBoostingClassifier

    trees = fit(GradientBoostingClassifier(random_state=seed), split.codes, split.factors[:, k])
    train = np.mean(trees.predict(split.codes) == split.factors[:, k])
    test = np.mean(trees.predict(split.test_codes) == split.test_factors[:, k])
    return np.asarray(trees.feature_importances_), float(train), float(test)


FIT = {"fast": _fast, "sklearn": _sklearn}
PREFER = {"fast": "threads", "sklearn": "processes"}  # the fast trees hold no lock


def _aggregate(importance: NDArray) -> tuple[float, float]:
    """Disentanglement and completeness of importances (d, f)."""
    return _concentration(importance), _concentration(importance.T)


def _concentration(weights: NDArray) -> float:
    """1 - entropy of each row in units of its maximum, averaged by the rows' sums; 0 if there is no weight at all."""
    total = weights.sum(axis=1)
    if not total.any():
        return 0.0
    p = np.divide(weights, total[:, None], out=np.zeros_like(weights), where=total[:, None] > 0)
    log = np.log(p, out=np.zeros_like(p), where=p > 0)
    each = 1 + (p * log).sum(axis=1) / np.log(weights.shape[1])
    return float(np.clip(np.average(each, weights=total), 0, 1))
