"""What a model's own file says of it: citation, equation, words, hyper-parameters. Files are read, never imported."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .. import catalog

MODELS = Path(catalog.__file__).parent / catalog.KINDS["model"]


@dataclass(frozen=True)
class Text:
    """A docstring in parts. `body` holds paragraphs, and whether each is set as it is, as equations are."""

    citation: str
    equation: str
    body: tuple[tuple[bool, str], ...]


@dataclass(frozen=True)
class Parameter:
    """A hyper-parameter as its file has it: `default` is source text, `note` the comment behind it."""

    name: str
    default: str
    note: str


def read(docstring: str) -> Text:
    """The parts of a docstring whose first line is "Citation:   equation", or else whose first display is the equation.

    Examples
    --------
    >>> read("My VAE, Someone 2026, eq. 1:   L = a + b\\n\\nWhere\\n\\n    a = 1\\n\\nis small.")
    Text(citation='My VAE, Someone 2026, eq. 1', equation='L = a + b',
         body=((False, 'Where'), (True, 'a = 1'), (False, 'is small.')))
    """
    first, _, rest = docstring.strip().partition("\n")
    citation, _, equation = first.partition(":   ")
    body = list(paragraphs(rest))
    if not equation and (displayed := next((part for part in body if part[0]), None)):
        body.remove(displayed)
        equation = displayed[1]
    return Text(citation.strip().removesuffix(":"), equation.strip(), tuple(body))


def paragraphs(text: str) -> Iterable[tuple[bool, str]]:
    """Each paragraph or point, and whether all of its lines are indented, so that it must be set as it is."""
    for part in filter(str.strip, re.split(r"\n\n|\n(?=\* )", text)):
        lines = part.strip("\n").split("\n")
        margin = min(len(line) - len(line.lstrip()) for line in lines)
        yield margin > 0, "\n".join(line[margin:].rstrip() for line in lines)


def words(model: str) -> Text | None:
    """Of a model of the suite; None of one that this installation does not have."""
    source = _source(model)
    return read(ast.get_docstring(ast.parse(source)) or "") if source else None


@cache
def parameters(model: str) -> tuple[Parameter, ...]:
    """Hyper-parameters of a model, those of the models that it is built on first; none of a model that is not here."""
    return tuple(_fields(model, "").values())


def _fields(module: str, name: str) -> dict[str, Parameter]:
    """Of the class `name` of models/module.py; without a name of the one that is called like the file."""
    source = _source(module)
    if not source:
        return {}
    tree, lines = ast.parse(source), source.splitlines()
    plain = (name or module).replace("_", "").lower()
    homes = {
        alias.asname or alias.name: node.module or ""
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for alias in node.names
    }
    found: dict[str, Parameter] = {}
    for node in tree.body:
        if not isinstance(node, ast.ClassDef) or node.name.replace("_", "").lower() != plain:
            continue
        for base in node.bases:
            if isinstance(base, ast.Name):
                found |= _fields(homes.get(base.id, module), base.id)
        for line in node.body:
            if isinstance(line, ast.AnnAssign) and line.value and "ClassVar" not in ast.unparse(line.annotation):
                field, end = ast.unparse(line.target), line.value.end_col_offset or 0
                note = lines[(line.value.end_lineno or 1) - 1].encode()[end:].decode().partition("#")[2]
                found[field] = Parameter(field, ast.unparse(line.value), re.sub(r"^\| ", "or ", note.strip()))
    return found


def _source(module: str) -> str:
    path = MODELS / f"{module}.py"
    return path.read_text(encoding="utf-8") if module.isidentifier() and path.is_file() else ""


def used(params: Iterable[str], model: str) -> list[tuple[str, str, str, str]]:
    """Name, values used, default and note of every hyper-parameter of runs of one model.

    Parameters
    ----------
    params : the column `params` of these runs: a JSON object each
    model : its name; a parameter that its file does not know has neither default nor note

    Examples
    --------
    >>> used(['{"beta": 16.0}', '{"beta": 4.0}'], "betavae")[-1]
    ('beta', '4, 16', '4', 'weight of the KL')
    """
    held: dict[str, list[Any]] = {}
    for settings in map(json.loads, dict.fromkeys(params)):
        for key, value in settings.items():
            held.setdefault(key, []).append(value)
    known = {parameter.name: parameter for parameter in parameters(model)}
    rows = []
    for name in [*(name for name in known if name in held), *(name for name in held if name not in known)]:
        values = sorted(dict.fromkeys(map(plain, held[name])), key=natural)
        own = known.get(name)
        rows.append((name, ", ".join(values), _default(own.default) if own else "", own.note if own else ""))
    return rows


def _default(source: str) -> str:
    try:
        return plain(ast.literal_eval(source))
    except ValueError:  # a call, or a name
        return source


def plain(value: Any) -> str:
    """As in labels: 4 of 4.0."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def natural(text: str) -> tuple[int, float, str]:
    """Sorts numbers as numbers, before words."""
    try:
        return 0, float(text), ""
    except ValueError:
        return 1, 0.0, text
