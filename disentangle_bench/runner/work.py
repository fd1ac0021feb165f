"""What a worker does with a stack of runs: data, training, codes, scores, and a folder for each run."""

from __future__ import annotations

import dataclasses
import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from .. import provenance, rng, schema
from .codes import read_codes
from .plan import Run, dataset
from .score import compute, fact, plan_rows
from .store import Store, save_arrays, write_atomic

FACTS = {
    "reconstruction": "-log p(x | mode of the posterior), Bernoulli, nats an image",
    "kl": "KL of the posterior to the prior, unweighted, a mixture by its chain-rule bound, nats an image",
    "used_units": "units whose mean KL is above 0.01 nats; a mixture counts as one unit",
}


@dataclass(frozen=True)
class Task:
    """A stack of runs for one worker, with all that it needs to know."""

    runs: list[Run]
    folder: Path
    study: str
    metrics: list[str]
    options: Mapping[str, Mapping[str, Any]]
    device: str = "auto"
    data_dir: str | None = None
    blocks: Sequence[str] = ()

    @property
    def name(self) -> str:
        seeds = ",".join(str(run.seed) for run in self.runs)
        return f"{self.runs[0].model} {self.runs[0].dataset} seed {seeds} [{self.runs[0].id[:6]}]"


@dataclass(frozen=True)
class Message:
    """What a worker tells about its stack."""

    stack: str
    text: str
    share: float = 0.0  # of the stack's work, 0 to 1; 1 is the end


@dataclass
class Outcome:
    """What a run leaves to be stored."""

    status: str = "done"
    error: str = ""
    device: str = "cpu"
    seconds: float = 0.0
    arrays: dict[str, np.ndarray] = field(default_factory=dict)  # mean, sd, clusters
    blocks: dict[str, int] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)
    found: dict[str, tuple[float, str]] = field(default_factory=dict)  # the model's own facts: value, convention
    pictures: dict[str, np.ndarray] = field(default_factory=dict)
    log: list[tuple[int, str, float]] = field(default_factory=list)


Watch = Callable[[Message], None]


def work(task: Task, watch: Watch) -> None:
    """Train a stack and store its runs. A stack that fails is tried run by run, so that only those at fault fail."""
    store = Store(task.folder)
    try:
        make = _control if hasattr(task.runs[0].instance(), "represent") else _train
        make(task, store, watch)
        watch(Message(task.name, "done", 1.0))
    except Exception as error:
        if len(task.runs) > 1:
            for run in task.runs:
                if store.record(run.id) is None:
                    work(dataclasses.replace(task, runs=[run]), watch)
            return
        fail(store, task, task.runs[0], f"{type(error).__name__}: {error}", traceback.format_exc())
        watch(Message(task.name, f"failed: {type(error).__name__}: {error}", 1.0))


def evaluation_rows(data: Any, n: int) -> np.ndarray:
    """The rows of a data set whose codes are kept: n different ones in random order, the same for every run."""
    return data.scored[rng.stream(0, "evaluation rows").choice(len(data.scored), n, replace=False)]


def shown_rows(data: Any, rows: np.ndarray, n: int = 8) -> np.ndarray:
    """n of the rows for pictures: the first ones, taking the classes in turn where the set has any."""
    if data.label is None:
        return rows[:n]
    labels = data.factors[rows, data.names.index(data.label)]
    turn = np.empty(len(rows), int)
    for label in np.unique(labels):
        turn[labels == label] = np.arange((labels == label).sum())
    return rows[np.lexsort([labels, turn])[:n]]


def _load(task: Task) -> Any:
    run = task.runs[0]
    data = dataset(run.dataset, task.data_dir)
    if data.sha256 != run.dataset_sha256:
        raise ValueError(f"{run.dataset} holds other images ({data.source}) than when the plan was made ({run.source})")
    return data


def _control(task: Task, store: Store, watch: Watch) -> None:
    data = _load(task)
    for run in task.runs:
        rows = evaluation_rows(data, run.rows)
        shown = shown_rows(data, rows)
        with threadpool_limits(1):  # sums in one order, as in `compute`
            left = run.instance().represent(data, rows, shown, run.seed)
        codes = left["codes"]
        outcome = Outcome(blocks={"z": codes.shape[1]}, facts=left.get("facts", {}))
        outcome.arrays = {"mean": codes, "sd": np.zeros_like(codes), **{k: left[k] for k in ("clusters",) if k in left}}
        if (images := left.get("reconstructions")) is not None:
            outcome.pictures = {"inputs": data.take(shown), "reconstructions": images}
        _store(store, task, run, data, rows, outcome, watch)


