"""Explicitness and size, Eastwood et al. 2023, section 4:   E = 1 - area under loss-capacity curve / its triangle"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._fit import standardised
from ._inputs import check_number_split, check_option
from ._metric import metric
from ._regression import CAUTION

PENALTIES = np.logspace(-10, 2, 25)  # of the ridge, a row
LOWEST, HIGHEST = 0.25, 4.0  # frequencies, over the root of the number of codes


class DCIES(NamedTuple):
    """Explicitness in [-1, 1], the others in [0, 1]; losses of each probe (rungs, f), 1 being that of guessing."""

    explicitness: float
    size: float
    informativeness: float
    loss: NDArray[np.float64]


@metric(estimator="ridge on codes and 0 to 512 random Fourier features, test rows", bounds=(-1.0, 1.0))
def dci_es(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    cyclic: Mapping[int, float] | None = None,
    rungs: int = 8,
    least: float = 0.05,
    seed: int = 0,
) -> DCIES:
    """DCI-ES: how little capacity a probe needs to read the factors from the codes, and how few codes there are.

    E = 1/F sum_k [1 - A_k / T_k],   A_k = area between k's loss-capacity curve and its lowest loss L*_k

    T_k = 1/2 (kappa_last - kappa_first) (L_guess - L*_k),   S = min(1, F / D)

    The curve gives the test loss of probes of capacity kappa, joined by lines, up to the first with the lowest loss.

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) numbers, one column per factor of variation: its values, or their indices
    test_codes, test_factors : rows to judge on. Without them two thirds of the rows are for fitting and one third for
        judging, by a permutation from np.random.default_rng(seed).
    cyclic : by column of factors, the period after which it repeats; its cosine and sine are predicted
    rungs : probes, of capacity 0, 1, ... rungs - 1. The first is linear. Probe r adds 2^(r+2) random Fourier features,
        cosines of random directions in the space of codes.
    least : a factor of which no probe explains this share of the variance has explicitness 0
    seed : for the split and the random features

    Returns
    -------
    DCIES with 1 best for all

    * `explicitness` in [-1, 1]: 1 if the linear probe is as good as any, 0 if loss falls evenly with capacity, below 0
      if it falls only at the end. Noise has 0
      in a few hundred rows; in fewer a probe may seem to explain it.
    * `size` in [0, 1]: factors over codes, 1 if there are as many, or fewer codes
    * `informativeness` in [0, 1]: mean over factors of 1 - L*_k, the R^2 of the best probe. Noise is near 0.
    * `loss` (rungs, f): the curves, mean squared error over that of guessing the mean, at most 1

    Raises
    ------
    ValueError
        Arrays that do not fit the description, a factor that never varies, fewer than two rungs, or `least`
        outside 0 to 1.

    Notes
    -----
    * Values depend on the family of probes and on its ladder: compare them only within one. The paper has no single
      convention; it draws curves for random Fourier features, forests and networks.
    * Ours: ridge regression of standardised values on standardised codes and features, penalty by generalised
      cross-validation, capacity as the number of doublings. Each probe contains those below it.
    * Explicitness is about the way from the worst to the best probe, not about how good that is: read it beside
      informativeness.
    * Size cannot tell idle codes from useful ones. In the paper it is F / D without the limit at 1.
    * Features are drawn at random: between seeds explicitness moves by up to 0.08. A rotation of equally scaled codes
      moves it as little; of codes on different scales, which are standardised one by one, it changes everything but
      size. Disentanglement and completeness of a black-box probe are not included: see
      `dci` and its kin for those of other probes.
    * Heavy-tailed codes: directions of features follow the standard deviation, which outliers inflate.
    * A factor counts as a number: one whose values have no order (shape) is not measured by this.

    References
    ----------
    Eastwood, Nicolicioiu, von Kuegelgen, Kekic, Traeuble, Dittadi, Schoelkopf 2023, "DCI-ES: an extended
        disentanglement framework with connections to identifiability".
    Rahimi, Recht 2007, "Random features for large-scale kernel machines".

    Examples
    --------
    >>> factors = np.indices((4, 5, 20)).reshape(3, -1)[:2].T
    >>> [round(score, 6) for score in dci_es(factors, factors)[:3]]
    [1.0, 1.0, 1.0]
    >>> dci_es(np.zeros((400, 4)), factors)[:3]
    (0.0, 0.5, 0.0)
    >>> folded = np.abs(factors - factors.mean(axis=0)) + 0.1 * factors        # no line reads that
    >>> dci_es(folded, factors).explicitness < 0.9 < dci_es(folded, factors).informativeness
    True
    """
    check_option("rungs", rungs, 2)
    if not isinstance(least, int | float | np.number) or not 0 <= least < 1:
        raise ValueError(f"least must be at least 0 and below 1, got {least!r}")
    split = check_number_split(codes, factors, test_codes, test_factors, cyclic, seed=seed)
    features, test_features = _ladder(split.codes, split.test_codes, rungs, seed)
    d = split.codes.shape[1]
    y, test_y = standardised(np.hstack(split.targets), np.hstack(split.test_targets))
    owner = np.repeat(np.arange(len(split.targets)), [target.shape[1] for target in split.targets])
    around = np.bincount(owner, (test_y**2).sum(axis=0))
    loss = np.ones((rungs, len(split.targets)))
    for r in range(rungs):
        width = d + (2 ** (r + 2) if r else 0)
        errors = ((test_y - _ridge(features[:, :width], y, test_features[:, :width])) ** 2).sum(axis=0)
        total = np.bincount(owner, errors)
        loss[r] = np.divide(total, around, out=np.ones(len(total)), where=around > 0)
    loss = np.minimum(loss, 1.0)
    best = loss.min(axis=0)
    each = [explicitness(curve) if 1 - low >= least else 0.0 for curve, low in zip(loss.T, best)]
    return DCIES(float(np.mean(each)), min(1.0, len(best) / d), float(1 - best.mean()), loss)


def explicitness(curve: NDArray) -> float:
    """1 - area above the lowest loss, up to where it is first reached, over the triangle from (0, 1) to (last, lowest).

    The curve (rungs,) has losses of 1 at most, and one below.
    """
    above = curve[: curve.argmin() + 1] - curve.min()
    area = ((above[1:] + above[:-1]) / 2).sum()
    return float(1 - area / ((len(curve) - 1) * (1 - curve.min()) / 2))


def _ladder(x: NDArray, test_x: NDArray, rungs: int, seed: int) -> tuple[NDArray, NDArray]:
    """Codes and random Fourier features (., d + features of the last rung), centred by the rows fitted."""
    x, test_x = standardised(x, test_x)
    rng = np.random.default_rng(seed)
    d, count = x.shape[1], 2 ** (rungs + 1)
    frequency = np.exp(rng.uniform(np.log(LOWEST), np.log(HIGHEST), count)) / np.sqrt(d)
    direction, phase = rng.normal(size=(d, count)) * frequency, rng.uniform(0, 2 * np.pi, count)
    both = [np.hstack([part, np.cos(part @ direction + phase)]) for part in (x, test_x)]
    mean = both[0].mean(axis=0)
    return both[0] - mean, both[1] - mean


def _ridge(x: NDArray, y: NDArray, test_x: NDArray) -> NDArray:
    """Predictions (m, .) of ridge regressions on centred x (n, c), each with the penalty of least GCV error."""
    n = len(x)
    size, axes = np.linalg.eigh(x.T @ x / n)
    keep = size > 1e-12  # features are of order 1: below is rounding
    size, axes = size[keep], axes[:, keep]
    onto = axes.T @ (x.T @ y) / n  # (c, .)
    predicted = np.zeros((len(test_x), y.shape[1]))
    if not len(size):
        return predicted
    whole, parts = (y**2).mean(axis=0), onto**2 / size[:, None]
    shrink = size / (size + PENALTIES[:, None])  # (penalties, c)
    errors = whole - (2 * shrink - shrink**2) @ parts  # (penalties, .) mean squared, of the rows fitted
    freedom = 1 - CAUTION * (shrink.sum(axis=1) + 1) / n
    judged = np.where(freedom[:, None] > 0, np.maximum(errors, 1e-14) / freedom[:, None] ** 2, np.inf)
    chosen = judged.argmin(axis=0)
    if not np.isfinite(judged).any():
        return predicted
    weights = axes @ (onto / (size[:, None] + PENALTIES[chosen]))
    return test_x @ weights
