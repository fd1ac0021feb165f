"""The unsupervised models against their equations: what each adds to the VAE; estimators on known densities."""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from disentangle_bench.models.aae import AAE
from disentangle_bench.models.annealedvae import AnnealedVAE
from disentangle_bench.models.betatcvae import BetaTCVAE, decompose, stratified, weighted
from disentangle_bench.models.dipvae_i import DIPVAEI
from disentangle_bench.models.dipvae_ii import DIPVAEII
from disentangle_bench.models.factorvae import FactorVAE, critic
from disentangle_bench.models.infovae import InfoVAE, mmd, stein
from disentangle_bench.models.vae import VAE

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    "model",
    [
        FactorVAE(gamma=0),
        BetaTCVAE(beta=1),
        DIPVAEI(lambda_od=0),
        DIPVAEII(lambda_od=0),
        InfoVAE(alpha=0, lam=1),
        InfoVAE(alpha=0, lam=1, divergence="stein"),
    ],
    ids=lambda model: type(model).__name__,
)
def test_with_its_weight_at_zero_it_is_the_vae(model, data, setting):
    net, draws = setting(model, data)
    terms = model.loss(net, **draws)
    terms = terms.get("vae", terms)
    plain = VAE().loss(net, draws["x"], draws["eps"])
    assert_close(terms.pop("reconstruction"), plain["reconstruction"])
    assert_close(sum(terms.values()), plain["kl"])


# AnnealedVAE


def test_capacity_rises_linearly_and_stays():
    model = AnnealedVAE(c_max=30, anneal=1000)
    assert [model.C(t) for t in (0, 500, 1000, 5000)] == [0, 15, 30, 30]


def test_capacity_pulls_the_batch_s_mean_kl_from_both_sides(data, setting):
    model = AnnealedVAE(gamma=7.0)
    net, draws = setting(model, data)
    kl = VAE().loss(net, draws["x"], draws["eps"])["kl"]
    for C, sign in ((kl.item() - 1, 1), (kl.item() + 1, -1)):
        term = model.loss(net, draws["x"], draws["eps"], C)["capacity"]
        assert_close(term, torch.tensor(7.0, dtype=torch.float64))
        (pull,) = torch.autograd.grad(term, net.encoder.mean.weight, retain_graph=True)
        (of_kl,) = torch.autograd.grad(kl, net.encoder.mean.weight, retain_graph=True)
        assert_close(pull, sign * 7 * of_kl)


# FactorVAE


