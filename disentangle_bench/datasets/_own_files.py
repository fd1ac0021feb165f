"""Readers of own data: what a file, a folder or a function gives, as it is, with words for every place in it."""

from __future__ import annotations

import csv
import logging
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

KEYS = ("images", "factors", "names", "kinds", "label")
TABLE = "factors.csv"
DAMAGED = (OSError, ValueError, AttributeError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Given:
    """Images and factors as they were given, of which nothing has been checked but the keys."""

    where: str
    images: Any  # an array, or what can be read from like one: shape, dtype, slices of rows
    factors: np.ndarray
    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    label: str = ""
    files: tuple[str, ...] | None = None  # of a folder: an image each, in the order of the table's lines

    def at(self, key: str, row: Any = None, column: Any = None) -> str:
        """A place in words: file, key, row and column, counted from 0; in a table file and line, counted from 1."""
        if self.files is not None and key == "images" and row is not None:
            return f"{self.where}: line {row + 2} of {TABLE}, {self.files[row]}"
        if self.files is not None and key == "names":
            return f"{self.where}/{TABLE}, line 1"
        if self.files is not None:
            told = [f"{self.where}/{TABLE}"] + ([] if row is None else [f"line {row + 2}"])
            return ", ".join(told + ([] if column is None else [f"column {self.names[column]!r}"]))
        told = [f"{self.where}, `{key}`"] + ([] if row is None else [f"row {row}"])
        return ", ".join(told + ([] if column is None else [f"column {column}"]))


def given(where: str, held: Mapping[str, Any]) -> Given:
    """What a mapping with the keys `images`, `factors` and perhaps `names`, `kinds`, `label` holds.

    Raises
    ------
    ValueError
        A key is missing, or holds Python objects, which are not read.
    """
    for key in KEYS[:2]:
        if key not in held:
            raise ValueError(f"{where}: no `{key}`; it holds {', '.join(sorted(map(str, held))) or 'nothing'}")
    if aside := sorted(set(map(str, held)) - set(KEYS)):
        logging.getLogger("disentangle_bench").warning(
            "%s: %s left aside; of use are %s", where, ", ".join(aside), ", ".join(KEYS)
        )
    images, factors = held["images"], np.asarray(held["factors"])
    if not isinstance(getattr(images, "dtype", None), np.dtype):  # lists, tensors
        images = np.asarray(images)
    label = np.asarray(held.get("label", ""))
    if label.ndim or label.dtype.kind != "U":
        raise ValueError(
            f"{where}, `label`: got {label.shape} {label.dtype}, expected the name of the factor that is the class"
        )
    texts = {key: _texts(where, key, held.get(key, ())) for key in ("names", "kinds")}
    return Given(where, images, factors, **texts, label=str(label))


def npz(path: Path) -> Given:
    """A .npz file; Python objects (pickle) in it are refused."""
    held, at = {}, ""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            for key in archive.files:
                at = f", `{key}`"
                held[key] = archive[key] if key in KEYS else None
    except DAMAGED as error:
        raise ValueError(f"{path}{at}: expected an undamaged .npz file, without Python objects; {error}") from error
    return given(str(path), held)


def hdf5(path: Path) -> Given:
    """An HDF5 file with the same keys as data sets at its top; images stay in the file."""
    import h5py

    try:
        file = h5py.File(path, "r")
        held = dict(file.items())
        for key in set(held) & set(KEYS):
            if not isinstance(held[key], h5py.Dataset):
                raise ValueError(f"{path}, `{key}`: got a {type(held[key]).__name__}, expected a data set")
            if key != "images":
                text = h5py.check_string_dtype(held[key].dtype)
                held[key] = np.asarray(held[key].asstr()[()], dtype=str) if text else held[key][()]
    except (OSError, KeyError, RuntimeError) as error:
        raise ValueError(f"{path}: expected an undamaged HDF5 file; {error}") from error
    return given(str(path), held)


def folder(path: Path) -> Given:
    """A folder of images and `factors.csv`: a line an image, a column `file`, and a column of numbers a factor."""
    table = path / TABLE
    if not table.is_file():
        raise ValueError(f"{path}: no {TABLE} in it; expected one with a column `file` and a column a factor")
    try:
        with table.open(encoding="utf-8-sig", newline="") as lines:
            header, *rows = list(csv.reader(lines)) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{table}: expected text in UTF-8 with commas; {error}") from error
    header = [name.strip() for name in header]
    while rows and not rows[-1]:  # empty lines at the end
        rows.pop()
    if header.count("file") != 1 or len(header) < 2:
        raise ValueError(
            f"{table}: expected a column `file` and a column a factor, got {', '.join(header) or 'nothing'}"
        )
    files, factors, at = [], np.empty((len(rows), len(header) - 1)), header.index("file")
    names = tuple(header[:at] + header[at + 1 :])
    for i, row in enumerate(rows):
        if len(row) != len(header):
            raise ValueError(
                f"{table}, line {i + 2}: got {len(row)} fields, expected {len(header)} ({', '.join(header)})"
            )
        files.append(row[at])
        for j, text in enumerate(row[:at] + row[at + 1 :]):
            try:
                factors[i, j] = float(text)
            except ValueError:
                raise ValueError(
                    f"{table}, line {i + 2}, column {names[j]!r}: got {text!r}, expected a number (classes are "
                    "0 ... n - 1)"
                ) from None
    lines_of = {}
    for i, name in enumerate(files):
        if (first := lines_of.setdefault(name, i)) != i:
            raise ValueError(f"{table}, line {i + 2}: {name} again, first in line {first + 2}")
    return Given(str(path), _pictures(path, files), factors, names, files=tuple(files))


def _pictures(path: Path, files: list[str]) -> np.ndarray:
    """(n, h, w, 1 or 3) uint8: all the images, which must be alike in size and colour."""
    from PIL import Image

    modes = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB"}
    images, first = np.empty((0, 1, 1, 1), np.uint8), ("", (0, 0))
    for i, name in enumerate(files):
        at = f"{path}: line {i + 2} of {TABLE}, {name}"
        if not (path / name).is_file():
            raise ValueError(f"{at}: no such file")
        try:
            with Image.open(path / name) as image:
                if image.mode not in modes:
                    raise ValueError(f"{at}: its mode is {image.mode}, expected grey or RGB with eight bits a channel")
                kind = modes[image.mode], image.size
                if not i:
                    first, depth = kind, 1 if kind[0] == "L" else 3
                    images = np.empty((len(files), image.height, image.width, depth), np.uint8)
                elif kind != first:
                    raise ValueError(f"{at}: {_words(kind)}, expected {_words(first)} as in {files[0]}")
                images[i] = np.asarray(image.convert(kind[0])).reshape(images.shape[1:])
        except (OSError, SyntaxError) as error:
            raise ValueError(f"{at}: expected an undamaged image; {error}") from error
    return images


def _words(kind: tuple[str, tuple[int, int]]) -> str:
    mode, (width, height) = kind
    return f"{height} x {width} pixels (height x width), {'grey' if mode == 'L' else 'RGB'}"


def _texts(where: str, key: str, value: Any) -> tuple[str, ...]:
    texts = np.asarray(value)
    if texts.size and (texts.ndim != 1 or texts.dtype.kind != "U"):
        raise ValueError(f"{where}, `{key}`: got {texts.shape} {texts.dtype}, expected (f,) texts, one a factor")
    return tuple(map(str, texts))
