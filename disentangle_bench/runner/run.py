"""Plan, work, store: a run leaves a folder, a failure is one row, and nothing finished is done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import catalog, schema
from . import executors, milestones
from .codes import lacking, read_codes, words
from .outcome import fail
from .plan import Run, dataset
from .score import compute, fill, plan_rows
from .stacks import stacks
from .store import FINISHED, Store
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
    states: dict[str, str] = field(default_factory=dict)  # run -> new | done | failed
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
) -> Plan:
    """Compare what is asked for with what the folder holds; changes nothing.

    `rerun`: "missing" does what is not done (new, interrupted or failed), "failed" only what failed, "all" everything
    again, "none" nothing. Missing scores of finished runs are filled in whatever it says. `stack`: how many runs train
    side by side on `device`, or "auto" (see `stacks`).

    Raises
    ------
    ValueError
        Unknown metric or `rerun`, or a `stack` that is no number or does not fit.
    """
    chosen = RERUN[catalog.choose("--rerun", rerun, list(RERUN))]
    made = Plan(runs, study, command, note, catalog.metrics(metrics), options or {}, words(blocks), device, data_dir)
    for run in runs:
        record = store.record(run.id)
        if record is None or (record["status"] == "done" and not codes_readable(store, run.id)):
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
    fresh: bool = False,
    evaluate_at: Sequence[int] = (),
    checkpoint_every: int | None = None,
    watch: Callable[[Message], None] = lambda message: None,
) -> list[dict[str, Any]]:
    """Work a plan off and write the tables; returns the records of its runs, failed ones included.

    `fresh` forgets checkpoints of interrupted training. `evaluate_at`: steps at which codes are stored and scored, too.
    `checkpoint_every`: steps; every ten seconds if left out. Every finished run is stored at once, so that this may be
    killed at any moment and called again.
    """
    store.open()
    before = store.study()
    described = {
        "schema": schema.VERSION,
        "study": made.study,
        "commands": list(dict.fromkeys([*before.get("commands", []), made.command])),
        "notes": list(dict.fromkeys([*before.get("notes", []), made.note])),
        "metrics": made.metrics,
        "options": made.options,
        "blocks": made.blocks,
        "runs": [{**run.description, "run": run.id} for run in made.runs],
    }
    store.save_study(described)
    for run in made.wanted:
        store.forget(run.id, checkpoint=fresh)  # of an earlier end: nothing of it may mix with the new one
    same = (store.folder, made.study, made.metrics, made.options, made.device, made.data_dir, made.blocks)
    tasks = [Task(runs, *same, evaluate_at, checkpoint_every) for runs in made.stacks]
    executor, workers = executors.choose(on, made.device, len(tasks))
    if executor is executors.processes:
        dataset.cache_clear()  # each worker holds its own
    for task, outcome in executor(tasks, work, watch, workers):
        if isinstance(outcome, BaseException):
            for run in task.runs:
                if store.record(run.id) is None:
                    fail(store, task, run, f"the worker process died ({outcome}); out of memory?")
        store.collect()
    worked = {run.id for run in made.wanted}
    for run in made.runs:
        if run.id not in worked and made.states[run.id] == "done":
            store.tidy(run.id)
            rescore(store, run.id, made.metrics, made.options, made.blocks)
    store.collect()
    return [record for run in made.runs if (record := store.record(run.id)) is not None]


def rescore_all(
    store: Store,
    metrics: list[str],
    options: Mapping[str, Mapping[str, Any]],
    blocks: list[str],
    watch: Callable[[Message], None],
) -> tuple[int, int, list[str]]:
    """Rescore a folder's runs and write the tables; how many had numbers to fill in, how many there are, what is wrong.

    Options and blocks are added to those that the folder was asked for before.

    Raises
    ------
    ValueError
        The folder has no runs, or none with one of the blocks.
    """
    study = store.study()
    options = {**study.get("options", {}), **options}
    if not (runs := [record["run"] for record in store.records()]):
        raise ValueError(f"{store.folder}: no runs here; `bench run --out {store.folder}` makes some")
    if problem := lacking_blocks(store, runs, blocks):
        raise ValueError(problem)
    blocks = list(dict.fromkeys([*study.get("blocks", []), *blocks]))
    filled, broken = 0, []
    for i, run in enumerate(runs):
        watch(Message("scores", f"run {run}", (i + 1) / len(runs)))
        try:
            filled += rescore(store, run, metrics, options, blocks)
        except ValueError as error:
            broken.append(str(error))
    store.collect()
    store.save_study({**study, "schema": schema.VERSION, "options": options, "blocks": blocks})
    return filled, len(runs), broken


def rescore(
    store: Store, run: str, metrics: list[str], options: Mapping[str, Mapping[str, Any]], blocks: Iterable[str] = ()
) -> bool:
    """Fill in the numbers that a finished run lacks under these options, at milestones too; whether there were any."""
    known = store.record(run)
    if known is None or known["status"] not in FINISHED:
        return False
    new = {**known}
    if known["status"] == "done":
        new["scores"] = fill(read_codes(store.path(run) / "codes.npz"), metrics, options, known["scores"], blocks)
    new["milestones"] = milestones.numbers(store.path(run), metrics, options, blocks, known["milestones"])
    if new == known:
        return False
    store.save(new)
    return True


def score_file(
    path: str | Path,
    factors: str | Path | None,
    metrics: list[str],
    options: Mapping[str, Mapping[str, Any]],
    blocks: list[str],
) -> list[dict[str, Any]]:
    """Rows of numbers of one file of codes. Raises ValueError when it is not readable or lacks one of the blocks."""
    held = read_codes(path, factors)
    if problem := lacking(blocks, [held.blocks]):
        raise ValueError(problem)
    return [row for wanted in plan_rows(held, metrics, options, blocks) for row in compute(held, wanted)]


def lacking_blocks(store: Store, runs: Iterable[str], blocks: list[str]) -> str:
    """What is wrong with blocks that no codes of these runs have; empty if nothing is."""
    readable = [run for run in runs if blocks and codes_readable(store, run)]
    return lacking(blocks, [read_codes(store.path(run) / "codes.npz").blocks for run in readable])


def codes_readable(store: Store, run: str) -> bool:
    """Whether a run's codes are there and whole."""
    try:
        read_codes(store.path(run) / "codes.npz")
    except ValueError:
        return False
    return True
