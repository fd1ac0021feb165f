"""How many runs train side by side: as many as are asked for, or as the device's memory allows."""

from __future__ import annotations

from . import executors
from .plan import Look, Run, dataset, group

LARGEST = 64  # runs in a stack, unless more are asked for


def stacks(
    runs: list[Run], asked: str, device: str, data_dir: str | None = None, look: Look = dataset
) -> list[list[Run]]:
    """The runs cut into stacks of like ones, at most `asked` in each: a number, or "auto".

    "auto" is one on a CPU; elsewhere as many as fit in the free memory, at most 64 and at most a device's share of all
    runs. What does not train stands alone. `look`: how data sets are known, as in `Study.runs`.

    Raises
    ------
    ValueError
        Neither "auto" nor a number above zero, or more than fit in the device's memory.
    """
    if asked != "auto" and not (asked.isdecimal() and int(asked)):
        raise ValueError(f"--stack: got {asked!r}, expected auto or a number above zero")
    share = _parts(sum(run.steps > 0 for run in runs), len(executors.cuda(device)) or 1)
    found = []
    for alike in group(runs):
        size = _size(alike[0], asked, device, data_dir, look)
        size = min(size, LARGEST, share) if asked == "auto" and size > 1 else size
        even = _parts(len(alike), _parts(len(alike), size))  # two stacks of 50, not 64 and 36
        found += [alike[i : i + even] for i in range(0, len(alike), even)]
    return found


def _size(run: Run, asked: str, device: str, data_dir: str | None, look: Look) -> int:
    """How many runs like this one may train side by side."""
    if run.steps == 0 or asked == "1" or (asked == "auto" and device.startswith("cpu")):
        return 1
    from ..training import engine, memory

    place = engine.pick_device(device)
    try:
        room = memory.capacity(run.instance(), look(run.where or run.dataset, data_dir), run.batch, place)
    except Exception:  # whatever a model does wrong is told when it is worked on, in the row of its run
        return 1
    if asked == "auto":
        return room
    if int(asked) > room:
        raise ValueError(
            f"--stack: got {asked}, {room:,} runs of {run.model} fit in the free memory of {engine.describe(place)}"
        )
    return int(asked)


def _parts(n: int, size: int) -> int:
    """How many parts of a size n things make, the last one not always full."""
    return -(-n // size)
