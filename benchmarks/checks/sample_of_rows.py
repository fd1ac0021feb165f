"""What does a sample of rows cost in score error, on dSprites?

    python benchmarks/checks/sample_of_rows.py [FOLDER] [STEPS]

A beta-VAE is trained briefly and encodes all 737,280 images once. Scores of random samples of rows are set beside those
of the whole grid, or of 200,000 rows for DCI, whose trees would take minutes on all. Metrics that draw, draw with the
same seed everywhere; so an error is the sample's and, for these, also that of other draws.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from disentangle_bench import metrics, rng
from disentangle_bench.datasets import load
from disentangle_bench.metrics._metric import numbers
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.training import engine, evaluate
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack

SIZES = (3_000, 10_000, 50_000)
ALL, MANY = 737_280, 200_000
CASES = {  # metric -> samples of each size, rows of the reference
    "mig": (10, ALL),
    "modularity": (10, ALL),
    "irs": (10, ALL),
    "betavae_score": (10, ALL),
    "factorvae_score": (10, ALL),
    "dci": (3, MANY),
}


def codes(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means (n, d) of all images and their factors (n, f)."""
    engine.keep_pages()
    torch.set_num_threads(1)
    data = Resident(load("dsprites"), engine.pick_device())
    stack = Stack([(BetaVAE(lr=1e-3), 0)], data, batch=64)
    stack.advance(steps)
    member = stack.members[0]
    found, facts = evaluate.encode(member.model, member.net, data, np.arange(len(data)))
    print(f"{steps:,} steps:", *(f"{name} {value:.2f}" for name, value in facts.items()), flush=True)
    return found.mean, data.data.table


def scores(metric: str, z: np.ndarray, factors: np.ndarray, n: int, seed: int) -> dict[str, float]:
    """Numbers of a metric, by part, from n rows drawn without replacement."""
    rows = np.arange(len(z)) if n == len(z) else rng.stream(seed, "sample of rows").choice(len(z), n, replace=False)
    return numbers(getattr(metrics, metric)(z[rows], factors[rows]))


def measure(z: np.ndarray, factors: np.ndarray) -> pd.DataFrame:
    found = []
    for metric, (samples, most) in CASES.items():
        reference = scores(metric, z, factors, most, samples)  # a seed of its own
        for n in SIZES:
            drawn = pd.DataFrame([scores(metric, z, factors, n, seed) for seed in range(samples)])
            for part, true in reference.items():
                error = drawn[part] - true
                same = {"metric": f"{metric}.{part}".rstrip("."), "rows": n, "samples": samples}
                same |= {"reference_rows": most, "reference": true, "mean_error": error.mean(), "sd": drawn[part].std()}
                found.append({**same, "largest_error": error.abs().max()})
        print(pd.DataFrame(found[-3 * len(reference) :]).round(4).to_string(index=False), flush=True)
    return pd.DataFrame(found)


if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "out/checks")
    out.mkdir(parents=True, exist_ok=True)
    with threadpool_limits(1):
        table = measure(*codes(int(sys.argv[2]) if len(sys.argv) > 2 else 1000))
    table.to_csv(out / "sample_of_rows.csv", index=False, float_format="%.5f")
