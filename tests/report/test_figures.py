"""What is drawn is what the table says: positions, lines, colours and pixels are read back from the figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from disentangle_bench.report import load, report
from disentangle_bench.report.canvas import KINDS
from disentangle_bench.report.curves import curves, read_logs
from disentangle_bench.report.figures import comparison, save
from disentangle_bench.report.labels import styles
from disentangle_bench.report.statistics import interval, iqm


@pytest.fixture(scope="module")
def frame(original):
    return load(original)


def drawn(axes, kind: str) -> dict:
    """Artists of a kind ("control", "run") by what they are of."""
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


def dots(figure, frame, panel: int = 0) -> dict:
    """Of each model's row in a comparison: places (n, 2) and colours of its seeds."""
    axes, names = figure.axes[panel], [t.get_text() for t in figure.axes[0].get_yticklabels()]
    labels = sorted(set(frame["label"]), key=len, reverse=True)  # names of rows are wrapped, and tell the seeds
    rows = [next(l for l in labels if name.replace("\n", " ").startswith(l)) for name in names]
    found = {}
    for artist in (a for a in axes.collections if str(a.get_gid()).startswith("seeds:")):
        for place, colour in zip(artist.get_offsets(), artist.get_facecolors()):
            found.setdefault(rows[round(place[1])], []).append((*place, to_hex(colour)))
    return {label: (np.array([p[:2] for p in own]), {p[2] for p in own}) for label, own in found.items()}


def row_artist(axes, gid: str):
    return next(a for a in [*axes.lines, *axes.collections] if a.get_gid() == gid)


def test_dots_are_the_seeds(frame) -> None:
    found = dots(comparison(frame, "mig", "dsprites", "official"), frame)
    assert set(found) == {"betavae (beta=1)", "betavae (beta=8)", "mcevae"}
    for label, (places, _) in found.items():
        rows = frame[(frame["label"] == label) & (frame["dataset"] == "dsprites") & (frame["metric"] == "mig")]
        assert places[:, 0].tolist() == rows.sort_values("seed")["value"].tolist()
    heights = found["mcevae"][0][:, 1]
    assert len(set(heights)) == 4 and np.all(np.abs(heights - 2) < 0.5)  # spread inside the third row


def test_a_block_is_a_metric_of_its_own(folder) -> None:
    run = folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    folder.score(run, "mig", 0.25, block="z")
    frame = load(folder.write())
    for name, value in (("mig", 0.5), ("mig [z]", 0.25)):
        figure = comparison(frame, name, "dsprites", "official")
        assert dots(figure, frame)["mcevae"][0][:, 0].tolist() == [value]
        assert figure.axes[0].get_xlabel().startswith(name) and figure.axes[0].get_xlim() == (0, 1)


def test_centre_is_the_iqm_from_five_seeds_and_the_mean_below(frame) -> None:
    figure = comparison(frame, "mig", "dsprites", "official")
    values = {label: places[:, 0] for label, (places, _) in dots(figure, frame).items()}
    centres = dict(zip(sorted(values), row_artist(figure.axes[0], "centres").get_xdata()))
    assert centres["betavae (beta=8)"] == pytest.approx(iqm(values["betavae (beta=8)"]))
    assert centres["mcevae"] == pytest.approx(values["mcevae"].mean())


@pytest.mark.parametrize(("seeds", "expected"), [(4, False), (5, True)])
def test_intervals_only_from_five_seeds(folder, seeds: int, expected: bool) -> None:
    values = np.linspace(0.2, 0.4, seeds)
    for seed, value in enumerate(values):
        folder.run("mcevae", "dsprites", seed, scores={"mig": value})
    (axes,) = comparison(load(folder.write()), "mig", "dsprites", "official").axes
    drawn_ends = [tuple(segment[:, 0]) for segment in row_artist(axes, "intervals").get_segments()]
    assert np.allclose(drawn_ends, [interval(values)]) if expected else not drawn_ends


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
    heads = ["".join(axes.get_xlabel().split("\n")[:2]) for axes in figure.axes]
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
        figure = comparison(partial, "dci", *place)
        for panel in range(len(figure.axes)):
            for label, (_, colours) in dots(figure, partial, panel).items():
                assert colours == {look[label]["color"]}
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
    first = save(comparison(frame, "mig", "digits", "rendered"), tmp_path / "a.b", KINDS)
    again = save(comparison(frame, "mig", "digits", "rendered"), tmp_path / "c", KINDS)
    assert [path.name for path in first] == ["a.b.png", "a.b.svg", "a.b.pdf"]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    with Image.open(first[0]) as image:
        width, height = image.size
    assert width == 670 and height < 800  # 3.35 inches at 200 dots: a column of print


def test_a_kind_of_file_that_nobody_writes_is_refused(frame, tmp_path) -> None:
    with pytest.raises(ValueError, match="kinds: got 'bmp', expected some of png, svg, pdf"):
        save(comparison(frame, "mig", "digits", "rendered"), tmp_path / "a", ["png", "bmp"])
    assert not list(tmp_path.iterdir())


def test_names_with_dollars_are_no_formulas(folder, drawn) -> None:
    for k, name in enumerate(["a$x$_1", "$_^"]):
        for seed in range(2):
            run = folder.run("vae", "own$_^$", seed, scores={"mig": 0.1 + k + seed / 10, "sap": seed / 2}, net=name)
            folder.files(run, ["kl"], ["z1"])
    text = report(folder.write(), formats=["svg"]).read_text(encoding="utf-8")
    assert "not drawn" not in text and "net=$_^" in (folder.path / "report" / "heatmap.own-_-official.svg").read_text()


def test_only_the_parts_that_were_asked_for(frame) -> None:
    figure = comparison(frame, "dci", "digits", "rendered", ["dci.completeness", "mig"])
    assert [axes.get_xlabel().split("\n")[1] for axes in figure.axes] == ["completeness"]
