"""shapes3d_rendered: rays by hand, the room in perspective, and images that are their factors' and no others."""

import colorsys

import numpy as np
import pytest

from disentangle_bench.datasets import _room, load, shapes3d_rendered

SIZES = (10, 10, 10, 8, 4, 15)
DOWN = np.array([[0.0], [0.0], [-1.0]])
EAST = np.array([[1.0], [0.0], [0.0]])


@pytest.fixture(scope="module")
def data():
    return load("shapes3d_rendered")


@pytest.fixture(scope="module")
def maps():
    """(scale, shape, orientation, 6, 64, 64) integers."""
    return _room.cast().reshape(8, 4, 15, 6, 64, 64).astype(int)


def row(*classes):
    return int(np.ravel_multi_index(classes, SIZES))


def met(shape, origin, direction):
    with np.errstate(all="ignore"):
        return shape(np.array(origin, float)[:, None], direction)[:, 0]


def test_it_is_the_pinned_set(data):
    assert data.sha256 == shapes3d_rendered.PINNED["shapes3d_rendered"]
    assert (data.source, data.label, len(data), data.shape) == ("ray-cast", "shape", 480_000, (64, 64, 3))
    assert data.names == ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
    assert data.sizes == SIZES and data.kinds.count("cyclic") == 3 and data.periods[:3] == pytest.approx((10,) * 3)


@pytest.mark.parametrize(
    "shape, origin, direction, distance, normal",
    [
        ("cube", (-3, 0.1, 0.5), EAST, 3 - 0.68, (-1, 0, 0)),
        ("cube", (0.1, 0.2, 5), DOWN, 5 - 1.36, (0, 0, 1)),
        ("cylinder", (-3, 0, 0.5), EAST, 3 - 0.6, (-1, 0, 0)),
        ("cylinder", (-3, 0.36, 0.5), EAST, 3 - 0.48, (-0.8, 0.6, 0)),
        ("cylinder", (0.3, 0.2, 5), DOWN, 5 - 1.2, (0, 0, 1)),
        ("sphere", (-3, 0, 0.7), EAST, 3 - 0.7, (-1, 0, 0)),
        ("sphere", (-3, 0.42, 0.7), EAST, 3 - 0.56, (-0.8, 0.6, 0)),
        ("sphere", (0, 0, 5), DOWN, 5 - 1.4, (0, 0, 1)),
        ("capsule", (-3, 0, 1), EAST, 3 - 0.52, (-1, 0, 0)),
        ("capsule", (0, 0, 5), DOWN, 5 - 4.2 * 0.52, (0, 0, 1)),
        ("capsule", (-3, 0, 3.2 * 0.52 + 0.312), EAST, 3 - 0.416, (-0.8, 0, 0.6)),
    ],
)
def test_rays_meet_objects_where_geometry_says(shape, origin, direction, distance, normal):
    found = met(getattr(_room, shape), origin, direction)
    np.testing.assert_allclose(found, [distance, *normal], atol=1e-12)


@pytest.mark.parametrize("shape", _room.SHAPES)
def test_rays_beside_above_and_away_meet_nothing(shape):
    assert np.isinf(met(shape, (-3, 0.75, 0.3), EAST)[0])
    assert np.isinf(met(shape, (-3, 0, 2.3), EAST)[0])
    assert np.isinf(met(shape, (3, 0, 0.5), EAST)[0])
    assert np.isinf(met(shape, (0.75, 0.75, 5), DOWN)[0])


@pytest.mark.parametrize("shape", _room.SHAPES)
def test_normals_have_length_one(shape):
    o, d = _room.rays(10)
    with np.errstate(all="ignore"):
        found = shape(o, d)
    seen = np.isfinite(found[0])
    assert seen.sum() > 500
    np.testing.assert_allclose((found[1:, seen] ** 2).sum(0), 1)


def test_the_camera_looks_at_the_middle_from_where_it_says():
    o, d = _room.rays(30)
    np.testing.assert_allclose(o[:, 0], [1.8, -3.6 * np.cos(np.pi / 6), 1.8])
    ahead = d.mean(1)  # to the axis, 8.7 degrees below the horizon
    np.testing.assert_allclose(ahead[:2] / np.linalg.norm(ahead[:2]), -o[:2, 0] / 3.6)
    assert np.degrees(np.arctan2(-ahead[2], np.hypot(*ahead[:2]))) == pytest.approx(8.7)


