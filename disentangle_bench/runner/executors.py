"""Where stacks are worked on: one small interface, map over tasks and yield results as they finish.

`workers` has an entry a worker: the CUDA device that it is to see as its only one, or "" for whatever there is.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.managers import SyncManager
from typing import Any, TypeVar

Task = TypeVar("Task")
Watch = Callable[[Any], None]

NAMES = ("auto", "here", "processes")


def here(
    tasks: list[Task], work: Callable[[Task, Watch], Any], watch: Watch, workers: list[str]
) -> Iterator[tuple[Task, Any]]:
    """One task after another in this process."""
    for task in tasks:
        yield task, work(task, watch)


def processes(
    tasks: list[Task], work: Callable[[Task, Watch], Any], watch: Watch, workers: list[str]
) -> Iterator[tuple[Task, Any]]:
    """Each task in one of the workers, fresh processes. A process that dies (killed, out of memory) yields its
    exception; tasks that had not finished by then are tried again, each in a process of its own."""
    context = multiprocessing.get_context("spawn")
    manager = SyncManager(ctx=context)
    manager.start(_tie)
    with manager:
        queue = manager.Queue()
        listener = threading.Thread(target=_listen, args=(queue, watch), daemon=True)
        listener.start()
        lost: list[Task] = []
        with ProcessPoolExecutor(len(workers), context, _start, (manager.list(workers),)) as pool:
            futures = {pool.submit(_call, work, task, queue): task for task in tasks}
            for future in as_completed(futures):
                try:
                    yield futures[future], future.result()
                except BrokenProcessPool:
                    lost.append(futures[future])
        free = list(workers)
        with ThreadPoolExecutor(len(workers)) as threads:  # who was to blame is not known: each alone from here on
            yield from threads.map(lambda task: (task, _alone(context, work, task, queue, free)), lost)
        queue.put(None)
        listener.join()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)  # nobody waits for the result; the next start goes on from the checkpoint


def choose(name: str, device: str, tasks: int) -> tuple[Callable[..., Iterator[tuple[Any, Any]]], list[str]]:
    """The executor called `name` and its workers; "auto" is a process a core on a CPU, a process a device where there
    are several CUDA devices, else this process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    own = cuda(device)
    workers = (own if len(own) > 1 else [""] * cores)[: max(1, tasks)]
    if name == "processes" or (name == "auto" and (device == "cpu" or len(own) > 1) and len(workers) > 1):
        return processes, workers
    return here, [""]


def cuda(device: str) -> list[str]:
    """The CUDA devices that "cuda" may mean here, as CUDA_VISIBLE_DEVICES names them; none for any other device."""
    if device != "cuda":
        return []
    import torch

    count = torch.cuda.device_count()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return [name.strip() for name in visible.split(",")][:count] if visible else [str(i) for i in range(count)]


def _alone(context: Any, work: Callable[[Task, Watch], Any], task: Task, queue: Any, free: list[str]) -> Any:
    """A task's result from a process of its own, or the exception of its death. It takes a worker's place from `free`
    and gives it back."""
    place = free.pop()
    try:
        with ProcessPoolExecutor(1, context, _start, ([place],)) as pool:
            return pool.submit(_call, work, task, queue).result()
    except BrokenProcessPool as error:
        return error
    finally:
        free.append(place)


def _call(work: Callable[[Any, Watch], Any], task: Any, queue: Any) -> Any:
    return work(task, queue.put)


def _listen(queue: Any, watch: Watch) -> None:
    try:
        while (message := queue.get()) is not None:
            watch(message)
    except (EOFError, OSError):  # the queue is gone: this program was interrupted
        return


def _tie() -> None:
    """End this process with the one that started it."""
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()


def _start(workers: Any) -> None:
    """What a worker process does first; it takes its place from the list of those that are free."""
    _tie()
    if place := workers.pop():
        os.environ["CUDA_VISIBLE_DEVICES"] = place  # before torch looks for devices
    os.environ["BENCH_OFFLINE"] = "1"  # what can be downloaded was, when the plan was made
    logging.getLogger("disentangle_bench").setLevel(logging.ERROR)  # which has told of the data already
    logging.getLogger("disentangle_bench.training").setLevel(logging.WARNING)  # but not of stacks that had to be halved
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker at once; its checkpoint is on disk
