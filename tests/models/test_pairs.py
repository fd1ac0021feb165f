"""Models of pairs: which units are shared, what they share, and what is left of the beta-VAE."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from disentangle_bench.datasets import load
from disentangle_bench.datasets._shift import shifted
from disentangle_bench.models._probability import Gaussian
from disentangle_bench.models.adagvae import AdaGVAE
from disentangle_bench.models.adamlvae import AdaMLVAE
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.runner.plan import Study
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stream import Stream

CPU = torch.device("cpu")
BOTH = [AdaGVAE(beta=3.0), AdaMLVAE(beta=3.0), AdaMLVAE(beta=3.0, variance="mean")]


class Fixed:
    """Networks whose posteriors are given and whose decoder leaves the code visible in the loss."""

    def __init__(self, mean, logvar):
        self.out = torch.tensor(mean, dtype=torch.float64), torch.tensor(logvar, dtype=torch.float64)

    def encoder(self, x):
        return self.out

    def decoder(self, z):
        self.z = z
        return torch.zeros(len(z), 1, 1, 1, dtype=torch.float64)


def posteriors(model, mean, logvar):
    """What q~ the model makes of these posteriors: codes drawn at eps = 0 and at eps = 1 tell mean and deviation."""
    net, x = Fixed(mean, logvar), torch.zeros(len(mean), 1, 1, 1, dtype=torch.float64)
    zero = torch.zeros(net.out[0].shape, dtype=torch.float64)
    model.loss(net, x, zero)
    middle = net.z
    model.loss(net, x, zero + 1)
    return middle, (net.z - middle) ** 2


@pytest.mark.parametrize("model", BOTH)
def test_an_image_paired_with_itself_is_the_beta_vae(data, setting, model):
    net, draws = setting(model, data)
    x = draws["x"][:16].repeat(2, 1, 1, 1)
    expected = BetaVAE(beta=3.0).loss(net, x=x, eps=draws["eps"])
    assert_close(model.loss(net, x=x, eps=draws["eps"]), expected)


def test_units_that_differ_less_than_the_middle_of_most_and_least_are_averaged():
    # with variance 1, delta is half the squared distance of means: 0, 2, 8, 18; tau = 9
    mean = [[0.0, 0.0, 0.0, 0.0], [0.0, 2.0, 4.0, 6.0]]
    got, variance = posteriors(AdaGVAE(), mean, np.zeros((2, 4)))
    assert got.tolist() == [[0, 1, 2, 0], [0, 1, 2, 6]]
    assert_close(variance, torch.ones(2, 4, dtype=torch.float64))


def test_the_divergence_is_that_of_the_first_from_the_second_as_in_the_paper():
    logvar = [[0.0, np.log(4.0)], [np.log(4.0), 0.0]]  # KL(1||4) = 0.318 < KL(4||1) = 0.807: the first unit is shared
    got, variance = posteriors(AdaGVAE(), np.zeros((2, 2)), logvar)
    assert_close(variance, torch.tensor([[2.5, 4.0], [2.5, 1.0]], dtype=torch.float64))
    assert not got.any()


def test_the_products_precision_is_the_sum_and_in_the_studys_code_the_mean():
    p = Gaussian(torch.tensor([[0.0]]), torch.tensor([[1.0]]).log())
    q = Gaussian(torch.tensor([[3.0]]), torch.tensor([[0.5]]).log())
    for variance, expected in ("product", 1 / 3), ("mean", 2 / 3):
        both = AdaMLVAE(variance=variance).average(p, q)
        assert_close(both.mean, torch.tensor([[2.0]]))
        assert_close(both.logvar.exp(), torch.tensor([[expected]]))
    product = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(3.0, 0.5**0.5)
    both, z = AdaMLVAE().average(p, q), torch.linspace(-2, 4, 7)
    density = sum(one.log_prob(z) for one in product)
    own = torch.distributions.Normal(both.mean[0, 0], (both.logvar / 2).exp()[0, 0]).log_prob(z)
    assert_close(density - own, (density - own)[:1].expand(7), rtol=1e-5, atol=1e-5)  # equal but for a factor


def test_a_pair_shares_some_units_and_not_all(data, setting):
    net, draws = setting(AdaGVAE(), data, n=64)
    q = AdaGVAE().q(net, draws["x"])
    seen = Fixed(q.mean.tolist(), q.logvar.tolist())
    AdaGVAE().loss(seen, torch.zeros(128, 1, 1, 1, dtype=torch.float64), torch.zeros(128, 10, dtype=torch.float64))
    alike = (seen.z[:64] == seen.z[64:]).sum(1)
    assert alike.min() >= 1 and alike.max() <= 9


@pytest.mark.parametrize("k, counts", [(1, {1}), (3, {3}), (0, {1, 2, 3})])
@pytest.mark.parametrize("options", [{}, {"holdout": "shape:2+scale:1"}])
def test_the_engine_draws_pairs_that_differ_in_k_factors(k, counts, options):
    plain = shifted(load("toy"), **options)
    first, second = Resident(plain, CPU).pairs(4000, Stream(0, "draws", CPU), k)
    changed = plain.factors[first] != plain.factors[second]
    assert set(changed.sum(1)) == counts
    share = changed.mean(0)
    assert abs(share - share.mean()).max() < 0.05  # every factor as often as the other
    if options:
        assert plain.weight[first].all() and plain.weight[second].all()


def test_a_changed_factor_takes_every_other_value_alike():
    plain = load("toy")
    first, second = Resident(plain, CPU).pairs(40_000, Stream(0, "draws", CPU), 1)
    a, b = plain.factors[first, 2], plain.factors[second, 2]
    counts = np.bincount((b - a)[a != b] % 8, minlength=8)
    assert counts[0] == 0 and abs(counts[1:] - counts[1:].mean()).max() < 4 * np.sqrt(counts[1:].mean())


def test_what_the_data_cannot_give_is_said_before_training():
    with pytest.raises(ValueError, match="adagvae: pairs: k is 5, expected 1 to 4"):
        Study([AdaGVAE(k=5)], ["toy"]).runs()
    with pytest.raises(ValueError, match=r"adagvae: pairs: k is 1, expected 1 to 0|no two images"):
        Study([AdaGVAE()], ["digits(transform=se2)"]).runs()
