"""What DCI of all probes shares: the scores of a matrix of importances, Eastwood and Williams 2018, section 2."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._fit import from_0_to_1, standardised
from ._inputs import NumberSplit, Split, check


class DCI(NamedTuple):
    """Scores in [0, 1], and the importance of each code for each factor (d, f)."""

    disentanglement: float
    completeness: float
    informativeness: float
    informativeness_train: float
    importance: NDArray[np.float64]


def judge(importance: NDArray, test: NDArray, train: NDArray) -> DCI:
    """The result from importances (d, f) and each factor's informativeness; nan for a part without meaning."""
    disentanglement, completeness = aggregate(importance)
    return DCI(disentanglement, completeness, float(test.mean()), float(train.mean()), importance)


def aggregate(importance: NDArray) -> tuple[float, float]:
    """Disentanglement and completeness of importances (d, f); nan for one factor, or one code."""
    return _concentration(importance), _concentration(importance.T)


def _concentration(weights: NDArray) -> float:
    """1 - entropy of each row in units of its maximum, averaged by the rows' sums; 0 if there is no weight at all."""
    total = weights.sum(axis=1)
    if weights.shape[1] == 1:
        return float("nan")
    if not total.any():
        return 0.0
    return float(np.clip(np.average(concentrations(weights), weights=total), 0, 1))


def concentrations(weights: NDArray) -> NDArray:
    """1 - entropy of each row in units of its maximum; 1 for a row without weight."""
    total = weights.sum(axis=1)
    p = np.divide(weights, total[:, None], out=np.zeros_like(weights), where=total[:, None] > 0)
    log = np.log(p, out=np.zeros_like(p), where=p > 0)
    return 1 + (p * log).sum(axis=1) / np.log(weights.shape[1])


def check_undefined(undefined: str, codes: int, factors: int) -> None:
    """Refuse, or warn of, a part of the result that has no meaning."""
    if undefined not in ("raise", "nan"):
        raise ValueError(f"undefined must be 'raise' or 'nan', got {undefined!r}")
    for name, part, count in ("codes", "completeness", codes), ("factors", "disentanglement", factors):
        if count == 1 and undefined == "raise":
            raise ValueError(
                f"{name}: {part} compares {name} and needs at least 2, got 1; undefined='nan' gives nan for it and the "
                "other parts"
            )
        if count == 1:
            warnings.warn(f"{part} is undefined: it compares {name} and there is only one", UserWarning, stacklevel=3)


def subset(split: Split, rows: int, seed: int) -> Split:
    """A random part of the rows to fit on."""
    chosen = np.random.default_rng(seed).permutation(len(split.codes))[:rows]
    try:
        codes, factors = check(split.codes[chosen], split.factors[chosen])
    except ValueError as error:
        raise ValueError(f"among the {rows} rows chosen for fitting, {error}") from None
    return split._replace(codes=codes, factors=factors)


def scaled_by(how: str, split: NumberSplit) -> NumberSplit:
    """Codes and targets scaled by the rows to fit on: "spread" to unit variance, "range" to [0, 1]."""
    scale = {"spread": standardised, "range": from_0_to_1}[how]
    codes, test_codes = scale(split.codes, split.test_codes)
    targets = [scale(fitted, judged) for fitted, judged in zip(split.targets, split.test_targets)]
    return NumberSplit(codes, [t for t, _ in targets], test_codes, [t for _, t in targets])


def explained(target: NDArray, predicted: NDArray, about: NDArray) -> float:
    """R^2, not below 0: 1 - squared error / squared distance from `about`, the mean of the rows fitted."""
    around = ((target - about) ** 2).sum()
    return float(max(0.0, 1 - ((target - predicted) ** 2).sum() / around)) if around > 0 else 0.0


def twelve_errors(target: NDArray, predicted: NDArray) -> float:
    """1 - 12 mean squared error, not below 0: 12 is one over the variance of a uniform number in [0, 1]."""
    return float(max(0.0, 1 - 12 * ((target - predicted) ** 2).mean()))
