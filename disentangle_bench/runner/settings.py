"""From what people type to what the suite does: models, metric options and seeds, refused by name before any work."""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace
from typing import Any

from .. import catalog
from .plan import BUDGETS, Budget, Study, fields_of

EVERY = "data"  # in settings: every data set of the plan


def question(
    models: list[str],
    datasets: list[str],
    seeds: str,
    steps: int | None,
    budget: str,
    settings: list[str],
    metrics: list[str] | None,
    blocks: list[str] = [],  # noqa: B006 (read alone)
    precision: str = "fp32",
    rows: str | None = None,
) -> Study:
    """The study that the options of `bench run` ask for.

    Raises
    ------
    ValueError
        Anything unknown (with the nearest name), empty, or of the wrong type.
    """
    size = BUDGETS[catalog.choose("budget", budget, list(BUDGETS))]
    for option, given, kind in ("--models", models, "models"), ("--dataset", datasets, "datasets"):
        if not given:
            raise ValueError(f"{option}: nothing given; `bench list {kind}` shows what there is")
    names = with_options(datasets, settings)
    plain = [plain_name(name) for name in names]
    chosen = build_models(models, settings, size if steps is None else shortened(size, steps))
    options = metric_options(settings, size, [type(m).__module__.rpartition(".")[2] for m in chosen], plain)
    return Study(
        chosen,
        names,
        parse_seeds(seeds),
        size.steps if steps is None else steps,
        size.batch,
        size.rows if rows is None else parse_rows(rows),
        metrics,
        options,
        blocks,
        name="-".join(dict.fromkeys(plain)),
        note=size.note if steps is None else f"{steps:,} steps, otherwise --budget {budget}",
        precision=precision,
    )


def shortened(size: Budget, steps: int) -> Budget:
    """A budget of so many steps instead: what it says of models in steps keeps its share of the run."""
    told = {key: max(1, round(n * steps / size.steps)) if isinstance(n, int) else n for key, n in size.model.items()}
    return replace(size, steps=steps, model=told)


def with_options(names: list[str], settings: list[str]) -> list[str]:
    """Data sets with their options spelt out, from names and settings such as "digits.transform=so2,se2" (a sweep).

    "data.correlate=scale:posX:0.2" is a setting of every one of them.

    Raises
    ------
    ValueError
        Unknown data set or option (with the nearest name), or a value of the wrong type.
    """
    from ..datasets import parse, spell

    found = []
    for name in names:
        plain, fixed = parse(name)
        ways = [fixed]
        for target, option, text in map(split_setting, settings):
            if target in (EVERY, plain_name(name)):
                ways = [{**way, **parse(f"{plain}({option}={v})")[1]} for way in ways for v in text.split(",")]
        found += [spell(plain, way) for way in ways]
    return list(dict.fromkeys(found))


def plain_name(name: str) -> str:
    """A data set's name in tables, without options."""
    from ..datasets import called

    return called(name)[0].partition("(")[0]


def build_models(names: list[str], settings: list[str], budget: Budget) -> list[Any]:
    """Model objects from names ("controls", "all") and settings such as "betavae.beta=1,4" (a list sweeps).

    Raises
    ------
    ValueError
        Unknown model or parameter (with the nearest name), or a value of the wrong type.
    """
    from ..datasets import COMMON

    known = catalog.names("model")
    words = {"controls": catalog.CONTROLS, "all": known}
    wanted = [m for name in names for m in words.get(name, [name])]
    wanted = list(dict.fromkeys(catalog.choose("model", name, [*known, *words]) for name in wanted))
    classes = {name: catalog.get("model", name) for name in wanted}
    chosen: dict[str, list[dict[str, Any]]] = {
        name: [{k: v for k, v in budget.model.items() if k in fields_of(cls)}] for name, cls in classes.items()
    }
    for target, option, text in map(split_setting, settings):
        if target in classes:
            types = fields_of(classes[target])
            if option in COMMON and option not in types:
                raise ValueError(f"--set {target}.{option}={text}: is of the data, --set {EVERY}.{option}={text}")
            catalog.choose(f"parameter of {target}", option, sorted(types))
            values = [_parse(f"{target}.{option}", v, types[option]) for v in text.split(",")]
            chosen[target] = [{**params, option: value} for params in chosen[target] for value in values]
    return [classes[name](**params) for name in wanted for params in chosen[name]]


def metric_options(
    settings: list[str],
    budget: Budget,
    models: list[str],
    datasets: list[str] = [],  # noqa: B006 (read alone)
) -> dict[str, dict[str, Any]]:
    """Keyword options a metric, from the budget and from settings such as "mig.bins=10".

    Raises
    ------
    ValueError
        A setting of neither a model of the plan nor a metric, an unknown option, or a value of the wrong type.
    """
    options = {name: dict(values) for name, values in budget.metrics.items()}
    for target, option, text in map(split_setting, settings):
        if target in (*models, *datasets) or (target == EVERY and datasets):
            continue
        for kind in ("model", "dataset"):
            if target in catalog.names(kind):
                raise ValueError(f"--set {target}.{option}: {target} is not among the {kind}s of this plan")
        known = [*models, *datasets, *catalog.names("metric"), *([EVERY] if datasets else [])]
        catalog.choose("model of this plan or metric", target, known)
        parameters = inspect.signature(catalog.get("metric", target)).parameters.values()
        defaults = {
            p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and not p.name.startswith("test_")
        }
        catalog.choose(f"option of {target}", option, sorted(defaults))
        if option in picks(target):
            raise ValueError(f"--set {target}.{option} picks another definition; {target} has a row for each already")
        kind = int if defaults[option] is None else type(defaults[option])
        options.setdefault(target, {})[option] = _parse(f"{target}.{option}", text, kind)
    return options


def picks(metric: str) -> set[str]:
    """Options that tell a metric's variants apart, or that none of them has a use for."""
    function = catalog.get("metric", metric)
    fixed = {option for options in function.variants.values() for option in options}
    unused = [set(function.unused.get(variant, ())) for variant in function.variants]
    return fixed | set.intersection(*unused)


def split_setting(text: str) -> tuple[str, str, str]:
    """("betavae", "beta", "8") from "betavae.beta=8"."""
    target, dot, rest = text.partition(".")
    option, equals, value = rest.partition("=")
    if not (target and dot and option and equals and value):
        raise ValueError(f"--set: got {text!r}, expected NAME.PARAMETER=VALUE, for example betavae.beta=8")
    return target.strip(), option.strip(), value.strip()


def parse_seeds(text: str) -> list[int]:
    """ "3" -> [0, 1, 2]; "3:6" -> [3, 4, 5]; "1,7" -> [1, 7]."""
    try:
        if ":" in text:
            low, high = map(int, text.split(":"))
            seeds = list(range(low, high))
        else:
            seeds = list(range(int(text))) if "," not in text else [int(part) for part in text.split(",")]
    except ValueError:
        seeds = []
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"--seeds: got {text!r}, expected a number above zero, a range such as 3:6, or a list such as 1,7"
        )
    return seeds


def parse_rows(text: str) -> int:
    """ "all" is more than any data set has."""
    if text == "all":
        return sys.maxsize
    if not (text.isdecimal() and int(text)):
        raise ValueError(f"--rows: got {text!r}, expected all or a number above zero")
    return int(text)


def _parse(name: str, text: str, kind: type) -> Any:
    words = {"true": True, "false": False}
    try:
        return words[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        raise ValueError(f"--set {name}: got {text!r}, expected {kind.__name__}") from None
