"""What a plan will take: hours of training and of scores, by this folder's finished runs or a probe of each kind."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from ..datasets import files, module_of, outline
from ..datasets._download import folder
from . import executors
from .plan import Look, Run, dataset
from .probe import Metrics, Rate, measure, with_images
from .run import Plan
from .splits import samples
from .store import Store
from .task import Message, Watch

SAMPLE = 20  # finished runs of a kind are enough to know it


@dataclass(frozen=True)
class Group:
    """Runs of a plan that take the same a step, and what they take together."""

    name: str  # model and images
    runs: int
    rate: Rate | None  # None where nothing could be measured; `problem` says why
    training: float = 0.0  # hours of all of them, encoding included
    scoring: float = 0.0  # hours
    longest: float = 0.0  # hours of the largest stack
    scored: float = 0.0  # hours of the stack that takes most with its scores
    problem: str = ""


@dataclass(frozen=True)
class Cost:
    """A plan's hours of work on a device, and of waiting: so many `workers` train at once, and `scorers` processes
    score beside them (0: the workers score)."""

    groups: list[Group]
    device: str
    workers: int
    scorers: int = 0
    files: list[str] = field(default_factory=list)  # to be downloaded before, with their sizes

    @property
    def training(self) -> float:
        return sum(group.training for group in self.groups)

    @property
    def scoring(self) -> float:
        return sum(group.scoring for group in self.groups)

    @property
    def wall(self) -> float:
        """Hours until the last run, if no worker waits for another; no less than the longest stack takes."""
        longest = max((group.longest if self.scorers else group.scored for group in self.groups), default=0.0)
        beside = self.scoring / self.scorers if self.scorers else 0.0
        work = self.training + (0.0 if self.scorers else self.scoring)
        return max(work / self.workers, longest, beside)


def looks(store: Store, device: str) -> Look:
    """How a plan that is only looked at knows its data sets: by `datasets.outline`, with images that stand in.

    A set whose files are not here counts as the one that the folder has runs of, if it has any: an official one, or one
    drawn because it could not be downloaded.
    """
    held = {run["dataset"]: (run["source"], run["dataset_sha256"]) for run in store.study().get("runs", [])}

    @cache
    def look(name: str, data_dir: str | None) -> Any:
        if not hasattr(module_of(name), "outline"):
            return dataset(name, data_dir)
        data = outline(name)
        source, sha256 = held.get(name, (data.source, data.sha256))
        if _lacking(name, data_dir):
            data = replace(data, source=source, sha256=sha256)
        return with_images(data, device)

    return look


def downloads(names: Iterable[str], data_dir: str | None) -> list[str]:
    """Files that data sets have to download before a first run, with their sizes."""
    files = {file.name: file for name in names for file in _lacking(name, data_dir)}
    return [f"{name} ({_bytes(file.size)})" if file.size else name for name, file in sorted(files.items())]


def _bytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:,.1f} kB"


def _lacking(name: str, data_dir: str | None) -> list[Any]:
    place = folder(data_dir)
    return [file for file in files(name) if not (place / file.name).exists()]


def estimate(
    made: Plan,
    store: Store,
    on: str = "auto",
    scorers: str = "auto",
    milestones: Iterable[int] = (),
    look: Look = dataset,
    watch: Watch = lambda message: None,
) -> Cost:
    """What a plan's stacks will take on its device, where `executors.choose` has them worked on.

    Kinds of runs differ in model, settings that are no floats, batch, precision, and shape of images; each is measured
    once, on its smallest data set. `milestones`: steps at which runs are scored, too. Not counted are pictures,
    findings and files (seconds a run), and what `workers` beside each other cost each other.
    """
    kinds: dict[tuple[Any, ...], list[list[Run]]] = {}
    for stack in [*made.stacks, *([run] for run in made.trained)]:
        shape = look(_place(stack[0]), made.data_dir).shape
        kinds.setdefault((*_kind(stack[0]), shape), []).append(stack)
    known, metrics, groups = _finished(made, store), Metrics(made), []
    for i, ((*kind, shape), stacks) in enumerate(kinds.items()):
        name = f"{stacks[0][0].model} {'x'.join(map(str, shape))}"
        watch(Message("measuring", f"{name}, {i + 1} of {len(kinds)}", i / len(kinds)))
        try:
            groups.append(_group(name, stacks, known.get(tuple(kind), []), made, metrics, list(milestones), look))
        except Exception as error:  # whatever a model does wrong; the row of its run will say it again
            problem = f"{type(error).__name__}: {error}"
            groups.append(Group(name, sum(map(len, stacks)), None, problem=problem))
    watch(Message("measuring", "done", 1.0))
    _, workers, many = executors.choose(on, made.device, len(made.stacks) + len(made.trained), scorers)
    names = {_place(run) for stack in made.stacks for run in stack}  # what is trained needs no images
    return Cost(groups, made.device, len(workers), min(many, os.cpu_count() or 1), downloads(names, made.data_dir))


def _group(
    name: str,
    stacks: list[list[Run]],
    known: list[dict[str, Any]],
    made: Plan,
    metrics: Metrics,
    milestones: list[int],
    look: Look,
) -> Group:
    names = {_place(stack[0]) for stack in stacks}
    least = min(sorted(names), key=lambda one: len(look(one, made.data_dir)))
    rate = measure(max(stacks, key=len), look(least, made.data_dir), made.device)
    known = [record for record in known if record["dataset"] in {stack[0].dataset for stack in stacks}]
    if steps := sum(record["steps"] for record in known):
        step = sum(record["seconds"] for record in known) / steps
        rate = replace(rate, step=step, told=f"{len(known)} finished runs")

    scores: dict[tuple[str, int], float] = {}  # seconds, by data set and rows
    images: dict[tuple[str, int], int] = {}  # of all splits, likewise
    for run in {(stack[0].dataset, stack[0].rows): stack[0] for stack in stacks}.values():
        key, data = (run.dataset, run.rows), look(_place(run), made.data_dir)
        own = [record for record in known if (record["dataset"], record["rows"]) == key]
        scores[key], images[key] = (
            metrics.seconds(run, data, rate, own),
            sum(map(len, samples(data, run.rows).values())),
        )
    training = scoring = longest = scored = 0.0
    trained = {run.id for run in made.trained}
    for stack in stacks:
        run = stack[0]
        ends = 1 + sum(step < run.steps for step in milestones)
        rows = images[run.dataset, run.rows]
        seconds = len(stack) * (run.steps * rate.step + ends * rows * rate.image) * (run.id not in trained)
        numbers = len(stack) * ends * scores[run.dataset, run.rows]
        training, scoring = training + seconds, scoring + numbers
        longest, scored = max(longest, seconds), max(scored, seconds + numbers)
    training, scoring, longest, scored = (each / 3600 for each in (training, scoring, longest, scored))
    return Group(name, sum(map(len, stacks)), rate, training, scoring, longest, scored)


def _place(run: Run) -> str:
    return run.where or run.dataset


def _kind(run: Run) -> tuple[Any, ...]:
    """What runs share that take the same, but for their images."""
    settings = sorted((name, value) for name, value in run.params.items() if not isinstance(value, float))
    return run.model, json.dumps(settings), run.batch, run.precision, run.steps > 0


def _finished(made: Plan, store: Store) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """Records of this folder's runs that were done on such a device, by kind; a few of each."""
    from ..training import engine

    device = engine.describe(engine.pick_device(made.device))
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for run in made.runs:
        own = found.setdefault(_kind(run), [])
        if made.states[run.id] == "done" and len(own) < SAMPLE:
            record = store.record(run.id)
            if record is not None and record["status"] == "done" and record["device"] == device:
                own.append(record)
    return found


