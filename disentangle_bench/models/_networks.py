"""The encoder and decoder pairs of the literature. Weights start as TensorFlow's do: Glorot uniform, zero biases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from torch import Tensor, nn

Shape = tuple[int, int, int]  # height, width, channels


def glorot(net: nn.Module) -> nn.Module:
    """Every weight of a linear or convolution layer drawn Glorot-uniform, every bias zero; returns the net."""
    for layer in net.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return net


def mlp(widths: list[int], unit: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers of these widths, a unit between each two."""
    layers: list[nn.Module] = []
    for n, m in pairwise(widths):
        layers += [nn.Linear(n, m), unit()]
    return nn.Sequential(*layers[:-1])


def trunk(shape: Shape) -> tuple[nn.Module, int]:
    """From images (n, c, h, w) to features (n, width); also the width.

    64x64: Locatello et al. 2019, table 2, as in the code that its results came from (2x2 kernels in the third and
    fourth layer; 309,204 parameters with two heads of ten). Other sizes: two dense layers of 256.
    """
    h, w, c = shape
    if (h, w) == (64, 64):
        return nn.Sequential(
            nn.Conv2d(c, 32, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(32, 32, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 2, 2),
            nn.ReLU(),
            nn.Conv2d(64, 64, 2, 2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(1024, 256),
            nn.ReLU(),
        ), 256
    return nn.Sequential(nn.Flatten(), mlp([h * w * c, 256, 256]), nn.ReLU()), 256


class GaussianEncoder(nn.Module):
    """Trunk with two linear heads: images (n, c, h, w) -> mean and log variance, each (n, latents)."""

    def __init__(self, shape: Shape, latents: int) -> None:
        super().__init__()
        self.trunk, width = trunk(shape)
        self.mean, self.logvar = nn.Linear(width, latents), nn.Linear(width, latents)
        glorot(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(x)
        return self.mean(features), self.logvar(features)


def decoder(latents: int, shape: Shape) -> nn.Module:
    """From codes (n, latents) to logits (n, c, h, w): the mirror of `trunk` (381,313 parameters at 64x64x1)."""
    h, w, c = shape
    if (h, w) == (64, 64):
        up = [(64, 64), (64, 32), (32, 32)]
        layers: list[nn.Module] = [mlp([latents, 256, 1024]), nn.ReLU(), nn.Unflatten(1, (64, 4, 4))]
        for n, m in up:
            layers += [nn.ConvTranspose2d(n, m, 4, 2, 1), nn.ReLU()]
        return glorot(nn.Sequential(*layers, nn.ConvTranspose2d(32, c, 4, 2, 1)))
    return glorot(nn.Sequential(mlp([latents, 256, 256, h * w * c]), nn.Unflatten(1, (c, h, w))))


class Gated(nn.Module):
    """A dense layer whose every unit has a gate: (A h + a) * sigmoid(B h + b)."""

    def __init__(self, n: int, m: int) -> None:
        super().__init__()
        self.linear, self.gate = nn.Linear(n, m), nn.Linear(n, m)

    def forward(self, h: Tensor) -> Tensor:
        return self.linear(h) * self.gate(h).sigmoid()


@contextmanager
def frozen_statistics(net: nn.Module) -> Iterator[None]:
    """Inside, batch normalisation in training normalises by the batch and leaves its running statistics alone."""
    layers = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d) and m.track_running_stats]
    for layer in layers:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in layers:
            layer.track_running_stats = True
