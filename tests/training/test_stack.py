"""However a stack runs, each of its members is the run that it would be alone: float64, 8 steps of Adam, to 1e-12."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close
from zoo import ZOO

from disentangle_bench.datasets import FactoredData, load
from disentangle_bench.models.annealedvae import AnnealedVAE
from disentangle_bench.models.betatcvae import BetaTCVAE
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.factorvae import FactorVAE
from disentangle_bench.models.infogan_cr import InfoGANCR
from disentangle_bench.models.mcevae import MCEVAE
from disentangle_bench.models.vae import VAE
from disentangle_bench.training import checkpoint, engine
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import WAYS, Stack, Way, one_by_one, varied

CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("narrow_critics")
TOGETHER = [name for name, way in WAYS.items() if way.together and "graph" not in name]


@pytest.fixture(scope="module")
def data():
    return Resident(load("toy"), CPU, torch.float64)


def drawn(side: int) -> Resident:
    """Images of noise of this side in two classes, for the networks that want this size."""
    rng = np.random.default_rng(0)
    held = FactoredData(
        name="drawn",
        pixels=rng.integers(0, 256, (40, side, side, 1), dtype=np.uint8),
        factors=np.arange(40)[:, None] % 2,
        levels=(np.arange(2.0),),
        names=("class",),
        kinds=("categorical",),
        source="drawn",
        sha256="0" * 64,
        label="class",
    )
    return Resident(held, CPU, torch.float64)


def trained(runs, data, way, steps=8, batch=8):
    stack = Stack(runs, data, batch, way=way)
    for upto in (3, steps):
        stack.advance(upto)
    assert {m.way for m in stack.members} == {way}
    return stack.members


def ways(names, one):
    """Each as one computation; in all ways to do that `one` alone, the others for `make thorough`."""
    thorough = lambda name, way: [] if way == "vmap" or name == one else pytest.mark.thorough  # noqa: E731
    return [pytest.param(name, way, marks=thorough(name, way)) for name in names for way in TOGETHER]


def assert_same(first, second, tolerance=1e-12):
    assert (first.t, first.status, first.finite) == (second.t, second.status, second.finite)
    for (name, a), b in zip(first.net.state_dict().items(), second.net.state_dict().values()):
        assert_close(a, b, atol=tolerance, rtol=tolerance, msg=lambda text, name=name: f"{name}: {text}")
    for (step, term, value), (at, name, other) in zip(first.log, second.log, strict=True):
        assert (step, term) == (at, name)
        assert value == pytest.approx(other, abs=1e-9, rel=1e-9)


@pytest.mark.parametrize(
    "name", [name if "." in name else pytest.param(name, marks=pytest.mark.thorough) for name in ZOO]
)  # as they are, models keep the contract's own check of this
def test_stacked_is_alone(name, data):
    model = replace(ZOO[name], lr=1e-4)  # rounding of gradients near Adam's eps grows with the rate
    runs = [(model, 3), (model, 4)]
    stacked, alone = trained(runs, data, "vmap"), trained(runs[1:], data, "sequential")
    assert_same(stacked[1], alone[0])


SWEEPS = {
    "beta": [BetaVAE(beta=v) for v in (0.5, 4.0, 16.0)],
    "two at once": [BetaTCVAE(beta=2.0, gamma=3.0), BetaTCVAE(beta=6.0, gamma=0.5)],
    "schedule": [AnnealedVAE(c_max=v, gamma=g, anneal=6) for v, g in ((5.0, 10.0), (25.0, 1000.0))],
    "two players": [FactorVAE(gamma=v) for v in (10.0, 50.0)],
    "a value the loss branches on": [BetaTCVAE(alpha=v) for v in (1.0, 2.0)],
    "a value the loss computes with in Python": [MCEVAE(s=v) for v in (0.3, 0.6)],
    "rates": [VAE(lr=v) for v in (1e-4, 1e-3)],
    "sizes": [VAE(latents=v) for v in (2, 5)],
}


@pytest.mark.parametrize(("name", "way"), ways(SWEEPS, "two players"))
def test_a_stack_across_hyper_parameters_is_its_members_alone(name, way, data):
    runs = [(model, seed) for seed, model in enumerate(SWEEPS[name])]
    stacked = trained(runs, data, way)
    for run, member in zip(runs, stacked):
        (alone,) = trained([run], data, "sequential")
        assert_same(member, alone)


def test_a_sweep_of_a_loss_is_one_computation(data):
    stack = Stack([(BetaVAE(beta=b), s) for b in (1.0, 4.0) for s in (0, 1, 2)], data, 8, way="vmap")
    stack.advance(1)
    assert [len(step.members) for step in stack._steps.values()] == [6]
    assert varied([m.model for m in stack.members]) == ["beta"]


IMAGES = {
    "locatello": (BetaVAE(), 64),
    "burgess": (BetaVAE(network="burgess"), 64),
    "batch statistics": (MCEVAE(network="mcevae"), 28),
    "spectral norms and a restart": (InfoGANCR(lr=1e-4, critic_lr=1e-4, switch=2), 16),
}


@pytest.mark.parametrize(("name", "way"), ways(IMAGES, "burgess"))
def test_convolutions_and_batch_statistics_stack(name, way):
    model, side = IMAGES[name]
    images, runs = drawn(side), [(model, 0), (model, 1)]
    stacked, alone = trained(runs, images, way, 5, 4), trained(runs[1:], images, "sequential", 5, 4)
    assert_same(stacked[1], alone[0])


def test_float32_and_plain_descent_stack_to_rounding(monkeypatch):
    def descent(parameters, settings, device):
        return torch.optim.SGD(parameters, lr=1e-3)

    for module in ("stack", "steps"):
        monkeypatch.setattr(f"disentangle_bench.training.{module}.adam", descent)
    images, runs = Resident(load("toy"), CPU), [(VAE(), 0), (VAE(), 1)]
    assert_same_float32 = lambda a, b: [  # noqa: E731
        assert_close(x, y, atol=1e-4, rtol=1e-4) for x, y in zip(a.net.parameters(), b.net.parameters())
    ]
    assert_same_float32(trained(runs, images, "vmap")[1], trained(runs[1:], images, "sequential")[0])


@dataclass(frozen=True)
class Explodes(VAE):
    """Terms that are no number from step 12 on, in members whose `beta` says so."""

    beta: float = 0.0

    def draw(self, data, n, t, rng):
        return {**super().draw(data, n, t, rng), "t": t}

    def loss(self, net, x, eps, t):  # type: ignore[override]
        terms = super().loss(net, x, eps)
        return {**terms, "kl": terms["kl"] * torch.where((self.beta + 0 * t > 0) & (t >= 12), torch.nan, 1.0)}


@pytest.mark.parametrize("way", ["sequential", *TOGETHER])
def test_a_diverged_member_of_a_stack_is_frozen_and_the_others_go_on_untouched(way, data):
    stack = Stack([(Explodes(beta=b), s) for s, b in enumerate((0.0, 1.0, 0.0))], data, 8, way=way)
    for upto in (10, 20, 30):
        stack.advance(upto)
    assert [(m.status, m.t, m.finite) for m in stack.members] == [
        ("running", 30, 30),
        ("diverged", 20, 12),
        ("running", 30, 30),
    ]
    alone = Stack([(Explodes(), 2)], data, 8)
    for upto in (10, 20, 30):
        alone.advance(upto)
    assert_same(stack.members[2], alone.members[0])


@pytest.mark.parametrize("name", ["betavae", "factorvae", "infovae.adversarial", "mcevae"])
def test_a_stack_is_resumed_where_each_member_stood(name, data, tmp_path):
    """Members that stopped at different steps catch up, in another company than before."""
    model, runs = ZOO[name], [(ZOO[name], 0), (ZOO[name], 1)]
    straight = trained(runs, data, "vmap", 12)
    jobs = [engine.Job(model, seed, tmp_path / str(seed)) for seed in (0, 1)]
    for job, stop in zip(jobs, (4, 8)):
        job.folder.mkdir()
        stopped = Stack([(model, job.seed)], data, 8)
        for upto in (4, stop):
            stopped.advance(upto)
        checkpoint.save(stopped.members[0], job, {})
    resumed = Stack(runs, data, 8, way="vmap")
    for member, job in zip(resumed.members, jobs):
        checkpoint.load(member, job)
    for upto in (4, 8, 12):
        resumed.advance(upto)
    for a, b in zip(straight, resumed.members):
        assert a.t == b.t == 12
        for mine, its in zip(a.net.state_dict().values(), b.net.state_dict().values()):
            assert_close(mine, its, atol=1e-12, rtol=1e-12)


def test_a_stack_that_does_not_fit_goes_on_in_halves(data, tmp_path, monkeypatch, caplog):
    """Memory for three members: five go on as 2 + 3, nothing is lost, and milestones name the right member."""
    whole = Stack._advance

    def advance(self, steps, count, name):
        if len(self.members) > 3:
            raise torch.OutOfMemoryError("out of memory")
        whole(self, steps, count, name)

    monkeypatch.setattr(Stack, "_advance", advance)
    jobs = [engine.Job(VAE(), seed, tmp_path / str(seed)) for seed in range(5)]
    for job in jobs:
        job.folder.mkdir()
    told = []
    trained = engine.train(
        jobs, data.data, steps=6, batch=8, device="cpu", milestones=[3, 6],
        reached=lambda i, member, step: told.append((i, member.seed, step)),
    )  # fmt: skip
    assert [(m.seed, m.t) for m, _ in trained] == [(seed, 6) for seed in range(5)]
    assert told == [(seed, seed, 3) for seed in range(5)]
    assert "5 runs do not fit in the memory of cpu side by side: going on with 2" in caplog.text
    with pytest.raises(torch.OutOfMemoryError):
        monkeypatch.setattr(Stack, "_advance", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError("no")))
        engine.train(jobs[:1], data.data, steps=9, batch=8, device="cpu")


@pytest.fixture
def probing(monkeypatch):
    """The probe on a CPU, in which a way takes as many seconds as is said here and step of a trial."""
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device=None: None)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    monkeypatch.setattr("disentangle_bench.training.stack.PROBED", 2)

    def prepared(costs: dict[str, Any], own: float = 100.0):
        clock = [0.0]

        def spent(name, steps, count):
            if isinstance(costs[name], Exception):
                raise costs[name]
            one_by_one(steps, count)
            clock[0] += costs[name] * count

            if costs[name] == 0:  # a quick way to nowhere
                steps[0].members[0].net.encoder.mean.weight.data.fill_(torch.nan)

        def settled(self):
            clock[0] += own

        ways = {name: Way(False, partial(spent, name)) for name in costs}
        monkeypatch.setattr("disentangle_bench.training.stack.WAYS", ways)
        monkeypatch.setattr("disentangle_bench.training.stack.time.perf_counter", lambda: clock[0])
        monkeypatch.setattr("disentangle_bench.training.steps.Step.settle", settled)

    return prepared


def test_the_probe_takes_the_way_with_the_fewest_seconds_a_step(probing, data, caplog):
    stack = Stack([(VAE(), 0)], data, 8)
    before = {name: value.clone() for name, value in stack.members[0].net.state_dict().items()}
    probing({"slow": 2.0, "quick": 1.0, "broken": RuntimeError("cannot be recorded")})
    assert stack._fastest([(VAE(), 0), (VAE(), 1)]) == "quick"
    assert "cannot run as 'broken' here: cannot be recorded" in caplog.text
    assert stack.members[0].t == 0
    for name, value in stack.members[0].net.state_dict().items():
        assert torch.equal(value, before[name])


def test_what_fits_only_one_by_one_is_too_much_for_a_stack(probing, data):
    stack = Stack([(VAE(), 0)], data, 8)
    probing({"sequential": 1.0, "together": torch.OutOfMemoryError("full")})
    with pytest.raises(torch.OutOfMemoryError, match="2 runs do not fit side by side"):
        stack._fastest([(VAE(), 0), (VAE(), 1)])
    assert stack._fastest([(VAE(), 0)]) == "sequential"


def test_a_way_in_which_a_trial_diverges_is_not_taken(probing, data):
    probing({"wrong": 0.0, "right": 5.0})
    assert Stack([(VAE(), 0)], data, 8)._fastest([(VAE(), 0), (VAE(), 1)]) == "right"
