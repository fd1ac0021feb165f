"""Parameter counts and starting weights of the study's networks."""

import math

import torch

from disentangle_bench.models._networks import GaussianEncoder, decoder, frozen_statistics


def size(net):
    return sum(p.numel() for p in net.parameters())


def test_parameter_counts_at_64x64():
    assert size(GaussianEncoder((64, 64, 1), 10)) == 309_204
    assert size(decoder(10, (64, 64, 1))) == 381_313


def test_weights_start_glorot_uniform_and_biases_zero():
    torch.manual_seed(0)
    net = GaussianEncoder((64, 64, 1), 10)
    for layer, fans in [(net.trunk[2], 16 * (32 + 32)), (net.trunk[9], 1024 + 256), (net.mean, 256 + 10)]:
        bound = math.sqrt(6 / fans)
        largest = layer.weight.abs().max().item()
        assert 0.97 * bound < largest <= bound
        assert layer.bias.abs().max() == 0


def test_images_of_other_sizes_and_channels():
    for shape in [(28, 28, 1), (16, 16, 3), (64, 64, 3)]:
        h, w, c = shape
        mean, logvar = GaussianEncoder(shape, 4)(torch.zeros(2, c, h, w))
        assert mean.shape == logvar.shape == (2, 4)
        assert decoder(4, shape)(torch.zeros(2, 4)).shape == (2, c, h, w)


def test_frozen_statistics_stay_and_come_back():
    net = torch.nn.Sequential(torch.nn.BatchNorm2d(1))
    x = torch.randn(8, 1, 4, 4) + 5
    with frozen_statistics(net):
        net(x)
        assert net[0].running_mean.item() == 0
    net(x)
    assert net[0].training and net[0].running_mean.item() > 0.4
