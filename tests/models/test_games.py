"""InfoGAN and InfoGAN-CR: what Q's reading is worth, who moves whom, pairs of codes, spectral norms."""

import copy
import math
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from reached import moves
from torch import nn
from torch.nn.functional import cross_entropy, normalize, one_hot
from torch.testing import assert_close

from disentangle_bench.models.infogan import InfoGAN
from disentangle_bench.models.infogan_cr import InfoGANCR, Spectral, apart
from disentangle_bench.training.stack import Stack, networks
from disentangle_bench.training.stream import Stream

GAN, CR = partial(InfoGAN, network="dense"), partial(InfoGANCR, network="dense")


def stream(seed=0):
    return Stream(seed, "draws", torch.device("cpu"), torch.float64)


def staged(x, logit, units=5, said=None):
    """Networks whose generator draws x; D answers `logit` to any image, H `said`, and Q nothing."""
    return SimpleNamespace(
        generator=lambda z: x.clamp(1e-6, 1 - 1e-6).logit().repeat(len(z) // len(x), 1, 1, 1),
        look=lambda x: x.flatten(1),
        D=lambda seen: logit.expand(len(seen), 1),
        Q=lambda seen: seen.new_zeros(len(seen), units),
        H=lambda images: said.expand(len(images), units),
    )


def test_q_misses_nothing_of_a_category_that_it_reads_and_log_k_or_more_of_one_that_it_ignores():
    """So that the bound on the information, H(c) less what is missed, is H(c) at most and at most 0 for the blind."""
    model = GAN(categories=7, lam=3.0, lam_c=0.0)
    k, c, numbers = torch.arange(7), torch.zeros(7, 5), torch.zeros(7, 5)
    assert model.information(torch.cat([numbers, 1000.0 * one_hot(k)], 1), c, k).item() == 0
    ignored = model.information(torch.zeros(7, 12), c, k)
    assert_close(ignored, torch.tensor(3 * math.log(7)))
    for seed in range(5):  # whatever it tells without looking
        told = torch.randn(1, 12, generator=torch.Generator().manual_seed(seed)).expand(7, 12)
        assert model.information(told, c, k) > ignored


def test_a_perfect_reading_of_the_numbers_with_deviation_one_costs_nothing():
    model, c = GAN(categories=0, lam_c=0.2), stream().uniform(6, 5)
    assert_close(model.information(c, c, None).item(), 0.0)
    assert_close(model.information(c + torch.tensor([0.0, 1.0, -2.0, 0.0, 0.5]), c, None).item(), 0.2 * 5.25 / 2)


def test_a_learned_deviation_is_that_of_torchs_gaussian():
    model = GAN(latents=3, categories=4, deviation="learned", lam=2.0, lam_c=0.3)
    told, c, k = stream().normal(9, 10), stream(1).normal(9, 3), stream(2).integers(4, 9)
    numbers = torch.distributions.Normal(told[:, :3], (told[:, 7:] / 2).exp()).log_prob(c) + 0.5 * math.log(2 * math.pi)
    category = torch.distributions.Categorical(logits=told[:, 3:7]).log_prob(k)
    assert_close(model.information(told, c, k), -(0.3 * numbers.sum(1) + 2 * category).mean())


def test_information_moves_generator_trunk_and_q_and_the_game_its_two_players(data, setting):
    net, draws = setting(GAN(), data)
    terms = GAN().loss(net, **draws)
    for player in ("critic", "generator"):
        assert moves(terms[player]["information"], net) == {"generator", "look", "Q"}
    assert moves(terms["critic"]["real"], net) == {"look", "D"}
    assert moves(terms["critic"]["drawn"], net) == {"generator", "look", "D"}
    assert moves(terms["generator"]["adversarial"], net) == {"generator", "look", "D"}


@pytest.mark.parametrize("model", [GAN(), CR(switch=0, alpha=3.0)], ids=["infogan", "infogan_cr"])
def test_each_player_descends_its_own_terms_and_no_other(model, data, monkeypatch):
    descent = lambda parameters, settings, device: torch.optim.SGD(parameters, lr=1.0)  # noqa: E731
    monkeypatch.setattr("disentangle_bench.training.stack.adam", descent)
    stack, net = Stack([(model, 0)], data, batch=8), networks(model, 0, data)
    terms = model.loss(net, **model.draw(data, 8, 0, stream()))
    stack.advance(1)
    after = dict(stack.members[0].net.named_parameters())
    for player, parts in model.players.items():
        before = {name: w for name, w in net.named_parameters() if name.split(".")[0] in parts}
        grads = torch.autograd.grad(sum(terms[player].values()), list(before.values()), retain_graph=True)
        for (name, weight), grad in zip(before.items(), grads):
            assert_close(after[name], weight - grad)


def test_if_what_is_drawn_looks_real_d_does_best_to_know_nothing_at_log_four(data):
    draws = GAN(categories=0).draw(data, 8, 0, stream())
    for value in (0.0, -0.5, 0.5, 3.0):
        terms = GAN(categories=0).loss(staged(draws["x"], torch.tensor(value).double()), **draws)["critic"]
        total = (terms["real"] + terms["drawn"]).item()
        assert total > math.log(4) if value else total == pytest.approx(math.log(4))


def test_a_generator_that_is_seen_through_still_learns(data):
    """-log D(G), not log(1 - D(G)), whose gradient vanishes where D is sure."""
    draws = GAN(categories=0).draw(data, 8, 0, stream())
    logit = torch.tensor(-30.0, dtype=torch.float64, requires_grad=True)
    term = GAN(categories=0).loss(staged(draws["x"], logit), **draws)["generator"]["adversarial"]
    assert_close(term, -nn.functional.logsigmoid(logit))
    assert torch.autograd.grad(term, logit)[0].item() == pytest.approx(-1)


def test_codes_are_drawn_uniformly_and_noise_normally(data):
    draws = GAN(latents=3, categories=4, noise=2).draw(data, 20_000, 0, stream())
    c, noise = draws["c"], draws["noise"]
    assert c.shape == (20_000, 3) and -1 <= c.min() < -0.999 and 0.999 < c.max() <= 1 and abs(c.var() - 1 / 3) < 0.01
    assert noise.shape == (20_000, 2) and abs(noise.mean()) < 0.03 and abs(noise.var() - 1) < 0.03
    assert abs(draws["k"].bincount() - 5000).max() < 4 * math.sqrt(5000)


@pytest.mark.parametrize("deviation", ["fixed", "learned"])
@pytest.mark.parametrize("K", [0, 4])
def test_codes_are_what_q_tells_and_the_mode_draws_the_image_without_noise(K, deviation, data, setting):
    model = GAN(latents=3, categories=K, deviation=deviation)
    net, draws = setting(model, data)
    told, q = net.Q(net.look(draws["x"])), model.q(net, draws["x"])
    numbers, category = told[:, :3], told[:, 3 : 3 + K]
    assert_close(model.codes(q).mean, torch.cat([numbers, category.softmax(1)], 1))
    sd = (told[:, 3 + K :] / 2).exp() if deviation == "learned" else 0 * numbers
    assert_close(model.codes(q).sd, torch.cat([sd, 0 * category], 1))
    assert model.blocks(net) == ({"c": 3, "k": 4} if K else {"c": 3}) and model.rate(q) is None
    best = category.argmax(1) if K else None
    assert torch.equal(model.clusters(q), best) if K else model.clusters(q) is None
    assert_close(model.mode(q), torch.cat([numbers, *([one_hot(best, 4)] if K else [])], 1))
    assert_close(model.decode(net, model.mode(q)).sigmoid(), model.drawn(net, numbers, 0 * draws["noise"], best))


@pytest.mark.parametrize("gap", [0.0, 0.6, 1.9])
def test_a_pair_shares_unit_i_exactly_and_no_other_comes_nearer_than_the_gap(gap, data):
    draws = CR(latents=4, gap=gap, narrow=10).draw(data, 4000, 9, stream())
    first, second = draws["pair"].chunk(2)
    shared, away = one_hot(draws["i"], 4).bool(), (first - second).abs()
    assert not away[shared].any() and away[~shared].all() and away[~shared].min() >= gap - 1e-12
    assert draws["pair"].abs().max() <= 1
    assert abs(first[shared].var() - 1 / 3) < 0.03 and abs((first > second)[~shared].double().mean() - 0.5) < 0.02
    assert abs(draws["i"].bincount() - 1000).max() < 4 * math.sqrt(1000)


def test_values_are_moved_apart_by_half_the_gap_each_and_plain_without_one():
    u = torch.tensor([[[0.25, 0.5, 0.0]], [[0.75, 0.5, 1.0]]])  # (2, n, units)
    assert [part.tolist() for part in apart(u, 1.0)] == [[[-0.75, 0.5, -1.0]], [[0.75, -0.5, 1.0]]]
    assert_close(torch.stack(apart(u, 0.0)), 2 * u - 1)


def test_the_gap_ends_at_the_step_narrow_and_alpha_counts_from_the_step_switch(data):
    model = CR(gap=1.5, narrow=30, switch=20)
    for t, wide, on in ((0, True, 0), (19, True, 0), (20, True, 1), (29, True, 1), (30, False, 1), (99, False, 1)):
        draws = model.draw(data, 500, torch.tensor(float(t)), stream())
        away = torch.sub(*draws["pair"].chunk(2)).abs()[~one_hot(draws["i"], 5).bool()]
        assert (away.min() >= 1.5 - 1e-6) == wide and draws["on"].item() == on


def test_both_images_of_a_pair_have_the_same_noise_and_category(data, setting):
    model, seen = CR(latents=3, categories=4, noise=2), []
    net, draws = setting(model, data)
    for part in (net.generator, net.H):
        part.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model.loss(net, **draws)
    first, second = seen[1].chunk(2)
    assert torch.equal(first[:, 3:], second[:, 3:]) and len(first[:, 3:].unique(dim=0)) == 16
    assert_close(torch.cat([first, second])[:, :3], draws["pair"])
    assert_close(seen[2], torch.cat([net.generator(first), net.generator(second)], 1).sigmoid())  # channels


def test_generator_and_h_both_lower_the_cross_entropy_the_generator_from_the_switch_on(data, setting):
    model = CR(alpha=3.0, switch=5)
    net, draws = setting(model, data)
    net.eval()  # the same spectral norms at every call
    images = model.drawn(net, draws["pair"], draws["noise_2"].repeat(2, 1), None).chunk(2)
    expected = cross_entropy(net.H(torch.cat(images, 1)), draws["i"])
    for on in (0.0, 1.0):
        terms = model.loss(net, **{**draws, "on": torch.tensor(on)})
        assert_close(terms["contrast"]["contrast"], expected)
        assert_close(terms["generator"]["contrast"], 3 * on * expected)
        assert moves(terms["contrast"]["contrast"], net) == {"generator", "H"}
    for player, part, after in (("generator", "generator", copy.deepcopy(net)), ("contrast", "H", copy.deepcopy(net))):
        grads = torch.autograd.grad(terms[player]["contrast"], list(net[part].parameters()), retain_graph=True)
        for weight, grad in zip(after[part].parameters(), grads):
            weight.data -= 1e-4 * grad
        assert model.loss(after, **draws)["contrast"]["contrast"] < expected


def test_h_misses_log_k_of_images_that_do_not_tell():
    """R_1 = ... = R_K: H does best to know nothing, whatever else it says."""
    i, x, zero = torch.arange(4).repeat(2), torch.full((1, 1, 2, 2), 0.5), torch.zeros(8, 5)
    draws = {"x": x, "c": zero[:, :4], "noise": zero, "noise_2": zero, "pair": zero[:, :4].repeat(2, 1), "i": i}
    for seed in range(5):
        said = torch.randn(4, generator=torch.Generator().manual_seed(seed)) * (seed > 0)
        terms = CR(latents=4).loss(staged(x, zero[0, 0], 4, said), **draws, on=zero[0, 0])["contrast"]
        assert terms["contrast"] > math.log(4) if seed else terms["contrast"].item() == pytest.approx(math.log(4))


def test_weights_of_d_and_h_come_to_a_largest_singular_value_of_one_and_those_of_q_and_the_generator_are_free(data):
    net = networks(InfoGANCR(), 0, data)
    normed = {name.rpartition(".parametrizations")[0] for name, _ in net.named_buffers() if name.endswith(".u")}
    layers = {name for name, part in net.named_modules() if isinstance(part, nn.Linear | nn.Conv2d)}
    assert normed == {name for name in layers if name.split(".")[0] in ("look", "D", "H")} and len(normed) == 8
    for layer in map(net.get_submodule, normed):
        for _ in range(100):
            weight = layer.weight.detach()
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, abs=0.01)


