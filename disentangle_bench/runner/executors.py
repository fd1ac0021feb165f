"""Where stacks are worked on: one small interface, map over tasks and yield results as they finish.

`workers` has an entry a worker: the CUDA device that it is to see as its only one, or "" for whatever there is.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing.managers import SyncManager
from typing import Any, TypeVar

from .. import catalog
from . import on_ray

Task = TypeVar("Task")
Watch = Callable[[Any], None]

NAMES = ("auto", "here", "processes", "ray")


def here(
    tasks: Iterable[Task], work: Callable[[Task, Watch], Any], watch: Watch, workers: list[str]
) -> Iterator[tuple[Task, Any]]:
    """One task after another in this process."""
    for task in tasks:
        yield task, work(task, watch)


def processes(
    tasks: Iterable[Task], work: Callable[[Task, Watch], Any], watch: Watch, workers: list[str]
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
        tasks, free, lost = iter(tasks), list(workers), []

        def together() -> Iterator[Task]:
            while not lost and (task := next(tasks, None)) is not None:
                yield task

        with ProcessPoolExecutor(len(workers), context, _start, (manager.list(workers),)) as pool, _ended_early(pool):
            for task, future in _keep_busy(len(workers), together(), lambda t: pool.submit(_call, work, t, queue)):
                try:
                    yield task, future.result()
                except BrokenProcessPool:
                    lost.append(task)
        # who was to blame is not known: each alone from here on
        with ThreadPoolExecutor(len(workers)) as pool, _ended_early(pool):
            more = chain(lost, tasks)
            for task, future in _keep_busy(
                len(workers), more, lambda t: pool.submit(_alone, context, work, t, queue, free)
            ):
                yield task, future.result()
        queue.put(None)
        listener.join()


@contextlib.contextmanager
def _ended_early(pool: Executor) -> Iterator[None]:
    """Where the rest is no longer wanted, as after Ctrl-C, workers end at once: their checkpoints stand."""
    others = multiprocessing.active_children()
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        workers = set(multiprocessing.active_children()) - set(others)
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()  # only then are its locks those of the dead
        raise


def _keep_busy(
    places: int, tasks: Iterable[Task], submit: Callable[[Task], Future[Any]]
) -> Iterator[tuple[Task, Future[Any]]]:
    """Tasks and their futures as they finish; no more are under way than there are places."""
    tasks, out = iter(tasks), {}
    while True:
        for task in islice(tasks, places - len(out)):
            try:
                out[submit(task)] = task
            except BrokenProcessPool as error:
                dead: Future[Any] = Future()
                dead.set_exception(error)
                out[dead] = task
        if not out:
            return
        for future in wait(out, return_when=FIRST_COMPLETED).done:
            yield out.pop(future), future


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)  # nobody waits for the result; the next start goes on from the checkpoint


def check(name: str, address: str | None) -> None:
    """See that an executor can be used, before any work. Raises ValueError if it cannot."""
    catalog.choose("--on", name, list(NAMES))
    if name == "ray":
        on_ray.library()
    elif address is not None:
        raise ValueError(f"--address {address}: is of a Ray cluster, and needs --on ray")


def choose(
    name: str, device: str, tasks: int, address: str | None = None
) -> tuple[Callable[..., Iterator[tuple[Any, Any]]], list[str]]:
    """The executor called `name` and its workers; "auto" is a process a core on a CPU, a process a device where there
    are several CUDA devices, else this process. "ray" joins the cluster at `address`, or starts one on this machine.

    Raises
    ------
    ValueError
        Ray is missing, has no cluster there, or cannot give its tasks this device.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    own = cuda(device)
    if name == "ray":
        if ":" in device:
            raise ValueError(f"--on ray: got --device {device}, expected cpu or cuda: Ray gives each task its device")
        workers = (own or [""] * cores)[: max(1, tasks)]
        on_ray.connect(workers, address)
        return on_ray.spread, workers
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
    settle()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker at once; its checkpoint is on disk


def settle() -> None:
    """What workers of every kind leave to the program that made the plan: to fetch data, and to tell of it."""
    os.environ["BENCH_OFFLINE"] = "1"
    logging.getLogger("disentangle_bench").setLevel(logging.ERROR)
    logging.getLogger("disentangle_bench.training").setLevel(logging.WARNING)  # but not of stacks that had to be halved
