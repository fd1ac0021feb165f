"""A data set of the field: images and the factors of variation that they were made from. Numpy alone."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from . import _contrasts, _sampling
from ._consistent import consistent
from ._pixels import Pixels
from ._shelves import seen_rows


@dataclass(frozen=True, eq=False)
class FactoredData:
    """Images with known factors, a row each. Any rows will do: a full grid of factors, or a table of some combinations.

    Attributes
    ----------
    name : name of the data set
    pixels : (n, h, w, c) uint8, the images as they are stored, an array or `Pixels`; read them with `take`.
        Packed: an array (n, h, w / 8, c), eight pixels a byte along the width, first pixel in the highest bit, 1 is
        white.
    factors : (n, f) integers, the class of each factor: 0 ... size - 1
    levels : f arrays, what each class of a factor stands for (a share of the range, ...); evenly spaced radians for a
        cyclic factor
    names : f different names
    kinds : "categorical", "ordered", "cyclic" or "continuous", one a factor
    source : where the images come from: official, rendered, drawn ...
    sha256 : hash of the images or of the file that they were read from; "md5:..." of an official file for which
        only that is published
    packed : are the pixels binary and stored as bits?
    label : the factor that counts as the class, None if none does
    home : (n,) the row that shows the same object unrotated and centred, None if the set has no such images
    originals : (m, h, w, c) images of their own that `home` points to instead of rows
    exact : (n, f) floats, what continuous factors are beyond their class in `factors`; None if there are none
    fit : so many of the first rows are for training, the others for scoring; None if all are for both
    weight : (n,) floats, how often training draws each row as against the others, 0 for never; None if all alike
    shift : how `weight` came about, in words: "correlate=scale:posX:0.2"; empty without
    labels : of how many training images a model may be told the factors, as `labelled` takes it; None for all

    Raises
    ------
    ValueError
        An argument does not fit the others; the message names it, what was got and what was expected.

    Examples
    --------
    >>> from disentangle_bench.datasets import load
    >>> data = load("toy")
    >>> data.names, data.sizes, data.take([0, 575]).shape
    (('shape', 'scale', 'posX', 'posY'), (3, 3, 8, 8), (2, 16, 16, 1))
    """

    name: str
    pixels: np.ndarray | Pixels = field(repr=False)
    factors: np.ndarray = field(repr=False)
    levels: tuple[np.ndarray, ...] = field(repr=False)
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    source: str
    sha256: str
    packed: bool = False
    label: str | None = None
    home: np.ndarray | None = field(default=None, repr=False)
    originals: np.ndarray | None = field(default=None, repr=False)
    exact: np.ndarray | None = field(default=None, repr=False)
    fit: int | None = None
    weight: np.ndarray | None = field(default=None, repr=False)
    shift: str = ""
    labels: float | None = None

    def __post_init__(self) -> None:
        consistent(self)

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        h, w, c = self.pixels.shape[1:]
        return h, 8 * w if self.packed else w, c

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of classes of each factor."""
        return tuple(len(level) for level in self.levels)

    @property
    def values(self) -> np.ndarray:
        """(n, f) floats: what the classes in `factors` stand for, or exactly. Made anew at each access."""
        if self.exact is not None:
            return self.exact
        return np.stack([np.asarray(level, float)[column] for level, column in zip(self.levels, self.factors.T)], 1)

    @property
    def table(self) -> np.ndarray:
        """(n, f): factors as metrics read them, a class index or, where continuous, the value."""
        continuous = np.array([kind == "continuous" for kind in self.kinds])
        return self.factors if self.exact is None else np.where(continuous, self.exact, self.factors)

    @cached_property
    def is_grid(self) -> bool:
        """Are the rows every combination of factors once, the last factor fastest, none of them continuous?"""
        last, whole = np.arange(len(self)), "continuous" not in self.kinds and len(self) == math.prod(self.sizes)
        for size, column in zip(self.sizes[::-1], self.factors.T[::-1]) if whole else ():
            whole = whole and bool((column == last % size).all())
            last = last // size
        return whole

    @property
    def scored(self) -> np.ndarray:
        """Rows whose codes may be scored: those that training does not see, or all."""
        return np.arange(self.fit or 0, len(self))

    @property
    def periods(self) -> tuple[float, ...]:
        """Classes after which a cyclic factor repeats (its levels are evenly spaced radians); 0 for other kinds."""
        return tuple(
            2 * np.pi / (level[1] - level[0]) if kind == "cyclic" else 0.0
            for level, kind in zip(self.levels, self.kinds)
        )

    def take(self, rows) -> np.ndarray:
        """The images of some rows: (m, h, w, c) uint8, white = 255, free to change.

        Parameters
        ----------
        rows : (m,) integers, or (n,) booleans
        """
        rows = np.asarray(rows)
        images = self.pixels[np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.intp, copy=False)]
        if self.packed:
            images = np.unpackbits(images, axis=-2)
            images *= 255
        return images

    def rows(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n rows as training draws them, with replacement: (n,) integers."""
        return _sampling.rows(self, n, rng)

    def images(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n images as training draws them, with replacement: (n, h, w, c) uint8, white = 255."""
        return self.take(self.rows(n, rng))

    def pairs(
        self, n: int, rng: np.random.Generator, *, k: int | None = 1, among: Iterable[str] | None = None
    ) -> _sampling.Pairs:
        """Two images each that differ in k factors alone: see `_sampling.pairs`."""
        return _sampling.pairs(self, n, rng, k=k, among=among)

    def groups(self, n: int, size: int, rng: np.random.Generator, *, by: str | None = None) -> np.ndarray:
        """Rows of images that share one factor's value, (n, size): see `_sampling.groups`."""
        return _sampling.groups(self, n, size, rng, by=by)

    def contrasts(self, n: int, size: int, rng: np.random.Generator) -> np.ndarray:
        """Rows of two sets each that differ in one factor's value, (n, 2, size): see `_contrasts.contrasts`."""
        return _contrasts.contrasts(self, n, size, rng)

    def labelled(self, share: float, seed: int, *, by: str | None = None) -> np.ndarray:
        """Rows of the training images whose factors are known: see `_sampling.labelled`."""
        return _sampling.labelled(self, share, seed, by=by)

    def known(self, seed: int) -> np.ndarray:
        """Rows of the training images whose factors a run of this seed may be told, sorted: `labels`, or all."""
        return np.flatnonzero(seen_rows(self)) if self.labels is None else self.labelled(self.labels, seed)

    def told(self, seed: int) -> FactoredData:
        """The set as those see it who need labels: training draws the images alone whose factors they may be told."""
        if self.labels is None:
            return self
        weight = (np.arange(len(self)) >= (self.fit or len(self))).astype(float)
        weight[self.known(seed)] = 1.0
        return dataclasses.replace(self, weight=weight, labels=None)

    def clips(self, n: int, length: int, rng: np.random.Generator, *, moving: str | None = None) -> np.ndarray:
        """Rows of short films in which one factor moves, (n, length): see `_sampling.clips`."""
        return _sampling.clips(self, n, length, rng, moving=moving)

    def canonical(self, rows) -> np.ndarray:
        """The same objects unrotated and centred: (m, h, w, c) uint8, white = 255.

        Raises
        ------
        ValueError
            The set has no such images.
        """
        if self.home is None:
            raise ValueError(f"data set {self.name!r} has no canonical images")
        at = self.home[np.asarray(rows)]
        return self.take(at) if self.originals is None else self.originals[at]


def grid(sizes: tuple[int, ...]) -> np.ndarray:
    """Every combination of factors, the last one fastest: (product of sizes, f) int32.

    Examples
    --------
    >>> grid((2, 3)).tolist()
    [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
    """
    return np.indices(sizes, dtype=np.int32).reshape(len(sizes), -1).T


def home(sizes: tuple[int, ...], at: dict[int, int]) -> np.ndarray:
    """For each row of `grid(sizes)`, the row where some factors (position: class) are set and the others stay: int32.

    Examples
    --------
    >>> home((2, 3), {1: 2}).tolist()
    [2, 2, 2, 5, 5, 5]
    """
    rows = np.arange(np.prod(sizes), dtype=np.int32).reshape(sizes)
    for axis, index in at.items():
        rows = rows.take([index], axis)
    return np.broadcast_to(rows, sizes).reshape(-1)