def _train(task: Task, store: Store, watch: Watch) -> None:
    import torch

    from ..training import checkpoint, engine, evaluate
    from ..training.resident import Resident

    torch.set_num_threads(1)  # one core a run: the same bits whatever else runs
    data, first = _load(task), task.runs[0]
    jobs = [engine.Job(run.instance(), run.seed, store.path(run.id)) for run in task.runs]

    def tell(progress: engine.Progress) -> None:
        left = (progress.steps - progress.step) / progress.rate / 60
        watch(
            Message(
                task.name,
                f"step {progress.step:,} of {progress.steps:,}, loss {sum(progress.terms.values()):.1f} nats, "
                f"{progress.rate:.1f} steps/s, {left:.1f} min left",
                0.9 * progress.step / progress.steps,
            )
        )

    trained = engine.train(jobs, data, steps=first.steps, batch=first.batch, device=task.device, watch=tell)
    device = engine.pick_device(task.device)
    resident = Resident(data, device)
    for run, job, (member, seconds) in zip(task.runs, jobs, trained):
        rows = evaluation_rows(data, run.rows)
        outcome = Outcome(device=engine.describe(device), seconds=seconds, log=member.log)
        if member.status == "diverged":
            outcome.status = "diverged"
            outcome.error = f"a loss or weight is no longer finite after step {member.finite}"
        else:
            watch(Message(task.name, f"codes of {len(rows):,} images", 0.9))
            codes, outcome.facts = evaluate.encode(job.model, member.net, resident, rows)
            outcome.arrays = {"mean": codes.mean, "sd": codes.sd}
            if codes.clusters is not None:
                outcome.arrays["clusters"] = codes.clusters
            outcome.blocks = codes.blocks
            outcome.pictures = evaluate.pictures(job.model, member.net, resident, codes, shown_rows(data, rows))
            checkpoint.save_weights(member.net, job.folder / "model.safetensors")
            watch(Message(task.name, "what the model itself has to show", 0.9))
            outcome.found, arrays = evaluate.findings(job.model, member.net, resident, codes, rows, run.seed)
            outcome.pictures |= arrays
        _store(store, task, run, data, rows, outcome, watch)
        store.tidy(run.id)


def _store(store: Store, task: Task, run: Run, data: Any, rows: np.ndarray, outcome: Outcome, watch: Watch) -> None:
    """Write a run's files, score its codes, and write its record last."""
    folder = store.path(run.id)
    scores = []
    if outcome.log:
        log = schema.conform(pd.DataFrame(outcome.log, columns=list(schema.LOG)), schema.LOG, "log")
        write_atomic(folder / "log.parquet", lambda path: log.to_parquet(path, index=False))
    if outcome.pictures:
        save_arrays(folder / "pictures.npz", outcome.pictures)
    if outcome.arrays:
        save_arrays(
            folder / "codes.npz",
            {
                **outcome.arrays,
                "rows": rows,
                "factors": data.table[rows],
                "names": np.array(data.names),
                "periods": np.array(data.periods),
                "label": np.array(data.label or ""),
                "blocks": np.array(json.dumps(outcome.blocks)),
            },
        )
        facts = {name: (value, FACTS[name]) for name, value in outcome.facts.items()} | outcome.found
        scores = [fact(name, value, len(rows), convention) for name, (value, convention) in facts.items()]
        held = read_codes(folder / "codes.npz")
        calls = plan_rows(held, task.metrics, task.options, task.blocks)
        for i, wanted in enumerate(calls):
            watch(Message(task.name, f"scoring: {wanted.name}", 0.9 + 0.1 * i / len(calls)))
            scores += compute(held, wanted)
    latents = sum(outcome.blocks.values()) or None
    store.save(record(task, run, outcome, latents=latents, scores=scores))


def record(
    task: Task, run: Run, outcome: Outcome, *, latents: int | None, scores: list[dict[str, Any]]
) -> dict[str, Any]:
    """A run's record: its description, where it comes from, how it ended, and its scores."""
    commit, dirty = provenance.commit()
    return {
        **run.description,
        "run": run.id,
        "study": task.study,
        "params": json.dumps(dict(run.params), sort_keys=True),
        "latents": latents,
        "status": outcome.status,
        "error": outcome.error,
        "seconds": outcome.seconds,
        "peak_memory": provenance.peak_memory(),
        "device": outcome.device,
        "stack": len(task.runs),
        "commit": commit,
        "dirty": dirty,
        "versions": json.dumps(provenance.versions()),
        "finished": provenance.now(),
        "scores": scores,
    }


def fail(store: Store, task: Task, run: Run, error: str, trace: str = "") -> None:
    """A failed run is a record too; its traceback lies beside it in error.txt. A run that is done stays so."""
    if (known := store.record(run.id)) is not None and known["status"] == "done":
        return
    write_atomic(store.path(run.id) / "error.txt", lambda path: path.write_text(trace or error))
    store.save(record(task, run, Outcome(status="failed", error=error), latents=None, scores=[]))
