"""Is anything lost when everything is killed? SIGKILL at random moments of a study of 20 tiny runs, then resume.

    python benchmarks/faults.py                           # 100 kills, some minutes on one core (Linux, macOS)
    python benchmarks/faults.py --kills 20 --on processes --scorers 1
    python benchmarks/faults.py --disk                    # instead of kills a disk that is full again and again (root)

A study is started, killed, resumed and killed again until it ends, then the next one starts from nothing, until there
were as many kills (or until a disk of its own, mounted in memory and given some more room each time, holds it all).
Printed: at what work the kills fell; finished runs that were gone afterwards (lost) or done again (doubled); and
whether tables, codes and weights equal those of a study that nobody interrupted.
"""

import argparse
import contextlib
import mmap
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from disentangle_bench.runner import run as runner
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.store import Store

study = Study(
    ["vae", "betavae", "catvae", "pca"],
    ["toy"],
    range(5),
    steps=30,
    batch=4,
    rows=200,
    metrics=["mig", "modularity", "explicitness", "cluster_accuracy"],
    name="faults",
)
MILESTONES, CHECKPOINTS = [10, 20], 3  # steps
WORDS = {"step": "training", "codes": "encoding", "what": "findings", "done": "writing tables"}  # of messages
PARTS = {"here": 8, "processes": 1}  # a kill comes at the latest after this part of the time of the whole study


def start(folder: Path, asked: argparse.Namespace, told: mmap.mmap) -> int:
    """A process, and a group of its own, that works the study off; it writes what it is at to `told`."""
    if pid := os.fork():
        os.setpgid(pid, pid)  # here and there, as either may be the first to go on
        return pid
    code = 1
    try:
        os.setpgid(0, 0)
        with (folder.parent / f"{folder.name}.log").open("a") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)

        def watch(message: Any) -> None:
            told[:16] = message.text.split()[0].strip(":,")[:16].ljust(16).encode()

        store = Store(folder)
        made = runner.plan(study.runs(), store, study=study.name, metrics=study.metrics, stack="1")
        where = {"on": asked.on, "scorers": asked.scorers}
        runner.execute(made, store, **where, evaluate_at=MILESTONES, checkpoint_every=CHECKPOINTS, watch=watch)
        code = 0
    finally:
        os._exit(code)


def ends(pid: int, seconds: float) -> bool:
    """Whether a process ends by itself in this time. Raises RuntimeError if it fails."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            if status:
                raise RuntimeError(f"a study failed with status {status}; its log lies beside its folder")
            return True
        time.sleep(0.001)
    return False


def kill(pid: int) -> None:
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def finished(folder: Path) -> dict[str, Any]:
    """When the runs that are done were; numbers that are filled in later do not change it."""
    return {r["run"]: (r["finished"], r["seconds"]) for r in Store(folder).records() if r["status"] == "done"}


def left(folder: Path) -> dict[str, Any]:
    """What a folder holds, save for what depends on when it was made."""
    on_the_way = pd.read_parquet(folder / "milestones.parquet").drop(columns="seconds")
    held: dict[str, Any] = {"results": (folder / "results.csv").read_bytes(), "milestones": on_the_way.to_csv()}
    for path in sorted(folder.glob("runs/*/*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                held[name] = {key: file[key].tobytes() for key in sorted(file.files)}
        else:
            held[name] = path.read_bytes() if path.suffix in (".safetensors", ".parquet") else None
    return held


def differences(whole: dict[str, Any], folder: Path) -> list[str]:
    held = left(folder)
    return sorted(key for key in {*whole, *held} if whole.get(key, 0) != held.get(key, 0))


def fill(place: Path, whole: dict[str, Any], size: int, asked: argparse.Namespace, told: mmap.mmap) -> bool:
    """Work the study off on a disk that grows by a tenth of the `size` (KiB) of the whole study whenever it is full;
    whether anything was lost, doubled or unequal."""
    full = lost = doubled = 0
    room = size // 20
    before: dict[str, Any] = {}
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}k", "tmpfs", str(place)], check=True)
    try:
        while True:
            pid = start(place / "r", asked, told)
            with contextlib.suppress(RuntimeError):  # it could not even write that runs have failed
                ends(pid, 3600)
            after = finished(place / "r")
            lost += len(set(before) - set(after))
            doubled += sum(after[run] != before[run] for run in set(before) & set(after))
            before = after
            if len(after) == len(study.runs()) and not differences(whole, place / "r"):
                break
            full, room = full + 1, room + size // 10
            if full > 50:
                break
            subprocess.run(["mount", "-o", f"remount,size={room}k", str(place)], check=True)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
    print(
        f"the disk was full {full} times, with {len(before)} of {len(study.runs())} runs done in the end on {room} KiB"
    )
    print(f"runs lost: {lost}   runs doubled: {doubled}   tables, codes and weights equal: {full <= 50}")
    return bool(lost or doubled or full > 50)


def main() -> None:
    import sklearn.linear_model  # noqa: F401 (here, and not in each process that is about to be killed)
    import torch._dynamo  # noqa: F401

    import disentangle_bench.training.evaluate  # noqa: F401

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--disk", action="store_true", help="fill a disk instead (Linux, as root)")
    parser.add_argument("--on", default="here", choices=["here", "processes"])
    parser.add_argument("--scorers", default="0", help="processes that score beside those that train")
    asked = parser.parse_args()
    moments, told = random.Random(asked.seed), mmap.mmap(-1, 16)
    at, kills, rounds, lost, doubled, unequal = Counter(), 0, 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        begin = time.monotonic()
        if not ends(start(Path(name) / "whole", asked, told), 3600):
            raise RuntimeError("the study takes more than an hour")
        span, whole = time.monotonic() - begin, left(Path(name) / "whole")
        print(f"{len(study.runs())} runs on toy, --on {asked.on}, {span:.0f} s when nobody interrupts them", flush=True)
        if asked.disk:
            used = sum(path.stat().st_size for path in (Path(name) / "whole").rglob("*"))
            raise SystemExit(fill(Path(name) / "disk", whole, used // 1024, asked, told))
        while kills < asked.kills:
            rounds += 1
            folder, before = Path(name) / f"round{rounds}", {}
            while True:
                told[:16] = b"starting".ljust(16)
                pid = start(folder, asked, told)
                last = kills == asked.kills
                over = ends(pid, 3600 if last else moments.uniform(0, span / PARTS[asked.on]))
                if not over:
                    kill(pid)
                    kills += 1
                    at[told[:16].decode().strip()] += 1
                after = finished(folder)
                lost += len(set(before) - set(after))
                doubled += sum(after[run] != before[run] for run in set(before) & set(after))
                before = after
                if over:
                    break
            table = pd.read_csv(folder / "results.csv")
            lost += len(study.runs()) - table.run.nunique()
            doubled += int(table.duplicated(["run", "metric", "block", "split"]).sum())
            different = differences(whole, folder)
            unequal += bool(different)
            print(f"study {rounds}: {kills} kills so far; " + (f"differs: {different}" if different else "equal"))
            sys.stdout.flush()
    print(f"\n{kills} kills in {rounds} studies of {len(study.runs())} runs, {(time.monotonic() - begin) / 60:.1f} min")
    print("they fell at: " + ", ".join(f"{WORDS.get(word, word)} {count}" for word, count in at.most_common()))
    print(f"runs lost: {lost}   runs doubled: {doubled}   studies whose tables, codes or weights differ: {unequal}")
    raise SystemExit(bool(lost or doubled or unequal))


if __name__ == "__main__":
    main()
