"""Model-steps a second on CUDA against the size of a stack, for `training.py --device cuda`.

The base is a lone run of the same model as one would write it in a notebook: eager, plain Adam, images as floats on the
device, torch's default settings. Bounds are of what one model-step must do at batch 64 (counted for 64x64x1 images):

    bound      the bytes of an eager step in fp32, 300 MB of activations and weights and 21 MB for Adam (for FactorVAE
               140 MB more for its critic), over the bandwidth: the same for every precision, so it can be passed
    roofline   the longer of two times at the row's own precision: bytes over bandwidth (in bf16 91 MB instead of 300),
               and 6.2 GFLOP (FactorVAE: 11.7) over the peak of the arithmetic

A pair of model and precision has a process of its own, so that one that dies takes no other with it. Rows are written
as they come; what was measured before on the same device stays, unless it is measured again.
"""

import argparse
import gc
import math
import multiprocessing
import time
from collections.abc import Callable
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from disentangle_bench import provenance
from disentangle_bench.datasets import load
from disentangle_bench.training import engine, precision
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack
from disentangle_bench.training.stream import Stream

BARE, STEPS, MANY = "bare loop", 300_000, 50  # steps and seeds of a study
ACTIVATIONS = {"fp32": 300e6, "tf32": 300e6, "bf16": 91e6}  # bytes of a model-step, weights included
ADAM = {"factorvae": 161e6}  # bytes; others:
ADAM_ELSE = 21e6
FLOP = {"factorvae": 11.7e9}
FLOP_ELSE = 6.2e9
KEYS = ["model", "way", "precision", "members", "batch", "device"]


class Floats:
    """Images as a notebook would hold them: floats on the device."""

    def __init__(self, data: Resident) -> None:
        self.data, self.held = data, data.at(torch.arange(4096, device=data.device))

    def __len__(self) -> int:
        return len(self.data)

    def images(self, n: int, rng: Stream) -> Tensor:
        return self.held[rng.integers(len(self.held), n)]


def bare_loop(model: Any, data: Resident, batch: int) -> Callable[[int], None]:
    """Steps of a model, one or more players, as one would write them in a notebook."""
    net = nn.ModuleDict(model.nets(data)).to(data.device)
    wanted = {player: [p for name in parts for p in net[name].parameters()] for player, parts in model.players.items()}
    adams = {player: torch.optim.Adam(wanted[player], **own) for player, own in model.optimisers().items()}
    stream, floats, last = Stream(0, "draws", data.device), Floats(data), list(adams)[-1]

    def steps(n: int) -> None:
        for t in range(n):
            terms = model.loss(net, **model.draw(floats, batch, t, stream))
            for player, parts in (terms if len(adams) > 1 else {last: terms}).items():
                loss = torch.stack(list(parts.values())).sum()
                gradients = torch.autograd.grad(loss, wanted[player], retain_graph=player != last)
                for parameter, gradient in zip(wanted[player], gradients):
                    parameter.grad = gradient
            for adam in adams.values():
                adam.step()

    return steps


def stacked(model: Any, data: Resident, batch: int, members: int, how: str, way: str) -> Callable[[int], None]:
    stack = Stack([(model, seed) for seed in range(members)], data, batch, precision=how, way=way)

    def steps(n: int) -> None:
        stack.advance(stack.members[0].t + n)
        if any(member.status != "running" for member in stack.members):
            raise ArithmeticError("a member diverged, and its steps would be missing")

    return steps


def steps_a_second(steps: Callable[[int], None], device: torch.device, seconds: float) -> float:
    """Of about so many seconds, after a call that warms up (and records graphs).

    What a call costs once, such as reading sums, is taken out by a short call: training makes 200 calls in all.
    """

    def timed(n: int) -> float:
        torch.cuda.synchronize(device)
        start = time.perf_counter()
        steps(n)
        torch.cuda.synchronize(device)
        return time.perf_counter() - start

    timed(10)
    short = timed(10)
    n = min(max(int(10 * seconds / short), 20), 10_000)
    return n / (timed(10 + n) - short)


