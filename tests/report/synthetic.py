"""A results folder of any size whose numbers have a known make-up: how much is model, strength, seed and luck.

python tests/report/synthetic.py FOLDER        # 2,000 runs, 64,000 scores
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from disentangle_bench import schema

STRENGTHS = {  # model -> its one hyper-parameter and the values it is swept over; none where there is nothing to sweep
    "betavae": ("beta", (1, 2, 4, 6, 8, 16)),
    "annealedvae": ("c_max", (5, 10, 25, 50, 75, 100)),
    "factorvae": ("gamma", (10, 20, 30, 40, 50, 100)),
    "dipvae_i": ("lambda_od", (1, 2, 5, 10, 20, 50)),
    "dipvae_ii": ("lambda_od", (1, 2, 5, 10, 20, 50)),
    "betatcvae": ("beta", (1, 2, 4, 6, 8, 10)),
    "mcevae": ("r", (1, 2, 3, 4)),
    "infovae": ("lam", (1, 10, 100)),
    "vae": ("", (0,)),
    "aae": ("", (0,)),
    "catvae": ("", (0,)),
}
CONTROLS = {"oracle": 0.9, "noise": 0.02, "untrained": 0.1, "pca": 0.2}
METRICS = [
    *("mig", "dci.disentanglement", "dci.completeness", "dci.informativeness", "dci.informativeness_train"),
    *("sap", "sap.continuous", "sap.tree", "modularity", "explicitness", "irs", "betavae_score", "factorvae_score"),
    *("cluster_accuracy.kmeans", "nmi.kmeans", "ari.kmeans", "mig_sup", "rmig", "dcimig", "mcc", "dci_es.explicitness"),
    *("infomec.modularity", "infomec.compactness", "infomec.explicitness", "factorised_support", "total_correlation"),
    *("wasserstein_correlation", "udr", "reconstruction", "kl", "elbo", "used_units"),
]
FACTS = {"reconstruction": 60.0, "kl": 20.0, "elbo": -80.0, "used_units": 8.0, "total_correlation": 3.0}


def write(
    folder: Path,
    *,
    datasets: Sequence[str] = ("dsprites", "shapes3d"),
    seeds: int = 20,
    metrics: Sequence[str] = tuple(METRICS),
    spread: tuple[float, float, float] = (0.1, 0.05, 0.08),
) -> Path:
    """Write runs.parquet, scores.parquet and study.json; 50 configurations a data set.

    Parameters
    ----------
    folder : made where it is not there
    datasets, seeds, metrics : 50 * len(datasets) * seeds runs, and len(metrics) scores for each
    spread : standard deviations of scores between models, between strengths of a model, and between seeds
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    names = [(dataset, *configuration) for dataset in datasets for configuration in configurations()]
    runs = pd.DataFrame(
        [_run(f"{i * seeds + seed:012x}", *name, seed) for i, name in enumerate(names) for seed in range(seeds)]
    )
    values = np.clip(_quality(names, seeds, len(metrics), spread, rng), 0, 1)
    for i, metric in enumerate(metrics):
        if metric in FACTS:
            values[:, i] = FACTS[metric] * (1 + 0.3 * (0.5 - values[:, i]))
    n, m = values.shape
    scores = pd.DataFrame(
        {
            "run": np.repeat(runs["run"].to_numpy(), m),
            "metric": np.tile(np.array(metrics, object), n),
            "block": schema.ALL,
            "split": schema.ALL,
            "version": 1,
            "value": values.ravel(),
            "seconds": 0.5,
            "n": 10_000,
            "convention": np.tile(np.array([f"{metric}: made up; codes=mean" for metric in metrics], object), n),
            "warning": "",
            "error": "",
        }
    )
    for name, table, columns in [("runs", runs, schema.RUNS), ("scores", scores, schema.SCORES)]:
        table = schema.conform(schema.migrate(table, name), columns, name)
        table.to_parquet(folder / f"{name}.parquet", index=False)
    (folder / "study.json").write_text(json.dumps({"commands": ["python tests/report/synthetic.py"]}))
    return folder


def configurations() -> list[tuple[str, str, float]]:
    """Model, name and value of its hyper-parameter ("" where it has none): 46 models, 4 controls."""
    swept = [(model, key, value) for model, (key, values) in STRENGTHS.items() for value in values]
    return swept + [(model, "", 0) for model in CONTROLS]


def _run(run: str, dataset: str, model: str, key: str, value: float, seed: int) -> dict[str, object]:
    trained = model not in CONTROLS
    return {
        "run": run,
        "study": "synthetic",
        "model": model,
        "params": json.dumps({"latents": 10, **({key: float(value)} if key else {})}, sort_keys=True),
        "dataset": dataset,
        "source": "official",
        "dataset_sha256": "0" * 64,
        "seed": seed,
        "steps": 300_000 if trained else 0,
        "batch": 64 if trained else 0,
        "precision": "fp32",
        "latents": 10,
        "status": "done",
        "error": "",
        "seconds": 600.0 + 10 * seed + 40 * len(model) if trained else 1.0,
        "peak_memory": 2**30,
        "device": "cpu",
        "stack": 1,
        "way": "sequential" if trained else "",
        "commit": "ab" * 20,
        "dirty": False,
        "versions": json.dumps({"python": "3.12.0", "torch": "2.9.0", "numpy": "2.3.0"}),
        "finished": f"2026-03-{1 + seed % 28:02d}T10:00:00+00:00",
    }


def _quality(
    names: list[tuple[str, str, str, float]],
    seeds: int,
    metrics: int,
    spread: tuple[float, float, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """(runs, metrics): 0.45 + model + strength + seed, drawn anew for each data set; controls at their own value.

    Half the variance of seeds is shared by all metrics of a run, so that metrics agree about runs.
    """
    models = {name[:2]: spread[0] * rng.standard_normal(metrics) for name in names}
    centres = (
        0.45 + np.array([models[name[:2]] for name in names]) + spread[1] * rng.standard_normal((len(names), metrics))
    )
    luck = rng.standard_normal((len(names), seeds, 1)) + rng.standard_normal((len(names), seeds, metrics))
    sizes = np.full(len(names), spread[2] * np.sqrt(0.5))
    for i, (_, model, *_) in enumerate(names):
        if model in CONTROLS:
            centres[i], sizes[i] = CONTROLS[model], 0.005
    return (centres[:, None] + sizes[:, None, None] * luck).reshape(-1, metrics)


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
