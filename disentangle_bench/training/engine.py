"""The loop: draw, loss, step, log, checkpoint; for a stack of runs that share a data set, a budget and a device."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ..datasets import FactoredData
from . import checkpoint, precision
from .memory import keep_pages, release_pages
from .resident import Resident
from .stack import Member, Stack

log = logging.getLogger(__name__)
LOGGED = 200  # entries of a learning curve, at most


@dataclass(frozen=True)
class Job:
    """One run to train: a model with its hyper-parameters, its seed, and the folder that keeps its checkpoint.

    `identity` says what the run is, ready for JSON; the checkpoint of another run is refused.
    """

    model: Any
    seed: int
    folder: Path
    identity: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """Where a stack stands: step of `steps`, means of the terms over the last entry, steps a second since the start."""

    step: int
    steps: int
    terms: dict[str, float]
    rate: float


def pick_device(name: str = "auto") -> torch.device:
    """The torch device called `name`; "auto" takes CUDA, else MPS, else the CPU.

    Raises
    ------
    ValueError
        The device does not exist here.
    """
    has = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    kind = next(k for k in has if has[k]) if name == "auto" else name.partition(":")[0]
    if not has.get(kind, False):
        raise ValueError(f"device: got {name!r}, available here: auto, {', '.join(k for k in has if has[k])}")
    return torch.device(kind if name == "auto" else name)


def describe(device: torch.device) -> str:
    """The device in words, for the result row."""
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


def train(
    jobs: list[Job],
    data: FactoredData,
    *,
    steps: int,
    batch: int,
    device: str = "auto",
    precision: str = "fp32",
    way: str = "auto",
    checkpoint_every: int | None = None,
    milestones: Sequence[int] = (),
    reached: Callable[[int, Member, int], None] = lambda i, member, step: None,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> list[tuple[Member, float]]:
    """Train a stack, going on from checkpoints where there are any; each member with its share of the seconds.

    Parameters
    ----------
    precision, way : see `precision.py` and `Stack`
    checkpoint_every : steps between checkpoints; every ten seconds if left out, less often where writing takes longer
        than a fifth of a second. They are written between two entries of the learning curve, and with them
        `best.safetensors`: weights at the checkpoint whose last entry has the lowest mean loss of the first player
    milestones : steps at which `reached(i, member, step)` is called for each running member, before any later
        checkpoint; those at or beyond `steps` are ignored
    watch : is told how far the stack is, some 200 times

    Raises
    ------
    ValueError
        Unknown device or precision, or a checkpoint of another run.
    torch.OutOfMemoryError
        A single run is too large. A stack that is too large goes on as two halves.
    """
    keep_pages()
    try:
        return _Training(jobs, data, steps, batch, device, precision, way).run(
            checkpoint_every, [m for m in milestones if m < steps], reached, watch
        )
    except torch.OutOfMemoryError:
        if len(jobs) == 1:
            raise
        half = len(jobs) // 2
    log.warning("%d runs do not fit in the memory of %s side by side: going on with %d", len(jobs), device, half)
    if torch.cuda.is_available():
        torch.cuda.synchronize()  # what failed may still be at work in memory that is given back
        torch.cuda.empty_cache()
    more: dict[str, Any] = {"steps": steps, "batch": batch, "device": device, "precision": precision, "way": way}
    more |= {"checkpoint_every": checkpoint_every, "milestones": milestones, "watch": watch}
    first = train(jobs[:half], data, reached=reached, **more)
    return first + train(jobs[half:], data, reached=lambda i, member, step: reached(i + half, member, step), **more)


class _Training:
    """A stack on its way through its steps."""

    def __init__(
        self, jobs: list[Job], data: FactoredData, steps: int, batch: int, device: str, numbers: str, way: str
    ) -> None:
        where = pick_device(device)
        precision.require(numbers, where)
        self.jobs, self.steps = jobs, steps
        self.stack = Stack([(job.model, job.seed) for job in jobs], Resident(data, where), batch, numbers, way)
        self.facts = [checkpoint.load(member, job) for member, job in zip(self.stack.members, jobs)]
        self.start = time.monotonic()

    def run(
        self,
        checkpoint_every: int | None,
        milestones: list[int],
        reached: Callable[[int, Member, int], None],
        watch: Callable[[Progress], None],
    ) -> list[tuple[Member, float]]:
        members, every = self.stack.members, max(1, self.steps // LOGGED)
        saves = set(range(checkpoint_every, self.steps, checkpoint_every)) if checkpoint_every else set()
        stops = {*range(every, self.steps, every), *milestones, *saves, self.steps} - {0}
        seconds = float(os.environ.get("BENCH_CHECKPOINT_SECONDS", "10"))
        done, due = 0, time.monotonic() + seconds
        for upto in sorted(stops):
            behind = [m for m in members if m.status == "running" and m.t < upto]
            if not behind:
                continue
            done += upto - behind[0].t
            self.stack.advance(upto)
            last = {term: value for step, term, value in behind[0].log if step == upto}
            watch(Progress(upto, self.steps, last, done / (time.monotonic() - self.start)))
            if upto in milestones:
                for i, member in enumerate(members):
                    if member in behind and member.status == "running":
                        reached(i, member, upto)
            if upto in saves or (checkpoint_every is None and time.monotonic() > due):
                due = time.monotonic() + seconds * max(1, 5 * self._save())
        self._keep_best()
        self.stack.rest()
        release_pages()
        return list(zip(members, self._seconds()))

    def _seconds(self) -> list[float]:
        """Each run's share of the time, earlier tries included."""
        took = (time.monotonic() - self.start) / len(self.jobs) if self.steps else 0.0
        return [facts.get("seconds", 0.0) + took for facts in self.facts]

    def _save(self) -> float:
        """Write every member's checkpoint; the seconds that it took."""
        start = time.monotonic()
        self._keep_best()
        for member, job, facts, seconds in zip(self.stack.members, self.jobs, self.facts, self._seconds()):
            checkpoint.save(member, job, {**facts, "seconds": seconds})
        return time.monotonic() - start

    def _keep_best(self) -> None:
        """Keep a running member's weights if the last entry of its curve is its lowest so far."""
        for member, job, facts in zip(self.stack.members, self.jobs, self.facts):
            if member.status == "running" and member.log and (loss := _loss(member)) < facts.get("best", float("inf")):
                facts["best"] = loss
                checkpoint.save_weights(member.net, job.folder / checkpoint.BEST)


def _loss(member: Member) -> float:
    """Mean of what the first player minimised between the last two entries of the curve."""
    own = next(iter(member.model.players)) + "." if len(member.model.players) > 1 else ""
    step = member.log[-1][0]
    return sum(value for at, term, value in member.log if at == step and term.startswith(own))
