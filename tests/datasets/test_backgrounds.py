"""dSprites before backgrounds: sprites show as the study has it, and a background belongs to its row alone."""

import hashlib
import importlib

import numpy as np
import pytest

from disentangle_bench.datasets import _backgrounds, _sprites, load
from disentangle_bench.datasets._backgrounds import Backgrounds

module = importlib.import_module("disentangle_bench.datasets.dsprites")
KINDS = tuple(_backgrounds.KINDS)


@pytest.fixture(scope="module")
def bits():
    """The first 1,024 sprites at the largest scale: a square everywhere."""
    return np.concatenate([block for _, block in zip(range(201), _sprites.blocks())][200:])


@pytest.fixture(scope="module")
def sprites(bits):
    return np.unpackbits(bits, axis=-1).astype(bool)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def test_numbers_are_those_of_splitmix64():
    """The reference numbers from seed 1234567."""
    assert _backgrounds.splitmix(np.array([1234567], np.uint64), 5).tolist() == [
        [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    ]


def test_a_background_depends_on_its_row_alone(bits, kind):
    images, rows = Backgrounds(bits, kind), np.array([5, 900, 5, 0, 1023])
    assert (images.shape, images.dtype, len(images)) == ((1024, 64, 64, 3), np.uint8, 1024)
    drawn = images[rows]
    assert (drawn.shape, drawn.dtype) == ((5, 64, 64, 3), np.uint8)
    for row, image in zip(rows, drawn):
        np.testing.assert_array_equal(image, Backgrounds(bits, kind)[np.array([row])][0])
    drawn[:] = 0  # free to change
    assert images[rows].any()


def test_the_images_are_the_pinned_ones(bits, kind):
    pinned = {
        "colour": "55f4d4f5439e6683812925174ae1eeddcd354a116dba32fd2ee772c652a589b3",
        "noise": "0f30e26c2dbcd3f4d45d6b24d95731a3aa149959cc1f9a584f57b5cc079c6274",
        "scream": "c8d31b474c669fb86a401478f5cb41108777bd521284a67114ba344c1b246a5d",
    }
    assert hashlib.sha256(Backgrounds(bits, kind)[np.arange(0, 1024, 7)].tobytes()).hexdigest() == pinned[kind]


def test_coloured_sprites_are_on_black_in_a_bright_colour_each(bits, sprites):
    images = Backgrounds(bits, "colour")[np.arange(1024)]
    assert not images[~sprites].any()
    colours = np.stack([image[sprite][0] for image, sprite in zip(images, sprites)])
    for image, sprite, colour in zip(images, sprites, colours):
        assert (image[sprite] == colour).all()
    assert colours.min() == 128 and colours.max() == 255 and abs(colours.mean(0) - 191.5).max() < 5
    assert abs(np.corrcoef(colours.T) - np.eye(3)).max() < 0.1


def test_noise_is_uniform_around_white_sprites(bits, sprites):
    images = Backgrounds(bits, "noise")[np.arange(1024)]
    assert (images[sprites] == 255).all()
    noise = images[~sprites]
    share = np.bincount(noise.ravel(), minlength=256) / noise.size
    assert abs(share * 256 - 1).max() < 0.05
    assert abs(np.corrcoef(noise.T) - np.eye(3)).max() < 0.01
    assert abs(np.corrcoef(images[3, :, 0].ravel(), images[4, :, 0].ravel())[0, 1]) < 0.2


def test_a_sprite_inverts_a_patch_of_the_picture(bits, sprites):
    images, picture = Backgrounds(bits, "scream"), _backgrounds.picture().reshape(*_backgrounds.PICTURE, 3)
    plain = Backgrounds(np.zeros_like(bits), "scream")
    rows = np.arange(0, 1024, 50)
    for image, patch, sprite in zip(images[rows], plain[rows].astype(int), sprites[rows]):
        np.testing.assert_array_equal(image[sprite], 255 - patch[sprite])
        np.testing.assert_array_equal(image[~sprite], patch[~sprite])
        found = 2 * patch - patch.min((0, 1))  # the picture, but for a constant a channel and for rounding
        places = np.lib.stride_tricks.sliding_window_view(picture[:, :, 0].astype(int), (64, 64))[:-1, :-1]
        rest = places[:, :, ::9, ::9] - found[::9, ::9, 0]
        assert (np.ptp(rest, axis=(2, 3)) <= 1).any()
    starts = {patch[:, :, 0].tobytes() for patch in plain[np.arange(500)]}
    assert len(starts) == 500


def test_every_kind_is_a_data_set_of_its_own(bits, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "fetch", lambda data_dir: data_dir)
    monkeypatch.setattr(module, "read", lambda path: np.broadcast_to(bits[:1], (*module.SHAPE[:2], 8)))
    sets = [load(f"dsprites(background={name})", tmp_path) for name in ("none", *KINDS)]
    for name, data in zip(("none", *KINDS), sets):
        outline, rows = module.outline(background=name), np.array([700_000, 3])
        assert data.shape == outline.shape == (64, 64, 1 if name == "none" else 3)
        assert data.take(rows).shape == data.canonical(rows).shape == (2, *data.shape)
        for told in ("name", "names", "kinds", "label", "source", "sha256"):
            assert getattr(data, told) == getattr(outline, told)
    assert len({data.sha256 for data in sets}) == len({_backgrounds.sha256("noise", data.sha256) for data in sets}) == 4
    assert [data.source for data in sets] == [
        "official",
        "official, colours by row",
        "official, noise by row",
        "official, scream-like",
    ]


def test_an_unknown_background_is_refused_before_any_work(tmp_path):
    for ask in (lambda: load("dsprites(background=color)", tmp_path), lambda: module.outline(background="color")):
        with pytest.raises(ValueError, match=r"unknown dsprites.background 'color'; did you mean 'colour'\?"):
            ask()
