"""Where stacks are worked on: one small interface, map over tasks and yield results as they finish."""

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
    tasks: list[Task], work: Callable[[Task, Watch], Any], watch: Watch, workers: int = 1
) -> Iterator[tuple[Task, Any]]:
    """One task after another in this process."""
    for task in tasks:
        yield task, work(task, watch)


def processes(
    tasks: list[Task], work: Callable[[Task, Watch], Any], watch: Watch, workers: int
) -> Iterator[tuple[Task, Any]]:
    """Each task in one of `workers` fresh processes. A process that dies (killed, out of memory) yields its exception;
    tasks that had not finished by then are tried again, each in a process of its own."""
    context = multiprocessing.get_context("spawn")
    manager = SyncManager(ctx=context)
    manager.start(_tie)
    with manager:
        queue = manager.Queue()
        listener = threading.Thread(target=_listen, args=(queue, watch), daemon=True)
        listener.start()
        lost: list[Task] = []
        with ProcessPoolExecutor(workers, mp_context=context, initializer=_start) as pool:
            futures = {pool.submit(_call, work, task, queue): task for task in tasks}
            for future in as_completed(futures):
                try:
                    yield futures[future], future.result()
                except BrokenProcessPool:
                    lost.append(futures[future])
        with ThreadPoolExecutor(workers) as threads:  # who was to blame is not known: each alone from here on
            yield from threads.map(lambda task: (task, _alone(context, work, task, queue)), lost)
        queue.put(None)
        listener.join()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)  # nobody waits for the result; the next start goes on from the checkpoint


def choose(name: str, device: str, tasks: int) -> tuple[Callable[..., Iterator[tuple[Any, Any]]], int]:
    """The executor called `name` and its number of workers; "auto" is a process a core on a CPU, else this process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = max(1, min(cores, tasks))
    if name == "processes" or (name == "auto" and device == "cpu" and workers > 1):
        return processes, workers
    return here, 1


def _alone(context: Any, work: Callable[[Task, Watch], Any], task: Task, queue: Any) -> Any:
    """A task's result from a process of its own, or the exception of its death."""
    with ProcessPoolExecutor(1, mp_context=context, initializer=_start) as pool:
        try:
            return pool.submit(_call, work, task, queue).result()
        except BrokenProcessPool as error:
            return error


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


def _start() -> None:
    """What a worker process does first."""
    _tie()
    os.environ["BENCH_OFFLINE"] = "1"  # what can be downloaded was, when the plan was made
    logging.getLogger("disentangle_bench").setLevel(logging.ERROR)  # which has told of the data already
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker at once; its checkpoint is on disk
