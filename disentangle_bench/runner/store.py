"""A results folder: a folder a run, files written under a temporary name and renamed, and the tables of them all."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .. import schema
from . import locks

log = logging.getLogger(__name__)
FINISHED = ("done", "diverged")
RECORD = "run.json"  # of a run that is finished
PENDING = "pending.json"  # of one that is trained and has no scores yet
NUMBERS = ("scores", "milestones")  # of a record: rows of the end, and of steps on the way


class Store:
    """Results under one folder; `runs/<id>/run.json` with a finished status says that a run is complete."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.due = 0.0  # when tables that are written now and then are written again

    def open(self) -> Store:
        """Make the folder and see that it can be written.

        Raises
        ------
        ValueError
            It cannot be; nothing has been computed yet.
        """
        try:
            (self.folder / "runs").mkdir(parents=True, exist_ok=True)
            probe = self.folder / f".{os.getpid()}.writable"
            probe.touch()
            probe.unlink(missing_ok=True)
        except OSError as error:
            raise ValueError(f"--out {str(self.folder)!r} cannot be written: {error.strerror or error}") from None
        return self

    def path(self, run: str) -> Path:
        """The folder of a run, made if need be."""
        path = self.folder / "runs" / run
        path.mkdir(parents=True, exist_ok=True)
        return path

    def stamp(self, run: str) -> int:
        """When a run's record was written, to tell it from a later one; 0 where there is none. Raises OSError where the
        system does not tell, since a run without one may be done anew."""
        try:
            return (self.folder / "runs" / run / RECORD).stat().st_mtime_ns
        except (FileNotFoundError, NotADirectoryError):
            return 0

    def codes(self, run: str) -> Path:
        """A run's file of codes."""
        return self.folder / "runs" / run / "codes.npz"

    def record(self, run: str, name: str = RECORD) -> dict[str, Any] | None:
        """What is known of a run; None where there is nothing readable yet.

        Raises
        ------
        ValueError
            It is of a newer schema, so that this version of the suite must not replace it.
        """
        path = self.folder / "runs" / run / name
        try:
            held = json.loads(path.read_text())
            newer = held.get("schema", 0) > schema.VERSION
            record = {**held, "milestones": [], **schema.LATER["runs"], **held}  # what is held comes first
            whole = set(schema.RUNS) <= set(record) and all(isinstance(record[key], list) for key in NUMBERS)
            if whole and record["run"] == run and not newer:
                return record | {key: [{**schema.LATER["scores"], **row} for row in record[key]] for key in NUMBERS}
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            newer = False
        if newer:
            raise ValueError(
                f"{path} is of a newer schema than {schema.VERSION}: it takes a newer version of the suite"
            )
        log.warning("%s is not readable as a run and counts as missing", path)
        return None

    def records(self) -> Iterator[dict[str, Any]]:
        """All readable records, by id."""
        for path in sorted((self.folder / "runs").glob("*/run.json")):
            if (record := self.record(path.parent.name)) is not None:
                yield record

    def study(self) -> dict[str, Any]:
        """What the folder was asked for: commands, notes, metrics, their options, blocks, the runs of the last plan."""
        path = self.folder / "study.json"
        try:
            return json.loads(path.read_text())
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except ValueError as error:
            raise ValueError(f"{path} is not readable: {error}; remove it to go on") from None

    def save_study(self, study: dict[str, Any]) -> None:
        """Write what the folder was asked for."""
        write_atomic(self.folder / "study.json", lambda path: path.write_text(json.dumps(study, indent=1)))

    def tidy(self, run: str) -> None:
        """Remove what a killed process may have left beside a run that is trained or finished: its checkpoint,
        half-written files, and what was known of a finished one before."""
        folder = self.folder / "runs" / run
        if (folder / RECORD).exists():
            (folder / PENDING).unlink(missing_ok=True)
        left = [path for path in folder.glob(".*") if _abandoned(path.name.split(".")[1])]
        for path in [folder / "checkpoint.safetensors", *left]:
            path.unlink(missing_ok=True)

    def reopen(self, run: str) -> None:
        """Remove the record of a run that is to be scored again, and its error."""
        for name in RECORD, "error.txt":
            (self.folder / "runs" / run / name).unlink(missing_ok=True)

    def forget(self, run: str, checkpoint: bool) -> None:
        """Remove a run's record, then what belongs to its end. With its checkpoint, if that is wanted or there is none,
        what training left on the way goes, too."""
        folder = self.folder / "runs" / run
        end = "codes.npz", "codes@*.npz", "pictures.npz", "log.parquet", "model.safetensors", "error.txt"
        for path in [path for name in (RECORD, PENDING, *end) for path in folder.glob(name)]:
            path.unlink(missing_ok=True)
        if checkpoint or not (folder / "checkpoint.safetensors").exists():
            for name in "checkpoint.safetensors", "best.safetensors", "codes-*.npz", "model-*.safetensors":
                for path in folder.glob(name):
                    path.unlink(missing_ok=True)

    def save(self, record: dict[str, Any], name: str = RECORD) -> None:
        """Write a run's record; the last thing that happens to a run."""
        text = json.dumps(record, indent=1, sort_keys=True)
        write_atomic(self.path(record["run"]) / name, lambda path: path.write_text(text))

    def collect_now_and_then(self, share: float = 0.05) -> None:
        """Write the tables, but spend no more than this share of the time on it."""
        if time.monotonic() >= self.due:
            start = time.monotonic()
            self.collect()
            self.due = time.monotonic() + (time.monotonic() - start) / share

    def collect(self) -> tuple[int, int]:
        """Write runs.parquet, scores.parquet, results.csv and, if a run has any, milestones.parquet from the records;
        how many rows the first two have."""
        with locks.alone(self.folder):  # of two at once, the later one has read all that the earlier one wrote
            return self.write_tables(self.folder)

    def write_tables(self, to: Path) -> tuple[int, int]:
        """As `collect`, into another folder."""
        import pandas as pd

        records = list(self.records())

        def table(rows: list[dict[str, Any]], columns: dict[str, str], name: str) -> pd.DataFrame:
            return schema.conform(pd.DataFrame(rows, columns=list(columns)), columns, name)

        runs = table([{c: r[c] for c in schema.RUNS} for r in records], schema.RUNS, "runs")
        numbers, on_the_way = (
            table([{"run": r["run"], **row} for r in records for row in r[key]], columns, key)
            for key, columns in zip(NUMBERS, (schema.SCORES, schema.MILESTONES))
        )
        joined = runs.merge(numbers.drop(columns="seconds"), on="run", how="left", suffixes=("", "_metric"))
        joined["error"] = joined["error"].where(joined["error"].fillna("") != "", joined.pop("error_metric"))
        order = ["dataset", "model", "params", "seed", "metric", "block", "split"]
        joined = joined.loc[:, schema.RESULTS].sort_values(by=order)
        write_atomic(to / "runs.parquet", lambda path: runs.to_parquet(path, index=False))
        write_atomic(to / "scores.parquet", lambda path: numbers.to_parquet(path, index=False))
        if len(on_the_way):
            write_atomic(to / "milestones.parquet", lambda path: on_the_way.to_parquet(path, index=False))
        else:
            (to / "milestones.parquet").unlink(missing_ok=True)
        write_atomic(to / "results.csv", lambda path: joined.to_csv(path, index=False))
        return len(runs), len(numbers)


