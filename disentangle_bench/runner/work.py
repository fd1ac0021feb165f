"""What a worker does with a stack of runs: data, training, codes, and scores if others do not, in a folder a run."""

from __future__ import annotations

import dataclasses
import traceback
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ..schema import ALL
from . import locks, milestones, splits
from .outcome import Outcome, Sample, fail, finish, leave, trained, write_samples
from .plan import Run, dataset
from .store import Store
from .task import Message, Task, Watch

IDENTITY = ("model", "version", "params", "dataset_sha256", "seed", "steps", "batch", "precision")  # of a checkpoint


def work(task: Task, watch: Watch) -> list[str]:
    """Train a stack and store its runs, all but those that others hold or have ended since the plan was made; which
    these are. What an earlier end of a run has left is removed first; one that was trained then is only scored."""
    store = Store(task.folder)
    with locks.hold([store.path(run.id) for run in task.runs], task.session) as held:
        mine = [run for run in task.runs if store.path(run.id) in held]
        mine = [run for run in mine if store.stamp(run.id) in (0, task.before.get(run.id, 0))]
        for run in mine:
            if not task.fresh and trained(store, run.id):
                store.reopen(run.id)
            else:
                store.forget(run.id, checkpoint=task.fresh)  # nothing of it may mix with the new one
        if mine:
            _work(dataclasses.replace(task, runs=mine), store, watch)
        else:
            watch(Message(task.name, "left to another process", 1.0))
    return [run.id for run in task.runs if run not in mine]


def _work(task: Task, store: Store, watch: Watch) -> None:
    """A stack that fails is tried run by run, so that only those at fault fail."""
    try:
        if rest := [run for run in task.runs if trained(store, run.id) is None]:
            make = _control if hasattr(rest[0].instance(), "represent") else _train
            make(dataclasses.replace(task, runs=rest), store, watch)
        for run in [] if task.later else task.runs:
            finish(store, task, run, watch)
        watch(Message(task.name, "trained" if task.later else "done", 1.0))
    except Exception as error:
        if len(task.runs) > 1:
            for run in task.runs:
                if store.record(run.id) is None:
                    _work(dataclasses.replace(task, runs=[run]), store, watch)
            return
        fail(store, task, task.runs[0], f"{type(error).__name__}: {error}", traceback.format_exc())
        watch(Message(task.name, f"failed: {type(error).__name__}: {error}", 1.0))


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
    data = dataset(run.where or run.dataset, task.data_dir)
    if data.sha256 != run.dataset_sha256:
        raise ValueError(f"{run.dataset} holds other images ({data.source}) than when the plan was made ({run.source})")
    return data


def _control(task: Task, store: Store, watch: Watch) -> None:
    data = _load(task)
    for run in task.runs:
        rows = splits.samples(data, run.rows)
        shown = shown_rows(data, rows[ALL])
        with threadpool_limits(1):  # sums in one order, as in `compute`
            left = {split: run.instance().represent(data, own, shown, run.seed) for split, own in rows.items()}
        outcome = Outcome(blocks={"z": left[ALL]["codes"].shape[1]})
        for split, made in left.items():
            arrays = {"mean": made["codes"], "sd": np.zeros_like(made["codes"])}
            arrays |= {k: made[k] for k in ("clusters",) if k in made}
            outcome.samples[split] = Sample(rows[split], arrays, made.get("facts", {}))
        if (images := left[ALL].get("reconstructions")) is not None:
            outcome.pictures = {"inputs": data.take(shown), "reconstructions": images}
        leave(store, task, run, data, outcome)


def _train(task: Task, store: Store, watch: Watch) -> None:
    import torch

    from ..training import checkpoint, engine, evaluate
    from ..training.resident import Resident

    torch.set_num_threads(1)  # one core a run: the same bits whatever else runs
    data, first = _load(task), task.runs[0]
    device, rows = engine.pick_device(task.device), splits.samples(data, first.rows)
    jobs = [engine.Job(run.instance(), run.seed, store.path(run.id), _identity(run)) for run in task.runs]

    @cache
    def resident() -> Resident:  # a second copy on a GPU, so made only where it is needed
        return Resident(data, device)

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

    def encode(job: engine.Job, member: Any) -> tuple[evaluate.Codes, dict[str, Sample]]:
        """Codes of all images, and of each split as they are stored."""
        made = {split: evaluate.encode(job.model, member.net, resident(), own) for split, own in rows.items()}
        return made[ALL][0], {k: Sample(rows[k], _arrays(codes), facts) for k, (codes, facts) in made.items()}

    def reached(i: int, member: Any, step: int) -> None:
        watch(Message(task.name, f"codes at step {step:,}", 0.9 * step / first.steps))
        codes, samples = encode(jobs[i], member)
        checkpoint.save_weights(member.net, jobs[i].folder / f"model-{step}.safetensors")
        write_samples(milestones.file(jobs[i].folder, step), samples, data, codes.blocks)

    members = engine.train(
        jobs,
        data,
        steps=first.steps,
        batch=first.batch,
        device=task.device,
        precision=first.precision,
        checkpoint_every=task.checkpoint_every,
        milestones=task.milestones,
        reached=reached,
        watch=tell,
    )
    for run, job, (member, seconds) in zip(task.runs, jobs, members):
        outcome = Outcome(device=engine.describe(device), way=member.way, seconds=seconds, log=member.log)
        if member.status == "diverged":
            outcome.status = "diverged"
            outcome.error = f"a loss or weight is no longer finite after step {member.finite}"
        else:
            watch(Message(task.name, f"codes of {sum(map(len, rows.values())):,} images", 0.9))
            codes, outcome.samples = encode(job, member)
            outcome.blocks, shown = codes.blocks, shown_rows(data, rows[ALL])
            outcome.pictures = evaluate.pictures(job.model, member.net, resident(), codes, shown)
            checkpoint.save_weights(member.net, job.folder / "model.safetensors")
            watch(Message(task.name, "what the model itself has to show", 0.9))
            outcome.found, arrays = evaluate.findings(job.model, member.net, resident(), codes, rows[ALL], run.seed)
            outcome.pictures |= arrays
        leave(store, task, run, data, outcome)


def _identity(run: Run) -> dict[str, Any]:
    """What a checkpoint has to agree with, to be gone on from."""
    return {name: getattr(run, name) for name in IDENTITY} | {"params": dict(run.params)}


def _arrays(codes: Any) -> dict[str, np.ndarray]:
    """Codes as a file has them."""
    own = {} if codes.clusters is None else {"clusters": codes.clusters}
    return {"mean": codes.mean, "sd": codes.sd, **own}
