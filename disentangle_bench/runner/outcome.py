"""What a run leaves: its files, its numbers, and its record, which comes last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import provenance, schema
from . import milestones, splits
from .codes import readable, write_codes
from .plan import Run
from .rescore import numbers, on_the_way
from .score import FACTS, fact
from .store import PENDING, Store, save_arrays, write_atomic
from .task import Message, Task, Watch


@dataclass(frozen=True)
class Sample:
    """What a run makes of the rows of one split."""

    rows: np.ndarray
    arrays: dict[str, np.ndarray]  # mean, sd, perhaps clusters
    facts: dict[str, float]


@dataclass
class Outcome:
    """What a run leaves to be stored."""

    status: str = "done"
    error: str = ""
    device: str = "cpu"
    way: str = ""  # how its stack ran
    seconds: float = 0.0
    samples: dict[str, Sample] = field(default_factory=dict)  # by split
    blocks: dict[str, int] = field(default_factory=dict)
    found: dict[str, tuple[float, str]] = field(default_factory=dict)  # the model's own facts: value, convention
    pictures: dict[str, np.ndarray] = field(default_factory=dict)
    log: list[tuple[int, str, float]] = field(default_factory=list)


def leave(store: Store, task: Task, run: Run, data: Any, outcome: Outcome) -> None:
    """Write the files of a run that is trained and last, as `PENDING`, what is known of it without its scores."""
    folder = store.path(run.id)
    if outcome.log:
        log = schema.conform(pd.DataFrame(outcome.log, columns=list(schema.LOG)), schema.LOG, "log")
        write_atomic(folder / "log.parquet", lambda path: log.to_parquet(path, index=False))
    if outcome.pictures:
        save_arrays(folder / "pictures.npz", outcome.pictures)
    if outcome.samples:
        write_samples(store.codes(run.id), outcome.samples, data, outcome.blocks)
    latents, scores = sum(outcome.blocks.values()) or None, facts(outcome, splits.shift(data))
    store.save(record(task, run, outcome, latents=latents, scores=scores), PENDING)
    store.tidy(run.id)


def trained(store: Store, run: str) -> dict[str, Any] | None:
    """What `leave` has left of a run whose scores alone are missing; None of any other."""
    known = store.record(run, PENDING)
    return known if known is not None and (known["status"] != "done" or readable(store.codes(run))) else None


def finish(store: Store, task: Task, run: Run, watch: Watch) -> None:
    """Score a run that is trained, its milestones too, and write its record last.

    Raises
    ------
    ValueError
        Its codes are not readable, seen only now: it has to be trained again.
    """
    folder, asked = store.path(run.id), (task.metrics, task.options, task.blocks)
    known = store.record(run.id, PENDING)
    if known is None:
        raise ValueError(f"{folder / PENDING} is not there any more")

    def tell(metric: str, share: float) -> None:
        watch(Message(task.name, f"scoring: {metric}", 0.9 + 0.1 * share))

    if steps := milestones.stored(folder):
        watch(Message(task.name, f"scoring: {len(steps)} milestones", 0.9))
    known["milestones"] = on_the_way(folder, *asked)
    if known["status"] == "done":
        try:
            known["scores"] = numbers(store.codes(run.id), *asked, known["scores"], tell)
        except ValueError:
            store.forget(run.id, checkpoint=False)
            raise
    store.save({**known, "schema": schema.VERSION, "finished": provenance.now()})
    store.tidy(run.id)


def write_samples(path: Path, samples: Mapping[str, Sample], data: Any, blocks: Mapping[str, int]) -> None:
    """Write the codes of each split, those of all images last: where they are, the others are."""
    for split in reversed(splits.SPLITS):
        if split in samples:
            own = samples[split]
            write_codes(path, own.arrays, data, own.rows, blocks, own.facts, split)


def facts(outcome: Outcome, shift: str) -> list[dict[str, Any]]:
    """Rows of what training leaves: its facts of every split, and the model's own, which are of all images."""
    rows = []
    for split, own in outcome.samples.items():
        told = {name: (value, FACTS[name]) for name, value in own.facts.items()}
        told |= outcome.found if split == schema.ALL else {}
        n = len(own.rows)
        rows += [fact(name, value, n, convention, split, shift) for name, (value, convention) in told.items()]
    return rows


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
