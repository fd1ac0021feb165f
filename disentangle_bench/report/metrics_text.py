"""What a metric's own file says of it: citation, definition, conventions, bounds; shown where its numbers are."""

from __future__ import annotations

import inspect
import math
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from .. import catalog
from ..schema import ALL
from ._frame import unnamed
from .glossary import family, meaning
from .models_text import Text, paragraphs, read

SECTIONS = ("Returns", "Notes", "References")  # of a docstring: what a reader of a number asks for


@dataclass(frozen=True)
class Definition:
    """A family of metrics in words. `said` are lines of what is fixed: bounds, best value, estimator, version."""

    text: Text
    said: tuple[tuple[str, str], ...]
    sections: dict[str, tuple[tuple[bool, str], ...]]


def define(name: str) -> Definition:
    """Of a family of metrics, or of a number that training leaves, of which the glossary alone knows."""
    plain, block, split = unnamed(name)
    if plain not in catalog.names("metric"):
        return Definition(Text("", "", ()), (("Scale", scale(name)),), {})
    function = catalog.get("metric", plain)
    head = read(sys.modules[function.__module__].__doc__ or "")
    body, *rest = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.getdoc(function) or "", flags=re.M)
    held = dict(zip(rest[::2], rest[1::2]))
    said = {
        "Scale": scale(name),
        "Best value": "neither end" if function.best is None else f"{function.best:g}",
        "Estimator": function.estimator,
        "Version of the definition": str(function.version),
        "Units": "" if block == ALL else f"block {block} alone",
        "Images": "" if split == ALL else f"split {split} alone",
    }
    return Definition(
        Text(head.citation, head.equation, tuple(paragraphs(body))),
        tuple((key, value) for key, value in said.items() if value),
        {key: tuple(_section(key, held[key])) for key in SECTIONS if key in held},
    )


def _section(key: str, text: str) -> Iterable[tuple[bool, str]]:
    """Paragraphs; of references one each, whose further lines are indented."""
    return paragraphs(re.sub(r"\n(?=\S)", "\n\n", text) if key == "References" else text)


def scale(name: str) -> str:
    """Where a metric's numbers lie, and which end is better.

    Examples
    --------
    >>> scale("mig"), scale("reconstruction")
    ('from 0 to 1, higher is better', 'from 0 on, in nats / image, lower is better')
    """
    told = meaning(name)
    low, high = (None if end is None or math.isinf(end) else f"{end:g}" for end in told.bounds)
    ends = {
        (True, True): f"from {low} to {high}",
        (True, False): f"from {low} on",
        (False, True): f"up to {high}",
        (False, False): "any number",
    }[low is not None, high is not None]
    better = {"high": "higher is better", "low": "lower is better", "": "neither end is better"}[told.best]
    return ", ".join(filter(None, [ends, f"in {told.unit}" if told.unit else "", better]))


def families(metrics: list[str]) -> dict[str, list[str]]:
    """Metrics by family, in their order."""
    found: dict[str, list[str]] = {}
    for metric in metrics:
        found.setdefault(family(metric), []).append(metric)
    return found