def test_the_critic_s_logits_estimate_the_total_correlation_of_a_gaussian():
    """Correlation 0.5: TC = -log(1 - 0.25) / 2 = 0.144 nats."""
    torch.manual_seed(0)
    net, truth = critic(2, width=64), -0.5 * math.log(1 - 0.25)
    half = torch.linalg.cholesky(torch.tensor([[1.0, 0.5], [0.5, 1.0]]))
    adam = torch.optim.Adam(net.parameters(), 2e-3)
    for _ in range(400):
        joint, apart = torch.randn(512, 2) @ half.T, torch.randn(512, 2)
        labels = torch.arange(2).repeat_interleave(512)
        loss = nn.functional.cross_entropy(net(torch.cat([joint, apart])), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()
    logits = net(torch.randn(50_000, 2) @ half.T).detach()
    assert (logits[:, 0] - logits[:, 1]).mean().item() == pytest.approx(truth, abs=0.04)


def test_the_critic_has_the_study_s_size():
    assert sum(p.numel() for p in critic(10).parameters()) == 5_018_002


def test_the_critic_learns_from_codes_and_never_moves_the_encoder(data, setting):
    model = FactorVAE()
    net, draws = setting(model, data)
    terms = model.loss(net, **draws)
    loss = sum(terms["critic"].values())
    encoder = list(net.encoder.parameters())
    assert all(g is None for g in torch.autograd.grad(loss, encoder, allow_unused=True, retain_graph=True))
    tc = torch.autograd.grad(terms["vae"]["total_correlation"], encoder)
    assert all(g.abs().sum() > 0 for g in tc)


def test_permuted_codes_keep_each_column_s_values_and_break_rows(data, setting):
    """What the critic sees as `permuted` are samples of the other batch, column by column in another order."""
    model = FactorVAE(latents=3)
    net, draws = setting(model, data, n=50)
    seen = []
    net.critic.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    model.loss(net, **draws)
    z = model.q(net, draws["other"]).at(draws["other_eps"]).detach()
    permuted = seen[-1]
    assert_close(permuted.sort(0).values, z.sort(0).values)
    orders = [(permuted[:, [j]] == z[:, j]).long().argmax(1) for j in range(3)]
    assert not any(torch.equal(a, b) for a, b in [(orders[0], orders[1]), (orders[1], orders[2])])
    assert not torch.equal(draws["x"], draws["other"])


# beta-TCVAE


def test_stratified_weights():
    W = stratified(8, 100).exp()
    assert_close(W.sum(1), torch.ones(8, dtype=torch.float64))
    assert_close(W.diagonal(), torch.full((8,), 0.01, dtype=torch.float64))
    once = (100 - 7) / (100 * 7)
    assert all(sorted(row.tolist())[-1] == pytest.approx(1 / 7) for row in W)
    assert_close(((W - once).abs() < 1e-12).sum(1), torch.ones(8, dtype=torch.long))
    with pytest.raises(ValueError, match="batch: got 101 of 100 images"):
        stratified(101, 100)


@pytest.mark.parametrize("sampling", ["stratified", "weighted"])
def test_the_three_terms_telescope_to_the_sampled_kl(sampling, data, setting):
    model = BetaTCVAE(alpha=1, beta=1, gamma=1 + 1e-15, sampling=sampling)
    net, draws = setting(model, data)
    q = model.q(net, draws["x"])
    z = q.at(draws["eps"])
    own = torch.distributions.Normal(q.mean, q.sd).log_prob(z).sum(1)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    assert_close(
        sum(decompose(q, z, (stratified if sampling == "stratified" else weighted)(16, 576))), (own - prior).mean()
    )


def gaussian_setting(M, N=20_000, rho=0.5, s2=0.3, seed=0):
    """Posteriors N(mu_n, s2) whose aggregate is a Gaussian of correlation rho; a batch of M + 1 and its samples."""
    from disentangle_bench.models._probability import Gaussian

    torch.manual_seed(seed)
    cov = torch.tensor([[1.0, rho], [rho, 1.0]], dtype=torch.float64) - s2 * torch.eye(2, dtype=torch.float64)
    mean = torch.randn(M + 1, 2, dtype=torch.float64) @ torch.linalg.cholesky(cov).T
    q = Gaussian(mean, torch.full_like(mean, math.log(s2)))
    return q, q.at(torch.randn_like(mean)), stratified(M + 1, N), weighted(M + 1, N)


def test_stratified_total_correlation_of_a_gaussian(setting):
    """TC = -log(1 - 0.25) / 2 = 0.144 nats; the weighted estimate is (d - 1) log N (M + 1) away."""
    estimates = []
    for seed in range(20):
        q, z, W, V = gaussian_setting(255, seed=seed)
        estimates.append(decompose(q, z, W)[1].item())
        assert decompose(q, z, V)[1].item() > 8
    assert sum(estimates) / 20 == pytest.approx(0.144, abs=0.02)


def test_weights_on_columns_instead_of_the_diagonal_are_noticed():
    """The mistake that four code bases share: a stride of the batch size fills two columns."""
    n, N = 8, 100
    wrong = torch.full((n, n), 1 / (n - 1), dtype=torch.float64)
    wrong.view(-1)[::n] = 1 / N
    wrong.view(-1)[1::n] = (N - n + 1) / (N * (n - 1))
    assert not torch.allclose(wrong.diagonal(), stratified(n, N).exp().diagonal())


# DIP-VAE


def test_penalty_of_a_known_covariance():
    from disentangle_bench.models._probability import Gaussian

    mean = torch.tensor([[2.0, 1.0], [-2.0, -1.0], [2.0, 1.0], [-2.0, -1.0]], dtype=torch.float64)
    q = Gaussian(mean, torch.full_like(mean, math.log(0.25)))
    assert_close(DIPVAEI().covariance(q), torch.tensor([[4.0, 2.0], [2.0, 1.0]], dtype=torch.float64))
    assert_close(DIPVAEII().covariance(q), torch.tensor([[4.25, 2.0], [2.0, 1.25]], dtype=torch.float64))

    class Fixed:
        encoder = staticmethod(lambda x: (q.mean, q.logvar))
        decoder = staticmethod(lambda z: torch.zeros(4, 1, 2, 2, dtype=torch.float64))

    x = torch.zeros(4, 1, 2, 2, dtype=torch.float64)
    one = DIPVAEI(lambda_od=2, ratio=10).loss(Fixed, x, torch.zeros_like(mean))
    assert one["off_diagonal"].item() == pytest.approx(2 * 8)  # both triangles
    assert one["diagonal"].item() == pytest.approx(20 * 9)
    two = DIPVAEII(lambda_od=2).loss(Fixed, x, torch.zeros_like(mean))
    assert two["diagonal"].item() == pytest.approx(2 * (3.25**2 + 0.25**2))


# InfoVAE


def test_mmd_of_shifted_gaussians_has_its_closed_form():
    """2 (s2 / (s2 + 2))^(d/2) (1 - exp(-|m|^2 / (2 (s2 + 2)))) with kernel variance s2 = d."""
    torch.manual_seed(0)
    m = torch.tensor([1.0, -0.5])
    value = torch.stack([mmd(torch.randn(1000, 2) + m, torch.randn(1000, 2)) for _ in range(10)]).mean()
    expected = 2 * (2 / 4) * (1 - math.exp(-1.25 / 8))
    assert value.item() == pytest.approx(expected, rel=0.05)
    same = torch.stack([mmd(torch.randn(200, 2), torch.randn(200, 2)) for _ in range(50)])
    assert abs(same.mean().item()) < 3 * same.std().item() / 50**0.5 + 1e-4  # unbiased: some below 0
    assert (same < 0).any()


def test_stein_moves_samples_towards_the_prior():
    torch.manual_seed(0)
    z = (torch.randn(500, 1) + 3).requires_grad_()
    (gradient,) = torch.autograd.grad(stein(z, z), z)
    assert gradient.mean() > 0  # a step against it lowers the mean
    at_home = torch.randn(2000, 1, requires_grad=True)
    (rest,) = torch.autograd.grad(stein(at_home, at_home), at_home)
    assert rest.mean().abs() < 0.1 * gradient.mean()
    for _ in range(400):
        (gradient,) = torch.autograd.grad(stein(z, z), z)
        z = (z - 250 * gradient).detach().requires_grad_()  # half of phi a step
    assert z.mean().abs() < 0.1 and abs(z.std() - 1) < 0.15


def test_infovae_one_is_an_autoencoder_with_a_divergence(data, setting):
    model = InfoVAE(alpha=1, lam=5)
    net, draws = setting(model, data)
    terms = model.loss(net, **draws)
    assert terms["kl"].item() == 0
    q = model.q(net, draws["x"])
    assert_close(terms["mmd"], 5 * mmd(q.at(draws["eps"]), draws["prior"]))


@pytest.mark.parametrize(
    "model", [InfoVAE(divergence="adversarial"), AAE(), AAE(heads=4)], ids=["infovae", "aae", "heads"]
)
def test_adversaries_are_log_four_apart_at_chance_and_move_their_own(model, data, setting):
    net, draws = setting(model, data)
    for layer in [m for m in net.critic.modules() if isinstance(m, nn.Linear)]:
        nn.init.zeros_(layer.weight)
    terms = model.loss(net, **draws)
    parts = len(terms["critic"]) // 2
    assert_close(sum(terms["critic"].values()), torch.tensor(parts * math.log(2), dtype=torch.float64))
    encoder = list(net.encoder.parameters())
    moved = torch.autograd.grad(sum(terms["critic"].values()), encoder, allow_unused=True)
    assert all(g is None for g in moved)


def test_aae_codes_have_no_noise_and_no_kl(data, setting):
    model = AAE(heads=4)
    net, draws = setting(model, data)
    q = model.q(net, draws["x"])
    assert (model.codes(q).sd == 0).all() and model.rate(q) is None
    assert_close(q["y"].sum(1), torch.ones(16, dtype=torch.float64))
    assert model.blocks(net) == {"z": 10, "y": 4}
    plain, _ = setting(AAE(), data)
    assert AAE().blocks(plain) == {"z": 10}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AnnealedVAE(c_max=-1), "annealedvae.c_max: got -1, expected at least 0"),
        (lambda: AnnealedVAE(anneal=0), "annealedvae.anneal: got 0"),
        (lambda: FactorVAE(gamma=-1), "factorvae.gamma: got -1"),
        (lambda: BetaTCVAE(sampling="mss"), "betatcvae.sampling: got 'mss', expected one of stratified, weighted"),
        (lambda: DIPVAEII(lambda_od=-2), "dipvae_ii.lambda_od: got -2"),
        (lambda: InfoVAE(alpha=0, lam=0.5), "infovae.lam: got 0.5, expected at least 1 - alpha"),
        (lambda: InfoVAE(divergence="kl"), "infovae.divergence: got 'kl', expected one of mmd, stein, adversarial"),
        (lambda: AAE(heads=-1), "aae.heads: got -1"),
    ],
)
def test_impossible_settings_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
