"""Figures of single runs: what units know, where codes lie, and which clusters are which classes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from disentangle_bench.metrics import cluster_accuracy, dci, mig
from disentangle_bench.report.clusters import confusion, matched
from disentangle_bench.report.embedding import embedding, project
from disentangle_bench.report.matrices import UNITS, importance, matrices
from disentangle_bench.report.run_codes import RunCodes, classes_of, information, read_codes

GRID = np.indices((3, 4, 25)).reshape(3, -1)[:2].T.astype(float)  # shape and size, 300 rows


def held(codes, factors=GRID, names=("shape", "size"), label="shape", clusters=None, periods=None) -> RunCodes:
    codes = np.asarray(codes, float)
    units = tuple(f"z{i}" for i in range(1, codes.shape[1] + 1))
    return RunCodes(codes, np.asarray(factors, float), names, units, periods or (0.0,) * len(names), label, clusters)


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def write(folder: Path, **changes) -> Path:
    path = folder / "runs" / "abc" / "codes.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        "mean": np.column_stack([GRID, GRID[:, :1]]).astype(np.float32),
        "factors": np.column_stack([GRID, np.ones(300)]),
        "names": np.array(["shape", "size", "colour"]),
        "label": np.array("shape"),
        "blocks": np.array(json.dumps({"z_c": 1, "z": 2})),
        "periods": np.array([0.0, 2.0, 0.0]),
        **changes,
    }
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return folder


def test_codes_are_read_with_the_factors_that_vary(tmp_path) -> None:
    found = read_codes(write(tmp_path), "abc")
    assert found is not None and found.names == ("shape", "size") and found.units == ("z_c1", "z1", "z2")
    assert found.periods == (0.0, 2.0) and found.clusters is None and (found.classes == GRID[:, 0]).all()
    assert len(read_codes(tmp_path, "abc", 100).codes) == 100  # type: ignore[union-attr]
    assert read_codes(tmp_path, "none") is None
    assert read_codes(write(tmp_path, mean=np.zeros((300, 2), np.float32)), "abc") is None  # nothing to see
    plain = read_codes(write(tmp_path, blocks=None, label=None, periods=None), "abc")
    assert plain is not None and plain.units == ("z1", "z2", "z3") and plain.classes is None


def test_codes_with_objects_are_refused(tmp_path) -> None:
    write(tmp_path, names=np.array(["shape", None, 3], object))
    with pytest.raises(ValueError, match=r"codes.npz is damaged .*allow_pickle"):
        read_codes(tmp_path, "abc")


def test_some_rows_are_always_the_same() -> None:
    codes = held(GRID, clusters=np.arange(300))
    some = codes.some(50)
    assert len(set(some.clusters)) == 50 and (some.codes == GRID[some.clusters]).all()  # type: ignore[arg-type]
    assert (some.clusters == codes.some(50).clusters).all() and codes.some(300) is codes


def test_information_is_what_mig_takes_its_gap_from() -> None:
    rng = np.random.default_rng(0)
    codes = np.column_stack([GRID + rng.normal(0, 0.4, GRID.shape), rng.normal(size=300)])
    second, first = np.sort(information(held(codes)), axis=0)[-2:]
    assert (first - second).mean() == pytest.approx(mig(codes, GRID.astype(int)))
    assert information(held(GRID)) == pytest.approx(np.eye(2), abs=1e-12)


def test_continuous_factors_are_binned_and_classes_kept() -> None:
    factors = np.column_stack([GRID[:, 0] * 7 - 3, np.linspace(0, 1, 300)])
    classes = classes_of(factors)
    assert (classes[:, 0] == GRID[:, 0]).all() and np.unique(classes[:, 1]).tolist() == list(range(10))


def test_matrices_print_what_units_know() -> None:
    codes = held(np.column_stack([GRID[:, 1], GRID[:, 0], np.zeros(300)]))
    figure = matrices(codes, "the run", trees=True)
    known, trees = figure.axes[:2]
    assert texts(known) == ["0.00", "1.00", "1.00", "0.00", "0.00", "0.00"] == texts(trees)
    assert [t.get_text() for t in known.get_yticklabels()] == ["z1", "z2", "z3"]
    assert [t.get_text() for t in known.get_xticklabels()] == ["shape", "size"]
    assert known.images[0].get_clim() == (0, 1) and figure.get_suptitle() == "the run"
    assert importance(codes) == pytest.approx(dci(codes.codes, GRID.astype(int)).importance)
    assert len(matrices(codes, "the run").axes) == 2  # without trees: one matrix and its scale


def test_of_many_units_those_are_shown_that_know_most() -> None:
    codes = np.random.default_rng(0).normal(size=(300, 40))
    codes[:, [5, 38]] = GRID
    figure = matrices(held(codes), "the run", trees=True)
    names = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert len(names) == UNITS == 30 and {"z6", "z39"} <= set(names) and len(figure.axes) == 2
    assert names == sorted(names, key=lambda name: int(name[1:])) and "30 of 40 units" in figure.get_suptitle()


def test_components_hold_the_variance() -> None:
    rng = np.random.default_rng(0)
    points, told = project(rng.normal(size=(500, 3)) * [1, 10, 0.1] + 5)
    assert points.mean(axis=0) == pytest.approx(0) and points.std(axis=0) == pytest.approx([10, 1], rel=0.1)
    assert told == ": 100 % of variance"
    line = np.arange(4.0)[:, None]
    assert project(line)[0].tolist() == [[-1.5, 0], [-0.5, 0], [0.5, 0], [1.5, 0]]


def test_codes_are_coloured_by_every_factor_the_class_first() -> None:
    factors = np.column_stack([np.linspace(0, 1, 60), np.arange(60) % 4 * 10.0])
    codes = held(
        np.random.default_rng(0).normal(size=(60, 3)), factors, ("angle", "digit"), "digit", periods=(2.0, 0.0)
    )
    figure = embedding(codes, "the run")
    titles = [axes.get_title() for axes in figure.axes[:4]]
    assert titles == ["digit", "angle", "", ""]
    digit, angle, near, _ = (axes.collections[0] for axes in figure.axes[:4])
    assert digit.get_array().tolist() == (np.arange(60) % 4).tolist() and digit.norm.N == 5
    assert angle.get_cmap().name == "twilight" and (angle.norm.vmin, angle.norm.vmax) == (0, 2)
    assert len(near.get_offsets()) == 60 and not np.allclose(near.get_offsets(), digit.get_offsets())
    assert figure.axes[2].get_ylabel() == "t-SNE" and figure.axes[0].get_ylabel().startswith("PCA: ")
    again = embedding(codes, "the run").axes[2].collections[0].get_offsets()
    assert (again == near.get_offsets()).all()
    assert len(embedding(codes, "the run", neighbours=False).axes) == 4  # two maps and two scales


def test_clusters_are_matched_with_classes() -> None:
    classes = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    clusters = np.array([7, 7, 5, 5, 5, 5, -1, -1, -1, 4])
    counts, rows, columns, partners = matched(classes, clusters)
    assert columns.tolist() == [7, 5, -1, 4] and rows.tolist() == partners == [0, 1, 2]
    assert counts.tolist() == [[2, 1, 0, 0], [0, 3, 0, 0], [0, 0, 3, 1]]
    assert np.trace(counts) / 10 == cluster_accuracy(classes, clusters)


def test_fewer_clusters_than_classes_say_which_class_is_theirs() -> None:
    counts, _, columns, partners = matched([0, 1, 1, 2, 2, 2], ["a", "b", "b", "c", "b", "c"])
    assert partners == [0, 1, 2] and columns.tolist() == ["a", "b", "c"]
    counts, _, columns, partners = matched([0, 1, 1, 2, 2, 2], ["a", "a", "a", "c", "c", "c"])
    assert partners == [1, 2] and counts.tolist() == [[1, 0], [2, 0], [0, 3]]


def test_confusion_prints_shares_of_classes_and_frames_matches() -> None:
    clusters = np.where(GRID[:, 0] < 2, GRID[:, 0], 3).astype(int)
    clusters[:25] = 3
    figure = confusion(held(GRID, clusters=clusters), "the run")
    assert figure is not None
    axes = figure.axes[0]
    assert texts(axes) == ["0.75", "", "0.25", "", "1.00", "", "", "", "1.00"]
    assert [patch.get_xy() for patch in axes.patches] == [(-0.5, -0.5), (0.5, 0.5), (1.5, 1.5)]
    assert axes.get_xlabel() == f"cluster; framed: {275 / 300:.3f} of all images" and axes.get_ylabel() == "shape"


@pytest.mark.parametrize("clusters", [None, np.zeros(300, int)])
def test_without_clusters_there_is_no_confusion(clusters) -> None:
    assert confusion(held(GRID, clusters=clusters), "the run") is None
    assert confusion(held(GRID, label="", clusters=GRID[:, 0].astype(int)), "the run") is None


def test_many_clusters_share_the_last_column() -> None:
    figure = confusion(held(GRID, clusters=np.arange(300) % 60), "the run")
    assert figure is not None
    shares = figure.axes[0].images[0].get_array()
    assert shares.shape == (3, 30) and np.allclose(shares.sum(axis=1), 1)
    assert figure.axes[0].get_xticklabels()[-1].get_text() == "others"
