"""What an accelerator asks of the loop: no step waits for it or fetches from the host; precision; memory."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from zoo import ZOO

from disentangle_bench.datasets import load
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.factorvae import FactorVAE
from disentangle_bench.models.vae import VAE
from disentangle_bench.training import engine, evaluate, memory, precision, thin
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack, networks
from disentangle_bench.training.steps import by_player

CPU, META = torch.device("cpu"), torch.device("meta")
HAS_BF16 = precision._has_bf16(CPU)


class Shapes:
    """A stream of numbers that have a shape and no value."""

    seed = 0

    def normal(self, *shape):
        return torch.randn(shape, device=META)

    def uniform(self, *shape):
        return torch.rand(shape, device=META)

    def integers(self, high, *shape):
        return torch.randint(high, shape, device=META)


class HostWork(TorchDispatchMode):
    """Notes every operation that reads or makes a tensor on the CPU."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        tensors = [x for x in tree_leaves((args, kwargs, out)) if isinstance(x, torch.Tensor)]
        self.found += [str(func)] * any(x.device.type == "cpu" for x in tensors)
        return out


@pytest.mark.parametrize("name", ZOO)
def test_a_step_needs_nothing_of_the_host(name):
    """On a device without values, asking for one is an error: what passes can be recorded as a CUDA graph."""
    model, data = ZOO[name], Resident(load("toy"), META)
    net = networks(model, 0, data)
    model.draw(data, 8, torch.zeros((), device=META), Shapes())  # the first one may set up what the others draw from
    with HostWork() as host:
        terms = by_player(model, model.loss(net, **model.draw(data, 8, torch.zeros((), device=META), Shapes())))
        for parts in terms.values():
            torch.stack(list(parts.values())).sum().backward(retain_graph=True)
    assert host.found == []
    assert all(value.shape == () for parts in terms.values() for value in parts.values())


def test_asking_for_a_value_would_be_noticed():
    with pytest.raises((RuntimeError, NotImplementedError)):
        torch.cov(torch.randn(3, 5, device=META))
    with HostWork() as host:
        torch.zeros(2).to(META)
    assert host.found


def test_precisions_that_a_device_lacks_are_refused(monkeypatch):
    with pytest.raises(ValueError, match=r"--precision: unknown 'bf61' did you mean 'bf16'|bf61"):
        precision.require("bf61", CPU)
    with pytest.raises(ValueError, match="--precision: cpu has no tf32; it has fp32"):
        precision.require("tf32", CPU)
    monkeypatch.setattr(precision, "_has_bf16", lambda device: False)
    with pytest.raises(ValueError, match=r"--precision: cpu has no bf16; it has fp32$"):
        engine.train([], load("toy"), steps=1, batch=8, device="cpu", precision="bf16")


def test_bf16_rounds_networks_and_nothing_else():
    """The networks' outputs are those of bf16, of the loss's own type, and the networks are as before afterwards."""
    net = networks(VAE(), 0, Resident(load("toy"), CPU))
    x = torch.rand(4, 1, 16, 16)
    exact = net.encoder(x)[0]
    with precision.computing([net], "bf16", CPU):
        rounded = net.encoder(x)[0]
    assert rounded.dtype == torch.float32
    error = ((rounded - exact).norm() / exact.norm()).item()
    assert 2**-12 < error < 2**-5  # eight bits of mantissa, some layers
    assert torch.equal(net.encoder(x)[0], exact)
    with precision.computing([net], "bf16", CPU), precision.computing([net], "bf16", CPU):
        pass
    assert "forward" not in vars(net.encoder)
    assert torch.equal(rounded, rounded.bfloat16().float())


@pytest.mark.parametrize(
    ("channels", "kernel", "stride", "padding"), [(1, 4, 2, 1), (3, 4, 2, 1), (2, 3, 1, 0), (1, 5, 3, 2)]
)
def test_a_thin_upconvolution_is_the_librarys(channels, kernel, stride, padding):
    layer = torch.nn.ConvTranspose2d(6, channels, kernel, stride, padding).double()
    assert thin.layers(torch.nn.Sequential(layer)) == [layer]
    x = torch.randn(2, 6, 5, 7, dtype=torch.float64, requires_grad=True)
    inputs, grad = (x, layer.weight, layer.bias), None
    results = []
    for forward in (layer.forward, thin.forward(layer)):
        y = forward(x)
        grad = torch.randn(y.shape, dtype=y.dtype, generator=torch.Generator().manual_seed(0))
        results.append((y, *torch.autograd.grad(y, inputs, grad)))
    for library, ours in zip(*results):
        assert_close(ours, library, atol=1e-12, rtol=1e-12)


def test_only_thin_upconvolutions_are_replaced():
    net = torch.nn.Sequential(
        torch.nn.ConvTranspose2d(8, 8, 4, 2, 1), torch.nn.ConvTranspose2d(8, 1, 4, 2, 1, bias=False),
        torch.nn.ConvTranspose2d(8, 1, 4, 2, 1, output_padding=1), torch.nn.Conv2d(8, 1, 3),
    )  # fmt: skip
    assert thin.layers(net) == []


