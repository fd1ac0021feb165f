"""Where stacks are worked on: one small interface, map over tasks and yield results as they finish.

`workers` has an entry a worker: the CUDA device that it is to see as its only one, or "" for whatever there is.
`beside` are tasks that come up on the way, such as scores of what has been trained.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from .. import catalog
from . import on_ray
from .processes import processes
from .task import NOBODY, Beside

Task = TypeVar("Task")
Watch = Callable[[Any], None]

NAMES = ("auto", "here", "processes", "ray")


def here(
    tasks: Iterable[Task], work: Callable[[Task, Watch], Any], watch: Watch, workers: list[str], beside: Beside = NOBODY
) -> Iterator[tuple[Task, Any]]:
    """One task after another in this process, which has nobody beside it."""
    for task in tasks:
        yield task, work(task, watch)


def check(name: str, address: str | None, scorers: str = "0") -> None:
    """See that an executor can be used, before any work. Raises ValueError if it cannot."""
    catalog.choose("--on", name, list(NAMES))
    if scorers != "auto" and not scorers.isdecimal():
        raise ValueError(f"--scorers: got {scorers!r}, expected auto or a number, 0 for none")
    if name == "here" and scorers not in ("auto", "0"):
        raise ValueError(f"--scorers {scorers}: --on here is one process, which scores what it has trained")
    if name == "ray":
        on_ray.library()
    elif address is not None:
        raise ValueError(f"--address {address}: is of a Ray cluster, and needs --on ray")


def choose(
    name: str, device: str, tasks: int, scorers: str = "0"
) -> tuple[Callable[..., Iterator[tuple[Any, Any]]], list[str], int]:
    """The executor called `name`, its workers, and how many processes score beside them.

    "auto" is a process a core on a CPU, a process a device where there are several CUDA devices or where others score,
    else this process. `scorers`: a number, 0 where workers score what they have trained; "auto" is 0 on a CPU, and with
    CUDA a process for each core that no worker takes, or with Ray as many as the cluster has cores.

    Raises
    ------
    ValueError
        Ray cannot give its tasks this device.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    own = cuda(device)
    if name == "ray" and ":" in device:
        raise ValueError(f"--on ray: got --device {device}, expected cpu or cuda: Ray gives each task its device")
    if scorers == "auto":
        many = 0 if name == "here" or not device.startswith("cuda") else max(0, cores - max(1, len(own)))
        many = sys.maxsize if many and name == "ray" else many
    else:
        many = int(scorers)
    places = [""] * max(1, cores - many) if device == "cpu" else own or [""]
    workers = places[: max(1, tasks)]
    if name == "ray":
        return on_ray.spread, workers, many
    if name == "processes" or (name == "auto" and (len(workers) > 1 or many)):
        return processes, workers, many
    return here, [""], 0


def cuda(device: str) -> list[str]:
    """The CUDA devices that "cuda" may mean here, as CUDA_VISIBLE_DEVICES names them; none for any other device."""
    if device != "cuda":
        return []
    import torch

    count = torch.cuda.device_count()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return [name.strip() for name in visible.split(",")][:count] if visible else [str(i) for i in range(count)]
