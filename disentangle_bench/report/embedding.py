"""A run's codes in two dimensions, coloured by each factor in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .canvas import PAGE, SMALL, TEXT, TINY
from .labels import COLOURS
from .run_codes import RunCodes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS = {"PCA": 2000, "t-SNE": 1000}
MOST = 6  # factors side by side
CLASSES = (*COLOURS, "black")


def embedding(held: RunCodes, title: str, *, neighbours: bool = True) -> Figure:
    """The codes of at most 2,000 images as dots on their first two principal components, a column a factor.

    Below, with `neighbours`, the same by t-SNE (at most 1,000 images; perplexity 30, seed 0), which keeps who is close
    to whom and nothing else: sizes of groups and distances between them have no meaning.

    Parameters
    ----------
    held : from `run_codes.read_codes`
    title : the label and its seed, data set and budget
    neighbours : draw t-SNE, which takes some seconds

    Notes
    -----
    The factor that is the class has a colour a class, cyclic factors a cyclic scale. Of more than six factors the class
    and the first others are shown. Codes are taken as they are, not standardised.
    """
    from matplotlib.figure import Figure

    maps = {"PCA": (held.some(ROWS["PCA"]), project)}
    if neighbours and len(held.codes) > 4 and held.codes.shape[1] > 1:
        maps["t-SNE"] = (held.some(ROWS["t-SNE"]), neighbourhoods)
    columns = sorted(range(len(held.names)), key=lambda i: held.names[i] != held.label)[:MOST]
    side = min(2.2, (PAGE - 0.3) / len(columns))
    width = max(side * len(columns) + 0.3, 2.6)
    figure = Figure(figsize=(width, side * len(maps) + 0.9), layout="constrained")
    panels = figure.subplots(len(maps), len(columns), squeeze=False)
    for line, (name, (some, place)) in zip(panels, maps.items()):
        points, told = place(some.codes)
        for axes, column in zip(line, columns):
            image = _dots(axes, points, some, column)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_color("0.8")
        line[0].set_ylabel(f"{name}{told}", fontsize=SMALL)
    for k, column in enumerate(columns):
        panels[0, k].set_title(held.names[column], fontsize=TEXT)
        image = panels[0, k].collections[0]
        bar = figure.colorbar(image, ax=panels[:, k].tolist(), location="bottom", shrink=0.9, aspect=20, pad=0.02)
        bar.ax.tick_params(labelsize=TINY, length=2)
        bar.outline.set_visible(False)
        if held.names[column] == held.label and (classes := np.unique(held.factors[:, column])).size <= len(CLASSES):
            bar.set_ticks(range(len(classes)), labels=[f"{value:g}" for value in classes])
    figure.suptitle(title, fontsize=TEXT)
    return figure


def project(codes: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    """Codes (n, d) on their first two principal components, (n, 2), and how much of the variance these hold, in words.

    A component's sign is such that its largest loading is positive.
    """
    centred = codes - codes.mean(axis=0)
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes * np.sign(axes[range(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    points = np.zeros((len(codes), 2))
    points[:, : min(2, len(axes))] = centred @ axes[:2].T
    held = (lengths[:2] ** 2).sum() / (lengths**2).sum()
    return points, f": {100 * held:.0f} % of variance"


def neighbourhoods(codes: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    """Codes (n, d) by t-SNE, (n, 2), and nothing to say of it."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(30.0, (len(codes) - 1) / 3)
    with threadpool_limits(1):  # threads that wait for each other on a busy machine cost more than they give
        return TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(codes.astype(np.float32)), ""


def _dots(axes: Any, points: NDArray[np.float64], held: RunCodes, column: int) -> Any:
    """One factor's values as colours; those of the whole file decide the scale."""
    from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize

    values = held.factors[:, column]
    classes = np.unique(values)
    if held.names[column] == held.label and len(classes) <= len(CLASSES):
        look = {
            "cmap": ListedColormap(CLASSES[: len(classes)]),
            "norm": BoundaryNorm(np.arange(len(classes) + 1) - 0.5, len(classes)),
        }
        values = np.searchsorted(classes, values)
    elif held.periods[column]:
        look = {"cmap": "twilight", "norm": Normalize(values.min(), values.min() + held.periods[column])}
    else:
        look = {"cmap": "viridis"}
    return axes.scatter(
        *points.T, c=values, s=3, linewidths=0, rasterized=True, gid=f"codes:{held.names[column]}", **look
    )
