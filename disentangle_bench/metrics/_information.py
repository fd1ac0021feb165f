"""Plug-in information of binned codes and factors, in nats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def discretise(codes: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """The equal-width bin of every code, (n, d) in 0..bins-1.

    A column's bins span its own minimum to maximum and are closed on the left; the maximum falls into the last. A
    constant column falls into one bin.
    """
    low, high = codes.min(axis=0), codes.max(axis=0)
    constant = low == high  # binned as 0 in [0, 1]: a width of 0 makes linspace round all columns differently
    edges = np.linspace(np.where(constant, 0.0, low), np.where(constant, 1.0, high), bins + 1)[:-1]  # (bins, d)
    columns = [
        np.searchsorted(begin, x, side="right") - 1 for begin, x in zip(edges.T, np.where(constant, 0.0, codes).T)
    ]
    return np.stack(columns, axis=1)


def entropy(classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """H of each column, (n, f) -> (f,) nats, from relative frequencies."""
    counts = [np.unique(column, return_counts=True)[1] for column in classes.T]
    return np.array([(c / len(classes) * np.log(len(classes) / c)).sum() for c in counts])


def mutual_information(binned: NDArray[np.int64], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """I of every column of one table with every column of the other, (n, d) and (n, f) -> (d, f) nats.

    I = sum_ab p(a, b) log[p(a, b) / (p(a) p(b))] with relative frequencies for p: no correction of its upward bias,
    which is near (A - 1)(B - 1) / 2n for independent columns of A and B values (Miller 1955). Exactly independent
    counts give exactly 0.
    """
    n, d = binned.shape
    width = int(binned.max()) + 1
    columns = []
    for column in classes.T:
        values, y = np.unique(column, return_inverse=True)
        cells = (binned + width * np.arange(d)) * len(values) + y[:, None]
        joint = np.bincount(cells.ravel(), minlength=d * width * len(values)).reshape(d, width, len(values))
        independent = joint.sum(axis=2, keepdims=True) * joint.sum(axis=1, keepdims=True)  # n^2 p(a) p(b), exact
        ratio = np.divide(n * joint, independent, out=np.ones(joint.shape), where=joint > 0)
        columns.append((joint / n * np.log(ratio)).sum(axis=(1, 2)))
    return np.maximum(np.stack(columns, axis=1), 0.0)


def share(information: NDArray[np.float64], entropies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Information over entropy, broadcast; 0 where there is no entropy, as of a constant code."""
    return np.divide(information, entropies, out=np.zeros(information.shape), where=entropies > 0)
