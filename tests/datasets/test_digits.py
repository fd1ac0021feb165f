"""Real digits moved by known transformations: where they land, and who sees which."""

import numpy as np
import pytest

from disentangle_bench.datasets import load, parse, spell
from disentangle_bench.datasets._moved import STILL, move


def centre(image):
    """Centre of mass in pixels from the middle, to the right and down."""
    rows, columns = np.indices(image.shape) - (np.array(image.shape) - 1)[:, None, None] / 2
    weight = image / image.sum()
    return (columns * weight).sum(), (rows * weight).sum()


@pytest.fixture(scope="module")
def blob():
    image = np.zeros((28, 28), np.uint8)
    image[12:16, 18:22] = 255  # 6 pixels to the right of the middle
    return image


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, (6, 0)),
        ({"angle": np.pi / 2}, (0, -6)),  # counter-clockwise: up
        ({"shiftX": -0.25}, (-1, 0)),
        ({"shiftY": 0.25}, (6, 7)),
        ({"scale": 0.5}, (3, 0)),
        ({"angle": np.pi / 2, "scale": 0.5, "shiftX": 0.25}, (7, -3)),  # scaled, turned, then shifted
    ],
)
def test_a_blob_lands_where_the_factors_say(blob, change, expected):
    moved = move(blob, **{**STILL, **change})
    assert centre(moved) == pytest.approx(expected, abs=0.15)
    assert moved.sum() / blob.sum() == pytest.approx({**STILL, **change}["scale"] ** 2, rel=0.05)


def test_untransformed_digits_are_their_own_canonical_images():
    data = load("digits")
    assert data.names == ("digit",) and len(data) == 1797
    np.testing.assert_array_equal(data.take([0, 1796]), data.canonical([0, 1796]))
    assert data.take([3]).shape == (1, 28, 28, 1) and data.take([3]).max() > 200


def test_no_original_is_seen_in_training_and_scored():
    data = load("digits(transform=sim2, copies=3)")
    fit, scored = data.home[: data.fit], data.home[data.scored]
    assert len(data) == 3 * 1797 and data.fit == 4500 and len(scored) == 891
    assert not set(fit) & set(scored) and len(set(scored)) == 297
    assert (np.bincount(data.home) == 3).all()


def test_continuous_factors_are_kept_exactly_and_as_classes():
    data = load("digits(transform=sim2)")
    assert data.kinds == ("categorical", "continuous", "continuous", "continuous", "continuous")
    angle, scale = data.table[:, 1], data.table[:, 4]
    assert -np.pi / 2 <= angle.min() < -1.5 and 1.5 < angle.max() <= np.pi / 2
    assert scale.min() >= 0.5 and scale.max() <= 1
    nearest = np.abs(angle[:, None] - data.levels[1]).argmin(1)
    assert (nearest == data.factors[:, 1]).mean() > 0.99
    np.testing.assert_array_equal(data.table[:, 0], data.factors[:, 0])
    moved = [move(data.canonical([i])[0, ..., 0], *data.table[i, 1:]) for i in (5, 1700)]
    np.testing.assert_array_equal(data.take([5, 1700])[..., 0], moved)


def test_the_set_is_the_same_whenever_it_is_loaded():
    first, again, other = load("digits(transform=so2)"), load("digits(transform=so2)"), load("digits(transform=se2)")
    assert first.sha256 == again.sha256 != other.sha256


def test_options_are_part_of_a_name():
    assert parse("digits(transform=se2)") == ("digits", {"transform": "se2"})
    assert spell("digits", {"transform": "none"}) == "digits"
    for name, message in [
        ("digits(transfrom=se2)", "unknown option of digits 'transfrom'; did you mean 'transform'"),
        ("digits(copies=two)", "digits.copies: got 'two', expected int"),
        ("toy(x=1)", "unknown option of toy 'x'"),
        ("digit", "did you mean 'digits'"),
        ("digits(transform=so3)", "digits.transform: got 'so3', expected one of none, so2, se2, sim2"),
        ("digits(copies=0)", "digits.copies: got 0, expected at least 1"),
    ]:
        with pytest.raises(ValueError, match=message.replace("(", r"\(")):
            load(name)
