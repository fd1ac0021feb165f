"""CatVAE, InfoCatVAE and N-VAE against their equations."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot
from torch.testing import assert_close

from disentangle_bench.models._probability import bernoulli_nll
from disentangle_bench.models.catvae import CatVAE
from disentangle_bench.models.infocatvae import InfoCatVAE
from disentangle_bench.models.nvae import NVAE, mask
from disentangle_bench.models.vae import VAE
from disentangle_bench.training.stream import Stream

CPU = torch.device("cpu")


@pytest.mark.parametrize("decoding", ["marginal", "soft", "gumbel"])
def test_one_class_at_the_origin_is_the_vae(decoding, data, setting):
    model = CatVAE(classes=1, lam=0.0, latents=4, decoding=decoding)
    net, draws = setting(model, data)
    terms = model.loss(net, **draws)
    q = model.q(net, draws["x"]).parts
    z = q.at(draws["eps"])[:, 0]
    assert_close(terms["reconstruction"], bernoulli_nll(draws["x"], net.decoder(z)).mean())
    normal = torch.distributions.Normal(q.mean[:, 0], q.sd[:, 0])
    kl = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    assert_close(terms["kl_z"] + terms["kl_c"], kl)


def test_prior_means_are_equally_far_apart():
    means = CatVAE(latents=2, lam=2.0).prior_means(10, torch.zeros(1, dtype=torch.float64))
    apart = torch.cdist(means, means)[~torch.eye(10, dtype=torch.bool)]
    assert_close(apart, torch.full_like(apart, 4.0))  # lam sqrt(2 delta)
    assert_close((means * means.roll(1, 0)).sum(), torch.tensor(0.0, dtype=torch.float64))


def test_kl_of_a_certain_class_is_the_shifted_gaussian_s_and_log_k(data, setting):
    model = CatVAE(classes=5)
    net, draws = setting(model, data)
    nn.init.zeros_(net.encoder.category.weight)
    with torch.no_grad():
        net.encoder.category.bias[3] = 200
    terms = model.loss(net, **draws)
    q = model.q(net, draws["x"])
    own = torch.distributions.Normal(q.parts.mean[:, 3], q.parts.sd[:, 3])
    prior = torch.distributions.Normal(model.prior_means(5, draws["x"])[3], 1.0)
    assert_close(terms["kl_c"], torch.tensor(math.log(5), dtype=torch.float64))
    assert_close(terms["kl_z"], torch.distributions.kl_divergence(own, prior).sum(1).mean())
    for decoding in ("soft", "gumbel"):  # with nothing to choose all ways of decoding agree but for their noise
        other = CatVAE(classes=5, decoding=decoding)
        u = {"u": torch.full((16, 5), 0.5, dtype=torch.float64)} if decoding == "gumbel" else {}
        same = draws["eps"][:, :1].expand(16, 5, 10)
        assert_close(
            other.loss(net, draws["x"], same, **u)["reconstruction"],
            model.loss(net, draws["x"], same)["reconstruction"],
        )


def test_the_marginal_expectation_is_exact(data, setting):
    model = CatVAE(classes=3)
    net, draws = setting(model, data, n=5)
    q = model.q(net, draws["x"])
    expected = sum(
        (q.w[:, c] * bernoulli_nll(draws["x"], net.decoder(q.parts.at(draws["eps"])[:, c]))).mean() for c in range(3)
    )
    assert_close(model.loss(net, **draws)["reconstruction"], expected)


def test_gumbel_decodes_one_class_and_moves_q_of_c(data, setting):
    """Forward a one-hot choice, drawn with the frequencies of q(c|x); backward a gradient to its logits."""
    model = CatVAE(classes=3, decoding="gumbel")
    net, draws = setting(model, data, n=8)
    loss = model.loss(net, **draws)["reconstruction"]
    (gradient,) = torch.autograd.grad(loss, net.encoder.category.weight)
    assert gradient.abs().sum() > 0
    logits = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64).log()
    u = torch.rand(20_000, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    drawn = (logits - (-u.log()).log()).argmax(1)
    assert_close(drawn.bincount() / 20_000, logits.exp().float(), atol=0.02, rtol=0)


def test_information_is_zero_when_classes_can_be_read_and_log_k_when_not(data, setting):
    model = InfoCatVAE(classes=4, info=3.0)
    net, draws = setting(model, data)
    nn.init.zeros_(net.encoder.category.weight)
    nn.init.zeros_(net.encoder.category.bias)
    assert_close(model.loss(net, **draws)["information"], torch.tensor(3 * math.log(4), dtype=torch.float64))

    class Honest(nn.Module):
        """Draws the class's block of z; q(c) reads it: cross entropy on logits can reach 0, on probabilities not."""

        def __init__(self):
            super().__init__()
            self.encoder = Reader()

        def decoder(self, z):
            first = 50 * (z.view(-1, 4, 2).mean(2) - 1)
            return torch.cat([first, torch.zeros(len(z), 252, dtype=z.dtype)], 1).view(-1, 1, 16, 16)

    class Reader(nn.Module):
        def forward(self, x):
            n, d = len(x), torch.zeros(len(x), 4, 8, dtype=x.dtype)
            return 1e3 * (x.flatten(1)[:, :4] - 0.5).view(n, 4), d, d

    far = model.loss(Honest(), draws["x"], draws["eps"], 0 * draws["eps_prior"])
    assert far["information"].item() == pytest.approx(0, abs=1e-9)


