"""Whether a table is whole: what may not stand in one table is refused, what is missing is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ._frame import Frame, at, budget, finished, has_number, is_control, place_name, stepped, unnamed
from .labels import ordered

FEW = 4  # conventions of one metric that are spelt out


def refuse(frame: Frame) -> None:
    """Stop before numbers are averaged that do not belong together.

    Raises
    ------
    ValueError
        A run without a seed, two finished runs of one configuration and seed, a metric twice for one run, or a metric
        in two versions; the message names them and says what to do.
    """
    bare = frame.loc[frame["seed"].isna(), "run"].unique()
    if len(bare):
        raise ValueError(f"table 'runs', column 'seed': got none for runs {_some(list(bare))}, expected an integer")
    done = frame[frame["status"] == "done"]
    runs = done.drop_duplicates("run")
    for (label, dataset, source, seed), group in _twice(runs, ["label", "dataset", "source", "seed"]):
        raise ValueError(
            f"duplicate runs {', '.join(sorted(group['run']))}: all are {label} on {place_name(dataset, source)}, "
            f"seed {seed}; move all but one out of the folder `runs` and collect the tables again"
        )
    scores = frame[frame["metric"].notna()]
    twice = scores[scores.duplicated(["run", "metric", *stepped(frame)])]
    if len(twice):
        raise ValueError("duplicate scores: " + ", ".join(sorted(set(twice["metric"] + " of run " + twice["run"]))))
    versions = done.loc[done["metric"].notna(), ["metric", "version"]].drop_duplicates()
    for (metric,), group in _twice(versions, ["metric"]):
        held = {version: set(done["run"][_both(done, metric, version)]) for version in sorted(group["version"])}
        told = ", ".join(f"version {version} (runs {_some(sorted(runs))})" for version, runs in held.items())
        raise ValueError(
            f"metric {metric!r} is there as {told}: its meaning changed in between; "
            "`bench score FOLDER` computes old numbers anew"
        )


def _twice(rows: Frame, keys: list[str]) -> Any:
    """Groups of several rows that have these columns in common."""
    return rows[rows.duplicated(keys, keep=False)].groupby(keys, dropna=False)


def _both(rows: Frame, metric: str, version: int) -> Frame:
    return (rows["metric"] == metric) & (rows["version"] == version)


def gaps(frame: Frame, dataset: str, source: str, metrics: Sequence[str]) -> list[str]:
    """A sentence for everything that keeps one data set's table from being whole.

    Named are runs that failed or diverged, configurations that are missing altogether or for some of the seeds that the
    data set has, finished runs without scores, budgets of training that differ, metrics that are missing for single
    runs, metrics that were computed by more than one convention, what metrics warn of (factors that depend on each
    other), and runs that saw different files of one data set.
    """
    here = at(frame, dataset, source)
    where = place_name(dataset, source)
    runs = here.drop_duplicates("run").sort_values(["label", "seed"])
    done, stopped = runs[runs["status"] == "done"], runs[runs["status"] != "done"]
    found = [
        f"{run.status}: {run.label} on {where}, seed {run.seed}{because(run.error)}" for run in stopped.itertuples()
    ]
    everyone, controls = set(runs.loc[~is_control(runs), "seed"]), set(frame.loc[is_control(frame), "label"])
    missing: dict[str, list[str]] = {}
    for label in ordered(frame):
        own = set(runs.loc[runs["label"] == label, "seed"])
        seeds = set() if label in controls else everyone - own  # controls may have fewer
        if not own or seeds:
            missing.setdefault(seeds_text(seeds) if own else "all seeds", []).append(label)
    found += [f"missing: {', '.join(names)} on {where}, {seeds}" for seeds, names in missing.items()]
    scored = done["run"].isin(here.loc[here["metric"].notna(), "run"].unique())
    for label, group in done[~scored].groupby("label"):
        found.append(f"no scores: {label} on {where}, {seeds_text(group['seed'])}; `bench score FOLDER` computes them")
    found += _budgets(runs[~is_control(runs)], where)
    if runs["dataset_sha256"].nunique() > 1:
        found.append(f"mixed images: runs on {where} saw files with {runs['dataset_sha256'].nunique()} checksums")
    shown = here[here["metric"].isin(list(metrics)) & (here["status"] == "done")]
    lacking, counted = _missing_numbers(shown, done[scored], where), finished(shown)
    computed = counted[["metric", "convention", "n"]].drop_duplicates()
    for metric in metrics:
        found += [*lacking.get(metric, []), *mixed(metric, computed, where)]
    for warning, group in counted[counted["warning"].fillna("") != ""].groupby("warning"):
        names = dict.fromkeys(group["metric"])  # a block or split warns again of what all units warn of
        told = [name for name in names if unnamed(name)[0] == name or unnamed(name)[0] not in names]
        found.append(f"warning: {', '.join(told)} on {where}: {warning}")
    return found


def _budgets(runs: Frame, where: str) -> list[str]:
    """A sentence if not all models were trained alike, and their labels do not say so."""
    trained: dict[str, list[str]] = {}
    for label in ordered(runs):
        trained.setdefault(budget(runs[runs["label"] == label]), []).append(label)
    silent = not all(re.search("(steps|batch|precision)=", label) for label in set(runs["label"]))
    told = "; ".join(f"{text} ({_some(names)})" for text, names in trained.items())
    return [f"mixed budgets on {where}: {told}"] if len(trained) > 1 and silent else []


def conventions(here: Frame, metric: str) -> list[str]:
    """Each way in which a metric was computed: in full where there are few, else without what is a run's own."""
    told = set(here.loc[here["metric"] == metric, "convention"].dropna()) - {""}
    return sorted(told if len(told) <= FEW else set(map(shared, told)))


