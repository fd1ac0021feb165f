"""The best cut of every node of eight regression trees that grow side by side, each in its lane, over the same rows.

A column's sorted rows are the same for all trees. A cut with c of a node's N rows on its left, and L the sum of their
centred residuals, explains a variance of L^2 / (c (N - c)): its score. Sums over blocks of 64 sorted rows bound the
scores of all cuts within. Only blocks whose bound reaches the best score between blocks are read row by row: about one
in a hundred.

numba keeps compiled callers together with what they call: after a change here or in _lanes.py, touch _boosting.py.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import carray
from numba.core import types

from ._lanes import LANES, adder, local

BLOCK = 64  # rows
TIE = 1e-10  # relative difference of scores that rounding may make
PURE = np.finfo(np.float64).eps  # variance up to which residuals are all alike
SLACK = np.float32(1 + 1e-5)  # more than the rounding of bounds, which are float32


@numba.njit(cache=True, nogil=True)
def cuts(level, order, edge, r, node, held, lanes, draws):
    """The best cut of each node of a level (at most 2) and lane, (2**level LANES,).

    Parameters
    ----------
    order : (d, n) rows of each column, sorted
    edge : (d, n + 1) whether a column can be cut before a place in that order
    r, node : (n LANES,) residuals, and the node of this level in which the row is
    held : room for this function
    lanes : how many of them are in use
    draws : (lanes,) states of random streams, for ties

    Returns
    -------
    score (-1 where there is no cut), rows of the node, column, place in its order
    """
    d, n = order.shape
    width, centred = 2**level * LANES, held[3]
    shape = (d, (n - 1) // BLOCK + 1, width)
    room = shape[0] * shape[1] * width
    left, count, bound = held[0][:room].reshape(shape), held[1][:room].reshape(shape), held[2][:room].reshape(shape)
    if level == 0:
        size, limit = _search1(order, edge, r, node, centred, left, count, bound)
    elif level == 1:
        size, limit = _search2(order, edge, r, node, centred, left, count, bound)
    else:
        size, limit = _search4(order, edge, r, node, centred, left, count, bound)
    limit *= 1 - 2 * TIE
    limit[np.arange(width) % LANES >= lanes] = np.inf
    if limit.min() <= PURE:  # else no node is pure: its variance is at least what a cut explains
        square = np.zeros(width)
        for i in range(len(centred)):
            square[node[i] * LANES + i % LANES] += centred[i] * centred[i]
        limit[square <= PURE * size] = np.inf
    score, at, cut = _choose(order, edge, r, centred, node, size, limit, left, count, bound, draws)
    return score, size, at, cut


def _search(nodes: int) -> Any:
    width = nodes * LANES
    add, double, single = adder(nodes), local(types.float64, width), local(types.float32, width)

    @numba.njit(cache=True, nogil=True)
    def scan(order, edge, centred, node, size, limit, left, count, bound):
        """Sums before each block (blocks, width), and a bound of the scores of cuts in it or at its end.

        Raises limit to the best score of a cut at the end of a block.
        """
        n = len(order)
        sums, ups, rows = carray(double(), width), carray(single(), width), carray(single(), width)
        total, before = np.zeros(width), np.zeros(width, np.float32)
        for b in range(len(left)):
            sums[:], ups[:], rows[:] = 0.0, 0.0, 0.0
            begin, end = b * BLOCK, min(n, (b + 1) * BLOCK)
            for j in range(begin, end):
                add(sums, ups, rows, centred, node, order[j] * LANES)
            within = edge[begin + 1 : end].any()
            for w in range(width):
                left[b, w], count[b, w] = total[w], before[w]
                low, high = total[w] + (sums[w] - ups[w] * SLACK), total[w] + ups[w] * SLACK
                total[w] += sums[w]
                after, most = before[w] + rows[w], -1.0
                if edge[end] and 0 < after < size[w]:
                    most = total[w] * total[w] / (after * (size[w] - after))
                    limit[w] = max(limit[w], most)
                if within:
                    least = min(before[w] * (size[w] - before[w]), after * (size[w] - after))
                    most = max(most, max(low * low, high * high) / max(least, size[w] - 1, 1))
                before[w], bound[b, w] = after, most * SLACK

    @numba.njit(cache=True, nogil=True)
    def search(order, edge, r, node, centred, left, count, bound):
        """Centre r in each node and scan all columns; returns the nodes' rows, and a score that each can reach."""
        sums, ups, rows = carray(double(), width), carray(single(), width), carray(single(), width)
        sums[:], ups[:], rows[:] = 0.0, 0.0, 0.0
        for i in range(0, len(r), LANES):
            add(sums, ups, rows, r, node, i)
        mean, size, limit = np.zeros(width), np.zeros(width, np.float32), np.zeros(width)
        for w in range(width):
            mean[w], size[w] = sums[w] / max(rows[w], 1), rows[w]
        for i in range(len(r)):
            centred[i] = r[i] - mean[node[i] * LANES + i % LANES]
        for c in range(len(order)):
            scan(order[c], edge[c], centred, node, size, limit, left[c], count[c], bound[c])
        return size, limit

    return search


