"""What is drawn is what the table says: positions, lines, colours and pixels are read back from the figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from disentangle_bench.report import load, pictures
from disentangle_bench.report.curves import curves, read_logs
from disentangle_bench.report.figures import comparison, save
from disentangle_bench.report.labels import styles
from disentangle_bench.report.pictures import FRAME, GAP, animation, mosaic, read_pictures, reconstructions, traversals
from disentangle_bench.report.statistics import interval, iqm


@pytest.fixture(scope="module")
def frame(original):
    return load(original)


def drawn(axes, kind: str) -> dict:
    """Artists of a kind ("seeds", "centre", "interval", "control", "run") by label."""
    artists = [a for a in [*axes.lines, *axes.collections] if (a.get_gid() or "").startswith(f"{kind}:")]
    return {a.get_gid().split(":", 1)[1]: a for a in artists}


def texts(figure) -> str:
    parts = [figure.get_suptitle(), figure.get_supxlabel()]
    for axes in figure.axes:
        parts += [
            axes.get_xlabel(),
            axes.get_title(),
            axes.get_title(loc="left"),
            *(t.get_text() for t in axes.texts),
            *(t.get_text() for t in axes.get_yticklabels()),
        ]
    return "\n".join(parts)


def test_dots_are_the_seeds(frame) -> None:
    (axes,) = comparison(frame, "mig", "dsprites", "official").axes
    found = drawn(axes, "seeds")
    assert set(found) == {"betavae (beta=1)", "betavae (beta=8)", "mcevae"}
    for label, dots in found.items():
        rows = frame[(frame["label"] == label) & (frame["dataset"] == "dsprites") & (frame["metric"] == "mig")]
        assert dots.get_offsets()[:, 0].tolist() == rows.sort_values("seed")["value"].tolist()
    heights = found["mcevae"].get_offsets()[:, 1]
    assert len(set(heights)) == 4 and np.all(np.abs(heights - 2) < 0.5)  # spread inside the third row


def test_a_block_is_a_metric_of_its_own(folder) -> None:
    run = folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    folder.score(run, "mig", 0.25, block="z")
    frame = load(folder.write())
    for name, value in (("mig", 0.5), ("mig [z]", 0.25)):
        (axes,) = comparison(frame, name, "dsprites", "official").axes
        assert drawn(axes, "seeds")["mcevae"].get_offsets()[:, 0].tolist() == [value]
        assert axes.get_xlabel().startswith(name) and axes.get_xlim() == (0, 1)


def test_centre_is_the_iqm_from_five_seeds_and_the_mean_below(frame) -> None:
    (axes,) = comparison(frame, "mig", "dsprites", "official").axes
    values = {label: np.sort(dots.get_offsets()[:, 0]) for label, dots in drawn(axes, "seeds").items()}
    centres = {label: line.get_xdata()[0] for label, line in drawn(axes, "centre").items()}
    assert centres["betavae (beta=8)"] == pytest.approx(iqm(values["betavae (beta=8)"]))
    assert centres["mcevae"] == pytest.approx(values["mcevae"].mean())


@pytest.mark.parametrize(("seeds", "expected"), [(4, False), (5, True)])
def test_intervals_only_from_five_seeds(folder, seeds: int, expected: bool) -> None:
    values = np.linspace(0.2, 0.4, seeds)
    for seed, value in enumerate(values):
        folder.run("mcevae", "dsprites", seed, scores={"mig": value})
    (axes,) = comparison(load(folder.write()), "mig", "dsprites", "official").axes
    found = drawn(axes, "interval")
    assert ("mcevae" in found) == expected
    if expected:
        assert tuple(found["mcevae"].get_xdata()) == interval(values)


def test_controls_are_grey_lines_at_their_means(frame) -> None:
    (axes,) = comparison(frame, "mig", "dsprites", "official").axes
    found = drawn(axes, "control")
    assert set(found) == {"oracle", "noise", "untrained", "pca"}
    for label, line in found.items():
        rows = frame[(frame["label"] == label) & (frame["dataset"] == "dsprites") & (frame["metric"] == "mig")]
        assert line.get_xdata()[0] == pytest.approx(rows["value"].mean())
        assert len({to_hex(line.get_color())[i : i + 2] for i in (1, 3, 5)}) == 1  # a grey
        assert f"{label} {rows['value'].mean():.3f}" in [t.get_text() for t in axes.texts]
    assert len({line.get_linestyle() for line in found.values()}) == 4


def test_names_of_controls_never_share_a_line(frame) -> None:
    (axes,) = comparison(frame, "mig", "dsprites", "official").axes
    assert len({t.get_position()[1] for t in axes.texts}) == len(axes.texts) == 4


def test_a_control_far_off_the_scale_is_named_at_the_edge(frame) -> None:
    (axes,) = comparison(frame, "reconstruction", "dsprites", "official").axes
    assert axes.get_xlim()[1] < 100 and not drawn(axes, "control")
    assert [t.get_text() for t in axes.texts] == ["untrained 900.0 →"]


def test_axes_run_between_fixed_ends_whoever_is_present(frame, folder) -> None:
    for axes in comparison(frame, "dci", "dsprites", "official").axes:
        assert axes.get_xlim() == (0, 1)
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5, "dci.informativeness": -0.25})
    held = load(folder.write())
    assert comparison(held, "mig", "dsprites", "official").axes[0].get_xlim() == (0, 1)
    assert comparison(held, "dci", "dsprites", "official").axes[0].get_xlim() == (-0.25, 1)  # no value is cut off


@pytest.mark.parametrize(("values", "from_zero"), [((10.0, 90.0), True), ((3500.0, 3900.0), False)])
def test_a_scale_with_one_end_starts_there_unless_all_is_far(folder, values, from_zero: bool) -> None:
    for seed, value in enumerate(values):
        folder.run("mcevae", "dsprites", seed, scores={"reconstruction": value})
    low, high = comparison(load(folder.write()), "reconstruction", "dsprites", "official").axes[0].get_xlim()
    assert (low == 0) == from_zero and low < min(values) and high > max(values)


def test_a_family_has_a_panel_for_each_part(frame) -> None:
    figure = comparison(frame, "dci", "digits", "rendered")
    heads = [axes.get_xlabel().split("\n")[0] for axes in figure.axes]
    assert heads == ["dci.disentanglement", "dci.completeness", "dci.informativeness"]


def test_every_plot_says_where_how_many_and_what_is_better(frame) -> None:
    said = texts(comparison(frame, "mig", "dsprites", "official"))
    for part in ("dsprites (official)", "10,000 steps of 64 images", "mcevae\n4 seeds", "higher is better →"):
        assert part in said
    assert "← lower is better" in texts(comparison(frame, "reconstruction", "digits", "rendered"))


def test_nothing_to_compare_is_an_error(frame) -> None:
    with pytest.raises(ValueError, match=r"no finished number of 'ari' on dsprites \(official\)"):
        comparison(frame, "ari", "dsprites", "official")


def test_a_label_keeps_its_colour_everywhere(frame, original) -> None:
    """On a data set where another model is absent, and in learning curves."""
    partial = frame[(frame["dataset"] == "dsprites") | (frame["model"] != "betavae")]
    look = styles(partial)
    for place in [("dsprites", "official"), ("digits", "rendered")]:
        for axes in comparison(partial, "dci", *place).axes:
            for label, dots in drawn(axes, "seeds").items():
                assert to_hex(dots.get_facecolor()[0]) == look[label]["color"]
    logs = read_logs(original, frame[(frame["label"] == "mcevae") & (frame["dataset"] == "dsprites")])
    for axes in curves(logs, "mcevae", look["mcevae"]["color"], "").axes:
        assert {line.get_color() for line in axes.lines} == {look["mcevae"]["color"]}


def test_more_labels_than_colours_differ_by_marker(folder) -> None:
    for beta in range(1, 13):
        folder.run("betavae", "dsprites", 0, scores={"mig": 0.5}, beta=float(beta))
    look = styles(load(folder.write()))
    assert len({(s["color"], s["marker"]) for s in look.values()}) == 12


def test_curves_show_terms_and_their_total(frame, original) -> None:
    logs = read_logs(original, frame[(frame["label"] == "mcevae") & (frame["dataset"] == "dsprites")])
    panels = {axes.get_title(): axes for axes in curves(logs, "mcevae", "#029e73", "here").axes}
    assert list(panels) == ["total", "reconstruction", "invariance", "kl_c", "kl_z", "kl_tau"]
    run = logs["run"].iloc[0]
    own = logs[logs["run"] == run].pivot(index="step", columns="term", values="value")
    for term, expected in [("kl_z", own["kl_z"]), ("total", own.sum(axis=1))]:
        line = drawn(panels[term], "run")[run]
        assert line.get_xdata().tolist() == own.index.tolist()
        assert line.get_ydata() == pytest.approx(expected.to_numpy(float))
    stopped = {line.get_gid() for line in panels["total"].lines if line.get_linestyle() == ":"}
    assert stopped == {f"run:{run}" for run in logs.loc[logs["status"] == "diverged", "run"]}
    assert panels["total"].get_yscale() == "log"  # 1500 to 70 nats, always positive


def test_a_second_player_has_its_own_total_and_small_falls_stay_linear() -> None:
    steps = [100, 200]
    terms = {"reconstruction": [9.0, 8.0], "kl": [0.0, 1.0], "critic.real": [0.5, 0.25], "critic.fake": [0.5, 0.5]}
    logs = pd.DataFrame(
        [
            {"run": "a", "seed": 0, "status": "done", "step": s, "term": t, "value": v}
            for t, values in terms.items()
            for s, v in zip(steps, values)
        ]
    )
    panels = {axes.get_title(): axes for axes in curves(logs, "x", "black", "").axes}
    assert panels["total"].lines[0].get_ydata().tolist() == [9.0, 9.0]
    assert panels["critic.total"].lines[0].get_ydata().tolist() == [1.0, 0.75]
    assert {axes.get_yscale() for axes in panels.values()} == {"linear"}


def test_runs_without_a_log_are_left_out(frame, original) -> None:
    assert read_logs(original, frame[frame["status"] == "failed"]).empty


def test_saved_plots_are_the_same_bytes(frame, tmp_path) -> None:
    first = save(comparison(frame, "mig", "digits", "rendered"), tmp_path / "a.b")
    again = save(comparison(frame, "mig", "digits", "rendered"), tmp_path / "c")
    assert [path.name for path in first] == ["a.b.png", "a.b.svg"]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    with Image.open(first[0]) as image:
        width, height = image.size
    assert width == 700 and height < 800  # 3.5 inches at 200 dots: a column of print


# Pictures


def test_a_mosaic_frames_every_image() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 5, 1), dtype=np.uint8)
    sheet = mosaic(images)
    assert sheet.shape == (2 * (4 + GAP) + GAP, 3 * (5 + GAP) + GAP, 3)
    assert (sheet[GAP + 4 + GAP : GAP + 4 + GAP + 4, GAP : GAP + 5] == images[1, 0]).all()
    frame = np.ones(sheet.shape[:2], bool)
    for r in range(2):
        for k in range(3):
            frame[GAP + r * (4 + GAP) :, GAP + k * (5 + GAP) :][:4, :5] = False
    assert (sheet[frame] == FRAME).all() and len(set(FRAME)) == 3  # visible beside every grey


def test_colour_images_keep_their_colours() -> None:
    image = np.array([[[10, 20, 30]]], np.uint8)[None, None]
    assert mosaic(image)[GAP, GAP].tolist() == [10, 20, 30]


def run_of(frame, label: str, dataset: str) -> str:
    return str(frame.loc[(frame["label"] == label) & (frame["dataset"] == dataset), "run"].iloc[0])


def test_reconstructions_have_named_rows(frame, original) -> None:
    shown = {
        f"{label}, seed 0": read_pictures(original, run_of(frame, label, "digits"))
        for label in ("betavae (beta=8)", "mcevae")
    }
    first, second = reconstructions(shown, "digits (rendered)").axes
    assert [t.get_text() for t in first.get_yticklabels()] == ["input", "reconstruction"]
    assert [t.get_text() for t in second.get_yticklabels()] == ["input", "reconstruction", "canonical"]
    assert second.get_title(loc="left") == "mcevae, seed 0"
    held = shown["mcevae, seed 0"]
    expected = mosaic(np.stack([held["inputs"], held["reconstructions"], held["canonical"]]))
    assert (second.images[0].get_array() == expected).all()


def test_traversals_have_a_named_row_a_unit(frame, original) -> None:
    held = read_pictures(original, run_of(frame, "mcevae", "dsprites"))
    (axes,) = traversals(held, "mcevae, seed 0", "dsprites (official)").axes
    names = [t.get_text() for t in axes.get_yticklabels()]
    assert names == [f"{name}  [−2, 2]" for name in ("z_c1", "z_c2", "z1", "z2", "tau1", "tau2")]
    assert (axes.images[0].get_array() == mosaic(held["traversals"])).all()
    rows = axes.get_yticks() // (axes.images[0].get_array().shape[0] / 6)
    assert rows.tolist() == [0, 1, 2, 3, 4, 5]  # every name beside its own row


def test_no_pictures_are_none(frame, original) -> None:
    assert read_pictures(original, run_of(frame, "oracle", "dsprites")) is None


@pytest.mark.parametrize(("channels", "still"), [(1, False), (3, False), (1, True)])
def test_the_animation_sweeps_there_and_back(tmp_path, channels: int, still: bool) -> None:
    images = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (7, 5, 8, 8, channels))
    if still:  # frames alike must not be merged
        images = images[:, :1].repeat(5, 1)
    held = {"traversals": images, "traversal_names": np.array([f"z{i}" for i in range(7)])}
    with Image.open(animation(held, tmp_path / "film.gif", tile=16, milliseconds=50)) as film:
        assert film.n_frames == 2 * 5 - 2 and film.info["loop"] == 0 and film.info["duration"] == 50
        for number, step in enumerate([0, 1, 2, 3, 4, 3, 2, 1]):
            film.seek(number)
            tile = np.asarray(film.convert("RGB"))[20 : 20 + 16, 6 : 6 + 16]  # the first unit's, below its name
            expected = np.broadcast_to(images[0, step].repeat(2, 0).repeat(2, 1), (16, 16, 3))
            assert np.abs(tile.astype(int) - expected).max() <= 8  # 64 colours


def test_what_a_model_itself_shows_is_sheets_and_tables_with_their_names():
    held = {
        "inputs": np.zeros((2, 4, 4, 1), np.uint8),
        "sheet:drawn": np.zeros((3, 5, 4, 4, 1), np.uint8),
        "rows:drawn": np.array(["a", "b", "c"]),
        "table:means": np.array([[0.25, 0.75]], np.float32),
        "rows:means": np.array(["all"]),
        "columns:means": np.array(["k0", "k1"]),
    }
    figure = pictures.findings(held, "some model", "on some data")
    assert figure is not None
    sheet, table = figure.axes[:2]
    assert [t.get_text() for t in sheet.get_yticklabels()] == ["a", "b", "c"] and sheet.get_title() == "drawn"
    assert [t.get_text() for t in table.get_xticklabels()] == ["k0", "k1"]
    assert [t.get_text() for t in table.texts] == ["0.25", "0.75"]
    assert pictures.findings({"inputs": held["inputs"]}, "some model", "on some data") is None
