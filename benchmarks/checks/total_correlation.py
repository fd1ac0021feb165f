"""Do the two estimators of total correlation that models train with find it where it is known?

    python benchmarks/checks/total_correlation.py [FOLDER]

Codes of 20,000 images: means and a posterior deviation such that all samples together are a Gaussian of unit variances
with correlation rho between any two units, whose total correlation is -log det(R) / 2. Shown by size of the batch: the
stratified estimate of beta-TCVAE; the same with the weights as they are found in several public codes, where two
columns instead of two diagonals are set; and the critic of FactorVAE, trained on batches of 64.
"""

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch.nn.functional import cross_entropy

from disentangle_bench.models._probability import Gaussian
from disentangle_bench.models.betatcvae import decompose, stratified
from disentangle_bench.models.factorvae import critic
from disentangle_bench.report.figures import save
from disentangle_bench.report.labels import COLOURS, GREY

N = 20_000
CASES = [(2, 0.5, 0.3), (5, 0.0, 0.1), (5, 0.5, 0.1), (10, 0.5, 0.3)]  # units, rho, variance of the posterior
BATCHES, DRAWS = (64, 256, 1024, 4096), 20
CRITIC_BATCHES, CRITIC_STEPS = (64,), 1000
WAYS = {"stratified (betatcvae)": "o", "stratified as copied elsewhere": "X", "critic (factorvae)": "s"}


def copied(n: int, N: int) -> torch.Tensor:
    """The stratified weights with the common slip: every (n - 1)-th instead of n-th entry is set, row by row."""
    M = n - 1
    W = torch.full((n * n,), 1 / M, dtype=torch.float64)
    W[:: M + 1], W[1 :: M + 1] = 1 / N, (N - M) / (N * M)
    W = W.view(n, n)
    W[M - 1, 0] = (N - M) / (N * M)
    return W.log()


class Codes:
    """Posteriors whose samples follow the known Gaussian."""

    def __init__(self, d: int, rho: float, s2: float) -> None:
        R = torch.full((d, d), rho).fill_diagonal_(1.0)
        self.truth = -0.5 * float(torch.logdet(R))
        self.d, self.s2, self.root = d, s2, torch.linalg.cholesky(R - s2 * torch.eye(d))

    def posterior(self, n: int) -> Gaussian:
        return Gaussian(torch.randn(n, self.d) @ self.root.T, torch.full((n, self.d), math.log(self.s2)))

    def samples(self, n: int) -> torch.Tensor:
        return self.posterior(n).at(torch.randn(n, self.d))


def sampled(codes: Codes, batch: int, weights) -> float:
    q = codes.posterior(batch)
    return float(decompose(q, q.at(torch.randn(batch, codes.d)), weights(batch, N).float())[1])


def by_critic(codes: Codes, batch: int) -> float:
    """Mean difference of logits on 20,000 samples, of a critic trained as FactorVAE's is."""
    D = critic(codes.d)
    adam = torch.optim.Adam(D.parameters(), 1e-4, (0.5, 0.9))
    joint, apart = torch.zeros(batch).long(), torch.ones(batch).long()
    for _ in range(CRITIC_STEPS):
        permuted = codes.samples(batch).gather(0, torch.rand(batch, codes.d).argsort(0))
        loss = 0.5 * (cross_entropy(D(codes.samples(batch)), joint) + cross_entropy(D(permuted), apart))
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        logits = D(codes.samples(N))
    return float((logits[:, 0] - logits[:, 1]).mean())


def measure() -> pd.DataFrame:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    found: list[tuple[Any, ...]] = []
    for case in CASES:
        codes = Codes(*case)
        for batch in BATCHES:
            draws = DRAWS if batch < 4096 else 3
            for way, weights in zip(WAYS, (stratified, copied)):
                values = [sampled(codes, batch, weights) for _ in range(draws)]
                found.append((*case, codes.truth, way, batch, np.mean(values), np.std(values)))
            if batch in CRITIC_BATCHES:
                found.append((*case, codes.truth, list(WAYS)[2], batch, by_critic(codes, batch), np.nan))
        print(f"d = {case[0]}, rho = {case[1]}, posterior variance {case[2]}: done", flush=True)
    return pd.DataFrame(found, columns=["d", "rho", "s2", "truth", "estimator", "batch", "mean", "sd"])


def figure(frame: pd.DataFrame):
    from matplotlib.figure import Figure

    made = Figure(figsize=(7.2, 2.9), layout="constrained")
    for axes, (d, rho, s2) in zip(made.subplots(1, len(CASES)), CASES):
        part = frame.query(f"d == {d} and rho == {rho} and s2 == {s2}").fillna({"sd": 0})
        axes.axhline(part["truth"].iloc[0], color=GREY, linestyle="--", label="exact")
        for (way, marker), colour in zip(WAYS.items(), COLOURS):
            own = part.loc[part["estimator"] == way]
            axes.errorbar(own["batch"], own["mean"], own["sd"], marker=marker, markersize=4, color=colour, label=way)
        axes.set_xscale("log", base=2)
        axes.set_xticks(BATCHES, [str(b) for b in BATCHES], fontsize=6)
        axes.set_title(f"{d} units, ρ = {rho:g}\nposterior variance {s2:g}", fontsize=7)
        axes.tick_params(labelsize=6)
        axes.set_xlabel("batch", fontsize=7)
    made.axes[0].set_ylabel("total correlation, nats", fontsize=7)
    handles, labels = made.axes[0].get_legend_handles_labels()
    made.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=7, frameon=False)
    return made


if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "out/checks")
    out.mkdir(parents=True, exist_ok=True)
    table = measure()
    table.to_csv(out / "total_correlation.csv", index=False, float_format="%.4f")
    save(figure(table), out / "total_correlation", ("png",))
    print(table.round(3).to_string(index=False))
