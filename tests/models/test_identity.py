"""Class and all else in parts of their own: probes, sheets of swaps, likeness of images, and LORD."""

import hashlib
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn
from torch.testing import assert_close

from disentangle_bench.datasets import load
from disentangle_bench.datasets._factored import FactoredData
from disentangle_bench.models import _likeness
from disentangle_bench.models._identity import leakage, swaps
from disentangle_bench.models._likeness import l1_ssim, seen, vgg
from disentangle_bench.models.lord import LORD
from disentangle_bench.runner.plan import Study
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack
from disentangle_bench.training.stream import Stream

CPU, FLOAT = torch.device("cpu"), torch.float64


def random(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=FLOAT)


def made(sizes=(4, 5, 10), label="kind", n=1200):
    """Independent factors, the first of which is the class; images show nothing."""
    draws, names = np.random.default_rng(0), ("kind", "size", "place")[: len(sizes)]
    factors = np.stack([draws.integers(size, size=n) for size in sizes], 1)
    levels, kinds = tuple(np.arange(size) / 1 for size in sizes), ("categorical",) * len(sizes)
    blank = np.zeros((n, 1, 1, 1), np.uint8)
    return FactoredData("made", blank, factors, levels, names, kinds, "drawn", "0" * 64, label=label)


def leaks(data, own, rest):
    return leakage(("own", own), ("rest", rest), SimpleNamespace(data=data), np.arange(len(data)))


def test_codes_that_are_the_class_and_the_rest_keep_them_and_leak_nothing():
    factors = made().factors / 1
    found = {name: value for name, (value, _) in leaks(made(), factors[:, :1], factors[:, 1:]).items()}
    assert found["kept.class"] == found["kept.rest"] == 1
    assert abs(found["leakage.class"] - 1 / 4) < 0.05 and abs(found["leakage.rest"] - (1 / 5 + 1 / 10) / 2) < 0.05


def test_noise_tells_neither_class_nor_rest():
    for name, (value, _) in leaks(made(), random(0, 1200, 3).numpy(), random(1, 1200, 3).numpy()).items():
        assert abs(value - (1 / 4 if name.endswith("class") else 3 / 20)) < 0.05


def test_a_part_that_holds_what_belongs_to_the_other_is_caught():
    factors = made().factors / 1
    assert leaks(made(), factors[:, :1], factors)["leakage.class"][0] == 1
    assert abs(leaks(made(), factors[:, [0, 2]], factors[:, 1:])["leakage.rest"][0] - (1 / 5 + 1) / 2) < 0.05


def test_facts_say_factors_part_and_chance():
    data = made()
    data.factors[:, 0] = np.arange(1200) % 10 > 0  # nine in ten are of one class
    told = {name: how for name, (_, how) in leaks(data, data.factors / 1, random(0, 1200, 2).numpy()).items()}
    assert list(told) == ["leakage.class", "kept.class", "leakage.rest", "kept.rest"]
    assert told["leakage.class"].startswith("accuracy of kind told from block rest by")
    assert told["leakage.rest"].startswith("accuracy of size, place told from block own by")
    for name, chance in ("leakage.class", 0.9), ("kept.class", 0.9), ("kept.rest", 0.15):
        assert abs(float(told[name].rpartition("chance ")[2]) - chance) < 0.03


def test_without_a_label_there_are_no_facts_and_without_other_factors_those_of_the_class():
    assert leaks(made(label=None), random(0, 1200, 2).numpy(), random(1, 1200, 2).numpy()) == {}
    for sizes in (4,), (4, 1):
        found = leaks(made(sizes), random(0, 1200, 2).numpy(), random(1, 1200, 2).numpy())
        assert list(found) == ["leakage.class", "kept.class"]


def test_a_sheet_has_classes_at_the_left_and_the_rest_above():
    x = torch.arange(8.0).view(8, 1, 1, 1) / 10
    sheet, names = swaps(x, lambda i, j: (10.0 * i + j).view(-1, 1, 1, 1), "class", "pose")
    assert sheet.shape == (7, 7, 1, 1, 1) and names == ["pose from these", *["class from the left"] * 6]
    assert_close(sheet[0, 1:], x[:6])
    assert_close(sheet[1:, 0], x[:6])
    assert sheet[0, 0] == 1
    assert_close(sheet[1:, 1:].squeeze(), 10 * torch.arange(6.0)[:, None] + torch.arange(6.0))


