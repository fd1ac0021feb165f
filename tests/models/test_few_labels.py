"""What models of some labels are told; S2-beta-VAE, the classifier and AAEs of labels against their equations."""

import dataclasses
from functools import partial
from types import SimpleNamespace as Parts

import pytest
import torch
from reached import moved
from torch.autograd import grad
from torch.nn.functional import one_hot, relu
from torch.testing import assert_close

from disentangle_bench.datasets import load
from disentangle_bench.models._probability import bernoulli_nll
from disentangle_bench.models.aae import AAE
from disentangle_bench.models.aae_reduce import AAEReduce, nearness
from disentangle_bench.models.aae_semi import AAESemi
from disentangle_bench.models.betavae import BetaVAE
from disentangle_bench.models.classifier import Classifier
from disentangle_bench.models.factorvae import critic
from disentangle_bench.models.generalised_m2 import GeneralisedM2
from disentangle_bench.models.m1 import M1
from disentangle_bench.models.m1m2 import M1M2
from disentangle_bench.models.m2 import M2
from disentangle_bench.models.s2betavae import S2BetaVAE
from disentangle_bench.runner.plan import Study
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stream import Stream

CPU, F64 = torch.device("cpu"), torch.float64


@pytest.fixture(autouse=True)
def narrow_critics(monkeypatch):
    monkeypatch.setattr("disentangle_bench.models.aae.critic", partial(critic, width=20))


def total(terms):
    return torch.stack(list(terms.values())).sum()


@pytest.fixture(scope="module")
def some():
    return Resident(load("toy(labels=30)"), CPU, F64)


@pytest.mark.parametrize("kind", [M2, M1M2, GeneralisedM2, Classifier, S2BetaVAE, AAESemi, AAEReduce])
def test_images_that_come_with_labels_are_those_that_the_run_is_told(kind, some):
    draws = kind().draw(some, 64, 0, Stream(5, "draws", CPU, F64))
    images = some.at(torch.arange(576)).flatten(1)

    def rows(x):
        return [int((images == one).all(1).nonzero()[0]) for one in x.flatten(1)]

    told, known = rows(draws["x" if kind is Classifier else "x_l"]), set(some.data.known(5))
    assert set(told) <= known and len(set(told)) > 20
    assert kind is Classifier or not set(rows(draws["x"])) <= known
    if kind is S2BetaVAE:
        assert_close(draws["v"], torch.from_numpy(some.data.factors[told] / [2, 2, 7, 7]), atol=1e-7, rtol=0)
    else:
        assert draws["y"].tolist() == some.data.factors[told, 0].tolist()
    assert draws.get("told", 30 / 576) == 30 / 576


# S2-beta-VAE


def test_s2_without_its_weight_is_the_beta_vae(data, setting):
    net, draws = setting(S2BetaVAE(beta=3.0), data)
    terms = S2BetaVAE(beta=3.0, gamma=0.0).loss(net, **draws)
    assert terms.pop("supervision").item() == 0
    assert_close(terms, BetaVAE(beta=3.0).loss(net, draws["x"], draws["eps"]))


