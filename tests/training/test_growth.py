"""Training leaves nothing behind: what thousands of steps take of memory, they give back."""

import subprocess
import sys
from pathlib import Path

import pytest

BOUND = 4 * 2**20  # bytes: the batches of 2,000 steps are 16 MB
SCRIPT = """
import gc, os, torch
from pathlib import Path
from disentangle_bench.datasets import load
from disentangle_bench.models.vae import VAE
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack

torch.set_num_threads(1)
stack = Stack([(VAE(latents=2), 0)], Resident(load("toy"), torch.device("cpu")), batch=8)
for t in range(100, 3001, 100):
    stack.advance(t)
    if t in (1000, 3000):
        gc.collect()
        held = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        print(held, sum(issubclass(type(x), torch.Tensor) for x in gc.get_objects()))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell what is in memory")
def test_many_tiny_steps_leave_no_memory_taken():
    """In a process of its own, whose memory nobody else takes."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    (held, known), (later, now) = (map(int, line.split()) for line in done.stdout.splitlines())
    assert now == known
    assert later - held < BOUND
