"""Codes of runs on their way: what is asked for, and where they lie."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .plan import Run
from .store import Store


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
    """A run's milestones and their files of codes of all images, in order of steps."""
    steps = [(path.stem.partition("-")[2], path) for path in folder.glob("codes-*.npz")]  # others may lie here, too
    return sorted((int(step), path) for step, path in steps if re.fullmatch("[0-9]+", step))
