"""Separated attribute predictability, Kumar et al. 2018, section 3:   SAP = 1/F sum_k [S_(1)k - S_(2)k]"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._fit import fit
from ._inputs import Split, check, check_split
from ._metric import metric


@metric(
    estimator="linear SVM on one code, accuracy on test rows",
    variants={"": {}, "continuous": {"continuous": True}},
    estimators={"continuous": "squared correlation of one code and the class index, all rows"},
    unused={"": ("continuous", "least_variance"), "continuous": ("continuous", "seed", "split")},
)
def sap(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    continuous: bool = False,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    least_variance: float = 1e-12,
    seed: int = 0,
) -> float:
    """Separated attribute predictability: how much better the best single code predicts a factor than the second best.

    SAP = 1/F sum_k [S_(1)k - S_(2)k],   S_dk the score of predicting factor k from code d alone, sorted over d

    S is the test accuracy of a linear support vector machine (one against the rest, C = 0.01, balanced classes), or
    with `continuous=True` the squared correlation of code and class index, which is the R^2 of a linear regression.

    Parameters
    ----------
    codes : (n, d) floats, d >= 2
    factors : (n, f) integers, one column per factor of variation
    continuous : take factors as numbers (squared correlation) instead of classes (support vector machine)
    test_codes, test_factors : rows to judge the machines on. Without them two thirds of the rows are for fitting and
        one third for judging, by a permutation from np.random.default_rng(seed). The continuous score uses `codes`
        and `factors` alone, all rows of them.
    least_variance : codes that vary no more than this count as constant in the continuous score: they predict nothing
    seed : for the split, and for the machine where it needs one

    Returns
    -------
    float in [0, 1]. Continuous: 1 when each factor is linear in one code and uncorrelated with the rest. With the
    machine even a perfect code stays below 1 (0.1 to 0.5 is usual). Noise scores near 0.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, fewer than two codes, or a factor that never varies.

    Notes
    -----
    * The machine is the convention of published values (Locatello et al. 2019: 10,000 rows to fit, 5,000 to judge).
      It cannot single out a middle value of a factor on a line, and C = 0.01 makes it depend on the scale of the codes:
      multiplying them by 0.1 moved scores by up to 0.28.
    * The continuous score depends on the values of class labels, not on their order alone.
    * A constant code can change the score of the machine: guessing the most frequent class may be second best.
    * A class that is missing from the rows for fitting is always predicted wrongly.
    * The absolute threshold `least_variance` makes the continuous score depend on scale, for codes smaller than 1e-6.
    * Duplicated codes score 0 although nothing is lost.

    References
    ----------
    Kumar, Sattigeri, Balakrishnan 2018, "Variational inference of disentangled latent concepts from unlabeled
    observations", section 3.
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
        representations".

    Examples
    --------
    >>> factors = np.indices((2, 2, 25)).reshape(3, -1)[:2].T
    >>> sap(factors, factors, continuous=True)
    1.0
    >>> sap(np.repeat(factors, 2, axis=1), factors)
    0.0
    >>> sap(np.zeros((100, 2)), factors)
    0.0
    """
    if continuous:
        if test_codes is not None or test_factors is not None:
            check_split(codes, factors, test_codes, test_factors, seed=seed)
        scores = _squared_correlation(*check(codes, factors, least_codes=2), least_variance)
    else:
        split = check_split(codes, factors, test_codes, test_factors, seed=seed, least_codes=2)
        scores = _test_accuracy(split, seed)
    second, first = np.sort(scores, axis=0)[-2:]
    return float((first - second).mean())


def _squared_correlation(codes: NDArray, factors: NDArray, least_variance: float) -> NDArray:
    """(d, f); 0 for codes that count as constant."""
    x, y = codes - codes.mean(axis=0), factors - factors.mean(axis=0)
    product = x.var(axis=0)[:, None] * y.var(axis=0)
    active = (np.ptp(codes, axis=0) > 0) & (x.var(axis=0, ddof=1) > least_variance)
    squared = np.divide((x.T @ y / len(x)) ** 2, product, out=np.zeros(product.shape), where=active[:, None])
    return np.minimum(squared, 1)  # rounding


def _test_accuracy(split: Split, seed: int) -> NDArray:
    """(d, f): one machine for every code and factor."""
    from sklearn.svm import LinearSVC

    scores = np.empty((split.codes.shape[1], split.factors.shape[1]))
    for d, k in np.ndindex(*scores.shape):
        machine = LinearSVC(C=0.01, class_weight="balanced", dual="auto", random_state=seed)
        fit(machine, split.codes[:, [d]], split.factors[:, k])
        scores[d, k] = np.mean(machine.predict(split.test_codes[:, [d]]) == split.test_factors[:, k])
    return scores
