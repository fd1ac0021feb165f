"""The toy set: small, distinct, centred where it says so."""

import numpy as np
import pytest

from disentangle_bench.datasets import load


@pytest.fixture(scope="module")
def data():
    return load("toy")


def test_it_is_the_pinned_set(data):
    assert data.sha256 == "e8eff08cc3ce0f62804acd4311107e7cb18058858ee1fed6ab187a0a44aa154f"
    assert (data.name, data.source, data.label) == ("toy", "drawn", "shape")
    assert (data.names, data.sizes, data.shape) == (("shape", "scale", "posX", "posY"), (3, 3, 8, 8), (16, 16, 1))


def test_all_images_differ(data):
    assert len({image.tobytes() for image in data.take(np.arange(len(data)))}) == len(data) == 576


def test_images_are_black_and_white_and_whole(data):
    images = data.take(np.arange(len(data)))
    assert set(np.unique(images)) == {0, 255}
    area = (images > 0).sum((1, 2, 3)).reshape(3, 3, 64)
    expected = np.array([[25, 49, 81], [21, 37, 69], [9, 13, 17]])  # square, disc, cross: no place cuts a sprite
    np.testing.assert_array_equal(area, np.broadcast_to(expected[:, :, None], area.shape))


def test_a_step_in_position_is_a_pixel_to_the_right_or_down(data):
    images = data.take(np.arange(len(data))).reshape(9, 8, 8, 16, 16)
    np.testing.assert_array_equal(images[:, 1:], np.roll(images[:, :-1], 1, axis=4))
    np.testing.assert_array_equal(images[:, :, 1:], np.roll(images[:, :, :-1], 1, axis=3))


def test_canonical_images_are_the_same_object_centred(data):
    rows = np.arange(len(data))
    np.testing.assert_array_equal(data.factors[data.home[rows], :2], data.factors[:, :2])
    images = data.canonical(rows)[..., 0] > 0
    centre = (
        (images * np.arange(16)).sum((1, 2)) / images.sum((1, 2)),
        (images * np.arange(16)[:, None]).sum((1, 2)) / images.sum((1, 2)),
    )
    np.testing.assert_allclose(centre, 7)  # pixel 7 of 0 ... 15


def test_values_name_sizes_and_places(data):
    assert data.values[0].tolist() == [1, 0.5, 0, 0]
    assert data.values[-1].tolist() == [3, 1, 1, 1]
