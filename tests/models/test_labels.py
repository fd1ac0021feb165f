"""M1, M2 and M1+M2 against their equations: who is told what, what it weighs, what moves whom."""

import dataclasses
import math
from types import SimpleNamespace as Parts

import numpy as np
import pytest
import torch
from reached import moved
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn.functional import one_hot
from torch.testing import assert_close

from disentangle_bench.datasets import load
from disentangle_bench.models import m1
from disentangle_bench.models._labels import label_error
from disentangle_bench.models.m1 import M1
from disentangle_bench.models.m1m2 import M1M2
from disentangle_bench.models.m2 import M2
from disentangle_bench.models.vae import VAE
from disentangle_bench.training import evaluate
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stream import Stream

CPU, F64, UNIT = torch.device("cpu"), torch.float64, Normal(0.0, 1.0)


def total(terms):
    return torch.stack(list(terms.values())).sum()


def gaussian(mean, logvar):
    return Normal(mean, (logvar / 2).exp())


def nll(net, x, *codes):
    """-log p(x|codes), (n,)."""
    return -Bernoulli(logits=net.decoder(torch.cat(codes, 1))).log_prob(x).flatten(1).sum(1)


def classes(k, n=16):
    return one_hot(torch.full((n,), k), 3)


@pytest.mark.parametrize(
    ("options", "wrong", "error", "said"),
    [
        ({"fit": 400, "labels": 30.0}, range(400, 444), 0.25, "176 images that training does not see; 30 labels told"),
        ({"labels": 30.0}, "known", 0, "546 images whose labels it was not told; 30 labels told"),
        ({"labels": 30.0}, "unknown", 1, "546 images whose labels it was not told; 30 labels told"),
        ({}, range(144), 0.25, "576 images whose labels it was told; all labels told"),
    ],
)
def test_label_error_counts_what_a_run_was_not_told_where_there_is_such(options, wrong, error, said):
    held = dataclasses.replace(load("toy"), **options)
    known = held.known(7)
    wrong = {"known": known, "unknown": np.setdiff1d(np.arange(576), known)}.get(wrong, np.array(wrong))
    predicted = np.where(np.isin(np.arange(576), wrong), -1, held.factors[:, 0])
    got = label_error(predicted[held.scored], Parts(data=held), held.scored, 7, "a guess")
    assert got == (error, f"share of wrong shape by a guess, {said}")


# M1


def test_m1_fits_its_classifiers_to_told_images_alone(setting, monkeypatch):
    monkeypatch.setattr(m1, "label_error", lambda predicted, *_: (predicted, ""))
    model, some = M1(latents=4), Resident(load("toy(labels=30)"), CPU, F64)
    net, _ = setting(model, some)
    codes, _ = evaluate.encode(model, net, some, np.arange(576))
    known = np.isin(np.arange(576), some.data.known(1))

    def predicted():
        facts, _ = evaluate.findings(model, net, some, codes, np.arange(576), 1)
        return np.stack([facts[f"label_error.{name}"][0] for name in ("svm", "regression")])

    first = predicted()
    some.label[~known] = 2 - some.label[~known]
    np.testing.assert_array_equal(predicted(), first)
    some.label[known] = 2 - some.label[known]
    assert ((predicted() == 2 - first).mean(1) > 0.99).all()
    assert M1.loss is VAE.loss


# M2


def test_m2_loses_the_same_on_an_image_of_a_certain_class_told_or_not(data, setting):
    net, draws = setting(M2(), data)
    nn.init.zeros_(net.encoder.category.weight)
    with torch.no_grad():
        net.encoder.category.bias[2] = 500
    draws |= {"x_l": draws["x"], "y": torch.full((16,), 2), "eps_l": draws["eps"][:, 2]}
    told, untold = (M2().loss(net, **{**draws, "told": share}) for share in (1.0, 0.0))
    assert_close(told, untold)
    assert_close(told["kl_y"], torch.tensor(math.log(3), dtype=F64))


@pytest.mark.parametrize("told", [0.0, 0.3, 1.0])
def test_m2_of_one_class_is_the_vae(data, told):
    rng, model = Stream(0, "draws", CPU, F64), M2(latents=4)
    net = nn.ModuleDict(model.nets(Parts(shape=data.shape, classes=1))).double()
    x, eps, y = data.images(16, rng), rng.normal(16, 1, 4), torch.zeros(16, dtype=torch.long)
    terms = model.loss(net, x, eps, x, y, eps[:, 0], told)
    same = Parts(
        encoder=lambda x: [part[:, 0] for part in net.encoder(x)[1:]],
        decoder=lambda z: net.decoder(torch.cat([z, torch.ones_like(z[:, :1])], 1)),
    )
    vae = VAE(latents=4).loss(same, x, eps[:, 0])
    assert_close([terms["reconstruction"], terms["kl_z"]], [vae["reconstruction"], vae["kl"]])
    assert terms["kl_y"].item() == terms["classification"].item() == 0


