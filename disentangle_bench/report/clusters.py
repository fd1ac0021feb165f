"""How a model's own clusters and the classes go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .canvas import COLUMN, PAGE, SMALL, TEXT, TINY, scale, table
from .run_codes import RunCodes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 30  # columns: of more clusters, those without a class and with fewest images share the last


def confusion(held: RunCodes, title: str) -> Figure | None:
    """What share of each class lies in each of the model's clusters; None where there are no clusters or classes.

    Columns are in the order of the classes that clusters stand for, one cluster a class, matched so that as many images
    as possible lie in the framed cells (the Hungarian rule: their share is `cluster_accuracy`); clusters without a
    class follow.

    Parameters
    ----------
    held : from `run_codes.read_codes`
    title : the label and its seed, data set and budget
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    classes = held.classes
    if classes is None or held.clusters is None or len(np.unique(held.clusters)) < 2:
        return None
    counts, rows, columns, partners = matched(classes, held.clusters)
    names = [f"{name}" for name in columns]
    if len(names) > max(MOST, len(partners) + 1):
        last = max(MOST - 1, len(partners))
        counts = np.column_stack([counts[:, :last], counts[:, last:].sum(axis=1)])
        names = [*names[:last], "others"]
    right = sum(int(counts[row, k]) for k, row in enumerate(partners)) / counts.sum()
    shares = counts / counts.sum(axis=1, keepdims=True)
    width = float(np.clip(1.2 + 0.3 * len(names), COLUMN, PAGE))
    figure = Figure(figsize=(width, 1.3 + 0.24 * len(rows)), layout="constrained")
    axes = figure.subplots()
    texts = np.vectorize(lambda x: f"{x:.2f}" if x >= 0.005 else "")(shares) if len(names) <= 20 else None
    image = table(axes, shares, [f"{row:g}" for row in rows], names, texts, size=TINY if len(names) > 3 else SMALL)
    for k, row in enumerate(partners):
        axes.add_patch(Rectangle((k - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#d55e00", linewidth=1))
    axes.set_ylabel(held.label, fontsize=SMALL)
    axes.set_xlabel(f"cluster; framed: {right:.3f} of all images", fontsize=SMALL)
    scale(figure, image, [axes], "share of the class")
    figure.suptitle(title, fontsize=TEXT)
    return figure


def matched(classes: ArrayLike, clusters: ArrayLike) -> tuple[NDArray[np.int64], NDArray, NDArray, list[int]]:
    """Counts of images by class and cluster, clusters in the order of the classes that they are matched with.

    Parameters
    ----------
    classes, clusters : (n,) names of any kind

    Returns
    -------
    counts : (classes, clusters); matched clusters first, in the order of their classes, then the others, largest first
    classes, clusters : their names
    partners : of the first columns, the row of the class that each is matched with
    """
    from scipy.optimize import linear_sum_assignment

    rows, y = np.unique(np.asarray(classes), return_inverse=True)
    columns, c = np.unique(np.asarray(clusters), return_inverse=True)
    counts = np.bincount(y * len(columns) + c, minlength=len(rows) * len(columns)).reshape(len(rows), -1)
    partners, own = linear_sum_assignment(counts, maximize=True)  # rows in ascending order
    rest = [k for k in np.argsort(-counts.sum(axis=0), kind="stable") if k not in own]
    order = [*own.tolist(), *rest]
    return counts[:, order], rows, columns[order], partners.tolist()
