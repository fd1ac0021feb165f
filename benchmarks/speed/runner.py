"""What the runner itself costs: seconds a run beside training and metrics, planning a large study, writing its tables.

python benchmarks/speed/runner.py [--dataset toy] [--runs 20] [--steps 50] [--seeds 50] [--records 2000]

Everything runs in one process; seconds are of CPU time, which tell little of what else the machine does. Parts are
measured around the functions that do the work of a run; what is left is the runner: folders, locks, files of codes and
pictures, records, tables.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.runner import outcome, run, score
from disentangle_bench.runner.codes import write_codes
from disentangle_bench.runner.plan import Run, Study, dataset
from disentangle_bench.runner.splits import evaluation_rows
from disentangle_bench.runner.store import Store
from disentangle_bench.runner.task import Task
from disentangle_bench.training import checkpoint, engine, evaluate

LARGE = 12_600  # runs of Locatello et al. 2019
SCORES = 32  # a record of the synthetic study
PARTS = {  # what is measured, and where a run calls it
    "training": [(engine, "train")],
    "codes, pictures, weights": [
        (evaluate, "encode"),
        (evaluate, "pictures"),
        (evaluate, "findings"),
        (checkpoint, "save_weights"),
    ],
    "metrics": [(score, "compute"), (importlib.import_module("disentangle_bench.metrics.udr"), "udr")],
}


def measured(spent: dict[str, float]) -> None:
    """Let the functions of `PARTS` add the seconds that they take to `spent`."""

    def watch(part: str, function: Callable) -> Callable:
        @functools.wraps(function)
        def timed(*arguments: Any, **options: Any) -> Any:
            start = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                spent[part] += time.process_time() - start

        return timed

    for part, places in PARTS.items():
        for module, name in places:
            setattr(module, name, watch(part, getattr(module, name)))


def go(runs: list[Run], folder: Path) -> None:
    """Train, score and store these runs, as `bench run --on here` does."""
    store = Store(folder)
    run.execute(run.plan(runs, store, study="speed", metrics=["mig"]), store, on="here")


def overhead(name: str, runs: int, steps: int) -> None:
    """Print seconds a run by part."""
    torch.set_num_threads(1)
    spent = dict.fromkeys(PARTS, 0.0)
    measured(spent)
    study = Study([BetaVAE()], [name], range(runs), steps=steps, batch=64)
    with tempfile.TemporaryDirectory() as folder:
        go(study.runs()[:2], Path(folder) / "warm")
        spent.update(dict.fromkeys(PARTS, 0.0))
        start = time.process_time()
        go(study.runs(), Path(folder) / "cold")
        whole = time.process_time() - start
        start = time.process_time()
        go(study.runs(), Path(folder) / "cold")
        again = time.process_time() - start
    print(f"{runs} runs of {steps} steps on {name}, {study.runs()[0].rows:,} codes each; seconds a run:")
    for part, seconds in spent.items():
        print(f"  {part:26}{seconds / runs:8.3f}")
    print(f"  {'the runner':26}{(whole - sum(spent.values())) / runs:8.3f}   (target: below 0.2)")
    print(f"  {'the same command again':26}{again / runs:8.3f}")


def large(seeds: int) -> list[Run]:
    """Runs of the size of a large study, on the toy set."""
    configurations = LARGE // seeds
    start = time.process_time()
    runs = Study([BetaVAE(beta=1 + i / 100) for i in range(configurations)], ["toy"], range(seeds), steps=100).runs()
    print(f"naming {len(runs):,} runs: {time.process_time() - start:.2f} s")
    return runs


def plan(runs: list[Run], folder: Path) -> None:
    """Print how long a plan takes."""
    start = time.process_time()
    made = run.plan(runs, Store(folder), study="speed")
    took = time.process_time() - start
    print(f"planning them, {made.count()['done']:,} of them done: {took:.2f} s (with their names: target below 5 s)")


def filled(runs: list[Run], folder: Path) -> None:
    """Records and codes such as runs leave."""
    store, data = Store(folder).open(), dataset("toy", None)
    rows = evaluation_rows(data, runs[0].rows)
    codes = data.factors[rows][:, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]].astype("float32")
    write_codes(folder / "codes.npz", {"mean": codes, "sd": codes + 1}, data, rows, {"z": 10}, {})
    said = "a convention with its options; bins=20; codes=mean; factors=shape,scale,posX,posY"
    numbers = [score.fact(f"metric{i}", i / 7, len(rows), said) for i in range(SCORES)]
    for one in runs:
        task = Task([one], folder, "speed", [], {})
        store.save(outcome.record(task, one, outcome.Outcome(), latents=10, scores=numbers))
        store.codes(one.id).hardlink_to(folder / "codes.npz")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="toy", help="dsprites has 10,000 codes a run, toy its 576 images")
    parser.add_argument("--runs", type=int, default=20, help="that are trained")
    parser.add_argument("--steps", type=int, default=50, help="of each")
    parser.add_argument("--seeds", type=int, default=50, help="of a configuration of the large study")
    parser.add_argument("--records", type=int, default=2000, help="of the folder whose tables are written")
    asked = parser.parse_args()
    runs = large(asked.seeds)
    with tempfile.TemporaryDirectory() as folder:
        plan(runs, Path(folder))
        filled(runs[: asked.records], Path(folder))
        plan(runs, Path(folder))
        start = time.process_time()
        n, numbers = Store(folder).collect()
        print(f"tables of {n:,} records, {numbers:,} numbers: {time.process_time() - start:.2f} s")
    overhead(asked.dataset, asked.runs, asked.steps)


if __name__ == "__main__":
    main()
