"""Which run to keep where no factors are known: the ELBO of a run, the UDR of the seeds of one configuration."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import catalog
from ..schema import ALL, broken
from . import locks, splits
from .codes import CodeFile, read_codes, read_text, readable
from .plan import Run, fields_of
from .score import fact
from .store import Store

log = logging.getLogger(__name__)
ELBO = "-(reconstruction + kl), with the reconstruction at the mode of the posterior, not its mean; nats an image"
CONFIGURATION = [*(name for name in fields_of(Run) if name != "seed"), "definition"]
ROWS = 10_000  # most that runs are compared on: the first of the rows, which are in random order


def with_elbo(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a run or milestone, with `elbo` behind the facts `reconstruction` and `kl` where it has both.

    Examples
    --------
    >>> rows = [fact("reconstruction", 80.0, 10, ""), fact("kl", 20.0, 10, "")]
    >>> [(row["metric"], row["value"]) for row in with_elbo(rows)]
    [('reconstruction', 80.0), ('kl', 20.0), ('elbo', -100.0)]
    """
    kept = [row for row in rows if (row["call"], row["metric"]) != ("training", "elbo")]
    facts = {row["metric"]: row for row in kept if row["call"] == "training" and row["value"] is not None}
    if not {"reconstruction", "kl"} <= set(facts):
        return kept
    kl = facts["kl"]
    value = -(facts["reconstruction"]["value"] + kl["value"])
    convention = ELBO + "".join(kl["convention"].partition("; images=")[1:])
    at = kept.index(kl) + 1
    return [*kept[:at], {**kl, "metric": "elbo", "value": value, "convention": convention}, *kept[at:]]


def compare_seeds(store: Store, options: Mapping[str, Mapping[str, Any]]) -> int:
    """Give every finished run its UDR among the seeds of its configuration; how many configurations got new numbers.

    Rows like any score, of the split "all": `udr` and `udr.lasso`, whose convention names the runs that it was compared
    with. They are computed anew when that set, the options or the metric's version changes, and go when a run is alone.
    `options` are by metric; those of "udr" count.
    """
    with locks.alone(store.folder, "udr.lock"):  # of two programs, the later one sees every run that has ended
        return _compare_all(store, options)


def _compare_all(store: Store, options: Mapping[str, Mapping[str, Any]]) -> int:
    groups: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for record in store.records():
        if record["status"] == "done" and readable(store.codes(record["run"])):
            own = [row for row in record["scores"] if _of_udr(row)]
            same = str([record.get(name) for name in CONFIGURATION])
            groups.setdefault(same, {})[record["run"]] = own
    return sum(_compare(store, dict(sorted(group.items())), options.get("udr", {})) for group in groups.values())


def _compare(store: Store, known: dict[str, list[dict[str, Any]]], options: Mapping[str, Any]) -> bool:
    """Bring one configuration up to date, given the rows that its runs hold; whether anything had to be done."""
    runs = list(known)
    shift = read_text(store.codes(runs[0]), "shift")
    if len(runs) < 2:
        new = {run: [] for run in runs}
        if new == known:
            return False
    elif _current(known, options, shift):
        return False
    else:
        new = _rows(store, runs, options, shift)
    for run, rows in new.items():
        with locks.hold([store.path(run)]) as held:  # one that is held elsewhere is compared when that has ended
            record = store.record(run)
            if held and record is not None and record["status"] == "done":
                others = [row for row in record["scores"] if not _of_udr(row)]
                store.save({**record, "scores": splits.ordered(others + rows)})
    return True


def _of_udr(row: Mapping[str, Any]) -> bool:
    return row["call"].partition(".")[0] == "udr"


def _current(known: Mapping[str, list[dict[str, Any]]], options: Mapping[str, Any], shift: str) -> bool:
    """Whether each run holds just the rows that it would get."""
    metric = catalog.get("metric", "udr")
    wanted = {run: [_convention(v, options, run, list(known), shift) for v in metric.variants] for run in known}
    return all(
        [row["convention"] for row in rows] == wanted[run]
        and all(row["version"] == metric.version and not broken(row["error"]) for row in rows)
        for run, rows in known.items()
    )


def _rows(store: Store, runs: list[str], options: Mapping[str, Any], shift: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of each of these runs."""
    metric, problem = catalog.get("metric", "udr"), ""
    try:
        held = _codes(store, runs)
    except ValueError as error:
        held, problem = [], f"{type(error).__name__}: {error}"
        log.warning("no UDR of runs %s: %s", ", ".join(runs), error)
    noise = bool(held) and all(codes.noise is not None for codes in held)
    found: dict[str, list[dict[str, Any]]] = {run: [] for run in runs}
    for variant, fixed in metric.variants.items():
        start, error = time.perf_counter(), problem
        values: list[Any] = [None] * len(runs)
        if held:
            own = {key: value for key, value in options.items() if key not in metric.unused.get(variant, ())}
            sd = [codes.sd for codes in held] if noise else None
            try:
                values = metric([codes.codes for codes in held], sd=sd, **{**own, **fixed}).each.tolist()
            except Exception as exception:  # as of any score: a row that says so
                error = f"{type(exception).__name__}: {exception}"
        seconds = (time.perf_counter() - start) / len(runs)
        for run, value in zip(runs, values):
            name = f"udr.{variant}".rstrip(".")
            convention = _convention(variant, options, run, runs, shift)
            row = fact(name, value, len(held[0].codes) if held else 0, convention)
            found[run].append({**row, "call": name, "version": metric.version, "seconds": seconds, "error": error})
    return found


def _codes(store: Store, runs: list[str]) -> list[CodeFile]:
    """Codes of runs, cut to the first rows. Raises ValueError when one is not readable, or of other rows."""
    held: list[CodeFile] = []
    for run in runs:
        codes = read_codes(store.codes(run)).first(ROWS)
        if held and not np.array_equal(codes.factors, held[0].factors):
            raise ValueError(f"the codes of run {run} are of other rows than those of run {runs[0]}")
        held.append(codes)
    return held


def _convention(variant: str, options: Mapping[str, Any], run: str, runs: list[str], shift: str) -> str:
    metric = catalog.get("metric", "udr")
    parameters = inspect.signature(metric).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    unsaid = {"sd", "least_variance", "least_kl", *metric.unused.get(variant, ())}
    said = {**defaults, **options, **metric.variants[variant]}
    others = [other for other in runs if other != run]
    return "; ".join(
        [
            metric.estimators.get(variant, metric.estimator),
            *(f"{key}={value}" for key, value in said.items() if key not in unsaid),
            f"least_kl={said['least_kl']}, or least_variance={said['least_variance']} of codes without noise",
            f"codes=mean; beside {len(others)} other seeds (runs {', '.join(others)})",
            *filter(None, [splits.images(ALL, shift)]),
        ]
    )
