"""The matrix files of NORB, packed with gzip: read some rows at a time.

Four bytes name the type, then come the number of dimensions, each of them (three numbers at least, whatever the number
of dimensions), and the values; all of it with the lowest byte first.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

TYPES = {0x1E3D4C55: np.dtype("u1"), 0x1E3D4C54: np.dtype("<i4")}


def matrix(path: Path, shape: tuple[int | None, ...], rows: int = 512) -> Iterator[np.ndarray]:
    """The matrix of a packed file, some rows at a time. Of a shape's None any number will do.

    Raises
    ------
    ValueError
        The file is damaged, or of another type or shape.
    """
    kind = np.dtype("u1") if len(shape) == 4 else np.dtype("<i4")
    try:
        with gzip.open(path) as file:
            magic, dimensions = _numbers(file, 2)
            if TYPES.get(magic) != kind:
                names = {number: f"{number:#x} ({held})" for number, held in TYPES.items()}
                wanted = next(names[number] for number, held in TYPES.items() if held == kind)
                raise ValueError(f"starts with {names.get(magic, f'{magic:#x}')}, expected {wanted}")
            got = tuple(_numbers(file, max(3, dimensions) if 0 < dimensions < 8 else 3)[:dimensions])
            if len(got) != len(shape) or min(got) < 1 or any(want not in (None, is_) for want, is_ in zip(shape, got)):
                raise ValueError(f"holds an array {got}, expected {tuple('any' if s is None else s for s in shape)}")
            for i in range(0, got[0], rows):
                part = (min(rows, got[0] - i), *got[1:])
                content = file.read(math.prod(part) * kind.itemsize)
                if len(content) != math.prod(part) * kind.itemsize:
                    raise ValueError(f"ends within rows {i:,} to {i + part[0]:,} of {got[0]:,}")
                yield np.frombuffer(content, kind).reshape(part)
            if file.read(1):  # at the end its checksum is compared
                raise ValueError(f"goes on behind its {got[0]:,} rows")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ValueError(
            f"{path} is no file of SmallNORB: {error}. Delete it or move it away, then run again."
        ) from error


def _numbers(file: Any, count: int) -> list[int]:
    content = file.read(4 * count)
    if len(content) != 4 * count:
        raise ValueError("ends within its first bytes")
    return np.frombuffer(content, "<i4").tolist()
