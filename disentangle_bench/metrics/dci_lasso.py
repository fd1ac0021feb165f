"""Disentanglement, completeness, informativeness, Eastwood and Williams 2018, section 2, with L1 linear regression"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._dci import DCI, check_undefined, concentrations, explained, judge, scaled_by, twelve_errors
from ._fit import fit
from ._inputs import check, check_number_split, check_option
from ._metric import metric

ALPHAS = 1.0, 1e-1, 1e-2, 1e-3, 1e-4


@metric(estimator="lasso of factor values on standardised codes, R^2")
def dci_lasso(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    cyclic: Mapping[int, float] | None = None,
    convention: str = "spread",
    alpha: float | None = None,
    folds: int = 10,
    undefined: str = "raise",
    seed: int = 0,
) -> DCI:
    """DCI with linear regressions: importances are the absolute weights of a lasso that predicts a factor's value.

    w_k minimises  1/2n |v_k - Z w|^2 + alpha_k |w|_1,   R_dk = |w_kd|;   scores from R as in `dci`

    informativeness = mean over factors of R^2 = 1 - squared error / variance on test rows, not below 0

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) numbers, one column per factor of variation: its values, or their indices
    test_codes, test_factors : rows to judge on. Without them two thirds of the rows are for fitting and one third for
        judging, by a permutation from np.random.default_rng(seed).
    cyclic : by column of factors, the period after which it repeats. Its cosine and sine are predicted, and importances
        summed over the two.
    convention : "spread" as above, codes and factors with unit variance; or "range", codes and factors scaled to
        [0, 1], informativeness = 1 - 12 mean squared error (not below 0) on the rows fitted, and completeness the
        mean over factors without weights
    alpha : of the penalty; by default, for every factor, the one of 1, 0.1, 0.01, 0.001, 0.0001 with the best R^2 in
        cross-validation
    folds : of that cross-validation: rows in random order, with "range" stretches of rows in their order
    undefined : "raise" refuses one code, for which completeness has no meaning, and one factor, for which
        disentanglement has none; "nan" gives nan for that part alone, and warns
    seed : for the split

    Returns
    -------
    DCI: disentanglement, completeness, informativeness, informativeness_train (of the rows fitted), floats in [0, 1]
    with 1 best, and importance, R (d, f). For noise the penalty leaves no weight, or that of a chance correlation: its
    disentanglement and completeness are 0, or anything. Its informativeness is near 0. Constant codes have 0, 0, 0.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, a factor that never varies, wrong options; one code or one factor unless
        `undefined` is "nan".

    Notes
    -----
    * Read disentanglement only together with informativeness: without information a few chance weights look sparse.
    * A factor counts as a number: one whose values have no order (shape) is not measured by this.
    * Linear: a code that is a curved function of its factor loses informativeness, and other codes gain weight.
    * Eastwood and Williams 2018 report the root of the mean squared error over that of guessing, 0 best. Ours is 1 less
      its square.
    * `convention="range"` is that of Ubisoft's comparative framework (Carbonneau et al. 2022), whose values it meets
      to 1e-9. It depends on the outliers of a code, and 12 is right only for factors with many values of equal
      frequency. There, a code without importance also ends the list of codes, those behind it count 0: not followed.
    * Identical codes share their weight in an order that is arbitrary.
    * A code for one of two correlated factors can get weight for the other: a warning is given.

    References
    ----------
    Eastwood, Williams 2018, "A framework for the quantitative evaluation of disentangled representations", section 2.
    Carbonneau, Zaidi, Boilard, Gagnon 2022, "Measuring disentanglement: a review of metrics".

    Examples
    --------
    >>> factors = np.indices((2, 2, 25)).reshape(3, -1)[:2].T
    >>> [round(score, 6) for score in dci_lasso(factors, factors)[:4]]
    [1.0, 1.0, 1.0, 1.0]
    >>> dci_lasso(np.zeros((100, 2)), factors)[:4]
    (0.0, 0.0, 0.0, 0.0)
    >>> split = np.column_stack([factors[:, 0] + factors[:, 1], factors[:, 0] - factors[:, 1]])
    >>> dci_lasso(split, factors).disentanglement < 0.01 < dci_lasso(split, factors).informativeness
    True
    """
    if convention not in ("spread", "range"):
        raise ValueError(f"convention must be 'spread' or 'range', got {convention!r}")
    if alpha is not None and (not isinstance(alpha, int | float | np.number) or not 0 < alpha < np.inf):
        raise ValueError(f"alpha must be a number above 0, got {alpha!r}")
    check_option("folds", folds, 2)
    check(codes, factors, independent=True)
    split = check_number_split(codes, factors, test_codes, test_factors, cyclic, seed=seed)
    check_undefined(undefined, split.codes.shape[1], len(split.targets))
    if alpha is None and len(split.codes) < folds:
        raise ValueError(f"codes has {len(split.codes)} rows for fitting, too few for {folds} folds")
    split = scaled_by(convention, split)
    if convention == "spread":  # folds are stretches of rows, which may come in the order of their factors
        order = np.random.default_rng(seed).permutation(len(split.codes))
        split = split._replace(codes=split.codes[order], targets=[target[order] for target in split.targets])
    importance, train, test = [], [], []
    for target, test_target in zip(split.targets, split.test_targets):
        fits = [_lasso(split.codes, column, split.test_codes, alpha, folds) for column in target.T]
        weights, fitted, judged = (np.stack(part, axis=1) for part in zip(*fits))
        importance.append(np.abs(weights).sum(axis=1))
        if convention == "range":
            train.append(twelve_errors(target, fitted))
        else:
            train.append(explained(target, fitted, target.mean(axis=0)))
            test.append(explained(test_target, judged, target.mean(axis=0)))
    result = judge(np.stack(importance, axis=1), np.array(test or train), np.array(train))
    if convention == "range" and len(result.importance) > 1:
        each = np.where(result.importance.any(axis=0), concentrations(result.importance.T), 0.0)
        return result._replace(completeness=float(np.clip(each.mean(), 0, 1)))
    return result


def _lasso(
    x: NDArray, y: NDArray, test_x: NDArray, alpha: float | None, folds: int
) -> tuple[NDArray, NDArray, NDArray]:
    """Weights (d,), and what is predicted for the rows fitted and judged."""
    from sklearn.linear_model import Lasso

    if alpha is None:
        starts = np.cumsum([0, *(len(part) for part in np.array_split(np.arange(len(x)), folds))])
        quality = np.zeros(len(ALPHAS))
        for a, b in pairwise(starts):
            rest = np.r_[0:a, b : len(x)]
            around = ((y[a:b] - y[a:b].mean()) ** 2).sum() or 1.0
            for i, one in enumerate(ALPHAS):
                predicted = fit(Lasso(alpha=one, max_iter=10_000, random_state=0), x[rest], y[rest]).predict(x[a:b])
                quality[i] += 1 - ((y[a:b] - predicted) ** 2).sum() / around
        alpha = ALPHAS[len(ALPHAS) - 1 - int(quality[::-1].argmax())]
    model = fit(Lasso(alpha=alpha, max_iter=10_000, random_state=0), x, y)
    return model.coef_, model.predict(x), model.predict(test_x)
