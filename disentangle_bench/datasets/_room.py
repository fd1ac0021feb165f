"""Casts rays into a room with one object in it: how much of the colour of floor, wall and object each pixel holds.

An image of the room is linear in the three colours, so that a geometry (scale, shape and orientation) is cast once, for
all its thousand colourings. Lengths are in units in which the object measures about 1; x is to the right, y into the
depth, z up; the object stands on the floor at the origin. Sums, products, quotients and square roots alone, element by
element, so that no library's or compiler's way of summing can change a bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

SIDE, SUB = 64, 2  # pixels; rays a pixel, each way
SCALES = np.linspace(0.75, 1.25, 8)
ANGLES = np.linspace(-30, 30, 15)  # degrees, by which the camera goes around the object, counter-clockwise from above
MAPS = 6  # shares of the colours of floor, wall and object; red, green and blue of their own

DISTANCE, HEIGHT, DOWN, VIEW = 3.6, 1.8, 8.7, 60.0  # the camera; degrees below the horizon, and from top to bottom
DEPTH, WIDTH, WALL = 2.9, 3.8, 2.5  # from the middle to the back wall and to the side walls; their height
SIDE_WALL, SHADOW = 0.72, 0.64  # how bright, as against the back wall and the lit floor
SKY = np.array([[0.605], [0.88], [0.98]])  # red, green, blue
AMBIENT, SHINE = 0.45, 0.3  # light that comes from everywhere; the brightest of the lamp's reflection
LIGHT = np.array([[-0.55], [-0.45], [1.35]]) / math.sqrt(0.55**2 + 0.45**2 + 1.35**2)  # where the lamp is


def dot(a: NDArray, b: NDArray) -> NDArray:
    """(3, n) and (3, n) -> (n,), in an order of its own."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def entry(a: NDArray, b: NDArray, c: NDArray) -> NDArray:
    """The smaller root of a t^2 + 2 b t + c if it is positive, infinity elsewhere: where a ray enters."""
    inside = b * b - a * c
    t = (-b - np.sqrt(np.maximum(inside, 0))) / a
    return np.where((inside > 0) & (t > 0), t, np.inf)


# An object at scale 1: rays from o (3, 1 or n) into directions d (3, n) -> (4, n), how many d it is to where they meet
# it (infinity if they do not) and its normal there. Rays come from outside and above: no object needs a lower face.


def ball(o: NDArray, d: NDArray, radius: float, height: float) -> NDArray:
    c = o - np.array([[0], [0], [height]])
    t = entry(dot(d, d), dot(c, d), dot(c, c) - radius * radius)
    return np.vstack([t, (c + t * d) / radius])


def tube(o: NDArray, d: NDArray, radius: float, low: float, high: float) -> NDArray:
    flat = np.array([[1], [1], [0]])
    t = entry(dot(d * flat, d), dot(o * flat, d), dot(o * flat, o) - radius * radius)
    z = o[2] + t * d[2]
    t = np.where((z >= low) & (z <= high), t, np.inf)
    return np.vstack([t, (o + t * d) * flat / radius])


def cube(o: NDArray, d: NDArray, half: float = 0.68) -> NDArray:
    low, high = (np.array([[-half], [-half], [0]]) - o) / d, (np.array([[half], [half], [2 * half]]) - o) / d
    first, last = np.minimum(low, high), np.maximum(low, high)
    near = first.max(0)
    t = np.where((near < last.min(0)) & (near > 0), near, np.inf)
    return np.vstack([t, np.where(first == near, -np.sign(d), 0)])


def cylinder(o: NDArray, d: NDArray, radius: float = 0.6) -> NDArray:
    t = (2 * radius - o[2]) / d[2]
    x, y, _ = o + t * d
    t = np.where((t > 0) & (x * x + y * y <= radius * radius), t, np.inf)
    lid = np.vstack([t, np.broadcast_to([[0], [0], [1]], d.shape)])
    return nearest(tube(o, d, radius, 0, 2 * radius), lid)


def sphere(o: NDArray, d: NDArray, radius: float = 0.7) -> NDArray:
    return ball(o, d, radius, radius)


def capsule(o: NDArray, d: NDArray, radius: float = 0.52) -> NDArray:
    top = 3.2 * radius  # the upper ball's middle
    return nearest(tube(o, d, radius, radius, top), ball(o, d, radius, radius), ball(o, d, radius, top))


SHAPES = (cube, cylinder, sphere, capsule)


def nearest(*hits: NDArray) -> NDArray:
    """Of several objects, what rays meet first."""
    found = hits[0]
    for hit in hits[1:]:
        found = np.where(hit[0] < found[0], hit, found)
    return found


