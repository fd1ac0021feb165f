"""Generalised M2 against enumeration, against integrals, and against M2, which it is where y does not depend on z."""

import math
from types import SimpleNamespace as Parts

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn.functional import one_hot
from torch.testing import assert_close

from disentangle_bench.models.generalised_m2 import GeneralisedM2
from disentangle_bench.models.m2 import M2

F64, UNIT = torch.float64, Normal(0.0, 1.0)


class ByHand:
    """One unit of z and three classes: q(z|x) = N(0.3, 0.8^2), y and four pixels depend on z in a way of their own."""

    mean, sd = torch.tensor(0.3, dtype=F64), torch.tensor(0.8, dtype=F64)
    slope, start = torch.tensor([[2.0, -1.0, 0.3], [0.1, 0.5, -0.4]], dtype=F64)
    pixels = torch.tensor([[1.0, -2, 0.5, 0], [0, 1, -1, 2], [1, 1, 0, -1], [-2, 0, 1, 1]], dtype=F64)

    def trunk(self, x):
        return x.flatten(1)

    def z_1(self, h):
        return torch.stack([self.mean, 2 * self.sd.log()]).expand(*h.shape[:-1], 2)

    def y(self, seen):
        return seen[..., -1:] * self.slope + self.start

    def z_2(self, h):
        return h[..., :0]

    def decoder(self, code):
        return (code @ self.pixels).view(-1, 1, 2, 2)


def test_with_many_proposals_it_is_the_integral_over_z_and_above_the_evidence():
    x = torch.tensor([1.0, 0, 0, 1], dtype=F64).view(1, 1, 2, 2)
    net, model, S = ByHand(), GeneralisedM2(latents=1), 2000
    eps = UNIT.icdf((torch.arange(S, dtype=F64) + 0.5) / S).view(1, S, 1)  # evenly, so that chance has no part in it
    z = torch.linspace(-9, 9, 20_001, dtype=F64)
    log_q, log_p = Normal(net.mean, net.sd).log_prob(z), UNIT.log_prob(z)
    for y in range(3):
        got = model.known(net, x, torch.tensor([y]), eps, eps[..., :0])
        log_y = net.y(z[:, None]).log_softmax(1)[:, y]
        code = torch.cat([z[:, None], one_hot(torch.full((len(z),), y), 3)], 1)
        log_x = Bernoulli(logits=net.decoder(code)).log_prob(x).flatten(1).sum(1)
        evidence = torch.trapezoid((log_p + log_x).exp(), z).log() - math.log(3)
        q_y = torch.trapezoid((log_q + log_y).exp(), z)
        given = (log_q + log_y).exp() / q_y  # q(z|x, y)
        bound = -torch.trapezoid(log_q.exp() * log_y, z)
        exact = torch.trapezoid(given * (-log_x + log_q + log_y - log_p + math.log(3)), z) + bound
        assert_close(got["bound"], bound, rtol=1e-3, atol=1e-3)
        assert_close(got["reconstruction"], -torch.trapezoid(given * log_x, z), rtol=1e-3, atol=1e-3)
        assert_close(got["reconstruction"] + got["kl_z"] + got["kl_y"], exact, rtol=1e-3, atol=1e-3)
        assert got["bound"] > -q_y.log() + 0.01 and exact > -evidence + 0.01


def copied(model, m2, net):
    """Networks of `model` that compute what those of M2 do."""
    e, width, after = net.encoder, net.encoder.category.in_features, model.after
    heads = torch.nn.Linear(width + 3, 2 * after, dtype=F64)
    with torch.no_grad():
        heads.weight.copy_(torch.cat([e.mean.weight, e.logvar.weight]))
        heads.bias.copy_(torch.cat([e.mean.bias, e.logvar.bias]))
    return Parts(trunk=e.trunk, z_1=lambda h: h[..., :0], y=e.category, z_2=heads, decoder=net.decoder)


def test_where_all_of_z_depends_on_y_it_is_m2(data, setting):
    model, m2 = GeneralisedM2(latents=4, after=4, S=1), M2(latents=4)
    net, draws = setting(m2, data)
    own, nothing = copied(model, m2, net), torch.zeros(16, 0, dtype=F64)
    for told in (0.0, 0.3, 1.0):
        expected = m2.loss(net, **{**draws, "told": told})
        noise = nothing, draws["eps"], draws["x_l"], draws["y"], nothing[:, None], draws["eps_l"][:, None]
        assert_close(model.loss(own, draws["x"], *noise, told), expected)
    q, other = model.q(own, draws["x"]), m2.q(net, draws["x"])
    assert_close(model.codes(q).mean, m2.codes(other).mean)
    assert_close(model.codes(q).sd, m2.codes(other).sd)
    assert_close(model.mode(q), m2.mode(other))


