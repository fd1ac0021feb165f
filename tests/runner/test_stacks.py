"""How many runs train side by side, and which."""

import json
from pathlib import Path

import pytest

from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.mcevae import MCEVAE
from disentangle_bench.models.vae import VAE
from disentangle_bench.runner import executors
from disentangle_bench.runner.plan import Run, Study, group
from disentangle_bench.runner.stacks import stacks


def runs(*models, seeds=1, **options):
    return Study(list(models), ["toy"], range(seeds), **{"steps": 5, "rows": 10, **options}).runs()


def sizes(planned, asked, device="cpu"):
    return [len(stack) for stack in stacks(planned, asked, device)]


@pytest.fixture
def roomy(monkeypatch):
    """A device "cuda" with the memory of 70 runs, and as many such devices as the test says."""
    monkeypatch.setattr("disentangle_bench.training.engine.pick_device", lambda name: name)
    monkeypatch.setattr("disentangle_bench.training.engine.describe", lambda device: f"{device} (Large One)")
    monkeypatch.setattr("disentangle_bench.training.memory.capacity", lambda model, data, batch, device: 70)

    def devices(n):
        monkeypatch.setattr(executors, "cuda", lambda device: [str(i) for i in range(n)] if device == "cuda" else [])

    devices(1)
    return devices


def test_seeds_and_floats_may_differ_in_a_stack():
    planned = runs(*(BetaVAE(beta=b, lr=r) for b in (1, 4, 16) for r in (1e-4, 1e-3)), seeds=2)
    assert group(planned) == [planned]


@pytest.mark.parametrize(
    "other",
    [
        runs(BetaVAE(latents=6)),
        runs(BetaVAE(network="higgins")),
        runs(BetaVAE(), steps=6),
        runs(BetaVAE(), batch=8),
        runs(BetaVAE(), rows=11),
        runs(BetaVAE(), precision="bf16"),
        runs(VAE()),
    ],
    ids=["int", "text", "steps", "batch", "rows", "precision", "model"],
)
def test_nothing_else_may_differ(other):
    assert group(runs(BetaVAE()) + other) == [runs(BetaVAE()), other]


def test_what_is_false_or_true_may_not_differ():
    told, untold = runs(MCEVAE(supervised=True)), runs(MCEVAE(supervised=False))
    assert group(told + untold) == [told, untold]


def test_stacks_hold_at_most_what_is_asked_for_and_every_run_once():
    planned = runs("vae", "betavae", seeds=5)
    made = stacks(planned, "2", "cpu")
    assert [len(stack) for stack in made] == [2, 2, 1, 2, 2, 1]
    assert [run for stack in made for run in stack] == planned


def test_a_number_is_cut_evenly():
    assert sizes(runs("vae", seeds=10), "8") == [5, 5]


def test_auto_is_one_on_a_cpu():
    assert sizes(runs("vae", seeds=3), "auto") == [1, 1, 1]


def test_auto_is_what_fits_and_64_at_most(roomy, monkeypatch):
    assert sizes(runs("vae", seeds=100), "auto", "cuda") == [50, 50]
    assert sizes(runs("vae", seeds=64), "auto", "cuda") == [64]
    monkeypatch.setattr("disentangle_bench.training.memory.capacity", lambda *of: 30)
    assert sizes(runs("vae", seeds=64), "auto", "cuda") == [22, 22, 20]


def test_auto_leaves_no_device_idle(roomy):
    roomy(4)
    assert sizes(runs("vae", seeds=10), "auto", "cuda") == [3, 3, 3, 1]
    assert sizes(runs("vae", seeds=10), "auto", "cuda:1") == [10]


def test_controls_stand_alone(roomy):
    assert sizes(runs("noise", "untrained", seeds=2), "auto", "cuda") == [1, 1, 1, 1]
    assert sizes(runs("noise", seeds=2), "2") == [1, 1]


def test_more_than_fits_is_refused_with_the_number_that_does(roomy):
    planned = runs("betavae", seeds=2)
    assert sizes(planned, "70", "cuda") == [2]
    message = r"--stack: got 71, 70 runs of betavae fit in the free memory of cuda \(Large One\)"
    with pytest.raises(ValueError, match=message):
        stacks(planned, "71", "cuda")


@pytest.mark.parametrize("asked", ["0", "-1", "many", "1.5", "", "²"])
def test_what_is_no_number_is_refused(asked):
    with pytest.raises(ValueError, match=f"--stack: got {asked!r}, expected auto or a number above zero"):
        stacks([], asked, "cpu")


def test_ids_of_runs_are_what_they_were():
    """Computed before runs had a precision, which is a part of the id only where it is not fp32."""
    known = ("betavae", {"beta": 4.0, "latents": 10, "lr": 1e-4, "network": "burgess"}, "dsprites", "official")
    same = (*known, "ab" * 32, 7, 300_000, 64, 10_000)
    assert Run(*same).id == Run(*same, precision="fp32").id == "54629871cbd2"
    assert len({Run(*same, precision=p).id for p in ("fp32", "tf32", "bf16")}) == 3
    assert "precision" not in Run(*same).description
    assert Run(*same, precision="bf16").description["precision"] == "bf16"


@pytest.mark.parametrize("path", sorted(Path("results").glob("*/study.json")), ids=lambda path: path.parent.name)
def test_ids_of_our_results_are_those_of_their_descriptions(path):
    for held in json.loads(path.read_text())["runs"]:
        described = {key: value for key, value in held.items() if key not in ("run", "definition")}
        assert Run(**described).id == held["run"]


def test_controls_have_no_precision():
    assert runs("noise", precision="bf16") == runs("noise") and runs("vae", precision="bf16") != runs("vae")