def rays(angle: float) -> tuple[NDArray, NDArray]:
    """The camera's place (3, 1) and the directions it looks into (3, n), top left pixel first, SUB * SUB a pixel."""

    def turn(degrees: float) -> tuple[float, float]:  # rounded, because libraries differ in the last digit
        return round(math.cos(math.radians(degrees)), 12), round(math.sin(math.radians(degrees)), 12)

    (cos, sin), (level, down) = turn(angle), turn(DOWN)
    reach = round(math.tan(math.radians(VIEW / 2)), 12)
    steps = reach * ((np.arange(SIDE * SUB) + 0.5) / (SIDE * SUB) * 2 - 1)
    right, up = np.tile(steps, SIDE * SUB), np.repeat(-steps, SIDE * SUB)
    forward = level + up * down  # along the floor
    place = np.array([[DISTANCE * sin], [-DISTANCE * cos], [HEIGHT]])
    return place, np.stack([cos * right - sin * forward, sin * right + cos * forward, up * level - down])


def empty_room(o: NDArray, d: NDArray) -> tuple[NDArray, NDArray]:
    """How far it is to floor or walls, (n,), and the maps of the room without an object, (6, n)."""
    back, aside = (DEPTH - o[1]) / d[1], (np.sign(d[0]) * WIDTH - o[0]) / d[0]
    wall, floor = np.minimum(back, aside), np.where(d[2] < 0, -o[2] / d[2], np.inf)
    maps = np.zeros((MAPS, len(wall)))
    maps[0] = floor < wall
    maps[1] = np.where((floor >= wall) & (o[2] + wall * d[2] <= WALL), np.where(back < aside, 1, SIDE_WALL), 0)
    maps[3:] = np.where(maps[:2].any(0), 0, SKY)
    return np.minimum(wall, floor), maps


def geometries() -> Iterator[tuple[tuple[int, int, int], NDArray[np.uint8]]]:
    """Every (scale, shape, orientation), in classes, with its maps: (6, 64, 64) uint8, 255 is all."""
    for k, angle in enumerate(ANGLES):
        o, d = rays(angle)
        far, room = empty_room(o, d)
        below = np.flatnonzero(room[0])
        floor = (o + far * d)[:, below] * np.array([[1], [1], [0]])
        toward = -d / np.sqrt(dot(d, d))
        for i, scale in enumerate(SCALES):
            for j, shape in enumerate(SHAPES):  # the world shrinks by the object's scale: distances in d stay
                maps, hit = room.copy(), shape(o / scale, d / scale)
                shadow = shape(floor / scale, np.broadcast_to(LIGHT, floor.shape) / scale)
                maps[0, below[np.isfinite(shadow[0])]] = SHADOW
                seen = np.flatnonzero(hit[0] < far)
                maps[:, seen] = shaded(hit[1:, seen], toward[:, seen])
                yield (i, j, k), averaged(maps)


def shaded(normal: NDArray, toward: NDArray) -> NDArray:
    """Maps of points of the object, (6, n), by Phong's model; `toward` (3, n) leads to the camera."""
    lit = np.maximum(dot(normal, LIGHT), 0)
    shine = np.where(lit > 0, np.maximum(dot(2 * lit * normal - LIGHT, toward), 0), 0)
    for _ in range(4):  # to the 16th power
        shine = shine * shine
    shine = SHINE * shine
    maps = np.zeros((MAPS, len(lit)))
    maps[2] = (AMBIENT + (1 - AMBIENT) * lit) * (1 - shine)
    maps[3:] = shine
    return maps


def averaged(maps: NDArray) -> NDArray[np.uint8]:
    """A pixel's mean over its rays, (6, 64, 64), rounded down so that the parts of a pixel never exceed the whole."""
    fine = maps.reshape(MAPS, SIDE, SUB, SIDE, SUB)
    total = fine[:, :, 0, :, 0] + fine[:, :, 0, :, 1] + fine[:, :, 1, :, 0] + fine[:, :, 1, :, 1]
    return np.floor(total * (255 / SUB**2)).astype(np.uint8)


@cache
def cast() -> NDArray[np.uint8]:
    """The maps of all geometries, (480, 6, 64 * 64) uint8 (12 MB), orientation fastest; cast once."""
    sizes = len(SCALES), len(SHAPES), len(ANGLES)
    maps = np.empty((*sizes, MAPS, SIDE, SIDE), np.uint8)
    with np.errstate(all="ignore"):  # rays that meet nothing divide by zero
        for at, held in geometries():
            maps[at] = held
    maps = maps.reshape(-1, MAPS, SIDE * SIDE)
    maps.flags.writeable = False  # it is shared
    return maps
