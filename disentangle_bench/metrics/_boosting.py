"""Gradient-boosted trees for classes, Friedman 2001, with the settings of scikit-learn's GradientBoostingClassifier:

100 rounds, a tree of depth 3 a class and round, learning rate 0.1, log loss. The same trees, grown over columns that
are sorted once and stay sorted within each node, which is what makes them fast. Where several codes split a node
equally well, but for rounding, one of them is drawn.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

ROUNDS, RATE, DEPTH = 100, 0.1, 3
TIE = 1e-10  # relative difference of scores that rounding may make
NODES = 2**DEPTH - 1  # that may split
LOW, HIGH = np.uint64(2**32 - 1), np.uint64(32)  # a sorted row: its number below, above it the rank of its value
APART = np.float32(1e-7)  # values nearer than this are one value
PURE = np.finfo(np.float64).eps


def boost(x: NDArray, y: NDArray, test_x: NDArray, classes: int, seed: int) -> tuple[NDArray, NDArray, NDArray]:
    """Fit y from x and predict both parts.

    Parameters
    ----------
    x, test_x : (n, d) and (m, d) floats; compared as float32, as scikit-learn does
    y : (n,) class indices 0 ... classes - 1, each of them present
    classes : how many, at least 2
    seed : for ties

    Returns
    -------
    importance of each code (d,), summing to 1 (or all 0 if nothing was split); class indices of x (n,) and test_x (m,)
    """
    columns = np.ascontiguousarray(x.T, np.float32)
    order = np.argsort(columns, axis=1, kind="stable")
    apart = np.diff(np.take_along_axis(columns, order, 1), axis=1, prepend=np.float32(0)) > APART
    ranked = np.cumsum(apart, axis=1).astype(np.uint64) << np.uint64(32) | order.astype(np.uint64)
    share = np.bincount(y, minlength=classes) / len(y)
    start = np.log(share[1:] / share[:1]) if classes == 2 else np.log(share)
    raw = np.repeat(start[:, None], len(y), 1)
    test_raw = np.repeat(start[:, None], len(test_x), 1)
    gain = _rounds(ranked, columns, np.ascontiguousarray(test_x.T, np.float32), y, raw, test_raw, seed)
    total = gain.sum()
    predicted = [(r[0] > 0).astype(int) if classes == 2 else r.argmax(0) for r in (raw, test_raw)]
    return gain / total if total > 0 else gain, *predicted


@numba.njit(cache=True, nogil=True)
def _rounds(ranked, columns, test_columns, y, raw, test_raw, seed):
    """All rounds; changes raw and test_raw (trees a round, rows) in place; returns the gain of each code."""
    np.random.seed(seed)  # noqa: NPY002 (numba's own stream; it leaves numpy's alone)
    trees, n = raw.shape
    gain, residual = np.zeros(len(columns)), np.empty((trees, n))
    inverse = np.ones(n + 1)
    for i in range(1, n + 1):
        inverse[i] = 1.0 / i
    spare = np.empty((2, *ranked.shape), np.uint64)
    for _ in range(ROUNDS):
        _residuals(raw, y, residual)
        for k in range(trees):
            shrink = RATE * (trees - 1) / trees if trees > 1 else RATE
            _tree(ranked, spare, columns, test_columns, residual[k], raw[k], test_raw[k], shrink, inverse, gain)
    return gain


@numba.njit(cache=True, nogil=True)
def _residuals(raw, y, residual):
    """Negative gradient of the log loss: 1 - p for the own class, -p for the others."""
    trees, n = raw.shape
    if trees == 1:
        for i in range(n):
            residual[0, i] = y[i] - 1.0 / (1.0 + np.exp(-raw[0, i]))
        return
    top, total = raw[0].copy(), np.zeros(n)
    for k in range(1, trees):
        for i in range(n):
            top[i] = max(top[i], raw[k, i])
    for k in range(trees):
        for i in range(n):
            residual[k, i] = -np.exp(raw[k, i] - top[i])
            total[i] -= residual[k, i]
    for k in range(trees):
        for i in range(n):
            residual[k, i] /= total[i]
    for i in range(n):
        residual[y[i], i] += 1.0


@numba.njit(cache=True, nogil=True)
def _tree(ranked, spare, columns, test_columns, r, raw, test_raw, shrink, inverse, gain):
    """Grow one tree on residuals r (n,) and add its leaves to raw and test_raw.

    Nodes lie in breadth-first order; the rows of a node are one stretch of every column's sorted rows.
    """
    d, n = ranked.shape
    code, threshold = np.full(NODES, -1), np.zeros(NODES)
    begin, end = np.zeros(NODES, np.int64), np.zeros(NODES, np.int64)
    end[0] = n
    right = np.zeros(n, np.int64)
    rows = ranked
    for v in range(NODES):
        level = 0 if v == 0 else 1 if v < 3 else 2
        if level > 0:
            rows = spare[level - 1]
        a, b = begin[v], end[v]
        if b - a < 2:
            continue
        total = square = 0.0
        for j in range(a, b):
            e = r[rows[0, j] & LOW]
            total += e
            square += e * e
        if square / (b - a) - (total / (b - a)) ** 2 <= PURE:
            continue
        best, place, ties = -1.0, 0, 0
        for c in range(d):
            score, at = _best_cut(rows[c, a:b], r, total, inverse)
            if score > best * (1 + TIE):
                best, place, ties = score, at, 1
                code[v] = c
            elif score >= best * (1 - TIE) and score >= 0:
                ties += 1
                if np.random.randint(ties) == 0:  # noqa: NPY002
                    place, code[v] = at, c
        if best < 0:
            continue
        c = code[v]
        gain[c] += max(best - total * total * inverse[b - a], 0.0) * inverse[n]
        low, high = columns[c, rows[c, a + place - 1] & LOW], columns[c, rows[c, a + place] & LOW]
        middle = low / 2.0 + high / 2.0
        threshold[v] = low if middle == high or np.isinf(middle) else middle
        if level + 1 < DEPTH:
            for j in range(a, b):
                right[rows[c, j] & LOW] = 1 if j >= a + place else 0
            for other in range(d):
                _part(rows[other, a:b], right, spare[level, other, a:b], place)
            begin[2 * v + 1], end[2 * v + 1] = a, a + place
            begin[2 * v + 2], end[2 * v + 2] = a + place, b
    value = np.zeros(2 * NODES + 1)
    above, below = np.zeros(2 * NODES + 1), np.zeros(2 * NODES + 1)
    leaf = np.empty(n, np.uint8)
    for i in range(n):
        v = _leaf(code, threshold, columns, i)
        leaf[i] = v
        above[v] += r[i]
        below[v] += abs(r[i]) * (1.0 - abs(r[i]))
    for v in range(2 * NODES + 1):
        if below[v] > 1e-150:
            value[v] = shrink * above[v] / below[v]
    for i in range(n):
        raw[i] += value[leaf[i]]
    for i in range(len(test_raw)):
        test_raw[i] += value[_leaf(code, threshold, test_columns, i)]


@numba.njit(cache=True, nogil=True)
def _best_cut(rows, r, total, inverse):
    """The best cut of a node's rows, sorted by one code: sum_l^2 / n_l + sum_r^2 / n_r, and n_l; -1, 0 if none."""
    n = len(rows)
    top, place, left = -1.0, 0, r[rows[0] & LOW]
    group = rows[0] >> HIGH
    for j in range(1, n):
        e = rows[j]
        if e >> HIGH != group:
            group = e >> HIGH
            rest = total - left
            score = left * left * inverse[j] + rest * rest * inverse[n - j]
            if score > top:
                top, place = score, j
        left += r[e & LOW]
    return top, place


@numba.njit(cache=True, nogil=True)
def _part(rows, right, out, place):
    """Rows that go left, then rows that go right, each in the order that they had."""
    a, b = 0, place
    for j in range(len(rows)):
        e = rows[j]
        s = right[e & LOW]  # 0 or 1: no branch, since nobody could predict it
        out[a + s * (b - a)] = e
        a += 1 - s
        b += s


@numba.njit(cache=True, nogil=True)
def _leaf(code, threshold, columns, i):
    """The node without a split where row i ends."""
    v = 0
    while v < NODES and code[v] >= 0:
        v = 2 * v + (2 if columns[code[v], i] > threshold[v] else 1)
    return v
