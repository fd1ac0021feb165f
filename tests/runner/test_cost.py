"""What a plan will take: hours by hand from rates that are given, rates of real steps, and of runs that are done."""

import dataclasses
import json
import re
import time
from types import SimpleNamespace

import numpy as np
import pytest

from disentangle_bench.datasets import load
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.vae import VAE
from disentangle_bench.runner import cost, probe
from disentangle_bench.runner import run as runner
from disentangle_bench.runner.plan import Study
from disentangle_bench.runner.store import Store


def plan(folder, models, seeds=2, **options):
    question = Study(models, ["toy"], range(seeds), **{"steps": 3600, "batch": 8, "rows": 100, **options})
    return runner.plan(question.runs(), Store(folder), study="test", metrics=["mig"], stack=options.get("stack", "1"))


@pytest.fixture
def rates(monkeypatch):
    """A step of half a second (a quarter of it for the VAE), ten images a second, a run's scores in 36 seconds."""

    def measure(stack, data, device):
        return probe.Rate(0.25 if stack[0].model == "vae" else 0.5 * (stack[0].steps > 0), 0.1, "measured", 10)

    monkeypatch.setattr(cost, "measure", measure)
    monkeypatch.setattr(cost.Metrics, "seconds", lambda *arguments: 36.0)


def test_hours_are_those_of_steps_images_and_scores(rates, tmp_path):
    made = plan(tmp_path, [VAE(), BetaVAE(beta=2.0), BetaVAE(beta=3.0), "oracle"])
    told = cost.estimate(made, Store(tmp_path), "here")
    assert [(group.name, group.runs) for group in told.groups] == [
        ("vae 16x16x1", 2),
        ("betavae 16x16x1", 4),  # a number that is no whole one takes no longer than another
        ("oracle 16x16x1", 2),
    ]
    image = 100 * 0.1 / 3600
    assert [group.training for group in told.groups] == pytest.approx(
        [2 * (0.25 + image), 4 * (0.5 + image), 2 * image]
    )
    assert [group.scoring for group in told.groups] == pytest.approx([0.02, 0.04, 0.02])
    assert [group.scored - group.longest for group in told.groups] == pytest.approx([0.01] * 3)  # of one run
    assert (told.workers, told.scorers) == (1, 0)
    assert told.wall == pytest.approx(told.training + told.scoring)


def test_milestones_are_encoded_and_scored_too(rates, tmp_path):
    made = plan(tmp_path, ["vae", "oracle"], seeds=1)
    vae, oracle = cost.estimate(made, Store(tmp_path), milestones=[10, 20, 5000]).groups
    assert vae.scoring == pytest.approx(3 * 0.01) and oracle.scoring == pytest.approx(0.01)
    assert vae.training == pytest.approx(0.25 + 3 * 10 / 3600)


def test_images_of_every_split_are_encoded(rates, tmp_path):
    question = Study(["vae"], ["toy(holdout=shape:2)"], [0], steps=3600, batch=8, rows=100)
    made = runner.plan(question.runs(), Store(tmp_path), study="test", metrics=["mig"], stack="1")
    (group,) = cost.estimate(made, Store(tmp_path)).groups
    assert group.training == pytest.approx(0.25 + 3 * 10 / 3600)


def test_runs_that_are_trained_cost_their_scores_alone(rates, tmp_path):
    made = plan(tmp_path, ["vae"], seeds=3)
    made.trained, made.stacks = made.wanted[:2], [[run] for run in made.wanted[2:]]
    (group,) = cost.estimate(made, Store(tmp_path)).groups
    assert (group.runs, group.scoring) == (3, pytest.approx(0.03))
    assert group.training == pytest.approx(0.25 + 10 / 3600)


@pytest.mark.parametrize(
    ("workers", "scorers", "wall"),
    [(1, 0, 14.0), (2, 0, 7.0), (9, 0, 3.5), (2, 1, 5.0), (9, 4, 3.0), (9, 1, 4.0)],
)
def test_time_until_the_last_run_is_that_of_whoever_is_busy_longest(workers, scorers, wall):
    groups = [cost.Group("a", 2, None, 6.0, 3.0, 3.0, 3.5), cost.Group("b", 4, None, 4.0, 1.0, 1.0, 1.2)]
    assert cost.Cost(groups, "cpu", workers, scorers).wall == pytest.approx(wall)


def test_what_is_done_costs_nothing_and_tells_how_fast_it_was(tmp_path, monkeypatch):
    sizes = {"steps": 6, "rows": 60}
    (done,) = runner.execute(plan(tmp_path, ["vae"], 1, **sizes), Store(tmp_path), on="here")
    Store(tmp_path).save({**done, "seconds": 12.0, "scores": [{**row, "seconds": 7.0} for row in done["scores"]]})
    monkeypatch.setattr(probe, "compute", None)  # metrics are not timed
    (group,) = cost.estimate(plan(tmp_path, ["vae"], 3, **sizes), Store(tmp_path)).groups
    assert (group.runs, group.rate.step, group.rate.told) == (2, 2.0, "1 finished runs")
    assert group.scoring == pytest.approx(2 * 7 / 3600)  # of mig alone, not of facts and UDR
    assert "2       0.5         0.01" in "\n".join(cost.words(cost.Cost([group], "cpu", 1)))


