"""A seed's own numbers for one purpose: adding a purpose shifts no other."""

from __future__ import annotations

import hashlib

import numpy as np


def key(seed: int, purpose: str) -> int:
    """A 63-bit integer that depends on seed and purpose alone, for generators that take one integer."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{purpose}".encode()).digest()[:8], "big") >> 1


def stream(seed: int, purpose: str) -> np.random.Generator:
    """The numpy generator of one purpose of one seed.

    Examples
    --------
    >>> bool(stream(0, "draws").integers(100) == stream(0, "draws").integers(100))
    True
    >>> key(0, "draws") == key(0, "initial weights")
    False
    """
    return np.random.default_rng(key(seed, purpose))
