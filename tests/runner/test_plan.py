"""Runs, their identity, settings, studies and grouping."""

from pathlib import Path

import pytest

from disentangle_bench import catalog
from disentangle_bench.datasets import parse, spell
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.vae import VAE
from disentangle_bench.runner.plan import BUDGETS, Study, load_study
from disentangle_bench.runner.settings import build_models, metric_options, parse_rows, parse_seeds, question

QUICK, PAPER = BUDGETS["quick"], BUDGETS["paper"]


def runs(**options):
    return Study(**{"models": ["betavae"], "datasets": ["toy"], "seeds": [0], "steps": 5, "rows": 10, **options}).runs()


def test_identity_is_the_description():
    (run,) = runs()
    assert run.id == runs()[0].id and len(run.id) == 12
    changed = [runs(seeds=[1]), runs(steps=6), runs(batch=8), runs(rows=11), runs(models=[BetaVAE(beta=5.0)])]
    assert len({run.id, *(other[0].id for other in changed)}) == 6


def test_defaults_spelt_out_are_the_same_run():
    assert runs(models=[BetaVAE(beta=4.0, latents=10)])[0].id == runs()[0].id


def test_the_same_run_is_planned_once():
    assert len(runs(models=["betavae", BetaVAE(), VAE()], seeds=[0, 0, 1])) == 4


def test_controls_do_not_train_and_rows_are_at_most_what_there_is():
    (run,) = runs(models=["noise"], steps=1000, rows=10**6)
    assert (run.steps, run.batch, run.rows) == (0, 0, 576)


def test_a_run_makes_its_model_again():
    assert runs(models=[BetaVAE(beta=8.0)])[0].instance() == BetaVAE(beta=8.0)


def test_settings_set_sweep_and_follow_the_budget():
    beta, vae = build_models(["betavae", "vae"], ["betavae.beta=8"], PAPER)
    assert (beta.beta, beta.lr, vae.lr) == (8.0, 1e-4, 1e-4)
    assert build_models(["vae"], [], QUICK)[0].lr == QUICK.model["lr"]
    assert build_models(["vae"], ["vae.lr=0.5"], QUICK)[0].lr == 0.5
    swept = build_models(["mcevae"], ["mcevae.supervised=false,true", "mcevae.group=so2,se2"], PAPER)
    assert [(m.supervised, m.group) for m in swept] == [(False, "so2"), (False, "se2"), (True, "so2"), (True, "se2")]


def test_controls_can_be_asked_for_together():
    assert [type(m).__name__.lower() for m in build_models(["vae", "controls"], [], PAPER)] == [
        "vae",
        *catalog.CONTROLS,
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["betavae.betta=8"], "unknown parameter of betavae 'betta'; did you mean 'beta'?"),
        (["betavae.labels=100"], "--set betavae.labels=100: is of the data, --set data.labels=100"),
        (["betavae.beta=high"], "--set betavae.beta: got 'high', expected float"),
        (["betavae.latents=2.5"], "--set betavae.latents: got '2.5', expected int"),
        (["betavae"], "expected NAME.PARAMETER=VALUE"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError) as error:
        build_models(["betavae"], settings, PAPER)
    assert message in str(error.value)


def test_metric_options_are_typed_and_named():
    assert metric_options(["mig.bins=10", "vae.lr=1"], PAPER, ["vae"]) == {"mig": {"bins": 10}}
    with pytest.raises(ValueError, match="unknown option of mig 'bin'; did you mean 'bins'"):
        metric_options(["mig.bin=10"], PAPER, [])
    with pytest.raises(ValueError, match="unknown model of this plan or metric 'betave'; did you mean 'betavae'"):
        metric_options(["betave.beta=10"], PAPER, ["betavae"])


@pytest.mark.parametrize(("text", "expected"), [("3", [0, 1, 2]), ("3:6", [3, 4, 5]), ("1,7", [1, 7])])
def test_seeds(text, expected):
    assert parse_seeds(text) == expected


@pytest.mark.parametrize("text", ["0", "-1", "x", "5:5", "1,1", "1,-2", ""])
def test_bad_seeds_are_refused(text):
    with pytest.raises(ValueError, match="--seeds: got"):
        parse_seeds(text)


def test_rows_and_precision_are_those_of_the_question():
    asked = [["vae"], ["toy"], "1", 5, "quick", [], None]
    assert (question(*asked).rows, question(*asked).precision) == (QUICK.rows, "fp32")
    (few,), (all_,) = (question(*asked, rows=rows, precision="bf16").runs() for rows in ("40", "all"))
    assert (few.rows, all_.rows, few.precision) == (40, 576, "bf16")


