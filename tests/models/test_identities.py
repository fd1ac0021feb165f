"""What the papers' equations imply, for any weights and any noise."""

import dataclasses
import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from disentangle_bench.datasets import load
from disentangle_bench.models import _lie
from disentangle_bench.models._probability import Gaussian, Mixture, bernoulli_nll
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.mcevae import MCEVAE, NOISE
from disentangle_bench.models.vae import VAE
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack, networks
from disentangle_bench.training.stream import Stream

CPU = torch.device("cpu")


def test_vae_kl_and_likelihood_are_torchs(data, setting):
    net, draws = setting(VAE(), data)
    terms = VAE().loss(net, **draws)
    mean, logvar = net.encoder(draws["x"])
    q = torch.distributions.Normal(mean, (0.5 * logvar).exp())
    assert_close(terms["kl"], torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1).mean())
    logits = net.decoder(mean + q.stddev * draws["eps"])
    likelihood = torch.distributions.Bernoulli(logits=logits).log_prob(draws["x"]).sum((1, 2, 3))
    assert_close(terms["reconstruction"], -likelihood.mean())


def test_beta_one_is_the_vae_and_beta_weighs_the_kl(data, setting):
    net, draws = setting(VAE(), data)
    plain = VAE().loss(net, **draws)
    assert all(torch.equal(value, plain[name]) for name, value in BetaVAE(beta=1.0).loss(net, **draws).items())
    eight = BetaVAE(beta=8.0).loss(net, **draws)
    assert_close(eight["kl"], 8 * plain["kl"])
    assert torch.equal(eight["reconstruction"], plain["reconstruction"])


