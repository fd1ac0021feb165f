"""What pages are made of: tables that readers can sort, and pictures that a page holds in itself."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ._frame import Frame
from .canvas import KINDS, save
from .glossary import number
from .tables import Board

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MIME = {
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".csv": "text/csv",
    ".md": "text/markdown",
}
NONE = "–"
HEAVY = 100_000  # bytes of a picture from which on the page takes a lighter version of it
MEGABYTE = 2**20


class Progress(NamedTuple):
    """What a long report tells."""

    stack: str
    share: float
    text: str


Watch = Callable[[Progress], None]


@dataclass(frozen=True)
class Table:
    """A table in text. The first `words` columns are words, all others numbers; `grey` are indices of rows of controls;
    a `folded` one is closed until a reader asks for it."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    grey: frozenset[int] = frozenset()
    folded: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture of the page. `src` is empty where the page had no room for it; then `file`, beside the page, has it."""

    src: str
    alt: str
    file: str
    inches: float = 0.0  # its width on paper; 0 for pixels as they are
    pixels: bool = False  # whether it is made of images, which need less room than lines of text


@dataclass
class Album:
    """Writes pictures into a folder and gives them to the page, as long as it stays light.

    Parameters
    ----------
    out : the folder
    kinds : of files that figures are written as, of "png", "svg", "pdf"
    room : megabytes of pictures that the page may hold; the others are named on it
    """

    out: Path
    kinds: Sequence[str] = ("png", "svg")
    room: float = 12.0
    left_out: list[str] = field(default_factory=list)
    stems: dict[str, int] = field(default_factory=dict)

    def figure(self, figure: Figure, stem: str, alt: str, *, pixels: bool = False) -> Picture:
        """Write a figure as stem.png, stem.svg ...; `pixels` where it is made of images, which are shown as a PNG.

        Where names that differ make the same stem ("beta=1", "beta=-1"), the later ones get a number.
        """
        self.stems[stem] = self.stems.get(stem, 0) + 1
        stem += f"-{self.stems[stem]}" if self.stems[stem] > 1 else ""
        wanted = "png" if pixels or "svg" not in self.kinds else "svg"
        drawn = [kind for kind in KINDS if kind in self.kinds and not (pixels and kind == "svg")]
        paths = {path.suffix[1:]: path for path in save(figure, self.out / stem, list(dict.fromkeys([*drawn, wanted])))}
        if wanted == "svg" and "png" in paths and paths["svg"].stat().st_size > HEAVY:
            wanted = "png"
        picture = self.add(paths[wanted], alt, float(figure.get_figwidth()), pixels)
        if wanted not in drawn and picture.src:  # it was drawn for the page alone
            paths[wanted].unlink()
        return picture

    def add(self, path: Path, alt: str, inches: float = 0.0, pixels: bool = False) -> Picture:
        """A picture that is there as a file; heavy pixels lose a little of themselves on the page."""
        src = embed(path) if path.suffix != ".png" or path.stat().st_size < HEAVY else _lighter(path)
        if len(src) > self.room * MEGABYTE:
            self.left_out.append(path.name)
            return Picture("", alt, path.name, inches, pixels)
        self.room -= len(src) / MEGABYTE
        return Picture(src, alt, path.name, inches, pixels)


@dataclass(frozen=True)
class Job:
    """What all sections are made of: the folder with the runs' files, its numbers, at milestones, too, a board a data
    set, where pictures go, and whom to tell how far it is."""

    folder: Path
    frame: Frame
    points: Frame
    boards: Sequence[Board]
    album: Album
    watch: Watch


def _lighter(path: Path) -> str:
    from PIL import Image

    held = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").save(held, "WEBP", quality=85, method=1)
    return _address(".webp", held.getvalue())


def embed(path: Path) -> str:
    """A file as a data: address, so that the page needs no other file."""
    return _address(path.suffix, path.read_bytes())


def _address(suffix: str, content: bytes) -> str:
    return f"data:{MIME.get(suffix, 'text/plain')};base64,{base64.b64encode(content).decode()}"


def slug(text: str) -> str:
    """A label as part of a file name.

    Examples
    --------
    >>> slug("betavae (beta=8)")
    'betavae-beta-8'
    """
    return re.sub(r"[^\w.]+", "-", text).strip("-")


def spread(items: list[str], most: int) -> list[str]:
    """At most so many of them, evenly from the first to the last.

    Examples
    --------
    >>> spread(["1", "2", "4", "6", "16"], 3)
    ['1', '4', '16']
    """
    if len(items) <= most:
        return items
    return [items[i] for i in np.linspace(0, len(items) - 1, most).round().astype(int)]


def digits(value: float, metric: str) -> str:
    """A value of a metric, or a dash where there is none."""
    return number(value, metric) if np.isfinite(value) else NONE


def share(value: float) -> str:
    """A number between 0 and 1, or a dash where there is none."""
    return f"{value:.2f}" if np.isfinite(value) else NONE


def span(low: float, high: float, told: Callable[[float], str]) -> str:
    """An interval in words, or a dash where there is none."""
    return f"{told(low)} to {told(high)}" if np.isfinite(low) and np.isfinite(high) else NONE


def table_of(rows: Iterable[Sequence[str]], caption: str, head: Sequence[str], **more: object) -> list[Table]:
    """One table, or none where there are no rows."""
    held = list(rows)
    return [Table(caption, head, held, **more)] if held else []  # type: ignore[arg-type]
