"""What a run needs of a device's memory, what is free, and how the C library is told to keep it."""

from __future__ import annotations

import ctypes
import math
import os
import sys
from typing import Any

import torch
from torch import Tensor

from ..datasets import FactoredData
from .resident import Resident
from .stack import networks
from .steps import by_player
from .stream import Stream

KEPT = ((-4, 0), (-1, 2**31 - 1), (-2, 64 * 2**20))  # glibc's M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD


def keep_pages() -> None:
    """Let glibc keep freed memory: the same large buffers are freed and taken again each step, and page faults cost
    more than a quarter of a CPU step otherwise. Nothing happens with other C libraries."""
    if (mallopt := _libc("mallopt")) is not None:
        for option, value in KEPT:
            mallopt(option, value)


def release_pages() -> None:
    """Give memory that is kept and not used back to the system: what comes next needs other sizes."""
    if (trim := _libc("malloc_trim")) is not None:
        trim(0)


def _libc(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None


def footprint(model: Any, data: FactoredData, batch: int) -> int:
    """Bytes that one member of a stack needs: weights and Adam's two moments, its own and stacked, gradients, and twice
    what a step keeps for its gradients, since these take as much again on the way."""
    cpu = torch.device("cpu")
    few = Resident(data, cpu)
    net = networks(model, 0, few)
    kept: dict[int, int] = {}

    def note(x: Tensor) -> Tensor:
        kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(note, lambda x: x):
        by_player(model, model.loss(net, **model.draw(few, batch, torch.zeros(()), Stream(0, "footprint", cpu))))
    for own in (*net.parameters(), *([] if few.pixels is None else [few.pixels])):
        kept.pop(own.untyped_storage().data_ptr(), None)
    return 28 * sum(p.numel() for p in net.parameters()) + 2 * sum(kept.values())


def free(device: torch.device) -> int:
    """Bytes that are free on a device, or for this program where it is the CPU."""
    if device.type == "cuda":
        idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + idle
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def capacity(model: Any, data: FactoredData, batch: int, device: torch.device) -> int:
    """How many members like this one fit in a device's free memory beside the data; 1 at least.

    A tenth is left to what libraries take for themselves.
    """
    images = 0 if device.type == "cpu" else math.prod(data.pixels.shape)
    return max(1, int((0.9 * free(device) - images) / footprint(model, data, batch)))
