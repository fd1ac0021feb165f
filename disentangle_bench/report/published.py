"""What others published beside what was measured here, and in what the two differ."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from ._frame import Frame, at, finished, is_control
from .glossary import in_order
from .labels import natural
from .statistics import summary
from .variance import decomposition

SCORES = ["dataset", "source", "label", "metric", "measured", "sd", "n", "reported", "spread"]
VARIANCE = ["dataset", "source", "metric", "level", "measured", "n", "reported"]
TOLD = ["origin", "setting", "same", "differs"]


@cache
def published() -> dict[str, Any]:
    """The numbers that ship with the package: published.json, each with its source."""
    text = resources.files("disentangle_bench.report").joinpath("published.json").read_text("utf-8")
    return json.loads(text)


def reported(frame: Frame) -> Frame:
    """Published numbers of the same model, strength, data set and metric beside the mean of the seeds.

    A published number of a strength that was not run here is left out; one without a strength stands beside every
    configuration of its model.

    Parameters
    ----------
    frame : from `load`

    Returns
    -------
    DataFrame, a row a published number and configuration, in the order of tables: dataset, source, label, metric; what
    was measured (mean), its sd and n (seeds); what was reported and its spread, in the same unit; origin (citation),
    setting (in words), same ("no" where anything is known to differ, "unknown" where the source leaves settings open,
    else "yes") and differs (in words, empty if nothing does).
    """
    import pandas as pd

    known = {(number["dataset"], number["metric"]) for paper in published()["scores"] for number in paper["scores"]}
    datasets, metrics = map(list, zip(*known))
    measured = summary(frame[frame["dataset"].isin(datasets) & frame["metric"].isin(metrics) & ~is_control(frame)])
    runs, rows = defaultdict(list), []
    for run in measured.itertuples():
        runs[run.model, run.dataset, run.metric].append(run)
    for paper in published()["scores"]:
        for number in paper["scores"]:
            for run in runs[number["model"], number["dataset"], number["metric"]]:
                settings = {
                    **json.loads(run.params),
                    "steps": run.steps,
                    "batch": run.batch,
                    "precision": run.precision,
                }
                if all(settings.get(key) == value for key, value in number["params"].items()):
                    here = [run.dataset, run.source, run.label, run.metric, run.mean, run.sd, run.n]
                    told = _verdict(paper, number.get("trained", {}), settings, run.source)
                    rows.append([*here, number["value"], number.get("spread", np.nan), *told])
    names = in_order(measured["metric"])
    rows.sort(key=lambda row: (row[0], row[1], names.index(row[3]), natural(row[2])))
    return pd.DataFrame(rows, columns=[*SCORES, *TOLD])


def reported_variance(frame: Frame) -> Frame:
    """Published shares of variance beside those of `decomposition`.

    Returns
    -------
    DataFrame, two rows a metric and data set: level "model" (what the objective explains) and "model and strength",
    measured and reported in [0, 1], n (runs), and the columns from origin on as `reported` has them.
    """
    import pandas as pd

    paper, rows = published()["variance"], []
    models = frame[~is_control(frame)]
    known = {(share["dataset"], share["metric"]): share for share in paper["shares"]}
    for row in decomposition(frame).itertuples():
        share = known.get((row.dataset, row.metric))
        if share is None:
            continue
        own = finished(at(models[models["metric"] == row.metric], row.dataset, row.source))
        settings = {key: _only(own[key]) for key in ("steps", "batch", "precision")}
        told = _verdict({**paper, "differs": _design(paper, own)}, paper["trained"], settings, row.source)
        for level, value in [("model", row.model), ("model and strength", row.model + row.strength)]:
            published_share = share[level.replace(" ", "_")]
            rows.append([row.dataset, row.source, row.metric, level, value, row.n, published_share, *told])
    return pd.DataFrame(rows, columns=[*VARIANCE, *TOLD])


def _design(paper: dict[str, Any], own: Frame) -> str:
    """Models, configurations and seeds where they are not as many as published."""
    seeds = own.groupby("label")["seed"].nunique()
    found = {"models": own["model"].nunique(), "strengths": own["label"].nunique(), "seeds": round(float(seeds.mean()))}
    return ", ".join(f"{value} {key} against {paper[key]}" for key, value in found.items() if value != paper[key])


def _only(values: Frame) -> Any:
    found = sorted(set(values))
    return found[0] if len(found) == 1 else f"{found[0]} to {found[-1]}"


def _verdict(paper: dict[str, Any], trained: dict[str, Any], settings: dict[str, Any], source: str) -> list[str]:
    """Origin, setting, whether the settings are the same, and what differs (here against there)."""
    found = [
        f"{key} {_text(settings.get(key))} against {_text(value)}"
        for key, value in trained.items()
        if settings.get(key) != value
    ]
    found += [f"{source} images against official ones"] * (source != "official")
    found += [f"trained in {settings['precision']}"] * (settings["precision"] != "fp32")
    found += filter(None, [paper.get("differs")])
    open_ones = [key for key in ("steps", "batch") if key not in trained]
    same = "no" if found else "unknown" if open_ones else "yes"
    found += [f"{' and '.join(open_ones)} not stated"] * bool(open_ones)
    return [paper["source"], paper["setting"], same, "; ".join(found)]


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | np.integer) else "none" if value is None else str(value)
