"""A file of codes: what it holds, and the blocks that its columns fall into."""

from __future__ import annotations

import dataclasses
import errno
import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import catalog
from ..schema import ALL, SPLITS
from . import splits
from .store import save_arrays

EACH = "each"  # every block that is not the whole code
DAMAGED = (OSError, ValueError, AttributeError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)  # of np.load
REFUSED = errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE, errno.ETIMEDOUT


@dataclass(frozen=True)
class CodeFile:
    """What `codes.npz` holds."""

    codes: np.ndarray  # (n, d)
    factors: np.ndarray  # (n, f)
    names: tuple[str, ...]  # of the factors
    label: str = ""  # the factor that is the class; empty if none
    clusters: np.ndarray | None = None  # (n,) the model's own assignment
    kind: str = "as given"  # or "mean", of the posterior
    sd: np.ndarray | None = None  # (n, d) of the posterior, 0 for units without noise; None where there is none
    periods: np.ndarray | None = None  # (f,) after which a cyclic factor repeats; 0 for the others
    blocks: Mapping[str, int] = field(default_factory=dict)  # names and widths, in the order of columns
    split: str = ALL  # of the images, one of `schema.SPLITS`
    shift: str = ""  # how the images that training drew differ from all, in words; empty if they do not

    @property
    def noise(self) -> np.ndarray | None:
        """The posterior's deviations, if every unit has one."""
        return self.sd if self.sd is not None and bool((self.sd > 0).all()) else None

    @property
    def cyclic(self) -> dict[int, float]:
        """Period by position among the factors that vary."""
        at = {} if self.periods is None else {i: float(self.periods[k]) for i, k in enumerate(counted(self))}
        return {i: period for i, period in at.items() if period > 0}

    def first(self, n: int) -> CodeFile:
        """The first n rows, or all if there are fewer."""
        arrays = {name: getattr(self, name) for name in ("codes", "factors", "clusters", "sd")}
        return dataclasses.replace(self, **{name: array[:n] for name, array in arrays.items() if array is not None})

    def part(self, block: str) -> CodeFile:
        """The columns of one block alone, or of several ("z_c+z"). The model's own clusters go by the whole code."""
        if block == ALL:
            return self
        stops = dict(zip(self.blocks, np.cumsum(list(self.blocks.values())).tolist()))
        spans = [(stops[name] - width, stops[name]) for name, width in self.blocks.items() if name in block.split("+")]
        columns = np.concatenate([np.arange(*span) for span in spans])
        told = ", ".join(f"{low + 1}-{high}" if high > low + 1 else f"{high}" for low, high in spans)
        return dataclasses.replace(
            self,
            codes=self.codes[:, columns],
            sd=None if self.sd is None else self.sd[:, columns],
            clusters=None,
            kind=f"{self.kind}, block {block} (columns {told} of {self.codes.shape[1]})",
            blocks={},
        )


def counted(held: CodeFile) -> list[int]:
    """Columns of factors that vary; a factor with one value is left out, and the convention shows it."""
    return [i for i, column in enumerate(held.factors.T) if (column != column[0]).any()]


def words(asked: str | Iterable[str]) -> list[str]:
    """What `--blocks` or a study names, none twice: blocks, sums of them, "each".

    Examples
    --------
    >>> words("z_c, z_c + z, z_c")
    ['z_c', 'z_c+z']
    """
    parts = [word for text in ([asked] if isinstance(asked, str) else asked) for word in text.split(",")]
    found = ["+".join(dict.fromkeys(name.strip() for name in word.split("+"))) for word in parts if word.strip()]
    return [word for word in dict.fromkeys(found) if word != ALL]  # all units are scored anyway


def chosen(asked: Iterable[str], blocks: Mapping[str, int]) -> list[str]:
    """The blocks that these words stand for in one code; those that it lacks are left out."""
    each = [name for name, width in blocks.items() if width < sum(blocks.values())]
    found = [name for word in asked for name in (each if word == EACH else [word])]
    return [name for name in dict.fromkeys(found) if set(name.split("+")) <= set(blocks)]


def lacking(asked: Iterable[str], codes: Sequence[Mapping[str, int]]) -> str:
    """What is wrong with words that stand for no block of any of these codes; empty if nothing is."""
    known = list(dict.fromkeys(name for blocks in codes for name in blocks))
    for word in asked if codes else []:
        if any(chosen([word], blocks) for blocks in codes):
            continue
        if word == EACH or not known:
            return f"--blocks {word}: the whole code is the only block here"
        try:
            for name in word.split("+"):
                catalog.choose("block", name, known)
        except ValueError as error:
            return f"--blocks {word}: {error}"
        return f"--blocks {word}: no code has all of these blocks"
    return ""