def windowed(x, y, side):
    """SSIM of Wang et al. window by window, (n,)."""
    a, b = (sliding_window_view(i, (side, side), (2, 3)).reshape(len(i), -1, side**2) for i in (x.numpy(), y.numpy()))
    p, q = a.mean(2), b.mean(2)
    cov = ((a - p[..., None]) * (b - q[..., None])).mean(2)
    light, structure = (2 * p * q + 0.01**2) / (p**2 + q**2 + 0.01**2), a.var(2) + b.var(2) + 0.03**2
    return torch.from_numpy((light * (2 * cov + 0.03**2) / structure).mean(1))


@pytest.mark.parametrize(("shape", "side"), [((3, 3, 12, 9), 7), ((3, 1, 5, 8), 5), ((3, 1, 1, 2), 1)])
def test_likeness_is_the_ssim_of_windows_or_of_all_where_images_are_smaller(shape, side):
    x, logits = random(0, *shape).sigmoid(), random(1, *shape)
    y = logits.sigmoid()
    expected = (x - y).abs().mean((1, 2, 3)) + (1 - windowed(x, y, side)) / 2
    assert_close(l1_ssim(x, logits), expected)
    assert_close(l1_ssim(y, x.logit()), expected)
    assert_close(l1_ssim(x, x.logit()), torch.zeros(3, dtype=FLOAT))


def test_black_and_white_are_as_far_apart_as_the_formula_says_and_a_negative_farther():
    black, white = torch.zeros(1, 1, 9, 9, dtype=FLOAT), torch.ones(1, 1, 9, 9, dtype=FLOAT)
    assert_close(l1_ssim(black, 50 * white).item(), 1 + (1 - 1e-4 / (1 + 1e-4)) / 2)
    board = (torch.arange(9)[:, None] + torch.arange(9)).remainder(2).to(FLOAT)[None, None]
    assert 1.99 < l1_ssim(board, 50 - 100 * board).item() < 2