def test_the_back_wall_ends_where_perspective_puts_it(maps):
    def line(height):  # pixels from the top to a height of the back wall, seen from the middle
        angle = np.arctan((height - _room.HEIGHT) / (_room.DISTANCE + _room.DEPTH)) + np.radians(_room.DOWN)
        return 32 - 32 * np.tan(angle) / np.tan(np.pi / 6)

    wall = maps[0, 0, 7, 1, :, 2]  # a column that the object does not reach
    assert wall.sum() / 255 == pytest.approx(line(0) - line(2.5), abs=0.6)
    assert np.flatnonzero(wall)[0] == pytest.approx(line(2.5), abs=1)


def test_from_the_middle_no_side_wall_is_seen_and_from_both_sides_it_is(maps):
    side = int(255 * _room.SIDE_WALL)
    for k, seen in (0, True), (7, False), (14, True):
        assert ((maps[0, 0, k, 1] == side).sum() > 100) == seen


def test_the_empty_room_seen_from_the_other_side_is_its_mirror_image():
    left, right = (_room.averaged(_room.empty_room(*_room.rays(angle))[1]) for angle in (-20, 20))
    np.testing.assert_array_equal(left, right[:, :, ::-1])


def test_every_geometry_is_its_own_and_shows_floor_wall_and_object(maps):
    assert len({geometry.tobytes() for geometry in maps.reshape(480, -1)}) == 480
    area = (maps[..., :3, :, :] > 0).sum((-1, -2))
    assert area.min(axis=(0, 1, 2)).tolist() >= [300, 300, 90]


def test_larger_objects_cover_more(maps):
    area = (maps[..., 2, :, :] > 0).sum((-1, -2))  # (scale, shape, orientation)
    assert (np.diff(area, axis=0) > 0).all()


def test_the_parts_of_a_pixel_never_exceed_the_whole(maps):
    assert (maps[..., :3, :, :].sum(-3) + maps[..., 3:, :, :].max(-3)).max() <= 255


def test_the_shadow_falls_away_from_the_lamp(maps):
    floor = maps[-1, 2, 7, 0]  # the sphere, from the middle: the lamp is on the left
    shadow = floor == int(255 * _room.SHADOW)
    assert shadow[:, 32:].sum() > 80 > 3 * shadow[:, :32].sum()


def test_colours_are_the_full_hues():
    expected = [[5 * part for part in colorsys.hsv_to_rgb(k / 10, 1, 1)] for k in range(10)]
    np.testing.assert_allclose(shapes3d_rendered.colours(), expected, atol=1e-9)


def test_an_image_is_its_maps_times_its_colours(data, maps):
    rng = np.random.default_rng(0)
    rows = rng.integers(len(data), size=20)
    for image, (floor, wall, thing, scale, shape, turn) in zip(data.take(rows), data.factors[rows]):
        colours = np.array([colorsys.hsv_to_rgb(hue / 10, 1, 1) for hue in (floor, wall, thing)])  # (3 parts, 3)
        held = maps[scale, shape, turn]
        expected = np.einsum("phw,pc->hwc", held[:3], colours) + held[3:].transpose(1, 2, 0)
        np.testing.assert_allclose(image, expected, atol=0.5 + 1e-9)


def test_every_factor_changes_the_image(data):
    rows = [row(0, 2, 4, 3, 2, 7)] + [row(*np.add((0, 2, 4, 3, 2, 7), step)) for step in np.eye(6, dtype=int)]
    assert len({image.tobytes() for image in data.take(rows)}) == 7


def test_floor_wall_and_object_have_the_hues_that_they_are_named_by(data):
    image = data.take([row(0, 4, 7, 3, 2, 7)])[0].astype(int)  # red floor, green wall, blue object
    assert image[60, 5].tolist() == [255, 0, 0]
    assert image[28, 3].tolist() == [0, 255, 102]
    assert image[38, 32].argmax() == 2


def test_an_image_does_not_depend_on_those_it_is_drawn_with(data):
    rows = np.random.default_rng(1).integers(len(data), size=300)  # more than are drawn at a time
    images = data.take(rows)
    np.testing.assert_array_equal(images[[299, 0, 0]], data.take(rows[[299, 0, 0]]))
    assert data.take([]).shape == (0, 64, 64, 3)
    for wrong in [len(data)], [-1]:
        with pytest.raises(IndexError, match=r"expected 0 \.\.\. 479999"):
            data.take(wrong)