def words(told: Cost) -> list[str]:
    """A cost in lines for people."""
    if not told.groups:
        return ["cost: nothing is left to be trained"]
    files = f"to be downloaded before: {', '.join(told.files)}; images drawn instead, where they can be, are other runs"
    wide = max(len(group.name) for group in told.groups)
    lines = [files] if told.files else []
    lines += [f"{'':{wide}}    runs   steps/s   training h    scores h   steps/s from"]
    for group in told.groups:
        if group.rate is None:
            lines.append(
                f"{group.name:{wide}} {group.runs:7,}   could not be measured, and is left out: {group.problem}"
            )
            continue
        speed = f"{1 / group.rate.step:9,.1f}" if group.rate.step else f"{'-':>9}"
        hours = f"{group.training:12,.2f} {group.scoring:11,.2f}"
        lines.append(f"{group.name:{wide}} {group.runs:7,} {speed} {hours}   {group.rate.told}")
    if told.device.startswith("cpu"):
        total = f"{told.training + told.scoring:,.1f} core-hours"
    else:
        total = f"{told.training:,.1f} hours of {told.device}, {told.scoring:,.1f} core-hours of scores"
    beside = f" and {told.scorers} that score" if told.scorers else ""
    return [*lines, f"cost: {total}; about {_time(told.wall)} with {told.workers} workers{beside}, if none waits"]


def _time(hours: float) -> str:
    if hours < 1:
        return f"{60 * hours:,.1f} minutes"
    return f"{hours:,.1f} hours" if hours < 48 else f"{hours / 24:,.1f} days"
