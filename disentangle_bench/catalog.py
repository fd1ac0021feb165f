"""What exists: a file's name is its name on the command line and in the table. Listing imports nothing."""

from __future__ import annotations

import ast
import difflib
import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

KINDS = {"model": "models", "metric": "metrics", "dataset": "datasets"}
CONTROLS = ("oracle", "noise", "untrained", "pca")
CARD = (  # the metrics of a run unless others are named: what the field's studies report
    "betavae_score",
    "factorvae_score",
    "mig",
    "dci",
    "sap",
    "modularity",
    "explicitness",
    "irs",
    "cluster_accuracy",
    "nmi",
    "ari",
)


def names(kind: str) -> list[str]:
    """Names of all files of a kind ("model", "metric" or "dataset"), sorted."""
    folder = Path(__file__).parent / KINDS[kind]
    return sorted(path.stem for path in folder.glob("[!_]*.py"))


def choose(kind: str, name: str, among: list[str] | None = None) -> str:
    """The name itself, if it exists.

    Raises
    ------
    ValueError
        Unknown name; the message holds the nearest valid one and all that exist.
    """
    known = names(kind) if among is None else among
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f" did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"unknown {kind} {name!r};{hint} known: {', '.join(known)}")


def metrics(wanted: Iterable[str] | None) -> list[str]:
    """Metrics by name; "card" stands for those of every run (and so does None), "all" for all there are.

    Raises
    ------
    ValueError
        An unknown name.
    """
    known = names("metric")
    words = {"card": list(CARD), "all": known}
    chosen = [choose("metric", name, [*known, *words]) for name in (["card"] if wanted is None else wanted)]
    return list(dict.fromkeys(name for word in chosen for name in words.get(word, [word])))


def summary(kind: str, name: str) -> str:
    """First line of a file's docstring, read without importing it, and the equation that it announces."""
    text = (Path(__file__).parent / KINDS[kind] / f"{name}.py").read_text(encoding="utf8")
    first, _, rest = (ast.get_docstring(ast.parse(text)) or "").partition("\n")
    equation = rest.strip().partition("\n")[0]
    return f"{first}   {equation}" if first.endswith(":") else first


def get(kind: str, name: str) -> Any:
    """The object that a file is about: its model class, metric function or data set function."""
    module = importlib.import_module(f"disentangle_bench.{KINDS[kind]}.{choose(kind, name)}")
    return find(module, name)


def find(module: Any, name: str) -> Any:
    """The object of a module that is named like its file, letter case and underscores aside."""
    own = {label: value for label, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    plain = name.replace("_", "").lower()
    for label in [name, *(label for label in own if label.replace("_", "").lower() == plain)]:
        if label in own:
            return own[label]
    raise ValueError(f"{module.__name__} defines nothing named like its file ({name!r})")
