"""Images moved by known transformations, as in the paper of MCE-VAE: SO(2), SE(2) and SIM(2)."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from ..rng import stream
from ._factored import FactoredData

# name: range. Angle in radians counter-clockwise; shifts in shares of the width, to the right and down.
RANGES = {"angle": (-np.pi / 2, np.pi / 2), "shiftX": (-0.25, 0.25), "shiftY": (-0.25, 0.25), "scale": (0.5, 1.0)}
TRANSFORMS = {"none": 0, "so2": 1, "se2": 3, "sim2": 4}  # how many of these
STILL = {"angle": 0.0, "shiftX": 0.0, "shiftY": 0.0, "scale": 1.0}
LEVELS = 20  # classes that a continuous factor is told apart by, where classes are needed


def moved(
    name: str,
    originals: np.ndarray,
    classes: np.ndarray,
    test: np.ndarray,
    *,
    label: str,
    transform: str,
    copies: int,
    source: str,
) -> FactoredData:
    """A data set of moved images: each original `copies` times, every copy moved anew, test originals last.

    Parameters
    ----------
    originals : (m, s, s) uint8, white on black
    classes : (m,) integers
    test : (m,) booleans, the originals that training does not see
    label : name of the factor that `classes` are
    """
    check(name, transform, copies)
    home = np.repeat(np.argsort(test, kind="stable"), copies).astype(np.int32)
    names = list(RANGES)[: TRANSFORMS[transform]]
    rng = stream(0, f"transforms of {name}")
    drawn = {key: rng.uniform(*RANGES[key], len(home)) for key in names}
    pixels = np.empty((len(home), *originals.shape[1:], 1), np.uint8)
    for i, row in enumerate(home):
        pixels[i, ..., 0] = move(originals[row], **{**STILL, **{k: v[i] for k, v in drawn.items()}})
    factors, levels = [classes[home]], [np.arange(classes.max() + 1.0)]
    for key, values in drawn.items():
        edges = np.linspace(*RANGES[key], LEVELS + 1)
        factors.append(np.clip(np.digitize(values, edges) - 1, 0, LEVELS - 1))
        levels.append((edges[1:] + edges[:-1]) / 2)
    return FactoredData(
        name,
        pixels,
        np.stack(factors, axis=1).astype(np.int32),
        tuple(levels),
        (label, *names),
        ("categorical", *["continuous"] * len(names)),
        source,
        hashlib.sha256(pixels.data).hexdigest(),
        label=label,
        home=home,
        originals=originals[..., None],
        exact=np.stack([classes[home].astype(float), *drawn.values()], axis=1),
        fit=int((~test).sum()) * copies,
    )


def check(name: str, transform: str, copies: int) -> None:
    """Refuse options that no set has."""
    if transform not in TRANSFORMS:
        raise ValueError(f"{name}.transform: got {transform!r}, expected one of {', '.join(TRANSFORMS)}")
    if copies < 1:
        raise ValueError(f"{name}.copies: got {copies}, expected at least 1")


def move(image: np.ndarray, angle: float, shiftX: float, shiftY: float, scale: float) -> np.ndarray:
    """One image (s, s) uint8 scaled, then turned, both about its middle, then shifted; bilinear, black outside."""
    from scipy.ndimage import affine_transform

    if (angle, shiftX, shiftY, scale) == (0.0, 0.0, 0.0, 1.0):
        return image
    side, middle = len(image), (len(image) - 1) / 2
    c, s = np.cos(angle), np.sin(angle)
    back = np.array([[c, s], [-s, c]]) / scale  # of (row, column): from where a pixel is to where it was
    shift = np.array([shiftY, shiftX]) * side
    offset: Any = middle - back @ (middle + shift)
    was = affine_transform(image.astype(np.float32), back, offset, order=1)
    return np.clip(np.rint(was), 0, 255).astype(np.uint8)
