"""Sprites before something: the colour, noise and picture of Locatello et al. 2019, made when images are asked for.

That study draws a background anew whenever an image is shown. Here it belongs to the row: an image is the same whenever
and wherever it is read, so that a set can be hashed, and scored again. A model that sees 737,280 backgrounds in 19.2
million draws can hardly learn them by heart, but the two are not the same experiment.
"""

from __future__ import annotations

import hashlib

import numpy as np

VERSION = 1  # of everything below: raised when an image changes
KINDS = {"colour": "colours by row", "noise": "noise by row", "scream": "scream-like"}
PICTURE = (274, 216)  # pixels: as large as the painting is in the study
GAMMA = 0x9E3779B97F4A7C15


class Backgrounds:
    """Images of sprites before a background: `Pixels` (n, h, w, 3) uint8.

    Parameters
    ----------
    bits : (n, h, w / 8) uint8, a sprite's pixels are 1
    kind : "colour": the sprite in a colour with channels in [1/2, 1], on black; "noise": the sprite in white, every
        other channel of every pixel drawn from [0, 1]; "scream": a patch of a picture, averaged with a random colour,
        inverted where the sprite is
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, bits: np.ndarray, kind: str) -> None:
        n, h, bytes_ = bits.shape
        self.bits, self.kind, self.shape = bits, kind, (n, h, 8 * bytes_, 3)
        eight = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)  # (256, 8)
        self._masks = np.repeat(255 * eight, 3, axis=1)  # (256, 24): three channels of eight pixels
        if kind == "scream":
            self._picture = picture()

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        _, h, w, _ = self.shape
        sprites = self._masks[self.bits[rows]].reshape(len(rows), h, 3 * w)  # 255 or 0
        if self.kind == "colour":
            colour = 128 + words(rows, 3).astype(np.uint8) // 2  # the lowest byte of each
            made = sprites & np.tile(colour, w)[:, None]
        elif self.kind == "noise":
            made = sprites | words(rows, h * w * 3 // 8).astype("<u8", copy=False).view(np.uint8).reshape(sprites.shape)
        else:
            made = sprites ^ self._patches(rows)  # 255 - x is x with its bits turned
        return made.reshape(len(rows), h, w, 3)

    def _patches(self, rows: np.ndarray) -> np.ndarray:
        """A patch of the picture for each row, averaged with a colour: (m, h, 3 w) uint8."""
        _, h, w, _ = self.shape
        drawn = words(rows, 5)
        high = (drawn[:, :2] >> np.uint64(32)).astype(np.int64)
        top, left = (high * (np.array(PICTURE) - (h, w)) >> 32).T
        patches = np.lib.stride_tricks.sliding_window_view(self._picture, (h, 3 * w))[top, 3 * left]
        colour = np.tile(drawn[:, 2:].astype(np.uint8), w)[:, None]
        return ((patches.astype(np.uint16) + colour) // 2).astype(np.uint8)


def sha256(kind: str, sprites: str) -> str:
    """Hash of a set with backgrounds: of its version and the hash of its sprites."""
    return hashlib.sha256(f"background={kind} version={VERSION} sprites={sprites}".encode()).hexdigest()


def words(rows: np.ndarray, n: int) -> np.ndarray:
    """n random numbers for each row, which depend on the row alone: (m, n) uint64.

    The numbers of SplitMix64 (Steele, Lea & Flood 2014) with the row as seed, itself scattered once so that rows do not
    share parts of one sequence.
    """
    seeds = _scatter((np.asarray(rows).astype(np.uint64) + np.uint64(1)) * np.uint64(GAMMA))
    return splitmix(seeds, n)


def splitmix(seeds: np.ndarray, n: int) -> np.ndarray:
    """The first n numbers of SplitMix64 from each seed: (m, n) uint64."""
    steps = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(GAMMA)
    return _scatter(seeds[:, None] + steps)


def _scatter(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x


def picture() -> np.ndarray:
    """A dusk, painted here in the manner of "The Scream", which the study used and which is not shipped.

    Wavy bands of red and yellow sky, dark water with swirls below, and a bridge with its railing from the left:
    (274, 3 * 216) uint8, channels side by side.
    """
    y, x = np.mgrid[: PICTURE[0], : PICTURE[1]] / PICTURE[1]
    wave = np.sin(2 * np.pi * (1.1 * x + 0.1)) + 0.5 * np.sin(2 * np.pi * (2.3 * x + 0.8 * y))
    bands = 0.5 + 0.5 * np.sin(2 * np.pi * (9 * y + 0.45 * wave))
    fine = 0.5 + 0.5 * np.sin(2 * np.pi * (31 * y + 1.1 * wave + 2 * x))
    swirl = 0.5 + 0.5 * np.sin(2 * np.pi * (12 * np.hypot(x - 0.75, 1.4 * (y - 0.75)) + 0.4 * wave))
    planks = 0.5 + 0.5 * np.sin(2 * np.pi * (17 * (y - 0.9 * x) + 0.1 * wave))

    def mix(share: np.ndarray, low: tuple[float, ...], high: tuple[float, ...]) -> np.ndarray:
        return np.array(low) + share[..., None] * (np.array(high) - low)

    sky = mix(0.8 * bands + 0.2 * fine, (0.72, 0.22, 0.10), (0.97, 0.77, 0.36))
    water = mix(0.7 * swirl + 0.3 * fine, (0.07, 0.10, 0.20), (0.36, 0.47, 0.52))
    bridge = mix(planks, (0.25, 0.14, 0.08), (0.62, 0.40, 0.22))
    made = np.where((y > 0.46 + 0.04 * wave)[..., None], water, sky)
    made = np.where((y > 0.55 + 0.55 * x)[..., None], bridge, made)
    made = np.where((abs(y - 0.5 - 0.5 * x) < 0.018)[..., None], 0.15, made)
    return np.rint(255 * made).astype(np.uint8).reshape(PICTURE[0], -1)
