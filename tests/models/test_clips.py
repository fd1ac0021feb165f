"""Models that are shown several images of one thing, with a critic: DrNet and its clips, the swap VAE-GAN."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot
from torch.testing import assert_close

from disentangle_bench.datasets import load
from disentangle_bench.models._probability import bernoulli_nll
from disentangle_bench.models.drnet import DrNet
from disentangle_bench.models.lord import LORD
from disentangle_bench.models.swapvaegan import SwapVAEGAN
from disentangle_bench.runner.plan import Study
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack
from disentangle_bench.training.stream import Stream

CPU, FLOAT = torch.device("cpu"), torch.float64


def random(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


def watched(part):
    """What a network is called with, call by call."""
    inputs = []
    part.register_forward_hook(lambda _, given, out: inputs.append(given[0].detach()))
    return inputs


def factors(data, x):
    """Those of images of the toy set, (n, 4)."""
    same = (x.flatten(1)[:, None] == data.at(torch.arange(len(data))).flatten(1)).all(2)
    assert (same.sum(1) == 1).all()
    return torch.from_numpy(data.data.factors)[same.long().argmax(1)]


def drnet(data):
    """Networks that are what DrNet is to find where posX moves, and a critic in doubt."""

    def drawn(z):
        shape, scale, y, x = z.long().T
        return 200 * data.at(((shape * 3 + scale) * 8 + x) * 8 + y) - 100

    net = SimpleNamespace(decoder=drawn, critic=lambda poses: 0 * poses[:, :1])
    net.content_encoder = lambda x: factors(data, x)[:, [0, 1, 3]].to(FLOAT)
    net.pose_encoder = lambda x: factors(data, x)[:, [2]].to(FLOAT)
    return DrNet(latents=4, pose=1, moving="posX", adversarial=0.3), net


def test_the_perfect_answer_costs_nothing_but_the_doubt_of_the_critic_once_a_pixel(data):
    model, net = drnet(data)
    terms = model.loss(net, **model.draw(data, 24, 0, Stream(0, "draws", CPU, FLOAT)))
    assert_close(terms["autoencoder"]["reconstruction"].item(), 0.0)
    assert terms["autoencoder"]["similarity"] == 0
    assert_close(terms["autoencoder"]["adversarial"].item(), 0.3 * 256 * math.log(2))
    assert_close(sum(terms["critic"].values()).item(), math.log(2))


def test_another_clips_pose_changes_the_pose_alone(data):
    model, net = drnet(data)
    rows = np.random.default_rng(0).permutation(576)
    own, codes = data.data.factors[rows[:6]], model.q(net, data.at(torch.from_numpy(rows)))
    found = model.findings(net, data, rows, SimpleNamespace(mean=codes.numpy()), None)
    sheet, _ = found.sheets["content of one image, pose of another"]
    cells = factors(data, sheet[1:, 1:].flatten(0, 1).round()).view(6, 6, 4).numpy()
    assert (cells[..., [0, 1, 3]] == own[:, None, [0, 1, 3]]).all()
    assert (cells[..., 2] == own[None, :, 2]).all()
    assert found.facts["kept.class"][0] == 1


@pytest.mark.parametrize("model", [LORD(likeness="l1_ssim"), SwapVAEGAN()], ids=["lord", "swapvaegan"])
def test_sheets_take_the_class_from_the_first_block_which_is_to_hold_it(data, setting, model):
    (net, _), rows = setting(model, data), np.arange(0, 576, 7)
    z = model.mode(model.q(net, data.at(torch.from_numpy(rows)))).detach()
    found = model.findings(net, data, rows, SimpleNamespace(mean=z.numpy()), None)
    ((sheet, _),) = found.sheets.values()
    assert_close(sheet[2, 5], model.decode(net, torch.cat([z[1, :10], z[4, 10:]])[None]).sigmoid()[0])
    assert f"told from block {next(iter(model.blocks(net)))} by" in found.facts["kept.class"][1]


def test_similarity_is_the_mean_square_of_a_change_of_content_once_a_pixel(data, setting):
    net, draws = setting(DrNet(similarity=0.7), data)
    first, second = net.content_encoder(draws["x"]).chunk(2)
    found = DrNet(similarity=0.7).loss(net, **draws)["autoencoder"]["similarity"]
    assert_close(found, 0.7 * 256 * ((first - second) ** 2).mean())


def test_the_second_content_is_a_target_and_the_second_pose_a_witness(data, setting):
    net, draws = setting(DrNet(), data)
    codes = {name: random(i, 16, 10).requires_grad_() for i, name in enumerate(("content", "pose"))}
    for name, code in codes.items():
        net[f"{name}_encoder"].register_forward_hook(lambda *_, code=code: code)
    terms = DrNet().loss(net, **draws)
    moved = {  # of each term: do contents of first and second frames have a gradient, do poses of these?
        "reconstruction": [True, False, False, True],
        "similarity": [True, False, False, False],
        "adversarial": [False, False, True, False],
        "same": [False] * 4,
        "apart": [False] * 4,
    }
    for name, term in {**terms["autoencoder"], **terms["critic"]}.items():
        found = torch.autograd.grad(term, list(codes.values()), allow_unused=True, retain_graph=True)
        halves = [half for g in found for half in (torch.zeros(16, 10) if g is None else g).chunk(2)]
        assert [bool(half.any()) for half in halves] == moved[name], name


def test_the_critic_tells_poses_of_one_clip_from_those_of_another(data, setting):
    net, draws = setting(DrNet(), data)
    given, (first, second) = watched(net.critic), net.pose_encoder(draws["x"]).chunk(2)
    terms = DrNet().loss(net, **draws)
    for pair in given[:2]:
        assert (pair == torch.cat([first, second], 1)).all()
    own, (left, right) = torch.arange(8), given[2].chunk(2, 1)
    assert (left == first).all()
    other = (right[:, None] == second).all(2).long().argmax(1)
    assert (other != own).all() and other.unique().numel() == 8
    yes, no = net.critic(given[1]).sigmoid().log(), (1 - net.critic(given[2]).sigmoid()).log()
    assert_close(sum(terms["critic"].values()), -0.5 * (yes.mean() + no.mean()))


def test_a_draw_has_two_different_frames_of_each_clip(data, setting):
    for moving, column in ("posX", 2), ("posY", 3):
        _, draws = setting(DrNet(moving=moving, frames=3), data, n=200)
        first, second = factors(data, draws["x"]).chunk(2)
        steps = (first - second).abs()
        assert steps.sum(1).tolist() == steps[:, column].tolist()
        assert steps[:, column].unique().tolist() == [1, 2]
    _, draws = setting(DrNet(), data, n=200)
    first, second = factors(data, draws["x"]).chunk(2)
    assert ((first != second).sum(1) == 1).all()
    assert (first != second).any(0).tolist() == [False, False, True, True]


def test_clips_on_the_device_keep_to_training_rows():
    for plain in load("toy(holdout=posX:3)"), dataclasses.replace(load("toy"), fit=400):
        clips = Resident(plain, CPU).clips(3000, 4, Stream(0, "draws", CPU), None)
        assert clips.shape == (3000, 4) and len(clips.unique(dim=0)) > 300
        assert (clips < 400).all() if plain.fit else (plain.weight[clips] > 0).all()
        steps = np.diff(plain.factors[clips], axis=1)
        assert (abs(steps).sum(2) == 1).all() and (steps == steps[:, :1]).all()


@pytest.mark.parametrize(
    ("model", "dataset", "message"),
    [
        (lambda: DrNet(frames=1), "toy", "drnet.frames: got 1, expected at least 2"),
        (lambda: DrNet(frames=9), "toy", "drnet: clips: no factor of data set 'toy' moves through 9 values"),
        (lambda: DrNet(moving="posx"), "toy", "drnet: unknown factor 'posx'"),
        (
            lambda: DrNet(moving="shape", frames=3),
            "toy",
            "drnet: clips: shape of data set 'toy' moves through 3 values",
        ),
        (lambda: DrNet(moving="scale"), "toy", "drnet: clips: scale of data set 'toy' moves through 4 values"),
        (lambda: SwapVAEGAN(), "toy(labels=3)", "groups: size is 2; shape 0 of data set 'toy' has 1 images for"),
        (
            lambda: LORD(likeness="l1_ssim"),
            "toy(labels=3)",
            "groups: size is 2; shape 0 of data set 'toy' has 1 images",
        ),
        (lambda: SwapVAEGAN(), "xysquares", "swapvaegan: needs labels, and data set 'xysquares' has none"),
    ],
)
def test_what_cannot_be_is_said_before_training(model, dataset, message):
    with pytest.raises(ValueError, match=message):
        Study([model()], [dataset]).runs()


@pytest.mark.parametrize(
    "model", [DrNet(), SwapVAEGAN(), LORD(likeness="l1_ssim")], ids=["drnet", "swapvaegan", "lord"]
)
def test_each_player_follows_the_gradient_of_its_own_terms_and_no_other(data, model):
    stack = Stack([(model, 0)], data, batch=12, way="sequential")
    net = stack.members[0].net
    terms = model.loss(net, **model.draw(data, 12, 0, Stream(0, "draws", CPU, FLOAT)))
    own = {player: [p for part in parts for p in net[part].parameters()] for player, parts in model.players.items()}
    expected = {k: torch.autograd.grad(sum(terms[k].values()), own[k], retain_graph=True) for k in own}
    stack.advance(1)
    for player, parameters in own.items():
        for parameter, gradient in zip(parameters, expected[player], strict=True):
            assert_close(parameter.grad, gradient)


def test_the_swap_counts_twice_the_reconstruction_where_s_is_the_mean_of_its_class(data, setting):
    net, draws = setting(SwapVAEGAN(), data)
    x, y, m = draws["x"], draws["y"], len(draws["x"]) // 3
    s = y @ (torch.linalg.pinv(y) @ SwapVAEGAN().q(net, x)[0])
    plain = SwapVAEGAN().loss(net, **draws)["vae"]
    net.specified.register_forward_hook(lambda *_: s)
    own = bernoulli_nll(x, net.decoder(torch.cat([s, SwapVAEGAN().q(net, x)[1].at(draws["eps"])], 1)))
    terms = SwapVAEGAN().loss(net, **draws)["vae"]
    assert_close(terms["reconstruction"], 0.5 * own.mean())
    assert_close(terms["swapped"], 2 * (0.5 * own[: 2 * m].mean()))
    assert abs(plain["swapped"] - terms["swapped"]) > 1e-6


def test_swaps_are_drawn_from_a_partners_s_and_teach_it(data, setting):
    net, draws = setting(SwapVAEGAN(), data)
    given, m = watched(net.decoder), len(draws["x"]) // 3
    terms = SwapVAEGAN().loss(net, **draws)["vae"]
    (s, z), swapped = given[0].tensor_split([10], 1), given[1]
    assert_close(swapped, torch.cat([torch.cat([s[m : 2 * m], s[:m]]), z[: 2 * m]], 1), rtol=0, atol=0)
    moved = torch.autograd.grad(terms["swapped"], [net.specified.weight, net.unspecified.weight])
    assert all(part.abs().sum() > 0 for part in moved)


@pytest.mark.parametrize("prior", [False, True])
def test_the_critic_is_shown_s_of_one_image_with_z_of_another_or_of_the_prior_and_the_class_of_s(data, setting, prior):
    net, draws = setting(SwapVAEGAN(prior=prior), data)
    given, judged, m = watched(net.decoder), watched(net.judge), len(draws["x"]) // 3
    SwapVAEGAN(prior=prior).loss(net, **draws)
    (s, z), (s_drawn, z_drawn) = (part.tensor_split([10], 1) for part in (given[0], given[2]))
    assert (s_drawn == torch.cat([s[:m], s[2 * m :]])).all()
    assert (z_drawn == (draws["z_p"] if prior else torch.cat([z[2 * m :], z[:m]]))).all()
    assert (judged[0][:, -3:] == draws["y"]).all()
    assert (judged[1][:, -3:] == torch.cat([draws["y"][:m], draws["y"][2 * m :]])).all()
    right, wrong = (SwapVAEGAN().D(net, draws["x"], y) for y in (draws["y"], draws["y"].roll(1, 1)))
    assert (right != wrong).all()


@pytest.mark.parametrize("side", [4, 12])
def test_only_real_images_are_smoothed_and_deceiving_counts_once_a_pixel(side):
    shape, model, a = SimpleNamespace(shape=(side, side, 2), classes=3), SwapVAEGAN(adversarial=0.2, kl=0.0), 1.7
    net = nn.ModuleDict(model.nets(shape)).double()
    nn.init.zeros_(net.judge[-1].weight)
    nn.init.constant_(net.judge[-1].bias, a)
    x, y = random(0, 9, 2, side, side).sigmoid(), one_hot(torch.arange(9) % 3, 3).to(FLOAT)
    terms = model.loss(net, x, y, random(1, 9, 10), random(2, 6, 10))
    yes, no = math.log(1 + math.exp(-a)), math.log(1 + math.exp(a))  # -log D, -log(1 - D)
    assert_close(terms["critic"]["real"].item(), 0.95 * yes + 0.05 * no)
    assert_close(terms["critic"]["drawn"].item(), no)
    assert_close(terms["vae"]["adversarial"].item(), 0.2 * 2 * side**2 * yes)


def test_a_draw_holds_two_different_images_of_each_class(data, setting):
    _, draws = setting(SwapVAEGAN(), data, n=64)
    assert len(draws["x"]) == 63
    assert (draws["y"][:21] == draws["y"][21:42]).all()
    assert (draws["x"][:21] != draws["x"][21:42]).flatten(1).any(1).all()