def test_a_batch_makes_one_step_of_power_iteration_and_evaluation_none():
    weight = stream().normal(6, 2, 3, 3)
    norm, flat = Spectral(weight).double(), weight.flatten(1)
    v = normalize(flat.T @ norm.u, dim=0)
    assert_close(norm(weight), weight / (flat @ v).norm())
    assert_close(norm.u, normalize(flat @ v, dim=0))
    before = norm.eval().u.clone()
    norm(weight)
    assert torch.equal(norm.u, before)


@pytest.mark.parametrize("training", [True, False])
def test_the_gradient_is_that_of_a_weight_over_its_largest_singular_value(training):
    weight, away = stream().normal(6, 8).requires_grad_(), stream(1).normal(6, 8)
    norm = Spectral(weight).double()
    for _ in range(500):
        norm(weight.detach())
    ours = torch.autograd.grad((norm.train(training)(weight) * away).sum(), weight)
    exact = torch.autograd.grad((weight / torch.linalg.matrix_norm(weight, 2) * away).sum(), weight)
    assert_close(ours, exact)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: InfoGAN(categories=1), "infogan.categories: got 1, expected at least 2, or 0"),
        (lambda: InfoGANCR(latents=1), "infogan_cr.latents: got 1, expected at least 2"),
        (lambda: InfoGANCR(gap=2.0, narrow=5), "infogan_cr.gap: got 2.0, expected 0 to below 2"),
        (lambda: InfoGANCR(gap=1.0), r"infogan_cr.gap: got 1.0, expected 0, or a step at which it ends \(`narrow`\)"),
    ],
)
def test_impossible_settings_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
