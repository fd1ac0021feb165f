"""Words for parts of the table that `load` returns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..catalog import CONTROLS
from ..schema import ALL

Frame = Any  # a pandas DataFrame, or a Series of one: pandas' own annotations refuse half of its idioms


def unnamed(name: str) -> tuple[str, str]:
    """Metric and block of what `schema.named` names.

    Examples
    --------
    >>> unnamed("dci.completeness [z_c+z]"), unnamed("mig")
    (('dci.completeness', 'z_c+z'), ('mig', 'all'))
    """
    metric, _, block = name.partition(" [")
    return metric, block.removesuffix("]") or ALL


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
    return frame[(frame["status"] == "done") & np.isfinite(frame["value"].to_numpy(float, na_value=np.nan))]


def budget(frame: Frame) -> str:
    """Steps and batch of everything that was trained, as in "10,000 steps of 64 images"."""
    trained = frame[~is_control(frame)]
    steps, batch = (sorted(set(trained[column].dropna())) for column in ("steps", "batch"))
    if not steps:
        return ""
    span = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,}–{steps[-1]:,}"
    return f"{span} steps of {'/'.join(map(str, batch))} images"


def read_study(folder: Path) -> dict[str, Any]:
    """What study.json says was asked for; empty where there is none."""
    path = folder / "study.json"
    try:
        held = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise ValueError(f"{path} is not readable: {error}") from None
    return held if isinstance(held, dict) else {}
