"""What a run leaves: its files, its numbers, and its record, which comes last."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from .. import provenance, schema
from . import milestones
from .codes import read_codes, write_codes
from .plan import Run
from .score import FACTS, compute, fact, plan_rows
from .selection import with_elbo
from .store import Store, save_arrays, write_atomic
from .task import Message, Task, Watch


@dataclass
class Outcome:
    """What a run leaves to be stored."""

    status: str = "done"
    error: str = ""
    device: str = "cpu"
    way: str = ""  # how its stack ran
    seconds: float = 0.0
    arrays: dict[str, np.ndarray] = field(default_factory=dict)  # mean, sd, clusters
    blocks: dict[str, int] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)
    found: dict[str, tuple[float, str]] = field(default_factory=dict)  # the model's own facts: value, convention
    pictures: dict[str, np.ndarray] = field(default_factory=dict)
    log: list[tuple[int, str, float]] = field(default_factory=list)


def leave(store: Store, task: Task, run: Run, data: Any, rows: np.ndarray, outcome: Outcome, watch: Watch) -> None:
    """Write a run's files, score its codes, those of its milestones too, and write its record last."""
    folder = store.path(run.id)
    scores = []
    if outcome.log:
        log = schema.conform(pd.DataFrame(outcome.log, columns=list(schema.LOG)), schema.LOG, "log")
        write_atomic(folder / "log.parquet", lambda path: log.to_parquet(path, index=False))
    if outcome.pictures:
        save_arrays(folder / "pictures.npz", outcome.pictures)
    if steps := [step for step, _ in milestones.stored(folder)]:
        watch(Message(task.name, f"scoring: {len(steps)} milestones", 0.9))
    on_the_way = milestones.numbers(folder, task.metrics, task.options, task.blocks)
    if outcome.arrays:
        write_codes(folder / "codes.npz", outcome.arrays, data, rows, outcome.blocks, outcome.facts)
        facts = {name: (value, FACTS[name]) for name, value in outcome.facts.items()} | outcome.found
        scores = with_elbo([fact(name, value, len(rows), convention) for name, (value, convention) in facts.items()])
        held = read_codes(folder / "codes.npz")
        calls = plan_rows(held, task.metrics, task.options, task.blocks)
        for i, wanted in enumerate(calls):
            watch(Message(task.name, f"scoring: {wanted.name}", 0.9 + 0.1 * i / len(calls)))
            scores += compute(held, wanted)
    latents = sum(outcome.blocks.values()) or None
    store.save(record(task, run, outcome, latents=latents, scores=scores, milestones=on_the_way))


def record(
    task: Task,
    run: Run,
    outcome: Outcome,
    *,
    latents: int | None,
    scores: list[dict[str, Any]],
    milestones: list[dict[str, Any]] = [],  # noqa: B006 (read alone)
) -> dict[str, Any]:
    """A run's record: its description, where it comes from, how it ended, and its numbers."""
    commit, dirty = provenance.commit()
    return {
        **run.description,
        "run": run.id,
        "schema": schema.VERSION,
        "study": task.study,
        "params": json.dumps(dict(run.params), sort_keys=True),
        "precision": run.precision,
        "latents": latents,
        "status": outcome.status,
        "error": outcome.error,
        "seconds": outcome.seconds,
        "peak_memory": provenance.peak_memory(),
        "device": outcome.device,
        "stack": len(task.runs),
        "way": outcome.way,
        "commit": commit,
        "dirty": dirty,
        "versions": json.dumps(provenance.versions()),
        "finished": provenance.now(),
        "scores": scores,
        "milestones": milestones,
    }


def fail(store: Store, task: Task, run: Run, error: str, trace: str = "") -> None:
    """A failed run is a record too; its traceback lies beside it in error.txt. A run that is done stays so."""
    if (known := store.record(run.id)) is not None and known["status"] == "done":
        return
    write_atomic(store.path(run.id) / "error.txt", lambda path: path.write_text(trace or error))
    store.save(record(task, run, Outcome(status="failed", error=error), latents=None, scores=[]))