def test_a_step_is_measured_as_it_is_trained(monkeypatch):
    from disentangle_bench.training import steps

    step = steps.Alone.__call__

    def slow(self):
        time.sleep(0.05)
        step(self)

    monkeypatch.setattr(steps.Alone, "__call__", slow)
    (run,) = Study(["vae"], ["toy"], [0], steps=1000, batch=8, rows=60).runs()
    rate = probe.measure([run], load("toy"), "cpu")
    assert 0.05 < rate.step < 0.5 and 0 < rate.image < 0.05
    assert (rate.width, rate.blocks, rate.clusters) == (10, {"z": 10}, False)


def test_metrics_are_timed_in_proportion_to_rows(monkeypatch, tmp_path):
    seen, clock = [], [0.0]

    def compute(held, wanted):
        seen.append(held.codes.shape)
        clock[0] += len(held.codes) / 1e4

    monkeypatch.setattr(probe, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    monkeypatch.setattr(probe, "compute", compute)
    monkeypatch.setattr(probe, "_warm", lambda: None)
    made = plan(tmp_path, ["vae"], 1)
    run = dataclasses.replace(made.runs[0], rows=10_000)
    timed, rate = probe.Metrics(made), probe.Rate(0.1, 0.1, "measured", 4)
    assert timed.seconds(run, load("toy"), rate, []) == pytest.approx(1.0)
    assert timed.seconds(run, load("toy"), rate, []) == pytest.approx(1.0)
    assert seen == [(2000, 4), (500, 4)]  # once
    shifted = load("toy(holdout=shape:2)")  # scored on all, train and held-out images
    assert timed.seconds(run, shifted, rate, []) == pytest.approx(3.0)


def test_a_model_that_fails_is_told_and_the_others_counted(rates, tmp_path, monkeypatch):
    measure = cost.measure
    monkeypatch.setattr(cost, "measure", lambda stack, *more: 1 / (stack[0].model != "vae") and measure(stack, *more))
    bad, good = cost.estimate(plan(tmp_path, ["vae", "betavae"]), Store(tmp_path)).groups
    assert bad.rate is None and bad.problem == "ZeroDivisionError: division by zero" and good.rate is not None
    assert "could not be measured, and is left out: ZeroDivisionError" in "\n".join(
        cost.words(cost.Cost([bad], "cpu", 1))
    )


def test_an_image_that_stands_in_for_all_takes_no_memory():
    toy = load("toy")  # bits
    data = probe.with_images(toy, "cpu")
    assert data.pixels.strides[0] == 0 and (data.shape, len(data)) == (toy.shape, 576)
    grey = dataclasses.replace(toy, packed=False, pixels=toy.take(np.arange(576)))
    few = probe.with_images(grey, "cuda").take(np.arange(3))  # made batch by batch
    assert few.shape == (3, 16, 16, 1) and (few == few[:1]).all() and len(np.unique(few)) > 100


@pytest.fixture
def far(monkeypatch, tmp_path):
    """An empty data folder, and nothing that may be fetched."""
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("BENCH_OFFLINE", "1")


def test_a_dry_run_knows_sets_whose_files_are_not_here(far, bench, tmp_path):
    words = ["--models", "oracle", "--seeds", "1", "--metrics", "mig", "--dry-run", "--device", "cpu"]
    code, out, err = bench("run", "--dataset", "shapes3d,dsprites", *words)
    assert code == 0 and "shapes3d (official)" in out and "dsprites (official)" in out, err
    assert re.search(r"to be downloaded before: .*3dshapes\.h5 \(\d+\.\d MB\)", out)
    assert re.search(r"cost: 0\.\d core-hours; about \d+\.\d minutes with \d+ workers", out)
    assert not (tmp_path / "data").exists() and not (tmp_path / "results").exists()


def test_of_a_variant_its_own_file_is_to_be_downloaded(far):
    assert cost.downloads(["mpi3d(variant=real)"], None) == ["mpi3d_real.npz"]


def test_a_folder_of_drawn_images_is_known_again_without_drawing_them(far, tmp_path):
    store = Store(tmp_path).open()
    (run,) = Study(["oracle"], ["dsprites"], [0]).runs(None, cost.looks(store, "cpu"))
    assert run.source == "official"
    held = {**run.description, "source": "rendered", "dataset_sha256": "0" * 64}
    (tmp_path / "study.json").write_text(json.dumps({"runs": [held]}))
    (run,) = Study(["oracle"], ["dsprites"], [0]).runs(None, cost.looks(store, "cpu"))
    assert (run.source, run.dataset_sha256) == ("rendered", "0" * 64)


def test_nothing_to_do_costs_nothing(tmp_path):
    assert cost.words(cost.Cost([], "cpu", 2)) == ["cost: nothing is left to be trained"]
