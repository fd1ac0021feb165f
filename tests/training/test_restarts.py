"""Players that start anew at a step: fresh weights and an empty optimiser, for them alone, whatever came before."""

from dataclasses import dataclass
from functools import partial

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from disentangle_bench import rng
from disentangle_bench.datasets import load
from disentangle_bench.models.infogan_cr import InfoGANCR, normed
from disentangle_bench.models.vae import VAE
from disentangle_bench.training import checkpoint, engine
from disentangle_bench.training import stack as stacks
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack, networks

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Small(InfoGANCR):
    """InfoGAN-CR with few weights; a batch norm in the generator."""

    def nets(self, data):
        codes, pixels = nn.Linear(self.latents + self.noise, 8), nn.Linear(8, 256)
        look, h = (nn.Sequential(nn.Flatten(), nn.Linear(n, 8), nn.LeakyReLU(0.2)) for n in (256, 512))
        return {
            "look": normed(look),
            "D": normed(nn.Linear(8, 1)),
            "Q": nn.Linear(8, self.outputs),
            "generator": nn.Sequential(codes, nn.BatchNorm1d(8), nn.ReLU(), pixels, nn.Unflatten(1, (1, 16, 16))),
            "H": normed(nn.Sequential(*h, nn.Linear(8, self.latents))),
        }


GAME = partial(Small, latents=2, switch=6)  # H starts anew before the seventh step
BOTH = GAME(gap=1.0, narrow=9)


@pytest.fixture(scope="module")
def data():
    return Resident(load("toy"), CPU, torch.float64)


def trained(data, *stops, model=None, seeds=(0,), way="sequential", batch=4):
    stack = Stack([(model or GAME(), seed) for seed in seeds], data, batch, way=way)
    for stop in stops:
        stack.advance(stop)
    return stack


def state(member):
    """Everything that a member is made of: weights, buffers, moments, random numbers."""
    found = {f"net.{name}": value.clone() for name, value in member.net.state_dict().items()}
    for player, optimiser in member.optimisers.items():
        for i, entries in optimiser.state_dict()["state"].items():
            found |= {f"adam.{player}.{i}.{name}": value.clone() for name, value in entries.items()}
    return {**found, "stream": member.stream.state}


def assert_same(first, second, tolerance=0.0):
    a, b = state(first), state(second)
    assert first.t == second.t and a.keys() == b.keys()
    for name in a:
        assert_close(a[name], b[name], atol=tolerance, rtol=tolerance, msg=lambda text, name=name: f"{name}: {text}")


def of_h(found):
    return {name: value for name, value in found.items() if name.startswith(("net.H", "adam.contrast"))}


def restarted(stack, monkeypatch):
    """What the stack's first member is made of at the step where it stands, as the next step finds it."""
    with monkeypatch.context() as patch:
        patch.setattr(Stack, "_advance", lambda *_: None)
        stack.advance(stack.members[0].t + 1)
    return state(stack.members[0])


def test_h_has_the_weights_that_its_seed_draws_for_this_step_and_an_empty_optimiser(data, monkeypatch):
    stack = trained(data, 6, seeds=(3,))
    before, after = state(stack.members[0]), restarted(stack, monkeypatch)
    fresh = networks(GAME(), 3, data, "weights anew at step 6")
    expected = {f"net.H.{name}": value for name, value in fresh["H"].state_dict().items()}
    assert of_h(after).keys() == expected.keys() and any(name.startswith("adam.contrast") for name in before)
    assert all(torch.equal(value, after[name]) for name, value in expected.items())
    learnt = [name for name in expected if name.endswith("original")]
    assert len(learnt) == 2 and not any(torch.equal(before[name], after[name]) for name in learnt)


def test_other_players_weights_and_optimisers_are_left_as_they_are(data, monkeypatch):
    stack = trained(data, 6)
    before, after = state(stack.members[0]), restarted(stack, monkeypatch)
    others = before.keys() - of_h(before).keys()
    assert {name.split(".")[1] for name in others if name != "stream"} == {
        *("look", "D", "Q", "generator", "critic")  # the last with the generator's as owners of moments
    }
    assert others == after.keys() - of_h(after).keys()
    assert all(torch.equal(before[name], after[name]) for name in others)


def test_the_first_step_after_it_is_adams_first(data):
    stack = trained(data, 6, 7)
    member = stack.members[0]
    for player, count in (("contrast", 1), ("critic", 7), ("generator", 7)):
        for weight, entries in member.optimisers[player].state.items():
            assert entries["step"].item() == count
            if player == "contrast":
                assert_close(entries["exp_avg"], 0.5 * weight.grad)  # betas 0.5, 0.999
                assert_close(entries["exp_avg_sq"], 0.001 * weight.grad.square())


