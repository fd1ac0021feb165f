"""The FactorVAE metric, Kim and Mnih 2018, section 4:   majority vote on argmin_d Var_b(z_d) / Var(z_d)"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._fixed_factor import over_batches, partners
from ._inputs import check, check_option, check_seed
from ._metric import metric


@metric(
    estimator="majority vote on the code of least relative variance, accuracy; batches from the given rows", version=2
)
def factorvae_score(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    batch: int = 64,
    train: int = 10_000,
    test: int = 5_000,
    prune: float = 0.05,
    rescale: bool = False,
    seed: int = 0,
) -> float:
    """The FactorVAE metric: whether the code that varies least tells which factor was held fixed.

    A point: a factor k at random, `batch` rows that agree in factor k, and the code d* = argmin_d Var_b(z_d) /
    Var(z_d) that varies least in the batch, relative to all rows. Each code gets the factor that it was voted for
    most often; the score is the accuracy of that table on new points.

    Parameters
    ----------
    codes : (n, d) floats
    factors : (n, f) integers, f >= 2, one column per factor of variation; columns of fractions are binned if continuous
    batch : rows a point, at least 2
    train, test : points to make the table from and to judge it on
    prune : codes with a standard deviation below this, and constant codes, take no part
    rescale : (accuracy - 1/f) / (1 - 1/f) in place of the accuracy: chance is 0, worse than chance negative
    seed : for all draws

    Returns
    -------
    float in [0, 1]; 1 when the fixed factor is always recognised, near 1/f for codes that know nothing. If no code
    is left after pruning the accuracy is 0. With `rescale` in [-1, 1], near 0 for codes that know nothing.

    Raises
    ------
    ValueError
        Arrays or options that do not fit the description, fewer than two factors (a single one is always guessed), or
        a factor that never varies.

    Notes
    -----
    * `prune` is an absolute threshold on raw codes. It keeps dead units, whose relative variance is noise, out of the
      vote, but a code that is small and informative is lost with them: one of four perfect codes multiplied by 0.02
      and the score is 0.75. Rescaling all codes changes nothing until some cross the threshold. Published values
      (Locatello et al. 2019) used 0.05.
    * disent has no threshold, which is prune=0; but there a constant code wins every vote (0/0 counts as least), and
      here it never takes part: with three constant codes of six, 0.33 there and 1 here.
    * Rows come from those given: one uniformly, then the batch uniformly among the rows with the same value of factor
      k. If the rows are a full grid of factors (every combination equally often) that equals drawing all other
      factors anew. Else they are a sample, and a batch repeats no row if at least 2 x `batch` have the value: repeats
      would blur its variances. With dSprites' factors and codes from noise to nearly perfect, scores from 10,000 rows
      are within 0.006 of those of all combinations on average. (Version 1 repeated rows always: down to -0.013.)
    * With fewer rows, values of large factors are too rare: from 3,000 rows of dSprites' factors, scores are up to
      0.035 too low, and up to 0.02 too high for noise, for train and test share the chance features of few rows.
    * With correlated factors, fixing one narrows the others (`CorrelatedFactors` warns).
    * Variances relative to all given rows. Larger batches give higher scores. Spread over seeds: up to 0.009.
    * Ubisoft's comparative framework (Carbonneau et al. 2022) calls it Z-min-var: rescale=True, by default batch=200
      and 800 points each to vote and to judge. It draws a value of factor k uniformly, then rows with it, so it differs
      for values of unequal frequencies, and repeats no row if `batch` have the value.

    References
    ----------
    Kim, Mnih 2018, "Disentangling by factorising", section 4.
    Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled
        representations".
    Carbonneau, Zaidi, Boilard, Gagnon 2022, "Measuring disentanglement: a review of metrics".

    Examples
    --------
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> factorvae_score(factors, factors, train=200, test=100)
    1.0
    >>> noise = np.random.default_rng(0).normal(size=(20, 2))
    >>> factorvae_score(noise, factors, train=200, test=100) < 1
    True
    >>> factorvae_score(0.01 * factors, factors, train=200, test=100)           # below the threshold
    0.0
    """
    codes, factors = check(codes, factors, least_factors=2, independent=True)
    for name, option, least in ("batch", batch, 2), ("train", train, 1), ("test", test, 1):
        check_option(name, option, least)
    if not prune >= 0:
        raise ValueError(f"prune must be at least 0, got {prune!r}")
    check_seed(seed)
    deviation = codes.std(axis=0, ddof=1)  # of a constant: 0 or rounding
    codes = codes[:, (np.ptp(codes, axis=0) > 0) & (deviation > 0) & (deviation >= prune)]
    accuracy, chance = 0.0, 1 / factors.shape[1]
    if codes.shape[1]:
        k, rows = partners(factors).batches(train + test, batch, np.random.default_rng(seed))
        everywhere = codes.var(axis=0, ddof=1)
        winner = over_batches(lambda z: (z.var(axis=1, ddof=1) / everywhere).argmin(axis=1), codes, rows)  # (points,)
        accuracy = _vote(winner[:train], k[:train], winner[train:], k[train:])
    return (accuracy - chance) / (1 - chance) if rescale else accuracy


def _vote(winner: NDArray, k: NDArray, test_winner: NDArray, test_k: NDArray) -> float:
    """Accuracy of giving each code the factor it won for most often; the lowest of several, and of none."""
    votes = np.zeros((max(winner.max(), test_winner.max()) + 1, k.max() + 1), int)
    np.add.at(votes, (winner, k), 1)
    return float((votes.argmax(axis=1)[test_winner] == test_k).mean())
