"""Information of a real code about a class, from the distances of nearest neighbours on the line (Ross 2014)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

JITTER = 1e-10  # of standardised codes: tells equal codes apart and moves no other neighbours


def neighbour_information(
    codes: NDArray[np.float64], classes: NDArray[np.int64], neighbours: int
) -> NDArray[np.float64]:
    """I of every code with every factor, (n, d) and (n, f) -> (d, f) nats, at least 0.

    I = psi(n) + psi(k) - <psi(n_y)> - <psi(m)>

    over the rows whose class has n_y > 1 rows, n of them: k = min(neighbours, n_y - 1), and m counts the rows of any
    class, itself among them, that are closer than its k-th neighbour within the class. Equal codes are told apart by
    one fixed small number a row, the same for all codes, along each code's own direction: order of columns, offset,
    scale and sign leave the estimate alone. A constant code knows nothing.
    """
    varies = np.ptp(codes, axis=0) > 0
    information = np.zeros((codes.shape[1], classes.shape[1]))
    if varies.any():
        x = _told_apart(codes[:, varies])
        information[varies] = np.stack([_with_class(x, column, neighbours) for column in classes.T], axis=1)
    return np.maximum(information, 0.0)


def _told_apart(codes: NDArray) -> NDArray:
    centred = codes - codes.mean(axis=0)
    direction = np.sign(np.take_along_axis(centred, np.abs(centred).argmax(axis=0)[None], axis=0))
    scaled = direction * centred / centred.std(axis=0)
    return scaled + JITTER * np.random.default_rng(0).standard_normal((len(codes), 1))


def _with_class(x: NDArray, column: NDArray, neighbours: int) -> NDArray:
    """(d,) nats."""
    from scipy.special import digamma

    _, y, counts = np.unique(column, return_inverse=True, return_counts=True)
    kept = counts[y] > 1
    if not kept.any():
        return np.zeros(x.shape[1])
    x, y = x[kept], y[kept]
    reach, k = np.empty(x.shape), np.minimum(neighbours, counts - 1)
    for c in np.flatnonzero(counts > 1):
        rows = np.flatnonzero(y == c)
        reach[rows] = _distance(x[rows], k[c])
    closer = np.stack([_closer(values, radius) for values, radius in zip(x.T, reach.T)], axis=1)
    return digamma(len(x)) + digamma(k[y]).mean() - digamma(counts[y]).mean() - digamma(closer).mean(axis=0)


def _distance(x: NDArray, k: int) -> NDArray:
    """(n, d): from each code to its k-th nearest of the same column, k < n."""
    order = x.argsort(axis=0)
    line = np.take_along_axis(x, order, axis=0)
    n = len(x)
    nearest = np.full(x.shape, np.inf)
    for below in range(k + 1):  # of the k nearest, so many lie below
        inside = line[below : n - k + below]
        farther = np.maximum(inside - line[: n - k], line[k:] - inside)
        nearest[below : n - k + below] = np.minimum(nearest[below : n - k + below], farther)
    distance = np.empty(x.shape)
    np.put_along_axis(distance, order, nearest, axis=0)
    return distance


def _closer(values: NDArray, radius: NDArray) -> NDArray:
    """(n,): how many of the values, itself among them, are closer than the radius."""
    line = np.concatenate([[-np.inf], np.sort(values), [np.inf]])
    low = np.searchsorted(line, values - radius, side="right")
    high = np.searchsorted(line, values + radius, side="left") - 1
    # values -+ radius are rounded, so the ends are settled by the very differences that the radius came from
    for end, step, outside in ((low, -1, False), (high, 1, False), (low, 1, True), (high, -1, True)):
        while True:
            at = end if outside else end + step
            wrong = (np.abs(line[at] - values) < radius) != outside
            wrong &= radius > 0
            if not wrong.any():
                break
            end[wrong] += step
    return np.maximum(high - low + 1, 1)
