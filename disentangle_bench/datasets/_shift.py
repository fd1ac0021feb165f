"""Data whose factors are not independent in training: correlated pairs, confounders, combinations that are held out.

Images stay what they are; training draws rows by `weight`. What is scored can then be drawn from both worlds.
"""

from __future__ import annotations

import dataclasses
import re

import numpy as np

from disentangle_bench import catalog

from ._factored import FactoredData

NUMBER = r"-?\d+(?:\.\d+)?"
CORRELATE = "A:B:SIGMA, several joined by +, B may be * for all others; such as scale:posX:0.2"
HOLDOUT = "FACTOR:VALUE or FACTOR:LOW-HIGH, joined by + (and) and | (or); such as shape:2+posX:16-31"


def shifted(data: FactoredData, correlate: str = "", holdout: str = "") -> FactoredData:
    """The same images, drawn by training as two texts say; unchanged without any.

    Parameters
    ----------
    correlate : "scale:posX:0.2": p(a, b) ~ exp(-(a - b)^2 / 2 sigma^2), a and b being the factors' values as shares of
        their range, 0 to 1; sigma 0.2 is a strong correlation, 0.7 a weak one. Pairs are joined by "+", their densities
        multiply. "scale:*:0.2" is a confounder: scale with every other factor.
    holdout : "shape:2+scale:4-5": training never sees rows where the class of `shape` is 2 and that of `scale` 4 or 5;
        regions are joined by "|". One range alone holds out an extrapolation, several factors a recombination or a
        corner. Of a continuous factor the numbers are values.

    Returns
    -------
    FactoredData with `weight` (n,) and `shift`, the texts

    Raises
    ------
    ValueError
        A text that does not parse, an unknown factor (with the nearest name), a class that does not exist, sigma not
        above 0, a region without rows, or nothing left to train on.

    References
    ----------
    Träuble et al. 2021, "On disentangled representations learned from correlated data", section 3 (its classes are
    scaled to each other, too); Roth et al. 2023 (confounders); Montero et al. 2021, "The role of disentanglement in
    generalisation", section 3 (recombination to element and to range, extrapolation).

    Examples
    --------
    >>> from disentangle_bench.datasets import load
    >>> data = shifted(load("toy"), correlate="scale:posX:0.2", holdout="shape:2")
    >>> data.shift, int((data.weight == 0).sum())
    ('correlate=scale:posX:0.2, holdout=shape:2', 192)
    """
    if not correlate and not holdout:
        return data
    weight = np.ones(len(data)) if data.weight is None else data.weight.copy()
    for first, second, sigma in _pairs(data, correlate):
        distance = share(data, first) - share(data, second)
        weight *= np.exp(-((distance / sigma) ** 2) / 2)
    weight[_region(data, holdout)] = 0
    told = ", ".join(f"{name}={text}" for name, text in (("correlate", correlate), ("holdout", holdout)) if text)
    if not weight[: data.fit].any():
        raise ValueError(f"data set {data.name!r}: {told} leaves nothing to train on")
    weight /= weight[: data.fit].sum()
    return dataclasses.replace(data, weight=weight, shift=", ".join(filter(None, [data.shift, told])))


def _pairs(data: FactoredData, text: str) -> list[tuple[str, str, float]]:
    """Pairs of factors with their sigma, none twice."""
    found: dict[frozenset[str], tuple[str, str, float]] = {}
    for part in text.split("+") if text else []:
        if (match := re.fullmatch(rf"([^:]+):([^:]+):({NUMBER})", part.strip())) is None:
            raise ValueError(f"correlate: got {part!r}, expected {CORRELATE}")
        first, sigma = catalog.choose("factor", match[1], list(data.names)), float(match[3])
        others = [match[2]] if match[2] != "*" else [name for name in data.names if name != first]
        if sigma <= 0:
            raise ValueError(f"correlate: got sigma {match[3]} in {part!r}, expected a number above 0")
        for second in others:
            pair = frozenset((first, catalog.choose("factor", second, list(data.names))))
            if len(pair) == 1 or pair in found:
                raise ValueError(f"correlate: {first} and {second} in {text!r}: expected two different factors, once")
            found[pair] = (first, second, sigma)
    return list(found.values())


def share(data: FactoredData, name: str) -> np.ndarray:
    """A factor's value as a share of its range: (n,) floats from 0 to 1; classes are taken in their order."""
    i = data.names.index(name)
    if data.kinds[i] == "continuous":
        column = data.values[:, i]
        return (column - column.min()) / (np.ptp(column) or 1)
    return data.factors[:, i] / max(data.sizes[i] - 1, 1)


def _region(data: FactoredData, text: str) -> np.ndarray:
    """Rows that training is not to see: (n,) booleans."""
    held = np.zeros(len(data), bool)
    for region in text.split("|") if text else []:
        inside = np.ones(len(data), bool)
        for part in region.split("+"):
            if (match := re.fullmatch(rf"([^:]+):({NUMBER})(?:-({NUMBER}))?", part.strip())) is None:
                raise ValueError(f"holdout: got {part!r}, expected {HOLDOUT}")
            i = data.names.index(catalog.choose("factor", match[1], list(data.names)))
            low, high = float(match[2]), float(match[3] or match[2])
            if data.kinds[i] != "continuous" and not 0 <= low <= high < data.sizes[i]:
                raise ValueError(f"holdout: got {part!r}, expected classes of {match[1]} from 0 to {data.sizes[i] - 1}")
            inside &= (data.table[:, i] >= low) & (data.table[:, i] <= high)
        if not inside.any():
            raise ValueError(f"holdout: no image of {data.name!r} lies in {region!r}")
        held |= inside
    return held
