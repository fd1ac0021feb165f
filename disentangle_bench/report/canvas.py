"""What all figures share: sizes that print well, panels, legends, grids of values, and files."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._frame import Frame, budget, place_name
from .glossary import meaning

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

TINY, SMALL, TEXT = 6, 7, 8  # points
COLUMN, PAGE = 3.35, 6.7  # inches: a column of print (8.5 cm) and two (17 cm)
KINDS = ("png", "svg", "pdf")


def seeds_in_words(n: int) -> str:
    return "1 seed" if n == 1 else f"{n} seeds"


def wrapped(text: str, width: int = 22) -> str:
    """Lines of at most so many characters, broken between words; a long word stays whole."""
    return "\n".join(textwrap.wrap(text, width, break_long_words=False))


def limits(values: NDArray, bounds: tuple[float | None, float | None]) -> tuple[float, float]:
    """Ends of the axis: the metric's own where it has them, moved out only for values that lie beyond.

    A scale with one end starts there unless all values lie far from it, where differences could not be seen.
    """
    lowest, highest = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    start, stop = bounds
    room = 0.2 * ((highest - lowest) or abs(highest) or 1.0)
    low = lowest - room if start is None else min(start, lowest)
    if start is not None and stop is None and lowest > highest / 2 > start:
        low = lowest - room
    return low, highest + room if stop is None else max(stop, highest)


def headed(metric: str) -> str:
    """A metric as the heading of its panel: with its unit, and which way is better."""
    told = meaning(metric)
    return ", ".join(filter(None, [metric, told.unit])) + told.arrow


def panels(count: int, *, columns: int = 3, height: float = 1.7, room: float = 0.5) -> tuple[Figure, list[Axes]]:
    """A figure of so many panels in rows, as wide as a column of print, or as two where that is too narrow.

    Parameters
    ----------
    count : of panels, at least 1
    columns : most of them side by side
    height : of a row, inches
    room : for headings and legends, inches
    """
    from matplotlib.figure import Figure

    across = min(columns, count)
    down = -(-count // across)
    figure = Figure(figsize=(COLUMN if across == 1 else PAGE, room + height * down), layout="constrained")
    found = figure.subplots(down, across, squeeze=False).ravel()
    for axes in found[count:]:
        axes.remove()
    return figure, list(found[:count])


def plain(axes: Axes, grid: str = "both") -> None:
    """Small ticks, a pale grid behind the data (along "x", "y", "both" or ""), and no box."""
    axes.tick_params(which="both", labelsize=SMALL)
    if grid:
        axes.grid(axis=grid, color="0.92", zorder=0)  # type: ignore[arg-type]
        axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def aligned(found: Sequence[Axes], name: str, *, columns: int = 3) -> None:
    """Names the horizontal axis that `panels` have in common, and leaves out the ticks' texts that repeat others: above
    other panels, and beside panels whose vertical axes are the same."""
    alike = len({axes.get_ylim() for axes in found}) == 1
    for i, axes in enumerate(found):
        lowest = i + columns >= len(found)
        axes.set_xlabel(name if lowest else "", fontsize=SMALL)
        axes.tick_params(labelbottom=lowest, labelleft=not alike or i % columns == 0)


def heading(figure: Figure, rows: Frame, dataset: str, source: str, first: str = "") -> None:
    """Above a figure: what it is of, the data set and how long models were trained."""
    place = ", ".join(filter(None, [first, place_name(dataset, source)]))
    figure.suptitle("\n".join(filter(None, [place, budget(rows)])), fontsize=TEXT)


def dots(label: str, look: dict[str, Any], **changes: Any) -> Artist:
    """The entry of a label in a legend."""
    from matplotlib.lines import Line2D

    style: dict[str, Any] = {"linewidth": 0, "markersize": 4, **look, **changes}
    return Line2D([], [], label=label, **style)


def legend(figure: Figure, entries: Iterable[Artist], title: str = "") -> None:
    """Below a figure, which grows by its height: as many columns as the longest entry leaves room for."""
    handles = list(entries)
    width, height = figure.get_size_inches()
    longest = max((len(str(entry.get_label())) for entry in handles), default=0)
    across = max(1, min(len(handles), int(width / (0.5 + 0.055 * longest))))
    lines = -(-len(handles) // across) + (title.count("\n") + 1 if title else 0)
    figure.set_size_inches(width, height + 0.15 * lines + 0.1)
    figure.legend(
        handles=handles,
        title=title or None,
        title_fontproperties={"size": SMALL},
        loc="outside lower center",
        ncols=across,
        fontsize=SMALL,
        frameon=False,
        handlelength=1.5,
        columnspacing=1.0,
    )


def control_lines(axes: Axes, means: Frame, look: dict[str, dict[str, Any]]) -> None:
    """A grey level line at the mean of each control (a Series by label) that lies within the axis."""
    low, high = axes.get_ylim()
    for label, value in means.items():
        if low <= value <= high:
            axes.axhline(value, linewidth=1, zorder=1, gid=f"control:{label}", **look[str(label)])


def logarithmic(axes: Axes, values: NDArray) -> None:
    """A logarithmic horizontal axis around positive values, with plain numbers at its ticks."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

    low, high = float(values.min()), float(values.max())
    room = max(high / low, 1.5) ** 0.08
    axes.set_xscale("log")
    axes.set_xlim(low / room, high * room)
    steps = LogLocator(subs=(1, 2, 5) if high < 30 * low else (1,))
    axes.xaxis.set_major_locator(steps if high > 5 * low else MaxNLocator(4))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def table(
    axes: Axes,
    values: NDArray,
    rows: Sequence[str],
    columns: Sequence[str],
    texts: NDArray | None = None,
    *,
    ends: tuple[float, float] = (0.0, 1.0),
    colours: str = "cividis",
    size: float = TINY,
) -> AxesImage:
    """A matrix as a grid of coloured cells with its values in them; cells without a value stay white.

    Parameters
    ----------
    values : (r, c) floats, which decide the colour
    rows, columns : their names
    texts : (r, c) what the cells say; None leaves them bare
    ends : of the colour scale
    size : of the texts, points
    """
    image = axes.imshow(values, cmap=colours, vmin=ends[0], vmax=ends[1], aspect="auto", interpolation="nearest")
    axes.set_yticks(range(len(rows)), rows, fontsize=SMALL)
    axes.set_xticks(range(len(columns)), columns, fontsize=SMALL)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (r, k), text in np.ndenumerate(texts if texts is not None else np.empty((0, 0), object)):
        red, green, blue, _ = image.to_rgba(np.ma.masked_invalid(values[r : r + 1, k : k + 1]))[0, 0]
        light = not np.isfinite(values[r, k]) or 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
        axes.text(k, r, str(text), ha="center", va="center", fontsize=size, color="black" if light else "white")
    return image


