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
    net, up = GaussianEncoder((64, 64, 1), 10), decoder(10, (64, 64, 1))
    layers = [(net.trunk[2], 16 * (32 + 32)), (net.trunk[9], 1024 + 256), (net.mean, 256 + 10)]
    layers += [(up[5], 16 * (64 + 32)), (up[0][0], 10 + 256)]
    for layer, fans in layers:
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
