"""R^2 of probes:   1 - sum_i |v_i - g(z_i)|^2 / sum_i |v_i - mean v|^2 on test rows,   g linear or kernel ridge"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._fit import standardised
from ._inputs import NumberSplit, check_number_split, check_option
from ._metric import metric
from ._regression import CAUTION, SMALLEST, check_turns

CHUNK = 4096  # rows of kernel features at once
WIDTHS = (0.5, 1.0, 2.0, 4.0)  # of the kernel, in medians of the distance between landmarks
RIDGES = 10.0 ** np.arange(-8, 1)  # in units of the mean variance of a feature


class R2(NamedTuple):
    """The mean is over factors, from all codes; the matrix is (blocks, f), with one block of all codes by default."""

    mean: float
    matrix: np.ndarray


@metric(
    estimator="R^2 of least squares from all codes to each factor, test rows, clipped at 0",
    variants={"linear": {"probe": "linear"}, "kernel": {"probe": "kernel"}},
    estimators={"kernel": "R^2 of kernel ridge from all codes to each factor, test rows, clipped at 0"},
    unused={"linear": ("probe", "landmarks", "blocks"), "kernel": ("probe", "blocks")},
)
def r2(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    probe: Literal["linear", "kernel"] = "linear",
    blocks: Mapping[str, Sequence[int]] | None = None,
    cyclic: Mapping[int, float] | None = None,
    landmarks: int = 300,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    seed: int = 0,
) -> R2:
    """R^2 of probes: the share of each factor's variance that a regression from the codes predicts on new rows.

    R^2_k = max(0, 1 - sum_i |v_ik - g_k(z_i)|^2 / sum_i |v_ik - mean_i v_ik|^2),   mean = 1/F sum_k R^2_k

    g is an ordinary least-squares line, or kernel ridge regression with a Gaussian kernel
    exp(-|z - z'|^2 / 2 w^2) on `landmarks` points of the fitted rows (Nystroem's approximation).

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) numbers, one column per factor of variation
    probe : "linear" or "kernel"
    blocks : names of blocks and their columns of codes, for a matrix of R^2 from each block to each factor; the mean is
        from all codes all the same
    cyclic : by column of factors, the period after which it repeats; such a factor is predicted as (cos, sin) of
        2 pi v / period, and |.| in R^2 is the length of the pair
    landmarks : for "kernel", rows that the kernel is spanned by, all that are for fitting if they are fewer
    test_codes, test_factors : rows to judge on. Without them two thirds of the rows are for fitting and one third for
        judging, by a permutation from np.random.default_rng(seed).
    seed : for the split and the landmarks

    Returns
    -------
    R2(mean, matrix): floats in [0, 1]; 1 when every factor is a function of the codes of the probe's kind, 0 when the
    probe does no better than the mean of the test rows. The matrix is (blocks, f), or (1, f) of all codes.

    Raises
    ------
    ValueError
        Arrays or options that do not fit the description, a factor that never varies, or not in the rows for judging
        (its R^2 has no denominator).

    Notes
    -----
    * Each R^2 is clipped at 0 before the mean: on few rows noise predicts worse than the mean does.
    * Codes are standardised by the rows for fitting; those that are constant there become 0. Least squares takes the
      shortest solution where codes are collinear.
    * The kernel's width is 0.5, 1, 2 or 4 times the median distance between landmarks, the ridge one of 1e-8 to 1 (of
      the mean variance of a feature), chosen together for each factor by generalised cross-validation on the rows for
      fitting. von Kuegelgen et al. 2021 use full kernel ridge regression with a search over widths and ridges on at
      most some thousand rows; it needs a matrix of all pairs of rows, this one of rows and landmarks, a part at a time.
    * Says nothing about disentanglement: an invertible mixture of all codes keeps its score. With `blocks` it does:
      block-identifiability asks that the block of content predicts content and the other does not.
    * Factors are taken as numbers: the score of one with more than two values and no order depends on its labels.
    * A factor that depends on another is predicted from the other's codes as well.

    References
    ----------
    von Kuegelgen, Sharma, Gresele, Brendel, Schoelkopf, Besserve, Locatello 2021, "Self-supervised learning with data
        augmentations provably isolates content from style", section 5.
    Williams, Seeger 2001, "Using the Nystroem method to speed up kernel machines".
    Golub, Heath, Wahba 1979, "Generalized cross-validation as a method for choosing a good ridge parameter".

    Examples
    --------
    >>> factors = np.indices((4, 5, 10)).reshape(3, -1)[:2].T
    >>> round(r2(factors @ [[1.0, 2.0], [-1.0, 1.0]], factors).mean, 9)
    1.0
    >>> r2(np.zeros((200, 2)), factors).mean
    0.0
    >>> blocks = {"first": [0], "second": [1]}
    >>> r2(factors, factors, blocks=blocks).matrix.round(1).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if probe not in ("linear", "kernel"):
        raise ValueError(f"probe must be 'linear' or 'kernel', got {probe!r}")
    check_option("landmarks", landmarks, 2)
    split = check_number_split(codes, factors, test_codes, test_factors, cyclic, seed=seed)
    check_turns(split.targets)
    for k, target in enumerate(split.test_targets):
        if np.ptp(target, axis=0).max() <= (0 if target.shape[1] == 1 else SMALLEST):
            raise ValueError(f"factors: column {k} cannot be judged, for all its test rows are alike; give more rows")
    columns = _columns(blocks, split.codes.shape[1])
    x, test_x = standardised(split.codes, split.test_codes)
    active = np.ptp(x, axis=0) > 0

    def scores(of: list[int]) -> list[float]:
        if not active[of].any():
            return [0.0] * len(split.targets)
        of = [column for column in of if active[column]]
        if probe == "linear":
            return _scores(split, _line(x[:, of], split.targets, test_x[:, of]))
        return _scores(split, _kernel(x[:, of], split.targets, test_x[:, of], landmarks, seed))

    whole = scores(list(range(x.shape[1])))
    return R2(float(np.mean(whole)), np.array([scores(of) for of in columns] if columns else [whole]))


