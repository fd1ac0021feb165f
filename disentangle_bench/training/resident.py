"""A data set on the device that trains: bytes or packed bits stay there, a batch is gathered and unpacked per step."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ..datasets._shelves import seen_rows
from ..datasets._shift import share
from ..rng import stream

if TYPE_CHECKING:
    from ..datasets import FactoredData

PART = 4096  # images that go to a device at once
FINE = 2**53  # what weights add up to
POOL = 2**16  # pairs of a table that is no grid, groups, clips, images of contrasts


class Resident:
    """What a model's `draw` sees of the data. Images come as floats in [0, 1], (n, c, h, w)."""

    def __init__(self, data: FactoredData, device: torch.device, dtype: torch.dtype = torch.float32) -> None:
        self.data, self.device, self.dtype = data, device, dtype
        self.shape = data.shape
        self.pixels = _held(data, device)
        self.originals = None if data.originals is None else _moved(data.originals, device)
        self.home = None if data.home is None else torch.from_numpy(data.home).to(device)
        label = None if data.label is None else data.factors[:, data.names.index(data.label)]
        self.label = None if label is None else torch.from_numpy(label.astype("int64")).to(device)
        # where training draws rows unevenly: the sum of weights up to each row, whole numbers so that none gets lost
        total = None if data.weight is None else np.cumsum(data.weight[: data.fit])
        whole = None if total is None else np.rint(total / total[-1] * FINE).astype(np.int64)
        self._total = None if whole is None else torch.from_numpy(whole).to(device)
        self._grid = _grid(data, device)
        self._pools: dict[tuple[Any, ...], Tensor] = {}
        self._shifts = torch.arange(7, -1, -1, dtype=torch.uint8, device=device)[:, None]

    def __len__(self) -> int:
        return len(self.data)

    @property
    def classes(self) -> int:
        """How many classes the set's class factor has; 10 where it has none."""
        return self.data.sizes[self.data.names.index(self.data.label)] if self.data.label else 10

    def rows(self, n: int, rng: Any) -> Tensor:
        """n numbers of rows for training, drawn independently: uniformly, or by the weights that the data have."""
        if self._total is None:
            return rng.integers(self.data.fit or len(self), n)
        return torch.searchsorted(self._total, rng.integers(FINE, n), right=True)

    def pairs(self, n: int, rng: Any, k: int) -> tuple[Tensor, Tensor]:
        """n pairs of rows that differ in k factors, or where k is 0 in 1 to all but one: see `FactoredData.pairs`.

        Of a full grid every pair can come up; of any other table those of a fixed draw of `POOL` pairs.
        """
        if self._grid is None:
            drawn = self._pool(
                ("pairs", k), lambda: np.stack(self.data.pairs(POOL, stream(0, "pairs"), k=k or None)[:2])
            )
            first, second = drawn[:, rng.integers(POOL, n)]
            return first, second
        sizes, strides, around = self._grid  # of the factors that vary
        first = self.rows(n, rng)
        count = rng.integers(len(sizes) - 1, n, 1) + 1 if k == 0 else k
        changed = rng.uniform(n, len(sizes)).argsort(1).argsort(1) < count
        before = first[:, None] // strides % sizes
        after = (before + 1 + (rng.uniform(n, len(sizes)) * (around - 1)).long()) % around  # another value for certain
        return first, first + (torch.where(changed, after - before, 0) * strides).sum(1)

    def groups(self, n: int, size: int, rng: Any, by: str | None) -> Tensor:
        """n groups of rows that share a factor's value, (n, size), of a fixed draw of `POOL` of them: see
        `FactoredData.groups`. Of images alone whose factors the run may be told."""
        return self._pool(
            ("groups", size, by, self._who(rng)),
            lambda: self.data.told(rng.seed).groups(POOL, size, stream(0, "groups"), by=by),
        )[rng.integers(POOL, n)]

    def contrasts(self, n: int, size: int, rng: Any) -> Tensor:
        """n pairs of sets of rows, (n, 2, size), of a fixed draw of `POOL` / `size` of them: see
        `FactoredData.contrasts`. Of images alone whose factors the run may be told."""
        drawn = self._pool(
            ("contrasts", size, self._who(rng)),
            lambda: self.data.told(rng.seed).contrasts(POOL // size, size, stream(0, "contrasts")),
        )
        return drawn[rng.integers(len(drawn), n)]

    def clips(self, n: int, length: int, rng: Any, moving: str | None) -> Tensor:
        """n films of rows, (n, length), of a fixed draw of `POOL` of them: see `FactoredData.clips`."""
        return self._pool(
            ("clips", length, moving), lambda: self.data.clips(POOL, length, stream(0, "clips"), moving=moving)
        )[rng.integers(POOL, n)]

    def labelled(self, n: int, rng: Any) -> Tensor:
        """n rows of those whose factors the run may be told: see `FactoredData.known`."""
        if self.data.labels is None:
            return self.rows(n, rng)
        known = self._pool(("labelled", rng.seed), lambda: self.data.known(rng.seed))
        return known[rng.integers(len(known), n)]

    @cached_property
    def known(self) -> int:
        """How many training images a run may be told the factors of."""
        return len(self.data.known(0))

    @cached_property
    def told(self) -> float:
        """Their share of all training images."""
        return self.known / int(seen_rows(self.data).sum())

    def some(self, most: int, rng: Any) -> Tensor:
        """Rows whose factors the run may be told: all, or a fixed random choice of `most` of them; sorted."""

        def chosen() -> np.ndarray:
            rows = self.data.known(rng.seed)
            return np.sort(stream(0, "some rows").choice(rows, most, replace=False)) if len(rows) > most else rows

        return self._pool(("some", most, self._who(rng)), chosen)

    def shares(self, rows: Tensor) -> Tensor:
        """Factors of these rows as shares of their range, (n, f) from 0 to 1; classes in their order."""

        def all_of_them() -> np.ndarray:
            return np.stack([share(self.data, name) for name in self.data.names], 1).astype(np.float32)

        return self._pool(("shares",), all_of_them)[rows].to(self.dtype)

    def _who(self, rng: Any) -> int | None:
        """The seed, where what a run is told depends on it."""
        return None if self.data.labels is None else rng.seed

    def _pool(self, key: tuple[Any, ...], make: Callable[[], np.ndarray]) -> Tensor:
        """An array on the device, made where it is first asked for."""
        if key not in self._pools:
            self._pools[key] = torch.from_numpy(make()).to(self.device)
        return self._pools[key]

    def at(self, rows: Tensor) -> Tensor:
        """The images of these rows."""
        if self.pixels is None:  # drawn or read when asked for
            images = torch.from_numpy(self.data.take(rows.cpu().numpy())).to(self.device)
        else:
            images = self.pixels[rows]  # (n, h, w, c) bytes, or (n, h, w / 8, c) of bits
        if self.data.packed:
            bits = (images.unsqueeze(3) >> self._shifts) & 1  # (n, h, w / 8, 8, c)
            return bits.flatten(2, 3).permute(0, 3, 1, 2).to(self.dtype)
        return images.permute(0, 3, 1, 2).to(self.dtype) / 255

    def images(self, n: int, rng: Any) -> Tensor:
        """n images of training rows."""
        return self.at(self.rows(n, rng))

    def labels(self, rows: Tensor) -> Tensor:
        """The class of each of these rows, for models that are told."""
        if self.label is None:
            raise ValueError(f"data set {self.data.name!r} has no labels")
        return self.label[rows]

    def angle(self, rows: Any) -> Tensor | None:
        """The true rotation of these rows in radians, on the CPU: the factor "angle"; None without.

        Orientations of symmetric shapes are none: no code can follow them through a full turn.
        """
        if "angle" not in self.data.names:
            return None
        return torch.from_numpy(self.data.values[rows, self.data.names.index("angle")])

    def canonical(self, rows: Tensor) -> Tensor:
        """The same objects upright and centred, for models that are shown them."""
        if self.home is None:
            raise ValueError(f"data set {self.data.name!r} has no canonical images")
        at = self.home[rows]
        return self.at(at) if self.originals is None else self.originals[at].permute(0, 3, 1, 2).to(self.dtype) / 255


def _held(data: FactoredData, device: torch.device) -> Tensor | None:
    """The images where they are gathered from: those in memory as they are, others on another device all at once, made
    in parts. None where they are made or read for each batch: on a CPU, or where they do not fit."""
    if type(data.pixels) is np.ndarray:
        return _moved(data.pixels, device)
    size = math.prod(data.pixels.shape)
    if device.type == "cpu" or (device.type == "cuda" and size > torch.cuda.mem_get_info(device)[0] // 2):
        return None
    held = torch.empty(tuple(data.pixels.shape), dtype=torch.uint8, device=device)
    for rows in np.array_split(np.arange(len(data)), -(-len(data) // PART)):
        held[int(rows[0]) : int(rows[-1]) + 1] = torch.from_numpy(data.take(rows)).to(device)
    return held


def _moved(images: np.ndarray, device: torch.device) -> Tensor:
    """An array on the device. Torch takes no views that run backwards, nor arrays that must not be written to."""
    return torch.from_numpy(np.require(images, requirements=["C", "W"])).to(device)


def _grid(data: FactoredData, device: torch.device) -> tuple[Tensor, Tensor, Tensor] | None:
    """Sizes and strides of the factors that vary, and how many different values they have, if the rows are a full grid
    that training draws from uniformly; else None."""
    if data.weight is not None or data.fit or not data.is_grid:
        return None
    sizes, strides = np.array(data.sizes), np.cumprod([1, *data.sizes[:0:-1]])[::-1]
    around = np.array([round(period) or size for period, size in zip(data.periods, sizes)])
    sizes, strides, around = (torch.from_numpy(part[sizes > 1].copy()).to(device) for part in (sizes, strides, around))
    return sizes, strides, around
