"""Separated attribute predictability, Kumar et al. 2018, section 3:   SAP = 1/F sum_k [S_(1)k - S_(2)k]"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._fit import fit, from_0_to_1
from ._inputs import Split, check, check_numbers, check_option, check_split
from ._metric import metric
from ._regression import ROUNDING, basis, check_turns, explained, remainder

ON_A_LINE = ("least_variance", "cyclic", "conditional")


@metric(
    estimator="linear SVM on one code, accuracy on test rows",
    variants={"": {}, "continuous": {"predictor": "linear"}, "tree": {"predictor": "tree"}},
    estimators={
        "continuous": "squared correlation of one code and the factor's value, all rows",
        "tree": "decision tree on one code, accuracy on test rows",
    },
    unused={
        "": ("continuous", "predictor", "depth", *ON_A_LINE),
        "continuous": ("continuous", "predictor", "depth", "seed", "split"),
        "tree": ("continuous", "predictor", *ON_A_LINE),
    },
)
def sap(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    predictor: Literal["svm", "linear", "tree"] = "svm",
    continuous: bool = False,
    cyclic: Mapping[int, float] | None = None,
    conditional: bool = False,
    depth: int = 9,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    least_variance: float = 1e-12,
    seed: int = 0,
) -> float:
    """Separated attribute predictability: how much better the best single code predicts a factor than the second best.

    SAP = 1/F sum_k [S_(1)k - S_(2)k],   S_dk the score of predicting factor k from code d alone, sorted over d

    S is the test accuracy of a linear support vector machine (one against the rest, C = 0.01, balanced classes) or of a
    decision tree, or else the squared correlation of code and factor, which is the R^2 of a linear regression.

    Parameters
    ----------
    codes : (n, d) floats, d >= 2
    factors : (n, f) integers, one column per factor of variation; columns of fractions are numbers to "linear" and
        binned for the others if continuous
    predictor : "svm", "linear" (squared correlation; takes factors as numbers) or "tree"
    continuous : the same as predictor="linear"
    cyclic : for "linear": by column of factors, the period after which it repeats. Its S is the squared multiple
        correlation of the code with (cos, sin) of 2 pi v / period. The others take classes, cyclic or not.
    conditional : for "linear" and correlated factors: squared partial correlation given all other factors, which are
        regressed out of code and factor. A code of which that leaves nothing has S = 0.
    depth : for "tree", levels of the tree at most
    test_codes, test_factors : rows to judge machines and trees on. Without them two thirds of the rows are for fitting
        and one third for judging, by a permutation from np.random.default_rng(seed). "linear" uses `codes` and
        `factors` alone, all rows of them.
    least_variance : codes that vary no more than this count as constant for "linear": they predict nothing
    seed : for the split, and for the machine where it needs one

    Returns
    -------
    float in [0, 1]. "linear": 1 when each factor is linear in one code and uncorrelated with the rest. With the
    machine even a perfect code stays below 1 (0.1 to 0.5 is usual), with the tree it gives 1 - 1/C for C classes, for
    guessing is the second best. Noise scores near 0.

    Raises
    ------
    ValueError
        Arrays or options that do not fit the description, fewer than two codes, a factor that never varies; with
        `conditional`, a factor that is a linear function of the others.

    Notes
    -----
    * The machine is the convention of published values (Locatello et al. 2019: 10,000 rows to fit, 5,000 to judge).
      It cannot single out a middle value of a factor on a line, and C = 0.01 makes it depend on scale and (its bias is
      penalised, too) on origin: multiplying codes by 0.1 moved scores by up to 0.28, adding 10 from 0.44 to 0.13.
    * Ubisoft's comparative framework (Carbonneau et al. 2022) has "linear", and a decision tree that it tunes and
      judges on the rows for fitting: predictor="tree" with these rows as test_codes and test_factors too gives the
      same number for most continuous codes, and one within 0.01 for codes with few values, where it tunes to less.
    * That tree learns rows by heart, so judged on the same rows noise predicts well, and a sure code gains less.
    * "linear" depends on the values of class labels, not on their order alone.
    * A cyclic factor in two codes, cos and sin, has no gap, with or without `cyclic`: SAP wants one code a factor.
    * Correlated factors: each predicts the other's code, which closes the gap (`CorrelatedFactors` warns).
      `conditional` leaves to each factor what is its own. But a partial correlation makes a trace count in full once
      all else is regressed out: without noise, any mixture of factors is a perfect code of each.
    * A constant code can change the score of machine and tree: guessing the most frequent class may be second best.
    * A class that is missing from the rows for fitting is always predicted wrongly.
    * The absolute threshold `least_variance` makes "linear" depend on scale, for codes smaller than 1e-6.
    * Duplicated codes score 0 although nothing is lost.

    References
    ----------
    Kumar, Sattigeri, Balakrishnan 2018, "Variational inference of disentangled latent concepts from unlabeled
    observations", section 3.
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
        representations".
    Carbonneau, Zaidi, Boilard, Gagnon 2022, "Measuring disentanglement: a review of metrics".
    Mardia 1976, "Linear-circular correlation coefficients and rhythmometry".

    Examples
    --------
    >>> factors = np.indices((2, 2, 25)).reshape(3, -1)[:2].T
    >>> sap(factors, factors, predictor="linear")
    1.0
    >>> sap(np.repeat(factors, 2, axis=1), factors)
    0.0
    >>> sap(np.zeros((100, 2)), factors), sap(np.zeros((100, 2)), factors, predictor="tree")
    (0.0, 0.0)
    """
    if predictor not in ("svm", "linear", "tree"):
        raise ValueError(f"predictor must be 'svm', 'linear' or 'tree', got {predictor!r}")
    if continuous and predictor == "tree":
        raise ValueError("continuous=True means predictor='linear', got predictor='tree'")
    check_option("depth", depth, 1)
    if continuous or predictor == "linear":
        if test_codes is not None or test_factors is not None:
            check_split(codes, factors, test_codes, test_factors, seed=seed)
        check(codes, factors, least_codes=2, independent=not conditional)
        x, targets = check_numbers(codes, factors, cyclic)
        check_turns(targets)
        scores = (_partial if conditional else _plain)(x, targets, least_variance)
    else:
        if conditional:
            raise ValueError(f"conditional=True needs predictor='linear', got predictor={predictor!r}")
        split = check_split(codes, factors, test_codes, test_factors, seed=seed, least_codes=2, independent=True)
        scores = _accuracy_of_machines(split, seed) if predictor == "svm" else _accuracy_of_trees(split, depth, seed)
    second, first = np.sort(scores, axis=0)[-2:]
    return float((first - second).mean())


def _plain(x: NDArray, targets: list[NDArray], least_variance: float) -> NDArray:
    """Squared correlations, (d, f)."""
    return np.stack([explained(x, target, least_variance) for target in targets], axis=1)


def _partial(x: NDArray, targets: list[NDArray], least_variance: float) -> NDArray:
    """Squared correlations of what the other factors leave of codes and factor, (d, f)."""
    if len(targets) == 1:
        return _plain(x, targets, least_variance)
    x = np.where(x.var(axis=0, ddof=1) > least_variance, x, 0.0)
    scores = []
    for k, target in enumerate(targets):
        others = np.hstack(targets[:k] + targets[k + 1 :])
        left = remainder(basis(target), others)
        if not left.any():
            raise ValueError(f"factors: column {k} is a linear function of the others, which leave nothing; drop it")
        scores.append(explained(remainder(x, others, ROUNDING), left))
    return np.stack(scores, axis=1)


def _accuracy_of_machines(split: Split, seed: int) -> NDArray:
    """(d, f): one machine for every code and factor."""
    from sklearn.svm import LinearSVC

    scores = np.empty((split.codes.shape[1], split.factors.shape[1]))
    for d, k in np.ndindex(*scores.shape):
        machine = LinearSVC(C=0.01, class_weight="balanced", dual="auto", random_state=seed)  # pyrefly: ignore[bad-argument-type]
        fit(machine, split.codes[:, [d]], split.factors[:, k])
        scores[d, k] = np.mean(machine.predict(split.test_codes[:, [d]]) == split.test_factors[:, k])
    return scores


def _accuracy_of_trees(split: Split, depth: int, seed: int) -> NDArray:
    """(d, f): one tree for every code and factor, on codes from 0 to 1: trees have single precision."""
    from sklearn.tree import DecisionTreeClassifier

    x, test_x = from_0_to_1(split.codes, split.test_codes)
    test_x = np.clip(test_x, -1, 2)
    scores = np.empty((x.shape[1], split.factors.shape[1]))
    for d, k in np.ndindex(*scores.shape):
        tree = fit(DecisionTreeClassifier(max_depth=depth, random_state=seed), x[:, [d]], split.factors[:, k])
        scores[d, k] = np.mean(tree.predict(test_x[:, [d]]) == split.test_factors[:, k])
    return scores
