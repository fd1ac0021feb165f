"""Whether a table is whole: what may not stand in one table is refused, what is missing is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ._frame import Frame, at, finished, is_control, place_name, stepped, unnamed
from .labels import ordered

FEW = 4  # conventions of one metric that are spelt out


def refuse(frame: Frame) -> None:
    """Stop before numbers are averaged that do not belong together.

    Raises
    ------
    ValueError
        Two finished runs of one configuration and seed, a metric twice for one run, or a metric in two versions; the
        message names them and says what to do.
    """
    done = frame[frame["status"] == "done"]
    for (label, dataset, source, seed), group in done.groupby(["label", "dataset", "source", "seed"]):
        runs = sorted(set(group["run"]))
        if len(runs) > 1:
            raise ValueError(
                f"duplicate runs {', '.join(runs)}: all are {label} on {place_name(dataset, source)}, "
                f"seed {seed}; move all but one out of the folder `runs` and collect the tables again"
            )
    twice = frame[frame["metric"].notna() & frame.duplicated(["run", "metric", *stepped(frame)])]
    if len(twice):
        raise ValueError("duplicate scores: " + ", ".join(sorted(set(twice["metric"] + " of run " + twice["run"]))))
    for metric, group in done[done["metric"].notna()].groupby("metric"):
        held = {version: sorted(set(part["run"])) for version, part in group.groupby("version")}
        if len(held) > 1:
            told = ", ".join(f"version {version} (runs {_some(runs)})" for version, runs in held.items())
            raise ValueError(
                f"metric {metric!r} is there as {told}: its meaning changed in between; "
                "`bench score FOLDER` computes old numbers anew"
            )


def gaps(frame: Frame, dataset: str, source: str, metrics: Sequence[str]) -> list[str]:
    """A sentence for everything that keeps one data set's table from being whole.

    Named are runs that failed or diverged, configurations that are missing altogether or for some of the seeds that the
    data set has, finished runs without scores, metrics that are missing for single runs, metrics that were computed by
    more than one convention, what metrics warn of (factors that depend on each other), and runs that saw different
    files of one data set.
    """
    here = at(frame, dataset, source)
    where = place_name(dataset, source)
    done = here[here["status"] == "done"]
    stopped = here[here["status"] != "done"].drop_duplicates("run").sort_values(["label", "seed"])
    found = [
        f"{run.status}: {run.label} on {where}, seed {run.seed}{because(run.error)}" for run in stopped.itertuples()
    ]
    everyone = set(here.loc[~is_control(here), "seed"])
    missing: dict[str, list[str]] = {}
    for label in ordered(frame):
        own = here[here["label"] == label]
        seeds = set() if is_control(own).any() else everyone - set(own["seed"])  # controls may have fewer
        if own.empty or seeds:
            missing.setdefault("all seeds" if own.empty else seeds_text(seeds), []).append(label)
    found += [f"missing: {', '.join(names)} on {where}, {seeds}" for seeds, names in missing.items()]
    bare = done.groupby("run")["metric"].transform("count") == 0
    for label, group in done[bare].groupby("label"):
        found.append(f"no scores: {label} on {where}, {seeds_text(group['seed'])}; `bench score FOLDER` computes them")
    counted = finished(here)
    if here["dataset_sha256"].nunique() > 1:
        found.append(f"mixed images: runs on {where} saw files with {here['dataset_sha256'].nunique()} checksums")
    for metric in metrics:
        found += _missing_numbers(metric, done[~bare], counted, where)
        found += mixed(metric, counted, where)
    warned = counted[counted["metric"].isin(list(metrics)) & (counted["warning"].fillna("") != "")]
    for warning, group in warned.groupby("warning"):
        names = dict.fromkeys(group["metric"])  # a block warns again of what all units warn of
        told = [name for name in names if unnamed(name)[0] == name or unnamed(name)[0] not in names]
        found.append(f"warning: {', '.join(told)} on {where}: {warning}")
    return found


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


def _missing_numbers(metric: str, done: Frame, counted: Frame, where: str) -> list[str]:
    """Runs that lack a number which other seeds of theirs have, or whose number ended in an error."""
    has = counted.loc[counted["metric"] == metric]
    tried = done[done["metric"] == metric].set_index("run")["score_error"]
    found = []
    for label, group in done.drop_duplicates("run").groupby("label"):
        lacking = group[~group["run"].isin(has["run"])]
        if len(lacking) == len(group):
            lacking = lacking[lacking["run"].isin(tried.index)]  # not a metric of this model, unless it was tried
        reasons = lacking["run"].map(tried).fillna("")
        for reason, part in lacking.groupby(reasons):
            found.append(f"no {metric}: {label} on {where}, {seeds_text(part['seed'])}{because(reason)}")
    return found


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
