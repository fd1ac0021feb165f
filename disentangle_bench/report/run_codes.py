"""The codes that a run left beside the tables, as figures of single runs need them."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..metrics._information import discretise, entropy, mutual_information, share

HELD = ("mean", "factors", "names", "blocks", "periods", "label", "clusters")


@dataclass(frozen=True)
class RunCodes:
    """Codes of some images and what is true of these; rows agree."""

    codes: NDArray[np.float64]  # (n, d)
    factors: NDArray[np.float64]  # (n, f) those that vary; classes, or values where they are continuous
    names: tuple[str, ...]  # of the factors
    units: tuple[str, ...]  # of the columns of codes: "z_c1"
    periods: tuple[float, ...]  # of cyclic factors, 0 for the others
    label: str  # the factor that is the class, "" if none
    clusters: NDArray[np.int64] | None  # (n,) the model's own

    def some(self, most: int) -> RunCodes:
        """A random choice of so many rows, always the same; all where there are no more."""
        if len(self.codes) <= most:
            return self
        rows = np.random.default_rng(0).choice(len(self.codes), most, replace=False)
        clusters = None if self.clusters is None else self.clusters[rows]
        return replace(self, codes=self.codes[rows], factors=self.factors[rows], clusters=clusters)

    @property
    def classes(self) -> NDArray[np.float64] | None:
        """(n,) the label of each row; None where there is none, or one alone."""
        return self.factors[:, self.names.index(self.label)] if self.label in self.names else None


def read_arrays(path: Path, names: Collection[str] = ()) -> dict[str, NDArray] | None:
    """The arrays of a .npz file, or those of these names that it has; None if there is no such file.

    Raises
    ------
    ValueError
        A file that is damaged.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return {name: file[name] for name in file.files if not names or name in names}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}): move it away to report without it") from None


def read_codes(folder: Path, run: str, most: int = 10_000) -> RunCodes | None:
    """The first rows of a run's codes.npz; None where it left none, or codes or factors that do not vary at all."""
    held = read_arrays(folder / "runs" / run / "codes.npz", HELD)
    if held is None:
        return None
    codes = np.asarray(held["mean"][:most], float)
    factors = np.asarray(held["factors"][:most], float)
    vary = np.flatnonzero((factors != factors[:1]).any(axis=0))
    if not len(vary) or not np.isfinite(codes).all() or not (codes != codes[:1]).any():
        return None
    blocks = json.loads(str(held["blocks"])) if "blocks" in held else {}
    units = [f"{name}{i}" for name, width in blocks.items() for i in range(1, width + 1)]
    if len(units) != codes.shape[1]:
        units = [f"z{i}" for i in range(1, codes.shape[1] + 1)]
    periods = np.asarray(held.get("periods", np.zeros(factors.shape[1])), float)
    return RunCodes(
        codes,
        factors[:, vary],
        tuple(str(held["names"][i]) for i in vary),
        tuple(units),
        tuple(float(periods[i]) for i in vary),
        str(held.get("label", "")),
        held["clusters"][:most] if "clusters" in held else None,
    )


def classes_of(factors: NDArray[np.float64], bins: int = 10) -> NDArray[np.int64]:
    """Factors as integers: each value a class of its own, or equal-width bins where there are more than 100 values."""
    columns = []
    for column in factors.T:
        values, index = np.unique(column, return_inverse=True)
        columns.append(index if len(values) <= 100 else discretise(column[:, None], bins)[:, 0])
    return np.stack(columns, axis=1)


def information(held: RunCodes, bins: int = 20) -> NDArray[np.float64]:
    """I(z_d; v_k) / H(v_k), (d, f) in [0, 1]: how much of each factor each unit alone knows, as `mig` counts it."""
    classes = classes_of(held.factors)
    return np.clip(share(mutual_information(discretise(held.codes, bins), classes), entropy(classes)), 0, 1)
