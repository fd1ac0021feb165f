"""Stacks as tasks of a Ray cluster: one of this machine's own cores or devices, or one that is running already."""

from __future__ import annotations

import logging
import logging.handlers
import os
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout, suppress
from itertools import islice
from types import ModuleType
from typing import Any, TypeVar

from .task import NOBODY, Beside

Task = TypeVar("Task")
Watch = Callable[[Any], None]

log = logging.getLogger(__name__)
PAUSE = 0.2  # seconds between two looks at what workers tell
RETRIES = 3  # of a task whose worker or node died
QUIET = {  # before Ray is imported
    "RAY_USAGE_STATS_ENABLED": "0",  # sends nothing anywhere
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # uploads no working directory under `uv run`
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # leaves CUDA_VISIBLE_DEVICES alone where a task has no device
}


def connect(workers: list[str], address: str | None = None, scorers: int = 0) -> None:
    """Join the cluster at `address` ("auto": the one that runs on this machine), or start one with a core for each
    worker, and its device, and for each that scores. One that this program has joined already is kept.

    Raises
    ------
    ValueError
        Ray is not installed, or nothing answers at the address.
    """
    ray = library()
    if ray.is_initialized():
        return
    options: dict[str, Any] = {"address": address}
    if address is None:
        cores = len(workers) + min(scorers, max(0, (os.cpu_count() or 1) - len(workers)))
        options = {"address": "local", "num_cpus": cores, "num_gpus": sum(map(bool, workers))}
        options |= {"include_dashboard": False, "object_store_memory": 100_000_000}
    try:
        _knock(address or "")
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(f"--on ray: no cluster{f' at {address}' if address else ''}: {error}") from None


def spread(
    tasks: Iterable[Task], work: Callable[[Task, Watch], Any], watch: Watch, workers: list[str], beside: Beside = NOBODY
) -> Iterator[tuple[Task, Any]]:
    """Each task on a core of the cluster that `connect` found, or on a device where `workers` have one; those that are
    to be done beside on a core each.

    As many are out as the cluster has places for, counted anew as machines join and leave it. A task whose worker or
    machine dies is tried again; after the last try it yields Ray's exception.
    """
    ray = library()
    gpus = int(any(workers))
    call = [ray.remote(num_cpus=1, num_gpus=devices, max_retries=RETRIES)(_call) for devices in (gpus, 0)]
    box, tasks, told = _mailbox(ray), iter(tasks), False
    out: dict[Any, tuple[int, Any]] = {}  # futures, each with 1 for a task beside the others and 0 for one of these
    try:
        with redirect_stdout(sys.stderr):  # where Ray tells of workers that died
            while True:
                found = ray.cluster_resources()
                places = int(found.get("GPU" if gpus else "CPU", 0))
                aside = sum(kind for kind, _ in out.values())
                new = [(0, task) for task in islice(tasks, max(0, max(1, places) - len(out) + aside))]
                cores = max(1, int(found.get("CPU", 0)))
                new += [(1, task) for task in beside.take(max(0, min(beside.places, cores) - aside))]
                out |= {call[kind].remote(work, task, box): (kind, task) for kind, task in new}
                if not out:
                    return
                if not (places or told):
                    log.warning("--on ray: no machine of the cluster has a %s yet; waiting", "GPU" if gpus else "core")
                    told = True
                ready, _ = ray.wait(list(out), timeout=PAUSE)
                _deliver(ray, box, watch)
                for future in ready:
                    yield out.pop(future)[1], _result(ray, future)
    except KeyboardInterrupt:
        ray.shutdown()  # so that workers hold nothing any more
        raise
    finally:
        if ray.is_initialized():
            ray.kill(box)


def _knock(address: str) -> None:
    """See that somebody answers at HOST:PORT; Ray would try for more than a minute. Raises OSError."""
    host, _, port = address.rpartition(":")
    if port.isdecimal():
        socket.create_connection((host, int(port)), timeout=5).close()


def library() -> ModuleType:
    """Ray itself. Raises ValueError saying how to install it where it is missing."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise ValueError("--on ray needs Ray, which is not installed: pip install 'disentangle-bench[ray]'") from None
    return ray


class _Box:
    """Where workers leave messages until the program that shows them comes by. Lives beside that program."""

    def __init__(self) -> None:
        self.held: list[Any] = []

    def put(self, message: Any) -> None:
        self.held.append(message)

    def empty(self) -> list[Any]:
        held, self.held = self.held, []
        return held


def _mailbox(ray: Any) -> Any:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0, max_restarts=-1, scheduling_strategy=here)(_Box).remote()


def _deliver(ray: Any, box: Any, watch: Watch) -> None:
    """Show what workers have told; messages may be lost with the mailbox's process, results never are."""
    try:
        told = ray.get(box.empty.remote())
    except ray.exceptions.RayActorError:
        return
    for message in told:
        if isinstance(message, logging.LogRecord):
            logging.getLogger(message.name).handle(message)
        else:
            watch(message)


def _result(ray: Any, future: Any) -> Any:
    """What a task returned, or the exception of its worker's death. Raises what the task itself has raised."""
    try:
        return ray.get(future)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        return error


class _Forward(logging.handlers.QueueHandler):
    """Warnings of a worker, told like its messages; `queue` is the function that tells."""

    def enqueue(self, record: logging.LogRecord) -> None:
        self.queue(record)  # type: ignore[operator]


def _call(work: Callable[[Any, Watch], Any], task: Any, box: Any) -> Any:
    """What a worker does with a task. It waits until a message lies in the box: all are there when it is done."""
    import ray
    from ray.exceptions import RayActorError

    from .processes import settle

    def tell(message: Any) -> None:
        with suppress(RayActorError):
            ray.get(box.put.remote(message))

    settle()
    logging.getLogger("disentangle_bench").handlers[:] = [_Forward(tell)]  # type: ignore[arg-type]
    return work(task, tell)