@pytest.fixture(scope="module")
def vgg16(tmp_path_factory):
    """The network layer by layer, with random weights, and a file of them as torchvision keeps it."""
    layers, wide = [], 3
    for n in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):  # 0: pooling
        layers += [nn.Conv2d(wide, n, 3, padding=1), nn.ReLU()] if n else [nn.MaxPool2d(2)]
        wide = n or wide
        if n:
            nn.init.kaiming_normal_(layers[-2].weight)
    net, path = nn.Sequential(*layers), tmp_path_factory.mktemp("vgg") / "vgg16-397923af.pth"
    held = {f"features.{name}": value for name, value in sorted(net.state_dict().items())}
    torch.save({"classifier.0.weight": torch.zeros(2, 2), **held}, path)
    return net, path, hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No weights in BENCH_DATA nor where torch keeps downloads."""
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    _likeness._weights.cache_clear()
    yield tmp_path
    _likeness._weights.cache_clear()


def test_what_is_seen_are_five_layers_of_vgg16_and_their_distances_add_up(vgg16, nowhere, monkeypatch):
    net, path, digest = vgg16
    monkeypatch.setenv("BENCH_DATA", str(path.parent))
    monkeypatch.setattr(_likeness, "HASH", digest[:8])
    x = random(0, 2, 3, 36, 33).sigmoid().float()
    mean, sd = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    layers = [(x - mean.view(3, 1, 1)) / sd.view(3, 1, 1)]
    for layer in net:
        layers.append(layer(layers[-1]))
    ends = [layers[1 + i] for i in (3, 8, 13, 22, 30)]  # relu1_2, relu2_2, relu3_2, relu4_3, pool5
    for got, expected in zip(seen(x), ends, strict=True):
        assert_close(got, expected, rtol=1e-4, atol=1e-4)
    far = sum((a - a.roll(1, 0)).abs().mean((1, 2, 3)) for a in (x, *ends))
    assert_close(vgg(x, x.roll(1, 0).logit()), far, rtol=1e-3, atol=1e-3)
    small = x[:, :1, :5, :11]  # grey, and seven times as large where VGG-16 sees it
    for got, expected in zip(seen(small), seen(torch.kron(small, torch.ones(1, 3, 7, 7))), strict=True):
        assert_close(got, expected)


def test_a_file_of_that_name_with_another_hash_is_refused(vgg16, nowhere, monkeypatch):
    monkeypatch.setenv("BENCH_DATA", str(vgg16[1].parent))
    with pytest.raises(ValueError, match=r"vgg16-397923af\.pth: sha256 is [0-9a-f]{64}, expected 397923af"):
        vgg(torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32))


def test_a_run_holds_the_likeness_that_was_found(nowhere):
    def planned(**options):
        return Study([LORD(**options)], ["toy"], seeds=[0]).runs()[0].params["likeness"]

    assert LORD().likeness == planned() == "l1_ssim"
    with pytest.raises(ValueError, match="lord: likeness=vgg needs VGG-16's weights"):
        planned(likeness="vgg")
    (nowhere / "vgg16-397923af.pth").touch()
    assert LORD().likeness == planned() == "vgg" and planned(likeness="l1_ssim") == "l1_ssim"


def lord(**options):
    return LORD(likeness="l1_ssim", **options)


def watched(net):
    """What the generator is called with, call by call."""
    inputs = []
    net.generator.register_forward_hook(lambda _, given, out: inputs.append(given[0].detach()))
    return inputs


def test_images_of_a_class_share_e_exactly_and_noise_is_added_to_their_own_c(data, setting):
    net, draws = setting(lord(sigma=0.5), data)
    given = watched(net)
    lord(sigma=0.5).loss(net, **draws)
    e, c = given[0].tensor_split([10], 1)
    same = draws["y"][:, None] == draws["y"]
    assert (((e[:, None] == e).all(2)) == same).all() and 0 < same.sum() < same.numel()
    assert_close(c, net.contents.at(draws["i"]) + 0.5 * draws["noise"])


def test_content_shuffled_within_a_class_leaves_the_class(data, setting):
    net, draws = setting(lord(), data)
    given, order = watched(net), draws["y"].argsort(stable=True)
    x, y, i = draws["x"][order], draws["y"][order], draws["i"][order]
    shuffled = torch.cat([i[y == label].roll(1) for label in y.unique()])
    for content in i, shuffled:
        lord(sigma=0.0).loss(net, x, y, content, draws["noise"])
    assert_close(given[0][:, :10], given[2][:, :10], rtol=0, atol=0)
    assert (given[0][:, 10:] != given[2][:, 10:]).any(1).sum() > 10


def test_without_noise_and_decay_latents_are_those_of_glo(data, setting):
    net, draws = setting(lord(sigma=0.0, lam=0.0), data)
    z = torch.cat([net.classes.at(draws["y"]), net.contents.at(draws["i"])], 1)
    terms = lord(sigma=0.0, lam=0.0).loss(net, **draws)["latents"]
    assert_close(sum(terms.values()), l1_ssim(draws["x"], net.generator(z)).mean())
    decay = lord(lam=0.3).loss(net, **draws)["latents"]["decay"]
    assert_close(decay, 0.3 * net.contents.at(draws["i"]).square().sum(1).mean())


def test_encoders_are_drawn_to_codes_that_stay_and_codes_know_of_no_encoder(data, setting):
    net, draws = setting(lord(match=3.0), data)
    terms, z = lord(match=3.0).loss(net, **draws), lord().q(net, draws["x"])
    targets = torch.cat([net.classes.at(draws["y"]), net.contents.at(draws["i"])], 1)
    e, c = (z - targets).square().tensor_split([10], 1)
    assert_close(terms["encoders"]["match"], 3 * (e.mean() + c.mean()))
    codes, encoders = [net.classes.tenth, net.contents.tenth], [*net.class_encoder.parameters()]
    for player, others in ("encoders", codes), ("latents", encoders):
        total = sum(terms[player].values())
        assert not any(g is not None for g in torch.autograd.grad(total, others, allow_unused=True, retain_graph=True))


def test_codes_of_the_batch_alone_move_ten_times_as_far_as_weights(data):
    stack = Stack([(lord(lr=1e-3), 0)], data, batch=16, way="sequential")
    net, rows = stack.members[0].net, torch.arange(576)
    weight, before = net.generator[0][0].weight, net.contents.at(rows).detach()
    old, i = weight.detach().clone(), lord().draw(data, 16, 0, Stream(0, "draws", CPU, FLOAT))["i"]
    stack.advance(1)
    moved = (net.contents.at(rows) - before).abs().detach()
    assert moved.any(1).nonzero()[:, 0].tolist() == i.unique().tolist()
    assert_close(moved.max().item(), 10 * 1e-3, rtol=1e-3, atol=0)
    assert_close((weight - old).abs().max().item(), 1e-3, rtol=1e-3, atol=0)


def test_images_beyond_the_most_get_no_code_and_only_told_ones_do(data):
    assert len(lord().nets(data)["contents"].tenth) == 576
    told, fewer = Resident(load("toy(labels=30)"), CPU, FLOAT), data.some(100, Stream(3, "draws", CPU))
    for model, held, rows in (lord(images=100), data, fewer), (lord(), told, told.data.known(3)):
        draws = model.draw(held, 2000, 0, Stream(3, "draws", CPU, FLOAT))
        assert len(model.nets(held)["contents"].tenth) == len(rows) == len(draws["i"].unique())
        own = torch.as_tensor(rows)[draws["i"]]
        assert (draws["x"] == held.at(own)).all() and (draws["y"] == held.labels(own)).all()
