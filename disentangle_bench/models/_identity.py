"""Whether a code keeps the class of an image and all the rest of it in different places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import rng

ROWS = 4000  # most that probes are fitted and tested on, half each
SHOWN = 6  # images of a grid
PROBE = "a random forest (30 trees), 1/2 to fit, 1/2 to test"


def leakage(
    own: tuple[str, np.ndarray], rest: tuple[str, np.ndarray], data: Any, rows: np.ndarray
) -> dict[str, tuple[float, str]]:
    """How well the class is told by the part of a code that should not hold it, `leakage.class`, and all other factors
    by the part that should hold the class alone, `leakage.rest`; `kept.class`, `kept.rest` are of the right parts.

    Parameters
    ----------
    own, rest : name and codes (n, d) of the part that is to hold the class, and of that for all else
    data : the resident data
    rows : (n,) of the data set

    Returns
    -------
    Facts: mean accuracies over factors, in [0, 1], whose convention has the chance level, the share of the most
    frequent class; without a label none, without other factors those of the class alone.
    """
    held = data.data
    if held.label is None:
        return {}
    order = rng.stream(0, "leakage").permutation(len(rows))[:ROWS]
    fit, test = order[: len(order) // 2], order[len(order) // 2 :]
    label = held.names.index(held.label)
    others = [i for i, size in enumerate(held.sizes) if i != label and size > 1]
    found = {}
    for target, factors, right, wrong in ("class", [label], own, rest), ("rest", others, rest, own):
        values = held.factors[rows][:, factors]
        usable = [k for k in range(len(factors)) if len(np.unique(values[fit, k])) > 1]
        names = ", ".join(held.names[factors[k]] for k in usable)
        for kind, (name, codes) in (("leakage", wrong), ("kept", right)) if usable else ():
            told = np.mean([_told(codes, values[:, k], fit, test) for k in usable])
            chance = np.mean([np.bincount(values[test, k]).max() / len(test) for k in usable])
            how = f"accuracy of {names} told from block {name} by {PROBE}; chance {chance:.3f}"
            found[f"{kind}.{target}"] = float(told), how
    return found


def _told(codes: np.ndarray, classes: np.ndarray, fit: np.ndarray, test: np.ndarray) -> float:
    """Accuracy of a probe on the test rows."""
    from sklearn.ensemble import RandomForestClassifier

    probe = RandomForestClassifier(30, random_state=0).fit(codes[fit], classes[fit])
    return float((probe.predict(codes[test]) == classes[test]).mean())


def swaps(x: Tensor, decoded: Callable[[Tensor, Tensor], Tensor], left: str, above: str) -> tuple[Tensor, list[str]]:
    """A sheet of images of which one part comes from the image at the left, and the other from the image above.

    Parameters
    ----------
    x : (n, c, h, w), of which the first `SHOWN` are shown
    decoded : indices of images that give the one part, and of those that give the other, (m,) -> images (m, c, h, w)
    left, above : names of the parts
    """
    x = x[:SHOWN]
    n = len(x)
    first, second = (i.flatten() for i in torch.meshgrid(*[torch.arange(n, device=x.device)] * 2, indexing="ij"))
    grid = torch.cat([x[:, None], decoded(first, second).unflatten(0, (n, n))], 1)
    first_row = torch.cat([torch.ones_like(x[:1]), x])
    return torch.cat([first_row[None], grid]), [f"{above} from these", *[f"{left} from the left"] * n]