def test_what_h_starts_from_depends_on_seed_and_step_alone(data, monkeypatch):
    def fresh(model=None, **options):
        model = model or GAME()
        stack = trained(data, model.switch, model=model, **options)
        return of_h(restarted(stack, monkeypatch))

    first = fresh()
    same = [fresh(batch=7), fresh(model=GAME(alpha=9.0, lam_c=3.0, lr=1e-2)), fresh(seeds=(0, 1), way="vmap")]
    assert all(torch.equal(value, other[name]) for other in same for name, value in first.items())
    for other in (fresh(seeds=(1,)), fresh(model=GAME(switch=5))):
        assert not any(torch.equal(first[name], other[name]) for name in first if name.endswith("original"))
    start = networks(GAME(), 0, data)["H"].state_dict()
    assert not any(torch.equal(first[f"net.H.{name}"], w) for name, w in start.items() if name.endswith("original"))


@pytest.mark.parametrize("way", ["sequential", "vmap"])
@pytest.mark.parametrize("stops", [(6, 9, 12), range(1, 13)], ids=str)
def test_going_across_in_one_go_is_the_same_to_the_bit_as_with_stops(stops, way, data):
    straight = trained(data, 12, model=BOTH, seeds=(0, 1), way=way)
    stopped = trained(data, *stops, model=BOTH, seeds=(0, 1), way=way)
    for one, other in zip(straight.members, stopped.members):
        assert_same(one, other)


@pytest.mark.parametrize("stop", [5, 6, 7])
def test_resuming_at_the_step_itself_is_the_same_to_the_bit(stop, data, tmp_path):
    straight = trained(data, 12)
    job = engine.Job(GAME(), 0, tmp_path)
    checkpoint.save(trained(data, stop).members[0], job, {})
    resumed = Stack([(GAME(), 0)], data, 4)
    checkpoint.load(resumed.members[0], job)
    assert resumed.members[0].t == stop
    resumed.advance(12)
    assert_same(straight.members[0], resumed.members[0])


def test_a_stack_across_restarts_is_its_members_alone(data):
    model = GAME(gap=1.0, narrow=9, lr=1e-4, critic_lr=1e-4)  # rounding near Adam's eps grows with the rate
    stacked = trained(data, 12, model=model, seeds=(0, 1), way="vmap")
    for seed, member in enumerate(stacked.members):
        assert_same(trained(data, 12, model=model, seeds=(seed,)).members[0], member, 1e-11)


def test_members_that_stand_at_different_steps_start_anew_each_at_its_own(data, tmp_path):
    jobs = [engine.Job(GAME(), seed, tmp_path / str(seed)) for seed in (0, 1)]
    stack = Stack([(GAME(), seed) for seed in (0, 1)], data, 4, way="sequential")
    for job, member, stop in zip(jobs, stack.members, (4, 8)):
        job.folder.mkdir()
        checkpoint.save(trained(data, stop, seeds=(job.seed,)).members[0], job, {})
        checkpoint.load(member, job)
    stack.advance(12)
    for seed, member in enumerate(stack.members):
        assert_same(trained(data, 12, seeds=(seed,)).members[0], member)


def test_the_learning_curve_has_an_entry_at_a_restart_and_means_of_its_own_stretch(data):
    at = [step for step, term, _ in trained(data, 12, model=BOTH).members[0].log if term == "contrast.contrast"]
    assert at == [6, 9, 12]


def test_each_step_is_announced_once_and_none_at_the_start_or_the_end(data, monkeypatch):
    asked = []
    whole = networks

    def watched(model, seed, data, purpose="initial weights"):
        asked.append((seed, purpose))
        return whole(model, seed, data, purpose)

    monkeypatch.setattr(stacks, "networks", watched)
    trained(data, 4, 6, 9, model=BOTH, seeds=(0, 1))
    trained(data, 4, model=GAME(switch=0))
    trained(data, 6, model=VAE())
    first = [(seed, f"weights anew at step {t}") for t in (6,) for seed in (0, 1)]
    start = [(seed, "initial weights") for seed in (0, 1)]
    assert asked == [*start, *first, (0, "initial weights"), (0, "initial weights")]
    assert rng.key(0, "weights anew at step 6") != rng.key(0, "weights anew at step 9")


def test_a_model_says_at_which_steps_who_starts_anew():
    assert VAE().restarts == {}
    assert BOTH.restarts == {6: ("contrast",), 9: ("contrast",)}
    assert GAME(switch=0).restarts == {}
