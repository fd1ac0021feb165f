"""MCE-VAE's own networks at 28x28, batch normalisation included, keep the contract too."""

import dataclasses

import numpy as np
import pytest
import torch

from disentangle_bench import contract
from disentangle_bench.datasets import load
from disentangle_bench.models.mcevae import MCEVAE
from disentangle_bench.training import evaluate
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack
from disentangle_bench.training.stream import Stream

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data():
    toy = load("toy")
    pixels = np.pad(toy.take(np.arange(len(toy))), ((0, 0), (6, 6), (6, 6), (0, 0)))
    return Resident(dataclasses.replace(toy, pixels=pixels, packed=False), CPU)


@pytest.mark.parametrize(
    "check",
    [
        contract.codes_fit_their_blocks,
        contract.same_seed_same_bits,
        contract.stacked_equals_alone,
        contract.resumed_equals_uninterrupted,
        contract.terms_are_finite_scalars,
        contract.loss_falls,
    ],
    ids=lambda check: check.__name__,
)
def test_contract(check, data, monkeypatch):
    monkeypatch.setattr(contract, "_resident", lambda: data)
    check(MCEVAE)


def test_a_step_counts_once_in_the_statistics(data):
    member = Stack([(MCEVAE(R=3), 0)], data, 16).members[0]
    member.model.loss(member.net, **member.model.draw(data, 16, 0, Stream(0, "draws", CPU)))
    tracked = [m.num_batches_tracked.item() for m in member.net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert tracked == [1, 1, 1]


def test_an_identity_transform_costs_no_invariance_of_codes(data):
    """Both branches normalise by their batch, so that only a transform can set them apart."""
    model = MCEVAE(classes=1)
    member = Stack([(model, 0)], data, 16).members[0]
    draws = model.draw(data, 16, 0, Stream(0, "draws", CPU))
    draws["target"] = torch.zeros(1, 16, 3)
    loss = model.loss(member.net, **draws)["invariance"]
    q_c, q_z, _ = model.q(member.net, draws["x"])
    p = model.canonicals(member.net, q_c, q_z, draws["eps_c"], draws["eps_z"])[:, 0].sigmoid()
    entropy = torch.distributions.Bernoulli(p).entropy().sum((1, 2, 3)).mean()
    torch.testing.assert_close(loss, entropy, rtol=1e-4, atol=0)


def test_codes_do_not_depend_on_the_company_of_a_batch(data):
    member = Stack([(MCEVAE(), 0)], data, 16).members[0]
    alone, _ = evaluate.encode(member.model, member.net, data, np.arange(3))
    among, _ = evaluate.encode(member.model, member.net, data, np.arange(60))
    np.testing.assert_allclose(alone.mean, among.mean[:3], atol=1e-5)
