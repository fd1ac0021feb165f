"""What is known of the canonical sets without their files, and the study that is planned with it."""

import importlib
import re
from collections import Counter

import numpy as np
import pytest

from disentangle_bench.datasets import _download, fetch, outline
from disentangle_bench.datasets._download import File
from disentangle_bench.runner import plan

GRIDS = {  # number of images, shape of one, factors that are cyclic
    "dsprites": (737_280, (64, 64, 1), {"orientation"}),
    "shapes3d": (480_000, (64, 64, 3), {"floor_hue", "wall_hue", "object_hue"}),
    "mpi3d": (1_036_800, (64, 64, 3), set()),
    "cars3d": (17_568, (64, 64, 3), {"azimuth"}),
    "smallnorb": (48_600, (64, 64, 1), {"azimuth"}),
}


def module(name):
    return importlib.import_module(f"disentangle_bench.datasets.{name}")


@pytest.mark.parametrize("name", GRIDS)
def test_an_outline_is_all_but_images(name):
    data = module(name).outline()
    cyclic = {factor for factor, kind in zip(data.names, data.kinds) if kind == "cyclic"}
    assert (len(data), data.shape, cyclic) == GRIDS[name]
    assert (data.name, data.source) == (name, "official") and data.label in data.names
    assert data.sha256 == _download.digest(module(name).FILES if name != "mpi3d" else module(name).files())
    if name != "smallnorb":  # there, each combination is shown by ten toys
        assert len(data) == np.prod(data.sizes)
    with pytest.raises(ValueError, match=f"an outline has no images: `bench data fetch '{name}"):
        data.take([0])


def test_periods_are_a_full_turn():
    assert module("shapes3d").outline().periods == pytest.approx((10, 10, 10, 0, 0, 0))
    assert module("cars3d").outline().periods == pytest.approx((0, 24, 0))
    assert module("smallnorb").outline().periods == pytest.approx((0, 0, 18, 0))
    assert module("dsprites").outline().periods == pytest.approx((0, 0, 39, 0, 0))


def test_ten_toys_show_each_combination_of_smallnorb():
    few, all_ = module("smallnorb").outline(), module("smallnorb").outline(instances=True)
    assert few.sizes == (5, 9, 18, 6) and all_.sizes == (5, 10, 9, 18, 6)
    assert set(np.bincount(np.ravel_multi_index(tuple(few.factors.T), few.sizes)).tolist()) == {10}
    values = all_.values[[0, -1]]
    np.testing.assert_allclose(values, [[0, 0, 30, 0, 0], [4, 9, 70, np.deg2rad(340), 5]])


def test_variants_of_mpi3d():
    sets = {variant: module("mpi3d").outline(variant=variant) for variant in module("mpi3d").VARIANTS}
    assert {variant: data.sizes[:2] for variant, data in sets.items()} == {
        **dict.fromkeys(("toy", "realistic", "real"), (6, 6)),
        "complex": (4, 4),
    }
    assert len(sets["complex"]) == 460_800 and len({data.sha256 for data in sets.values()}) == 4
    with pytest.raises(ValueError, match=r"unknown mpi3d.variant 'reel'; did you mean 'real'\?"):
        module("mpi3d").outline(variant="reel")


def test_what_is_fetched_is_the_variant_that_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    for name, file in ("mpi3d", "mpi3d_toy"), ("mpi3d(variant=real)", "mpi3d_real"), ("shapes3d", "3dshapes"):
        with pytest.raises(ConnectionError, match=f"{file}.* does not exist and BENCH_OFFLINE forbids its download"):
            fetch(name, tmp_path)


@pytest.mark.parametrize("name", [*GRIDS, "mnist", "fashion_mnist"])
def test_files_are_told_in_full(name):
    files = module(name).FILES
    for file in files:
        assert isinstance(file, File) and file.urls and all(re.match(r"https?://\S+/\S+$", url) for url in file.urls)
        assert len(set(file.urls)) == len(file.urls)
        assert file.name.rpartition("/")[2] in file.urls[0] or "drive.usercontent.google.com" in file.urls[0]
        assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert file.md5 is None or re.fullmatch("[0-9a-f]{32}", file.md5)
    known = [file.digest for file in files if file.digest]
    assert len(set(known)) == len(known) >= len(files) - 1
    assert len({file.name for file in files}) == len(files)
    assert module(name).LICENCE and re.search(r"\b(19|20)\d\d\b", module(name).CITATION)


def test_the_study_of_locatello_2019_is_12600_runs():
    runs = plan.load_study("benchmarks/locatello2019.py").runs(look=lambda name, data_dir: outline(name))
    assert len({run.id for run in runs}) == len(runs) == 12_600
    assert set(Counter((run.model, run.dataset) for run in runs).values()) == {6 * 50}
    assert len({run.dataset_sha256 for run in runs}) == 7
    assert {(run.steps, run.batch, run.rows, run.source.split(",")[0]) for run in runs} == {
        (300_000, 64, 10_000, "official")
    }
    strengths = {
        "betavae": ("beta", [1, 2, 4, 6, 8, 16]),
        "annealedvae": ("c_max", [5, 10, 25, 50, 75, 100]),
        "factorvae": ("gamma", [10, 20, 30, 40, 50, 100]),
        "dipvae_i": ("lambda_od", [1, 2, 5, 10, 20, 50]),
        "dipvae_ii": ("lambda_od", [1, 2, 5, 10, 20, 50]),
        "betatcvae": ("beta", [1, 2, 4, 6, 8, 10]),
    }
    for model, (name, values) in strengths.items():
        assert sorted({run.params[name] for run in runs if run.model == model}) == values
