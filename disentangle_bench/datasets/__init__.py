"""Data sets by name. A file of this folder without a leading underscore is a data set; nothing registers it."""

from __future__ import annotations

from pathlib import Path

from disentangle_bench import catalog

from ._factored import FactoredData

__all__ = ["FactoredData", "fetch", "load", "names"]


def names() -> list[str]:
    """What `load` knows, sorted. Imports none of it."""
    return catalog.names("dataset")


def load(name: str, data_dir: str | Path | None = None) -> FactoredData:
    """A data set by its name.

    Parameters
    ----------
    name : one of `names()`
    data_dir : folder of downloaded files; by default the environment variable BENCH_DATA or the user's cache folder

    Raises
    ------
    ValueError
        Unknown name (the message holds the nearest valid one and all that exist), or a damaged file.

    Examples
    --------
    >>> load("toy").names
    ('shape', 'scale', 'posX', 'posY')
    """
    return catalog.get("dataset", name)(data_dir)


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
