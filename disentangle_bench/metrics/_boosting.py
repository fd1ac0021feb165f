"""Gradient-boosted trees for classes, Friedman 2001, with the settings of scikit-learn's GradientBoostingClassifier:

100 rounds, a tree of depth 3 a class and round, learning rate 0.1, log loss. The same trees, grown eight at a time,
each in its lane. Where several codes split a node equally well, the best as rounded is
taken, as in scikit-learn, and one of them drawn where even that is equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from ._cuts import BLOCK, cuts
from ._lanes import LANES

ROUNDS, RATE, DEPTH = 100, 0.1, 3
LEAVES = 2**DEPTH
APART = np.float32(1e-7)  # values nearer than this are one value
FAR = 690.0  # exp of it is finite
Fit = tuple[NDArray, NDArray, NDArray]


def boost(x: NDArray, y: NDArray, test_x: NDArray, classes: Sequence[int], seed: int, jobs: int = 1) -> Fit:
    """Fit every column of y from x and predict both parts.

    Parameters
    ----------
    x, test_x : (n, d) and (m, d) floats, n < 2**24; compared as float32, as scikit-learn does
    y : (n, f) class indices 0 ... classes[k] - 1, each of them present
    classes : how many in each column, at least 2
    seed : for ties; a column's draws do not depend on the columns beside it
    jobs : threads

    Returns
    -------
    importance of each code for each column (d, f), summing to 1 (or all 0 if nothing was split); class indices of x
    (n, f) and of test_x (m, f)
    """
    from joblib import Parallel, delayed

    if len(x) >= 2**24:
        raise ValueError(f"codes must have fewer than 2**24 rows to fit trees, got {len(x)}")
    rows, test_rows = (np.ascontiguousarray(part, np.float32) for part in (x, test_x))
    order = np.argsort(rows.T, axis=1, kind="stable").astype(np.uint32)
    values = np.take_along_axis(rows.T, order, 1)
    edge = np.diff(values, axis=1, prepend=values[:, :1], append=values[:, -1:]) > APART  # (d, n + 1): may be cut here

    def fit(group: list[int]) -> list[Fit]:
        shares = [np.bincount(y[:, k], minlength=classes[k]) / len(y) for k in group]
        weight = [s[1:] / s[:1] if len(s) == 2 else s for s in shares]  # of two classes, the odds
        first = np.cumsum([0, *map(len, weight)])
        begin = np.ones((-(-first[-1] // LANES), 1, LANES))
        begin.flat[: first[-1]] = np.concatenate(weight)
        p, raw = np.repeat(begin, len(x), 1), np.repeat(np.log(begin), len(test_x), 1)
        draws = [np.random.SeedSequence((seed, k)).generate_state(len(w), np.uint64) for k, w in zip(group, weight)]
        own = np.ascontiguousarray(y[:, group])
        gain = _rounds(order, edge, rows, test_rows, own, first, p, raw, np.concatenate(draws))
        p, raw = (part.transpose(1, 0, 2).reshape(part.shape[1], -1) for part in (p, raw))  # (rows, trees)
        return [_result(gain[a:b].sum(0), p[:, a:b], raw[:, a:b]) for a, b in pairwise(first)]

    groups = _share(classes, jobs)
    fits: Any = Parallel(len(groups), prefer="threads")(delayed(fit)(group) for group in groups)
    each = {k: result for group, results in zip(groups, fits) for k, result in zip(group, results)}
    importance, train, test = (np.stack(part, axis=1) for part in zip(*(each[k] for k in range(len(classes)))))
    return importance, train, test


def _share(classes: Sequence[int], jobs: int) -> list[list[int]]:
    """Columns of y for each thread, so that all grow about as many trees."""
    groups: list[list[int]] = [[] for _ in range(min(jobs, len(classes)))]
    for k in sorted(range(len(classes)), key=lambda k: -classes[k]):
        min(groups, key=lambda group: sum(classes[i] for i in group)).append(k)
    return groups


def _result(gain: NDArray, p: NDArray, raw: NDArray) -> Fit:
    importance = gain / gain.sum() if gain.sum() > 0 else gain
    if p.shape[1] == 1:
        return importance, (p[:, 0] > 1).astype(int), (raw[:, 0] > 0).astype(int)
    return importance, p.argmax(1), raw.argmax(1)


@numba.njit(cache=True, nogil=True)
def _rounds(order, edge, rows, test_rows, y, first, p, raw, draws):
    """All rounds; changes p (., n, LANES) and raw (., m, LANES) in place; returns each code's gain (trees, d).

    The tree t of a round is in lane t % LANES of part t // LANES; those of column k of y begin with first[k]. p is a
    class's probability but for a factor (of two classes, their odds), raw the logarithm of that for the test rows.
    """
    n, trees = len(rows), first[-1]
    room = len(order) * ((n - 1) // BLOCK + 1) * LEAVES // 2 * LANES
    held = np.empty(room), np.empty(room, np.float32), np.empty(room, np.float32), np.empty(n * LANES)
    node, test_node = np.empty(n * LANES, np.uint8), np.empty(len(test_rows) * LANES, np.uint8)
    gain, residual = np.zeros((trees, len(order))), np.zeros(p.shape)
    for _ in range(ROUNDS):
        _residuals(p, y, first, residual)
        for part in range(len(p)):
            a, r = part * LANES, residual[part].reshape(-1)
            code, threshold = _grow(order, edge, rows, r, node, held, gain[a : a + LANES], draws[a : a + LANES])
            step = _steps(r, node, first, a)
            factor = np.exp(np.minimum(np.maximum(step, -FAR), FAR))
            q, test = p[part].reshape(-1), raw[part].reshape(-1)
            for i in range(len(q)):
                q[i] *= factor[node[i], i % LANES]
            test_node[:] = 0
            for level in range(DEPTH):
                _descend(test_rows, test_node, code, threshold, level)
            for i in range(len(test)):
                test[i] += step[test_node[i], i % LANES]
    return gain


@numba.njit(cache=True, nogil=True)
def _residuals(p, y, first, residual):
    """Negative gradient of the log loss: 1 - p for the own class, -p for the others. Scales p to sum to 1."""
    n, f = y.shape
    for i in range(n):
        for k in range(f):
            a, b = first[k], first[k + 1]
            if b - a == 1:
                odds = min(max(p[a // LANES, i, a % LANES], np.exp(-FAR)), np.exp(FAR))
                p[a // LANES, i, a % LANES] = odds
                residual[a // LANES, i, a % LANES] = y[i, k] - odds / (1.0 + odds)
                continue
            total = 0.0
            for t in range(a, b):
                total += p[t // LANES, i, t % LANES]
            for t in range(a, b):
                share = max(p[t // LANES, i, t % LANES] / total, np.exp(-FAR))
                p[t // LANES, i, t % LANES] = share
                residual[t // LANES, i, t % LANES] = -share
            t = a + y[i, k]
            residual[t // LANES, i, t % LANES] += 1.0


@numba.njit(cache=True, nogil=True)
def _grow(order, edge, rows, r, node, held, gain, draws):
    """Grow a tree in each lane on residuals r (n LANES); leave each row's leaf in node.

    Returns code and threshold of every node in breadth-first order, (LEAVES - 1, LANES). A node that is not split sends
    all rows to its first child.
    """
    code, threshold = np.zeros((LEAVES - 1, LANES), np.int64), np.full((LEAVES - 1, LANES), np.inf)
    node[:] = 0
    for level in range(DEPTH):
        score, size, at, cut = cuts(level, order, edge, r, node, held, len(gain), draws)
        for w in range(len(score)):
            if score[w] >= 0:
                v, l, c = 2**level - 1 + w // LANES, w % LANES, at[w]
                gain[l, c] += score[w] * size[w] / len(rows)
                code[v, l], threshold[v, l] = c, _threshold(order[c], rows[:, c], node, w, cut[w])
        _descend(rows, node, code, threshold, level)
    return code, threshold


@numba.njit(cache=True, nogil=True)
def _threshold(order, column, node, w, place):
    """The middle of the node's rows on both sides of a cut."""
    a, b = place - 1, place
    while node[order[a] * LANES + w % LANES] != w // LANES:
        a -= 1
    while node[order[b] * LANES + w % LANES] != w // LANES:
        b += 1
    low, high = column[order[a]], column[order[b]]
    middle = low / 2.0 + high / 2.0
    return low if middle == high or np.isinf(middle) else middle


