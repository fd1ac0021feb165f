"""HFS, QLAE and Tripod against numpy, scipy and their own equations."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from reached import moves
from scipy import stats
from torch import nn
from torch.testing import assert_close

from disentangle_bench.metrics.factorised_support import factorised_support
from disentangle_bench.models._probability import bernoulli_nll
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.hfs import HFS, hausdorff
from disentangle_bench.models.qlae import QLAE, Codebook
from disentangle_bench.models.tripod import Tripod, hidden, multiinformation
from disentangle_bench.training.stack import Stack
from disentangle_bench.training.stream import Stream

PIXELS = 256  # of the toy set


def drawn(*shape, seed=0):
    return Stream(seed, "draws", torch.device("cpu"), torch.float64).normal(*shape)


def brute_force(z):
    """H as it is written: over all pairs of units, of points for each unit, and of points that they could be."""
    return sum(
        torch.stack([((torch.stack([a, b]) - z[:, [i, j]]) ** 2).sum(1).min() for a in z[:, i] for b in z[:, j]]).max()
        for i, j in itertools.combinations(range(z.shape[1]), 2)
    )


def test_every_combination_of_a_grid_occurs_and_of_two_opposite_points_one_is_its_side_squared_away():
    grid = torch.cartesian_prod(torch.arange(3.0), torch.tensor([0.0, 5.0]), torch.arange(4.0))
    assert hausdorff(grid).item() == 0
    for side in (1.0, 3.0):
        assert hausdorff(torch.tensor([[0.0, 0.0], [side, side]])).item() == side**2
    assert hausdorff(torch.tensor([[0.0] * 3, [1.0] * 3])).item() == 3  # pairs of units
    assert hausdorff(drawn(9, 1)).item() == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_distance_and_its_gradient_are_those_of_all_points_written_out(seed):
    z = drawn(9, 4, seed=seed).requires_grad_()
    ours, whole = hausdorff(z), brute_force(z)
    assert_close(ours, whole)
    assert_close(torch.autograd.grad(ours, z), torch.autograd.grad(whole, z))
    pair = z.detach()[:, :2] / z.detach()[:, :2].std(0, correction=0)
    assert hausdorff(pair).sqrt().item() == pytest.approx(factorised_support(pair.numpy()))


def test_units_are_to_have_their_scale_over_the_batch():
    """Not over the units of an image, as in the authors' code, where a constant code costs nothing."""
    mean = torch.tensor([[-3.0, 0.0, 3.0]], dtype=torch.float64).repeat(4, 1)
    net = SimpleNamespace(encoder=lambda x: (mean, 0 * mean), decoder=lambda z: torch.zeros(4, 1, 1, 1))
    x = torch.zeros(4, 1, 1, 1)
    constant = HFS(delta=2.0, latents=3).loss(net, x, 0 * mean)["scale"]
    assert constant.item() == pytest.approx(2 * 3 * (1 - 1e-3))
    mean = torch.tensor([[-2.0, 0.5, 0.0], [2.0, -0.5, 0.0]] * 2, dtype=torch.float64)
    assert HFS(delta=2.0).loss(net, x, 0 * mean)["scale"].item() == pytest.approx(2 * (0.5 + 1), rel=2e-3)


def test_without_its_weights_hfs_is_the_beta_vae(data, setting):
    net, draws = setting(HFS(), data)
    terms = HFS(gamma=0.0, delta=0.0, beta=3.0).loss(net, **draws)
    assert terms.pop("factorised_support") == terms.pop("scale") == 0
    assert_close(terms, BetaVAE(beta=3.0).loss(net, **draws))
    assert_close(HFS(gamma=7.0).loss(net, **draws)["factorised_support"], 7 * hausdorff(net.encoder(draws["x"])[0]))


def test_a_code_becomes_the_nearest_value_of_its_own_unit():
    book = Codebook(3, 4).double()
    assert_close(book.held, torch.linspace(-0.5, 0.5, 4, dtype=torch.float64).repeat(3, 1), atol=1e-7, rtol=0)
    book.held.data = drawn(3, 4)
    c = drawn(50, 3, seed=1)
    values = book.held.detach().numpy()
    expected = [[min(own, key=lambda v, x=x: abs(v - x)) for x, own in zip(row, values)] for row in c.numpy()]
    assert book.nearest(c).tolist() == expected
    assert all(len(set(column)) == 4 for column in zip(*expected))  # all that there are, and no more


