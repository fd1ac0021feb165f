"""The random numbers of one run, drawn on its device: each run has its own stream, whatever its company."""

from __future__ import annotations

import torch
from torch import Tensor

from .. import rng


class Stream:
    """Draws of one purpose of one seed; its state is a tensor that can be saved and set."""

    def __init__(self, seed: int, purpose: str, device: torch.device, dtype: torch.dtype = torch.float32) -> None:
        self.seed, self.device, self.dtype = seed, device, dtype
        self.generator = torch.Generator(device)
        self.generator.manual_seed(rng.key(seed, purpose))

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers."""
        return torch.randn(shape, generator=self.generator, device=self.device, dtype=self.dtype)

    def uniform(self, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1)."""
        return torch.rand(shape, generator=self.generator, device=self.device, dtype=self.dtype)

    def integers(self, high: int, *shape: int) -> Tensor:
        """Uniform integers in 0 .. high - 1."""
        return torch.randint(high, shape, generator=self.generator, device=self.device)

    @property
    def state(self) -> Tensor:
        return self.generator.get_state()

    @state.setter
    def state(self, value: Tensor) -> None:
        self.generator.set_state(value)
