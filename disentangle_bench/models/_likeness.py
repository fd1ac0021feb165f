"""How far apart two images look: differences of pixels and of structure, or of what a trained network sees.

The second needs VGG-16's published weights (Simonyan & Zisserman 2015; `vgg16-397923af.pth`, as torchvision keeps it)
in BENCH_DATA or in the folder of torch's own downloads. Nothing is downloaded.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import torch
from pooch import file_hash
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, max_pool2d

FILE, HASH = "vgg16-397923af.pth", "397923af"  # the name has the start of the file's sha256
BLOCKS = (64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)  # channels of convolutions
SEEN = {(0, 1), (1, 1), (2, 1), (3, 2), (4, 3)}  # block and convolution compared; the last is the block's pooled end
LEAST = 32  # pixels of an image's side; smaller ones are enlarged a whole number of times
WINDOW = 7  # pixels


def l1_ssim(x: Tensor, logits: Tensor) -> Tensor:
    """Mean absolute difference and half of 1 - SSIM, (n,), of images x and their probabilities.

    SSIM is the mean over all windows of 7x7 pixels (Wang et al. 2004), unweighted, for values in [0, 1].
    """
    y = logits.sigmoid()
    side = min(WINDOW, *x.shape[2:])

    def mean(a: Tensor) -> Tensor:
        return avg_pool2d(a, side, 1)

    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    ssim = (2 * mx * my + 1e-4) * (2 * cov + 9e-4) / ((mx * mx + my * my + 1e-4) * (vx + vy + 9e-4))
    return (x - y).abs().flatten(1).mean(1) + (1 - ssim).flatten(1).mean(1) / 2


def vgg(x: Tensor, logits: Tensor) -> Tensor:
    """Mean absolute difference of pixels, and of what five layers of VGG-16 see, added up, (n,)."""
    y = logits.sigmoid()
    pairs = [(x, y), *zip(seen(x), seen(y))]
    return torch.stack([(a - b).abs().flatten(1).mean(1) for a, b in pairs]).sum(0)


LIKENESS = {"l1_ssim": l1_ssim, "vgg": vgg}


def seen(x: Tensor) -> list[Tensor]:
    """What VGG-16's layers make of images (n, 1 or 3, h, w) in [0, 1]."""
    mean, sd = x.new_tensor([0.485, 0.456, 0.406]), x.new_tensor([0.229, 0.224, 0.225])
    larger = -(-LEAST // min(x.shape[2:]))
    x = x.repeat_interleave(larger, 2).repeat_interleave(larger, 3)
    h = (x.expand(-1, 3, -1, -1) - mean[:, None, None]) / sd[:, None, None]
    weights, found = iter(_weights(x.device, x.dtype)), []
    for i, block in enumerate(BLOCKS):
        for j in range(len(block)):
            h = conv2d(h, next(weights), next(weights), (1, 1), (1, 1)).relu()
            if (i, j) in SEEN:
                found.append(h)
        h = max_pool2d(h, 2)
        if (i, len(block)) in SEEN:
            found.append(h)
    return found


def weights_file() -> Path | None:
    """Where VGG-16's weights lie; None if nowhere."""
    folders = [Path(os.environ["BENCH_DATA"])] if os.environ.get("BENCH_DATA") else []
    folders.append(Path(torch.hub.get_dir()) / "checkpoints")
    return next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)


@cache
def _weights(device: torch.device, dtype: torch.dtype) -> list[Tensor]:
    """Weights and biases in turn. Raises ValueError where there is no such file, or another one of its name."""
    if (path := weights_file()) is None:
        raise ValueError(f"no {FILE} in BENCH_DATA or {torch.hub.get_dir()}/checkpoints")
    if not (digest := file_hash(path)).startswith(HASH):
        raise ValueError(f"{path}: sha256 is {digest}, expected {HASH}...")
    held: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    names = sorted((name for name in held if name.startswith("features.")), key=lambda name: int(name.split(".")[1]))
    layers = dict.fromkeys(name.rpartition(".")[0] for name in names)
    return [held[f"{layer}.{part}"].to(dtype) for layer in layers for part in ("weight", "bias")]
