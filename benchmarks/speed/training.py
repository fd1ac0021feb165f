"""What does the engine make of a processor or a GPU? Training and encoding beside bare loops of the same arithmetic.

    python benchmarks/speed/training.py                   # ratios on one core of a CPU, in under ten minutes
    python benchmarks/speed/training.py --growth          # time and memory over 100,000 tiny steps
    python benchmarks/speed/training.py --device cuda     # model-steps a second against the size of a stack

On a CPU the setting of the allocator belongs to a whole process and cannot be put back. So two processes, one with the
default and one that keeps its pages, take strict turns on one core: a few steps here, a few there, never both. Ratios
are those of two such turns by CPU time (user and system), which other work on the machine hardly changes, and by the
clock, which counts what a page fault costs outside of this system, too; medians over the rounds, and quartiles.
Everything runs on dSprites with the study's network, batches of 64 and one thread.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from disentangle_bench import provenance
from disentangle_bench.datasets import load
from disentangle_bench.models.betatcvae import BetaTCVAE
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.factorvae import FactorVAE
from disentangle_bench.models.mcevae import MCEVAE
from disentangle_bench.models.vae import VAE
from disentangle_bench.training import engine, evaluate, precision
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import WAYS, Stack, networks
from disentangle_bench.training.stream import Stream

BATCH, IMAGES = 64, 256  # images of a training step, and of a step of encoding
CPU = torch.device("cpu")
MODELS = {"vae": VAE(), "betavae": BetaVAE(), "betatcvae": BetaTCVAE(), "factorvae": FactorVAE(), "mcevae": MCEVAE()}
BARE, BARE_ENCODING, KEPT = "bare loop", "bare encoding", ", pages kept"  # without KEPT: the default allocator
PAIRS = [  # what, beside what, steps of a turn, target of the ratio
    (BARE + KEPT, BARE, 8, None),
    ("vae, fp32", BARE, 8, 1.4),
    ("vae, fp32", BARE + KEPT, 8, 1.05),
    ("betavae, fp32", BARE, 8, None),
    ("betatcvae, fp32", BARE, 8, None),
    ("factorvae, fp32", BARE, 8, None),
    ("mcevae, fp32", BARE, 4, None),
    ("encoding", BARE_ENCODING, 8, None),
    ("encoding", BARE_ENCODING + KEPT, 8, None),
]
HALF = [
    ("vae, bf16", "vae, fp32", 8, 1.4),
    ("vae, bf16", BARE, 8, None),
]
SHARE = ("drawing", "vae, fp32", 8, None)


def bare_loop(data: Resident) -> Callable[[int], None]:
    """Steps of a VAE as one would write them in a notebook."""
    net: Any = torch.nn.ModuleDict(VAE().nets(data))
    adam = torch.optim.Adam(net.parameters(), lr=1e-4)
    images = torch.from_numpy(data.data.take(range(4096))).permute(0, 3, 1, 2).contiguous().float() / 255

    def steps(n: int) -> None:
        for _ in range(n):
            x = images[torch.randint(len(images), (BATCH,))]
            mean, logvar = net.encoder(x)
            logits = net.decoder(mean + torch.randn_like(mean) * (logvar / 2).exp())
            nll = binary_cross_entropy_with_logits(logits, x, reduction="sum") / BATCH
            loss = nll + 0.5 * (mean**2 + logvar.exp() - logvar - 1).sum() / BATCH
            adam.zero_grad()
            loss.backward()
            adam.step()

    return steps


def bare_encoding(data: Resident) -> Callable[[int], None]:
    """What `evaluate.encode` computes, codes and the facts of the fit, as one would write it."""
    net: Any = torch.nn.ModuleDict(VAE().nets(data))

    @torch.no_grad()
    def steps(n: int) -> None:
        found = []
        for start in range(0, n * IMAGES, BATCH):
            x = torch.from_numpy(data.data.take(range(start, start + BATCH))).permute(0, 3, 1, 2).float() / 255
            mean, logvar = net.encoder(x)
            nll = binary_cross_entropy_with_logits(net.decoder(mean), x, reduction="none").sum((1, 2, 3))
            kl = 0.5 * (mean**2 + logvar.exp() - logvar - 1)
            found.append((mean.numpy(), (logvar / 2).exp().numpy(), nll.numpy(), kl.numpy()))
        for parts in zip(*found):
            np.concatenate(parts)

    return steps


def encoding(data: Resident) -> Callable[[int], None]:
    """`evaluate.encode` of n times 256 images."""
    net = networks(VAE(), 0, data)

    def steps(n: int) -> None:
        evaluate.encode(VAE(), net, data, np.arange(n * IMAGES))

    return steps


def drawing(data: Resident) -> Callable[[int], None]:
    """The draws of a VAE's steps alone: rows, their images, noise."""
    stream = Stream(0, "draws", CPU)

    def steps(n: int) -> None:
        for t in range(n):
            VAE().draw(data, BATCH, t, stream)

    return steps


