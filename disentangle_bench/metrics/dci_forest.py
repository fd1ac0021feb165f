"""Disentanglement, completeness, informativeness, Eastwood and Williams 2018, section 2, with random forests"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._dci import DCI, check_undefined, explained, judge, scaled_by, twelve_errors
from ._fit import fit
from ._inputs import check, check_number_split, check_option, check_split
from ._metric import metric

FEATURES, FOLDS = [0.2, 0.4, 0.8, 1.0], 10  # to choose from, and the cross-validation that does it


@metric(
    estimator="random forest of 10 trees, accuracy",
    variants={"": {}, "number": {"target": "number"}},
    estimators={"number": "random forest of 10 regression trees, R^2"},
    unused={"": ("convention", "cyclic")},
)
def dci_forest(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    target: str = "class",
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    cyclic: Mapping[int, float] | None = None,
    convention: str = "spread",
    trees: int = 10,
    features: float | None = 1.0,
    undefined: str = "raise",
    jobs: int = 1,
    seed: int = 0,
) -> DCI:
    """DCI with random forests: importances are the impurity that splits on a code remove.

    R_dk = sum over splits on code d of (rows / n) (impurity before - impurity after), divided by its sum over codes

    Scores from R as in `dci`. Informativeness is the mean over factors of the accuracy, or of R^2, on test rows.

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) integers, one column per factor of variation; for `target="number"` its values
    target : "class", trees that classify (impurity of Gini); or "number", trees that predict a number (variance)
    test_codes, test_factors : rows to judge on. Without them two thirds of the rows are for fitting and one third for
        judging, by a permutation from np.random.default_rng(seed).
    cyclic : by column of factors, the period after which it repeats; for `target="number"`, whose trees then predict
        cosine and sine together. Classes need it not.
    convention : for `target="number"`, informativeness as R^2 on test rows ("spread"), or, of factors scaled to [0, 1],
        as 1 - 12 mean squared error on the rows fitted ("range"); neither below 0
    trees : in each forest
    features : share of the codes that are tried for each split, drawn anew each time; None for the one of 0.2, 0.4,
        0.8, 1 that is best for the factor in ten-fold cross-validation (forty times the cost)
    undefined : "raise" refuses one code, for which completeness has no meaning, and one factor, for which
        disentanglement has none; "nan" gives nan for that part alone, and warns
    jobs : trees to grow side by side
    seed : for the split and the forests

    Returns
    -------
    DCI: disentanglement, completeness, informativeness, informativeness_train (of the rows fitted), floats in [0, 1]
    with 1 best, and importance, R (d, f), whose columns sum to 1. Noise has disentanglement and completeness near 0 and
    the informativeness of guessing; constant codes have 0, 0 and the same.

    Raises
    ------
    ValueError
        Arrays that do not fit the description, a factor that never varies, wrong options; one code or one factor unless
        `undefined` is "nan".

    Notes
    -----
    * Classes are the default because a factor need have no order (shape), may be cyclic, and accuracy is on the scale
      of `dci`. Eastwood and Williams 2018 took regression.
    * Trees grow until their leaves are pure, so informativeness_train is near 1 for anything that tells rows apart,
      noise included, and accuracy for factors with many values is far below that of `dci`.
    * Deep trees use noise to tell the last rows apart: importances are more even, scores lower than those of `dci`.
    * `target="number", convention="range", features=None` comes near Ubisoft's comparative framework (Carbonneau et
      al. 2022), whose exact forests we do not know: about as near as two of its own seeds, which differ by up to 0.07
      in disentanglement and 0.002 in informativeness. There, a code without importance ends the list of codes, and
      those behind it count 0; that is not followed.
    * Values less than 1e-7 apart are one to the trees: scale codes of a spread below 1e-4 or so up.
    * With `features` below 1, codes are used that a tree would not choose: this lowers the scores of perfect codes.
    * Duplicated codes share their importance, which costs completeness.
    * A code for one of two correlated factors helps to predict the other: a warning is given.
    * Trees see float32. Codes far from 0 compared with their spread lose it.
    * A class that is missing from the rows for fitting is always predicted wrongly.

    References
    ----------
    Eastwood, Williams 2018, "A framework for the quantitative evaluation of disentangled representations", section 2.
    Carbonneau, Zaidi, Boilard, Gagnon 2022, "Measuring disentanglement: a review of metrics".
    Breiman 2001, "Random forests".

    Examples
    --------
    >>> factors = np.indices((2, 2, 25)).reshape(3, -1)[:2].T
    >>> [round(score, 6) for score in dci_forest(factors, factors)[:4]]
    [1.0, 1.0, 1.0, 1.0]
    >>> dci_forest(np.zeros((100, 2)), factors)[:2]
    (0.0, 0.0)
    >>> split = np.column_stack([factors[:, 0] + factors[:, 1], factors[:, 0] - factors[:, 1]])
    >>> dci_forest(split, factors).disentanglement < 0.1 < dci_forest(split, factors).informativeness
    True
    """
    for name, value, known in ("target", target, ("class", "number")), ("convention", convention, ("spread", "range")):
        if value not in known:
            raise ValueError(f"{name} must be {known[0]!r} or {known[1]!r}, got {value!r}")
    check_option("trees", trees, 1)
    check_option("jobs", jobs, 1)
    if features is not None and (not isinstance(features, int | float | np.number) or not 0 < features <= 1):
        raise ValueError(f"features must be above 0 and at most 1, or None, got {features!r}")
    share = None if features is None else float(features)
    options = {"n_estimators": trees, "max_features": share, "n_jobs": jobs, "random_state": seed}
    if target == "class":
        return _classes(codes, factors, test_codes, test_factors, undefined, options, seed)
    check(codes, factors, independent=True)
    split = check_number_split(codes, factors, test_codes, test_factors, cyclic, seed=seed)
    check_undefined(undefined, split.codes.shape[1], len(split.targets))
    split = scaled_by(convention, split)._replace(codes=split.codes, test_codes=split.test_codes)
    importance, train, test = [], [], []
    for y, test_y in zip(split.targets, split.test_targets):
        weights, fitted, judged = _numbers(split.codes, y, split.test_codes, options)
        importance.append(weights)
        if convention == "range":
            train.append(twelve_errors(y, fitted))
        else:
            train.append(explained(y, fitted, y.mean(axis=0)))
            test.append(explained(test_y, judged, y.mean(axis=0)))
    return judge(np.stack(importance, axis=1), np.array(test or train), np.array(train))


def _classes(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None,
    test_factors: ArrayLike | None,
    undefined: str,
    options: dict,
    seed: int,
) -> DCI:
    from sklearn.ensemble import RandomForestClassifier

    split = check_split(codes, factors, test_codes, test_factors, seed=seed, independent=True)
    check_undefined(undefined, split.codes.shape[1], split.factors.shape[1])
    importance, train, test = [], [], []
    for y, test_y in zip(split.factors.T, split.test_factors.T):
        forest = _fitted(RandomForestClassifier(**options), split.codes, y)
        importance.append(forest.feature_importances_)
        train.append(np.mean(forest.predict(split.codes) == y))
        test.append(np.mean(forest.predict(split.test_codes) == test_y))
    return judge(np.stack(importance, axis=1), np.array(test), np.array(train))


def _numbers(x: NDArray, y: NDArray, test_x: NDArray, options: dict) -> tuple[NDArray, NDArray, NDArray]:
    """Importance of every code (d,), and what is predicted for the rows fitted and judged (., 1 or 2)."""
    from sklearn.ensemble import RandomForestRegressor

    forest = _fitted(RandomForestRegressor(**options), x, y if y.shape[1] > 1 else y[:, 0])
    return (
        forest.feature_importances_,
        forest.predict(x).reshape(len(x), -1),
        forest.predict(test_x).reshape(len(test_x), -1),
    )


def _fitted(forest: Any, x: NDArray, y: NDArray) -> Any:
    if forest.max_features is not None:
        return fit(forest, x, y)
    from sklearn.model_selection import GridSearchCV, KFold

    return fit(GridSearchCV(forest, {"max_features": FEATURES}, cv=KFold(FOLDS)), x, y).best_estimator_