def test_m2_sums_over_all_classes_of_an_image_that_has_no_label(data, setting):
    net, draws = setting(M2(alpha=0.0), data)
    x, expected = draws["x"], 0
    logits, mean, logvar = net.encoder(x)
    for k in range(3):
        q, log_q = gaussian(mean[:, k], logvar[:, k]), logits.log_softmax(1)[:, k]
        L = nll(net, x, q.mean + q.stddev * draws["eps"][:, k], classes(k)) + kl_divergence(q, UNIT).sum(1)
        expected += (log_q.exp() * (L + math.log(3) + log_q)).mean()
    assert_close(total(M2(alpha=0.0).loss(net, **{**draws, "told": 0.0})), expected)


def test_m2_is_the_papers_sum_over_images_divided_by_their_number(data, setting):
    """Of N = 320 images 16 are told: J = sum L + sum U + 0.1 N E[-log q(y|x)]. So it is linear in `told`."""
    net, draws = setting(M2(), data)
    at = {told: M2().loss(net, **{**draws, "told": told}) for told in (0.0, 0.05, 1.0)}
    L, U = (total(at[told]) - at[told]["classification"] for told in (1.0, 0.0))
    log_q = M2().q(net, draws["x_l"]).logits.log_softmax(1)[range(16), draws["y"]]
    assert_close(320 * total(at[0.05]), 16 * L + 304 * U - 0.1 * 320 * log_q.mean())
    other = M2().loss(net, **{**draws, "x": 1 - draws["x"], "told": 1.0})
    assert_close(other, at[1.0], rtol=0, atol=0)


def test_m2_classifies_with_the_encoder_alone(data, setting):
    net, draws = setting(M2(), data)
    loss, e = M2().loss(net, **draws)["classification"], net.encoder
    assert moved(loss, e.trunk, e.category, e.mean, e.logvar, net.decoder) == [True, True, False, False, False]


def test_m2_shows_the_same_z_with_every_class(data, setting):
    model, seen = M2(latents=4), []
    net, _ = setting(model, data)
    net.decoder.register_forward_pre_hook(lambda _, codes: seen.append(codes[0]))
    codes = Parts(clusters=data.data.factors[:, 0])
    found = model.findings(net, data, np.arange(576), codes, Stream(1, "findings", CPU, F64))
    ((images, names),) = found.sheets.values()
    z, y = seen[0].view(3, 8, 7).split([4, 3], 2)
    assert images.shape == (3, 8, 1, 16, 16) and names == ["y = 0", "y = 1", "y = 2"]
    assert (z == z[:1]).all() and len(z[0].unique(dim=0)) == 8
    assert torch.equal(y, torch.eye(3, dtype=F64)[:, None].expand(3, 8, 3))
    assert found.facts["label_error"][0] == 0


def test_codes_of_m2_are_z_of_the_likeliest_class_and_q_of_y(data, setting):
    model = M2(latents=4)
    net, draws = setting(model, data)
    q = model.q(net, draws["x"])
    codes, own = model.codes(q), model.clusters(q)
    z = gaussian(*(part[range(16), own] for part in (q.parts.mean, q.parts.logvar)))
    assert_close(codes.mean, torch.cat([z.mean, q.logits.softmax(1)], 1))
    assert_close(codes.sd, torch.cat([z.stddev, torch.zeros(16, 3, dtype=F64)], 1))
    assert_close(model.mode(q), torch.cat([z.mean, one_hot(own, 3)], 1))
    assert model.blocks(net) == {"z": 4, "y": 3}
    terms = model.loss(net, **{**draws, "told": 0.0})
    assert_close(model.rate(q).sum(1).mean(), terms["kl_y"] + terms["kl_z"])


# M1 + M2


def test_m1_and_m2_stacked_do_not_move_each_other(data, setting):
    net, draws = setting(M1M2(latents=4, features=6, hidden=20), data)
    terms = M1M2(latents=4, features=6, hidden=20).loss(net, **{**draws, "told": 0.5})
    names = ("features", "pixels", "encoder", "decoder")
    for player, own in M1M2.players.items():
        for term in terms[player].values():
            others = [net[name] for name in names if name not in own]
            assert moved(term, *others) == [False, False]
        assert moved(total(terms[player]), *(net[name] for name in own)) == [True, True]


def test_m1_and_m2_stacked_are_the_vae_on_x_and_m2_on_its_sample(data, setting):
    model = M1M2(latents=4, features=6, hidden=20)
    net, draws = setting(model, data)
    eps_h, h = draws["eps_h"], []
    vae = VAE(latents=6).loss(Parts(encoder=net.features, decoder=net.pixels), draws["x"], eps_h[:16])
    for x, noise in (draws["x"], eps_h[:16]), (draws["x_l"], eps_h[16:]):
        q = gaussian(*net.features(x))
        h.append(q.mean + q.stddev * noise)
    code = torch.cat([draws["eps_l"], one_hot(draws["y"], 3)], 1)
    mean, logvar = net.decoder(code).split(6, 1)
    assert_close(model.nll(net, h[1], code), -gaussian(mean, logvar).log_prob(h[1]).sum(1))
    terms = model.loss(net, **{**draws, "told": 0.3})
    assert_close(terms["m1"], vae)
    q, q_l = (M2.q(model, net, part) for part in h)
    inner = model.bound(net, q, h[0], draws["eps"], q_l, h[1], draws["y"], draws["eps_l"], 0.3)
    assert_close(terms["m2"], inner)
    assert_close(model.q(net, draws["x"]).logits, net.encoder(net.features(draws["x"])[0])[0])
    assert_close(model.decode(net, code), net.pixels(mean))
