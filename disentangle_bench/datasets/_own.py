"""Somebody's own images and factors: from a .npz or HDF5 file, a folder with factors.csv, or a Python function."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from disentangle_bench import catalog, elsewhere

from . import _own_files, _own_images
from ._consistent import KINDS
from ._factored import FactoredData
from ._moved import LEVELS
from ._own_files import Given

SUFFIXES = (".npz", ".h5", ".hdf5")
MARKS = ",:;+*|=()[]{}"  # of options, of settings and of the words that scores are told in


def own(where: str, *, label: str = "", kinds: str = "") -> FactoredData:
    """Images of one size with a row of factors each, called after the file, the folder or the function.

    Whole numbers are classes, 0 ... n - 1, in order; a column with any other number is continuous. The classes of a
    cyclic factor are evenly spaced over a full turn. Images below a gibibyte are kept in memory, larger HDF5 files are
    read from when images are asked for. Floats are rounded to bytes.

    Parameters
    ----------
    where : a .npz or .h5 file with `images`, (n, h, w) or (n, h, w, 1 or 3), uint8 or floats in [0, 1], `factors`
        (n, f), and perhaps `names` (f,), `kinds` (f,) and `label`; a folder with `factors.csv`, a column `file` and
        one a factor; or "module:function", which returns a `FactoredData` or a mapping with these keys
    label : the factor that is the class; empty: as the file says
    kinds : "hue:cyclic+angle:continuous"; empty: as the file says

    Returns
    -------
    FactoredData; `source` is "own" and the start of `sha256`, which is over images, factors and all that is said of
    them: not over where they lie, or in which form

    Raises
    ------
    ValueError
        Anything that is not so; the message holds the file, the place in it, what was got and what was expected.
    """
    given = _given(where)
    if isinstance(given, FactoredData):
        if label or kinds:
            raise ValueError(f"{where}: label and kinds are those of the FactoredData that it returns")
        return _named(given, where, _hash(given))
    factors = _factors(given)
    names = _factor_names(given, factors.shape[1])
    chosen = _kinds(given, kinds, names, factors)
    if not np.ptp(factors, axis=0).any():
        raise ValueError(f"{given.at('factors')}: each has a single value, so there is nothing to find out about them")
    columns = [_column(given, i, names[i], chosen[i], column) for i, column in enumerate(factors.T)]
    label = label or given.label
    if label:
        catalog.choose(f"label in {given.where}:", label, [n for n, kind in zip(names, chosen) if kind != "continuous"])
    about = {"names": names, "kinds": chosen, "label": label}
    held = hashlib.sha256(json.dumps(about).encode() + factors.astype("<f8").tobytes())
    pixels = _own_images.read(given, len(factors), held)
    classes = np.stack([column for column, _ in columns], axis=1).astype(np.int32)
    values = [level[column] for column, level in zip(classes.T, (level for _, level in columns))]
    exact = np.where([kind == "continuous" for kind in chosen], factors, np.stack(values, axis=1))
    data = FactoredData(
        "own",
        pixels,
        classes,
        tuple(level for _, level in columns),
        names,
        chosen,
        "own",
        held.hexdigest(),
        label=label or None,
        exact=exact if "continuous" in chosen else None,
    )
    return _named(data, where, data.sha256)


def title(where: str) -> str:
    """What own data are called in tables: their file without its ending, their folder or function.

    Raises
    ------
    ValueError
        A set of the suite has this name; or there is nothing.

    Examples
    --------
    >>> title("data/Faces 2 (small).npz"), title("folder/mine:faces")
    ('Faces-2-small', 'faces')
    """
    path = Path(where)
    stem = where.rpartition(":")[2] if elsewhere.is_one(where) else path.name
    for suffix in SUFFIXES:
        stem = stem.removesuffix(suffix)
    name = re.sub(r"[^\w.-]+", "-", stem).strip("-.") or "own"
    if name in catalog.names("dataset"):
        _exists(where)
        raise ValueError(f"{where}: tables could not tell it from the suite's own {name!r}; rename it, say my-{name}")
    return name


def _given(where: str) -> Given | FactoredData:
    path = Path(where)
    if elsewhere.is_one(where):
        return _called(where)
    if path.is_dir():
        return _own_files.folder(path)
    _exists(where)
    readers = {".npz": _own_files.npz, ".h5": _own_files.hdf5, ".hdf5": _own_files.hdf5}
    if path.suffix not in readers:
        raise ValueError(f"{where}: expected a .npz, .h5 or .hdf5 file, a folder with factors.csv, or module:function")
    return readers[path.suffix](path)


def _exists(where: str) -> None:
    if not elsewhere.is_one(where) and not Path(where).exists():
        name = Path(where).name
        hint = f"; --dataset {name} is one of the suite's" if name in catalog.names("dataset") else ""
        raise ValueError(f"{where}: no such file or folder{hint}")


def _called(where: str) -> Given | FactoredData:
    function = elsewhere.find(where)
    if not callable(function):
        raise ValueError(f"{where}: expected a function, got {type(function).__name__}")
    try:
        made = function()
    except Exception as error:  # whatever a stranger's function does wrong
        raise ValueError(f"{where}: it failed, called without arguments: {type(error).__name__}: {error}") from error
    if isinstance(made, FactoredData):
        return made
    if not isinstance(made, Mapping):
        raise ValueError(
            f"{where}: returned {type(made).__name__}, expected FactoredData or a mapping with images and factors"
        )
    return _own_files.given(where, dict(made))


def _factors(given: Given) -> np.ndarray:
    """(n, f) float64, finite, as many rows as images."""
    factors = given.factors
    if factors.ndim != 2 or not factors.size or factors.dtype.kind not in "biuf":
        hint = "; one factor is factors[:, None]" if factors.ndim == 1 else ""
        raise ValueError(
            f"{given.at('factors')}: got {factors.shape} {factors.dtype}, expected (n, f) integers or floats{hint}"
        )
    if (n := _own_images.shape_of(given)[0]) != len(factors):
        raise ValueError(f"{given.where}: `images` has {n:,} rows, `factors` {len(factors):,}; expected one each")
    factors = factors.astype(np.float64)
    for row, column in np.argwhere(~np.isfinite(factors))[:1]:
        raise ValueError(f"{given.at('factors', row, column)}: got {factors[row, column]}, expected a finite number")
    return factors


def _factor_names(given: Given, f: int) -> tuple[str, ...]:
    names = given.names or tuple(f"factor{i}" for i in range(f))
    if len(names) != f:
        raise ValueError(f"{given.at('names')}: got {len(names)}, expected {f}, one a column of `factors`")
    for i, name in enumerate(names):
        if not name.strip() or set(name) & set(MARKS) or name in names[:i]:
            raise ValueError(
                f"{given.at('names', i)}: got {name!r}, expected a name of its own a factor, without any of {MARKS}"
            )
    return names


def _kinds(given: Given, asked: str, names: tuple[str, ...], factors: np.ndarray) -> tuple[str, ...]:
    """Kinds as asked for, as the file says, or by what the numbers are."""
    if given.kinds and len(given.kinds) != len(names):
        raise ValueError(
            f"{given.at('kinds')}: got {len(given.kinds)}, expected {len(names)}, one a column of `factors`"
        )
    whole = (factors == np.rint(factors)).all(0)
    kinds = dict(zip(names, given.kinds or ["ordered" if one else "continuous" for one in whole]))
    for part in filter(None, asked.split("+")):
        name, _, kind = (word.strip() for word in part.partition(":"))
        kinds[catalog.choose(f"factor in kinds={asked}:", name, list(names))] = kind
    for name, kind in kinds.items():
        catalog.choose(f"kind of {name} in {given.where}:", kind, list(KINDS))
    return tuple(kinds.values())


def _column(given: Given, i: int, name: str, kind: str, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A factor's classes (n,), and what each of them stands for."""
    if kind == "continuous":
        edges = np.linspace(values.min(), values.max(), LEVELS + 1)
        return np.clip(np.digitize(values, edges) - 1, 0, LEVELS - 1), (edges[1:] + edges[:-1]) / 2
    for row in np.flatnonzero(values != np.rint(values))[:1]:
        raise ValueError(
            f"{given.at('factors', row, i)}: got {values[row]:g} for {name!r}, which is {kind}: expected whole numbers"
        )
    known = np.unique(values)
    size = len(known)
    for at in np.flatnonzero(known != np.arange(size))[:1]:
        row = int(np.flatnonzero(values == known[at])[0])
        raise ValueError(
            f"{given.at('factors', row, i)}: got {known[at]:g} for {name!r}, whose {size} different values should be "
            f"the classes 0 ... {size - 1}. Number them with "
            f"factors[:, {i}] = np.unique(factors[:, {i}], return_inverse=True)[1], or say that it is continuous"
        )
    level = np.arange(size, dtype=float)
    if kind == "cyclic":
        if size < 2:
            raise ValueError(f"{given.at('factors', 0, i)}: {name!r} is cyclic, but has one value")
        level *= 2 * np.pi / size
    return values, level


def _named(data: FactoredData, where: str, sha256: str) -> FactoredData:
    return dataclasses.replace(data, name=title(where), source=f"own {sha256[:8]}", sha256=sha256)


def _hash(data: FactoredData) -> str:
    """Of all that training and scoring see of a set that somebody made: images, factors, and what is said of them."""
    about = [data.names, data.kinds, data.label, data.fit, data.shape, data.packed, data.shift]
    levels = [np.asarray(level, float).tolist() for level in data.levels]
    held = hashlib.sha256(json.dumps([*about, levels]).encode())
    arrays = data.factors, data.exact, data.home, data.weight, data.originals
    for i, array in enumerate(arrays):
        if array is not None:
            held.update(f"{i} {array.shape}".encode())
            held.update(array.astype("<f8").tobytes())  # one hash, whatever integers a machine takes
    for rows in np.split(np.arange(len(data)), range(_own_images.TOGETHER, len(data), _own_images.TOGETHER)):
        held.update(np.ascontiguousarray(data.pixels[rows]).tobytes())
    return held.hexdigest()