def make(name: str, data: Resident) -> Callable[[int], None]:
    """What runs under a name, as a function of the number of steps."""
    own = {BARE: bare_loop, BARE_ENCODING: bare_encoding, "encoding": encoding, SHARE[0]: drawing}
    if name in own:
        return own[name](data)
    what, _, how = name.partition(", ")
    stack = Stack([(MODELS[what], 0)], data, BATCH, precision=how)
    return lambda n: stack.advance(stack.members[0].t + n)


def work(pipe: Any, keeps: bool) -> None:
    """A process that takes turns: gets (name, steps), answers with the seconds that they took."""
    if keeps:
        engine.keep_pages()
    torch.set_num_threads(1)
    data, known = Resident(load("dsprites"), CPU), {}
    for name, steps in iter(pipe.recv, None):
        if name not in known:
            known[name] = make(name, data)
        pipe.send(taken(known[name], steps))


def taken(run: Callable[[int], None], steps: int) -> np.ndarray:
    """Seconds of so many steps, (2,): CPU time, user and system, and by the clock."""
    start = np.array([time.process_time(), time.perf_counter()])
    run(steps)
    return np.array([time.process_time(), time.perf_counter()]) - start


def peak(pipe: Any) -> None:
    """Most bytes of a process that trains a model on dSprites and encodes 10,000 images, as the engine does it."""
    torch.set_num_threads(1)
    data = load("dsprites")
    with tempfile.TemporaryDirectory() as folder:
        job = engine.Job(BetaVAE(), 0, Path(folder))
        ((member, _),) = engine.train([job], data, steps=40, batch=BATCH, device="cpu")
    evaluate.encode(member.model, member.net, Resident(data, CPU), np.arange(10_000))
    pipe.send(provenance.peak_memory())


def started(target: Callable, *arguments: Any) -> Any:
    """Our end of the pipe to a fresh process, which shares nothing with this one."""
    context: Any = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    context.Process(target=target, args=(theirs, *arguments), daemon=True).start()
    theirs.close()
    return ours


def ratios_on_a_cpu(rounds: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # the two processes inherit the one core
    default, kept = started(work, False), started(work, True)

    def seconds(name: str, steps: int) -> np.ndarray:
        pipe = default if name in (BARE, BARE_ENCODING) else kept
        pipe.send((name.removesuffix(KEPT), steps))
        return pipe.recv()

    pairs = [*PAIRS, SHARE]
    with suppress(ValueError):  # raised by a processor without bf16
        precision.require("bf16", CPU)
        pairs += HALF
    found: dict[Any, list[np.ndarray]] = {pair: [] for pair in pairs}
    for turn in range(-1, rounds):  # the first one warms up
        for (ours, base, steps, _), ratios in found.items():
            order = (ours, base) if turn % 2 else (base, ours)
            took = {name: seconds(name, steps) for name in order}
            if turn >= 0:
                ratios.append(took[base] / took[ours])
    drawn = 100 / np.median(found.pop(SHARE), axis=0)[0]
    print(f"one core, torch {torch.__version__} ({torch.backends.cpu.get_cpu_capability()}), {rounds} rounds")
    print(f"{'':24}{'beside':28}CPU time, quartiles       by the clock, quartiles")
    for (ours, base, _, target), ratios in found.items():
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75], axis=0)
        told = [f"{middle[i]:.2f}   {low[i]:.2f} to {high[i]:.2f}" for i in (0, 1)]
        wanted = f"   (target {target:g})" if target else ""
        print(f"{ours:24}{base:28}{told[0]:26}{told[1]}{wanted}")
    print(f"drawing: {drawn:.1f} % of a step (target: below 5 %)")
    default.send(None)
    kept.send(None)
    print(f"peak memory of a process on dSprites: {started(peak).recv() / 1e9:.2f} GB (target: below 1.0 GB)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu: ratios; cuda or cuda:N: throughput of stacks")
    parser.add_argument("--rounds", type=int, default=15, help="of turns, on a CPU")
    parser.add_argument("--growth", action="store_true", help="many tiny steps on the CPU instead (Linux)")
    gpu = parser.add_argument_group("on CUDA")
    gpu.add_argument("--out", type=Path, default=Path("results/engine"), help="folder of training.csv")
    gpu.add_argument("--models", nargs="+", default=["betavae", "betatcvae", "factorvae"], choices=list(MODELS))
    gpu.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    gpu.add_argument("--precisions", nargs="+", default=["fp32", "tf32", "bf16"])
    gpu.add_argument("--sizes", nargs="+", type=int, default=[1, 4, 16, 64, 256], help="members of a stack")
    gpu.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    gpu.add_argument("--bandwidth", type=float, default=4.8e12, help="bytes/s of the device's memory (H200: 4.8e12)")
    gpu.add_argument("--flops", nargs=3, type=float, default=[67e12, 494e12, 989e12], help="peaks: fp32, tf32, bf16")
    asked = parser.parse_args()
    if asked.growth:
        import training_growth

        training_growth.measure()
    elif asked.device == "cpu":
        ratios_on_a_cpu(asked.rounds)
    else:
        import training_cuda

        training_cuda.measure(asked, {name: MODELS[name] for name in asked.models}, BATCH)


if __name__ == "__main__":
    main()
