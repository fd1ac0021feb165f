"""What do images cost? Drawing a batch beside a training step, memory, and drawing whole sets.

    python benchmarks/speed/data.py              # a few minutes on one core
    python benchmarks/speed/data.py --rounds 5

Three questions. How much of a step goes into its batch: for sets that lie in memory and for sets whose images are made
when asked for, turns of drawing and of training alternate in one process, and shares are those of two such turns by CPU
time. How much memory a process takes that trains and encodes. And how long all images of a set take that needs no
file, beside the same of dSprites, which is drawn in turn with each.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from training import BATCH, CPU, drawing, started, taken

from disentangle_bench import provenance
from disentangle_bench.datasets import _room, _sprites, load
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.training import engine, evaluate
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack

TRAINED = ["dsprites", "dsprites(background=noise)", "shapes3d_rendered"]
DRAWN = [
    "dsprites(background=colour)",
    "dsprites(background=noise)",
    "dsprites(background=scream)",
    "shapes3d_rendered",
    "xysquares",
    "digits(transform=se2)",
    "numeric",
    "toy",
]
STEPS = 8  # of a turn
MOST = 1024  # images that are asked for at once


def shares(pipe: Any, name: str, rounds: int) -> None:
    """How much of a training step the batch takes, (rounds,); a process of its own, with the engine's settings."""
    engine.keep_pages()
    torch.set_num_threads(1)
    resident = Resident(load(name), CPU)
    stack, draw = Stack([(BetaVAE(), 0)], resident, BATCH), drawing(resident)

    def train(steps: int) -> None:
        stack.advance(stack.members[0].t + steps)

    found = []
    for turn in range(-1, rounds):  # the first one warms up
        order = (draw, train) if turn % 2 else (train, draw)
        took = {run: taken(run, STEPS)[0] for run in order}
        if turn >= 0:
            found.append(took[draw] / took[train])
    pipe.send(found)


def peak(pipe: Any, name: str) -> None:
    """Most bytes of a process that trains a model on a set and encodes 10,000 images, as the engine does it."""
    torch.set_num_threads(1)
    data = load(name)
    with tempfile.TemporaryDirectory() as folder:
        job = engine.Job(BetaVAE(), 0, Path(folder))
        ((member, _),) = engine.train([job], data, steps=40, batch=BATCH, device="cpu")
    evaluate.encode(member.model, member.net, Resident(data, CPU), np.arange(10_000))
    pipe.send(provenance.peak_memory())


def whole(name: str) -> None:
    """A set from nothing to all of its images, some at a time."""
    _room.cast.cache_clear()
    data = load(name)
    for start in range(0, len(data), MOST):
        data.take(np.arange(start, min(start + MOST, len(data))))


def seconds(run: Callable[[], Any]) -> float:
    """CPU seconds."""
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="of turns of drawing and training")
    asked = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.environ["BENCH_OFFLINE"] = "1"
    print(f"{'a batch of ' + str(BATCH):30}{'% of a step, quartiles':28}peak memory of the process")
    for name in TRAINED:
        low, middle, high = 100 * np.quantile(started(shares, name, asked.rounds).recv(), [0.25, 0.5, 0.75])
        memory = started(peak, name).recv() / 1e9
        print(f"{name:30}{f'{middle:.1f}   {low:.1f} to {high:.1f}':28}{memory:.2f} GB", flush=True)
    print("targets: below 5 %, below 1.0 GB\n")
    print(f"{'all images of a set':30}{'times dSprites':28}CPU seconds (target: below 60)")
    for name in DRAWN:
        ours, theirs = seconds(lambda name=name: whole(name)), seconds(_sprites.render)
        print(f"{name:30}{ours / theirs:<28.2g}{ours:.2g}", flush=True)
    print(f"{'dsprites':30}{1:<28}{seconds(_sprites.render):.2g}")


if __name__ == "__main__":
    main()
