"""Information of a latent drawn from its posterior, by the masses of normal distributions in bins: no sampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._inputs import check, check_sd

LEAST_SD = 1e-300  # below it, quotients lose their digits


def check_posterior(
    codes: ArrayLike, sd: ArrayLike, factors: ArrayLike, *, least_codes: int = 1, factor_bins: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Means and standard deviations (n, d) of normal posteriors, and factors as classes (n, f); see `check`.

    Raises
    ------
    ValueError
        As `check`; an sd of another shape than codes, or one that is not above 0.
    """
    mean, classes = check(codes, factors, least_codes=least_codes, factor_bins=factor_bins, independent=True)
    spread = check_sd(sd, mean.shape)
    if not (spread >= LEAST_SD).all():
        row, column = np.argwhere(~(spread >= LEAST_SD))[0]
        raise ValueError(
            f"sd must be above 0 (a standard deviation, not its logarithm), got {spread[row, column]} in row {row}, "
            f"column {column}; codes without spread have mig"
        )
    return mean, spread, classes


def posterior_information(
    mean: NDArray[np.float64],
    sd: NDArray[np.float64],
    classes: NDArray[np.int64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    bins: NDArray[np.int64],
) -> NDArray[np.float64]:
    """I(z_d; v_k) in nats, (d, f), of z_d ~ N(mean, sd^2) of a random row, in bins, (n, d) and (n, f).

    I = sum_vb q(v, b) log[q(v, b) / (p(v) q(b))],   q(v, b) = 1/n sum of the mass in bin b of rows whose factor is v

    Parameters
    ----------
    low, high : (d,) what the bins span; the outermost reach on to infinity
    bins : (d,) how many
    """
    from ._information_loops import add_masses

    n, columns = len(mean), [np.unique(column, return_inverse=True)[1] for column in classes.T]
    sizes = np.array([column.max() + 1 for column in columns])
    begin = np.concatenate([[0], np.cumsum(sizes)])
    cells = np.stack(columns, axis=1) + begin[:-1]
    width = np.where(high > low, (high - low) / bins, 1.0)
    information = np.empty((mean.shape[1], len(sizes)))
    for d in range(len(information)):
        joint = np.zeros((begin[-1], bins[d]))
        add_masses(np.ascontiguousarray(mean[:, d]), np.ascontiguousarray(sd[:, d]), low[d], width[d], cells, joint)
        for k, size in enumerate(sizes):
            part = joint[begin[k] : begin[k] + size]
            independent = np.bincount(columns[k])[:, None] * part.sum(axis=0)  # n^2 p(v) q(b)
            ratio = np.divide(n * part, independent, out=np.ones(part.shape), where=part > 0)
            information[d, k] = (part / n * np.log(ratio)).sum()
    return np.maximum(information, 0.0)
