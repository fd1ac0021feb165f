"""The loop: draw, loss, step, log, checkpoint; for a stack of runs that share a data set, a budget and a device."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..datasets import FactoredData
from . import checkpoint
from .resident import Resident
from .stack import Member, Stack

LOGGED = 200  # entries of a learning curve, at most
CHECKPOINT_SECONDS = float(os.environ.get("BENCH_CHECKPOINT_SECONDS", "10"))


@dataclass(frozen=True)
class Job:
    """One run to train: a model with its hyper-parameters, its seed, and the folder that keeps its checkpoint."""

    model: Any
    seed: int
    folder: Path


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


def keep_pages() -> None:
    """Let glibc keep freed memory: the same large buffers are freed and taken again each step, and page faults cost
    more than a quarter of a CPU step otherwise. Nothing happens with other C libraries."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            for option, value in (
                (-4, 0),
                (-1, 2**31 - 1),
                (-2, 64 * 2**20),
            ):  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
                mallopt(option, value)


def train(
    jobs: list[Job],
    data: FactoredData,
    *,
    steps: int,
    batch: int,
    device: str = "auto",
    watch: Callable[[Progress], None] = lambda progress: None,
) -> list[tuple[Member, float]]:
    """Train a stack, going on from checkpoints where there are any; each member with its share of the seconds.

    A run's checkpoint is written every ten seconds, always between two entries of its learning curve.
    """
    keep_pages()
    resident = Resident(data, pick_device(device))
    stack = Stack([(job.model, job.seed) for job in jobs], resident, batch)
    before = [checkpoint.load(member, job.folder).get("seconds", 0.0) for member, job in zip(stack.members, jobs)]
    if steps == 0:
        return list(zip(stack.members, before))
    every, done = max(1, steps // LOGGED), 0
    start = saved = time.monotonic()

    def save() -> None:
        for member, job, seconds in zip(stack.members, jobs, before):
            checkpoint.save(member, job.folder, {"seconds": seconds + (time.monotonic() - start) / len(jobs)})

    for upto in range(every, steps + every, every):
        upto = min(upto, steps)
        behind = [member for member in stack.members if member.status == "running" and member.t < upto]
        if not behind:
            continue
        done += upto - behind[0].t
        stack.advance(upto)
        last = {term: value for step, term, value in behind[0].log if step == upto}
        watch(Progress(upto, steps, last, done / (time.monotonic() - start)))
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            save()
            saved = time.monotonic()
    if resident.device.type == "cuda":
        torch.cuda.synchronize(resident.device)
    took = (time.monotonic() - start) / len(jobs)
    return [(member, seconds + took) for member, seconds in zip(stack.members, before)]
