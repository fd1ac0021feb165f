"""Explicitness, Ridgeway and Mozer 2018:   mean over factors and their classes of the ROC-AUC of a linear classifier"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._fit import check_classifier, from_0_to_1, probabilities, standardised
from ._inputs import check_split
from ._metric import metric


@metric(estimator="logistic regression on all codes, one-vs-rest ROC-AUC on test rows")
def explicitness(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    rescale: bool = False,
    classifier: Literal["softmax", "one-vs-rest", "free one-vs-rest", "binary"] = "softmax",
    scaling: Literal["z-score", "min-max"] = "z-score",
    balanced: bool = False,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    seed: int = 0,
) -> float:
    """Explicitness: how well a linear classifier reads each factor from all codes together.

    explicitness = 1/F sum_k 1/C_k sum_c AUC(p(v_k = c | z), v_k = c),   p by logistic regression on standardised codes

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) integers, one column per factor of variation; columns of fractions are binned if continuous
    rescale : 2 (AUC - 1/2) in place of AUC: chance is 0, and a score worse than chance is negative
    classifier : "softmax", one model for all classes of a factor; "one-vs-rest", a binary model a class whose intercept
        is penalised, too (liblinear), with probabilities divided by their sum over the classes; "free one-vs-rest",
        the same without the penalty on the intercept; "binary", the latter with probabilities as they are
    scaling : of each code by the rows for fitting: mean 0 and deviation 1, or minimum 0 and maximum 1
    balanced : give all classes the same weight in the fit, however frequent
    test_codes, test_factors : rows to judge on. Without them two thirds of the rows are for fitting and one third for
        judging, by a permutation from np.random.default_rng(seed).
    seed : for the split

    Returns
    -------
    float in [0, 1]; 1 when every class of every factor is ranked perfectly, 0.5 for noise and for constant codes.
    With `rescale` in [-1, 1], and 0 for noise and for constant codes.

    Raises
    ------
    ValueError
        Arrays or options that do not fit the description, a factor that never varies, or a factor none of whose
        classes can be judged (all its test rows are alike, or of classes that were never fitted).

    Notes
    -----
    * The classifiers are scikit-learn's LogisticRegression as it comes (L2, C = 1, at most 100 iterations). Before
      scikit-learn 0.22 that meant "one-vs-rest", so published values of disentanglement_lib (Locatello et al. 2019) are
      those of classifier="one-vs-rest"; the same code today gives "softmax" (it moves scores by up to 0.07).
    * Ubisoft's comparative framework (Carbonneau et al. 2022): rescale=True, scaling="min-max", balanced=True and the
      rows for fitting as test_codes and test_factors, with classifier="free one-vs-rest" for its first implementation
      and "binary" for its second.
    * "binary" cannot rank a middle class on a line: a perfect code of one number a factor scores near 0.8. The sum over
      classes, or a softmax, can, for there the outer classes take what is theirs.
    * The average goes over the classes that occur both in the rows for fitting and in those for judging, matched by
      label. Test rows of a class that was never fitted still count as "rest".
    * Codes that are constant in the rows for fitting become 0.
    * Says nothing about disentanglement: a rotation of a perfect code keeps its score.
    * What a linear classifier cannot read counts as absent, however sure a non-linear one would be of it.

    References
    ----------
    Ridgeway, Mozer 2018, "Learning deep disentangled embeddings with the F-statistic loss", NeurIPS.
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
        representations".
    Carbonneau, Zaidi, Boilard, Gagnon 2022, "Measuring disentanglement: a review of metrics".

    Examples
    --------
    >>> factors = np.indices((3, 4, 10)).reshape(3, -1)[:2].T
    >>> explicitness(np.eye(3)[factors[:, 0]], factors[:, :1])
    1.0
    >>> explicitness(np.zeros((120, 2)), factors), explicitness(np.zeros((120, 2)), factors, rescale=True)
    (0.5, 0.0)
    >>> explicitness(factors[:, 1:], factors[:, :1]) < 0.7          # a code that knows the other factor only
    True
    """
    check_classifier(classifier, ("softmax", "one-vs-rest", "free one-vs-rest", "binary"))
    if scaling not in ("z-score", "min-max"):
        raise ValueError(f"scaling must be 'z-score' or 'min-max', got {scaling!r}")
    split = check_split(codes, factors, test_codes, test_factors, seed=seed)
    scale = standardised if scaling == "z-score" else from_0_to_1
    x, test_x = scale(split.codes, split.test_codes)
    scores = []
    for k, (y, test_y) in enumerate(zip(split.factors.T, split.test_factors.T)):
        classes, p = probabilities(x, y, test_x, classifier, balanced=balanced)
        areas = [
            _area(column, test_y == label)
            for label, column in zip(classes, p.T)
            if 0 < (test_y == label).sum() < len(test_y)
        ]
        if not areas:
            raise ValueError(
                f"factors: column {k} cannot be judged, for its test rows have only {np.unique(test_y).tolist()[:5]} "
                f"and its training rows {np.unique(y).tolist()[:5]}; give more rows, or drop it"
            )
        scores.append(np.mean(areas))
    score = float(np.mean(scores))
    return 2 * score - 1 if rescale else score


def _area(score: NDArray, positive: NDArray) -> float:
    """Area under the ROC curve: how often a positive row has the higher score than a negative one, ties half."""
    negatives = np.sort(score[~positive])
    below, not_above = (np.searchsorted(negatives, score[positive], side) for side in ("left", "right"))
    return float((below + not_above).mean() / (2 * len(negatives)))
