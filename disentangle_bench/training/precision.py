"""In which numbers networks compute: fp32, tf32 (CUDA's matrix units on rounded inputs) or bf16 (half the bits)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from .. import catalog
from . import thin

PRECISIONS = ("fp32", "tf32", "bf16")


def require(name: str, device: torch.device) -> None:
    """See that a device computes in this precision.

    Raises
    ------
    ValueError
        Unknown precision, or the device has none of it.
    """
    catalog.choose("--precision", name, list(PRECISIONS))
    has = {
        "fp32": True,
        "tf32": device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0),
        "bf16": _has_bf16(device),
    }
    if not has[name]:
        raise ValueError(f"--precision: {device} has no {name}; it has {', '.join(k for k in has if has[k])}")


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


@contextmanager
def computing(nets: Iterable[nn.Module], name: str, device: torch.device) -> Iterator[None]:
    """Inside, these networks compute in a precision. Weights, losses and the optimiser stay as they are.

    With bf16 a network's outputs are turned back before a loss sees them: KL, covariances and sums over pixels do not
    lose digits. On a CPU numbers below 1e-38 are taken as zero: Adam's moments of idle weights end there, and such
    numbers cost a processor so much that the 100,000th step took half as long again as the first.
    """
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if name == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = name == "tf32"
    patched: dict[nn.Module, Callable[..., Any]] = {}
    if name == "bf16":
        patched = {part: _in_bf16(part.forward, device.type) for net in nets for part in _callable(net)}
    elif device.type == "cpu":
        patched = {layer: thin.forward(layer) for net in nets for layer in thin.layers(net)}
    flushed = device.type == "cpu" and torch.set_flush_denormal(True)
    own = {part: part.__dict__.get("forward") for part in patched}  # of an outer use of this
    for part, forward in patched.items():
        part.forward = forward
    try:
        yield
    finally:
        if flushed:
            torch.set_flush_denormal(False)
        for part, forward in own.items():
            del part.forward
            if forward is not None:
                part.forward = forward
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


def _callable(net: nn.Module) -> list[nn.Module]:
    """The networks that a loss may call: a container's members, however deep."""
    if not isinstance(net, nn.ModuleDict | nn.ModuleList):
        return [net]
    return [part for member in net.children() for part in _callable(member)]


def _in_bf16(forward: Callable[..., Any], kind: str) -> Callable[..., Any]:
    def rounded(x: Tensor) -> Any:
        with torch.autocast(kind, torch.bfloat16, cache_enabled=False):
            return tree_map_only(Tensor, lambda y: y.to(x.dtype), forward(x))

    return rounded