def _abandoned(begin: str) -> bool:
    """Whether a hidden file is temporary, of a process that is gone or of safetensors, by the begin of its name."""
    return not locks.alive(int(begin)) if begin.isdecimal() else re.fullmatch(r"tmp\w{6}", begin) is not None


def find(results: Path, run: str) -> tuple[dict[str, Any], Path]:
    """The record and folder of the one run below `results` whose name starts with `run`.

    Raises
    ------
    ValueError
        None or several match, or it is not readable.
    """
    found = [path.parent for path in sorted(results.glob("**/runs/*/run.json")) if path.parent.name.startswith(run)]
    if len(found) != 1:
        which = ", ".join(path.name for path in found) or "none"
        raise ValueError(f"run {run!r}: expected one match below {results}, found {which}")
    record = Store(found[0].parents[1]).record(found[0].name)
    if record is None:
        raise ValueError(f"{found[0] / 'run.json'} is not readable")
    return record, found[0]


def write_atomic(path: Path, write: Any) -> None:
    """Let `write` fill a file under a temporary name, then give it its own. A failed write leaves nothing."""
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        write(partial)
        os.replace(partial, path)
    except OSError:  # a full disk, which half a file would keep full
        partial.unlink(missing_ok=True)
        raise


def save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """A compressed .npz, written atomically."""

    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]

    write_atomic(path, write)