def straight_through(net, x, z, c):
    """The encoder's gradients, were those of the likelihood in the values z those in its own code c."""
    z = z.detach().requires_grad_()
    (pull,) = torch.autograd.grad(bernoulli_nll(x, net.decoder(z)).mean(), z)
    return torch.autograd.grad(c, list(net.encoder.parameters()), pull)


def test_qlae_decodes_values_and_teaches_the_encoder_as_if_they_were_its_codes(data, setting):
    model = QLAE(latents=3)
    net, draws = setting(model, data)
    term = model.loss(net, **draws)["autoencoder"]["reconstruction"]
    c, z = net.encoder(draws["x"]), model.q(net, draws["x"])
    assert_close(term, bernoulli_nll(draws["x"], net.decoder(z)).mean())
    ours = torch.autograd.grad(term, list(net.encoder.parameters()), retain_graph=True)
    assert_close(ours, straight_through(net, draws["x"], z, c))
    assert moves(term, net) == {"encoder", "decoder"}


def test_quantisation_moves_values_and_commitment_the_encoder_by_a_mean_square_a_pixel(data, setting):
    model = QLAE(latents=3, quantisation=0.2, commitment=0.3)
    net, draws = setting(model, data)
    terms = model.loss(net, **draws)
    square = (net.encoder(draws["x"]) - model.q(net, draws["x"])).square().mean()
    assert_close(terms["codebook"]["quantisation"], 0.2 * PIXELS * square)
    assert_close(terms["autoencoder"]["commitment"], 0.3 * PIXELS * square)
    assert moves(terms["codebook"]["quantisation"], net) == {"codebook"}
    assert moves(terms["autoencoder"]["commitment"], net) == {"encoder"}


def test_weights_of_encoder_and_decoder_decay_by_a_share_a_step_and_values_do_not(data):
    """Decoupled from the gradient: Adam's own step is the same."""
    plain, decayed = (Stack([(QLAE(lr=1e-2, decay=d), 0)], data, 8) for d in (0.0, 0.3))
    before = {name: w.clone() for name, w in plain.members[0].net.named_parameters()}
    for stack in (plain, decayed):
        stack.advance(1)
    moved = dict(plain.members[0].net.named_parameters())
    for name, weight in decayed.members[0].net.named_parameters():
        lost = 0 if name.startswith("codebook") else 1e-2 * 0.3
        assert_close(weight, moved[name] - lost * before[name])


@pytest.mark.parametrize("n", [2, 5, 12])
def test_codes_are_rounded_to_evenly_spaced_values_from_minus_one_to_one(n):
    grid, c = np.linspace(-1, 1, n), torch.linspace(-1, 1, 1001, dtype=torch.float64)
    z = Tripod(values=n).rounded(c).numpy()
    np.testing.assert_allclose(np.unique(z.round(12)), grid, atol=1e-12)
    assert (abs(z - c.numpy()) <= abs(grid[:, None] - c.numpy()).min(0) + 1e-12).all()


def test_tripod_without_its_weights_is_an_autoencoder_of_rounded_codes(data, setting):
    model = Tripod(latents=3, information=0.0, curvature=0.0)
    net, draws = setting(model, data)
    terms, c, z = model.loss(net, **draws), net.encoder(draws["x"]).tanh(), model.q(net, draws["x"])
    assert_close(z, model.rounded(c))
    assert terms["information"].item() == terms["curvature"].item() == 0
    assert_close(terms["reconstruction"], bernoulli_nll(draws["x"], net.decoder(z)).mean())
    ours = torch.autograd.grad(terms["reconstruction"], list(net.encoder.parameters()))
    assert_close(ours, straight_through(net, draws["x"], z, c))


def of(f):
    """A layer without weights that computes f."""
    return type("Of", (nn.Module,), {"forward": lambda self, z: f(z)})()