def shared(convention: str) -> str:
    """A convention without what is a run's own: which columns a block has, which runs it was compared with.

    Examples
    --------
    >>> shared("codes=mean; beside 2 other seeds (runs 5a9, 8c2)")
    'codes=mean; beside 2 other seeds'
    """
    return re.sub(r" \((columns|runs) [^)]*\)", "", convention)


def mixed(metric: str, counted: Frame, where: str) -> list[str]:
    """A sentence if not all numbers of this metric were computed alike."""
    found = counted.loc[counted["metric"] == metric, ["convention", "n"]]
    found = found.assign(convention=found["convention"].map(shared)).drop_duplicates()
    told = "; ".join(f"{row.convention} (n = {row.n})" for row in found.itertuples())
    return [f"mixed conventions: {metric} on {where} was computed as {told}"] if len(found) > 1 else []


def _missing_numbers(scores: Frame, runs: Frame, where: str) -> dict[str, list[str]]:
    """By metric, sentences for runs that lack a number which other seeds of theirs have, or whose number is none."""
    tried = scores[["run", "metric", "label"]].assign(number=has_number(scores), reason=_reasons(scores))
    there = tried[tried["number"]].drop_duplicates(["metric", "label"])
    missing = there[["metric", "label"]].merge(runs[["run", "label", "seed"]], on="label")  # what a whole table has
    missing = missing.merge(tried[["run", "metric"]], how="left", on=["run", "metric"], indicator=True)
    failed = tried[~tried["number"]].merge(runs[["run", "seed"]], on="run")
    absent = missing[missing["_merge"] == "left_only"].assign(reason="")
    found: dict[str, list[str]] = {}
    columns = ["metric", "label", "reason", "seed"]
    for (metric, label, reason), part in _stacked(absent[columns], failed[columns]).groupby(columns[:3]):
        told = f"no {metric}: {label} on {where}, {seeds_text(part['seed'])}{because(reason)}"
        found.setdefault(metric, []).append(told)
    return found


def _stacked(*frames: Frame) -> Frame:
    import pandas as pd

    return pd.concat([frame.astype({"reason": object}) for frame in frames], ignore_index=True)


def _reasons(scores: Frame) -> Frame:
    """Why a score is no number: its error, or the value itself where it is not finite."""
    values = scores["value"].to_numpy(float, na_value=np.nan)
    told = np.where(np.isinf(values), [f"its value is {value}" for value in values], "")
    errors = scores["score_error"].fillna("").to_numpy(object)
    return np.where(errors == "", told, errors)


def not_run(study: dict[str, Any], frame: Frame) -> list[str]:
    """A sentence for every model and data set of which runs were asked for (in study.json) that have not ended yet."""
    there, waiting = set(frame["run"]), {}
    for run in study.get("runs", []):
        if run["run"] not in there:
            waiting.setdefault((run["model"], place_name(run["dataset"], run["source"])), []).append(run["seed"])
    return [f"not run yet: {model} on {where}, {seeds_text(seeds)}" for (model, where), seeds in waiting.items()]


def seeds_text(seeds: Iterable[int]) -> str:
    """Seeds in words, runs of them shortened.

    Examples
    --------
    >>> seeds_text([4, 0, 1, 2])
    'seeds 0–2, 4'
    >>> seeds_text([3])
    'seed 3'
    """
    found = np.array(sorted(set(map(int, seeds))))
    parts = np.split(found, np.flatnonzero(np.diff(found) > 1) + 1)
    told = ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}–{p[-1]}" for p in parts)
    return f"seed {told}" if len(found) == 1 else f"seeds {told}"


def because(error: object) -> str:
    """The first line of an error, to end a sentence."""
    lines = error.strip().splitlines() if isinstance(error, str) else []
    return f": {lines[0]}" if lines else ""


def _some(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
