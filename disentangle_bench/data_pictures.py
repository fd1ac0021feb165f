"""A data set at a glance: images as training draws them, and what each factor alone changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .report.pictures import mosaic
from .rng import stream

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .datasets import FactoredData

COLUMNS, SAMPLES = 12, 3  # images a row; rows of samples
LEAST = 32  # pixels that an image is drawn with at least, each way


def save(data: FactoredData, title: str, path: Path) -> None:
    """Write the picture, under another name first; the suffix says the format.

    Raises
    ------
    ValueError
        The folder does not exist, or the suffix is none of a picture.
    """
    if not path.parent.is_dir():
        raise ValueError(f"--out {path}: no folder {path.parent}")
    figure = picture(data, title)
    known = sorted(figure.canvas.get_supported_filetypes())
    kind = path.suffix[1:].lower()
    if kind not in known:
        raise ValueError(f"--out {path}: got suffix {path.suffix!r}, expected one of {', '.join(known)}")
    half = path.with_name(f".{path.name}.part")
    try:
        figure.savefig(half, format=kind, dpi=160)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def picture(data: FactoredData, title: str) -> Figure:
    """Samples above; below them a row a factor: the first of the samples, with this factor moved."""
    from matplotlib.figure import Figure

    drawn = data.rows(SAMPLES * COLUMNS, stream(0, "preview"))
    rows, exact = traversals(data, int(drawn[0]))
    names = [
        f"{name}\n{size} values" if kind == "categorical" else f"{name}\n{level[0]:.3g} … {level[-1]:.3g}"
        for name, kind, size, level in zip(data.names, data.kinds, data.sizes, data.levels)
    ]
    above = "As training draws them" + (f" ({data.shift})" if data.shift else "")
    below = "The first of them with one factor moved" + (
        "" if exact else "; the others differ as little as images allow"
    )
    sheets = {above: (_sheet(data, drawn.reshape(SAMPLES, -1)), []), below: (_sheet(data, rows), names)}
    width = 7.0  # inches
    heights = [width * sheet.shape[0] / sheet.shape[1] for sheet, _ in sheets.values()]
    figure = Figure(figsize=(width + 1.4, sum(heights) + 1.2), layout="compressed")
    for axes, (heading, (sheet, labels)) in zip(figure.subplots(2, 1, height_ratios=heights), sheets.items()):
        axes.imshow(sheet, interpolation="nearest")
        step = sheet.shape[0] / max(len(labels), 1)
        axes.set_yticks([(i + 0.5) * step for i in range(len(labels))], labels, fontsize=8)
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_title(heading, fontsize=9, loc="left")
    figure.suptitle(f"{title}: {len(data):,} images, {data.source}", fontsize=10)
    return figure


def traversals(data: FactoredData, base: int, columns: int = COLUMNS) -> tuple[NDArray[np.intp], bool]:
    """Rows in which one factor takes its values, up to `columns` evenly spread ones, and the others stay as in `base`.

    Where a table lacks such rows they are those that differ least in the other factors: classes apart as a share of the
    widest distance, summed over factors.

    Returns
    -------
    (f, columns) rows of the set, -1 where a factor has fewer values or no image shows one; whether all the others stay
    """
    far = apart(data, data.factors[base])
    rows, exact = np.full((len(data.names), columns), -1), True
    for j, size in enumerate(data.sizes):
        others = far.sum(0) - far[j]
        for k, level in enumerate(np.linspace(0, size - 1, min(size, columns)).round().astype(int)):
            found = np.flatnonzero(data.factors[:, j] == level)
            if found.size:
                rows[j, k] = found[others[found].argmin()]
                exact = exact and others[rows[j, k]] < 1e-6
    return rows, bool(exact)


def apart(data: FactoredData, classes: NDArray[Any]) -> NDArray[np.float32]:
    """How far each row's factors are from these classes, (f, n): 0 to 1, which any other categorical is away."""
    found = np.empty(data.factors.T.shape, np.float32)
    for j, (column, size, kind, period) in enumerate(zip(data.factors.T, data.sizes, data.kinds, data.periods)):
        steps = abs(column - classes[j])
        if kind == "categorical":
            found[j] = steps > 0
        elif kind == "cyclic":
            found[j] = np.minimum(steps % period, -steps % period) / (period / 2)
        else:
            found[j] = steps / max(size - 1, 1)
    return found


def _sheet(data: FactoredData, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Images of these rows (rows, columns), framed; an empty cell at -1."""
    h, w, c = data.shape
    images = np.full((rows.size, h, w, 3), 255, np.uint8)
    there = rows.ravel() >= 0
    taken = data.take(rows.ravel()[there])
    if c == 2:  # red and green
        taken = np.concatenate([taken, np.zeros_like(taken[..., :1])], axis=-1)
    images[there] = taken[..., :3]
    for axis, side in (1, h), (2, w):
        images = images.repeat(-(-LEAST // side), axis)
    return mosaic(images.reshape(*rows.shape, *images.shape[1:]))
