"""What does bf16 change of scores? The same seeds in both precisions, compared by what differs between seeds anyway.

python benchmarks/checks/precision.py                 # half an hour or more on one core
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from disentangle_bench.datasets import load
from disentangle_bench.metrics import dci, factorvae_score, mig
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.runner.splits import evaluation_rows
from disentangle_bench.training import engine, evaluate
from disentangle_bench.training.resident import Resident

OUT = Path("results/checks/precision.csv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(1)
    data = load("dsprites")
    found = [
        {"precision": precision, "seed": seed, "steps": given.steps, "device": given.device, **numbers}
        for seed in range(given.seeds)
        for precision in ("fp32", "bf16")
        for numbers in [trained(data, precision, seed, given.steps, given.device)]
    ]
    table = pd.DataFrame(found)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(OUT, index=False, float_format="%.4f")
    print(table.drop(columns=["steps", "device"]).to_string(index=False, float_format="{:.3f}".format))
    print(f"\n{'':26}{'fp32':>8}{'bf16':>8}{'bf16-fp32, +- its error':>26}{'sd of seeds':>13}")
    for name in [column for column in table if column not in ("precision", "seed", "steps", "device")]:
        each = table.pivot(index="seed", columns="precision", values=name)
        gap = each["bf16"] - each["fp32"]
        error = gap.std() / np.sqrt(len(gap))
        print(
            f"{name:26}{each['fp32'].mean():8.3f}{each['bf16'].mean():8.3f}"
            f"{gap.mean():17.3f} +- {error:.3f}{each['fp32'].std():13.3f}"
        )


def trained(data, precision: str, seed: int, steps: int, device: str) -> dict[str, float]:
    """Scores of one beta-VAE (beta = 4, Adam at 1e-3), and when it left the plateau on which all start."""
    with tempfile.TemporaryDirectory() as folder:
        job = engine.Job(BetaVAE(lr=1e-3), seed, Path(folder))
        ((member, _),) = engine.train([job], data, steps=steps, batch=64, device=device, precision=precision)
    rows = evaluation_rows(data, 10_000)
    codes, facts = evaluate.encode(job.model, member.net, Resident(data, engine.pick_device(device)), rows)
    factors = data.table[rows]
    curve = [(step, value) for step, term, value in member.log if term == "reconstruction"]
    left = next((step for step, value in curve if value < 300), np.nan)
    trees = dci(codes.mean, factors)
    return {
        "leaves 300 nats at step": left,
        "reconstruction": facts["reconstruction"],
        "kl": facts["kl"],
        "mig": mig(codes.mean, factors),
        "dci.disentanglement": trees.disentanglement,
        "dci.informativeness": trees.informativeness,
        "factorvae_score": float(factorvae_score(codes.mean, factors)),
    }


if __name__ == "__main__":
    main()
