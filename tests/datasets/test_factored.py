"""The container of all data sets, and access to them by name."""

import subprocess
import sys

import numpy as np
import pytest

from disentangle_bench import datasets
from disentangle_bench.datasets._factored import FactoredData, grid, home


def fields(**changes):
    """A table of three 8 x 8 grey images that is no grid, with some arguments changed."""
    pixels = np.arange(3 * 64, dtype=np.uint8).reshape(3, 8, 8, 1)
    good = {
        "name": "tiny",
        "pixels": pixels,
        "factors": np.array([[0, 1], [1, 0], [1, 2]]),
        "levels": (np.array([10.0, 20.0]), np.array([0.0, 0.5, 1.0])),
        "names": ("kind", "size"),
        "kinds": ("categorical", "ordered"),
        "source": "made",
        "sha256": "0",
    }
    return {**good, **changes}


def test_a_table_that_is_no_grid():
    data = FactoredData(**fields())
    assert (len(data), data.shape, data.sizes) == (3, (8, 8, 1), (2, 3))
    assert data.values.tolist() == [[10, 0.5], [20, 0], [20, 1]]
    np.testing.assert_array_equal(data.take([2, 0, 2]), data.pixels[[2, 0, 2]])
    np.testing.assert_array_equal(data.take([False, True, False]), data.pixels[1:2])


def test_bits_and_bytes_give_the_same_images():
    images = np.random.default_rng(0).integers(2, size=(3, 4, 16, 2), dtype=np.uint8)
    data = FactoredData(**fields(pixels=np.packbits(images, axis=2), packed=True))
    assert data.shape == (4, 16, 2)
    got = data.take([2, 1, 1])
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, 255 * images[[2, 1, 1]])


def test_images_are_free_to_change():
    data = FactoredData(**fields())
    before = data.pixels.copy()
    data.take([0, 1])[:] = 7
    np.testing.assert_array_equal(data.pixels, before)


def test_images_are_drawn_from_the_generator_alone_and_from_all_rows():
    data = FactoredData(**fields())
    first, again = (data.images(100, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert {int(image[0, 0, 0]) for image in first} == {0, 64, 128}


def test_canonical_images_are_those_of_the_home_rows():
    data = FactoredData(**fields(home=np.array([0, 2, 2])))
    np.testing.assert_array_equal(data.canonical([1, 0]), data.pixels[[2, 0]])
    with pytest.raises(ValueError, match="'tiny' has no canonical images"):
        FactoredData(**fields()).canonical([0])


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"pixels": np.zeros((3, 8, 8), np.uint8)}, r"pixels must be \(n, h, w, c\) uint8, got \(3, 8, 8\) uint8"),
        ({"pixels": np.zeros((3, 8, 8, 1))}, "pixels must be .* got .* float64"),
        ({"pixels": np.zeros((2, 8, 8, 1), np.uint8)}, "pixels has 2 rows, factors has 3"),
        ({"factors": np.zeros((3, 2))}, "factors must be .* integers, got .* float64"),
        ({"factors": np.zeros(3, int)}, r"factors must be \(n, f\) integers, got \(3,\)"),
        ({"pixels": np.zeros((0, 8, 8, 1), np.uint8), "factors": np.zeros((0, 2), int)}, "factors has no rows"),
        ({"factors": np.array([[0, 0], [0, 0], [2, 0]])}, r"factors holds 0 \.\.\. 2 for 'kind', expected 0 \.\.\. 1"),
        (
            {"factors": np.array([[0, 0], [0, -1], [0, 0]])},
            r"factors holds -1 \.\.\. 0 for 'size', expected 0 \.\.\. 2",
        ),
        ({"levels": (np.zeros(2),)}, "levels must have one entry a factor, got 1 for 2"),
        ({"names": ("kind",)}, "names must have one entry a factor, got 1 for 2"),
        ({"names": ("kind", "kind")}, "names must differ"),
        ({"kinds": ("ordered",) * 3}, "kinds must have one entry a factor, got 3 for 2"),
        ({"kinds": ("ordered", "round")}, "kinds must be of .* got 'round' for 'size'"),
        ({"label": "shape"}, r"label 'shape' is none of \('kind', 'size'\)"),
        ({"home": np.zeros(2, int)}, r"home must be \(3,\) integers, got \(2,\)"),
        ({"home": np.zeros(3)}, "home must be .* got .* float64"),
        ({"home": np.array([0, 1, 3])}, r"home points to rows 0 \.\.\. 3 of 3"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match="data set 'tiny': " + message):
        FactoredData(**fields(**changes))


