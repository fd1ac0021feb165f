"""The beta-VAE metric, Higgins et al. 2017, section 3:   accuracy of telling k from mean_b |z_b - z'_b|"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._fit import fit
from ._fixed_factor import Partners, over_batches
from ._inputs import check, check_option, check_seed
from ._metric import metric


@metric(estimator="softmax regression on mean code differences, accuracy; pairs from the given rows")
def betavae_score(
    codes: ArrayLike, factors: ArrayLike, *, batch: int = 64, train: int = 10_000, test: int = 5_000, seed: int = 0
) -> float:
    """The beta-VAE metric: whether a linear classifier sees from code differences which factor was held fixed.

    A point: a factor k at random, `batch` pairs of rows that agree in factor k, and their mean difference
    u = 1/B sum_b |z_b - z'_b|. Softmax regression learns k from u; the score is its accuracy on new points.

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) integers, f >= 2, one column per factor of variation
    batch : pairs a point
    train, test : points to fit on and to judge on
    seed : for all draws

    Returns
    -------
    float in [0, 1]; 1 when the fixed factor is always recognised, 1/f for codes that know nothing.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, fewer than two factors, or a factor that never varies.

    Notes
    -----
    * Pairs come from the given rows: the first uniformly, the second uniformly among the rows with the same value of
      factor k. On a full grid of factors that equals drawing all other factors anew. On a sample of
      rows a pair may be a row with itself: with dSprites' factors, scores moved by up to 0.01 (noise: 0.03) with 3,000
      rows and 0.005 with 10,000. With correlated factors, fixing one narrows the others.
    * The weakest of the metrics here: any linear mixture of factors that leaves a trace in the mean differences
      passes (a rotated perfect code scores 0.96).
    * Raw codes: the classifier is regularised, so scaling all codes by 0.01 can halve the score.
    * The classifier is scikit-learn's LogisticRegression as it comes (L2, C = 1, at most 100 iterations); published
      values (Locatello et al. 2019) come from its one-vs-rest predecessor, which differs by up to 0.014. Spread over
      seeds: up to 0.008.

    References
    ----------
    Higgins et al. 2017, "beta-VAE: learning basic visual concepts with a constrained variational framework", section 3.
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
        representations".

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
    codes, factors = check(codes, factors, least_factors=2)
    for name, option, least in ("batch", batch, 1), ("train", train, 2), ("test", test, 1):
        check_option(name, option, least)
    check_seed(seed)
    from sklearn.linear_model import LogisticRegression

    k, first, second = Partners(factors).pairs(train + test, batch, np.random.default_rng(seed))
    u = over_batches(lambda z, w: np.abs(z - w).mean(axis=1), codes, first, second)  # (points, d)
    classifier = fit(LogisticRegression(), u[:train], k[:train])
    return float(np.mean(classifier.predict(u[train:]) == k[train:]))
