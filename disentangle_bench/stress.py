"""How metrics react to the cases of `cases.py`: a table of values, and a verdict on every metric and case."""

from __future__ import annotations

import inspect
import math
import re
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from . import catalog
from .cases import CASES
from .metrics._metric import numbers

SEEDS = 3
POINTS = {"train": 1_000, "test": 500}  # of metrics that draw batches (theirs: 10,000 and 5,000), for time
INPUTS = {"codes", "sd", "factors"}  # metrics of clusters, or of several representations, have no codes to stress
SMALL, LARGE, CHANCE = 0.01, 0.1, 0.05  # bounds between the verdicts


class Row(NamedTuple):
    """A number of a metric at one level of a case; `error` says why `value` is nan."""

    metric: str
    case: str
    level: float
    seed: int
    value: float
    error: str


class Verdict(NamedTuple):
    """`word` as `judge` says; the largest change and its level; `failed` are levels where some seed has no value."""

    metric: str
    case: str
    word: str
    change: float
    level: float
    failed: tuple[float, ...]


class Progress(NamedTuple):
    """What a board shows."""

    stack: str
    share: float
    text: str


def calls(names: Iterable[str] = ()) -> list[str]:
    """Every variant, by dotted name, of metrics that are functions of codes; of all such metrics if none is named.

    Raises
    ------
    ValueError
        An unknown metric (the message holds the nearest name), or one that is no function of codes.
    """
    named, found = list(names), []
    for name in catalog.metrics(named or ["all"]):
        function = catalog.get("metric", name)
        needs = {p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty}
        if "codes" in needs and needs <= INPUTS:
            found += [f"{name}.{variant}".rstrip(".") for variant in getattr(function, "variants", {"": {}})]
        elif name in named:
            raise ValueError(
                f"{name} cannot be stressed: it is a function of {' and '.join(sorted(needs))}, not of codes"
            )
    return found


def measure(
    names: Iterable[str] = (), *, seeds: int = SEEDS, watch: Callable[[Progress], None] | None = None
) -> list[Row]:
    """All numbers of metrics at all levels of all cases; a process a core where there are several metrics.

    A metric that fails is a row with its error, for each of its numbers.

    Raises
    ------
    ValueError
        As `calls`.
    """
    from joblib import Parallel, delayed

    wanted = calls(names)
    tasks = [(call, case) for case in CASES for call in wanted]  # slow metrics are spread out: the time left is fair
    several = len({call.partition(".")[0] for call in wanted}) > 1
    work = Parallel(-1 if several else 1, return_as="generator")(delayed(sweep)(*task, seeds) for task in tasks)
    start, found = time.perf_counter(), {}
    for done, (task, values) in enumerate(zip(tasks, work), 1):
        found[task] = values
        left = (time.perf_counter() - start) / done * (len(tasks) - done)
        if watch:
            watch(Progress("stress", done / len(tasks), f"{done} of {len(tasks)} sweeps, {_words(left)} left"))
    rows = []
    for call in wanted:
        parts = dict.fromkeys(part for case in CASES for value in found[call, case] for part in value.parts)
        for part in parts or [""]:
            for case in CASES:
                for level, seed, known, error in found[call, case]:
                    name, value = f"{call}.{part}".rstrip("."), known.get(part, math.nan)
                    rows.append(Row(name, case, level, seed, value, error if math.isnan(value) else ""))
    return rows


def broken(rows: Iterable[Row]) -> list[str]:
    """What went wrong otherwise than by a refusal: metrics say no with a ValueError."""
    errors = {f"{row.metric}: {row.error}": None for row in rows if row.error}
    return [text for text in errors if not re.match(r"\S+: (ValueError|.*undefined)", text)]


class Point(NamedTuple):
    """What one call gave; no `parts` where it raised."""

    level: float
    seed: int
    parts: dict[str, float]
    error: str


