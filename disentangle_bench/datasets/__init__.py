"""Data sets by name. A file of this folder without a leading underscore is a data set; nothing registers it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from disentangle_bench import catalog

from ._factored import FactoredData

__all__ = ["FactoredData", "fetch", "load", "names", "parse", "spell"]


def names() -> list[str]:
    """What `load` knows, sorted. Imports none of it."""
    return catalog.names("dataset")


def load(name: str, data_dir: str | Path | None = None) -> FactoredData:
    """A data set by its name.

    Parameters
    ----------
    name : one of `names()`, with options in brackets where it has any: "digits(transform=se2)"
    data_dir : folder of downloaded files; by default the environment variable BENCH_DATA or the user's cache folder

    Raises
    ------
    ValueError
        Unknown name or option (the message holds the nearest valid one and all that exist), or a damaged file.

    Examples
    --------
    >>> load("toy").names
    ('shape', 'scale', 'posX', 'posY')
    """
    plain, options = parse(name)
    return catalog.get("dataset", plain)(data_dir, **options)


def parse(name: str) -> tuple[str, dict[str, Any]]:
    """A data set's plain name and its options, refused by name if they are unknown or of the wrong type.

    Examples
    --------
    >>> parse("digits(copies=2, transform=se2)")
    ('digits', {'copies': 2, 'transform': 'se2'})
    """
    plain, _, rest = name.partition("(")
    plain = catalog.choose("dataset", plain.strip())
    known = inspect.signature(catalog.get("dataset", plain)).parameters.values()
    defaults = {p.name: p.default for p in known if p.kind is p.KEYWORD_ONLY}
    options = {}
    for part in filter(None, (part.strip() for part in rest.removesuffix(")").split(","))):
        key, _, value = (side.strip() for side in part.partition("="))
        catalog.choose(f"option of {plain}", key, sorted(defaults))
        kind = type(defaults[key])
        try:
            options[key] = kind(value)
        except ValueError:
            raise ValueError(f"{plain}.{key}: got {value!r}, expected {kind.__name__}") from None
    return plain, options


def spell(name: str, options: dict[str, Any]) -> str:
    """A data set with options as one name; options that say nothing new are left out.

    Examples
    --------
    >>> spell("digits", {"transform": "se2", "copies": 1})
    'digits(transform=se2)'
    """
    known = inspect.signature(catalog.get("dataset", catalog.choose("dataset", name))).parameters
    said = [f"{key}={value}" for key, value in sorted(options.items()) if value != known[key].default]
    return f"{name}({', '.join(said)})" if said else name


def fetch(name: str, data_dir: str | Path | None = None) -> Path:
    """Path of a data set's official file, downloaded if it is not in the data folder.

    Raises
    ------
    ValueError
        Unknown name, a set without a file, or a damaged file.
    ConnectionError
        The file cannot be downloaded.
    """
    import importlib

    module = importlib.import_module(f"{__name__}.{catalog.choose('dataset', name)}")
    if not hasattr(module, "fetch"):
        raise ValueError(f"data set {name!r} has no file to fetch: it is drawn")
    return module.fetch(data_dir)