def test_information_moves_encoder_and_decoder(data, setting):
    model = InfoCatVAE(classes=4)
    net, draws = setting(model, data)
    information = model.loss(net, **draws)["information"]
    for part in (net.decoder, net.encoder.category):
        moved = torch.autograd.grad(information, list(part.parameters()), retain_graph=True)
        assert all(g.abs().sum() > 0 for g in moved)


def test_catvae_codes_hold_the_mixture_and_q_of_c(data, setting):
    model = CatVAE(classes=3)
    net, draws = setting(model, data, n=4)
    q = model.q(net, draws["x"])
    codes = model.codes(q)
    assert model.blocks(net) == {"z": 6, "c": 3}
    assert_close(codes.mean[:, :6], (q.w[..., None] * q.parts.mean).sum(1))
    assert_close(codes.mean[:, 6:], q.w)
    assert (codes.sd[:, 6:] == 0).all() and (codes.sd[:, :6] > 0).all()
    total = (model.loss(net, **draws)["kl_c"] + model.loss(net, **draws)["kl_z"]).detach()
    assert_close(model.rate(q).sum(1).mean().detach(), total)


# N-VAE


def test_the_mask_has_exactly_one_block():
    z_c, y = torch.randn(6, 3), torch.tensor([0, 1, 2, 2, 1, 0])
    masked = mask(z_c, one_hot(y, 3).float())
    assert ((masked != 0).sum(1) == 4).all()
    blocks = masked.view(6, 3, 4)
    assert_close(blocks[range(6), y], torch.cat([torch.ones(6, 1), z_c], 1))


def test_the_decoder_of_a_class_does_not_know_the_others_weights(data, setting):
    """The gradient of class 1's image in the first layer's weights of class 2's block is zero."""
    model = NVAE(latents=2, masked=3)
    net, _ = setting(model, data, n=4)
    z = torch.cat([torch.randn(4, 5, dtype=torch.float64), one_hot(torch.full((4,), 1), data.classes)], 1)
    first = next(m for m in net.decoder.modules() if isinstance(m, nn.Linear))
    (gradient,) = torch.autograd.grad(model.decode(net, z).sum(), first.weight)
    blocks = gradient[:, 2:].view(-1, data.classes, 4)
    assert (blocks[:, [0, 2]] == 0).all() and blocks[:, 1].abs().sum() > 0


def test_without_masked_units_it_is_a_conditional_vae_with_a_classifier(data, setting):
    model = NVAE(latents=4, masked=0, beta_c=1.0, label_weight=1.0)
    net, draws = setting(model, data)
    terms = model.loss(net, **draws)
    assert terms["kl_c"].item() == 0
    q, logits = model.q(net, draws["x"])
    y = one_hot(draws["y"], data.classes).double()
    assert_close(
        terms["reconstruction"],
        bernoulli_nll(draws["x"], net.decoder(torch.cat([q.at(draws["eps"]), y], 1))).mean(),
    )
    assert_close(terms["label"], -logits.log_softmax(1)[range(16), draws["y"]].mean())
    assert_close(terms["kl_s"], VAE.rate(model, q).sum(1).mean())


def test_true_classes_are_decoded_in_training_and_guessed_ones_afterwards(data, setting):
    model = NVAE()
    net, draws = setting(model, data)
    assert torch.equal(draws["y"], data.labels(torch.arange(576))[[*find(data, draws["x"])]])
    q = model.q(net, draws["x"])
    assert torch.equal(model.mode(q)[:, -data.classes :].argmax(1), model.clusters(q))


def find(data, images):
    everything = data.at(torch.arange(len(data))).flatten(1)
    return [(everything == image.flatten()).all(1).long().argmax().item() for image in images]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CatVAE(classes=-1), "catvae.classes: got -1, expected at least 0"),
        (lambda: CatVAE(decoding="hard"), "catvae.decoding: got 'hard', expected one of marginal, soft, gumbel"),
        (lambda: InfoCatVAE(info=-1), "infocatvae.info: got -1"),
        (lambda: NVAE(beta_c=-1), "nvae.beta_c: got -1"),
        (lambda: NVAE(masked=-1), "nvae.masked: got -1"),
    ],
)
def test_impossible_settings_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_weights_of_the_kls_cool_geometrically_and_balance_is_a_kl_of_the_batch(data, setting):
    plain, other = CatVAE(classes=3), CatVAE(classes=3, beta_c=2.0, beta_z=3.0, hot=16.0, cool=400, balance=7.0)
    net, draws = setting(plain, data)
    heats = [other.draw(data, 2, t, Stream(0, "draws", CPU, torch.float64))["heat"] for t in (0, 100, 200, 400, 9000)]
    assert heats == pytest.approx([16, 8, 4, 1, 1]) and draws["heat"] == 1
    one, two = plain.loss(net, **draws), other.loss(net, **{**draws, "heat": 4.0})
    assert_close(two["reconstruction"], one["reconstruction"])
    assert_close(two["kl_c"], 8 * one["kl_c"])
    assert_close(two["kl_z"], 12 * one["kl_z"])
    share = plain.q(net, draws["x"]).w.mean(0)
    uniform = torch.distributions.Categorical(torch.ones(3, dtype=torch.float64) / 3)
    assert_close(two["balance"], 7 * torch.distributions.kl_divergence(torch.distributions.Categorical(share), uniform))
    assert "balance" not in one