def write_codes(
    path: Path,
    arrays: Mapping[str, np.ndarray],
    data: Any,
    rows: np.ndarray,
    blocks: Mapping[str, int],
    facts: Mapping[str, float],
    split: str = ALL,
) -> None:
    """Write codes (`mean`, `sd`, perhaps `clusters`) of these rows of a data set, with all that scoring needs of it."""
    about = {
        "rows": rows,
        "factors": data.table[rows],
        "names": np.array(data.names),
        "periods": np.array(data.periods),
        "label": np.array(data.label or ""),
        "blocks": np.array(json.dumps(dict(blocks))),
        "facts": np.array(json.dumps(dict(facts))),
    }
    if shift := splits.shift(data):
        about |= {"split": np.array(split), "shift": np.array(shift)}
    save_arrays(splits.file(path, split), {**arrays, **about})


def readable(path: Path) -> bool:
    """Whether a run's codes are there and end as they should, those of its splits too; arrays are left to be checked
    when they are read. Raises OSError where the system does not let them be looked at, which says nothing of them."""
    try:
        for file in splits.files(path).values():
            with zipfile.ZipFile(file) as held:
                if not {"mean.npy", "factors.npy"} <= set(held.namelist()):
                    return False
    except (OSError, zipfile.BadZipFile) as error:
        _refused(error)
        return False
    return True


def read_codes(path: str | Path, factors: str | Path | None = None) -> CodeFile:
    """Codes from a .npz with `codes` (or `mean`) and `factors`; all else that `CodeFile` names is optional.

    Factors may lie in a file of their own. Raises ValueError naming file and key when something is missing, and OSError
    where the system does not let it be read.
    """
    held = _arrays(path)
    if factors is not None:
        held["factors"] = _arrays(factors).get("factors", np.empty(0))
    kind = "as given" if "codes" in held else "mean"
    codes = held.pop("codes", held.pop("mean", None))
    if codes is None:
        raise ValueError(f"{path}: no array `codes` (or `mean`); it holds {', '.join(sorted(held)) or 'nothing'}")
    table = held.pop("factors", None)
    if table is None or table.ndim != 2 or not table.size:
        got = "" if table is None else f", got {table.shape}"
        raise ValueError(
            f"{factors or path}: no array `factors` of shape (n, f){got}; give one with --factors FILE.npz"
        )
    if "label" in held and held["label"].ndim:
        raise ValueError(f"{path}: `label` must be the name of the factor that is the class, got an array of labels")
    names = tuple(map(str, held.pop("names", [f"factor{i}" for i in range(table.shape[1])])))
    label, clusters = str(held.pop("label", "")), held.pop("clusters", None)
    if len(names) != table.shape[1]:
        raise ValueError(f"{path}: {len(names)} `names` for {table.shape[1]} columns of factors")
    if label and label not in names:
        raise ValueError(f"{path}: `label` is {label!r}, expected one of {', '.join(names)}")
    sd, periods = held.pop("sd", None), held.pop("periods", None)
    if sd is not None and sd.shape != codes.shape:
        raise ValueError(f"{path}: `sd` has shape {sd.shape}, the codes {codes.shape}")
    if sd is not None and (sd < 0).any():
        raise ValueError(f"{path}: `sd` must not be negative, got {sd.min():g}: are these logarithms?")
    if periods is not None and periods.shape != (table.shape[1],):
        raise ValueError(f"{path}: `periods` has shape {periods.shape}, expected one a factor, ({table.shape[1]},)")
    try:
        blocks = _blocks(str(held.pop("blocks", "{}")), codes.shape)
    except ValueError as error:
        raise ValueError(f"{path}: `blocks` {error}") from None
    split, shift = str(held.pop("split", ALL)), str(held.pop("shift", ""))
    if split not in SPLITS:
        raise ValueError(f"{path}: `split` is {split!r:.60}, expected one of {', '.join(SPLITS)}")
    return CodeFile(codes, table, names, label, clusters, kind, sd, periods, blocks, split, shift)


def read_text(path: Path, key: str) -> str:
    """A text of a file of codes, without its arrays; empty where it has none or is not readable."""
    try:
        with np.load(path, allow_pickle=False) as held:
            return str(held[key]) if key in held.files else ""
    except DAMAGED:
        return ""


def _arrays(path: str | Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except DAMAGED as error:
        _refused(error)
        raise ValueError(f"{path}: expected a readable .npz file, got {type(error).__name__}") from None


def _refused(error: Exception) -> None:
    """Raise what the system says of itself, and not of a file: nothing may be removed for it."""
    if isinstance(error, OSError) and error.errno in REFUSED:
        raise error


def _blocks(text: str, shape: tuple[int, ...]) -> dict[str, int]:
    """Names and widths, without blocks of no width."""
    try:
        held = json.loads(text)
    except ValueError:
        held = None
    if not isinstance(held, dict) or not all(type(width) is int and width >= 0 for width in held.values()):
        raise ValueError(f'must be a JSON text of names and widths, such as {{"z": 10}}, got {text!r:.60}')
    if held and sum(held.values()) != shape[-1]:
        raise ValueError(f"are {sum(held.values())} columns, the codes have {shape[-1]}")
    for name in held:
        if name in ("", ALL, EACH) or set(name) & set("+,[]{}"):
            raise ValueError(f"cannot have the name {name!r}: not empty, {ALL} or {EACH}, and none of + , [ ] {{ }}")
    return {name: width for name, width in held.items() if width}