@numba.njit(cache=True, nogil=True)
def _descend(rows, node, code, threshold, level):
    """Move every row from its node of this level to the next."""
    first = 2**level - 1
    for i in range(len(rows)):
        for l in range(LANES):
            v = node[i * LANES + l]
            node[i * LANES + l] = 2 * v + (rows[i, code[first + v, l]] > threshold[first + v, l])


@numba.njit(cache=True, nogil=True)
def _steps(r, leaf, first, a):
    """What each leaf adds to the logarithm of p, (LEAVES, LANES): a Newton step, shrunk."""
    above, below, step = np.zeros((LEAVES, LANES)), np.zeros((LEAVES, LANES)), np.zeros((LEAVES, LANES))
    for i in range(len(r)):
        e = abs(r[i])
        above[leaf[i], i % LANES] += r[i]
        below[leaf[i], i % LANES] += e * (1.0 - e)
    for t in range(a, min(a + LANES, first[-1])):
        k = np.searchsorted(first, t, side="right") - 1
        trees = first[k + 1] - first[k]
        shrink = RATE * (trees - 1) / trees if trees > 1 else RATE
        for v in range(LEAVES):
            if below[v, t - a] > 1e-150:
                step[v, t - a] = shrink * above[v, t - a] / below[v, t - a]
    return step
