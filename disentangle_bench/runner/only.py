"""Some of a plan's runs, by model, data set, seed and hyper-parameters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .. import catalog
from .plan import Run

FIELDS = ("model", "dataset", "seed")


def only(text: str, runs: list[Run]) -> list[Run]:
    """The runs that agree with every part of a text such as "model=vae|betavae,seed=0:5,beta=4|16", in order.

    A part is a key and its values: of `seed` numbers or ranges (a:b is a up to b - 1), of `dataset` names with or
    without options, of a hyper-parameter values of its type; runs of models without it are left out.

    Raises
    ------
    ValueError
        A part that is not KEY=VALUES, an unknown key or value (with the nearest one that there is), or nothing left.

    Examples
    --------
    >>> from disentangle_bench.runner.plan import Study
    >>> [(run.model, run.seed) for run in only("model=noise,seed=1:3", Study(["noise", "pca"], ["toy"]).runs())]
    [('noise', 1), ('noise', 2)]
    """
    parts = [part for part in re.split(r",(?![^(]*\))", text) if part.strip()]  # no comma within brackets
    keys = [*FIELDS, *sorted({name for run in runs for name in run.params})]
    left = runs
    for part in parts:
        key, equals, values = (word.strip() for word in part.partition("="))
        if not (key and equals and values):
            raise ValueError(f"--only: got {part!r}, expected KEY=VALUES such as model=betavae, seed=0:5 or beta=4|16")
        catalog.choose("key of --only", key, keys)
        agree = [_agree(key, value.strip(), runs) for value in values.split("|")]
        left = [run for run in left if any(one(run) for one in agree)]
    if not left:
        raise ValueError(f"--only {text}: none of {len(runs)} runs agrees with all of this")
    return left


def _agree(key: str, text: str, runs: list[Run]) -> Callable[[Run], bool]:
    """Whether a run has this value; refuses one that no run has."""
    if key == "seed":
        found = _seeds(text)
    elif key == "dataset":
        found = lambda run: text in (run.dataset, run.dataset.partition("(")[0])  # noqa: E731
    else:
        found = lambda run: key in (*FIELDS, *run.params) and _same(_value(run, key), text)  # noqa: E731
    if not any(map(found, runs)):
        known = sorted({_value(run, key) for run in runs if key in (*FIELDS, *run.params)}, key=_order)
        catalog.choose(f"{key} of this plan", text, list(map(str, known)))
        raise ValueError(f"--only {key}={text}: no such run; known: {', '.join(map(str, known))}")
    return found


def _order(value: Any) -> tuple[bool, Any]:
    return isinstance(value, str), value


def _value(run: Run, key: str) -> Any:
    return getattr(run, key) if key in FIELDS else run.params[key]


def _same(value: Any, text: str) -> bool:
    """Whether a text is this value, written as people do: 4 is 4.0, true is True."""
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    try:
        return type(value)(text) == value
    except (TypeError, ValueError):
        return False


def _seeds(text: str) -> Callable[[Run], bool]:
    match = re.fullmatch(r"([0-9]+)(?::([0-9]+))?", text)
    if not match:
        raise ValueError(f"--only seed={text}: expected a number, a range such as 0:5, or several with |")
    low = int(match[1])
    seeds = range(low, int(match[2]) if match[2] else low + 1)
    return lambda run: run.seed in seeds