def share(data, setting, *layers, directions=2):
    """H of a decoder that begins with these functions of three units; what it was drawn with, and their deviations."""
    model = Tripod(latents=3, directions=directions, curvature=0.5)
    net, draws = setting(model, data)
    net["decoder"] = nn.Sequential(*map(of, layers), nn.LazyLinear(PIXELS).double(), nn.Unflatten(1, (1, 16, 16)))
    s = net.encoder(draws["x"]).tanh().std(0, correction=0).detach()
    return model.loss(net, **draws)["curvature"].item() / (0.5 * PIXELS), draws, s


def test_units_that_add_up_share_no_curvature_and_those_that_multiply_all_of_it(data, setting):
    added, *_ = share(data, setting, lambda z: torch.stack([z[:, 0].sin() + z[:, 1] ** 2, z[:, 2].exp() - z[:, 0]], 1))
    assert added == pytest.approx(0, abs=1e-12)
    found, draws, _ = share(data, setting, lambda z: 40 * z[:, :1] * z[:, 1:2])
    signs, normal = ((v[:, :, 0] * v[:, :, 1]).var(0, correction=0).mean().item() for v in (draws["r"], draws["g"]))
    assert found == pytest.approx(signs / normal)
    assert share(data, setting, lambda z: 40 * z[:, :1] * z[:, 1:2], directions=400)[0] == pytest.approx(1, abs=0.1)


def test_the_share_is_that_of_mixed_second_derivatives_in_units_of_their_deviations(data, setting):
    A = torch.tensor([[1.0, 0.5, -2.0], [0.5, 3.0, 0.3], [-2.0, 0.3, 0.1]], dtype=torch.float64)
    found, _, s = share(data, setting, lambda z: 50 * ((z @ A) * z).sum(1, keepdim=True), directions=3000)
    squares = (A * s * s[:, None]) ** 2
    assert found == pytest.approx((1 - squares.trace() / squares.sum()).item(), abs=0.02)


def test_the_share_is_the_same_whatever_the_scale_of_layer_and_units_and_is_summed_over_layers(data, setting):
    f = lambda z: (z @ torch.arange(6.0).double().view(3, 2)) ** 3 + z[:, :2] ** 2  # noqa: E731
    one, *_ = share(data, setting, f)
    assert share(data, setting, lambda z: 1000 * f(z))[0] == pytest.approx(one)
    two, *_ = share(data, setting, f, lambda h: -7 * h)
    assert two == pytest.approx(2 * one)
    z, s, v = drawn(4, 3), torch.tensor([1.0, 2.0, 0.5]), drawn(2, 4, 3)
    plain, wide = (SimpleNamespace(decoder=nn.Sequential(of(g))) for g in (f, lambda z: f(z / 5)))
    assert_close(Tripod().differences(plain, z, s, v), Tripod().differences(wide, 5 * z, 5 * s, v))


def test_hidden_layers_are_all_but_the_last(data, setting):
    net, _ = setting(Tripod(), data)
    found = hidden(net.decoder, drawn(5, 10))
    assert [h.shape[1] for h in found] == [256, 256] and all((h >= 0).all() for h in found)
    assert_close(net.decoder[1:](net.decoder[0][-1](found[-1])), net.decoder(drawn(5, 10)))


def test_units_of_a_full_grid_tell_nothing_of_each_other_and_a_copy_tells_much():
    grid = torch.cartesian_prod(*[torch.linspace(-1, 1, 5, dtype=torch.float64)] * 3)
    assert multiinformation(grid, grid.std(0)).item() == pytest.approx(0, abs=1e-12)
    copied = grid[:, [0, 1, 1]]
    assert multiinformation(copied, copied.std(0)) > 0.5
    k = torch.tensor([10.0, 0.1, -3.0])
    assert_close(multiinformation(copied * k, copied.std(0) * k.abs()), multiinformation(copied, copied.std(0)))


def test_densities_are_scipys_with_silvermans_width():
    z = drawn(40, 3)
    z = (z - z.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(z.T.cov())).T * torch.tensor([1.0, 0.3, 5.0])
    joint = stats.gaussian_kde(z.T.numpy(), "silverman")
    each = [stats.gaussian_kde(column.numpy(), joint.factor) for column in z.T]
    expected = joint.logpdf(z.T.numpy()) - sum(one.logpdf(column.numpy()) for one, column in zip(each, z.T))
    assert multiinformation(z, z.std(0)).item() == pytest.approx(expected.mean())
