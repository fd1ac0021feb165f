"""Disentanglement, completeness, informativeness, Eastwood and Williams 2018, section 2, with linear classifiers"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._dci import DCI, check_undefined, judge
from ._fit import fit, standardised
from ._inputs import check_split
from ._metric import metric


@metric(estimator="L1 softmax regression on standardised codes, accuracy")
def dci_logistic(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    C: float = 1.0,
    undefined: str = "raise",
    seed: int = 0,
) -> DCI:
    """DCI with linear classifiers: importances are the absolute weights of a softmax regression with an L1 penalty.

    W_k minimises  C sum_i -log p(v_ik | z_i) + sum_cd |W_kcd|,   p(c | z) ~ exp(b_c + W_kc z)

    R_dk = 1/C_k sum_c |W_kcd|,  C_k the number of values of factor k; scores from R as in `dci`.

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) integers, one column per factor of variation
    test_codes, test_factors : rows to judge on. Without them two thirds of the rows are for fitting and one third for
        judging, by a permutation from np.random.default_rng(seed).
    C : weight of the log loss, summed over rows, against the penalty: larger is nearer to no penalty
    undefined : "raise" refuses one code, for which completeness has no meaning, and one factor, for which
        disentanglement has none; "nan" gives nan for that part alone, and warns
    seed : for the split, and for the order in which the solver visits rows

    Returns
    -------
    DCI: disentanglement, completeness, informativeness, informativeness_train (of the rows fitted), floats in [0, 1]
    with 1 best, and importance, R (d, f). Noise has disentanglement and completeness below 0.2 and the informativeness
    of guessing; constant codes have 0, 0 and the same.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, a factor that never varies, C not above 0; one code or one factor unless
        `undefined` is "nan".

    Notes
    -----
    * A perfect code of a factor with many values stays below 1: a linear classifier finds no middle value of a line,
      and leans on other codes for it (dSprites' factors in 6,000 rows: 0.97, informativeness 0.77).
    * The convention: codes standardised by mean and standard deviation of the rows for fitting (one that is constant
      there gets no weight), scikit-learn's solver "saga" with a tolerance of 1e-3, stopped after 100 passes, which is
      part of the definition; C = 1, as scikit-learn has it. Accuracy on the test rows.
    * No published table that we know has exactly this convention. Do not compare it with values of `dci`.
    * Nonlinear codes count as bad: an angle as (cos, sin) is read well, a code in which the values of a factor do not
      lie in order is not.
    * With many rows the penalty hardly matters; weights of nearly separable factors grow until the solver is stopped,
      and a factor with large weights counts for more in disentanglement.
    * Duplicated codes share their weight, which costs completeness.
    * A code for one of two correlated factors gets weight for the other: a warning is given.
    * A class that is missing from the rows for fitting is always predicted wrongly.

    References
    ----------
    Eastwood, Williams 2018, "A framework for the quantitative evaluation of disentangled representations", section 2.

    Examples
    --------
    >>> factors = np.indices((2, 2, 25)).reshape(3, -1)[:2].T
    >>> perfect = dci_logistic(factors, factors)
    >>> perfect.informativeness, perfect.disentanglement > 0.9
    (1.0, True)
    >>> dci_logistic(np.zeros((100, 2)), factors)[:2]
    (0.0, 0.0)
    >>> split = np.column_stack([factors[:, 0] + factors[:, 1], factors[:, 0] - factors[:, 1]])
    >>> dci_logistic(split, factors).disentanglement < 0.1
    True
    """
    if not isinstance(C, int | float | np.number) or not 0 < C < np.inf:
        raise ValueError(f"C must be a number above 0, got {C!r}")
    split = check_split(codes, factors, test_codes, test_factors, seed=seed, independent=True)
    check_undefined(undefined, split.codes.shape[1], split.factors.shape[1])
    x, test_x = standardised(split.codes, split.test_codes)
    fits = [_weights(x, y, test_x, float(C), seed) for y in split.factors.T]
    importance, train, test = (np.stack(part, axis=1) for part in zip(*fits))
    return judge(importance, (test == split.test_factors).mean(axis=0), (train == split.factors).mean(axis=0))


def _weights(x: NDArray, y: NDArray, test_x: NDArray, C: float, seed: int) -> tuple[NDArray, NDArray, NDArray]:
    """Mean absolute weight of every code (d,), and the values predicted for the rows fitted and judged."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(l1_ratio=1, C=C, solver="saga", tol=1e-3, max_iter=100, random_state=seed)
    fit(model, x, y)
    predicted, judged = np.asarray(model.predict(x)), np.asarray(model.predict(test_x))
    # of two values scikit-learn keeps the difference of their weights, whose absolute value is the sum of theirs
    return np.abs(model.coef_).sum(axis=0) / len(model.classes_), predicted, judged
