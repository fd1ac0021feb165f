"""Explicitness, Ridgeway and Mozer 2018:   mean over factors and their classes of the ROC-AUC of a linear classifier"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._fit import fit
from ._inputs import check_split
from ._metric import metric


@metric(estimator="softmax regression on standardised codes, one-vs-rest ROC-AUC on test rows, chance 0.5")
def explicitness(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    seed: int = 0,
) -> float:
    """Explicitness: how well a linear classifier reads each factor from all codes together.

    explicitness = 1/F sum_k 1/C_k sum_c AUC(p(v_k = c | z), v_k = c),   p by softmax regression on standardised codes

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) integers, one column per factor of variation
    test_codes, test_factors : rows to judge on. Without them two thirds of the rows are for fitting and one third for
        judging, by a permutation from np.random.default_rng(seed).
    seed : for the split

    Returns
    -------
    float in [0, 1]; 1 when every class of every factor is ranked perfectly, 0.5 for noise and for constant codes.
    It is not rescaled to start at 0.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, a factor that never varies, or a factor none of whose classes can be
        judged (all its test rows are alike, or of classes that were never fitted).

    Notes
    -----
    * The average goes over the classes that occur both in the rows for fitting and in those for judging, matched by
      label. Test rows of a class that was never fitted still count as "rest".
    * Codes are standardised by mean and standard deviation of the rows for fitting; one that is constant there
      becomes 0.
    * The classifier is scikit-learn's LogisticRegression as it comes (L2, C = 1, at most 100 iterations). Before
      scikit-learn 0.22 that meant one binary model a class: values in Locatello et al. 2019 are not comparable (it
      moves scores by up to 0.07).
    * Says nothing about disentanglement: a rotation of a perfect code keeps its score.

    References
    ----------
    Ridgeway, Mozer 2018, "Learning deep disentangled embeddings with the F-statistic loss", NeurIPS.
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
        representations".

    Examples
    --------
    >>> factors = np.indices((3, 4, 10)).reshape(3, -1)[:2].T
    >>> explicitness(np.eye(3)[factors[:, 0]], factors[:, :1])
    1.0
    >>> explicitness(np.zeros((120, 2)), factors)
    0.5
    >>> explicitness(factors[:, 1:], factors[:, :1]) < 0.7          # a code that knows the other factor only
    True
    """
    split = check_split(codes, factors, test_codes, test_factors, seed=seed)
    x, test_x = _standardise(split.codes, split.test_codes)
    targets = zip(split.factors.T, split.test_factors.T)
    scores = [_mean_auc(x, y, test_x, test_y, k) for k, (y, test_y) in enumerate(targets)]
    return float(np.mean(scores))


def _standardise(x: NDArray, test: NDArray) -> tuple[NDArray, NDArray]:
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    active = (np.ptp(x, axis=0) > 0) & (deviation > 0)
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=active)
    return (x - mean) * scale, (test - mean) * scale


def _mean_auc(x: NDArray, y: NDArray, test_x: NDArray, test_y: NDArray, k: int) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    model = fit(LogisticRegression(), x, y)
    probability = model.predict_proba(test_x)  # (n_test, classes of the training rows)
    areas = [
        roc_auc_score(test_y == label, p)
        for label, p in zip(model.classes_, probability.T)
        if 0 < (test_y == label).sum() < len(test_y)
    ]
    if not areas:
        raise ValueError(
            f"factors: column {k} cannot be judged, for its test rows have only {np.unique(test_y).tolist()[:5]} "
            f"and its training rows {np.unique(y).tolist()[:5]}; give more rows, or drop it"
        )
    return float(np.mean(areas))