def _columns(blocks: Mapping[str, Sequence[int]] | None, d: int) -> list[list[int]]:
    if not isinstance(blocks, Mapping | None):
        raise ValueError(f"blocks must map names to columns of codes, as {{'content': [0, 1]}}; got {blocks!r}")
    for name, of in (blocks or {}).items():
        for column in of:
            if not isinstance(column, int | np.integer) or not 0 <= column < d:
                raise ValueError(f"blocks: {name!r} must hold columns of codes, 0 to {d - 1}, got {column!r}")
        if not len(of):
            raise ValueError(f"blocks: {name!r} must hold at least one column of codes, got none")
    return [[int(column) for column in of] for of in (blocks or {}).values()]


def _scores(split: NumberSplit, predicted: list[NDArray]) -> list[float]:
    """R^2 of each factor, clipped at 0."""
    scores = []
    for target, guess in zip(split.test_targets, predicted):
        wrong, spread = ((target - guess) ** 2).sum(), ((target - target.mean(axis=0)) ** 2).sum()
        if not np.isfinite(wrong):
            raise ValueError("codes: too far apart for the probe to tell them from each other; is there an outlier?")
        scores.append(float(max(0.0, 1 - wrong / spread)))
    return scores


def _line(x: NDArray, targets: list[NDArray], test_x: NDArray) -> list[NDArray]:
    """Least squares, a prediction (n_test, 1) or (n_test, 2) a factor; x has mean 0."""
    guesses = []
    for target in targets:
        mean = target.mean(axis=0)
        guesses.append(mean + test_x @ np.linalg.lstsq(x, target - mean, rcond=1e-10)[0])
    return guesses


def _kernel(x: NDArray, targets: list[NDArray], test_x: NDArray, landmarks: int, seed: int) -> list[NDArray]:
    """Ridge regression on Nystroem's features, width and ridge by generalised cross-validation, factor by factor."""
    rows = np.random.default_rng(seed).permutation(len(x))[:landmarks]
    points = np.unique(x[rows], axis=0)
    squared = _squared_distances(points, points)
    distances = np.sqrt(squared[np.triu_indices(len(points), 1)])
    distances = distances[distances > 0]  # 0 between neighbours where another point is immensely far
    middle = float(np.median(distances)) if len(distances) else 1.0
    best = [np.inf] * len(targets)
    guesses: list[NDArray] = [np.tile(target.mean(axis=0), (len(test_x), 1)) for target in targets]
    for width in WIDTHS:
        features = _features(points, squared, width * middle)
        mean = np.sum([part.sum(axis=0) for part in _chunks(x, features)], axis=0) / len(x)  # (features,)
        gram = np.zeros((len(mean), len(mean)))
        cross = [np.zeros((len(mean), target.shape[1])) for target in targets]
        for at, part in zip(range(0, len(x), CHUNK), _chunks(x, features)):
            part -= mean
            gram += part.T @ part
            for sums, target in zip(cross, targets):
                sums += part.T @ (target[at : at + CHUNK] - target.mean(axis=0))
        size, turn = np.linalg.eigh(gram)
        size = np.maximum(size, 0)
        shrunk = size / (size + RIDGES[:, None] * max(size.mean(), np.finfo(float).tiny))  # (ridges, features)
        left = 1 - CAUTION * (1 + shrunk.sum(axis=1)) / len(x)  # degrees of freedom that remain, their share
        solved = {}
        for k, target in enumerate(targets):
            turned = turn.T @ cross[k]
            known = np.divide(turned**2, size[:, None], out=np.zeros_like(turned), where=size[:, None] > 0).sum(axis=1)
            wrong = target.var(axis=0).sum() * len(x) - (shrunk * (2 - shrunk)) @ known
            judged = np.divide(np.maximum(wrong, 0), left**2, out=np.full(len(left), np.inf), where=left > 0)
            ridge = int(judged.argmin())
            if judged[ridge] < best[k]:
                best[k] = judged[ridge]
                inverse = np.divide(shrunk[ridge], size, out=np.zeros_like(size), where=size > 0)
                solved[k] = turn @ (inverse[:, None] * turned)
        for at, part in zip(range(0, len(test_x), CHUNK), _chunks(test_x, features) if solved else ()):
            for k, weights in solved.items():
                guesses[k][at : at + CHUNK] = targets[k].mean(axis=0) + (part - mean) @ weights
    return guesses


def _squared_distances(a: NDArray, b: NDArray) -> NDArray:
    return np.maximum((a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T, 0)


def _features(points: NDArray, squared: NDArray, width: float) -> Callable[[NDArray], NDArray]:
    """Rows (n, d) -> (n, features), whose products are the kernel of its landmarks."""
    size, turn = np.linalg.eigh(np.exp(-squared / (2 * width**2)))
    kept = size > 1e-10 * size[-1]
    root = turn[:, kept] / np.sqrt(size[kept])
    return lambda rows: np.exp(-_squared_distances(rows, points) / (2 * width**2)) @ root


def _chunks(x: NDArray, features: Callable[[NDArray], NDArray]) -> Iterator[NDArray]:
    return (features(x[at : at + CHUNK]) for at in range(0, len(x), CHUNK))