def still(net):
    """The transformation head as it is at the first step but certain of the identity."""
    nn.init.constant_(net.encoder.tau[-1].bias, -200.0)
    with torch.no_grad():
        net.encoder.tau[-1].bias[: len(net.encoder.tau[-1].bias) // 2] = 0
    return net


def test_mcevae_without_transforms_and_with_one_class_is_a_vae(data, setting):
    model = MCEVAE(classes=1, r=0.0, s=1.0, supervised=True)
    net, draws = setting(model, data)
    still(net)
    terms = model.loss(net, **draws)
    q_c, q_z, _ = model.q(net, draws["x"])
    z = torch.cat([q_c.parts.at(draws["eps_c"])[:, 0], q_z.at(draws["eps_z"])], 1)
    logits = net.decoder(z)
    seen = (NOISE + (1 - 2 * NOISE) * logits.sigmoid()).logit()
    assert_close(terms["reconstruction"], bernoulli_nll(draws["x"], seen).mean())
    assert_close(terms["reconstruction"], bernoulli_nll(draws["x"], logits).mean(), atol=0.01, rtol=0)
    assert_close(terms["invariance"], bernoulli_nll(draws["target"], logits).mean())
    assert_close(
        terms["kl_c"] + terms["kl_z"], (q_c.parts.kl_to_standard().sum((1, 2)) + q_z.kl_to_standard().sum(1)).mean()
    )


@pytest.mark.parametrize("group", _lie.DIMENSION)
def test_mcevae_expectation_over_classes_is_exact(data, group, setting):
    model = MCEVAE(classes=3, group=group)
    net, draws = setting(model, data, n=4)
    q_c, q_z, q_tau = model.q(net, draws["x"])
    z, tau = q_z.at(draws["eps_z"]), q_tau.at(draws["eps_tau"])
    expected = 0.0
    for k in range(3):
        logits = net.decoder(torch.cat([q_c.parts.at(draws["eps_c"])[:, k], z], 1))
        expected += (q_c.w[:, k] * bernoulli_nll(draws["x"], model.moved(logits, tau))).mean()
    assert_close(model.loss(net, **draws)["reconstruction"], expected)


def test_mcevae_decodes_its_codes_by_moving_the_canonical_image(data, setting):
    model = MCEVAE(classes=3, group="sim2")
    net, _ = setting(model, data)
    z = torch.randn(5, 3 + 3 + 4, dtype=torch.float64)
    canonical = model.canonical(net, z)
    assert_close(canonical, model.canonical(net, torch.cat([z[:, :6], torch.zeros(5, 4)], 1)))
    warped = _lie.warp(canonical.sigmoid(), _lie.exponential(z[:, 6:]))
    assert_close(model.decode(net, z).sigmoid(), warped, atol=NOISE, rtol=0)
    z[:, 6:] = 0
    assert_close(model.decode(net, z).sigmoid(), canonical.sigmoid(), atol=NOISE, rtol=0)


def test_mcevae_certain_images_stay_finite_when_moved():
    certain = torch.tensor([[[[-200.0, 200.0], [200.0, -200.0]]]], requires_grad=True)
    tau = torch.zeros(1, 3, requires_grad=True)
    loss = bernoulli_nll(torch.ones(1, 1, 2, 2), MCEVAE().moved(certain, tau)).sum()
    assert_close(loss, torch.tensor(-2 * math.log(NOISE) - 2 * math.log1p(-NOISE)), atol=1e-2, rtol=0)
    assert all(torch.isfinite(g).all() for g in torch.autograd.grad(loss, [certain, tau]))


def test_mcevae_invariance_learns_from_the_untransformed_branch_alone(data, setting):
    # with g = identity both branches hold the same numbers: squares vanish, and so does the gradient that a cross
    # entropy H(p, p~) has in its second argument where p~ = p; a gradient through the first would not vanish
    model = MCEVAE(classes=1)
    net, draws = setting(model, data)
    draws["target"] = torch.zeros(1, 16, 3, dtype=torch.float64)
    loss = model.loss(net, **draws)["invariance"]
    q_c, q_z, _ = model.q(net, draws["x"])
    p = model.canonicals(net, q_c, q_z, draws["eps_c"], draws["eps_z"])[:, 0].sigmoid()
    assert_close(loss, torch.distributions.Bernoulli(p).entropy().sum((1, 2, 3)).mean(), atol=1e-7, rtol=1e-7)
    gradients = torch.autograd.grad(loss, list(net.decoder.parameters()))
    assert max(g.abs().max() for g in gradients) < 1e-6


def test_mcevae_more_transforms_are_a_mean_of_single_ones(data, setting):
    model = MCEVAE(classes=3, R=4)
    net, draws = setting(model, data)
    assert draws["target"].shape == (4, 16, 3)
    single = [model.loss(net, **{**draws, "target": g[None]})["invariance"] for g in draws["target"]]
    assert_close(model.loss(net, **draws)["invariance"], torch.stack(single).mean())


@pytest.mark.parametrize("posterior", ["mixture", "gaussian"])
def test_mcevae_invariance_by_hand(posterior, data, setting):
    """Squared distances of posterior means, and the cross entropy of canonical images, component by component."""
    model = MCEVAE(classes=2, posterior=posterior)
    net, draws = setting(model, data, n=3)
    x, g = draws["x"], draws["target"]
    (q_c, q_z, _), (r_c, r_z, _) = model.q(net, x), model.q(net, _lie.warp(x, _lie.exponential(g[0])))

    def image(c, z, i, k):
        z_c = c.parts.at(draws["eps_c"]).expand(3, 2, 2)[i, k]
        return net.decoder(torch.cat([z_c, z.at(draws["eps_z"])[i]])[None]).sigmoid()[0]

    expected = 0.0
    for i in range(3):
        x_r = sum(r_c.w[i, k] * image(r_c, r_z, i, k) for k in range(2))
        for k in range(2):
            p = image(q_c, q_z, i, k)
            expected -= q_c.w[i, k] * (x_r * p.log() + (1 - x_r) * (1 - p).log()).sum() / 3
        expected += ((q_c.mean[i] - r_c.mean[i]).square().sum() + (q_z.mean[i] - r_z.mean[i]).square().sum()) / 3
    assert_close(model.loss(net, **draws)["invariance"], expected)


def test_mcevae_mode_is_the_heaviest_components_mean(data, setting):
    model = MCEVAE(classes=3)
    net, draws = setting(model, data)
    nn.init.constant_(net.encoder.weights.weight, 0.0)
    with torch.no_grad():
        net.encoder.weights.bias.copy_(torch.tensor([0.0, 9.0, 0.0]))
    q_c, q_z, q_tau = q = model.q(net, draws["x"])
    assert_close(model.mode(q), torch.cat([q_c.parts.mean[:, 1], q_z.mean, q_tau.mean], 1))
    assert (model.clusters(q) == 1).all()


def test_mcevae_transforms_are_drawn_from_the_published_ranges():
    g = _lie.random(Stream(0, "g", CPU).uniform(100_000, 4), 4)
    for column, low, high in [
        (g[:, 0], -math.pi, math.pi),
        (g[:, 1], -0.25, 0.25),
        (g[:, 2], -0.25, 0.25),
        (g[:, 3].exp(), 0.5, 1.0),
    ]:
        assert low <= column.min() < low + 0.01 * (high - low) and high - 0.01 * (high - low) < column.max() <= high


def test_mcevae_starts_at_the_identity(data, setting):
    model = MCEVAE()
    net, draws = setting(model, data)
    _, _, q_tau = model.q(net, draws["x"])
    assert_close(q_tau.mean, torch.zeros_like(q_tau.mean))
    assert_close(q_tau.sd, torch.full_like(q_tau.sd, math.exp(-2)))


def test_mcevae_own_networks_at_28x28():
    class Digits:
        shape, classes, device, dtype = (28, 28, 1), 10, CPU, torch.float32

    net = networks(MCEVAE(), 0, Digits())  # type: ignore[arg-type]
    assert net.encoder.trunk(torch.zeros(2, 1, 28, 28)).shape == (2, 784)
    assert any(isinstance(m, nn.BatchNorm2d) for m in net.encoder.modules())
    assert [m.out_features for m in net.encoder.z[1] if isinstance(m, nn.Linear)] == [512, 512, 3]
    x = torch.rand(2, 1, 28, 28)
    assert MCEVAE().codes(MCEVAE().q(net, x)).mean.shape == (2, 10 + 3 + 3)


def test_unknown_group_is_refused_by_name():
    with pytest.raises(ValueError, match=r"mcevae\.group: got 'se3', expected one of so2, se2, sim2"):
        MCEVAE(group="se3")


def test_models_cannot_be_changed_and_refuse_unknown_parameters():
    with pytest.raises(dataclasses.FrozenInstanceError):
        VAE().latents = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        BetaVAE(bet=3)  # type: ignore[call-arg]


def centre_of_mass(images):
    """(n, 2) in [-1, 1]."""
    places = (torch.arange(images.shape[-1]) + 0.5) / images.shape[-1] * 2 - 1
    across, down = (images * places).sum((1, 2, 3)), (images * places[:, None]).sum((1, 2, 3))
    return torch.stack([across, down], 1) / images.sum((1, 2, 3))[:, None]


@pytest.mark.parametrize("supervised", [pytest.param(False, marks=pytest.mark.thorough), True])
def test_mcevae_learns_to_put_objects_in_one_place(supervised):
    """On the toy set, whose objects differ in position: canonical images share one, reconstructions keep their own."""
    toy, model = Resident(load("toy"), CPU), MCEVAE(supervised=supervised)
    member = Stack([(model, 0)], toy, batch=32)
    member.advance(400)
    net, x = member.members[0].net.eval(), toy.at(torch.arange(576))
    with torch.no_grad():
        z = model.mode(model.q(net, x))
        canonical, again = model.canonical(net, z).sigmoid(), model.decode(net, z).sigmoid()
    assert (centre_of_mass(canonical).std(0) < 0.1 * centre_of_mass(x).std(0)).all()
    assert ((centre_of_mass(again) - centre_of_mass(x)).std(0) < 0.2 * centre_of_mass(x).std(0)).all()


def test_mcevae_weighs_its_terms_as_published(data, setting):
    """beta multiplies KL(z) and KL(tau) alone; KL(z_c) is to N(r e_k, s^2 I), from means that start at r e_k."""
    plain, other = MCEVAE(classes=3, r=2.0, s=0.5), MCEVAE(classes=3, r=2.0, s=0.5, beta=2.5)
    net, draws = setting(plain, data)
    for head in net.encoder.z_c:
        nn.init.zeros_(head[-1].weight)
    one, two = plain.loss(net, **draws), other.loss(net, **draws)
    ratios = {name: (two[name] / one[name]).item() for name in one}
    assert ratios == pytest.approx({"reconstruction": 1, "invariance": 1, "kl_c": 1, "kl_z": 2.5, "kl_tau": 2.5})
    q_c, q_z, q_tau = plain.q(net, draws["x"])
    assert_close(q_c.parts.mean, 2 * torch.eye(3, dtype=torch.float64).expand(16, 3, 3))
    gauss = 3 * 0.5 * (1 / 0.25 - 1 + math.log(0.25))  # N(m, I) to N(m, s^2 I) in three dimensions
    choice = (q_c.w * q_c.w.log()).sum(1) + math.log(3)
    assert_close(one["kl_c"], (choice + gauss).mean())
    means = 2 * torch.eye(3, dtype=torch.float64)
    for kl, expected in [
        ("monte_carlo", q_c.kl_sampled(means, 0.5, draws["eps_c"])),
        ("variational", q_c.kl_variational(means, 0.5)),
    ]:
        got = MCEVAE(classes=3, r=2.0, s=0.5, kl=kl).loss(net, **draws)["kl_c"]
        assert_close(got, expected.mean())
        assert abs(got - one["kl_c"]) > 1e-6
    rate = other.rate((q_c, q_z, q_tau))
    parts = [rate[:, :1], rate[:, 1:4], rate[:, 4:]]
    assert [p.sum(1).mean().item() for p in parts] == pytest.approx([one[k].item() for k in ("kl_c", "kl_z", "kl_tau")])


def test_mcevae_codes_are_the_posteriors_moments(data, setting):
    net, draws = setting(MCEVAE(classes=3), data)
    q = MCEVAE().q(net, draws["x"])
    codes = MCEVAE().codes(q)
    assert_close(codes.mean, torch.cat([part.mean for part in q], 1))
    assert_close(codes.sd, torch.cat([part.sd for part in q], 1))


@pytest.mark.parametrize("supervised", [False, True])
def test_mcevae_with_one_gaussian_is_the_mixture_of_equal_parts_with_the_best_weights(data, setting, supervised):
    """w = softmax(-KL_k) minimises the chain-rule bound, -log mean_k exp(-KL_k), and what is decoded needs no k."""
    model = MCEVAE(posterior="gaussian", classes=3, r=2.0, s=0.7, supervised=supervised)
    net, draws = setting(model, data)
    q_c, q_z, q_tau = model.q(net, draws["x"])
    assert q_c.parts.mean.shape == (16, 1, 3) and draws["eps_c"].shape == (16, 1, 3)
    means = 2 * torch.eye(3, dtype=torch.float64)
    each = torch.stack([Gaussian(q_c.parts.mean[:, 0], q_c.parts.logvar[:, 0]).kl_to(m, 0.7).sum(1) for m in means], 1)
    assert_close(q_c.kl_to(means, 0.7), math.log(3) - (-each).logsumexp(1))
    assert_close(q_c.kl_to(means, 0.7), q_c.kl_variational(means, 0.7))
    terms = model.loss(net, **draws)
    whole = Mixture(q_c.logits, Gaussian(*(p.expand(16, 3, 3) for p in (q_c.parts.mean, q_c.parts.logvar))))
    expanded = {**draws, "eps_c": draws["eps_c"].expand(16, 3, 3)}
    x_k = model.canonicals(net, whole, q_z, expanded["eps_c"], draws["eps_z"])
    moved = model.moved(x_k.flatten(0, 1), q_tau.at(draws["eps_tau"]).repeat_interleave(3, 0))
    nll = bernoulli_nll(draws["x"].repeat_interleave(3, 0), moved).view(16, 3)
    assert_close(terms["reconstruction"], (whole.w * nll).sum(1).mean())
    assert_close(q_c.kl_sampled(means, 0.7, draws["eps_c"]), whole.kl_sampled(means, 0.7, expanded["eps_c"]))
    assert_close(model.codes((q_c, q_z, q_tau)).mean, model.codes((whole, q_z, q_tau)).mean)
    assert_close(model.mode((q_c, q_z, q_tau)), model.mode((whole, q_z, q_tau)))


def test_mcevae_warms_the_kl_of_z_c_alone(data, setting):
    model = MCEVAE(warm=400, classes=3)
    net, draws = setting(model, data)
    weights = [
        model.draw(data, 2, t, Stream(0, "draws", CPU, torch.float64))["weight"] for t in (0, 100, 250, 400, 9000)
    ]
    assert weights == pytest.approx([0.05, 0.05, math.sqrt(0.05), 1, 1])
    cold, full = model.loss(net, **draws), model.loss(net, **{**draws, "weight": 1.0})
    assert {k: (cold[k] / full[k]).item() for k in full} == pytest.approx({**dict.fromkeys(full, 1.0), "kl_c": 0.05})
