"""Squares whose images overlap nowhere, or as much as asked for."""

import numpy as np
import pytest

from disentangle_bench.datasets import load, xysquares


@pytest.mark.parametrize("name", list(xysquares.PINNED))
def test_it_is_the_pinned_set(name):
    assert load(name).sha256 == xysquares.PINNED[name]


def distances(spacing):
    """Sums of absolute differences between all 64 images of one square, white = 1: (64, 64)."""
    images = load(f"xysquares(squares=1, spacing={spacing})").take(np.arange(64)).reshape(64, -1) / 255
    return abs(images[:, None] - images).sum(-1)


def test_all_moves_are_equally_far():
    np.testing.assert_array_equal(distances(8), 128 * (1 - np.eye(64)))


@pytest.mark.parametrize("spacing", [1, 3, 6])
def test_closer_places_overlap_by_what_they_share(spacing):
    x, y = np.indices((8, 8)).reshape(2, 64) * spacing
    shared = [np.maximum(8 - abs(at[:, None] - at), 0) for at in (x, y)]
    np.testing.assert_array_equal(distances(spacing), 128 - 2 * shared[0] * shared[1])


def test_each_colour_is_a_square_at_its_factors():
    data = load("xysquares")
    assert data.names == ("x_red", "y_red", "x_green", "y_green", "x_blue", "y_blue")
    assert (len(data), data.shape, data.sizes) == (8**6, (64, 64, 3), (8,) * 6)
    rows = np.random.default_rng(0).integers(len(data), size=300)
    for image, place in zip(data.take(rows), data.values[rows].astype(int)):
        for c in range(3):
            expected = np.zeros((64, 64), np.uint8)
            x, y = place[2 * c : 2 * c + 2]
            expected[y : y + 8, x : x + 8] = 255
            np.testing.assert_array_equal(image[..., c], expected)


def test_two_squares_are_red_and_green():
    data = load("xysquares(squares=2)")
    assert data.names == ("x_red", "y_red", "x_green", "y_green")
    sums = data.take([0, len(data) - 1]).astype(int).sum((1, 2)) // 255
    assert sums.tolist() == [[64, 64, 0], [64, 64, 0]]


def test_places_are_centred():
    images = load("xysquares(squares=1, spacing=2)").take([0, 63])[..., 0]
    seen = [np.flatnonzero(image.any(0)) for image in images]
    assert (seen[0][0], seen[1][-1]) == (21, 63 - 21)  # 7 steps of 2 and a square of 8 take 22 of 64 pixels


@pytest.mark.parametrize("option, got", [("spacing", 0), ("spacing", 9), ("squares", 0), ("squares", 4)])
def test_options_out_of_range_are_refused(option, got):
    most = {"spacing": 8, "squares": 3}[option]
    with pytest.raises(ValueError, match=f"xysquares.{option}: got {got}, expected 1 to {most}"):
        load(f"xysquares({option}={got})")


def test_options_have_hashes_of_their_own():
    names = ["xysquares", "xysquares(spacing=7)", "xysquares(squares=2)", "xysquares(squares=1)"]
    assert len({load(name).sha256 for name in names}) == 4