def test_the_smallest_numbers_are_zero_while_a_cpu_trains_and_not_after():
    net, tiny = networks(VAE(), 0, Resident(load("toy"), CPU)), torch.tensor([1e-38])
    with precision.computing([net], "fp32", CPU):
        assert (tiny * 0.1).item() == 0
    assert (tiny * 0.1).item() > 0


@pytest.mark.skipif(not HAS_BF16, reason="this processor has no bf16")
@pytest.mark.usefixtures("narrow_critics")
@pytest.mark.parametrize("model", [BetaVAE(), FactorVAE(gamma=1.0)], ids=["one player", "two players"])
def test_bf16_trains_like_fp32_at_first(model):
    data = Resident(load("toy"), CPU)
    logs = {}
    for name in ("fp32", "bf16"):
        stack = Stack([(model, 0)], data, 32, name)
        stack.advance(20)
        logs[name] = {term: value for _, term, value in stack.members[0].log}
        assert all(p.dtype == torch.float32 for p in stack.members[0].net.parameters())
    assert logs["bf16"] != logs["fp32"]
    for term, value in logs["fp32"].items():
        assert logs["bf16"][term] == pytest.approx(value, rel=0.05, abs=0.05), term


def test_footprint_counts_weights_seven_times_and_activations_twice():
    """One linear layer, whose input is all that autograd keeps of it."""

    class Linear(VAE):
        def nets(self, data):
            return {"encoder": torch.nn.Linear(256, 5, bias=False)}

        def loss(self, net, x, eps):  # type: ignore[override]
            return {"sum": net.encoder(x.flatten(1)).sum()}

    small, large = (memory.footprint(Linear(), load("toy"), batch) for batch in (10, 30))
    assert small == 28 * 256 * 5 + 2 * 4 * 10 * 256
    assert large - small == 2 * 4 * 20 * 256


def test_capacity_is_what_is_free_over_what_one_needs(monkeypatch):
    data = load("toy")
    one = memory.footprint(VAE(), data, 8)
    for free, expected in ((0, 1), (10 * one, 9), (1000 * one, 900)):
        monkeypatch.setattr(memory, "free", lambda device, free=free: free)
        assert memory.capacity(VAE(), data, 8, CPU) == expected
    monkeypatch.setattr(memory, "free", lambda device: 10 * one + data.pixels.nbytes / 0.9)
    assert memory.capacity(VAE(), data, 8, torch.device("cuda")) == 9


def test_evaluation_leaves_networks_in_their_mode():
    data = Resident(load("toy"), CPU)
    net = networks(VAE(), 0, data)
    for mode in (True, False):
        net.train(mode)
        evaluate.encode(VAE(), net, data, np.arange(5))
        assert net.encoder.training is mode


def test_best_weights_are_those_of_the_lowest_entry(tmp_path, monkeypatch):
    from safetensors.torch import load_file

    monkeypatch.setattr(engine, "_loss", lambda member: {5: 3.0, 10: 1.0, 15: 2.0}[member.t])
    kept = {}

    def reached(i, member, step):
        kept.update({name: value.clone() for name, value in member.net.state_dict().items()})

    engine.train(
        [engine.Job(VAE(), 0, tmp_path)], load("toy"), steps=15, batch=8, device="cpu", checkpoint_every=5,
        milestones=[10], reached=reached,
    )  # fmt: skip
    best = load_file(tmp_path / "best.safetensors")
    assert set(best) == set(kept)
    for name, value in kept.items():
        assert torch.equal(best[name], value), name


def test_a_checkpoint_is_written_at_the_steps_asked_for(tmp_path):
    stood = []
    engine.train(
        [engine.Job(VAE(), 0, tmp_path)], load("toy"), steps=20, batch=8, device="cpu", checkpoint_every=7,
        watch=lambda progress: stood.append((progress.step, (tmp_path / "checkpoint.safetensors").exists())),
    )  # fmt: skip
    assert next(step for step, there in stood if there) == 8  # the first told after the write at step 7


def test_images_in_any_order_of_memory_are_held():
    """What a function of somebody's own returns may be flipped or turned views."""
    toy = load("toy")
    flipped = dataclasses.replace(toy, pixels=toy.pixels[:, ::-1])
    rows = torch.arange(0, len(toy), 50)
    assert_close(Resident(flipped, CPU).at(rows), Resident(toy, CPU).at(rows).flip(2))
    flipped.pixels.flags.writeable = False  # torch would warn
    assert_close(Resident(flipped, CPU).at(rows), Resident(toy, CPU).at(rows).flip(2))
    shared = dataclasses.replace(toy, pixels=toy.pixels[:])
    shared.pixels.flags.writeable = False
    assert_close(Resident(shared, CPU).at(rows), Resident(toy, CPU).at(rows))
