"""The encoder and decoder pairs of the literature. Weights start as TensorFlow's do: Glorot uniform, zero biases."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from torch import Tensor, nn

Shape = tuple[int, int, int]  # height, width, channels
ReLU = partial(nn.ReLU, inplace=True)  # nobody else reads what it rectifies


@dataclass(frozen=True)
class Network:
    """A trunk (images (n, c, h, w) -> features, and their width) and a decoder (codes -> logits (n, c, h, w))."""

    trunk: Callable[[Shape], tuple[nn.Module, int]]
    decoder: Callable[[int, Shape], nn.Module]
    size: tuple[int, int] | None = None  # of the images that it takes; None for any


def choose(name: str, shape: Shape, own: Mapping[tuple[int, int], str]) -> str:
    """The network for images of this shape: `name`, or for "auto" the model's own at that size, `locatello` at 64x64,
    and `dense` elsewhere. (MCE-VAE's own decoder goes with them all, unless another network is asked for by name.)

    Raises
    ------
    ValueError
        It takes images of another size.
    """
    size = shape[:2]
    if name == "auto":
        return {(64, 64): "locatello", **own}.get(size, "dense")
    if (wanted := NETWORKS[name].size) and wanted != size:
        fitting = ", ".join(n for n, network in NETWORKS.items() if network.size in (None, size))
        raise ValueError(
            f"network: {name} takes images of {wanted[0]}x{wanted[1]}, got {size[0]}x{size[1]}; for these: {fitting}"
        )
    return name


def glorot(net: nn.Module) -> nn.Module:
    """Every weight of a linear or convolution layer drawn Glorot-uniform, every bias zero; returns the net."""
    for layer in net.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return net


def mlp(widths: list[int], unit: Callable[[], nn.Module] = ReLU) -> nn.Sequential:
    """Linear layers of these widths, a unit between each two."""
    layers: list[nn.Module] = []
    for n, m in pairwise(widths):
        layers += [nn.Linear(n, m), unit()]
    return nn.Sequential(*layers[:-1])


class GaussianEncoder(nn.Module):
    """Trunk with two linear heads: images (n, c, h, w) -> mean and log variance, each (n, latents)."""

    def __init__(self, network: str, shape: Shape, latents: int) -> None:
        super().__init__()
        self.trunk, width = NETWORKS[network].trunk(shape)
        self.mean, self.logvar = nn.Linear(width, latents), nn.Linear(width, latents)
        glorot(self)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(x)
        return self.mean(features), self.logvar(features)


def convolutions(layers: list[tuple[int, int]], dense: list[int]) -> Callable[[Shape], tuple[nn.Module, int]]:
    """Trunk of convolutions (channels, kernel) of stride 2, then dense layers of these widths, the first flattened."""

    def trunk(shape: Shape) -> tuple[nn.Module, int]:
        before, built = shape[2], []
        for channels, kernel in layers:
            built += [nn.Conv2d(before, channels, kernel, 2, kernel // 2 - 1), ReLU()]
            before = channels
        return nn.Sequential(*built, nn.Flatten(), mlp(dense), ReLU()), dense[-1]

    return trunk


def upconvolutions(dense: list[int], channels: list[int]) -> Callable[[int, Shape], nn.Module]:
    """Decoder of dense layers of these widths, then 4x4 transposed convolutions of stride 2 from 4x4 upwards."""

    def decoder(latents: int, shape: Shape) -> nn.Module:
        built = [mlp([latents, *dense]), ReLU(), nn.Unflatten(1, (channels[0], 4, 4))]
        for n, m in pairwise(channels):
            built += [nn.ConvTranspose2d(n, m, 4, 2, 1), ReLU()]
        return glorot(nn.Sequential(*built, nn.ConvTranspose2d(channels[-1], shape[2], 4, 2, 1)))

    return decoder


def flat(*widths: int) -> Callable[[Shape], tuple[nn.Module, int]]:
    """Trunk of dense layers of these widths."""

    def trunk(shape: Shape) -> tuple[nn.Module, int]:
        h, w, c = shape
        return nn.Sequential(nn.Flatten(), mlp([h * w * c, *widths]), ReLU()), widths[-1]

    return trunk


def unflat(*widths: int, unit: Callable[[], nn.Module] = ReLU) -> Callable[[int, Shape], nn.Module]:
    """Decoder of dense layers of these widths."""

    def decoder(latents: int, shape: Shape) -> nn.Module:
        h, w, c = shape
        return glorot(nn.Sequential(mlp([latents, *widths, h * w * c], unit), nn.Unflatten(1, (c, h, w))))

    return decoder


def mcevae_trunk(shape: Shape) -> tuple[nn.Module, int]:
    """The convolutions of MCE-VAE's code: 28x28 images -> 784 features."""
    built: list[nn.Module] = []
    for n, m, kernel, stride, padding in [(shape[2], 32, 5, 1, 2), (32, 32, 4, 2, 1), (32, 64, 3, 2, 1)]:
        built += [nn.Conv2d(n, m, kernel, stride, padding, bias=False), nn.BatchNorm2d(m), nn.ELU()]
    return nn.Sequential(*built, nn.Conv2d(64, 16, 5, 1, 2), nn.Flatten()), 784


def gated(latents: int, shape: Shape) -> nn.Module:
    """The decoder of MCE-VAE's code: two gated dense layers of 300 and a linear one."""
    h, w, c = shape
    layers = [Gated(latents, 300), Gated(300, 300), nn.Linear(300, h * w * c), nn.Unflatten(1, (c, h, w))]
    return glorot(nn.Sequential(*layers))


class Gated(nn.Module):
    """A dense layer whose every unit has a gate: (A h + a) * sigmoid(B h + b)."""

    def __init__(self, n: int, m: int) -> None:
        super().__init__()
        self.linear, self.gate = nn.Linear(n, m), nn.Linear(n, m)

    def forward(self, h: Tensor) -> Tensor:
        return self.linear(h) * self.gate(h).sigmoid()


def halvings(shape: Shape) -> int:
    """How often both sides of an image can be halved, to no less than four pixels."""
    h, w, _ = shape
    return 0 if h % 2 or w % 2 or min(h, w) < 8 else 1 + halvings((h // 2, w // 2, 1))


def gan_trunk(shape: Shape) -> tuple[nn.Module, int]:
    """Up to four 4x4 convolutions of stride 2, as far as the image can be halved, then 128 units; leaky, slope 0.2."""
    channels = [shape[2], 32, 32, 64, 64][: halvings(shape) + 1]
    built: list[nn.Module] = []
    for n, m in pairwise(channels):
        built += [nn.Conv2d(n, m, 4, 2, 1), nn.LeakyReLU(0.2)]
    places = math.prod(shape[:2]) // 4 ** (len(channels) - 1)
    return nn.Sequential(*built, nn.Flatten(), nn.Linear(channels[-1] * places, 128), nn.LeakyReLU(0.2)), 128


def generator(latents: int, shape: Shape) -> nn.Module:
    """128 units, then as many 4x4 transposed convolutions of stride 2 as `gan_trunk` has; batch norm, ReLU.

    Layers before a batch norm have no bias, which it would take away.
    """
    (h, w, c), k = shape, halvings(shape)
    channels = [*[64, 64, 32, 32][:k], c]
    start = channels[0] * (h >> k) * (w >> k)
    built: list[nn.Module] = [nn.Linear(latents, 128, bias=False), nn.BatchNorm1d(128), ReLU()]
    built += [nn.Linear(128, start, bias=k == 0), nn.Unflatten(1, (channels[0], h >> k, w >> k))]
    for i, (n, m) in enumerate(pairwise(channels), 1):
        built += [nn.BatchNorm2d(n), ReLU(), nn.ConvTranspose2d(n, m, 4, 2, 1, bias=i == k)]
    return glorot(nn.Sequential(*built))


_UP = upconvolutions([256, 1024], [64, 64, 32, 32])

# Encoder with two heads of ten, decoder of ten units, one channel, 64x64: parameters
NETWORKS = {
    # Locatello et al. 2019 as in the code that its results came from: 309,204, 381,313
    "locatello": Network(convolutions([(32, 4), (32, 4), (64, 2), (64, 2)], [1024, 256]), _UP, (64, 64)),
    # the same as printed in its table 2: 382,932, 381,313
    "locatello_paper": Network(convolutions([(32, 4), (32, 4), (64, 4), (64, 4)], [1024, 256]), _UP, (64, 64)),
    # Burgess et al. 2018, appendix: 252,052, 249,953
    "burgess": Network(
        convolutions([(32, 4)] * 4, [512, 256, 256]), upconvolutions([256, 256, 512], [32] * 4), (64, 64)
    ),
    # Higgins et al. 2017 and Chen et al. 2018 on dSprites: 6,381,620, 7,814,896
    "higgins": Network(flat(1200, 1200), unflat(1200, 1200, 1200, unit=nn.Tanh)),
    # Bajaj, Roy & Zhang 2021
    "mcevae": Network(mcevae_trunk, gated, (28, 28)),
    # Lelarge & Pineau 2018
    "infocatvae": Network(flat(400), unflat(400)),
    # Lin et al. 2020, for InfoGAN and InfoGAN-CR; batch norm in the generator
    "infogan": Network(gan_trunk, generator),
    # the suite's own, where the literature has none
    "dense": Network(flat(256, 256), unflat(256, 256)),
}


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
