"""The loop against a loop written out by hand, checkpoints, divergence, and the data on the device."""

from typing import ClassVar

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from disentangle_bench import rng
from disentangle_bench.datasets import load
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.vae import VAE
from disentangle_bench.training import checkpoint, engine, evaluate
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack, networks
from disentangle_bench.training.stream import Stream

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data():
    return load("toy")


def test_fifty_steps_equal_a_loop_written_out(data):
    resident = Resident(data, CPU, torch.float64)
    stack = Stack([(BetaVAE(lr=1e-3), 3)], resident, batch=8)
    stack.advance(50)
    net = networks(BetaVAE(), 3, resident)
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)
    draws = Stream(3, "draws", CPU, torch.float64)
    for _ in range(50):
        x, eps = resident.images(8, draws), draws.normal(8, 10)
        mean, logvar = net.encoder(x)
        logits = net.decoder(mean + eps * (logvar / 2).exp())
        nll = (torch.nn.functional.softplus(logits) - x * logits).sum() / 8
        kl = 0.5 * (mean**2 + logvar.exp() - logvar - 1).sum() / 8
        adam.zero_grad()
        (nll + 4 * kl).backward()
        adam.step()
    for mine, its in zip(net.parameters(), stack.members[0].net.parameters()):
        assert_close(mine, its, atol=1e-12, rtol=1e-12)


class TwoPlayers(VAE):
    """A second player whose loss reads the first one's codes without detaching them."""

    players: ClassVar = {"vae": ("encoder", "decoder"), "critic": ("critic",)}

    def nets(self, data):
        return {**super().nets(data), "critic": torch.nn.Linear(self.latents, 1)}

    def loss(self, net, x, eps):  # type: ignore[override]
        judged = net.critic(self.q(net, x).at(eps)).mean()
        return {"vae": super().loss(net, x, eps), "critic": {"judgement": 100 * judged}}


def test_each_player_moves_only_its_own_networks(data):
    resident = Resident(data, CPU)
    both, alone = Stack([(TwoPlayers(), 0)], resident, 8), Stack([(TwoPlayers(), 0)], resident, 8)
    alone.members[0].model = VAE()
    both.advance(3)
    alone.advance(3)
    for part in ("encoder", "decoder"):
        for mine, its in zip(both.members[0].net[part].parameters(), alone.members[0].net[part].parameters()):
            assert torch.equal(mine, its)
    start = networks(TwoPlayers(), 0, resident)
    assert not torch.equal(start.critic.weight, both.members[0].net.critic.weight)
    assert {term for _, term, _ in both.members[0].log} == {"vae.reconstruction", "vae.kl", "critic.judgement"}


class Explodes(VAE):
    def loss(self, net, x, eps):
        terms = super().loss(net, x, eps)
        return {**terms, "kl": terms["kl"] * torch.where(eps.sum() < 1e9, float("nan"), 1.0)}


def test_a_diverged_member_is_frozen_and_the_others_go_on(data):
    resident = Resident(data, CPU)
    stack = Stack([(Explodes(), 0), (VAE(), 1)], resident, 8)
    alone = Stack([(VAE(), 1)], resident, 8)
    for upto in (2, 4):
        stack.advance(upto)
        alone.advance(upto)
    assert [(m.status, m.t) for m in stack.members] == [("diverged", 2), ("running", 4)]
    for mine, its in zip(stack.members[1].net.parameters(), alone.members[0].net.parameters()):
        assert torch.equal(mine, its)


def test_two_players_resume_to_the_same_bits(data, tmp_path):
    resident = Resident(data, CPU)
    straight, stopped, resumed = (Stack([(TwoPlayers(), 0)], resident, 8) for _ in range(3))
    for stack in (straight, stopped):
        stack.advance(3)
    job = engine.Job(TwoPlayers(), 0, tmp_path)
    checkpoint.save(stopped.members[0], job, {"seconds": 2.5})
    assert checkpoint.load(resumed.members[0], job) == {"seconds": 2.5}
    for stack in (straight, resumed):
        stack.advance(6)
    for mine, its in zip(straight.members[0].net.parameters(), resumed.members[0].net.parameters()):
        assert torch.equal(mine, its)


