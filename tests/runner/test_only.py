"""`--only`: some of a plan's runs, and what is typed wrongly is told by name."""

import pytest

from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.mcevae import MCEVAE
from disentangle_bench.runner.only import only
from disentangle_bench.runner.plan import Study

MODELS = [BetaVAE(beta=4.0), BetaVAE(beta=16.0), MCEVAE(group="so2"), MCEVAE(group="so2", supervised=True), "vae"]


@pytest.fixture(scope="module")
def runs():
    return Study(MODELS, ["toy"], range(3), steps=5, rows=10).runs()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "model=betavae",
            {("betavae", 4.0, None, seed) for seed in range(3)} | {("betavae", 16.0, None, s) for s in range(3)},
        ),
        ("model=vae|betavae, seed=0", {("vae", None, None, 0), ("betavae", 4.0, None, 0), ("betavae", 16.0, None, 0)}),
        ("beta=4,seed=1:9", {("betavae", 4.0, None, 1), ("betavae", 4.0, None, 2)}),
        ("beta=16.0|4e0,seed=2", {("betavae", 4.0, None, 2), ("betavae", 16.0, None, 2)}),
        ("supervised=true,seed=0|2", {("mcevae", 1.0, True, 0), ("mcevae", 1.0, True, 2)}),
        ("group=so2,supervised=False,dataset=toy,seed=1", {("mcevae", 1.0, False, 1)}),
    ],
)
def test_what_is_left_agrees_with_every_part(runs, text, left):
    kept = only(text, runs)
    assert {(r.model, r.params.get("beta"), r.params.get("supervised"), r.seed) for r in kept} == left
    assert kept == [run for run in runs if run in kept]


def test_data_sets_go_by_name_with_or_without_options(runs):
    import dataclasses

    turned = [dataclasses.replace(run, dataset="digits(transform=se2,n=5)") for run in runs]
    both = runs + turned
    assert only("dataset=digits", both) == only("dataset=digits(transform=se2,n=5)", both) == turned
    assert only("dataset=digits|toy,seed=0:3", both) == both


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modle=vae", "unknown key of --only 'modle'; did you mean 'model'?"),
        ("bet=4", "unknown key of --only 'bet'; did you mean 'beta'?"),
        ("model=betavea", "unknown model of this plan 'betavea'; did you mean 'betavae'?"),
        ("group=so3", "unknown group of this plan 'so3'; did you mean 'so2'?"),
        ("beta=5", r"unknown beta of this plan '5';.* known: 1.0, 4.0, 16.0"),
        ("seed=7", "unknown seed of this plan '7'; known: 0, 1, 2"),
        ("seed=one", "--only seed=one: expected a number, a range"),
        ("seed=5:2", "known: 0, 1, 2"),
        ("model", "--only: got 'model', expected KEY=VALUES"),
        ("model=", "--only: got 'model=', expected KEY=VALUES"),
        ("model=vae|", "unknown model of this plan ''"),
        ("model=vae,beta=4", "--only model=vae,beta=4: none of 15 runs agrees with all of this"),
    ],
)
def test_what_cannot_be_is_told_by_name(runs, text, message):
    with pytest.raises(ValueError, match=message):
        only(text, runs)


def test_a_command_works_on_some_and_the_folder_knows_of_all(bench):
    import json
    from pathlib import Path

    words = ["run", "--models", "noise,oracle", "--dataset", "toy", "--seeds", "3", "--metrics", "mig", "--on", "here"]
    code, out, _ = bench(*words, "--out", "r", "--only", "model=noise,seed=1:3")
    assert code == 0 and "2 runs; 2 new" in out and len(list(Path("r/runs").glob("*/run.json"))) == 2
    assert len(json.loads(Path("r/study.json").read_text())["runs"]) == 6
    assert "6 runs; 2 done, 0 running, 0 failed, 0 diverged, 4 missing" in bench("status", "r")[1]
    code, _, err = bench(*words, "--out", "r", "--only", "model=nois")
    assert code == 2 and "did you mean 'noise'?" in err
