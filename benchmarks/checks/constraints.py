"""Do constrained models settle where their constraint says, on dSprites?

    python benchmarks/checks/constraints.py [FOLDER] [STEPS]

AnnealedVAE's KL beside its capacity C; how far the covariance of codes is from the identity, of posterior means
(which DIP-VAE-I asks for) and of samples (DIP-VAE-II), for both and for a VAE. All are measured on 5,000 fixed images
that training draws from, too.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from disentangle_bench.datasets import load
from disentangle_bench.models.annealedvae import AnnealedVAE
from disentangle_bench.models.dipvae_i import DIPVAEI
from disentangle_bench.models.dipvae_ii import DIPVAEII
from disentangle_bench.models.vae import VAE
from disentangle_bench.report.figures import save
from disentangle_bench.report.labels import COLOURS, GREY
from disentangle_bench.training import engine, evaluate
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack

BATCH, IMAGES, POINTS = 64, 5000, 12


def models(steps: int) -> dict:
    return {
        "annealedvae": AnnealedVAE(c_max=25, anneal=steps // 2),  # gamma = 1000 shakes the KL at larger rates
        "vae": VAE(lr=1e-3),
        "dipvae_i": DIPVAEI(lr=1e-3),
        "dipvae_ii": DIPVAEII(lr=1e-3),
    }


def measure(steps: int) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    engine.keep_pages()
    torch.set_num_threads(1)
    data = Resident(load("dsprites"), engine.pick_device())
    rows = np.random.default_rng(0).choice(len(data), IMAGES, replace=False)
    found, matrices = [], {}
    for name, model in models(steps).items():
        stack = Stack([(model, 0)], data, BATCH)
        for upto in np.linspace(0, steps, POINTS + 1).astype(int)[1:]:
            stack.members[0].net.train()
            stack.advance(int(upto))
            codes, facts = evaluate.encode(model, stack.members[0].net, data, rows)
            of_means = np.cov(codes.mean.T, bias=True)
            of_samples = of_means + np.diag((codes.sd**2).mean(0))
            far = {f"distance.{k}": root_mean(C) for k, C in (("means", of_means), ("samples", of_samples))}
            capacity = model.C(int(upto)) if isinstance(model, AnnealedVAE) else np.nan
            found.append({"model": name, "step": upto, "kl": facts["kl"], "C": capacity, **far})
            matrices[name] = of_samples if name == "dipvae_ii" else of_means
        print(pd.DataFrame(found[-1:]).round(3).to_string(index=False, header=len(found) == POINTS), flush=True)
    return pd.DataFrame(found), matrices


def root_mean(C: np.ndarray) -> float:
    """Root mean square of the entries of C - I."""
    return float(np.sqrt(((C - np.eye(len(C))) ** 2).mean()))


def figure(frame: pd.DataFrame, matrices: dict[str, np.ndarray]):
    from matplotlib.figure import Figure

    made = Figure(figsize=(7.2, 4.6), layout="constrained")
    top, bottom = made.subfigures(2, 1, squeeze=False, height_ratios=(1.1, 1))[:, 0]
    kl, means, samples = top.subplots(1, 3)
    own = frame[frame["model"] == "annealedvae"]
    kl.plot(own["step"], own["C"], color=GREY, linestyle="--", label="C")
    kl.plot(own["step"], own["kl"], "o-", color=COLOURS[0], markersize=3, label="KL of annealedvae")
    kl.set_ylabel("nats", fontsize=7)
    kl.set_title("KL against its capacity", fontsize=7)
    for axes, which in ((means, "means"), (samples, "samples")):
        for (name, part), colour in zip(frame[frame["model"] != "annealedvae"].groupby("model"), COLOURS[1:]):
            axes.plot(part["step"], part[f"distance.{which}"], "o-", color=colour, markersize=3, label=name)
        axes.set_yscale("log")
        axes.set_title(f"covariance of {which} less the identity,\nroot mean square of entries", fontsize=7)
    for axes in (kl, means, samples):
        axes.set_xlabel("step", fontsize=7)
        axes.tick_params(labelsize=6, which="both")
        axes.legend(fontsize=6, frameon=False)
    shown = {"vae": "vae: means", "dipvae_i": "dipvae_i: means", "dipvae_ii": "dipvae_ii: samples"}
    panels = bottom.subplots(1, len(shown))
    for axes, (name, title) in zip(panels, shown.items()):
        image = axes.imshow(matrices[name], vmin=-1.5, vmax=1.5, cmap="RdBu_r")
        axes.set_title(f"covariance at the end, {title}", fontsize=7)
        axes.set_xticks([])
        axes.set_yticks([])
    bottom.colorbar(image, ax=list(panels), shrink=0.9).ax.tick_params(labelsize=6)
    return made


if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "out/checks")
    out.mkdir(parents=True, exist_ok=True)
    table, covariances = measure(int(sys.argv[2]) if len(sys.argv) > 2 else 2400)
    table.to_csv(out / "constraints.csv", index=False, float_format="%.4f")
    save(figure(table, covariances), out / "constraints", ("png",))
    settled = table.loc[(table["model"] == "annealedvae") & (table["C"] == 25), "kl"]
    print(f"annealedvae: KL for C = 25, mean of {len(settled)} points {settled.mean():.2f} nats:", *settled.round(2))
