"""The optimiser is torch's, bit for bit; a process that trains does not wait for torch's compiler."""

import subprocess
import sys

import torch

from disentangle_bench.training.steps import adam

CPU = torch.device("cpu")
SETTINGS = {"lr": 1e-2, "betas": (0.8, 0.99), "weight_decay": 0.1}


def moved(make):
    """Parameters after three steps, the last from a state that was put back."""
    parameters = [torch.linspace(-1, 1, 5, requires_grad=True), torch.full((2, 3), 0.5, requires_grad=True)]
    optimiser = make(parameters)
    for step in range(3):
        optimiser.zero_grad()
        sum((p**2 * (1 + step)).sum() for p in parameters).backward()
        if step == 2:
            state = optimiser.state_dict()
            optimiser = make(parameters)
            optimiser.load_state_dict(state)
        optimiser.step()
        assert all(not state["exp_avg"].requires_grad for state in optimiser.state.values())
    return parameters


def test_steps_are_torch_s_bit_for_bit():
    own = moved(lambda parameters: adam(parameters, SETTINGS, CPU))
    theirs = moved(lambda parameters: torch.optim.Adam(parameters, fused=True, **SETTINGS))
    assert all(torch.equal(a, b) for a, b in zip(own, theirs, strict=True))


def test_training_does_not_import_torch_s_compiler():
    script = """
import sys, torch
from disentangle_bench.datasets import load
from disentangle_bench.models.factorvae import FactorVAE
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack
stack = Stack([(FactorVAE(), 0)], Resident(load("toy"), torch.device("cpu")), batch=8)
stack.advance(1)
for optimiser in stack.members[0].optimisers.values():
    optimiser.load_state_dict(optimiser.state_dict())  # as a run that goes on does
stack.advance(2)
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
