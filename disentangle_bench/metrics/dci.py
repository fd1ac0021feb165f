"""Disentanglement, completeness, informativeness, Eastwood and Williams 2018, section 2, with gradient-boosted trees"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._dci import DCI, check_undefined, judge, subset
from ._fit import fit
from ._inputs import Split, check_option, check_split
from ._metric import metric


@metric(estimator="gradient-boosted trees, accuracy")
def dci(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    backend: str = "fast",
    rows: int | None = None,
    undefined: str = "raise",
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
    codes : (n, d) floats, n < 2**24
    factors : (n, f) integers, one column per factor of variation
    test_codes, test_factors : rows to judge on. Without them two thirds of the rows are for fitting and one third for
        judging, by a permutation from np.random.default_rng(seed).
    backend : "sklearn", its GradientBoostingClassifier as it comes (100 rounds of trees of depth 3), or "fast", the
        same trees ten to sixty times faster; they differ by rounding and by which of equally good splits is drawn
    rows : at most so many rows for fitting, a random part of them; scores depend on it. The cost grows with rows x
        codes x classes of all factors.
    undefined : "raise" refuses one code, for which completeness has no meaning, and one factor, for which
        disentanglement has none; "nan" gives nan for that part alone, and warns
    jobs : processor cores; the result does not depend on it
    seed : for the split, the choice of `rows` and the trees

    Returns
    -------
    DCI: disentanglement, completeness, informativeness, informativeness_train (of the rows fitted), floats in [0, 1]
    with 1 best, and importance, R (d, f), whose columns sum to 1. Noise has disentanglement and completeness near 0 and
    the informativeness of guessing the most frequent value; constant codes have 0, 0 and the same.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, a factor that never varies, an unknown backend; one code or one factor
        unless `undefined` is "nan".

    Notes
    -----
    * Published values (Locatello et al. 2019) used the same trees, 10,000 rows to fit and 5,000 to judge.
    * Trees break ties between equally good codes at random: between seeds, scores move by 0.005, and duplicated
      codes share their importance unevenly.
    * disentanglement_lib and disent give these numbers. They add 1e-11 to importances, so that their perfect score is
      0.9999999994, and they give nan where we raise.
    * Other probes give other numbers, not better or worse ones, for their importances differ in kind. They have names
      of their own: dci_logistic, dci_lasso, dci_forest.
    * A code for one of two correlated factors helps to predict the other, which costs disentanglement: a warning is
      given.
    * Trees see float32, and values less than 1e-7 apart are one to them: codes far from 0 compared with their spread
      lose it, and so do codes of a spread below 1e-4 or so in 10,000 rows. Scale such codes up. (Near that limit the
      two backends differ: scikit-learn looks at neighbours within a node, the fast trees at those among all rows.)
    * A class that is missing from the rows for fitting is always predicted wrongly.

    References
    ----------
    Eastwood, Williams 2018, "A framework for the quantitative evaluation of disentangled representations", section 2.
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
        representations".

    Examples
    --------
    >>> factors = np.indices((2, 2, 25)).reshape(3, -1)[:2].T
    >>> perfect = dci(factors, factors)
    >>> [round(score, 6) for score in perfect[:4]]
    [1.0, 1.0, 1.0, 1.0]
    >>> perfect.importance.round(6) + 0.0
    array([[1., 0.],
           [0., 1.]])
    >>> dci(np.zeros((100, 2)), factors)[:2]
    (0.0, 0.0)
    >>> split = np.column_stack([factors[:, 0] + factors[:, 1], factors[:, 0] - factors[:, 1]])
    >>> dci(split, factors).disentanglement < 0.1 < dci(split, factors).informativeness
    True
    """
    if backend not in FIT:
        raise ValueError(f"backend must be one of {', '.join(FIT)}, got {backend!r}")
    if rows is not None:
        check_option("rows", rows, 2)
    check_option("jobs", jobs, 1)
    split = check_split(codes, factors, test_codes, test_factors, seed=seed, independent=True)
    check_undefined(undefined, split.codes.shape[1], split.factors.shape[1])
    if rows is not None and rows < len(split.codes):
        split = subset(split, rows, seed)
    importance, train, test = FIT[backend](split, jobs, seed)
    hits = (train == split.factors).mean(axis=0), (test == split.test_factors).mean(axis=0)
    return judge(importance, hits[1], hits[0])


def _fast(split: Split, jobs: int, seed: int) -> tuple[NDArray, NDArray, NDArray]:
    """Importance of every code (d, f), and the values predicted for the rows fitted and judged (., f)."""
    from ._boosting import boost

    columns = [np.unique(column, return_inverse=True) for column in split.factors.T]
    y = np.stack([classes for _, classes in columns], axis=1)
    importance, *predicted = boost(split.codes, y, split.test_codes, [len(v) for v, _ in columns], seed, jobs)
    train, test = (np.stack([v[c] for (v, _), c in zip(columns, part.T)], axis=1) for part in predicted)
    return importance, train, test


def _sklearn(split: Split, jobs: int, seed: int) -> tuple[NDArray, NDArray, NDArray]:
    """As `_fast`."""
    from joblib import Parallel, delayed

    each = range(split.factors.shape[1])
    fits = Parallel(jobs)(delayed(_classifier)(split, k, seed) for k in each)
    importance, train, test = (np.stack(part, axis=1) for part in zip(*fits))
    return importance, train, test


def _classifier(split: Split, k: int, seed: int) -> tuple[NDArray, NDArray, NDArray]:
    from sklearn.ensemble import GradientBoostingClassifier

    trees = fit(GradientBoostingClassifier(random_state=seed), split.codes, split.factors[:, k])
    return np.asarray(trees.feature_importances_), trees.predict(split.codes), trees.predict(split.test_codes)


FIT = {"fast": _fast, "sklearn": _sklearn}
