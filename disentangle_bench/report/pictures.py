"""What models draw: grids of reconstructions and of latent traversals, and the latter as an animation."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .canvas import SMALL, TEXT
from .run_codes import read_arrays

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    Pictures = Mapping[str, NDArray]

GAP = 2  # pixels between images
FRAME = (96, 125, 170)  # their colour: no grey image, black, white or blurred, can melt into it
MOST = 12  # images a row


def read_pictures(folder: Path, run: str) -> dict[str, NDArray] | None:
    """The arrays of a run's pictures.npz; None if it left none."""
    return read_arrays(folder / "runs" / run / "pictures.npz")


def mosaic(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images (rows, columns, h, w, c) as one (H, W, 3), each in a frame."""
    rows, columns, h, w, _ = images.shape
    sheet = np.full((rows * (h + GAP) + GAP, columns * (w + GAP) + GAP, 3), np.array(FRAME, np.uint8))
    for r in range(rows):
        for k in range(columns):
            y, x = GAP + r * (h + GAP), GAP + k * (w + GAP)
            sheet[y : y + h, x : x + w] = images[r, k]  # c = 1 becomes grey
    return sheet


def reconstructions(shown: Mapping[str, Pictures], title: str) -> Figure:
    """Inputs, their reconstructions and, where a model has them, canonical images; a block a model.

    Parameters
    ----------
    shown : heading of a block -> its arrays: inputs and reconstructions, (m, h, w, c) uint8; canonical may be missing
    title : data set and budget
    """
    names = {"inputs": "input", "reconstructions": "reconstruction", "canonical": "canonical"}
    blocks = {head: {names[key]: held[key][:MOST] for key in names if key in held} for head, held in shown.items()}
    return _sheets({head: (mosaic(np.stack(list(rows.values()))), list(rows)) for head, rows in blocks.items()}, title)


def traversals(held: Pictures, heading: str, title: str) -> Figure:
    """One image with one latent moved at a time: a row a unit, named with the values that it runs through.

    Parameters
    ----------
    held : traversals (units, steps, h, w, c) uint8, traversal_names (units,), traversal_values (units, steps)
    heading : the model and its seed
    title : data set and budget
    """
    names = [
        f"{name}  [{values[0]:.2g}, {values[-1]:.2g}]".replace("-", "−")
        for name, values in zip(held["traversal_names"], held["traversal_values"])
    ]
    return _sheets({heading: (mosaic(held["traversals"]), names)}, title)


def findings(held: Pictures, heading: str, title: str) -> Figure | None:
    """What a model itself has to show: its sheets of images and its tables, side by side; None if it left none.

    Parameters
    ----------
    held : "sheet:TITLE" (rows, columns, h, w, c) uint8 with names "rows:TITLE"; "table:TITLE" (rows, columns) numbers
        with "rows:TITLE" and "columns:TITLE"
    heading : the model and its seed
    title : data set and budget
    """
    from matplotlib.figure import Figure

    shown = [key.split(":", 1) for key in held if key.startswith(("sheet:", "table:"))]
    if not shown:
        return None
    tall = max(len(held[f"rows:{name}"]) for _, name in shown)
    figure = Figure(figsize=(3.4 * len(shown), 1.1 + 0.3 * tall), layout="compressed")
    for axes, (kind, name) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown):
        values, rows = held[f"{kind}:{name}"], held[f"rows:{name}"]
        if kind == "sheet":
            sheet = mosaic(values)
            axes.imshow(sheet, interpolation="nearest")
            row = sheet.shape[0] / len(rows)
            axes.set_yticks([(i + 0.5) * row for i in range(len(rows))], rows, fontsize=SMALL)
            axes.set_xticks([])
            axes.spines[:].set_visible(False)
        else:
            image = axes.imshow(values, cmap="cividis", vmin=0, aspect="auto")
            axes.set_yticks(range(len(rows)), rows, fontsize=SMALL)
            axes.set_xticks(range(values.shape[1]), held[f"columns:{name}"], fontsize=SMALL, rotation=90)
            most = float(values.max())
            digits = int(np.clip(1 - np.floor(np.log10(most)), 2, 4)) if most > 0 else 2  # two count
            for (r, k), value in np.ndenumerate(values):
                dark, text = value < 0.6 * most, f"{value:.{digits}f}"
                axes.text(k, r, text, ha="center", va="center", fontsize=5.5, color="w" if dark else "k")
            figure.colorbar(image, ax=axes, shrink=0.6).ax.tick_params(labelsize=SMALL)
        axes.tick_params(length=0)
        axes.set_title(textwrap.fill(name, 40), fontsize=SMALL)
    figure.suptitle(f"{heading}: {title}", fontsize=TEXT)
    return figure


def _sheets(blocks: Mapping[str, tuple[NDArray[np.uint8], list[str]]], title: str) -> Figure:
    """Mosaics below each other, each with a heading and with a name at every row."""
    from matplotlib.figure import Figure

    width = 5.4
    heights = [width * sheet.shape[0] / sheet.shape[1] for sheet, _ in blocks.values()]
    figure = Figure(figsize=(width + 1.6, sum(heights) + 0.4 * len(blocks) + 0.4), layout="compressed")
    panels = figure.subplots(len(blocks), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (heading, (sheet, names)) in zip(panels, blocks.items()):
        axes.imshow(sheet, interpolation="nearest")
        row = sheet.shape[0] / len(names)
        axes.set_yticks([(i + 0.5) * row for i in range(len(names))], names, fontsize=SMALL)
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_title(heading, fontsize=TEXT, loc="left")
    figure.suptitle(title, fontsize=TEXT)
    return figure


def animation(held: Pictures, path: Path, *, tile: int = 96, milliseconds: int = 120) -> Path:
    """Write all traversals as one GIF: a tile a unit, all swept there and back at once, a bar below saying where.

    A sweep of s steps has 2 s - 2 frames, so that it loops without a jump.

    Parameters
    ----------
    held : as for `traversals`
    path : the file to write
    tile : least width of a tile in pixels; images are enlarged by whole numbers
    milliseconds : a frame
    """
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    images = held["traversals"]
    units, steps, h, w, _ = images.shape
    factor = max(1, round(tile / w))
    columns = min(units, 6)
    cell_w, cell_h = factor * w + 12, factor * h + 30
    font = ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), 13)
    frames = []
    for step in [*range(steps), *range(steps - 2, 0, -1)]:
        canvas = Image.new("RGB", (columns * cell_w, -(-units // columns) * cell_h), (236, 236, 236))
        draw = ImageDraw.Draw(canvas)
        for unit, name in enumerate(held["traversal_names"]):
            x, y = unit % columns * cell_w + 6, unit // columns * cell_h + 20
            big = np.broadcast_to(images[unit, step], (h, w, 3)).repeat(factor, 0).repeat(factor, 1)
            draw.rectangle((x - 2, y - 2, x + factor * w + 1, y + factor * h + 1), fill=FRAME)
            canvas.paste(Image.fromarray(np.ascontiguousarray(big)), (x, y))
            draw.text((x, y - 18), str(name), fill=(20, 20, 20), font=font)
            at = x + step * (factor * w - 8) // max(steps - 1, 1)
            draw.rectangle((at, y + factor * h + 4, at + 7, y + factor * h + 6), fill=(1, 115, 178))
        frames.append(canvas.quantize(64))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=milliseconds, loop=0, optimize=False)
    return path