_search1, _search2, _search4 = _search(1), _search(2), _search(4)


@numba.njit(cache=True, nogil=True)
def _choose(order, edge, r, centred, node, size, limit, left, count, bound, draws):
    """The best score of each node and lane, -1 if there is none, its column and place."""
    d, width = len(order), len(size)
    top, place, several = np.full((d, width), -1.0), np.zeros((d, width), np.int64), np.zeros((d, width), np.bool_)
    for c in range(d):
        for b in range(bound.shape[1]):
            for w in range(width):
                if bound[c, b, w] >= limit[w]:
                    score, j, tie = _best_cut(
                        order[c], edge[c], b, centred, node, w, left[c, b, w], count[c, b, w], size[w]
                    )
                    if score >= top[c, w] * (1 - TIE):
                        several[c, w] = score <= top[c, w] * (1 + TIE) or tie
                    if score > top[c, w]:
                        top[c, w], place[c, w] = score, j
                        limit[w] = max(limit[w], score * (1 - 2 * TIE))
    best, at, cut = np.full(width, -1.0), np.zeros(width, np.int64), np.zeros(width, np.int64)
    for w in range(width):
        c = top[:, w].argmax()
        best[w], at[w], cut[w] = top[c, w], c, place[c, w]
        tied = top[:, w] >= best[w] * (1 - TIE)
        if best[w] >= 0 and (tied.sum() > 1 or several[c, w]):
            at[w], cut[w] = _drawn(order, edge, r, node, w, size[w], count, tied, draws)
    return best, at, cut


@numba.njit(cache=True, nogil=True)
def _best_cut(order, edge, b, centred, node, w, left, count, size):
    """The best cut behind a row of block b: its score and place, and whether others tie; -1, 0 if there is none."""
    v, l = w // LANES, w % LANES
    top, place, tie = -1.0, 0, False
    new = not edge[b * BLOCK]  # else the block before has seen it
    for j in range(b * BLOCK, min((b + 1) * BLOCK, len(order))):
        i = order[j] * LANES + l
        if node[i] == v:
            left += centred[i]
            count += 1
            new = True
        if new and edge[j + 1] and 0 < count < size:
            score = left * left / (count * (size - count))
            if score >= top * (1 - TIE):
                tie = score <= top * (1 + TIE)
            if score > top:
                top, place = score, j + 1
            new = False
    return top, place, tie


@numba.njit(cache=True, nogil=True)
def _drawn(order, edge, r, node, w, size, count, tied, draws):
    """Column and place of one of the best cuts of tied columns: the best as scikit-learn rounds, or drawn from these.

    It sums residuals row by row as they are sorted, and so prefers some ties to others, always the same.
    """
    v, l, n = w // LANES, w % LANES, order.shape[1]
    total = 0.0
    for c in range(len(order)):
        if tied[c]:
            for j in range(n):
                i = order[c, j] * LANES + l
                if node[i] == v:
                    total += r[i]
            break
    best, at, cut, equal = -1.0, 0, 0, 0
    for c in np.flatnonzero(tied):
        top, place, left, before, new = -1.0, 0, 0.0, 0, False
        for b in range((n - 1) // BLOCK + 1):
            begin, end = b * BLOCK, min((b + 1) * BLOCK, n)
            if not new and (count[c, b + 1, w] if end < n else size) == before:
                continue
            for j in range(begin, end):
                if new and edge[c, j]:
                    rest, behind = total - left, size - before
                    score = left * left / before + rest * rest / behind if behind > 0 else -1.0
                    if score > top:
                        top, place = score, j
                    new = False
                i = order[c, j] * LANES + l
                if node[i] == v:
                    left += r[i]
                    before += 1
                    new = True
        if top > best:
            best, at, cut, equal = top, c, place, 1
        elif top == best:
            equal += 1
            if _draw(draws, l) % np.uint64(equal) == 0:
                at, cut = c, place
    return at, cut


@numba.njit(cache=True, nogil=True)
def _draw(states, l):
    """A random number of a lane's own stream (splitmix64)."""
    states[l] += np.uint64(0x9E3779B97F4A7C15)
    z = states[l]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