def test_a_grid_numbers_its_rows_in_order():
    sizes = (2, 3, 4)
    np.testing.assert_array_equal(np.ravel_multi_index(tuple(grid(sizes).T), sizes), np.arange(24))


def test_home_sets_some_factors_and_leaves_the_others():
    sizes = (2, 3, 4)
    expected = grid(sizes).copy()
    expected[:, 1], expected[:, 2] = 2, 1
    np.testing.assert_array_equal(grid(sizes)[home(sizes, {1: 2, 2: 1})], expected)


def test_names_are_file_names():
    assert {"dsprites", "toy"} <= set(datasets.names())
    assert not [name for name in datasets.names() if name.startswith("_")]


def test_unknown_names_are_refused_with_the_nearest_one():
    with pytest.raises(ValueError, match=r"'dsprits'.*did you mean 'dsprites'.*toy"):
        datasets.load("dsprits")
    with pytest.raises(ValueError, match=r"'toys'.*did you mean 'toy'"):
        datasets.fetch("toys")


def test_a_drawn_set_has_nothing_to_fetch():
    with pytest.raises(ValueError, match="'toy' has no file to fetch"):
        datasets.fetch("toy")


def test_listing_imports_no_data_set_and_nothing_heavy():
    code = """
import sys
from disentangle_bench import datasets
datasets.names()
heavy = {"torch", "pandas", "h5py", "pooch", "requests", "scipy"}
print(sorted(heavy & set(sys.modules)), "disentangle_bench.datasets.dsprites" in sys.modules)"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.split() == ["[]", "False"]


def test_the_period_of_a_cyclic_factor_counts_classes():
    turns = np.linspace(0, 2 * np.pi, 3)  # the last repeats the first, as in dSprites
    data = FactoredData(**fields(kinds=("categorical", "cyclic"), levels=(np.array([10.0, 20.0]), turns)))
    assert data.periods == (0.0, 2.0)
    with pytest.raises(ValueError, match="levels of the cyclic factor 'size' must be evenly spaced radians"):
        FactoredData(**fields(kinds=("categorical", "cyclic"), levels=(np.zeros(2), np.array([0.0, 1.0, 3.0]))))


class Drawn:
    """Images that are made when they are asked for."""

    shape, dtype = (3, 8, 8, 1), np.dtype(np.uint8)

    def __len__(self):
        return 3

    def __getitem__(self, rows):
        assert rows.dtype.kind == "i"
        return np.tile(50 * rows.astype(np.uint8)[:, None, None, None], (1, 8, 8, 1))


def test_images_need_not_be_in_memory():
    import torch

    from disentangle_bench.training.resident import Resident

    data = FactoredData(**fields(pixels=Drawn()))
    assert (len(data), data.shape) == (3, (8, 8, 1))
    assert data.take([2, 0, 2])[:, 0, 0, 0].tolist() == [100, 0, 100]
    assert data.take([False, True, True])[:, 0, 0, 0].tolist() == [50, 100]
    images = Resident(data, torch.device("cpu")).at(torch.tensor([1, 2]))
    np.testing.assert_allclose(images[:, 0, 3, 3], [50 / 255, 100 / 255], rtol=1e-6)


@pytest.mark.parametrize(
    "weight, message",
    [
        (np.ones(2), r"weight must be \(3,\) floats, got \(2,\)"),
        (np.array([1, -1, 1.0]), "finite and not negative"),
        (np.array([1, np.nan, 1.0]), "finite and not negative"),
        (np.zeros(3), "weight leaves no row for training"),
    ],
)
def test_weights_that_fit_nothing_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        FactoredData(**fields(weight=weight))


def test_weights_leave_rows_to_score():
    with pytest.raises(ValueError, match="no row for scoring"):
        FactoredData(**fields(weight=np.array([1, 1, 0.0]), fit=2))
