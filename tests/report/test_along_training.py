"""Milestones: the table that is read, the figure and section that are made of it, and tables that have none."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from disentangle_bench import schema
from disentangle_bench.report import load, milestones, report
from disentangle_bench.report.growth import KEY, growth
from disentangle_bench.report.labels import styles
from disentangle_bench.report.statistics import interval, iqm, summary
from disentangle_bench.report.tables import boards

PLACE = ("dsprites", "official")
STEPS = (100, 1_000)  # of 10,000


def curve(folder, seed: int, values: list[float], metric: str = "mig", model: str = "mcevae", **more) -> str:
    """A run with a number at each of STEPS, and its final one if there is a third."""
    final = {} if len(values) == len(STEPS) else {metric: values[-1]}
    run = folder.run(model, "dsprites", seed, scores=final, **more)
    for step, value in zip(STEPS, values):
        folder.milestone(run, step, metric, value)
    return run


def drawn(axes, kind: str) -> dict:
    artists = [a for a in [*axes.lines, *axes.collections] if (a.get_gid() or "").startswith(f"{kind}:")]
    return {a.get_gid().split(":", 1)[1]: a for a in artists}


def figure_of(folder, metrics=("mig",)):
    frame = load(folder.write())
    return growth(milestones(folder.path), frame, metrics, *PLACE), frame


# Tables


def test_tables_of_the_schema_before_are_read(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    folder.run("oracle", "dsprites", 0, scores={"mig": 1.0})
    new = load(folder.write())
    runs = pd.read_parquet(folder.path / "runs.parquet").drop(columns=["precision", "way"])
    runs.to_parquet(folder.path / "runs.parquet", index=False)
    (folder.path / "study.json").write_text(json.dumps({"schema": 3}))
    old = load(folder.path)
    assert set(old["precision"]) == {"fp32"} and set(old["way"]) == {""} and set(new["way"]) == {"", "sequential"}
    pd.testing.assert_frame_equal(old.drop(columns="way"), new.drop(columns="way"))
    assert "0.500" in report(folder.path).read_text(encoding="utf-8")


def test_precision_tells_apart_only_where_it_differs(folder) -> None:
    for precision in ("fp32", "bf16"):
        folder.run("betavae", "dsprites", 0, precision=precision, scores={"mig": 0.5})
    folder.run("mcevae", "dsprites", 0, precision="bf16", scores={"mig": 0.5})
    frame = load(folder.write())
    assert set(frame["label"]) == {"betavae (precision=bf16)", "betavae (precision=fp32)", "mcevae"}
    assert summary(frame).set_index("label")["precision"].to_dict() == {
        "betavae (precision=bf16)": "bf16",
        "betavae (precision=fp32)": "fp32",
        "mcevae": "bf16",
    }


@pytest.mark.parametrize(("precision", "told"), [("fp32", "64 images"), ("bf16", "64 images in bf16")])
def test_a_title_tells_a_precision_below_the_usual(folder, precision: str, told: str) -> None:
    folder.run("betavae", "dsprites", 0, precision=precision, scores={"mig": 0.5})
    folder.run("oracle", "dsprites", 0, scores={"mig": 1.0})  # controls are not trained
    (board,) = boards(load(folder.write()))
    assert board.title == f"dsprites (official), 10,000 steps of {told}"


def test_milestones_end_with_the_final_numbers(folder) -> None:
    run = curve(folder, 0, [0.1, 0.2, 0.3])
    folder.milestone(run, 100, "mig", 0.05, block="z_c")
    stopped = curve(folder, 1, [0.4, 0.5], status="diverged", error="not finite")
    folder.score(stopped, "mig", 0.6)  # of the codes that it stopped with
    folder.run("betavae", "dsprites", 0, scores={"mig": 0.9})  # was not evaluated on the way
    frame = load(folder.write())
    points = milestones(folder.path)
    assert set(points) == {*frame, "step"}
    assert points[["label", "seed", "metric", "step", "value"]].to_numpy().tolist() == [
        ["mcevae", 0, "mig", 100, 0.1],
        ["mcevae", 0, "mig", 1_000, 0.2],
        ["mcevae", 0, "mig", 10_000, 0.3],
        ["mcevae", 0, "mig [z_c]", 100, 0.05],
        ["mcevae", 1, "mig", 100, 0.4],
        ["mcevae", 1, "mig", 1_000, 0.5],  # its end was never reached
    ]


def test_a_folder_without_milestones_gives_an_empty_frame(folder) -> None:
    folder.run("mcevae", "dsprites", 0, scores={"mig": 0.5})
    path = folder.write()
    points = milestones(path)
    assert points.empty and set(points) == {*load(path), "step"}


def test_tables_that_do_not_fit_are_refused_by_name(folder) -> None:
    run = curve(folder, 0, [0.1, 0.2, 0.3])
    file = folder.write() / "milestones.parquet"
    whole = pd.read_parquet(file)
    for table, message in [
        (whole.drop(columns="step"), r"'milestones': missing columns \['step'\]"),
        (whole.assign(step="soon"), r"'milestones', column 'step': expected Int64"),
        (whole.assign(run="unknown"), r"'milestones': runs that table 'runs' does not have: unknown"),
        (whole.assign(step=[100, 10_000]), rf"'step': run {run} has step 10000, expected 1 to 9999"),
        (whole.assign(step=[0, 100]), rf"'step': run {run} has step 0, expected 1 to 9999"),
    ]:
        table.to_parquet(file, index=False)
        with pytest.raises(ValueError, match=message):
            milestones(folder.path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"version": 2}, "'mig' is there as version 1 .*, version 2"), ({"step": 100}, "duplicate scores: mig of run")],
)
def test_numbers_that_do_not_belong_together_make_no_report(folder, changes, message: str) -> None:
    curve(folder, 0, [0.1, 0.2, 0.3])
    folder.milestones[-1] |= changes
    with pytest.raises(ValueError, match=message):
        report(folder.write())
    assert not (folder.path / "report").exists()


# The figure


def test_lines_are_the_numbers(folder) -> None:
    values = {curve(folder, seed, [0.1 + seed / 8, 0.2, 0.3 + seed / 8]): seed for seed in range(3)}
    figure, frame = figure_of(folder)
    (axes,) = figure.axes
    found = drawn(axes, "run")
    assert set(found) == set(values)
    for run, seed in values.items():
        assert found[run].get_xdata().tolist() == [100, 1_000, 10_000]
        assert found[run].get_ydata().tolist() == [0.1 + seed / 8, 0.2, 0.3 + seed / 8]
        assert found[run].get_color() == styles(frame)["mcevae"]["color"]
    centre = drawn(axes, "centre")["mcevae"]
    assert centre.get_xdata().tolist() == [100, 1_000, 10_000]
    assert centre.get_ydata() == pytest.approx([0.225, 0.2, 0.425])  # means
    assert centre.get_linewidth() > 2 * found[run].get_linewidth()
    assert not drawn(axes, "interval")
    assert axes.get_xscale() == "log" and axes.get_ylim() == (0, 1)
    assert [text.get_text() for text in axes.get_xticklabels()] == ["100", "1k", "10k"]


def test_from_five_seeds_on_there_are_intervals(folder) -> None:
    for seed in range(5):
        values = [0.1 + seed**2 / 64, 0.2 + seed / 64, 0.5 + seed**2 / 128]
        curve(folder, seed, values[:2] if seed == 4 else values, **({"status": "failed"} if seed == 4 else {}))
        curve(folder, seed, values, model="betavae")
    figure, frame = figure_of(folder)
    (axes,) = figure.axes
    (label,) = drawn(axes, "interval")
    assert label == "betavae"  # the other has four seeds that are done
    early = np.array([0.1 + seed**2 / 64 for seed in range(5)])
    assert drawn(axes, "centre")["betavae"].get_ydata()[0] == pytest.approx(iqm(early))
    assert drawn(axes, "centre")["mcevae"].get_ydata()[0] == pytest.approx(early[:4].mean())
    edge = drawn(axes, "interval")["betavae"].get_paths()[0].vertices
    assert sorted(set(edge[edge[:, 0] == 100, 1])) == pytest.approx(interval(early))
    dotted = [run for run, line in drawn(axes, "run").items() if line.get_linestyle() == ":"]
    assert dotted == list(frame.loc[frame["status"] == "failed", "run"])
    (legend,) = figure.legends
    told = [text.get_text() for text in legend.get_texts()]
    assert told == ["betavae, 5 seeds", "mcevae, 4 seeds (and 1 unfinished)"]
    assert legend.get_title().get_text() == KEY and "95 % bootstrap interval (from 5 seeds on)" in KEY


def test_a_lone_seed_has_a_line_and_no_mean(folder) -> None:
    curve(folder, 0, [0.1, 0.2, 0.3])
    (axes,) = figure_of(folder)[0].axes
    assert len(drawn(axes, "run")) == 1 and not drawn(axes, "centre")


def test_a_panel_a_metric_with_its_own_scale(folder) -> None:
    run = curve(folder, 0, [90.0, 20.0, 15.0], "reconstruction")
    for metric in ("mig", "kl"):
        folder.milestone(run, 100, metric, 0.25)
        folder.score(run, metric, 0.5)
    folder.score(run, "sap", 0.5)  # a final number alone is no curve
    figure, _ = figure_of(folder, ["kl", "mig", "sap", "reconstruction"])
    panels = {axes.get_title(): axes for axes in figure.axes}
    assert list(panels) == ["mig ↑", "reconstruction ↓", "kl"]
    low, high = panels["reconstruction ↓"].get_ylim()
    assert panels["mig ↑"].get_ylim() == (0, 1) and low == 0 and 90 < high < 120
    assert panels["kl"].get_ylabel() == "nats / image" and len(figure.legends) == 1
    assert len({axes.get_xlim() for axes in figure.axes}) == 1


def test_controls_are_level_lines_or_named_at_the_edge(folder) -> None:
    curve(folder, 0, [90.0, 20.0, 15.0], "reconstruction")
    run = curve(folder, 1, [0.1, 0.2, 0.3])
    for seed, value in enumerate([0.5, 0.75]):
        folder.run("untrained", "dsprites", seed, scores={"mig": value, "reconstruction": 900.0})
    figure, _ = figure_of(folder, ["mig", "reconstruction"])
    mig, reconstruction = figure.axes
    line = drawn(mig, "control")["untrained"]
    assert set(line.get_ydata()) == {0.625} and drawn(mig, "run")[run].get_linestyle() == "-"
    assert len({to_hex(line.get_color())[i : i + 2] for i in (1, 3, 5)}) == 1  # a grey
    assert not drawn(reconstruction, "control") and reconstruction.get_ylim()[1] < 120
    assert [text.get_text() for text in reconstruction.texts if text.get_text()] == ["untrained 900.0 ↑"]


def test_a_run_that_diverges_does_not_stretch_the_scale(folder) -> None:
    curve(folder, 0, [90.0, 20.0, 15.0], "reconstruction")
    curve(folder, 1, [90.0, 1e9], "reconstruction", status="diverged")
    (axes,) = figure_of(folder, ["reconstruction"])[0].axes
    assert axes.get_ylim()[1] < 120


def test_nothing_to_draw_is_an_error(folder) -> None:
    curve(folder, 0, [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match=r"no milestone of sap on dsprites \(official\)"):
        figure_of(folder, ["sap"])


# The page


def test_the_page_has_the_section_where_there_are_milestones(folder) -> None:
    folder.run("mcevae", "digits", 0, scores={"mig": 0.5})
    without = report(folder.write())
    assert "Along training" not in without.read_text(encoding="utf-8")
    assert "milestones.csv" not in without.read_text(encoding="utf-8")
    assert not list(without.parent.glob("milestones*"))

    curve(folder, 0, [0.1, 0.2, 0.3])
    text = (path := report(folder.write())).read_text(encoding="utf-8")
    assert text.count("Along training") == 1 and "below five seeds no interval is" in text
    assert 'alt="metrics of all models along training on dsprites (official), 10,000 steps of 64 images"' in text
    assert {file.name for file in path.parent.glob("milestones*")} == {
        "milestones.csv",
        "milestones.dsprites-official.png",
        "milestones.dsprites-official.svg",
    }
    table = pd.read_csv(path.parent / "milestones.csv")
    assert list(table) == ["label", "step", *schema.RESULTS]
    assert table[["step", "value"]].to_numpy().tolist() == [[100, 0.1], [1_000, 0.2], [10_000, 0.3]]

    (folder.path / "milestones.parquet").unlink()
    assert "Along training" not in report(folder.path).read_text(encoding="utf-8")
    assert not list(path.parent.glob("milestones*"))  # of the report before


def test_a_number_that_milestones_lack_is_named(folder) -> None:
    for seed in range(2):
        run = curve(folder, seed, [0.1, 0.2, 0.3])
        folder.milestone(run, 1_000, "sap", None, error="undefined: all codes are alike")
        folder.score(run, "sap", 0.1)
    text = report(folder.write()).read_text(encoding="utf-8")
    told = "no sap after 1,000 steps: mcevae on dsprites (official), seeds 0–1: undefined: all codes are alike"
    assert text.count(told) == 1


def test_numbers_by_two_conventions_along_a_curve_are_named(folder) -> None:
    curve(folder, 0, [0.1, 0.2, 0.3])
    folder.milestones[0]["convention"] = "bins=10"
    text = report(folder.write()).read_text(encoding="utf-8")
    assert "mixed conventions: mig on dsprites (official) was computed as bins=10 (n = 3000); mig:" in text


def test_metrics_that_nobody_followed_leave_no_section(folder) -> None:
    curve(folder, 0, [0.1, 0.2, 0.3])
    folder.score(folder.runs[0]["run"], "sap", 0.1)
    assert "Along training" not in report(folder.write(), ["sap"]).read_text(encoding="utf-8")


def test_how_far_training_has_come_is_always_shown(folder, drawn) -> None:
    run = curve(folder, 0, [0.1, 0.2, 0.3])
    for metric in ("reconstruction", "sap"):
        folder.milestone(run, 100, metric, 0.25)
    svg = report(folder.write(), ["mig"]).parent / "milestones.dsprites-official.svg"
    shown = [name for name in ("mig", "reconstruction", "sap") if f"<!-- {name}" in svg.read_text(encoding="utf-8")]
    assert shown == ["mig", "reconstruction"]


@pytest.mark.thorough
def test_many_configurations_have_a_figure_a_model(folder) -> None:
    for beta in range(6):
        curve(folder, 0, [0.1, 0.2, 0.3], model="betavae", beta=float(beta))
    curve(folder, 0, [0.1, 0.2, 0.3])
    names = {file.name for file in report(folder.write()).parent.glob("milestones*.svg")}
    assert names == {"milestones.dsprites-official.betavae.svg", "milestones.dsprites-official.mcevae.svg"}
