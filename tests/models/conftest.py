"""The toy set in double precision, and a model with networks and one step's draws on it."""

import pytest
import torch

from disentangle_bench.datasets import load
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import networks
from disentangle_bench.training.stream import Stream

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def data():
    return Resident(load("toy"), CPU, torch.float64)


@pytest.fixture(scope="session")
def setting():
    def made(model, data, n=16):
        return networks(model, 0, data), model.draw(data, n, 0, Stream(1, "draws", CPU, torch.float64))

    return made