def test_a_checkpoint_of_another_run_is_refused(data, tmp_path):
    resident = Resident(data, CPU)
    job = engine.Job(VAE(latents=3), 0, tmp_path, {"model": "vae", "version": 1, "steps": 100})
    checkpoint.save(Stack([(VAE(latents=3), 0)], resident, 8).members[0], job, {})
    for identity, words in [
        ({"model": "betavae", "version": 1, "steps": 100}, "model is 'vae', expected 'betavae'"),
        ({"model": "vae", "version": 2, "steps": 100}, "version is 1, expected 2"),
        ({"model": "vae", "version": 1, "steps": 50}, "steps is 100, expected 50"),
        (job.identity, "holds other networks"),
    ]:
        with pytest.raises(ValueError, match=words):
            engine.train([engine.Job(VAE(), 0, tmp_path, identity)], data, steps=100, batch=8, device="cpu")


def test_a_checkpoint_of_another_device_means_a_fresh_start(data, tmp_path, monkeypatch, caplog):
    member, job = Stack([(VAE(), 0)], Resident(data, CPU), 8).members[0], engine.Job(VAE(), 0, tmp_path)
    checkpoint.save(member, job, {"seconds": 1.0})
    monkeypatch.setattr(member.stream, "device", torch.device("meta"))
    assert checkpoint.load(member, job) == {}
    assert "was made on cpu" in caplog.text


def test_weights_and_draws_come_from_different_streams(data):
    resident = Resident(data, CPU)
    with torch.random.fork_rng():
        torch.manual_seed(rng.key(0, "draws"))
        net = torch.nn.ModuleDict(VAE().nets(resident))
    assert not torch.equal(net.encoder.mean.weight, networks(VAE(), 0, resident).encoder.mean.weight)


def test_log_holds_means_between_entries(data):
    resident = Resident(data, CPU)
    coarse, fine = Stack([(VAE(), 0)], resident, 8), Stack([(VAE(), 0)], resident, 8)
    coarse.advance(4)
    for upto in range(1, 5):
        fine.advance(upto)
    kl = [value for _, term, value in fine.members[0].log if term == "kl"]
    assert [step for step, term, _ in coarse.members[0].log if term == "kl"] == [4]
    assert {term: value for _, term, value in coarse.members[0].log}["kl"] == pytest.approx(np.mean(kl), rel=1e-6)