def sweep(call: str, case: str, seeds: int = SEEDS) -> list[Point]:
    """One call at each level and seed of a case; none if the metric lacks the option that the case is about."""
    from threadpoolctl import threadpool_limits

    name, _, variant = call.partition(".")
    function, about = catalog.get("metric", name), CASES[case]
    unused = getattr(function, "unused", {}).get(variant, ())
    if about.option and (about.option not in inspect.signature(function).parameters or about.option in unused):
        return []
    fixed = {**settings(name), **getattr(function, "variants", {"": {}})[variant]}
    points = []
    with threadpool_limits(1):
        for seed in range(seeds):
            for level in about.levels:
                given = about.make(seed, level)._asdict()
                option = {about.option: int(level)} if about.option else {}
                points.append(Point(level, seed, *_call(function, {**given, "seed": seed, **fixed, **option})))
    return points


def settings(name: str) -> dict[str, Any]:
    """Options of a metric that are not its defaults here."""
    parameters = inspect.signature(catalog.get("metric", name)).parameters
    chosen: dict[str, Any] = dict(POINTS) if set(POINTS) <= set(parameters) else {}
    return {**chosen, **({"undefined": "nan"} if "undefined" in parameters else {})}


def _call(function: Callable, given: dict[str, Any]) -> tuple[dict[str, float], str]:
    parameters = inspect.signature(function).parameters
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            parts = numbers(function(**{key: value for key, value in given.items() if key in parameters}))
        except Exception as problem:  # the others must go on
            kind = "ValueError" if isinstance(problem, ValueError) else type(problem).__name__
            return {}, f"{kind}: {problem}"
    said = [str(one.message) for one in caught if "undefined" in str(one.message)]
    return parts, "; ".join(dict.fromkeys(said)) or "undefined"


def judge(rows: Iterable[Row]) -> list[Verdict]:
    """A verdict on every metric and case, from the rows of any number of them, in their order.

    A change is the mean over seeds of value - value of the base, in shares of the metric's range; of 1 or of its base,
    if that is larger, where the range has no end. It counts if it reaches 0.01, and if it also reaches 0.05 where seeds
    disagree on its direction. The verdict goes by the largest change that counts:

    "invariant" : none does
    "robust" : it stays below 0.1
    "falls", "rises" : it does not
    "refuses" : there is no value at the base, or at the base alone
    "not asked" : the metric lacks the option that the case is about
    """
    tables: dict[tuple[str, str], dict[float, dict[int, float]]] = {}
    for row in rows:
        for case in CASES:
            tables.setdefault((row.metric, case), {})
        tables[row.metric, row.case].setdefault(row.level, {})[row.seed] = row.value
    return [_judge(metric, case, table) for (metric, case), table in tables.items()]


def _judge(metric: str, case: str, table: dict[float, dict[int, float]]) -> Verdict:
    if not table:
        return Verdict(metric, case, "not asked", math.nan, math.nan, ())
    base = table[CASES[case].base]
    scale = span(metric, float(np.mean(list(base.values()))))
    failed = tuple(level for level, values in table.items() if not np.isfinite(list(values.values())).all())
    changes = {
        level: np.array([values[seed] - base[seed] for seed in values]) / scale
        for level, values in table.items()
        if level not in failed and level != CASES[case].base
    }
    if CASES[case].base in failed or not changes:
        return Verdict(metric, case, "refuses", math.nan, math.nan, failed)
    level = max(changes, key=lambda level: (_counts(changes[level]), abs(changes[level].mean())))
    change = float(changes[level].mean())
    words = ["falls" if change < 0 else "rises", "robust", "invariant"]
    word = words[2 if not _counts(changes[level]) else abs(change) < LARGE]
    return Verdict(metric, case, word, change, level, failed)


def _counts(change: np.ndarray) -> bool:
    """Whether a change, a number a seed, is more than nothing."""
    agree = (change > 0).all() or (change < 0).all()
    return bool(abs(change.mean()) >= (SMALL if agree else CHANCE))


def span(metric: str, base: float) -> float:
    """What changes of a metric are measured in."""
    low, high = catalog.get("metric", metric.partition(".")[0]).bounds
    return high - low if math.isfinite(high - low) else max(1.0, abs(base))


def _words(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
