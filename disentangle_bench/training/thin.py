"""Upconvolutions to few channels, as the last layer of a decoder of images, on a CPU: a product and a sum of shifted
parts. Libraries take several times as long forward, since they are made for many channels; backward they are quick."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import fold

FEW = 4  # channels


def layers(net: nn.Module) -> list[nn.ConvTranspose2d]:
    """Those of a network that `upconvolution` can stand for."""
    found = [layer for layer in net.modules() if isinstance(layer, nn.ConvTranspose2d) and layer.out_channels <= FEW]
    return [
        m for m in found if m.groups == 1 and m.bias is not None and not any((*m.output_padding, m.dilation[0] - 1))
    ]


def forward(layer: nn.ConvTranspose2d) -> Any:
    """What stands for the layer's forward pass."""
    return partial(_layer, layer)


def _layer(layer: nn.ConvTranspose2d, x: Tensor) -> Tensor:
    return upconvolution(x, layer.weight, layer.bias, layer.stride, layer.padding)  # type: ignore[arg-type]


def upconvolution(x: Tensor, w: Tensor, b: Tensor, stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
    """conv_transpose2d of images (n, i, h, w) with weights (i, o, k, l) and a bias (o,)."""
    return _Upconvolution.apply(x, w, b, stride, padding)  # type: ignore[return-value]


def transposed(x: Tensor, w: Tensor, b: Tensor | None, stride: Any, padding: Any, *_: Any) -> Tensor:
    """The same as operations that autograd knows."""
    kernel, columns = w.shape[2:], w.flatten(1).transpose(0, 1) @ x.flatten(2)  # (n, o k l, places)
    h, wide = ((x.shape[2 + a] - 1) * stride[a] - 2 * padding[a] + kernel[a] for a in (0, 1))
    y = fold(columns, (h, wide), tuple(kernel), padding=padding, stride=stride)
    return y if b is None else y + b[:, None, None]


class _Upconvolution(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, w: Tensor, b: Tensor, stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
        return transposed(x, w, b, stride, padding)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        x, w, _, ctx.stride, ctx.padding = inputs
        ctx.save_for_backward(x, w)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # type: ignore[override]
        x, w = ctx.saved_tensors
        places = list(ctx.stride), list(ctx.padding), [1, 1]
        wanted = ctx.needs_input_grad[:3]
        found = torch.ops.aten.convolution_backward(
            grad.contiguous(), x, w, [w.shape[1]], *places, True, [0, 0], 1, wanted
        )
        return *found, None, None
