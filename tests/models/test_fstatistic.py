"""The F-statistic loss against scipy and its own equation."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from reached import moves
from scipy import stats
from torch.testing import assert_close

from disentangle_bench.models._probability import bernoulli_nll
from disentangle_bench.models.fstatistic import FStatistic, log_less, statistic
from disentangle_bench.training.stream import Stream


def drawn(*shape, seed=0):
    return Stream(seed, "draws", torch.device("cpu"), torch.float64).normal(*shape)


@pytest.mark.parametrize("m", [2, 3, 8, 20])
def test_f_and_its_probability_are_scipys(m):
    z = drawn(6, 2, m, 4) + torch.tensor([0.0, 4.0])[:, None, None] * torch.tensor([0.0, 0.1, 0.4, 1.0])
    between, within = statistic(z)
    f = np.array([[stats.f_oneway(*z[i, :, :, j].numpy()).statistic for j in range(4)] for i in range(6)])
    np.testing.assert_allclose((between / within).numpy(), f)
    p = log_less(between, within, 2 * m - 2).exp().numpy()
    np.testing.assert_allclose(p, stats.f.cdf(f, 1, 2 * m - 2), rtol=1e-12)


def embedded(z, m, d):
    """The loss of embeddings z (pairs, 2, m, units), and networks that have them."""
    net = SimpleNamespace(encoder=lambda x: z.flatten(0, 2), decoder=lambda z: z[:, :1, None, None])
    model = FStatistic(latents=z.shape[3], d=d, m=m)
    return model.loss(net, torch.zeros(len(z) * 2 * m, 1, 1, 1, dtype=torch.float64))["embedding"]["separation"]


def test_the_d_units_that_tell_two_sets_apart_best_are_asked_to_and_no_other():
    z = drawn(3, 2, 5, 6).requires_grad_()
    between, within = statistic(z.detach())
    p = stats.f.cdf((between / within).numpy(), 1, 8)
    loss = embedded(z, 5, 2)
    assert loss.item() == pytest.approx(-np.log(np.sort(p, 1)[:, -2:]).sum(1).mean())
    (pull,) = torch.autograd.grad(loss, z)
    best = p >= np.sort(p, 1)[:, -2:-1]
    np.testing.assert_array_equal((pull != 0).any(2).any(1).numpy(), best)
    assert embedded((z - 1e-3 * pull).detach(), 5, 2) < loss
    for other in (z + 3, -2.5 * z, z * torch.tensor([1.0, 2.0, 3.0, 0.1, 9.0, 1.0])):
        assert_close(embedded(other, 5, 2), loss)


def test_gradients_are_finite_for_equal_sets_and_for_sets_without_spread():
    for z in (drawn(2, 1, 4, 3).repeat(1, 2, 1, 1), torch.arange(2.0)[:, None, None].expand(3, 2, 4, 3).clone()):
        z.requires_grad_()
        loss = embedded(z, 4, 3)
        assert loss.isfinite() and torch.autograd.grad(loss, z)[0].isfinite().all()


def test_the_reader_never_moves_the_encoder_and_the_sets_are_the_datas(data, setting):
    model = FStatistic(m=4)
    net, draws = setting(model, data, n=35)
    terms = model.loss(net, **draws)
    assert moves(terms["embedding"]["separation"], net) == {"encoder"}
    assert moves(terms["reader"]["reconstruction"], net) == {"decoder"}
    assert_close(
        terms["reader"]["reconstruction"], bernoulli_nll(draws["x"], net.decoder(net.encoder(draws["x"]))).mean()
    )
    seen = SimpleNamespace(at=lambda rows: rows, contrasts=data.contrasts)
    rows = model.draw(seen, 35, 0, Stream(0, "draws", torch.device("cpu")))["x"]
    values = data.data.factors[rows.view(4, 2, 4)]
    assert ((values == values[:, :, :1]).all((1, 2)) & (values[:, 0, 0] != values[:, 1, 0])).any(1).all()
