"""Plan, work, store: a run leaves a folder, a failure is one row, and nothing finished is done twice."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from .. import catalog, schema
from . import afar, executors, locks, on_ray
from .codes import readable, words
from .hand_out import hand_out
from .outcome import trained
from .plan import Look, Run, dataset
from .rescore import rescore
from .selection import compare_seeds
from .stacks import stacks
from .store import Store
from .task import Beside, Message, Task
from .work import work

RERUN = {
    "missing": ("new", "trained", "failed"),
    "failed": ("failed",),
    "all": ("new", "trained", "failed", "done"),
    "none": (),
}


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
    states: dict[str, str] = field(default_factory=dict)  # run -> new | trained | done | failed
    before: dict[str, int] = field(default_factory=dict)  # run -> `Store.stamp`
    wanted: list[Run] = field(default_factory=list)
    stacks: list[list[Run]] = field(default_factory=list)  # of the wanted ones, those to train
    trained: list[Run] = field(default_factory=list)  # and those that scores alone are missing of

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
    look: Look = dataset,
) -> Plan:
    """Compare what is asked for with what the folder holds; changes nothing.

    `rerun`: "missing" does what is not done (new, interrupted or failed), "failed" only what failed, "all" everything
    again, "none" nothing. Missing scores of finished runs are filled in whatever it says. `stack`: how many runs train
    side by side on `device`, or "auto" (see `stacks`). `whole` is what the folder is to hold in the end, if that is
    more than `runs`. `look`: how data sets are known, as in `Study.runs`.

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
            made.states[run.id] = "trained" if trained(store, run.id) else "new"
        else:
            made.states[run.id] = "failed" if record["status"] == "failed" else "done"
    made.wanted = [run for run in runs if made.states[run.id] in chosen]
    made.trained = [run for run in made.wanted if rerun != "all" and trained(store, run.id)]
    known = {run.id for run in made.trained}
    made.stacks = stacks([run for run in made.wanted if run.id not in known], stack, device, data_dir, look)
    return made


def execute(
    made: Plan,
    store: Store,
    *,
    on: str = "auto",
    address: str | None = None,
    scorers: str = "0",
    max_failures: int | None = None,
    fresh: bool = False,
    evaluate_at: Sequence[int] = (),
    checkpoint_every: int | None = None,
    watch: Callable[[Message], None] = lambda message: None,
) -> list[dict[str, Any]]:
    """Work a plan off and write the tables; returns the records of its runs, failed ones included. Runs that another
    process holds or ends meanwhile are left to it. A KeyboardInterrupt writes the tables and goes on its way.

    `on` is the executor's name and `scorers` how many processes score beside its workers (see `executors.choose`),
    `address` that of a Ray cluster. After `max_failures` failed runs no more stacks are started; those under way end,
    and what is trained is scored.
    `fresh` forgets checkpoints of interrupted training. `evaluate_at`: steps at which codes are stored and scored, too.
    `checkpoint_every`: steps; every ten seconds if left out. Every finished run is stored at once, so that this may be
    killed at any moment and called again.
    """
    store.open()
    with locks.alone(store.folder):
        store.save_study(_described(made, store.study()))
    data_dir = None if made.data_dir is None else str(Path(made.data_dir).resolve())  # workers may start elsewhere
    same = (store.folder.resolve(), made.study, made.metrics, made.options, made.device, data_dir, made.blocks)
    executor, workers, many = executors.choose(on, made.device, len(made.stacks) + len(made.trained), scorers)
    session = uuid.uuid4().hex

    def task(runs: list[Run], *more: Any) -> Task:
        return Task(runs, *same, *more, before={run.id: made.before[run.id] for run in runs}, session=session)

    to_score = [task([run]).scores(run) for run in made.trained]
    tasks = [task(runs, evaluate_at, checkpoint_every, fresh, many > 0) for runs in made.stacks]
    beside = Beside(many)
    (beside.tasks if many else tasks).extend(to_score)
    job, marked = work, nullcontext()
    if executor is on_ray.spread:
        on_ray.connect(workers, address, many)
        job, marked = partial(afar.work, work), afar.seen(store.folder, session)
    if executor is not executors.here:
        dataset.cache_clear()  # each worker holds its own
    broken = []
    try:
        with marked:
            worked = hand_out(
                tasks, beside, lambda some: executor(some, job, watch, workers, beside), store, max_failures
            )
        for run in made.runs:
            if run.id not in worked and (stamp := store.stamp(run.id)):
                try:
                    rescore(store, run.id, made.metrics, made.options, made.blocks)
                except ValueError as error:  # seen only now that all of it is read
                    broken.append(str(error))
                    _drop(store, run.id, stamp)
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


def _drop(store: Store, run: str, stamp: int) -> None:
    """Forget a run that is damaged, if nobody holds it or has done it anew meanwhile."""
    with locks.hold([store.path(run)]) as held:
        if held and store.stamp(run) == stamp and store.record(run) is not None:
            store.forget(run, checkpoint=False)


def records(made: Plan, store: Store) -> list[dict[str, Any]]:
    """The records of a plan's runs, as far as there are any."""
    return [record for run in made.runs if (record := store.record(run.id)) is not None]


def stopped(made: Plan, store: Store, max_failures: int | None) -> str:
    """What is to be said of runs that were wanted and that nobody has ended or works on: not started after so many
    failures, or left to a process that did not end them; empty if there are none."""
    open_ = [run.id for run in made.wanted if not store.stamp(run.id)]
    left = sum(locks.holder(store.folder / "runs" / run) is None for run in open_)
    why = "not ended by whom they were left to" if max_failures is None else "not started"
    limit = "" if max_failures is None else f"--max-failures {max_failures}: "
    return f"{limit}{left} runs were {why}; the same command goes on with them" if left else ""


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
