"""Codes of runs on their way: what is asked for, where they lie, and their numbers."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .codes import read_codes
from .plan import Run
from .score import FACTS, fact, fill
from .selection import with_elbo
from .store import Store

log = logging.getLogger(__name__)


def parse(text: str) -> list[int]:
    """Steps, sorted, from what people type.

    Raises
    ------
    ValueError
        Anything but different numbers above zero, with or without k for a thousand.

    Examples
    --------
    >>> parse("10k,30k,500")
    [500, 10000, 30000]
    """
    steps = []
    for part in filter(None, map(str.strip, text.split(","))):
        match = re.fullmatch(r"([0-9]+)(k?)", part)
        step = int(match[1]) * (1000 if match[2] else 1) if match else 0
        if not step:
            raise ValueError(f"--evaluate-at: got {part!r}, expected steps above zero, such as 10k,30k,100k")
        if step in steps:
            raise ValueError(f"--evaluate-at: got {text!r}, which names step {step:,} twice")
        steps.append(step)
    return sorted(steps)


def within(asked: list[int], runs: list[Run]) -> tuple[list[int], str]:
    """The milestones that lie before the end of these runs, and what is to be said of the others; empty if nothing."""
    steps = max((run.steps for run in runs), default=0)
    late = [step for step in asked if step >= steps]
    told = f"--evaluate-at {_listed(late)}: left out, runs end after {steps:,} steps and are scored there anyway"
    return [step for step in asked if step < steps], told if late else ""


def missed(asked: list[int], store: Store, records: list[dict[str, Any]]) -> str:
    """What is to be said of finished runs that have no codes at a milestone asked for; empty if nothing."""
    lost = [
        (step, record["run"])
        for record in records
        for step in asked
        if record["status"] == "done" and step < record["steps"] and not file(store.path(record["run"]), step).exists()
    ]
    steps, runs = sorted({step for step, _ in lost}), len({run for _, run in lost})
    told = f"--evaluate-at {_listed(steps)}: {runs} runs had trained past that before; --rerun all trains them anew"
    return told if lost else ""


def _listed(steps: list[int]) -> str:
    return ", ".join(f"{step:,}" for step in steps)


def file(folder: Path, step: int) -> Path:
    """Where a run's codes at a milestone lie."""
    return folder / f"codes-{step}.npz"


def stored(folder: Path) -> list[tuple[int, Path]]:
    """A run's milestones and their files of codes, in order of steps."""
    return sorted((int(path.stem.partition("-")[2]), path) for path in folder.glob("codes-*.npz"))


def numbers(
    folder: Path,
    metrics: list[str],
    options: Mapping[str, Mapping[str, Any]],
    blocks: Iterable[str] = (),
    known: Iterable[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Rows of a run's milestones (as of the end, and `step`): those known, and every number that they lack."""
    held: dict[int, list[dict[str, Any]]] = {}
    for row in known:
        held.setdefault(row["step"], []).append({key: value for key, value in row.items() if key != "step"})
    for step, path in stored(folder):
        try:
            held[step] = with_elbo(fill(read_codes(path), metrics, options, held.get(step) or _facts(path), blocks))
        except ValueError as error:
            log.warning("%s; what is known of this milestone stays", error)
    return [{"step": step, **row} for step, rows in sorted(held.items()) for row in rows]


def _facts(path: Path) -> list[dict[str, Any]]:
    """Rows of what training left in a file of codes."""
    with np.load(path) as held:
        facts = json.loads(str(held["facts"]))
        return [fact(name, value, len(held["rows"]), FACTS[name]) for name, value in facts.items()]
