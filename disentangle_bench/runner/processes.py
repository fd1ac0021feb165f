"""Stacks worked on by processes of this machine. One that dies takes no other task with it, and all end with this one.

`workers` has an entry a worker: the CUDA device that it is to see as its only one, or "" for whatever there is.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing.context import BaseContext
from multiprocessing.managers import SyncManager
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from .task import NOBODY, Beside

Task = TypeVar("Task")
Watch = Callable[[Any], None]
WARM = [  # what workers need
    "disentangle_bench.runner.work",
    "disentangle_bench.training.engine",
    "disentangle_bench.training.evaluate",
    "disentangle_bench.metrics._boosting",
    "scipy.stats",
    "sklearn.cluster",
    "sklearn.linear_model",
    "sklearn.svm",
]


def processes(
    tasks: Iterable[Task], work: Callable[[Task, Watch], Any], watch: Watch, workers: list[str], beside: Beside = NOBODY
) -> Iterator[tuple[Task, Any]]:
    """Each task in one of the workers, processes of their own. One that dies (killed, out of memory) yields its
    exception; tasks that had not finished by then are tried again, each in another process."""
    kind = context(workers)
    manager = SyncManager(ctx=kind)
    manager.start(_tie)
    with manager:
        queue, tasks = manager.Queue(), iter(tasks)
        listener = threading.Thread(target=_listen, args=(queue, watch), daemon=True)
        listener.start()
        lanes = [_Lane(kind, manager, work, queue, workers, lambda n: islice(tasks, n))]
        if beside.places:
            lanes.append(_Lane(kind, manager, work, queue, [""] * beside.places, beside.take))
        with _ended_early(lanes):
            yield from _keep_busy(lanes)
        queue.put(None)
        listener.join()


def context(workers: list[str]) -> BaseContext:
    """Where every worker sees the same, they are forked from one process that has imported what they need: at work at
    once, and its memory is theirs. Those with a device of their own choose it before anything could look for devices.
    """
    if any(workers) or sys.platform != "linux":  # elsewhere system libraries do not stand a fork
        return multiprocessing.get_context("spawn")
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(WARM)
    return forks


class _Lane:
    """Workers of one kind, and where their tasks come from: `take(n)`, at most n of them, none for now or for ever."""

    def __init__(
        self,
        context: Any,
        manager: SyncManager,
        work: Callable[[Any, Watch], Any],
        queue: Any,
        workers: list[str],
        take: Callable[[int], Iterable[Any]],
    ) -> None:
        self.context, self.work, self.queue, self.take = context, work, queue, take
        self.workers, self.free = len(workers), list(workers)
        self.pool = ProcessPoolExecutor(self.workers, context, _start, (manager.list(workers), dict(os.environ)))
        self.threads = ThreadPoolExecutor(self.workers)
        self.lost: list[Any] = []
        self.broken = False

    def more(self, places: int) -> Iterator[tuple[Any, Future[Any]]]:
        """Tasks for so many places, begun."""
        again = [self.lost.pop() for _ in range(min(places, len(self.lost)))]
        for task in chain(again, self.take(places - len(again))):
            if not self.broken:
                try:
                    yield task, self.pool.submit(_call, self.work, task, self.queue)
                    continue
                except BrokenProcessPool:
                    self.broken = True
            # who was to blame is not known: each alone from here on
            yield task, self.threads.submit(_alone, self.context, self.work, task, self.queue, self.free)

    def result(self, task: Any, future: Future[Any]) -> list[tuple[Any, Any]]:
        """The task with its result, or nothing where its worker died among others: then it is tried again."""
        try:
            return [(task, future.result())]
        except BrokenProcessPool:
            self.broken = True
            self.lost.append(task)
            self.pool.shutdown()  # its devices are free then
            return []

    def end(self, at_once: bool) -> None:
        for pool in self.pool, self.threads:
            pool.shutdown(wait=not at_once, cancel_futures=at_once)


@contextlib.contextmanager
def _ended_early(lanes: list[_Lane]) -> Iterator[None]:
    """Where the rest is no longer wanted, as after Ctrl-C, workers end at once: their checkpoints stand."""
    others = multiprocessing.active_children()
    try:
        yield
    except BaseException:
        for lane in lanes:
            lane.end(at_once=True)
        workers = set(multiprocessing.active_children()) - set(others)
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()  # only then are its locks those of the dead
        raise
    for lane in lanes:
        lane.end(at_once=False)


def _keep_busy(lanes: list[_Lane]) -> Iterator[tuple[Any, Any]]:
    """Tasks and their results as they finish; of each lane no more are under way than it has workers."""
    out: dict[Future[Any], tuple[_Lane, Any]] = {}
    while True:
        for lane in lanes:
            busy = sum(other is lane for other, _ in out.values())
            out |= {future: (lane, task) for task, future in lane.more(lane.workers - busy)}
        if not out:
            return
        for future in wait(out, return_when=FIRST_COMPLETED).done:
            lane, task = out.pop(future)
            yield from lane.result(task, future)


def _follow(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)  # nobody waits for the result; the next start goes on from the checkpoint


def _alone(context: Any, work: Callable[[Task, Watch], Any], task: Task, queue: Any, free: list[str]) -> Any:
    """A task's result from a process of its own, or the exception of its death. It takes a worker's place from `free`
    and gives it back."""
    place = free.pop()
    try:
        with ProcessPoolExecutor(1, context, _start, ([place], dict(os.environ))) as pool:
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
    """End this process with the program that started it."""
    parent = multiprocessing.parent_process()
    assert parent
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _start(workers: Any, environment: dict[str, str]) -> None:
    """What a worker process does first; it takes its place from the list of those that are free."""
    _tie()
    os.environ.clear()  # that of a process which was there before
    os.environ.update(environment)
    if place := workers.pop():
        os.environ["CUDA_VISIBLE_DEVICES"] = place  # before torch looks for devices
    settle()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker at once; its checkpoint is on disk


def settle() -> None:
    """What workers of every kind leave to the program that made the plan: to fetch data, and to tell of it."""
    os.environ["BENCH_OFFLINE"] = "1"
    logging.getLogger("disentangle_bench").setLevel(logging.ERROR)
    for part in "training", "runner.rescore":  # but not of stacks that had to be halved, and of damaged milestones
        logging.getLogger(f"disentangle_bench.{part}").setLevel(logging.WARNING)
