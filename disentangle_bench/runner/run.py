"""Plan, work, store: a run leaves a folder, a failure is one row, and nothing finished is done twice."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

from .. import catalog, schema
from . import executors, locks
from .codes import readable, words
from .outcome import fail
from .plan import Run, dataset
from .rescore import rescore
from .selection import compare_seeds
from .stacks import stacks
from .store import Store
from .task import Message, Task
from .work import work

RERUN = {"missing": ("new", "failed"), "failed": ("failed",), "all": ("new", "failed", "done"), "none": ()}


@dataclass
class Plan:
    """What runs come to in a folder: which are new, done or failed there, and what will be worked on, where."""

    runs: list[Run]
    study: str
    command: str
    note: str
    metrics: list[str]
    options: Mapping[str, Mapping[str, Any]]
    blocks: list[str]
    device: str
    data_dir: str | None
    whole: list[Run]  # what the question asks for, with all that `--only` leaves out
    states: dict[str, str] = field(default_factory=dict)  # run -> new | done | failed
    before: dict[str, int] = field(default_factory=dict)  # run -> `Store.stamp`
    wanted: list[Run] = field(default_factory=list)
    stacks: list[list[Run]] = field(default_factory=list)  # the wanted ones

    def count(self) -> Counter[str]:
        return Counter(self.states.values())


def plan(
    runs: list[Run],
    store: Store,
    *,
    study: str,
    command: str = "",
    note: str = "",
    metrics: Iterable[str] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    blocks: Iterable[str] = (),
    rerun: str = "missing",
    stack: str = "auto",
    device: str = "cpu",
    data_dir: str | None = None,
    whole: list[Run] | None = None,
) -> Plan:
    """Compare what is asked for with what the folder holds; changes nothing.

    `rerun`: "missing" does what is not done (new, interrupted or failed), "failed" only what failed, "all" everything
    again, "none" nothing. Missing scores of finished runs are filled in whatever it says. `stack`: how many runs train
    side by side on `device`, or "auto" (see `stacks`). `whole` is what the folder is to hold in the end, if that is
    more than `runs`.

    Raises
    ------
    ValueError
        Unknown metric or `rerun`, or a `stack` that is no number or does not fit.
    """
    chosen = RERUN[catalog.choose("--rerun", rerun, list(RERUN))]
    asked = catalog.metrics(metrics), options or {}, words(blocks)
    made = Plan(runs, study, command, note, *asked, device, data_dir, runs if whole is None else whole)
    for run in runs:
        made.before[run.id] = store.stamp(run.id)
        record = store.record(run.id)
        if record is None or (record["status"] == "done" and not readable(store.codes(run.id))):
            made.states[run.id] = "new"
        else:
            made.states[run.id] = "failed" if record["status"] == "failed" else "done"
    made.wanted = [run for run in runs if made.states[run.id] in chosen]
    made.stacks = stacks(made.wanted, stack, device, data_dir)
    return made


def execute(
    made: Plan,
    store: Store,
    *,
    on: str = "auto",
    address: str | None = None,
    max_failures: int | None = None,
    fresh: bool = False,
    evaluate_at: Sequence[int] = (),
    checkpoint_every: int | None = None,
    watch: Callable[[Message], None] = lambda message: None,
) -> list[dict[str, Any]]:
    """Work a plan off and write the tables; returns the records of its runs, failed ones included. Runs that another
    process holds or ends meanwhile are left to it. A KeyboardInterrupt writes the tables and goes on its way.

    `on` is the executor's name (see `executors.choose`), `address` that of a Ray cluster. After `max_failures` failed
    runs no more stacks are started; those under way end.
    `fresh` forgets checkpoints of interrupted training. `evaluate_at`: steps at which codes are stored and scored, too.
    `checkpoint_every`: steps; every ten seconds if left out. Every finished run is stored at once, so that this may be
    killed at any moment and called again.
    """
    store.open()
    with locks.alone(store.folder):
        store.save_study(_described(made, store.study()))
    data_dir = None if made.data_dir is None else str(Path(made.data_dir).resolve())  # workers may start elsewhere
    same = (store.folder.resolve(), made.study, made.metrics, made.options, made.device, data_dir, made.blocks)
    more = {"fresh": fresh, "session": uuid.uuid4().hex}
    tasks = [
        Task(runs, *same, evaluate_at, checkpoint_every, before={run.id: made.before[run.id] for run in runs}, **more)
        for runs in made.stacks
    ]
    executor, workers = executors.choose(on, made.device, len(tasks), address)
    if executor is not executors.here:
        dataset.cache_clear()  # each worker holds its own
    worked: set[str] = set()
    broken, failed = [], []

    def few(task: Task) -> bool:
        return max_failures is None or len(failed) < max_failures

    try:
        while tasks:
            left = []
            for task, outcome in executor(takewhile(few, tasks), work, watch, workers):
                if isinstance(outcome, BaseException):
                    _lost(task, store, f"the worker process died ({outcome}); out of memory?")
                    outcome = []
                elif outcome:
                    left.append(replace(task, runs=[run for run in task.runs if run.id in outcome]))
                worked |= {run.id for run in task.runs} - set(outcome)
                failed += [run.id for run in task.runs if (store.record(run.id) or {}).get("status") == "failed"]
                store.collect_now_and_then()
            tasks = [task for task in (_given_up(task, store) for task in left) if task.runs]
        for run in made.runs:
            if run.id not in worked and store.stamp(run.id):
                try:
                    rescore(store, run.id, made.metrics, made.options, made.blocks)
                except ValueError as error:  # seen only now that all of it is read
                    broken.append(str(error))
                    store.forget(run.id, checkpoint=False)
        compare_seeds(store, made.options)
    except KeyboardInterrupt:
        for run in made.wanted:
            locks.clear(store.folder / "runs" / run.id)  # of workers that ended with it
        store.collect()
        raise
    store.collect()
    if broken:
        raise ValueError(f"{'; '.join(broken)}; the same command does these runs anew")
    return records(made, store)


def records(made: Plan, store: Store) -> list[dict[str, Any]]:
    """The records of a plan's runs, as far as there are any."""
    return [record for run in made.runs if (record := store.record(run.id)) is not None]


