"""Parameter counts, starting weights and sizes of the networks."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from disentangle_bench.datasets import load
from disentangle_bench.models._networks import NETWORKS, GaussianEncoder, choose, frozen_statistics
from disentangle_bench.models.catvae import CatVAE
from disentangle_bench.models.factorvae import critic
from disentangle_bench.models.mcevae import MCEVAE
from disentangle_bench.models.vae import VAE
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack


def size(net):
    return sum(p.numel() for p in net.parameters())


# Encoder with two heads of ten and decoder of ten units, 64x64x1. Those of Locatello et al. as published; the others
# summed by hand: a 4x4 convolution of 32 to 32 channels has 16,416 parameters, n units onto m (n + 1) m.
HEADS = 2 * (256 + 1) * 10
COUNTS = {
    "locatello": (309_204, 381_313),
    "locatello_paper": (382_932, 381_313),
    "burgess": (
        544 + 3 * 16_416 + 513 * 256 + 257 * 256 + HEADS,
        11 * 256 + 257 * 256 + 257 * 512 + 3 * 16_416 + 513,
    ),
    "infogan": (
        544 + 16_416 + 32_832 + 65_600 + 1025 * 128 + 2 * 129 * 10,
        10 * 128 + 256 + 128 * 1024 + 2 * 128 + 2 * 64 + 65_536 + 32_768 + 16_384 + 513,
    ),
    "higgins": (4097 * 1200 + 1201 * 1200 + 2 * 1201 * 10, 11 * 1200 + 2 * 1201 * 1200 + 1201 * 4096),
    "infocatvae": (4097 * 400 + 2 * 401 * 10, 11 * 400 + 401 * 4096),
    "dense": (4097 * 256 + 257 * 256 + HEADS, 11 * 256 + 257 * 256 + 257 * 4096),
}


@pytest.mark.parametrize("network", COUNTS)
def test_parameter_counts_at_64x64(network):
    shape = (64, 64, 1)
    got = size(GaussianEncoder(network, shape, 10)), size(NETWORKS[network].decoder(10, shape))
    assert got == COUNTS[network]


def test_parameter_counts_of_the_others():
    assert set(NETWORKS) == {*COUNTS, "mcevae"}
    convolutions = 32 * 25 + 64 + 32 * 32 * 16 + 64 + 64 * 32 * 9 + 128 + (64 * 25 + 1) * 16
    assert size(NETWORKS["mcevae"].trunk((28, 28, 1))[0]) == convolutions
    assert size(NETWORKS["mcevae"].decoder(13, (28, 28, 1))) == 2 * 14 * 300 + 2 * 301 * 300 + 301 * 784
    assert size(critic(10)) == 5_018_002


@pytest.mark.parametrize("network", NETWORKS)
def test_a_vae_trains_with_every_network(network):
    side = (NETWORKS[network].size or (12, 12))[0]
    toy = load("toy")
    pixels = np.zeros((len(toy), side, side, 3), np.uint8)
    pixels[:, :12, :12] = toy.take(np.arange(len(toy)))[:, 2:14, 2:14]
    data = Resident(dataclasses.replace(toy, pixels=pixels, packed=False), torch.device("cpu"))
    stack = Stack([(VAE(network=network, lr=1e-3), 0)], data, batch=16)
    stack.advance(2)
    stack.advance(12)
    first, last = (sum(value for t, _, value in stack.members[0].log if t == step) for step in (2, 12))
    assert last < first


def test_auto_is_the_papers_own_network_where_there_is_one():
    assert VAE().pair(SimpleNamespace(shape=(64, 64, 3))) == "locatello"
    assert VAE().pair(SimpleNamespace(shape=(28, 28, 1))) == "dense"
    assert CatVAE().pair(SimpleNamespace(shape=(28, 28, 1))) == "infocatvae"
    assert MCEVAE().pair(SimpleNamespace(shape=(28, 28, 1))) == "mcevae"
    assert MCEVAE(network="dense").pair(SimpleNamespace(shape=(28, 28, 1))) == "dense"


def test_images_that_a_network_cannot_take_are_refused():
    with pytest.raises(ValueError, match="locatello takes images of 64x64, got 28x28; for these: higgins, mcevae"):
        choose("locatello", (28, 28, 1), {})
    with pytest.raises(ValueError, match=r"vae.network: got 'burges', expected one of auto, locatello"):
        VAE(network="burges")


def test_weights_start_glorot_uniform_and_biases_zero():
    torch.manual_seed(0)
    net, up = GaussianEncoder("locatello", (64, 64, 1), 10), NETWORKS["locatello"].decoder(10, (64, 64, 1))
    layers = [(net.trunk[2], 16 * (32 + 32)), (net.trunk[9][0], 1024 + 256), (net.mean, 256 + 10)]
    layers += [(up[5], 16 * (64 + 32)), (up[0][0], 10 + 256)]
    for layer, fans in layers:
        bound = math.sqrt(6 / fans)
        largest = layer.weight.abs().max().item()
        assert 0.97 * bound < largest <= bound
        assert layer.bias.abs().max() == 0


def test_frozen_statistics_normalise_by_the_batch_and_stay_as_they_were():
    net = torch.nn.Sequential(torch.nn.BatchNorm2d(1))
    x = torch.randn(8, 1, 4, 4) + 5
    with frozen_statistics(net):
        inside = net(x)
        assert net[0].running_mean.item() == 0 and net[0].num_batches_tracked.item() == 0
    assert torch.equal(inside, net(x)) and abs(inside.mean().item()) < 1e-5
    assert net[0].running_mean.item() > 0.4
    net.eval()
    with frozen_statistics(net):
        assert net(x).mean().item() > 1  # evaluation goes by the running statistics, as ever
