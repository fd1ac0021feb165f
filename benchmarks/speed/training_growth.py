"""Time and memory over many tiny steps on the CPU, for `training.py --growth` (Linux)."""

import os
import time
from pathlib import Path

import numpy as np
import torch

from disentangle_bench.datasets import load
from disentangle_bench.models.vae import VAE
from disentangle_bench.training import engine
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack


def measure(steps: int = 100_000, early: int = 2_000, entry: int = 500) -> None:
    """CPU time of the last tenth of many tiny steps over that of the first, and the memory that they leave taken.

    The first tenth is that of another run, in turns with the last one's: other work on the machine slows both alike.
    """
    engine.keep_pages()
    torch.set_num_threads(1)
    data = Resident(load("toy"), torch.device("cpu"))
    old, young = (Stack([(VAE(latents=2), seed)], data, batch=8) for seed in (0, 1))

    def seconds(stack: Stack) -> float:
        start = time.process_time()
        stack.advance(stack.members[0].t + entry)  # an entry of a learning curve of 200, as the engine keeps it
        return time.process_time() - start

    def tell() -> None:
        held = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        print(f"after {old.members[0].t:,} steps: {held / 1e6:.1f} MB in memory", flush=True)

    seconds(young)  # its memory is taken before the first reading
    while old.members[0].t < 0.9 * steps:
        seconds(old)
        if old.members[0].t == early:
            tell()
    ratios = [seconds(old) / seconds(young) for _ in range(steps // 10 // entry)]
    tell()
    low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
    print(f"last tenth over first, median: {middle:.2f}, quartiles {low:.2f} to {high:.2f} (linear: 1)")
