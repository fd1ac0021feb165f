"""The beta-VAE metric, Higgins et al. 2017, section 3:   accuracy of telling k from mean_b |z_b - z'_b|"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ._fit import check_classifier, predicted
from ._fixed_factor import over_batches, partners
from ._inputs import check, check_option, check_seed
from ._metric import metric


@metric(estimator="logistic regression on mean code differences, accuracy; pairs from the given rows", version=2)
def betavae_score(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    batch: int = 64,
    train: int = 10_000,
    test: int = 5_000,
    classifier: Literal["softmax", "one-vs-rest"] = "softmax",
    rescale: bool = False,
    seed: int = 0,
) -> float:
    """The beta-VAE metric: whether a linear classifier sees from code differences which factor was held fixed.

    A point: a factor k at random, `batch` pairs of rows that agree in factor k, and their mean difference
    u = 1/B sum_b |z_b - z'_b|. Softmax regression learns k from u; the score is its accuracy on new points.

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) integers, f >= 2, one column per factor of variation; columns of fractions are binned if continuous
    batch : pairs a point
    train, test : points to fit on and to judge on
    classifier : "softmax", one model for all factors, or "one-vs-rest", a binary one a factor whose intercept is
        penalised, too (liblinear)
    rescale : (accuracy - 1/f) / (1 - 1/f) in place of the accuracy: chance is 0, worse than chance negative
    seed : for all draws

    Returns
    -------
    float in [0, 1]; 1 when the fixed factor is always recognised, 1/f for codes that know nothing. With
    `rescale` in [-1, 1], 0 for codes that know nothing.

    Raises
    ------
    ValueError
        Arrays or options that do not fit the description, fewer than two factors, or a factor that never varies.

    Notes
    -----
    * Pairs come from the given rows: the first uniformly, the second uniformly among the rows with the same value of
      factor k. If the rows are a full grid of factors (every combination equally often) that equals drawing all other
      factors anew. Else they are a sample, and the two are never the same row unless it is alone with its value: such
      pairs differ by nothing, the more often the more values a factor has, which gives it away. With dSprites' factors
      and codes from noise to nearly perfect, scores from 3,000 and 10,000 rows are within 0.005 of those of all
      combinations on average. (Version 1 had such pairs: up to 0.007 and 0.03 too high.)
    * With correlated factors, fixing one narrows the others (`CorrelatedFactors` warns).
    * The weakest of the metrics here: any linear mixture of factors that leaves a trace in the mean differences
      passes (a rotated perfect code scores 0.96).
    * Raw codes: the classifier is regularised, so scaling all codes by 0.01 can halve the score.
    * The classifier is scikit-learn's LogisticRegression as it comes (L2, C = 1, at most 100 iterations). Before
      scikit-learn 0.22 that meant "one-vs-rest", which published values of disentanglement_lib (Locatello et al. 2019)
      come from; it differs by up to 0.014. Spread over seeds: up to 0.008.
    * Ubisoft's comparative framework (Carbonneau et al. 2022) calls it Z-diff: rescale=True, by default batch=200. It
      draws a value of factor k uniformly, then rows with it: the same unless values have unequal frequencies.

    References
    ----------
    Higgins et al. 2017, "beta-VAE: learning basic visual concepts with a constrained variational framework", section 3.
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
        representations".
    Carbonneau, Zaidi, Boilard, Gagnon 2022, "Measuring disentanglement: a review of metrics".

    Examples
    --------
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> betavae_score(factors, factors, train=200, test=100)
    1.0
    >>> 0.3 < betavae_score(np.zeros((20, 2)), factors, train=200, test=100) < 0.7
    True
    >>> noise = np.random.default_rng(0).normal(size=(20, 2))
    >>> betavae_score(noise, factors, train=200, test=100) < 1
    True
    """
    codes, factors = check(codes, factors, least_factors=2, independent=True)
    for name, option, least in ("batch", batch, 1), ("train", train, 2), ("test", test, 1):
        check_option(name, option, least)
    check_classifier(classifier, ("softmax", "one-vs-rest"))
    check_seed(seed)
    k, first, second = partners(factors).pairs(train + test, batch, np.random.default_rng(seed))
    u = over_batches(lambda z, w: np.abs(z - w).mean(axis=1), codes, first, second)  # (points, d)
    right = predicted(u[:train], k[:train], u[train:], classifier) == k[train:]
    chance = 1 / factors.shape[1]
    return float((right.mean() - chance) / (1 - chance) if rescale else right.mean())
