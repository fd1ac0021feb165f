"""What a finished run leaves: the codes of a fixed sample of images, facts about the likelihood, and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from ..models._probability import bernoulli_nll
from .precision import computing
from .resident import Resident
from .stream import Stream

BATCH = {"cpu": 64}  # images at once: small batches encode fastest on a CPU
LARGE = 1024  # and large ones anywhere else
STEPS = 8  # of a traversal
P = ParamSpec("P")
R = TypeVar("R")
ACTIVE = 0.01  # nats: a unit whose mean KL is below tells nothing


@dataclass(frozen=True)
class Codes:
    """A run's representation of some images: arrays with a row an image."""

    mean: np.ndarray  # (n, d) float32
    sd: np.ndarray  # (n, d) float32; zero for a code without noise
    blocks: dict[str, int]  # names and widths of the blocks of columns, in order
    clusters: np.ndarray | None = None  # (n,) the model's own assignment, if it has one


def evaluating(function: Callable[P, R]) -> Callable[P, R]:
    """The function of (model, net, data, ...) with net in evaluation mode, in fp32 and without gradients; net's mode is
    as before then."""

    @wraps(function)
    def evaluated(*args: P.args, **kwargs: P.kwargs) -> R:
        net, data = cast(nn.Module, args[1]), cast(Resident, args[2])
        before = net.training
        net.eval()
        try:
            with torch.no_grad(), computing([net], "fp32", data.device):
                return function(*args, **kwargs)
        finally:
            net.train(before)

    return evaluated


@evaluating
def encode(model: Any, net: nn.Module, data: Resident, rows: np.ndarray) -> tuple[Codes, dict[str, float]]:
    """Codes of these rows and the facts of the fit, all from one pass over the images.

    Facts: `reconstruction`, -log p(x | posterior mode) in nats an image; `kl`, the unweighted KL of the posterior to
    the prior in nats an image; `used_units`, how many units have a mean KL above 0.01 nats. A
    model whose codes have no noise has no KL.
    """
    held: dict[str, Tensor] = {}  # one tensor each: many small ones, kept between large buffers, would keep these, too
    done = 0
    for x in _batches(data, rows):
        q = model.q(net, x)
        codes = model.codes(q)
        found = {"mean": codes.mean, "sd": codes.sd, "nll": bernoulli_nll(x, model.decode(net, model.mode(q)))}
        found |= {"rate": model.rate(q), "clusters": model.clusters(q) if hasattr(model, "clusters") else None}
        for name, part in found.items():
            if part is not None and name not in held:
                held[name] = part.new_empty((len(rows), *part.shape[1:]))
            if part is not None:
                held[name][done : done + len(x)] = part
        done += len(x)
    facts = {"reconstruction": held["nll"].cpu().double().mean().item()}
    if "rate" in held:
        rate = held["rate"].cpu().double().mean(0)
        facts |= {"kl": rate.sum().item(), "used_units": float((rate > ACTIVE).sum())}
    own = held["clusters"].cpu().numpy() if "clusters" in held else None
    return Codes(_numpy(held["mean"]), _numpy(held["sd"]), model.blocks(net), own), facts


@evaluating
def pictures(model: Any, net: nn.Module, data: Resident, codes: Codes, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Arrays for the report, of images `rows`: inputs, reconstructions, canonical images if there are any, traversals.

    A traversal decodes the first image's code with one unit moved over the range that it takes in the data (2nd
    to 98th percentile). Images are uint8, (..., h, w, c).
    """
    x = data.at(torch.from_numpy(rows).to(data.device))
    z = model.mode(model.q(net, x))
    shown = {
        "inputs": _bytes(x),
        "reconstructions": _bytes(model.decode(net, z).sigmoid()),
    }
    if hasattr(model, "canonical"):
        shown["canonical"] = _bytes(model.canonical(net, z).sigmoid())
    units, steps = min(codes.mean.shape[1], z.shape[1]), STEPS  # what is decoded may be less than the code, or more
    low, high = np.quantile(codes.mean[:, :units], [0.02, 0.98], axis=0)
    values = np.linspace(low, high, steps, axis=1).astype(np.float32)  # (units, steps)
    moved = z[:1].repeat(units * steps, 1).view(units, steps, -1)
    moved[range(units), :, range(units)] = torch.from_numpy(values).to(moved)
    frames = _bytes(model.decode(net, moved.flatten(0, 1)).sigmoid())
    names = [f"{block}{i}" for block, width in codes.blocks.items() for i in range(1, width + 1)]
    return {
        **shown,
        "traversals": frames.reshape(units, steps, *frames.shape[1:]),
        "traversal_names": np.array(names[:units]),
        "traversal_values": values,
    }


@evaluating
def findings(
    model: Any, net: nn.Module, data: Resident, codes: Codes, rows: np.ndarray, seed: int
) -> tuple[dict[str, tuple[float, str]], dict[str, np.ndarray]]:
    """What the model itself has to show of these rows: facts with their conventions, and arrays for the report."""
    if not hasattr(model, "findings"):
        return {}, {}
    found = model.findings(net, data, rows, codes, Stream(seed, "findings", data.device, data.dtype))
    return found.facts, found.arrays()


def _batches(data: Resident, rows: np.ndarray) -> Iterator[Tensor]:
    for part in torch.from_numpy(rows).to(data.device).split(BATCH.get(data.device.type, LARGE)):
        yield data.at(part)


def _numpy(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()


def _bytes(images: Tensor) -> np.ndarray:
    return (images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
