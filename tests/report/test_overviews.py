"""Figures over all runs say what the table says: cells, ranks, bars, lines and dots are read back."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from disentangle_bench.report import figures, load
from disentangle_bench.report.crowd import few, pooled, typical
from disentangle_bench.report.labels import styles
from disentangle_bench.report.sensitivity import geometric, swept

HERE = ("dsprites", "official")


def names(ticks) -> list[str]:
    return [tick.get_text() for tick in ticks]


def artists(axes, kind: str) -> dict:
    found = [a for a in [*axes.lines, *axes.collections] if str(a.get_gid()).startswith(f"{kind}:")]
    return {a.get_gid().split(":", 1)[1]: a for a in found}


@pytest.fixture
def ladder(folder):
    """Three models, five seeds each, that no seed brings out of order in mig; sap puts them the other way round."""
    for k, model in enumerate(["vae", "betavae", "factorvae"]):
        for seed in range(5):
            mig, nats = 0.2 + 0.2 * k + 0.01 * seed, 50.0 + 10 * k + seed
            scores = {"mig": mig, "sap": 1 - mig, "reconstruction": nats}
            folder.run(model, "dsprites", seed, scores=scores)
    folder.run("oracle", "dsprites", 0, scores={"mig": 0.9, "sap": 0.25})
    return folder


def sweep(folder, betas, seeds: int = 2, **more) -> None:
    for beta in betas:
        for seed in range(seeds):
            folder.run("betavae", "dsprites", seed, scores={"mig": beta / 100 + seed / 10}, beta=beta, **more)


# All models, all metrics


def test_a_heat_map_prints_means_and_colours_them_between_the_ends_of_the_metric(ladder) -> None:
    axes, bar = figures.heatmap(load(ladder.write()), *HERE).axes
    assert names(axes.get_yticklabels()) == ["betavae", "factorvae", "vae", "oracle"]
    assert names(axes.get_xticklabels()) == ["mig ↑", "sap ↑"]  # nats have no fixed ends
    means = [[0.42, 0.58], [0.62, 0.38], [0.22, 0.78], [0.9, 0.25]]
    assert [float(text.get_text()) for text in axes.texts] == pytest.approx(np.ravel(means).tolist())
    assert np.asarray(axes.images[0].get_array()) == pytest.approx(np.array(means))
    assert axes.images[0].get_clim() == (0, 1) and axes.lines[0].get_ydata()[0] == 2.5  # above the control
    assert names(bar.get_yticklabels()) == ["worst of\nthe metric", "best of\nthe metric"]


def test_a_cell_without_a_number_stays_empty(ladder) -> None:
    ladder.run("pca", "dsprites", 0, scores={"mig": 0.1})
    axes = figures.heatmap(load(ladder.write()), *HERE).axes[0]
    assert [t.get_text() for t in axes.texts][-2:] == ["0.100", ""]
    assert np.ma.masked_invalid(axes.images[0].get_array()).mask.sum() == 1


def test_agreement_is_rank_correlation_without_controls(ladder) -> None:
    axes = figures.agreement_matrix(load(ladder.write()), *HERE).axes[0]
    assert names(axes.get_yticklabels()) == ["mig ↑", "sap ↑"]
    assert [t.get_text() for t in axes.texts] == ["", "-1.00", "-1.00", ""]
    assert axes.images[0].get_clim() == (-1, 1)


def test_ranks_are_in_the_order_of_scores(ladder) -> None:
    frame = load(ladder.write())
    mig, sap = figures.rank_intervals(frame, *HERE).axes
    assert names(mig.get_yticklabels()) == ["betavae", "factorvae", "vae"]
    for axes, expected in (
        (mig, {"factorvae": 1, "betavae": 2, "vae": 3}),
        (sap, {"factorvae": 3, "betavae": 2, "vae": 1}),
    ):
        assert {label: line.get_xdata()[0] for label, line in artists(axes, "rank").items()} == expected
        assert {label: tuple(line.get_xdata()) for label, line in artists(axes, "interval").items()} == {
            label: (rank, rank) for label, rank in expected.items()
        }
    look = styles(frame)
    assert all(line.get_color() == look[label]["color"] for label, line in artists(mig, "rank").items())


def test_improvement_is_the_chance_that_the_row_wins(ladder) -> None:
    figure = figures.improvement_matrix(load(ladder.write()), *HERE)
    values = np.asarray(figure.axes[0].images[0].get_array(), float)  # betavae, factorvae, vae
    assert np.isnan(values.diagonal()).all()
    assert (
        values[0].tolist()[1:] == [0, 1] and values[1, [0, 2]].tolist() == [1, 1] and values[2, :2].tolist() == [0, 0]
    )
    assert names(figure.axes[0].get_yticklabels()) == ["betavae", "factorvae", "vae"]


def test_what_few_seeds_say_is_in_brackets(folder) -> None:
    for k, model in enumerate(["vae", "betavae"]):
        for seed in range(2):
            folder.run(model, "dsprites", seed, scores={"mig": 0.2 + 0.2 * k + 0.01 * seed})
    axes = figures.improvement_matrix(load(folder.write()), *HERE).axes[0]
    assert [text.get_text() for text in axes.texts] == ["", "(1.00)", "(0.00)", ""]


def test_profiles_are_shares_above(ladder) -> None:
    frame = load(ladder.write())
    axes = figures.performance_profiles(frame, *HERE, ["mig"]).axes[0]
    lines = artists(axes, "profile")
    assert set(lines) == {"betavae", "factorvae", "vae"}
    for label, mean in {"vae": 0.22, "betavae": 0.42, "factorvae": 0.62}.items():
        x, y = lines[label].get_data()
        assert (y[x < mean - 0.021] == 1).all() and (y[x > mean + 0.021] == 0).all() and (np.diff(y) <= 0).all()
        assert y.mean() == pytest.approx(mean, abs=0.01)  # the area below is the mean score
    assert all(to_hex(line.get_color()) == styles(frame)[label]["color"] for label, line in lines.items())


def test_bars_of_variance_fill_the_whole(ladder) -> None:
    axes = figures.variance_bars(load(ladder.write()), *HERE).axes[0]
    assert names(axes.get_yticklabels()) == ["mig", "sap"]
    parts = {container.get_label(): [bar.get_width() for bar in container] for container in axes.containers}
    assert list(parts) == ["model", "hyper-parameters", "seed"]
    between, within = 10 * 0.2**2, 15 * 0.01**2 * 2  # sums of squares by hand
    assert parts["model"] == pytest.approx([between / (between + within)] * 2)
    assert parts["hyper-parameters"] == [0, 0] and np.add(parts["model"], parts["seed"]) == pytest.approx([1, 1])


# Scores against something


def test_variance_of_a_single_configuration_has_no_parts(ladder) -> None:
    for run in ladder.runs[:5]:
        ladder.score(run["run"], "irs", 0.5 + 0.01 * run["seed"])
    axes = figures.variance_bars(load(ladder.write()), *HERE).axes[0]
    assert names(axes.get_yticklabels()) == ["mig", "sap"]


def test_scores_lie_over_reconstruction(ladder) -> None:
    frame = load(ladder.write())
    mig, sap = figures.tradeoff(frame, *HERE).axes
    found = artists(mig, "seeds")
    assert set(found) == {"betavae", "factorvae", "vae"} == set(artists(sap, "seeds"))
    expected = [[50 + seed, 0.2 + 0.01 * seed] for seed in range(5)]
    assert found["vae"].get_offsets().tolist() == pytest.approx(np.array(expected))
    assert artists(mig, "centre")["vae"].get_offsets().tolist() == [pytest.approx([52, 0.22])]
    assert artists(mig, "control")["oracle"].get_ydata()[0] == 0.9 and mig.get_ylim() == (0, 1)
    assert mig.get_xlabel() == "reconstruction, nats / image ↓"


@pytest.mark.parametrize(("seconds", "told"), [(90.0, "minutes"), (7200.0, "hours"), (12.0, "seconds")])
def test_scores_lie_over_time_in_a_unit_that_suits(ladder, seconds: float, told: str) -> None:
    for k, run in enumerate(ladder.runs):
        run["seconds"] = seconds * (1 + k / 100)
    axes = figures.cost(load(ladder.write()), *HERE, ["mig"]).axes[0]
    scale = {"seconds": 1, "minutes": 60, "hours": 3600}[told]
    times = artists(axes, "seeds")["vae"].get_offsets()[:, 0]
    assert times.tolist() == pytest.approx([seconds * (1 + k / 100) / scale for k in range(5)])
    assert axes.get_xlabel() == f"training, {told} a run (cpu)" and axes.get_xscale() == "log"


def test_sweeps_are_found_and_drawn_over_the_parameter(folder) -> None:
    sweep(folder, [1.0, 2.0, 4.0, 16.0], note="text", flag=True)
    for steps in (10, 20):
        folder.run("vae", "dsprites", steps, scores={"mig": 0.1}, steps=steps)  # two values are no curve
    frame = load(folder.write())
    assert swept(frame, *HERE) == [("betavae", "beta")]
    (axes,) = figures.sensitivity(frame, "betavae", "beta", *HERE).axes
    assert artists(axes, "mean")["betavae"].get_xydata().tolist() == [
        pytest.approx([beta, beta / 100 + 0.05]) for beta in (1, 2, 4, 16)
    ]
    assert len(artists(axes, "seeds")["betavae"].get_offsets()) == 8
    assert axes.get_xscale() == "log" and axes.get_xlabel() == "beta of betavae"
    assert names(axes.get_xticklabels()) == ["1", "2", "4", "16"]


def test_scores_beyond_the_ends_of_their_metric_stay_in_sight(folder) -> None:
    for beta in (1, 2, 4):
        folder.run("betavae", "dsprites", 0, scores={"ari": -0.1, "reconstruction": 50.0 + beta}, beta=beta)
    frame = load(folder.write())
    for figure in (figures.sensitivity(frame, "betavae", "beta", *HERE), figures.tradeoff(frame, *HERE)):
        assert figure.axes[0].get_ylim() == (-0.1, 1)


def test_what_else_differs_has_curves_of_its_own(folder) -> None:
    sweep(folder, [1.0, 2.0, 3.0], seeds=1, latents=5)
    sweep(folder, [1.0, 2.0, 3.0], seeds=1, latents=10)
    (axes,) = figures.sensitivity(load(folder.write()), "betavae", "beta", *HERE).axes
    assert set(artists(axes, "mean")) == {"latents=5", "latents=10"} and axes.get_xscale() == "linear"
    assert len({to_hex(line.get_color()) for line in artists(axes, "mean").values()}) == 2


def test_steps_can_be_swept_too(folder) -> None:
    for precision in ("fp32", "bf16"):
        for steps in (100, 1000, 10_000):
            folder.run("vae", "dsprites", 0, scores={"mig": steps / 20_000}, steps=steps, precision=precision)
    frame = load(folder.write())
    assert swept(frame, *HERE) == [("vae", "steps")]
    axes = figures.sensitivity(frame, "vae", "steps", *HERE).axes[0]
    assert set(artists(axes, "mean")) == {"precision=fp32", "precision=bf16"} and axes.get_xscale() == "log"


def test_a_sweep_that_is_not_there_is_refused_with_those_that_are(folder) -> None:
    sweep(folder, [1.0, 2.0, 4.0])
    with pytest.raises(ValueError, match=r"no sweep of vae over beta on .*; there are: betavae over beta"):
        figures.sensitivity(load(folder.write()), "vae", "beta", *HERE)


def test_a_scale_is_logarithmic_where_values_are() -> None:
    assert geometric([10, 100, 1000]) and geometric([1, 2, 4, 6, 8, 16]) and not geometric([10, 20, 30, 40, 50])
    assert not geometric([1, 10]) and not geometric([-1, 1, 10])


# Crowds


def test_few_metrics_are_those_of_the_card_first() -> None:
    held = ["udr", "sap", "sap.tree", "mig", "dci.completeness", "dci.disentanglement", "mig_sup"]
    assert few(held, 3) == ["mig", "dci.disentanglement", "sap"]
    assert few(held, 5) == ["mig", "dci.disentanglement", "dci.completeness", "sap", "sap.tree"]
    assert set(few(held, 10)) == set(held)


def test_many_configurations_are_drawn_a_model(folder) -> None:
    sweep(folder, range(1, 12), seeds=1)
    folder.run("vae", "dsprites", 0, scores={"mig": 0.5})
    frame = load(folder.write())
    rows, look, together = pooled(frame, *HERE)
    assert together and set(rows["label"]) == {"betavae", "vae"} and look["vae"] != look["betavae"]
    axes = figures.performance_profiles(frame, *HERE).axes[0]
    assert set(artists(axes, "profile")) == {"betavae", "vae"}
    assert typical(frame, *HERE, most=5) == ["betavae (beta=6)", "vae"]
    assert len(typical(frame, *HERE, most=20)) == 12


def test_many_models_of_one_configuration_each_are_not_pooled(folder) -> None:
    for k in range(12):
        folder.run(f"model{k}", "dsprites", 0, scores={"mig": 0.5})
    frame = load(folder.write())
    _, look, together = pooled(frame, *HERE)
    assert not together and look == styles(frame)


@pytest.mark.parametrize(
    "draw",
    [
        figures.heatmap,
        figures.agreement_matrix,
        figures.rank_intervals,
        figures.improvement_matrix,
        figures.performance_profiles,
        figures.variance_bars,
        figures.tradeoff,
        figures.cost,
    ],
)
def test_nothing_to_draw_is_refused_with_the_place(folder, draw) -> None:
    folder.run("vae", "dsprites", 0, scores={"reconstruction": 50.0})
    with pytest.raises(ValueError, match=r"dsprites \(official\)"):
        draw(load(folder.write()), *HERE)