def slanted(axes: Axes, where: str = "top") -> None:
    """Names of columns that are longer than a column is wide: at an angle, above or below."""
    top = where == "top"
    axes.tick_params(axis="x", top=False, bottom=False, labeltop=top, labelbottom=not top)
    for name in axes.get_xticklabels():
        name.set(rotation=45, ha="left" if top else "right", va="bottom" if top else "top", rotation_mode="anchor")


def scale(figure: Figure, image: AxesImage, axes: Sequence[Axes], label: str = "", ends: Sequence[str] = ()) -> None:
    """The bar that tells what the colours mean; `ends` are two words in place of the least and the most number."""
    bar = figure.colorbar(image, ax=list(axes), shrink=0.6, pad=0.02, aspect=25)
    bar.set_label(label, fontsize=SMALL)
    if ends:
        bar.set_ticks(list(image.get_clim()), labels=ends)
    bar.ax.tick_params(labelsize=SMALL)
    bar.outline.set_visible(False)  # type: ignore[operator]


def save(figure: Figure, stem: Path, kinds: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Write a figure as stem.png, stem.svg or stem.pdf; the same figure gives the same bytes.

    Texts are written as they are: a name with dollars in it is no formula.

    Raises
    ------
    ValueError
        A kind that is none of these.
    """
    import matplotlib
    from matplotlib.text import Text

    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ValueError(f"kinds: got {unknown[0]!r}, expected some of {', '.join(KINDS)}")
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    paths = [stem.with_name(f"{stem.name}.{kind}") for kind in kinds]
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    with matplotlib.rc_context({"svg.hashsalt": "disentangle-bench", "pdf.fonttype": 42, "text.parse_math": False}):
        for path, kind in zip(paths, kinds):
            figure.savefig(path, dpi=200, metadata=undated.get(kind))
            figure.set_layout_engine(None)  # everything has its place now, finding it takes longest
    return paths