def measured(make: Callable[[], Callable[[int], None]], device: torch.device, seconds: float) -> dict[str, Any]:
    """The rate and peak memory of what `make` makes, or why there are none."""
    torch.cuda.reset_peak_memory_stats(device)
    try:
        found: dict[str, Any] = {"steps_a_second": steps_a_second(make(), device, seconds), "status": "ok"}
    except torch.OutOfMemoryError:
        found = {"status": "out of memory"}
    except Exception as error:  # the next way or size may do
        found = {"status": f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"}
    found["peak_gb"] = torch.cuda.max_memory_reserved(device) / 1e9
    gc.collect()
    torch.cuda.empty_cache()
    return found


def work(pipe: Any, asked: argparse.Namespace, name: str, model: Any, how: str, data: Any, batch: int) -> None:
    """All ways and sizes of one model in one precision; the bare loop of the model where the precision is `BARE`."""
    device = engine.pick_device(asked.device)
    resident = Resident(data, device)
    common = {
        "model": name,
        "precision": how,
        "batch": batch,
        "device": torch.cuda.get_device_name(device),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }
    if how == BARE:
        found = measured(lambda: bare_loop(model, resident, batch), device, asked.seconds)
        pipe.send({**common, "way": BARE, "precision": "default", "members": 1, **found})
        return
    try:
        precision.require(how, device)
    except ValueError as lacking:
        pipe.send({**common, "way": "any", "members": 0, "status": str(lacking)})
        return
    for way in asked.ways:
        for members in sorted(asked.sizes):
            make = lambda: stacked(model, resident, batch, members, how, way)  # noqa: B023, E731 (called at once)
            found = measured(make, device, asked.seconds)
            pipe.send({**common, "way": way, "members": members, **found})
            if found["status"] != "ok":  # larger ones would fail as well
                break


def measure(asked: argparse.Namespace, models: dict[str, Any], batch: int) -> None:
    """Measure what was asked for, and write and print it row by row."""
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / "training.csv"
    known = pd.read_csv(path).to_dict("records") if path.exists() else []
    rows: list[dict[str, Any]] = []
    data = load("dsprites")  # before the processes are forked: CUDA must not be touched here
    context: Any = multiprocessing.get_context("fork")
    for name, model in models.items():
        base = math.nan
        for how in (BARE, *asked.precisions):
            ours, theirs = context.Pipe(duplex=False)
            child = context.Process(target=work, args=(theirs, asked, name, model, how, data, batch))
            child.start()
            theirs.close()
            while (row := received(ours)) is not None:
                if row["way"] == BARE:
                    base = row.get("steps_a_second", math.nan)
                row |= derived(row, base, asked)
                rows.append({**row, "commit": provenance.commit()[0], "finished": provenance.now()})
                table = pd.DataFrame([*known, *rows]).drop_duplicates(KEYS, keep="last")
                table.to_csv(path, index=False, float_format="%.5g")
                print(words(row), flush=True)
            child.join()
            if child.exitcode:
                print(f"{name} {how}: the process ended with {child.exitcode}", flush=True)
    summary(pd.DataFrame(rows))


def received(pipe: Any) -> dict[str, Any] | None:
    """The next row; None when the process at the other end is done."""
    try:
        return pipe.recv()
    except EOFError:
        return None


def derived(row: dict[str, Any], base: float, asked: argparse.Namespace) -> dict[str, Any]:
    """Model-steps a second, and what follows from them."""
    rate, adam = row.get("steps_a_second", math.nan) * row["members"], ADAM.get(row["model"], ADAM_ELSE)
    how = row["precision"] if row["precision"] in ACTIVATIONS else "fp32"
    arithmetic = FLOP.get(row["model"], FLOP_ELSE) / dict(zip(ACTIVATIONS, asked.flops))[how]
    return {
        "model_steps_a_second": rate,
        "of_bare_loop": rate / base,
        "of_bound": rate * (ACTIVATIONS["fp32"] + adam) / asked.bandwidth,
        "of_roofline": rate * max((ACTIVATIONS[how] + adam) / asked.bandwidth, arithmetic),
        "hours_of_300000_steps": STEPS * row["members"] / rate / 3600,
    }


def words(row: dict[str, Any]) -> str:
    start = f"{row['model']:12}{row['way']:14}{row['precision']:8}{row['members']:4} "
    if row["status"] != "ok":
        return start + row["status"]
    return start + (
        f"{row['model_steps_a_second']:9,.0f} model-steps/s {row['of_bare_loop']:6.2f} of the bare loop"
        f"{100 * row['of_bound']:5.0f} % of the bound{100 * row['of_roofline']:5.0f} % of the roofline"
        f"{row['peak_gb']:7.1f} GB"
    )


def summary(rows: pd.DataFrame) -> None:
    """What the best ways make of the targets."""
    good = rows.query("status == 'ok' and way != @BARE")
    print("\ntargets: 10 times the bare loop, 40 % of the bound, 50 runs of 300,000 steps within an hour")
    for key, part in good.sort_values("model_steps_a_second").groupby(["model", "precision"]):
        best = part.iloc[-1]
        print(
            f"{' '.join(map(str, key))}: best {best['way']}, {best['members']} members, "
            f"{best['of_bare_loop']:.1f} times the bare loop, {100 * best['of_bound']:.0f} % of the bound"
        )
        for members, among in ((1, part.query("members == 1")), (MANY, part.query("members <= 64"))):
            if len(among):
                hours = STEPS * members / among["model_steps_a_second"].iloc[-1] / 3600
                print(f"    {STEPS:,} steps of {members} at the rate of {among['members'].iloc[-1]}: {hours:.2f} h")
