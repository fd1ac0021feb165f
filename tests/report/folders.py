"""A tiny results folder, written file by file as the schema has it: no training, numbers that a test can compute."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from disentangle_bench import schema
from disentangle_bench.report import load
from disentangle_bench.report.tables import Board, boards

METRICS = {
    "mig": 0.0,
    "sap": -0.05,
    "dci.disentanglement": 0.1,
    "dci.completeness": 0.05,
    "dci.informativeness": 0.3,
    "modularity": 0.35,
    "explicitness": 0.4,
    "factorvae_score": 0.3,
    "betavae_score": 0.4,
    "cluster_accuracy.kmeans": 0.15,
    "nmi.kmeans": 0.05,
}
CONTROLS = {"oracle": 0.6, "noise": 0.02, "untrained": 0.07, "pca": 0.12}
MCEVAE_TERMS = ["reconstruction", "invariance", "kl_c", "kl_z", "kl_tau"]


@dataclass
class Folder:
    """Rows that `write` turns into a results folder; tests add, change or drop rows before that."""

    path: Path
    runs: list[dict[str, Any]] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)
    milestones: list[dict[str, Any]] = field(default_factory=list)

    def run(
        self,
        model: str,
        dataset: str,
        seed: int,
        *,
        source: str = "official",
        status: str = "done",
        error: str = "",
        steps: int = 10_000,
        precision: str = "fp32",
        scores: dict[str, float] | None = None,
        **params: Any,
    ) -> str:
        text = json.dumps(params, sort_keys=True)
        run = f"{len(self.runs):012x}"
        if model in CONTROLS:
            steps = 0
        self.runs.append(
            {
                "run": run,
                "study": "demo",
                "model": model,
                "params": text,
                "dataset": dataset,
                "source": source,
                "dataset_sha256": dataset[:2] * 32,
                "seed": seed,
                "steps": steps,
                "batch": 64 if steps else 0,
                "precision": precision,
                "latents": 10 if status == "done" else None,
                "status": status,
                "error": error,
                "seconds": 90.0,
                "peak_memory": 2**30,
                "device": "cpu",
                "stack": 1,
                "way": "sequential" if steps else "",
                "commit": "ab" * 20,
                "dirty": False,
                "versions": json.dumps({"python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6"}),
                "finished": f"2025-03-0{1 + seed % 9}T10:00:00+00:00",
            }
        )
        for metric, value in (scores or {}).items():
            self.score(run, metric, value)
        return run

    def score(self, run: str, metric: str, value: float | None, **changes: Any) -> None:
        self.scores.append(
            {
                "run": run,
                "metric": metric,
                "block": schema.ALL,
                "split": schema.ALL,
                "version": 1,
                "value": value,
                "seconds": 0.1,
                "n": 3000,
                "convention": f"{metric}: estimator of the test; codes=mean",
                "warning": "",
                "error": "",
                **changes,
            }
        )

    def milestone(self, run: str, step: int, metric: str, value: float | None, **changes: Any) -> None:
        """A number of a run that still trains."""
        self.score(run, metric, value, **changes)
        self.milestones.append({"step": step, **self.scores.pop()})

    def write(self) -> Path:
        self.path.mkdir(parents=True, exist_ok=True)
        runs = schema.conform(pd.DataFrame(self.runs, columns=list(schema.RUNS)), schema.RUNS, "runs")
        scores = schema.conform(pd.DataFrame(self.scores, columns=list(schema.SCORES)), schema.SCORES, "scores")
        runs.to_parquet(self.path / "runs.parquet", index=False)
        scores.to_parquet(self.path / "scores.parquet", index=False)
        if self.milestones:
            table = pd.DataFrame(self.milestones, columns=list(schema.MILESTONES))
            table = schema.conform(table, schema.MILESTONES, "milestones")
            table.to_parquet(self.path / "milestones.parquet", index=False)
        command = "bench run --models mcevae,betavae,controls --dataset dsprites,digits"
        (self.path / "study.json").write_text(json.dumps({"commands": [command]}))
        return self.path

    def files(self, run: str, terms: list[str], units: list[str], channels: int = 1, canonical: bool = False) -> None:
        """A log and pictures for a run; without terms no log, without units no traversals."""
        folder = self.path / "runs" / run
        folder.mkdir(parents=True)
        rng = np.random.default_rng(len(self.runs))
        steps = np.arange(100, 10_001, 300)
        rows = [
            pd.DataFrame(
                {
                    "step": steps,
                    "term": term,
                    "value": 700 / (i + 1) * np.exp(-steps / 900) + 30 / (i + 1) + rng.normal(0, 0.5, len(steps)),
                }
            )
            for i, term in enumerate(terms)
        ]
        if terms:
            schema.conform(pd.concat(rows), schema.LOG, "log").to_parquet(folder / "log.parquet", index=False)
        inputs = np.stack([square(a, a * 0.8, 5 + k, channels) for k, a in enumerate(np.linspace(-1, 1, 8))])
        more = {"canonical": np.stack([square(0, 0, 5 + k, channels) for k in range(8)])} if canonical else {}
        if units:
            moved = [[unit_frame(u, t, channels) for t in np.linspace(-1, 1, 7)] for u in range(len(units))]
            more |= {
                "traversals": np.stack(moved),
                "traversal_names": np.array(units),
                "traversal_values": np.tile(np.linspace(-2, 2, 7, dtype=np.float32), (len(units), 1)),
            }
        np.savez_compressed(folder / "pictures.npz", inputs=inputs, reconstructions=inputs // 2 + inputs // 4, **more)

    def board(self, metrics: list[str] | None = None) -> Board:
        """The leaderboard of the one data set."""
        (board,) = boards(load(self.write()), metrics)
        return board


def square(x: float, y: float, size: int, channels: int = 1, side: int = 32) -> np.ndarray:
    """A square on black, its centre at (x, y) in [-1, 1]; uint8 (side, side, channels)."""
    image = np.zeros((side, side, channels), np.uint8)
    left, top = (round((v + 1) / 2 * (side - size)) for v in (x, y))
    image[top : top + size, left : left + size] = 255 if channels == 1 else (230, 180, 40)
    return image


def unit_frame(unit: int, t: float, channels: int = 1) -> np.ndarray:
    """What moving one unit does: sideways, up and down, growth, nothing."""
    return [
        square(t, 0, 8, channels),
        square(0, t, 8, channels),
        square(0, 0, int(10 + 6 * t), channels),
        square(0, 0, 8, channels),
    ][unit % 4]


def numbers(base: float, seed: int) -> dict[str, float]:
    """All metrics of a code of this quality, a little different for every seed."""
    shift = 0.03 * np.sin(1.7 * seed + 3 * base)
    return {metric: float(np.clip(base + more + shift, 0, 1)) for metric, more in METRICS.items()}


def whole(path: Path) -> Folder:
    """Two data sets (6 and 2 seeds), two betas of one model, all controls; a failed, a diverged and a bare run."""
    folder = Folder(path)
    for dataset, source, seeds in [("dsprites", "official", 6), ("digits", "rendered", 2)]:
        channels = 1 if dataset == "dsprites" else 3
        for seed in range(seeds):
            for beta, base in [(1.0, 0.12), (8.0, 0.3)]:
                facts = {"reconstruction": 30 + 4 * beta + seed, "kl": 20 - beta + 0.1 * seed, "used_units": 6.0}
                run = folder.run(
                    "betavae", dataset, seed, source=source, scores=numbers(base, seed) | facts, beta=beta, latents=10
                )
                if not (beta == 1 and dataset == "dsprites"):  # this one left no pictures
                    folder.files(run, ["reconstruction", "kl"], [f"z{i}" for i in range(1, 11)], channels)
            if (dataset, seed) == ("dsprites", 4):
                folder.run(
                    "mcevae",
                    dataset,
                    seed,
                    source=source,
                    status="failed",
                    group="se2",
                    error="RuntimeError: the decoder returned 3 channels, expected 1\n  in decode",
                )
                continue
            if (dataset, seed) == ("dsprites", 5):
                run = folder.run(
                    "mcevae",
                    dataset,
                    seed,
                    source=source,
                    status="diverged",
                    group="se2",
                    error="reconstruction is not finite from step 2,300 on",
                )
                folder.files(run, MCEVAE_TERMS, [f"z{i}" for i in range(1, 4)])
                continue
            facts = {"reconstruction": 25.0 + seed, "kl": 22 + 0.1 * seed, "used_units": 8.0}
            run = folder.run(
                "mcevae",
                dataset,
                seed,
                source=source,
                group="se2",
                scores=numbers(0.45, seed) | facts | {"cluster_accuracy.own": 0.8 + 0.01 * seed},
            )
            folder.files(run, MCEVAE_TERMS, ["z_c1", "z_c2", "z1", "z2", "tau1", "tau2"], channels, canonical=True)
        for model, base in CONTROLS.items():
            for seed in range(2):
                facts = {"reconstruction": 900.0} if model == "untrained" else {}
                run = folder.run(model, dataset, seed, source=source, scores=numbers(base, seed) | facts)
                if model == "pca" and dataset == "digits":
                    folder.files(run, [], [], channels)
    return folder