def test_interrupted_training_goes_on_to_the_same_bits(data, tmp_path, monkeypatch):
    """Stop after any entry of the curve: what comes out in the end is the same."""

    class Stop(Exception):
        pass

    def until(step):
        def watch(progress):
            if progress.step >= step:
                raise Stop

        return watch

    monkeypatch.setenv("BENCH_CHECKPOINT_SECONDS", "0")
    job = lambda name: engine.Job(VAE(), 0, (tmp_path / name))  # noqa: E731
    for name in ("straight", "stopped"):
        (tmp_path / name).mkdir()
    ((straight, _),) = engine.train([job("straight")], data, steps=23, batch=8, device="cpu")
    for step in (3, 11, 19):
        with pytest.raises(Stop):
            engine.train([job("stopped")], data, steps=23, batch=8, device="cpu", watch=until(step))
    ((resumed, _),) = engine.train([job("stopped")], data, steps=23, batch=8, device="cpu")
    assert resumed.log == straight.log
    for mine, its in zip(straight.net.parameters(), resumed.net.parameters()):
        assert torch.equal(mine, its)


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", None])
def test_an_unreadable_checkpoint_means_a_fresh_start(data, tmp_path, damage, caplog):
    member, job = Stack([(VAE(), 0)], Resident(data, CPU), 8).members[0], engine.Job(VAE(), 0, tmp_path)
    if damage is None:
        checkpoint.save(member, job, {"seconds": 1.0})
        whole = (tmp_path / checkpoint.NAME).read_bytes()
        damage = whole[: len(whole) // 2]
    (tmp_path / checkpoint.NAME).write_bytes(damage)
    assert checkpoint.load(member, job) == {}
    assert member.t == 0
    assert "starts afresh" in caplog.text


def test_resident_images_are_the_data_sets(data):
    rows = np.array([5, 0, 5, 575])
    resident = Resident(data, CPU)
    expected = torch.from_numpy(data.take(rows)).permute(0, 3, 1, 2) / 255
    assert torch.equal(resident.at(torch.from_numpy(rows)), expected)
    expected = torch.from_numpy(data.canonical(rows)).permute(0, 3, 1, 2) / 255
    assert torch.equal(resident.canonical(torch.from_numpy(rows)), expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_packed_bits_unpack_to_the_same_images(channels):
    from disentangle_bench.datasets import FactoredData

    images = (np.random.default_rng(0).random((6, 4, 16, channels)) < 0.5).astype(np.uint8)
    held = FactoredData(
        name="bits",
        pixels=np.packbits(images, axis=2),
        packed=True,
        factors=np.zeros((6, 1), int),
        levels=(np.zeros(1),),
        names=("a",),
        kinds=("ordered",),
        source="drawn",
        sha256="0" * 64,
    )
    assert torch.equal(Resident(held, CPU).at(torch.arange(6)), torch.from_numpy(images).permute(0, 3, 1, 2).float())


def test_draws_are_uniform_over_rows(data):
    rows = Resident(data, CPU).rows(200_000, Stream(0, "draws", CPU))
    counts = torch.bincount(rows, minlength=len(data)).double()
    chi2 = ((counts - counts.mean()) ** 2 / counts.mean()).sum().item()
    assert abs(chi2 - (len(data) - 1)) < 5 * np.sqrt(2 * (len(data) - 1))


def test_streams_of_purposes_and_seeds_are_their_own():
    assert (
        len({rng.key(seed, purpose) for seed in range(3) for purpose in ("initial weights", "draws", "evaluation")})
        == 9
    )
    assert rng.stream(0, "draws").integers(1 << 40) == rng.stream(0, "draws").integers(1 << 40)


def test_facts_are_those_of_the_codes(data):
    resident = Resident(data, CPU)
    member = Stack([(VAE(), 0)], resident, 8).members[0]
    rows = np.arange(100)
    codes, facts = evaluate.encode(VAE(), member.net, resident, rows)
    x = resident.at(torch.from_numpy(rows))
    with torch.no_grad():
        mean, logvar = member.net.encoder(x)
        kl = 0.5 * (mean**2 + logvar.exp() - logvar - 1)
        nll = torch.distributions.Bernoulli(logits=member.net.decoder(mean)).log_prob(x).sum((1, 2, 3))
    assert_close(torch.from_numpy(codes.mean), mean)
    assert_close(torch.from_numpy(codes.sd), (logvar / 2).exp())
    assert facts["kl"] == pytest.approx(kl.sum(1).mean().item(), rel=1e-5)
    assert facts["reconstruction"] == pytest.approx(-nll.mean().item(), rel=1e-5)
    assert facts["used_units"] == (kl.mean(0) > 0.01).sum().item()


def test_a_traversal_moves_one_unit_over_its_range(data):
    resident = Resident(data, CPU)
    member = Stack([(VAE(), 0)], resident, 8).members[0]
    codes, _ = evaluate.encode(VAE(), member.net, resident, np.arange(50))
    shown = evaluate.pictures(VAE(), member.net, resident, codes, np.arange(8))
    assert shown["traversals"].shape == (10, 8, 16, 16, 1) and shown["traversals"].dtype == np.uint8
    assert_close(shown["traversal_values"][:, -1], np.quantile(codes.mean, 0.98, axis=0).astype(np.float32))
    z = codes.mean[0].copy()
    z[4] = shown["traversal_values"][4, 2]
    with torch.no_grad():
        frame = member.net.decoder(torch.from_numpy(z)[None]).sigmoid()[0, 0]
    assert np.abs(shown["traversals"][4, 2, :, :, 0] - frame.numpy() * 255).max() <= 0.51


def test_unknown_device_is_refused():
    with pytest.raises(ValueError, match="device: got 'abacus', available here: auto"):
        engine.pick_device("abacus")
