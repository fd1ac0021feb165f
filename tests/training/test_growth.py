"""Training leaves nothing behind: what thousands of steps take of memory, they give back."""

import gc
import os
from pathlib import Path

import pytest
import torch

from disentangle_bench.datasets import load
from disentangle_bench.models.vae import VAE
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack

STATM = Path("/proc/self/statm")
BOUND = 4 * 2**20  # bytes: the batches of 2,000 steps are 16 MB


def tensors() -> int:
    return sum(issubclass(type(held), torch.Tensor) for held in gc.get_objects())


@pytest.fixture
def one_thread():
    """Threads of tiny operations wait for each other, for minutes on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.skipif(not STATM.exists(), reason="the system does not tell what is in memory")
def test_many_tiny_steps_leave_no_memory_taken(one_thread):
    stack = Stack([(VAE(latents=2), 0)], Resident(load("toy"), torch.device("cpu")), batch=8)

    def after(t: int) -> tuple[int, int]:
        for end in range(stack.members[0].t + 100, t + 1, 100):
            stack.advance(end)
        gc.collect()
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"), tensors()

    (held, known), (later, now) = after(1000), after(3000)
    assert now == known
    assert later - held < BOUND
