"""Models of groups: pooled posteriors in closed form, one KL a group, the VAE in the limit, evidence that adds up."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from disentangle_bench.models._groups import evidence
from disentangle_bench.models._probability import Gaussian
from disentangle_bench.models.gvae import GVAE
from disentangle_bench.models.mlvae import MLVAE
from disentangle_bench.models.vae import VAE
from disentangle_bench.runner.plan import Study

BOTH = [MLVAE, GVAE]


def random(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("kind", BOTH)
def test_groups_of_one_are_the_vae(data, setting, kind):
    net, draws = setting(kind(group=1), data)
    eps = torch.cat([draws["eps_c"], draws["eps_s"]], 1)
    ours, vae = kind(group=1).loss(net, **draws), VAE().loss(net, x=draws["x"], eps=eps)
    assert_close(ours["reconstruction"], vae["reconstruction"])
    assert_close(ours["kl_style"] + ours["kl_content"], vae["kl"])


def test_the_product_of_two_gaussians_is_the_known_one():
    mean, variance = torch.tensor([[[0.0], [3.0]]]), torch.tensor([[[1.0], [0.5]]])
    got = MLVAE().pooled(mean, variance.log())
    assert_close(got.mean, torch.tensor([[2.0]]))
    assert_close(got.logvar.exp(), torch.tensor([[1 / 3]]))


def test_the_average_takes_variances_and_not_deviations():
    mean, variance = torch.tensor([[[0.0], [3.0]]]), torch.tensor([[[1.0], [4.0]]])
    got = GVAE().pooled(mean, variance.log())
    assert_close(got.mean, torch.tensor([[1.5]]))
    assert_close(got.logvar.exp(), torch.tensor([[2.5]]))  # of deviations it would be 2.25, of logs 2


@pytest.mark.parametrize("kind", BOTH)
def test_the_order_of_a_group_does_not_matter_and_only_products_grow_certain(kind):
    mean, logvar = random(0, 6, 4, 5), random(1, 6, 4, 5)
    got, turned = kind().pooled(mean, logvar), kind().pooled(mean.flip(1), logvar.flip(1))
    assert_close(got.mean, turned.mean)
    assert_close(got.logvar, turned.logvar)
    assert bool((got.logvar < logvar.amin(1)).all()) == (kind is MLVAE)


@pytest.mark.parametrize("kind", BOTH)
def test_contents_kl_counts_once_a_group_and_all_terms_are_an_images(data, setting, kind):
    model = kind(group=4, beta=2.0)
    net, draws = setting(model, data)
    terms = model.loss(net, **draws)
    q = model.q(net, draws["x"])
    total, n = 0.0, len(draws["x"])
    for group in range(n // 4):
        own = slice(4 * group, 4 * group + 4)
        c = model.pooled(q.mean[None, own, :5], q.logvar[None, own, :5])
        total = total + c.kl_to_standard().sum()
    assert_close(terms["kl_content"], 2 * total / n)
    style = Gaussian(q.mean[:, 5:], q.logvar[:, 5:])
    assert_close(terms["kl_style"], 2 * style.kl_to_standard().sum() / n)


@pytest.mark.parametrize("kind", BOTH)
def test_images_of_a_group_share_one_content_and_its_gradient_reaches_the_encoder(data, setting, kind):
    model, seen = kind(), []
    net, draws = setting(model, data)
    shapes = data.data.factors[:, 0]
    rows = [int((data.at(torch.arange(len(data))) == x).flatten(1).all(1).nonzero()[0]) for x in draws["x"]]
    assert (shapes[rows].reshape(-1, 4) == shapes[rows].reshape(-1, 4)[:, :1]).all()
    decoder, net.decoder = net.decoder, torch.nn.Identity()
    try:
        net.decoder.register_forward_hook(lambda _, z, out: seen.append(z[0]))
        with pytest.raises((RuntimeError, ValueError)):
            model.loss(net, **draws)  # codes are no images
    finally:
        net.decoder = decoder
    z = seen[0].detach()
    c = z[:, :5].unflatten(0, (-1, 4))
    assert (c == c[:, :1]).all() and not (z[:4, 5:] == z[:1, 5:]).all()
    gradient = torch.autograd.grad(model.loss(net, **draws)["kl_content"], list(net.encoder.parameters()))
    assert any(part.abs().sum() > 0 for part in gradient)


@pytest.mark.parametrize("kind", BOTH)
def test_evidence_accumulates_where_images_tell_a_little_each_and_stays_at_chance_without(kind):
    labels = np.arange(4000) % 2
    means = random(0, 4000, 3) + 0.7 * torch.from_numpy(labels)[:, None]
    c = Gaussian(means, torch.zeros(4000, 3, dtype=torch.float64))
    told = [value for value, _ in evidence(c, labels, kind().pooled, "shape").values()]
    # the best rule is right with probability Phi(0.35 sqrt(3 size))
    expected = [0.728, 0.805, 0.887, 0.957]
    assert np.abs(np.array(told) - expected).max() < 0.03
    noise = Gaussian(random(1, 4000, 3), c.logvar)
    assert abs(evidence(noise, labels, kind().pooled, "shape")["evidence.1"][0] - 0.5) < 0.04


def test_what_is_pooled_by_labels_says_so():
    labels, means = np.arange(60) % 3, random(0, 60, 2)
    told = evidence(Gaussian(means, 0 * means), labels, MLVAE().pooled, "digit")
    assert list(told) == ["evidence.1", "evidence.2", "evidence.4", "evidence.8"]
    assert "pooled by their labels" in told["evidence.2"][1] and "labels" not in told["evidence.1"][1]


@pytest.mark.parametrize(
    ("model", "dataset", "message"),
    [
        (lambda: MLVAE(content=10), "toy", "mlvae.content: got 10, expected 1 to 9"),
        (lambda: GVAE(group=0), "toy", "gvae.group: got 0, expected at least 1"),
        (lambda: MLVAE(group=200), "toy", "mlvae: groups: size is 200; shape 0 of data set 'toy' has 192"),
        (lambda: MLVAE(by="form"), "toy", "unknown factor 'form'"),
    ],
)
def test_what_cannot_be_is_said_before_training(model, dataset, message):
    with pytest.raises(ValueError, match=message):
        Study([model()], [dataset]).runs()