def stopped(made: Plan, records: list[dict[str, Any]], max_failures: int | None) -> str:
    """What is to be said of runs that were not started after so many failures; empty if nothing."""
    left = len(made.runs) - len(records)
    told = f"--max-failures {max_failures}: {left} runs were not started; the same command goes on with them"
    return told if max_failures is not None and left else ""


def _given_up(task: Task, store: Store) -> Task:
    """What is left of a task that was left to others: runs that nobody has ended and nobody holds any more."""
    open_ = [run for run in task.runs if store.stamp(run.id) in (0, task.before.get(run.id, 0))]
    return replace(task, runs=[run for run in open_ if locks.holder(store.path(run.id)) is None])


def _lost(task: Task, store: Store, error: str) -> None:
    """The runs of a task whose worker died have failed, save for those that ended before or are another's."""
    with locks.hold([store.path(run.id) for run in task.runs], task.session) as held:
        for run in task.runs:
            if store.path(run.id) in held and store.stamp(run.id) in (0, task.before.get(run.id, 0)):
                fail(store, task, run, error)


def _described(made: Plan, before: Mapping[str, Any]) -> dict[str, Any]:
    """What a folder says that it was asked for, now and before."""
    return {
        "schema": schema.VERSION,
        "study": made.study,
        "commands": list(dict.fromkeys([*before.get("commands", []), made.command])),
        "notes": list(dict.fromkeys([*before.get("notes", []), made.note])),
        "metrics": made.metrics,
        "options": made.options,
        "blocks": made.blocks,
        "runs": [{**run.description, "run": run.id} for run in made.whole],
    }
