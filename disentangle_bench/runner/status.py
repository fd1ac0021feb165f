"""How far a folder is: what is done, who works on what, what is left, how long it will take. Reads alone, no torch."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .locks import Holder, holder
from .store import PENDING, Store

RECENT = 3600.0  # seconds before the last finish that count for the rate


@dataclass(frozen=True)
class Running:
    """A run that is being worked on: its description, by whom, and where its checkpoint left it."""

    run: dict[str, Any]
    by: Holder
    seconds: float  # since it was begun
    step: int | None  # of its checkpoint; None where there is none
    age: float  # seconds since that was written
    trained: bool  # and only scored now


@dataclass(frozen=True)
class Status:
    """The runs of a folder's last plan, by what has become of them."""

    study: str
    runs: int
    done: int
    failed: list[dict[str, Any]]  # records
    diverged: list[dict[str, Any]]
    running: list[Running]
    missing: int
    trained: int  # of the missing ones, those that scores alone are missing of
    interrupted: int  # of the others, those that have a checkpoint to go on from
    others: int  # runs of earlier plans that lie here, too
    rate: float | None  # runs an hour; None before two have ended at different times

    @property
    def left(self) -> float | None:
        """Hours until the last run, at this rate; None where nothing runs or no rate is known."""
        return (self.missing + len(self.running)) / self.rate if self.running and self.rate else None


def status(folder: Path) -> Status:
    """Where the runs of a folder stand; others may write meanwhile.

    Raises
    ------
    ValueError
        There is no results folder here.
    """
    store = Store(folder)
    if not (folder / "runs").is_dir():
        raise ValueError(f"{folder}: no runs here; `bench run --out {folder}` makes some")
    study = store.study()
    records = {record["run"]: record for record in store.records()}
    planned = {run["run"]: run for run in study.get("runs", [])} or records
    ended = [records[run] for run in planned if run in records]
    open_ = [planned[run] for run in planned if run not in records]
    held = [(run, holder(folder / "runs" / run["run"])) for run in open_]

    def pending(run: dict[str, Any]) -> bool:
        return (folder / "runs" / run["run"] / PENDING).exists()

    running = [_running(folder, run, by) for run, by in held if by is not None]
    missing = [run for run, by in held if by is None]
    how = Counter(record["status"] for record in ended)
    return Status(
        study=study.get("study", folder.name),
        runs=len(planned),
        done=how["done"],
        failed=[record for record in ended if record["status"] == "failed"],
        diverged=[record for record in ended if record["status"] == "diverged"],
        running=running,
        missing=len(missing),
        trained=sum(map(pending, missing)),
        interrupted=sum(_checkpoint(folder, run["run"]).exists() and not pending(run) for run in missing),
        others=len(records.keys() - planned.keys()),
        rate=rate(record["finished"] for record in ended),
    )


def elsewhere(folder: Path, runs: Iterable[str]) -> str:
    """What is to be said of runs without a record that others work on; empty if there are none."""
    unfinished = [folder / "runs" / run for run in runs if not (folder / "runs" / run / "run.json").exists()]
    held = [by for run in unfinished if (by := holder(run)) is not None]
    who = ", ".join(sorted({_named(by) for by in held}))
    told = f"{len(held)} runs are being worked on elsewhere, by {who}; `bench status {folder}` follows them"
    return told if held else ""


def words(told: Status, folder: Path) -> list[str]:
    """A status in lines for people."""
    on = [f"{told.trained} of them trained and not scored yet"] * bool(told.trained)
    on += [f"{told.interrupted} of them have a checkpoint to go on from"] * bool(told.interrupted)
    on = f" ({'; '.join(on)})" if on else ""
    more = f"; {told.others} runs of earlier plans lie here, too" if told.others else ""
    lines = [
        f"study {told.study} in {folder}: {told.runs} runs; {told.done} done, {len(told.running)} running, "
        f"{len(told.failed)} failed, {len(told.diverged)} diverged, {told.missing} missing{on}{more}"
    ]
    for it in told.running:
        steps = it.run["steps"]
        at = f"step {it.step:,} of {steps:,}, {_time(it.age)} ago" if it.step is not None else "no checkpoint yet"
        at = "scoring" if it.trained else at if steps else "nothing to train"
        lines.append(f"  running: {_run(it.run)} {at}; begun {_time(it.seconds)} ago by {_named(it.by)}")
    lines += [f"  {record['status']}: {_run(record)} {record['error']}" for record in told.failed + told.diverged]
    if told.rate:
        left = f"; about {_time(told.left * 3600)} left" if told.left else ""
        lines.append(f"{told.rate:,.1f} runs an hour{left}")
    return lines


def _run(run: dict[str, Any]) -> str:
    return f"{run['model']} {run['dataset']} seed {run['seed']} [{run['run']}]"


def _named(by: Holder) -> str:
    return f"process {by.pid} on {by.host}"


def _time(seconds: float) -> str:
    seconds = max(0.0, seconds)  # clocks of hosts may differ
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def rate(finished: Iterable[str]) -> float | None:
    """Runs an hour from the times when they ended (ISO 8601): over the hour before the last one, or over the last ten
    where that hour saw fewer. None where that is no span of time."""
    times = sorted(datetime.fromisoformat(text).timestamp() for text in finished)
    recent = [at for at in times if times[-1] - at <= RECENT]
    recent = recent if len(recent) >= 10 else times[-10:]
    span = recent[-1] - recent[0] if recent else 0.0
    return (len(recent) - 1) * 3600 / span if span else None


def step(checkpoint: Path) -> int | None:
    """The step at which a checkpoint stands, from its header; None where there is none that can be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(checkpoint, "np") as file:
            return int(json.loads(file.metadata()["run"])["t"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None


def _checkpoint(folder: Path, run: str) -> Path:
    return folder / "runs" / run / "checkpoint.safetensors"


def _running(folder: Path, run: dict[str, Any], by: Holder) -> Running:
    now, path = time.time(), _checkpoint(folder, run["run"])
    try:
        age = now - path.stat().st_mtime
    except OSError:
        age = 0.0
    trained = path.with_name(PENDING).exists()
    return Running(run, by, now - datetime.fromisoformat(by.since).timestamp(), step(path), age, trained)
