"""Draws from a data set that supervision needs: pairs, groups, labelled images, clips. Numbers of rows, never images.

All keep to what training may see: rows before `fit`, each as often as `weight` says. They work on any table of
factors, a full grid or not; where it holds no such images, a ValueError says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from disentangle_bench import catalog, rng

from ._shelves import classes, keys, seen_rows, shelves

if TYPE_CHECKING:
    from ._factored import FactoredData

TRIES = 200  # draws after which a row counts as one without a partner
ROUNDS = 50 * TRIES  # and a table as one without such rows


class Pairs(NamedTuple):
    """Rows of n pairs of images, and the factors in which the two differ."""

    first: np.ndarray  # (n,)
    second: np.ndarray  # (n,)
    changed: np.ndarray  # (n, f) booleans


def rows(data: FactoredData, n: int, draws: np.random.Generator) -> np.ndarray:
    """n rows as training draws them, with replacement: (n,) integers."""
    if data.weight is None:
        return draws.integers(data.fit or len(data), size=n)
    return shelves(data, np.zeros(len(data.names), bool)).draw(np.zeros(n, np.intp), draws)


def pairs(
    data: FactoredData, n: int, draws: np.random.Generator, *, k: int | None = 1, among: Iterable[str] | None = None
) -> Pairs:
    """n pairs of images that differ in exactly k factors: the second's values of these are drawn anew, never the same.

    Parameters
    ----------
    k : how many factors change; None draws it for each pair, from 1 to all but one of those in `among`
    among : names of the factors that may change; all that have several values if left out

    Raises
    ------
    ValueError
        An unknown factor, k beyond the number of factors, or a table without two such images.

    Notes
    -----
    Which factors change is drawn first, each set of k as often as the other; then the first image, among those that
    have a partner in it; then the partner, among all of them, as often as training sees it.

    References
    ----------
    Locatello et al. 2020, "Weakly-supervised disentanglement without compromises", section 3.
    """
    names = list(data.names) if among is None else [catalog.choose("factor", name, list(data.names)) for name in among]
    free = [i for i, name in enumerate(data.names) if name in names and data.sizes[i] > 1]
    most = len(free) if k is not None else len(free) - 1
    if not 1 <= (1 if k is None else k) <= most:
        raise ValueError(
            f"pairs: k is {k}, expected 1 to {most}: the factors {[data.names[i] for i in free]} may change"
        )
    count = draws.integers(1, most + 1, size=n) if k is None else np.full(n, k)
    changed = np.zeros((n, len(data.names)), bool)
    order = draws.permuted(np.tile(free, (n, 1)), axis=1)
    np.put_along_axis(changed, order, np.arange(len(free)) < count[:, None], axis=1)
    first, second = np.empty(n, np.intp), np.empty(n, np.intp)
    for mask in np.unique(changed, axis=0):
        own = np.flatnonzero((changed == mask).all(1))
        first[own], second[own] = _partners(data, len(own), draws, mask)
    return Pairs(first, second, changed)


def _partners(
    data: FactoredData, n: int, draws: np.random.Generator, mask: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """n rows, and for each another that is alike in the factors outside `mask` and different in all within."""
    shared, value = shelves(data, ~mask), classes(data, mask)
    first, second = rows(data, n, draws), np.empty(n, np.intp)
    missing, tries = np.arange(n), np.zeros(n, int)
    for _ in range(ROUNDS):
        if not len(missing):
            return first, second
        second[missing] = shared.draw(first[missing], draws)
        tries[missing] += 1
        missing = missing[(value[first[missing]] == value[second[missing]]).any(1)]
        lone = missing[tries[missing] >= TRIES]  # another first image for them
        first[lone], tries[lone] = rows(data, len(lone), draws), 0
    told = ", ".join(name for name, changes in zip(data.names, mask) if changes)
    raise ValueError(f"pairs: data set {data.name!r} has no two images for training that differ in {told} and no more")


def groups(data: FactoredData, n: int, size: int, draws: np.random.Generator, *, by: str | None = None) -> np.ndarray:
    """n groups of different images that share the value of one factor: rows, (n, size).

    Parameters
    ----------
    size : images a group
    by : name of the factor; the data set's label if left out

    Raises
    ------
    ValueError
        No label and no `by`, an unknown factor, or a value that fewer images have; it is named.
    """
    name = _factor(data, by, "groups")
    if data.kinds[data.names.index(name)] == "continuous":
        raise ValueError(f"groups: {name} of data set {data.name!r} is continuous: no two images share its value")
    column = data.factors[:, data.names.index(name)]
    seen = np.bincount(column[seen_rows(data)], minlength=int(column.max()) + 1)
    if size < 1:
        raise ValueError(f"groups: size is {size}; expected 1 at least")
    for value in np.flatnonzero((seen > 0) & (seen < size))[:1]:
        raise ValueError(
            f"groups: size is {size}; {name} {value} of data set {data.name!r} has {seen[value]} images for training"
        )
    shared = shelves(data, np.array([other == name for other in data.names]))
    found = np.empty((n, size), np.intp)
    found[:, 0] = rows(data, n, draws)
    for i in range(1, size):
        missing = np.arange(n)
        for _ in range(ROUNDS):
            found[missing, i] = shared.draw(found[missing, 0], draws)
            missing = missing[(found[missing, :i] == found[missing, i : i + 1]).any(1)]
            if not len(missing):
                break
        else:
            told = data.factors[found[missing[0], 0], data.names.index(name)]
            raise ValueError(f"groups: no {size} different images of {name} {told} came up: training hardly sees some")
    return found


def labelled(data: FactoredData, share: float, seed: int, *, by: str | None = None) -> np.ndarray:
    """Rows of the training images whose factors a model may know, sorted: the same for every model of a seed.

    Within a class none comes twice; those that training draws more often are likelier.

    Parameters
    ----------
    share : above 1, how many images: equally many of each class, a rest goes to classes at random; up to 1, the share
        of each class's images, rounded
    seed : decides which
    by : name of the factor whose classes count; the data set's label if left out. Without either, rows are drawn from
        all alike.

    Raises
    ------
    ValueError
        An unknown factor, more images than there are, or so few that a class has none.
    """
    draws, candidates = rng.stream(seed, "labelled rows"), np.flatnonzero(seen_rows(data))
    if not 0 < share <= len(candidates) or (share > 1 and share != int(share)):
        raise ValueError(
            f"labelled: share is {share:.12g}, expected a fraction up to 1, or a whole number up to {len(candidates)}"
        )
    name = by or data.label
    known = name is not None
    column = data.factors[:, data.names.index(_factor(data, by, "labelled"))] if known else np.zeros(len(data), int)
    found = np.unique(column[candidates])
    own = [_shuffled(data, candidates[column[candidates] == c], draws) for c in found]
    if share > 1:
        count = np.full(len(found), int(share) // len(found))
        count[draws.permutation(len(found))[: int(share) % len(found)]] += 1
    else:
        count = np.array([round(share * len(part)) for part in own])
    for c, part, wanted in zip(found, own, count):
        if not 1 <= wanted <= len(part):
            raise ValueError(
                f"labelled: share {share:.12g} means {wanted} images of {name or 'the set'} {c}, "
                f"expected 1 to {len(part)}"
            )
    return np.sort(np.concatenate([part[:wanted] for part, wanted in zip(own, count)]))


def _shuffled(data: FactoredData, rows: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """The same rows as they come up where each is drawn once: in any order, or by weight."""
    if data.weight is None:
        return draws.permutation(rows)
    return rows[np.argsort(draws.exponential(size=len(rows)) / data.weight[rows])]


def clips(
    data: FactoredData, n: int, length: int, draws: np.random.Generator, *, moving: str | None = None
) -> np.ndarray:
    """n short films: one factor goes up or down by a class a frame, all others stay. Rows, (n, length).

    Parameters
    ----------
    length : frames, 2 at least
    moving : name of the factor that moves; drawn for each clip among ordered and cyclic ones if left out. Cyclic
        factors go around, ordered ones stay within their range.

    Raises
    ------
    ValueError
        A length below 2 or beyond the factor's values, a factor without an order, or a table without such rows.
    """
    if length < 2:
        raise ValueError(f"clips: length is {length}, expected 2 frames at least")
    table = zip(data.names, data.kinds, data.sizes)
    able = [name for name, kind, size in table if kind in ("ordered", "cyclic") and size >= length]
    if moving is not None:
        catalog.choose("factor", moving, list(data.names))
    if not able or (moving is not None and moving not in able):
        raise ValueError(
            f"clips: {moving or 'no factor'} of data set {data.name!r} moves through {length} values; "
            f"ordered or cyclic with as many are: {', '.join(able) or 'none'}"
        )
    chosen = np.full(n, able.index(moving)) if moving else draws.integers(len(able), size=n)
    found = np.empty((n, length), np.intp)
    for j in np.unique(chosen):
        own = np.flatnonzero(chosen == j)
        found[own] = _films(data, len(own), length, draws, data.names.index(able[j]))
    return found


def _films(data: FactoredData, n: int, length: int, draws: np.random.Generator, factor: int) -> np.ndarray:
    """Clips in which this factor moves; of several images that are alike in all factors, any."""
    key = keys(data, np.arange(len(data.names)) != factor)
    size, around = data.sizes[factor], round(data.periods[factor]) or data.sizes[factor]
    table = np.full((int(key.max()) + 1) * size, -1, np.intp)  # row of each scene and class
    seen = np.flatnonzero(seen_rows(data))
    table[key[seen] * size + data.factors[seen, factor]] = seen
    found, missing = np.empty((n, length), np.intp), np.arange(n)
    for _ in range(ROUNDS):
        if not len(missing):
            return shelves(data, np.ones(len(data.names), bool)).draw(found.ravel(), draws).reshape(found.shape)
        start = rows(data, len(missing), draws)
        way = draws.choice([-1, 1], len(missing))
        frames = data.factors[start, factor][:, None] + way[:, None] * np.arange(length)
        inside = np.logical_or(((frames >= 0) & (frames < size)).all(1), data.kinds[factor] == "cyclic")
        found[missing] = np.where(inside[:, None], table[key[start][:, None] * size + frames % around], -1)
        missing = missing[(found[missing] < 0).any(1)]
    raise ValueError(
        f"clips: data set {data.name!r} has no {length} images for training in which {data.names[factor]} alone moves"
    )


def _factor(data: FactoredData, name: str | None, use: str) -> str:
    if name is None and data.label is None:
        raise ValueError(f"{use}: data set {data.name!r} has no label; name a factor with by=, of {list(data.names)}")
    return catalog.choose("factor", name or data.label or "", list(data.names))
