"""From stored codes to the numbers that a folder, a run, a milestone or a file of codes lacks."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from .. import schema
from . import locks, milestones, splits
from .codes import CodeFile, lacking, read_codes, read_text
from .score import FACTS, compute, fact, fill, plan_rows
from .selection import compare_seeds, with_elbo
from .store import FINISHED, Store
from .task import Message

log = logging.getLogger(__name__)


def rescore_all(
    store: Store,
    metrics: list[str],
    options: Mapping[str, Mapping[str, Any]],
    blocks: list[str],
    watch: Callable[[Message], None],
) -> tuple[int, int, list[str]]:
    """Rescore a folder's runs and write the tables; how many had numbers to fill in, how many there are, what is wrong.

    Options and blocks are added to those that the folder was asked for before.

    Raises
    ------
    ValueError
        The folder has no runs, or none with one of the blocks.
    """
    study = store.study()
    options = {**study.get("options", {}), **options}
    if not (runs := [record["run"] for record in store.records()]):
        raise ValueError(f"{store.folder}: no runs here; `bench run --out {store.folder}` makes some")
    if problem := lacking_blocks(store, runs, blocks):
        raise ValueError(problem)
    blocks = list(dict.fromkeys([*study.get("blocks", []), *blocks]))
    filled, broken = 0, []
    for i, run in enumerate(runs):
        watch(Message("scores", f"run {run}", (i + 1) / len(runs)))
        try:
            filled += rescore(store, run, metrics, options, blocks)
        except ValueError as error:
            broken.append(str(error))
    compare_seeds(store, options)
    store.collect()
    with locks.alone(store.folder):  # others may have asked for more meanwhile
        store.save_study({**store.study(), "schema": schema.VERSION, "options": options, "blocks": blocks})
    return filled, len(runs), broken


def rescore(
    store: Store, run: str, metrics: list[str], options: Mapping[str, Mapping[str, Any]], blocks: Iterable[str] = ()
) -> bool:
    """Fill in the numbers that a finished run lacks under these options, at milestones too; whether there were any.
    A run that another process holds stays as it is."""
    with locks.hold([store.path(run)]) as held:
        known = store.record(run)
        if not held or known is None or known["status"] not in FINISHED:
            return False
        store.tidy(run)
        new = {**known}
        if known["status"] == "done":
            new["scores"] = numbers(store.codes(run), metrics, options, blocks, known["scores"])
        new["milestones"] = on_the_way(store.path(run), metrics, options, blocks, known["milestones"])
        if new == known:
            return False
        store.save(new)
        return True


def numbers(
    path: Path,
    metrics: list[str],
    options: Mapping[str, Mapping[str, Any]],
    blocks: Iterable[str] = (),
    known: Iterable[dict[str, Any]] = (),
    watch: Callable[[str, float], None] = lambda name, share: None,
) -> list[dict[str, Any]]:
    """Rows of a run's codes of one step, split by split: those known, and every number that they lack.

    `path` is the file of all images. A split of which nothing is known begins with the facts that its file holds; what
    is known of a split without a file stays. `watch` is as of `fill`.

    Raises
    ------
    ValueError
        A file is not readable, or of another split than its name says.
    """
    known, files = list(known), splits.files(path)
    found = [row for row in known if row["split"] not in files]
    for i, (split, file) in enumerate(files.items()):
        if (held := read_codes(file)).split != split:
            raise ValueError(f"{file}: `split` is {held.split!r}, expected {split!r} in a file of this name")

        def told(name: str, share: float, before: int = i) -> None:
            watch(name, (before + share) / len(files))

        rows = [row for row in known if row["split"] == split] or _facts(file, held)
        found += with_elbo(fill(held, metrics, options, rows, blocks, told))
    return splits.ordered(found)


def on_the_way(
    folder: Path,
    metrics: list[str],
    options: Mapping[str, Mapping[str, Any]],
    blocks: Iterable[str] = (),
    known: Iterable[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Rows of a run's milestones, as `numbers` of each with its `step`."""
    held: dict[int, list[dict[str, Any]]] = {}
    for row in known:
        held.setdefault(row["step"], []).append({key: value for key, value in row.items() if key != "step"})
    for step, path in milestones.stored(folder):
        try:
            held[step] = numbers(path, metrics, options, blocks, held.get(step, []))
        except ValueError as error:
            log.warning("%s; what is known of this milestone stays", error)
    return [{"step": step, **row} for step, rows in sorted(held.items()) for row in rows]


def _facts(path: Path, held: CodeFile) -> list[dict[str, Any]]:
    """Rows of what training left in a file of codes."""
    facts = json.loads(read_text(path, "facts") or "{}")
    n, split, shift = len(held.codes), held.split, held.shift
    return [fact(name, value, n, FACTS[name], split, shift) for name, value in facts.items() if name in FACTS]


def score_file(
    path: str | Path,
    factors: str | Path | None,
    metrics: list[str],
    options: Mapping[str, Mapping[str, Any]],
    blocks: list[str],
) -> list[dict[str, Any]]:
    """Rows of numbers of one file of codes. Raises ValueError when it is not readable or lacks one of the blocks."""
    held = read_codes(path, factors)
    if problem := lacking(blocks, [held.blocks]):
        raise ValueError(problem)
    return [row for wanted in plan_rows(held, metrics, options, blocks) for row in compute(held, wanted)]


def lacking_blocks(store: Store, runs: Iterable[str], blocks: list[str]) -> str:
    """What is wrong with blocks that no codes of these runs have; empty if nothing is."""
    found = []
    for run in runs if blocks else []:
        with contextlib.suppress(ValueError):  # damaged codes are told of where they are scored
            found.append(read_codes(store.codes(run)).blocks)
    return lacking(blocks, found)