def test_where_y_does_not_depend_on_z_it_is_m2_whatever_s(data, setting):
    """Noise of 1 and -1 in turn, for which log q(z|x) - log p(z) has the mean that it has over all noise."""
    model, m2 = GeneralisedM2(latents=4, S=6), M2(latents=4)
    net, draws = setting(model, data)
    width = net.y.in_features - 4
    torch.nn.init.zeros_(net.y.weight[:, width:])
    signs = torch.where(draws["eps_l1"][:, :3] > 0, 1.0, -1.0).double()
    eps = torch.cat([signs, -signs], 1)
    got = model.loss(net, **{**draws, "eps_l1": eps, "told": 0.3})

    def encoder(x):
        h = net.trunk(x)
        mean, logvar = (part[:, None].expand(-1, 3, -1) for part in net.z_1(h).chunk(2, 1))
        return net.y(torch.cat([h, 0 * mean[:, 0]], 1)), mean, logvar

    same = Parts(encoder=encoder, decoder=net.decoder)
    eps_u = draws["eps_1"][:, None].expand(-1, 3, -1)
    each = [m2.loss(same, draws["x"], eps_u, draws["x_l"], draws["y"], eps[:, s], 0.3) for s in range(6)]
    assert_close(got, {name: torch.stack([terms[name] for terms in each]).mean(0) for name in each[0]})


@pytest.mark.parametrize("after", [0, 1])
def test_weights_add_up_to_one_so_that_copies_of_a_proposal_change_nothing(data, setting, after):
    model = GeneralisedM2(latents=3, after=after, S=2)
    net, draws = setting(model, data)
    noise = draws["eps_l1"], draws["eps_l2"]
    first = model.known(net, draws["x_l"], draws["y"], *noise)
    copies = model.known(net, draws["x_l"], draws["y"], *(part.repeat(1, 5, 1) for part in noise))
    assert_close(copies, first)
    one = model.known(net, draws["x_l"], draws["y"], *(part[:, :1] for part in noise))
    assert_close(one["kl_y"], torch.tensor(math.log(3), dtype=F64))  # a single weight is 1, whatever q(y|z, x)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_without_a_label_it_sums_over_all_classes(data, setting, after):
    model = GeneralisedM2(latents=3, after=after)
    net, draws = setting(model, data)
    x, expected = draws["x"], {"reconstruction": 0, "kl_z": 0, "kl_y": 0}
    h = net.trunk(x)
    mean, logvar = net.z_1(h).split(3 - after, 1) if after < 3 else (h[:, :0], h[:, :0])
    q_1 = Normal(mean, (logvar / 2).exp())
    z_1 = q_1.mean + q_1.stddev * draws["eps_1"]
    log_y = net.y(torch.cat([h, z_1], 1)).log_softmax(1)
    for k in range(3):
        own, w = one_hot(torch.full((16,), k), 3), log_y[:, k].exp()
        mean, logvar = net.z_2(torch.cat([h, z_1, own], 1)).tensor_split([after], 1)
        q_2 = Normal(mean, (logvar / 2).exp())
        code = torch.cat([z_1, q_2.mean + q_2.stddev * draws["eps_2"][:, k], own], 1)
        kl = kl_divergence(q_1, UNIT).sum(1) + kl_divergence(q_2, UNIT).sum(1)
        log_x = Bernoulli(logits=net.decoder(code)).log_prob(x).flatten(1).sum(1)
        for name, cost in {"reconstruction": -log_x, "kl_z": kl, "kl_y": log_y[:, k] + math.log(3)}.items():
            expected[name] += (w * cost).mean()
    terms = model.loss(net, **{**draws, "told": 0.0})
    assert_close({name: terms[name] for name in expected}, expected)
    assert model.blocks(net) == {k: v for k, v in {"z_1": 3 - after, "z_2": after, "y": 3}.items() if v}


def test_gamma_weighs_all_that_is_told_and_alpha_the_classification(data, setting):
    model = GeneralisedM2(latents=3, alpha=0.2, gamma=5.0)
    net, draws = setting(model, data)
    U = model.unknown(net, draws["x"], draws["eps_1"], draws["eps_2"])
    S = model.known(net, draws["x_l"], draws["y"], draws["eps_l1"], draws["eps_l2"])
    got = model.loss(net, **{**draws, "told": 0.25})
    assert_close(got, {**{k: 0.75 * U[k] + 1.25 * S[k] for k in U}, "classification": S["bound"]})
