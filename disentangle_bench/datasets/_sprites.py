"""Draws dSprites: white polygons on black, 64 x 64, filled by the rules of an ordinary graphics card.

The published set was drawn by a program that was never published; outlines, sizes and rules here were recovered from
its pictures. Coordinates are pixels: x to the right, y down from the top, the centre of row r and column c at
(c + 1/2, r + 1/2). All arithmetic after the rounding of the corners is in integers, so that the bits are the same on
every machine.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

SIDE = 64  # pixels
SUB = 256  # corners are rounded to 1/256 pixel
SCALES = np.linspace(0.5, 1, 6)
ANGLES = np.linspace(0, 2 * np.pi, 40)  # radians, counter-clockwise; the last repeats the first
PLACES = np.linspace(0, 1, 32)  # share of the 32 pixels that centres move over, from pixel 16 on
HALF = 9.6  # pixels: half a side of the largest square


def outlines() -> tuple[np.ndarray, ...]:
    """Corners of square, ellipse and heart at scale 1 and angle 0, in pixels from their centres: (2, corners) each."""
    square = HALF * np.array([[-1, 1, 1, -1], [-1, -1, 1, 1]])
    a = 2 * np.pi * np.arange(100) / 100
    ellipse = np.stack([1.33 * HALF * np.cos(a), HALF / 1.33 * np.sin(a)])
    a = 2 * np.pi * np.arange(150) / 150
    up = (13 * np.cos(a) - 5 * np.cos(2 * a) - 2 * np.cos(3 * a) - np.cos(4 * a)) / 29 + 0.075
    heart = 2 * HALF * np.stack([16 * np.sin(a) ** 3 / 32, -up])
    return square, ellipse, heart


def corners(outline: np.ndarray, scale: float, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Corners in 1/256 pixel, rounded: their x at every posX and their y at every posY, (32, corners) integers each."""
    u, v = outline
    cos, sin = np.cos(angle), np.sin(angle)
    centres = (16 + 32 * PLACES)[:, None]
    x = centres + scale * (u * cos + v * sin)
    y = centres + scale * (v * cos - u * sin)
    return np.floor(SUB * x + 0.5).astype(np.int64), np.floor(SUB * y + 0.5).astype(np.int64)


def fill(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Polygons filled by the even-odd rule at pixel centres, for every pair of a column of places and a row of places.

    An edge crosses the centre line of row r where min(y0, y1) < 256 r + 128 <= max(y0, y1); every pixel of the row
    whose centre lies on the crossing or right of it changes colour.

    Parameters
    ----------
    x, y : (places, corners) integers, 1/256 pixel, all within the canvas

    Returns
    -------
    (places of x, places of y, 64) uint64: a number a row of an image, the leftmost pixel in its highest bit
    """
    places, edges = y.shape
    here, there = np.arange(edges), np.roll(np.arange(edges), -1)  # an edge joins a corner and the next one
    down = y <= y[:, there]  # (places, edges)
    top, bottom = np.where(down, here, there), np.where(down, there, here)  # corners of each edge
    first = ((np.take_along_axis(y, top, 1) - SUB // 2) // SUB + 1).ravel()  # row that an edge crosses
    count = ((np.take_along_axis(y, bottom, 1) - SUB // 2) // SUB + 1).ravel() - first

    # one entry a crossing, sorted by place and row
    edge = np.repeat(np.arange(places * edges), count)
    row = first[edge] + np.arange(len(edge)) - (count.cumsum() - count)[edge]
    line = edge // edges * SIDE + row  # place and row in one number
    order = np.argsort(line, kind="stable")
    edge, row, line = edge[order], row[order], line[order]
    place, top, bottom = edge // edges, top.ravel()[edge], bottom.ravel()[edge]

    # 256 c + 128 >= x0 + (256 r + 128 - y0) (x1 - x0) / (y1 - y0), solved for the smallest whole c
    y0, x0 = y[place, top], x[:, top]  # (crossings,), (places, crossings)
    height, below = y[place, bottom] - y0, SUB * row + SUB // 2 - y0
    column = -(((SUB // 2 - x0) * height - below * (x[:, bottom] - x0)) // (SUB * height))
    right = np.uint64(2**SIDE - 1) >> column.astype(np.uint64)  # pixels that change colour

    starts = np.flatnonzero(np.diff(line, prepend=-1))
    images = np.zeros((len(x), places * SIDE), np.uint64)
    images[:, line[starts]] = np.bitwise_xor.reduceat(right, starts, axis=1)
    return images.reshape(len(x), places, SIDE)


def blocks() -> Iterator[np.ndarray]:
    """The set in its own order, one shape, scale and orientation at a time: (1024, 64, 8) uint8 bits, posY fastest."""
    for outline in outlines():
        for scale in SCALES:
            for angle in ANGLES:
                images = fill(*corners(outline, scale, angle))
                yield images.astype(">u8").view(np.uint8).reshape(-1, SIDE, SIDE // 8)


def render() -> np.ndarray:
    """All 737,280 images as bits, (737280, 64, 8) uint8, 377 MB: `np.packbits` of the images along their width."""
    size = len(PLACES) ** 2
    images = np.empty((len(outlines()) * len(SCALES) * len(ANGLES) * size, SIDE, SIDE // 8), np.uint8)
    for i, block in enumerate(blocks()):
        images[i * size : (i + 1) * size] = block
    return images