@pytest.mark.parametrize("kind", ["xent", "l2"])
def test_s2_tells_factor_i_to_unit_i_a_mean_over_images_of_sums_over_factors(kind, data):
    mu, v = torch.tensor([[0.5, -1.0, 2.0, 7.0], [0.0, 0.3, -2.0, 9.0]]), torch.tensor([[1, 0.5, 0], [0, 0.25, 1]])
    s = mu[:, :3].sigmoid()
    each = {"xent": -(v * s.log() + (1 - v) * (1 - s).log()), "l2": (mu[:, :3] - v) ** 2}[kind]
    model, x = S2BetaVAE(latents=4, gamma=5.0, supervision=kind), torch.zeros(2, 1)
    net = Parts(encoder=lambda x: (mu.repeat(len(x) // 2, 1), torch.zeros(len(x), 4)), decoder=lambda z: z[:, :1])
    for copies in (1, 32):  # the study's code sums over the batch, too
        terms = model.loss(net, x, torch.zeros(2, 4), x.repeat(copies, 1), v.repeat(copies, 1))
        assert_close(terms["supervision"], 5 * each.sum() / 2)


def test_s2_supervises_means_of_as_many_units_as_there_are_factors(data, setting):
    net, draws = setting(S2BetaVAE(), data)
    loss = S2BetaVAE().loss(net, **draws)["supervision"]
    assert moved(loss, net.encoder.trunk, net.encoder.logvar, net.decoder) == [True, False, False]
    assert grad(loss, net.encoder.mean.bias)[0].ne(0).tolist() == [True] * 4 + [False] * 6


# Classifier


def test_the_reader_draws_what_the_classifier_sees_and_never_moves_it(data, setting):
    net, draws = setting(Classifier(), data)
    terms = Classifier().loss(net, **draws)
    parts = net.encoder, net.label, net.decoder
    assert moved(terms["classifier"]["classification"], *parts) == [True, True, False]
    assert moved(terms["reader"]["reconstruction"], *parts) == [False, False, True]
    z, logits = Classifier().q(net, draws["x"])
    assert_close(logits, net.label(relu(z)))
    assert_close(terms["classifier"]["classification"], -logits.log_softmax(1)[range(16), draws["y"]].mean())
    assert_close(terms["reader"]["reconstruction"], bernoulli_nll(draws["x"], net.decoder(z)).mean())
    codes = Classifier().codes((z, logits))
    assert torch.equal(codes.mean, z) and not codes.sd.any()
    assert torch.equal(Classifier().clusters((z, logits)), logits.argmax(1))


# Adversarial autoencoders


def test_semi_supervised_aae_without_its_weight_is_the_aae_of_as_many_heads(data, setting):
    net, draws = setting(AAESemi(alpha=0.0), data)
    terms = AAESemi(alpha=0.0).loss(net, **draws)
    assert terms["autoencoder"].pop("classification").item() == 0
    assert_close(terms, AAE(heads=3).loss(net, draws["x"], draws["prior"], draws["category"]))
    assert AAESemi().blocks(net) == {"z": 10, "y": 3} and AAESemi(heads=5).K(data) == 5


def test_semi_supervised_aae_classifies_logits_so_that_it_can_reach_zero(data, setting):
    net, draws = setting(AAESemi(), data)
    for size, expected in (50.0, 0.0), (0.0, 10 * torch.log(torch.tensor(3.0, dtype=F64))):
        heads = size * one_hot(draws["y"], 3).double()
        sure = Parts(
            encoder=lambda x, y=heads: torch.cat([x.new_zeros(16, 10), y], 1), decoder=net.decoder, critic=net.critic
        )
        loss = AAESemi().loss(sure, **draws)["autoencoder"]["classification"]
        assert_close(loss, torch.as_tensor(expected, dtype=F64), atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("kind", [AAESemi, AAEReduce])
def test_critics_of_aaes_never_move_the_encoder_and_labels_move_it_alone(kind, data, setting):
    net, draws = setting(kind(), data)
    terms = kind().loss(net, **draws)
    assert moved(total(terms["critic"]), net.encoder, net.decoder, net.critic) == [False, False, True]
    assert moved(terms["autoencoder"]["classification"], net.encoder, net.decoder) == [True, False]


def test_heads_nearer_than_eta_are_pushed_apart_at_a_linear_cost_and_others_cost_nothing():
    corners = torch.tensor([[0.0, 0], [3, 0], [0, 4]], dtype=F64)  # 3, 4 and 5 apart
    costs = [nearness(corners, eta).item() for eta in (2.0, 3.5, 5.0, 6.0)]
    assert costs == pytest.approx([0, 0.5, 3, 6])
    heads = torch.tensor([[0.0, 0], [1, 0]], dtype=F64, requires_grad=True)
    (push,) = grad(nearness(heads, 4.0), heads)
    assert_close(push, torch.tensor([[1.0, 0], [-1, 0]], dtype=F64))  # downhill is away from each other
    same = torch.zeros(3, 2, dtype=F64, requires_grad=True)
    cost = nearness(same, 4.0)
    assert cost.item() == pytest.approx(12) and grad(cost, same)[0].isfinite().all()


def test_the_code_of_the_reducing_aae_is_the_head_and_style(data, setting):
    model = AAEReduce(latents=4, apart=2.0)
    net, draws = setting(model, data)
    z, y = net.encoder(draws["x"]).split([4, 3], 1)
    u = y.softmax(1) @ net.heads.weight.T + z
    q = model.q(net, draws["x"])
    assert_close(model.codes(q).mean, u)
    assert_close(model.mode(q), u)
    assert torch.equal(model.clusters(q), y.argmax(1)) and model.blocks(net) == {"u": 4}
    terms = model.loss(net, **draws)["autoencoder"]
    same = Parts(encoder=net.encoder, critic=net.critic, decoder=lambda zy: net.decoder(zy[:, :4]))
    semi = AAESemi(latents=4).loss(same, **draws)["autoencoder"]
    assert_close(terms["reconstruction"], bernoulli_nll(draws["x"], net.decoder(u)).mean())
    for name in ("adversarial", "classification"):
        assert_close(terms[name], semi[name])
    assert_close(terms["apart"], 2 * nearness(net.heads.weight.T, 4.0))
    assert moved(terms["reconstruction"], net.heads) == [True] and "heads" in AAEReduce.players["autoencoder"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: S2BetaVAE(latents=3), "s2betavae: latents is 3, and the 4 factors of 'toy' need a unit each"),
        (lambda: S2BetaVAE(supervision="rank"), "s2betavae.supervision: got 'rank', expected one of xent, l2"),
        (lambda: S2BetaVAE(gamma=-1.0), "s2betavae.gamma: got -1.0, expected at least 0"),
        (lambda: M2(alpha=-1.0), "m2.alpha: got -1.0"),
        (lambda: M1M2(features=0), "m1m2.features: got 0, expected at least 1"),
        (lambda: GeneralisedM2(S=0), "generalised_m2.S: got 0, expected at least 1"),
        (lambda: GeneralisedM2(after=51), "generalised_m2.after: got 51, expected 0 to 50, which are all latents"),
        (lambda: AAESemi(heads=2), "aae_semi: heads is 2, and data set 'toy' has 3 classes; 0 takes one head each"),
        (lambda: AAEReduce(heads=2), "aae_reduce: heads is 2"),
        (lambda: AAESemi(alpha=-1.0), "aae_semi.alpha: got -1.0"),
        (lambda: AAEReduce(eta=-1.0), "aae_reduce.eta: got -1.0"),
    ],
)
def test_what_cannot_be_is_refused_by_name_before_training(make, message):
    with pytest.raises(ValueError, match=message):
        Study([make()], ["toy"]).runs()


def test_classes_need_a_label_and_factors_none():
    nameless = dataclasses.replace(load("toy"), label=None)
    for kind in (M1, M2, M1M2, GeneralisedM2, Classifier, AAESemi, AAEReduce):
        with pytest.raises(ValueError, match="needs labels, and data set 'toy' has none"):
            kind().fits(nameless)
    S2BetaVAE().fits(nameless)
