"""The samples that a run is scored on: all rows alike and, where training draws some more often than others, two more.

"train" are rows as training draws them, "held-out" rows that it never does. Numbers of a split are rows of their own in
the tables, and its codes lie in a file of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .. import rng
from ..schema import ALL, HELD_OUT, SPLITS, TRAIN

IMAGES = {  # of a run that was trained on a shift
    ALL: "all, trained on {}",
    TRAIN: "train distribution, {}",
    HELD_OUT: "never seen in training, {}",
}


def evaluation_rows(data: Any, n: int) -> np.ndarray:
    """The rows of a data set whose codes are kept: n different ones in random order, the same for every run."""
    return data.scored[rng.stream(0, "evaluation rows").choice(len(data.scored), n, replace=False)]


def samples(data: Any, n: int) -> dict[str, np.ndarray]:
    """The rows of each split of a data set, the same for every run.

    "all" as `evaluation_rows`; on a shift also n rows as `weight` draws them, with replacement ("train"), and n
    different rows without weight, or all of them if there are fewer ("held-out"; left out below two).
    """
    found = {ALL: evaluation_rows(data, n)}
    if data.weight is None:
        return found
    weight = data.weight[data.scored]
    found[TRAIN] = rng.stream(0, "training rows").choice(data.scored, n, p=weight / weight.sum())
    unseen = data.scored[weight == 0]
    if len(unseen) > 1:
        found[HELD_OUT] = rng.stream(0, "held-out rows").choice(unseen, min(n, len(unseen)), replace=False)
    return found


def shift(data: Any) -> str:
    """How the images that training draws differ from all, in words; empty if they do not."""
    return "" if data.weight is None else data.shift or "rows by weight"


def images(split: str, shift: str) -> str:
    """What a convention says of the images; nothing without a shift.

    Examples
    --------
    >>> images("train", "correlate=scale:posX:0.2")
    'images=train distribution, correlate=scale:posX:0.2'
    """
    return f"images={IMAGES[split].format(shift)}" if shift else ""


def ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of numbers, split by split; within one in their order."""
    return sorted(rows, key=lambda row: SPLITS.index(row["split"]))


def file(path: Path, split: str) -> Path:
    """Where the codes of a split lie, beside those of all: codes@train.npz beside codes.npz."""
    return path if split == ALL else path.with_stem(f"{path.stem}@{split}")


def files(path: Path) -> dict[str, Path]:
    """The files of codes of each split: that of all, whether it is there or not, and the others that are."""
    found = {split: file(path, split) for split in SPLITS}
    return {split: own for split, own in found.items() if split == ALL or own.exists()}
