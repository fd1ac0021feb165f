"""What does the engine cost beyond the arithmetic? Steps a second against a bare loop with the same network, batch and
data, alternating in one process.

    python benchmarks/speed/engine.py
"""

import statistics
import time
from typing import Any

import torch

from disentangle_bench.datasets import load
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.mcevae import MCEVAE
from disentangle_bench.models.vae import VAE
from disentangle_bench.training import engine
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack, networks

ROUNDS, STEPS, BATCH = 15, 8, 64


def bare_loop(data: Resident):
    """A VAE step as one would write it in a notebook."""
    net: Any = networks(VAE(), 0, data)
    adam = torch.optim.Adam(net.parameters(), lr=1e-4)
    images = torch.from_numpy(data.data.take(range(4096))).permute(0, 3, 1, 2).to(data.device).float() / 255

    def steps(n: int) -> None:
        for _ in range(n):
            x = images[torch.randint(len(images), (BATCH,), device=data.device)]
            mean, logvar = net.encoder(x)
            logits = net.decoder(mean + torch.randn_like(mean) * (logvar / 2).exp())
            nll = torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum") / BATCH
            loss = nll + 0.5 * (mean**2 + logvar.exp() - logvar - 1).sum() / BATCH
            adam.zero_grad()
            loss.backward()
            adam.step()

    return steps


def stack(model, data: Resident):
    made = Stack([(model, 0)], data, BATCH)
    return lambda n: made.advance(made.members[0].t + n)


def main() -> None:
    engine.keep_pages()
    torch.set_num_threads(1)
    data = Resident(load("dsprites"), engine.pick_device())
    ways = {
        "bare loop": bare_loop(data),
        "vae": stack(VAE(), data),
        "betavae": stack(BetaVAE(), data),
        "mcevae": stack(MCEVAE(), data),
        "mcevae supervised": stack(MCEVAE(supervised=True), data),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        for name, steps in ways.items():
            start = time.perf_counter()
            steps(STEPS)
            if data.device.type == "cuda":
                torch.cuda.synchronize()
            times[name].append(time.perf_counter() - start)
    bare = times["bare loop"][1:]
    print(f"{data.device.type}, torch {torch.__version__}, batch {BATCH}: medians of {ROUNDS} rounds of {STEPS} steps")
    for name, taken in times.items():
        ratios = [b / t for b, t in zip(bare, taken[1:])]
        print(f"{name:20} {statistics.median(ratios):.2f} of the bare loop's steps a second")


if __name__ == "__main__":
    main()
