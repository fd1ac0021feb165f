"""What people call a data set: a name of the suite, or where their own lies, both with options in brackets."""

from __future__ import annotations

import inspect
import math
import os
import re
from pathlib import Path
from typing import Any

from disentangle_bench import catalog, elsewhere

from . import _own

COMMON = {"correlate": "", "holdout": "", "labels": ""}  # options of every set


def parse(name: str | Path) -> tuple[str, dict[str, Any]]:
    """A data set's plain name (or where it lies, in full) and its options, refused by name if they are unknown or of
    the wrong type.

    Examples
    --------
    >>> parse("digits(copies=2, transform=se2)")
    ('digits', {'copies': 2, 'transform': 'se2'})
    >>> parse("toy(correlate=scale : posX : 0.20)")
    ('toy', {'correlate': 'scale:posX:0.2'})
    >>> parse("digits(labels=1e2)")
    ('digits', {'labels': '100'})
    """
    name = os.fspath(name).strip()
    match = re.fullmatch(r"(.*?)\(((?:[^()]*=[^()]*)?)\)", name)
    plain, rest = (match[1].strip(), match[2]) if match else (name, "")
    plain = place(plain) if _is_own(plain) else catalog.choose("dataset", plain)
    defaults, options = _defaults(plain), {}
    for part in filter(None, (part.strip() for part in rest.split(","))):
        key, _, value = (side.strip() for side in part.partition("="))
        catalog.choose(f"option of {plain}", key, sorted(defaults))
        options[key] = _value(f"{plain}.{key}", value, type(defaults[key]))
        if key in COMMON:
            options[key] = _number(f"{plain}.{key}", value) if key == "labels" else _canonical(options[key])
    return plain, options


def spell(name: str, options: dict[str, Any]) -> str:
    """A data set with options as one name; options that say nothing new are left out.

    Examples
    --------
    >>> spell("digits", {"transform": "se2", "copies": 1})
    'digits(transform=se2)'
    """
    known = _defaults(name)
    said = [f"{key}={value}" for key, value in sorted(options.items()) if value != known[key]]
    return f"{name}({', '.join(said)})" if said else name


def called(name: str | Path) -> tuple[str, str]:
    """A data set's name in tables, and where it lies if it is somebody's own, empty otherwise; both with options.

    Raises
    ------
    ValueError
        As `parse`, or own data that would go by the name of a set of the suite.

    Examples
    --------
    >>> called("toy()")
    ('toy', '')
    """
    plain, options = parse(name)
    if not _is_own(plain):
        return spell(plain, options), ""
    return spell(plain, options).replace(plain, _own.title(plain), 1), spell(plain, options)


def place(text: str | Path) -> str:
    """Where somebody's own data lie, in full: good from any folder. Options in brackets stay what they are."""
    text = os.fspath(text)
    return elsewhere.absolute(text) if elsewhere.is_one(text) else str(Path(text).expanduser().resolve())


def _is_own(plain: str) -> bool:
    if plain in catalog.names("dataset"):
        return False
    known = plain.endswith(_own.SUFFIXES) or elsewhere.is_one(plain) or set(plain) & {"/", os.sep}
    return bool(known) or Path(plain).exists()


def _defaults(plain: str) -> dict[str, Any]:
    """The options that a set has, and what they are where nothing is said."""
    function = _own.own if _is_own(plain) else catalog.get("dataset", plain)
    known = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in known if p.kind is p.KEYWORD_ONLY} | COMMON


def _value(name: str, text: str, kind: type) -> Any:
    try:
        return {"true": True, "false": False}[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        raise ValueError(f"{name}: got {text!r}, expected {kind.__name__}") from None


def _number(name: str, text: str) -> str:
    """One spelling of a number above zero: "100" of "1e2"."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf or (value > 1 and value != int(value)):
        raise ValueError(f"{name}: got {text!r}, expected a fraction up to 1, or a whole number of images")
    return f"{value:.12g}"


def _canonical(text: str) -> str:
    """One spelling of a shift: no spaces about its marks, numbers as short as they can be."""
    text = re.sub(r"\s*([:+|])\s*", r"\1", text.strip())
    number = r"(?<=[:-])0*(\d+)(?:\.0+|(\.\d*?[1-9])0*)?(?![\w.]|[^+|]*:)"  # in no factor's name: they end with ":"
    return re.sub(number, lambda match: match[1] + (match[2] or ""), text)
