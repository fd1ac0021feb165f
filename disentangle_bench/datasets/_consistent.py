"""What the parts of a data set owe each other: shapes, types, ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ._factored import FactoredData

KINDS = ("categorical", "ordered", "cyclic", "continuous")


def consistent(data: FactoredData) -> None:
    """Refuse, with a ValueError that names the data set, arguments that do not fit each other."""

    def need(true: bool, message: str) -> None:
        if not true:
            raise ValueError(f"data set {data.name!r}: {message}")

    pixels, factors, home = data.pixels, data.factors, data.home
    need(
        len(pixels.shape) == 4 and pixels.dtype == np.uint8,
        f"pixels must be (n, h, w, c) uint8, got {pixels.shape} {pixels.dtype}",
    )
    need(
        factors.ndim == 2 and np.issubdtype(factors.dtype, np.integer),
        f"factors must be (n, f) integers, got {factors.shape} {factors.dtype}",
    )
    n, f = factors.shape
    need(n > 0, "factors has no rows")
    need(len(pixels) == n, f"pixels has {len(pixels)} rows, factors has {n}")
    for argument in ("levels", "names", "kinds"):
        got = getattr(data, argument)
        need(len(got) == f, f"{argument} must have one entry a factor, got {len(got)} for {f} columns of factors")
    need(len(set(data.names)) == f, f"names must differ, got {data.names}")
    for name, kind, size, level, column in zip(data.names, data.kinds, data.sizes, data.levels, factors.T):
        need(
            kind != "cyclic" or (size > 1 and np.allclose(np.diff(level), level[1] - level[0]) and level[1] > level[0]),
            f"levels of the cyclic factor {name!r} must be evenly spaced radians, got {level}",
        )
        need(kind in KINDS, f"kinds must be of {KINDS}, got {kind!r} for {name!r}")
        need(
            column.min() >= 0 and column.max() < size,
            f"factors holds {column.min()} ... {column.max()} for {name!r}, expected 0 ... {size - 1}",
        )
    need(data.label is None or data.label in data.names, f"label {data.label!r} is none of {data.names}")
    if home is not None:
        need(
            home.shape == (n,) and np.issubdtype(home.dtype, np.integer),
            f"home must be ({n},) integers, got {home.shape} {home.dtype}",
        )
        last = n if data.originals is None else len(data.originals)
        need(home.min() >= 0 and home.max() < last, f"home points to rows {home.min()} ... {home.max()} of {last}")
    need("continuous" not in data.kinds or data.exact is not None, "continuous factors need `exact`")
    need(data.exact is None or data.exact.shape == (n, f), f"exact must be ({n}, {f}) floats")
    need(data.fit is None or 0 < data.fit < n, f"fit must be from 1 to {n - 1} of {n} rows, got {data.fit}")
    if (weight := data.weight) is not None:
        need(weight.shape == (n,), f"weight must be ({n},) floats, got {weight.shape}")
        need(bool(np.isfinite(weight).all() and (weight >= 0).all()), "weight must be finite and not negative")
        for rows, use in (slice(data.fit), "training"), (slice(data.fit or 0, None), "scoring"):
            need(bool(weight[rows].any()), f"weight leaves no row for {use}")
