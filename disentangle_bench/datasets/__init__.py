"""Data sets by name. A file of this folder without a leading underscore is a data set; nothing registers it."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from pathlib import Path
from typing import Any

from disentangle_bench import catalog

from . import _own
from ._factored import FactoredData
from ._names import COMMON, called, parse, place, spell
from ._shift import shifted

__all__ = ["FactoredData", "called", "fetch", "files", "load", "names", "outline", "parse", "place", "spell"]


def names() -> list[str]:
    """What `load` knows, sorted. Imports none of it."""
    return catalog.names("dataset")


def load(name: str | Path, data_dir: str | Path | None = None) -> FactoredData:
    """A data set by its name, or somebody's own by where it lies.

    Parameters
    ----------
    name : one of `names()`; or a .npz or HDF5 file, a folder with factors.csv, or "module:function" (see `_own.own`).
        With options in brackets: "digits(transform=se2)", and of every set `correlate` and `holdout` (see
        `_shift.shifted`): "dsprites(correlate=scale:posX:0.2)"; and `labels`, how many images a model may be told the
        factors of (see `_sampling.labelled`): "digits(labels=100)"
    data_dir : folder of downloaded files; by default the environment variable BENCH_DATA or the user's cache folder

    Raises
    ------
    ValueError
        Unknown name or option (the message holds the nearest valid one and all that exist), a damaged file, or data
        of somebody's own that are not as they should be (the message holds file, place and what was expected).

    Examples
    --------
    >>> load("toy").names
    ('shape', 'scale', 'posX', 'posY')
    >>> load("toy(holdout=shape:2)").shift
    'holdout=shape:2'
    """
    plain, options = parse(name)
    common = {key: options.pop(key) for key in COMMON if key in options}
    if plain in names():
        return _with(catalog.get("dataset", plain)(data_dir, **options), **common)
    return _with(_own.own(plain, **options), **common)


def module_of(name: str | Path) -> Any:
    """The module that a set of the suite is defined in; None for somebody's own. Raises as `parse`."""
    plain, _ = parse(name)
    return importlib.import_module(f"{__name__}.{plain}") if plain in names() else None


def outline(name: str | Path) -> FactoredData:
    """All of a data set but its images, without its files, as far as it is known without them; else the set itself.

    Raises
    ------
    ValueError
        As `load`; and whoever asks for images of an outline.
    """
    _, options = parse(name)
    if not hasattr(module := module_of(name), "outline"):
        return load(name)
    common = {key: options.pop(key) for key in COMMON if key in options}
    return _with(module.outline(**options), **common)


def fetch(name: str, data_dir: str | Path | None = None) -> Path:
    """Path of a data set's official file (or of the folder of several), downloaded if it is not in the data folder.

    Raises
    ------
    ValueError
        Unknown name, a set without a file, or a damaged file.
    ConnectionError
        The file cannot be downloaded.
    """
    (_, options), module = parse(name), module_of(name)
    if not hasattr(module, "fetch"):
        raise ValueError(f"data set {name!r} has no file to fetch: it is {'drawn' if module else 'your own'}")
    takes = inspect.signature(module.fetch).parameters  # a variant has a file of its own
    return module.fetch(data_dir, **{key: value for key, value in options.items() if key in takes})


def files(name: str | Path) -> tuple[Any, ...]:
    """The published files that a set needs under its options (`_download.File`); none for one that is drawn."""
    (_, options), module = parse(name), module_of(name)
    if hasattr(module, "files"):  # a variant has a file of its own
        return module.files(**{key: value for key, value in options.items() if key not in COMMON})
    return getattr(module, "FILES", ())


def _with(data: FactoredData, *, labels: str = "", **shift: str) -> FactoredData:
    """The set with what every set takes, refused by the name of the set, of which a plan may have several."""
    try:
        data = shifted(data, **shift)
        if labels:
            data.labelled(float(labels), seed=0)
    except ValueError as error:
        told = f"labels={labels}: " if str(error).startswith("labelled") else ""
        raise ValueError(f"{data.name}: {told}{error}") from None
    return dataclasses.replace(data, labels=float(labels)) if labels else data
