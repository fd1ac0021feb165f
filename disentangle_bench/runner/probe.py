"""What a kind of run takes, measured here and now: a moment of training and encoding, and its metrics on a few rows."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

import numpy as np

from .. import catalog
from .codes import CodeFile
from .plan import Run
from .run import Plan
from .score import Wanted, compute, plan_rows
from .splits import samples

TRAINED, ENCODED = 0.7, 0.25  # seconds
FEW, MORE = 500, 2_000  # rows that metrics are timed on


@dataclass(frozen=True)
class Rate:
    """What runs of one kind take, each in seconds."""

    step: float  # of one run, its share of the stack's
    image: float  # encoded
    told: str  # where `step` is from
    width: int = 0  # of the codes
    blocks: dict[str, int] = field(default_factory=dict)
    clusters: bool = False  # whether the model assigns images to clusters


def measure(stack: list[Run], data: Any, device: str) -> Rate:
    """Train a stack for a moment as it will train, then encode."""
    run = stack[0]
    if hasattr(run.instance(), "represent"):
        rows = data.scored[: min(run.rows, 512)]
        start = time.perf_counter()
        left = run.instance().represent(data, rows, rows[:8], run.seed)
        seconds = (time.perf_counter() - start) / len(rows)
        return Rate(0.0, seconds, "measured", left["codes"].shape[1], {"z": left["codes"].shape[1]}, "clusters" in left)

    from ..training import engine, evaluate, memory
    from ..training.stack import Stack

    memory.keep_pages()
    with _one_core():
        place = engine.pick_device(device)
        resident = _resident(data, place)
        trained = Stack([(one.instance(), one.seed) for one in stack], resident, run.batch, run.precision)
        step = _seconds(trained, max(1, run.steps // 200)) if run.steps else 0.0
        trained.rest()
        model, net = trained.members[0].model, trained.members[0].net
        images, begun = 0, time.perf_counter()
        while (encoding := time.perf_counter() - begun) < ENCODED:
            codes, _ = evaluate.encode(model, net, resident, data.scored[: min(run.rows, 256)])
            images += len(codes.mean)
    return Rate(step, encoding / images, "measured", codes.mean.shape[1], codes.blocks, codes.clusters is not None)


def _seconds(trained: Any, most: int) -> float:
    """Seconds a step of one run, as its stack trains; it stops every `most` steps at the latest, as `engine` does."""
    trained.advance(1)  # on CUDA the fastest way is looked for, and steps are recorded
    steps, start, more = 0, time.perf_counter(), 1
    while (took := time.perf_counter() - start) < TRAINED:
        trained.advance(1 + steps + more)
        steps, more = steps + more, min(2 * more, most)
    if any(member.status != "running" for member in trained.members):
        raise FloatingPointError("its loss is no longer finite within the first steps")
    return took / steps / len(trained.members)


@contextmanager
def _one_core() -> Iterator[None]:
    """As runs have it, see `work`."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def with_images(data: Any, device: str) -> Any:
    """A data set with one random image in place of all, which takes no memory on a CPU."""
    shape = tuple(data.pixels.shape)
    one = np.random.default_rng(0).integers(0, 256, shape[1:], np.uint8)
    if data.packed or device.startswith("cpu"):
        pixels: Any = np.lib.stride_tricks.as_strided(one, shape, (0, *one.strides))
    else:
        pixels = _Same(one, shape)
    return dataclasses.replace(data, pixels=pixels)


class _Same:
    """Images that are all one, made for each batch."""

    dtype = np.dtype(np.uint8)

    def __init__(self, one: np.ndarray, shape: tuple[int, ...]) -> None:
        self.one, self.shape = one, shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.one, (len(rows), *self.one.shape)).copy()


@lru_cache(maxsize=1)
def _resident(data: Any, device: Any) -> Any:
    from ..training.resident import Resident

    return Resident(data, device)


class Metrics:
    """How long a plan's metrics take, timed once for codes and factors of one kind on codes that follow the factors."""

    def __init__(self, made: Plan) -> None:
        self.made, self.known = made, {}

    def seconds(self, run: Run, data: Any, rate: Rate, known: list[dict[str, Any]]) -> float:
        """Of the scores of one run: those of finished runs that have them all, or timed, and in proportion to the rows
        beyond those that were timed on."""
        wanted = {one.metric for one in self._wanted(_made_up(data, rate, FEW))}
        scored = [[row for row in record["scores"] if row["metric"].partition(".")[0] in wanted] for record in known]
        scored = [rows for rows in scored if {row["metric"].partition(".")[0] for row in rows} == wanted]
        if scored:
            return sum(row["seconds"] for rows in scored for row in rows) / len(scored)
        key = (data.sizes, data.label, data.kinds, run.rows, rate.width, json.dumps(rate.blocks), rate.clusters)
        if key not in self.known:
            _warm()
            took = self._took(data, rate, min(run.rows, MORE))
            if run.rows > MORE:
                slope = max(0.0, took - self._took(data, rate, FEW)) / (MORE - FEW)
                took += slope * (run.rows - MORE)
            self.known[key] = took
        return self.known[key] * len(samples(data, 2))

    def _wanted(self, held: CodeFile) -> list[Wanted]:
        return plan_rows(held, self.made.metrics, self.made.options, self.made.blocks)

    def _took(self, data: Any, rate: Rate, n: int) -> float:
        held = _made_up(data, rate, n)
        start = time.perf_counter()
        for wanted in self._wanted(held):
            compute(held, wanted)
        return time.perf_counter() - start


@cache
def _warm() -> None:
    """Import and compile what metrics need."""
    factors = np.indices((3, 4, 5)).reshape(3, -1).T.repeat(4, 0)
    held = CodeFile(factors + 0.1 * np.random.default_rng(0).normal(size=factors.shape), factors, ("a", "b", "c"), "a")
    for wanted in plan_rows(held, list(catalog.CARD), {}):
        compute(held, wanted)


def _made_up(data: Any, rate: Rate, n: int) -> CodeFile:
    """Codes as such a model leaves them, by shape; their units follow the factors in turn, half of it noise."""
    rng = np.random.default_rng(0)
    factors = data.table[rng.choice(data.scored, n, replace=n > len(data.scored))]
    told = (factors - factors.mean(0)) / np.maximum(factors.std(0), 1e-9)
    codes = rng.normal(size=(n, rate.width)) + told[:, np.arange(rate.width) % factors.shape[1]]
    clusters = rng.integers(10, size=n) if rate.clusters else None
    sd = np.full(codes.shape, 0.5, np.float32)
    label, periods = data.label or "", np.array(data.periods)
    return CodeFile(codes.astype(np.float32), factors, data.names, label, clusters, "mean", sd, periods, rate.blocks)
