"""An array of images in a zipped .npz file, read piece by piece: it may be larger than memory. Nothing is unpickled."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np


def blocks(path: str | Path, key: str, shape: tuple[int, ...], rows: int, what: str) -> Iterator[np.ndarray]:
    """The uint8 array of this key and shape, `rows` rows at a time: (m, ...) uint8.

    Raises
    ------
    ValueError
        The file has no such array, or is damaged; the message calls it no `what` file.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as file:
            readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            got, fortran, dtype = readers[np.lib.format.read_magic(file)](file)
            if (got, fortran, dtype) != (shape, False, np.uint8):
                raise ValueError(f"{key} is {got} {dtype}{' in Fortran order' * fortran}, expected {shape} uint8")
            for i in range(0, shape[0], rows):
                part = (min(rows, shape[0] - i), *shape[1:])
                content = file.read(math.prod(part))
                if len(content) != math.prod(part):
                    raise ValueError(f"{key} ends in row {i + len(content) // math.prod(shape[1:]):,} of {shape[0]:,}")
                yield np.frombuffer(content, np.uint8).reshape(part)
            if file.read(1):  # at the end the archive's own checksum is compared
                raise ValueError(f"{key} goes on behind its last row")
    except (KeyError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is no {what} file: {error}. Delete it or move it away, then run again.") from error
