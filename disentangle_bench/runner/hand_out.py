"""Tasks handed out to workers until nothing is left of them: what they end, leave to others, ask for, or die of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import takewhile
from typing import Any

from . import afar, locks
from .outcome import fail, trained
from .store import Store
from .task import Beside, Task


def hand_out(
    tasks: list[Task],
    beside: Beside,
    spread: Callable[[Iterable[Task]], Iterator[tuple[Task, Any]]],
    store: Store,
    max_failures: int | None = None,
) -> set[str]:
    """Have tasks done by an executor, and runs scored `beside` that were trained for it; the runs that were worked on
    to their end. One that was trained here and scored by another program, perhaps by other metrics, is none of them.

    After `max_failures` failed runs no more of `tasks` are begun. Tables are written now and then.
    """
    worked: set[str] = set()
    failed: list[str] = []
    asked: set[str] = set()  # runs whose files a worker needs that does not see the folder

    def few(task: Task) -> bool:
        return max_failures is None or len(failed) < max_failures

    def laden(task: Task) -> Task:
        return replace(task, files=afar.read(store, task)) if asked & {run.id for run in task.runs} else task

    while tasks or beside.tasks:
        left = []
        for task, outcome in spread(map(laden, takewhile(few, tasks))):
            if isinstance(outcome, afar.Left):
                asked |= {run.id for run in task.runs if outcome.asked}
                outcome = afar.keep(store, task, outcome)
            if isinstance(outcome, BaseException):
                own = isinstance(outcome, OSError)  # of a machine that does not see the folder
                problem = f"on the worker: {outcome}" if own else f"the worker process died ({outcome}); out of memory?"
                _lost(task, store, problem)
                outcome = []
            if outcome:
                left.append(replace(task, runs=[run for run in task.runs if run.id in outcome], files={}))
            ended = [run for run in task.runs if run.id not in outcome]
            if task.later:
                beside.tasks += [task.scores(run) for run in ended if not store.stamp(run.id)]
            else:
                worked |= {run.id for run in ended}
            failed += [run.id for run in ended if (store.record(run.id) or {}).get("status") == "failed"]
            store.collect_now_and_then()
        tasks = [task for task in (_given_up(task, store) for task in left) if task.runs]
    return worked


def _given_up(task: Task, store: Store) -> Task:
    """What is left of a task that was left to others: runs that nobody has ended and nobody holds any more."""
    open_ = [run for run in task.runs if store.stamp(run.id) in (0, task.before.get(run.id, 0))]
    return replace(task, runs=[run for run in open_ if locks.holder(store.path(run.id)) is None])


def _lost(task: Task, store: Store, error: str) -> None:
    """The runs of a task whose worker died have failed, save for those that ended before, are another's, or were
    trained for others to score."""
    with locks.hold([store.path(run.id) for run in task.runs], task.session) as held:
        for run in task.runs:
            open_ = store.stamp(run.id) in (0, task.before.get(run.id, 0)) and not (
                task.later and trained(store, run.id)
            )
            if store.path(run.id) in held and open_:
                fail(store, task, run, error)
