"""Words for parts of the table that `load` returns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .. import schema
from ..catalog import CONTROLS
from ..schema import ALL

Frame = Any  # a pandas DataFrame, or a Series of one: pandas' own annotations refuse half of its idioms


def unnamed(name: str) -> tuple[str, str, str]:
    """Metric, block and split of what `schema.named` names.

    Examples
    --------
    >>> unnamed("dci.completeness [z_c+z]"), unnamed("mig {train}")
    (('dci.completeness', 'z_c+z', 'all'), ('mig', 'all', 'train'))
    """
    rest, _, split = name.partition(" {")
    metric, _, block = rest.partition(" [")
    return metric, block.removesuffix("]") or ALL, split.removesuffix("}") or ALL


def places(frame: Frame) -> list[tuple[str, str]]:
    """Every (dataset, source), sorted: what may share a table or a plot."""
    return sorted(set(zip(frame["dataset"], frame["source"])))


def place_name(dataset: str, source: str) -> str:
    """As in "dsprites (official)"."""
    return f"{dataset} ({source})"


def at(frame: Frame, dataset: str, source: str) -> Frame:
    """The rows of one data set and source of images."""
    return frame[(frame["dataset"] == dataset) & (frame["source"] == source)]


def is_control(frame: Frame) -> Frame:
    """Whether a row belongs to a control: a code that nobody learnt, there to show what a number means."""
    return frame["model"].isin(CONTROLS)


def finished(frame: Frame) -> Frame:
    """The rows that count: finite numbers of runs that are done."""
    return frame[(frame["status"] == "done") & has_number(frame)]


def has_number(frame: Frame) -> Frame:
    """Whether a row's value is there and finite."""
    return np.isfinite(frame["value"].to_numpy(float, na_value=np.nan))


def stepped(frame: Frame) -> list[str]:
    """The column that tells milestones apart, where the frame has it."""
    return ["step"] if "step" in frame else []


def budget(frame: Frame) -> str:
    """Steps, batch and precision of everything that was trained: "10,000 steps of 64 images", "... in bf16"."""
    trained = frame[~is_control(frame)]
    steps, batch = (sorted(set(trained[column].dropna())) for column in ("steps", "batch"))
    if not steps:
        return ""
    span = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,}–{steps[-1]:,}"
    precision = sorted(set(trained["precision"]))
    told = "" if precision == ["fp32"] else f" in {'/'.join(precision)}"
    return f"{span} steps of {'/'.join(map(str, batch))} images{told}"


def by_labels(runs: Frame) -> Frame:
    """Runs on one data set under several numbers of labels as runs on that set, whose images they share; `labels` is a
    parameter then, which tells them apart. A number that all runs on a set share stays in its name.

    Examples
    --------
    >>> import pandas as pd
    >>> runs = pd.DataFrame({"dataset": ["toy(labels=30)", "toy", "digits(labels=9)"], "params": ["{}", "{}", "{}"]})
    >>> by_labels(runs).to_numpy().tolist()
    [['toy', '{"labels": 30}'], ['toy', '{}'], ['digits(labels=9)', '{}']]
    """
    plain = {name: _without_labels(name) for name in runs["dataset"].unique()}
    several = {base for base, _ in plain.values() if sum(other == base for other, _ in plain.values()) > 1}
    told = [plain[name] for name in runs["dataset"]]
    names = [base if base in several else name for (base, _), name in zip(told, runs["dataset"])]
    params = [
        json.dumps({**json.loads(text), "labels": json.loads(labels)}) if labels and base in several else text
        for (base, labels), text in zip(told, runs["params"])
    ]
    return runs.assign(dataset=names, params=params)


def _without_labels(name: str) -> tuple[str, str]:
    """A data set's name without its option `labels`, and what that says; empty without."""
    plain, bracket, rest = name.partition("(")
    options = rest.removesuffix(")").split(", ") if bracket else []
    labels = [text.removeprefix("labels=") for text in options if text.startswith("labels=")]
    others = ", ".join(text for text in options if not text.startswith("labels="))
    return (f"{plain}({others})" if others else plain), "".join(labels)


def read_table(folder: Path, name: str, columns: dict[str, str]) -> Frame:
    """The table `name`.parquet with exactly these columns, also where an older schema wrote it; empty if there is none.

    Raises
    ------
    ValueError
        As `schema.conform`.
    """
    import pandas as pd

    path = folder / f"{name}.parquet"
    held = pd.read_parquet(path) if path.is_file() else pd.DataFrame(columns=list(columns))
    return schema.conform(schema.migrate(held, name), columns, name)


def read_numbers(folder: Path, name: str, columns: dict[str, str], runs: Frame) -> Frame:
    """A table of numbers of these runs, as `load` has them: metrics named with block and split, own seconds and errors.

    Raises
    ------
    ValueError
        As `read_table`; also for a number of a run that is not among these.
    """
    rows = read_table(folder, name, columns)
    strangers = sorted(set(rows["run"]) - set(runs["run"]))
    if strangers:
        raise ValueError(f"table {name!r}: runs that table 'runs' does not have: {', '.join(strangers)}")
    metrics = [schema.named(*of) for of in zip(rows["metric"], rows["block"], rows["split"])]
    return rows.assign(metric=metrics).rename(columns={"seconds": "score_seconds", "error": "score_error"})


def read_study(folder: Path) -> dict[str, Any]:
    """What study.json says was asked for; empty where there is none."""
    path = folder / "study.json"
    try:
        held = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise ValueError(f"{path} is not readable: {error}") from None
    return held if isinstance(held, dict) else {}