@pytest.mark.parametrize("text", ["0", "-3", "some", "1k", ""])
def test_bad_rows_are_refused(text):
    with pytest.raises(ValueError, match=f"--rows: got {text!r}, expected all or a number above zero"):
        parse_rows(text)


@pytest.mark.parametrize("path", sorted(Path("benchmarks").glob("[!_]*.py")), ids=lambda p: p.stem)
def test_every_study_can_be_read(path):
    study = load_study(path)
    assert study.name == path.stem
    plain = [entry[0] if isinstance(entry, tuple) else entry for entry in study.models]
    models = [m if isinstance(m, str) else type(m).__module__.rpartition(".")[2] for m in plain]
    assert set(models) <= set(catalog.names("model"))
    assert [spell(*parse(name)) for name in study.datasets] == list(study.datasets)


def test_the_smoke_study_holds_every_model():
    assert {run.model for run in load_study("benchmarks/smoke.py").runs()} == set(catalog.names("model"))


def test_a_file_without_a_study_is_refused(tmp_path):
    (tmp_path / "empty.py").write_text("x = 1")
    with pytest.raises(ValueError, match=r"defines no `study = Study\(...\)`"):
        load_study(tmp_path / "empty.py")
    with pytest.raises(ValueError, match="does not exist"):
        load_study(tmp_path / "none.py")


def test_options_of_a_data_set_sweep_like_those_of_a_model():
    asked = question(["vae"], ["digits"], "1", 5, "quick", ["digits.transform=none,se2"], None)
    assert list(asked.datasets) == ["digits", "digits(transform=se2)"] and asked.name == "digits"
    with pytest.raises(ValueError, match="unknown option of digits 'transfom'"):
        question(["vae"], ["digits"], "1", 5, "quick", ["digits.transfom=se2"], None)
    with pytest.raises(ValueError, match="digits is not among the datasets of this plan"):
        question(["vae"], ["toy"], "1", 5, "quick", ["digits.transform=se2"], None)


def test_supervision_that_the_data_have_not_is_refused_before_any_work():
    import dataclasses

    from disentangle_bench.datasets import load
    from disentangle_bench.models.betavae import BetaVAE
    from disentangle_bench.models.mcevae import MCEVAE
    from disentangle_bench.models.nvae import NVAE
    from disentangle_bench.runner.plan import _fits

    bare = dataclasses.replace(load("toy"), label=None, home=None)
    with pytest.raises(ValueError, match="nvae: needs labels, and data set 'toy' has none"):
        _fits("nvae", NVAE(), bare)
    with pytest.raises(ValueError, match="mcevae: supervised=True needs untransformed images"):
        _fits("mcevae", MCEVAE(supervised=True), bare)
    _fits("mcevae", MCEVAE(), bare)
    with pytest.raises(
        ValueError, match="betavae: network: burgess takes images of 64x64, got 16x16; for these: higgins"
    ):
        _fits("betavae", BetaVAE(network="burgess"), bare)


def test_fewer_steps_keep_the_share_of_a_schedule():
    half = QUICK.steps // 2
    for model, field in (("annealedvae", "anneal"), ("infogan_cr", "switch")):
        whole, (shorter,) = QUICK.model[field], question([model], ["toy"], "1", half, "quick", [], None).models
        assert getattr(shorter, field) == round(whole / 2)
        assert shorter.lr == QUICK.model["lr"]
    (set_by_hand,) = question(["annealedvae"], ["toy"], "1", half, "quick", ["annealedvae.anneal=7"], None).models
    assert set_by_hand.anneal == 7


def test_a_model_with_a_data_set_is_planned_on_that_alone():
    told = "toy(labels=30)"
    found = runs(models=["vae", (BetaVAE(beta=8.0), told), ("noise", "toy")], datasets=["toy", "xysquares"])
    assert {(run.model, run.dataset) for run in found} == {
        ("vae", "toy"),
        ("vae", "xysquares"),
        ("betavae", told),
        ("noise", "toy"),
    }


def test_labels_of_all_data_sets_are_options_of_each():
    asked = question(["m2"], ["digits", "toy"], "1", 5, "quick", ["data.labels=100,0.1"], None)
    assert list(asked.datasets) == [f"{name}(labels={n})" for name in ("digits", "toy") for n in (100, 0.1)]
    with pytest.raises(ValueError, match="labels"):
        question(["m2"], ["digits"], "1", 5, "quick", ["data.labels=many"], None).runs()
