"""What holds for every model of the zoo alike: hyper-parameters at their ends, players, networks, what it shows."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from disentangle_bench import catalog
from disentangle_bench.datasets import load
from disentangle_bench.models._findings import Findings, by_class
from disentangle_bench.runner.plan import fields_of
from disentangle_bench.training import evaluate
from disentangle_bench.training.resident import Resident
from disentangle_bench.training.stack import Stack, networks
from disentangle_bench.training.stream import Stream

CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("narrow_critics")
CLASSES = {name: catalog.get("model", name) for name in catalog.names("model")}
TRAINED = [name for name, cls in CLASSES.items() if cls.trains]
FREE = {("infovae", "alpha")}  # any weight of the KL from 0 up is 1 - alpha
NUMBERS = [(name, field) for name, cls in CLASSES.items() for field, t in fields_of(cls).items() if t in (int, float)]


@pytest.mark.parametrize(("name", "field"), [pair for pair in NUMBERS if pair not in FREE])
def test_no_number_may_be_negative(name, field):
    kind = fields_of(CLASSES[name])[field]
    with pytest.raises(ValueError, match=rf"{name}\.{field}: got -1"):
        CLASSES[name](**{field: kind(-1)})


@pytest.mark.parametrize(("name", "field"), [(n, f) for n, f in NUMBERS if fields_of(CLASSES[n])[f] is float])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_is_finite(name, field, value):
    with pytest.raises(ValueError, match=rf"{name}\.{field}: got (nan|inf), expected a"):
        CLASSES[name](**{field: value})


def extremes():
    for name in TRAINED:
        for field, kind in fields_of(CLASSES[name]).items():
            for value in (0.0, 1e-6, 1e6) if kind is float and field != "lr" else ():
                try:
                    model = CLASSES[name](**{field: value})
                except ValueError:
                    continue
                yield pytest.param(model, id=f"{name}-{field}-{value:g}")


@pytest.mark.parametrize("model", list(extremes()))
def test_the_first_step_is_finite_at_extreme_settings(model):
    stack = Stack([(model, 0)], Resident(load("toy"), CPU), batch=16)
    stack.advance(1)
    member = stack.members[0]
    assert all(math.isfinite(value) for _, _, value in member.log)
    assert member.status == "running" and member.finite == 1


@pytest.mark.parametrize(
    "model", [cls() for cls in CLASSES.values() if getattr(cls, "players", None) and len(cls.players) > 1]
    + [CLASSES["infovae"](divergence="adversarial"), CLASSES["aae"](heads=3)],
    ids=lambda model: type(model).__name__,
)  # fmt: skip
def test_players_move_their_own_networks_alone(model):
    """A step in which one player's optimiser has no rate moves the weights of all others, and none of its own."""
    for still in model.players:
        stack = Stack([(model, 0)], Resident(load("toy"), CPU), batch=16)
        member = stack.members[0]
        for group in member.optimisers[still].param_groups:
            group["lr"] = 0.0
        before = {name: value.detach().clone() for name, value in member.net.named_parameters()}
        stack.advance(1)
        moved = {name.split(".")[0] for name, value in member.net.named_parameters() if (value != before[name]).any()}
        assert moved == {part for player, parts in model.players.items() if player != still for part in parts}


@pytest.mark.parametrize("name", TRAINED)
def test_a_model_trains_with_a_network_of_another_paper(name):
    data = Resident(load("toy"), CPU)
    stack = Stack([(CLASSES[name](network="infocatvae"), 0)], data, batch=8)
    stack.advance(1)
    assert all(math.isfinite(value) for _, _, value in stack.members[0].log)
    assert any(isinstance(m, torch.nn.Linear) and m.out_features == 400 for m in stack.members[0].net.modules())


def test_the_last_finite_step_of_a_run_is_known():
    @dataclasses.dataclass(frozen=True)
    class Breaking(CLASSES["vae"]):
        def draw(self, data, n, t, rng):
            return {**super().draw(data, n, t, rng), "scale": 1.0 if t < 7 else math.nan}  # t counts from 0

        def loss(self, net, x, eps, scale):
            return {name: scale * term for name, term in super().loss(net, x, eps).items()}

    stack = Stack([(Breaking(), 0), (CLASSES["vae"](), 0)], Resident(load("toy"), CPU), batch=8)
    stack.advance(5)
    stack.advance(10)
    broken, sound = stack.members
    assert (broken.status, broken.finite, broken.t) == ("diverged", 7, 10)
    assert (sound.status, sound.finite) == ("running", 10)


@pytest.mark.parametrize("name", ["mcevae", "nvae", "catvae", "infocatvae"])
def test_what_a_class_structured_model_shows_is_complete_and_repeats(name, monkeypatch):
    monkeypatch.setattr("disentangle_bench.models.nvae.TAUGHT", 20)
    data = Resident(load("toy"), CPU)
    model, rows = CLASSES[name](), np.arange(0, 576, 6)
    net = networks(model, 0, data)
    codes, _ = evaluate.encode(model, net, data, rows)
    (facts, arrays), (again, _) = (evaluate.findings(model, net, data, codes, rows, 3) for _ in range(2))
    assert facts == again and all(math.isfinite(value) and words for value, words in facts.values())
    titles = {key.partition(":")[2] for key in arrays}
    for title in titles:
        kind = "sheet" if f"sheet:{title}" in arrays else "table"
        assert len(arrays[f"rows:{title}"]) == len(arrays[f"{kind}:{title}"])
        if kind == "sheet":
            assert arrays[f"sheet:{title}"].dtype == np.uint8 and arrays[f"sheet:{title}"].shape[-3:] == (16, 16, 1)
        else:
            assert arrays[f"table:{title}"].shape[1] == len(arrays[f"columns:{title}"])
    assert len(titles) >= 2


def test_a_model_without_findings_shows_nothing_more():
    data = Resident(load("toy"), CPU)
    model = CLASSES["vae"]()
    assert evaluate.findings(model, networks(model, 0, data), data, None, np.arange(3), 0) == ({}, {})


def test_means_by_class():
    data = Resident(load("toy"), CPU)
    rows = np.arange(576)
    labels = load("toy").factors[:, 0]
    values = np.stack([labels, np.ones(576)], 1).astype(float)
    means, names = by_class(data, rows, values)
    np.testing.assert_allclose(means, [[1, 1], [0, 1], [1, 1], [2, 1]])
    assert names == ["all", "shape 0", "shape 1", "shape 2"]


def test_sheets_are_bytes_with_channels_last():
    made = Findings(sheets={"a": (torch.full((2, 3, 1, 4, 5), 0.5), ["x", "y"])}).arrays()
    assert made["sheet:a"].shape == (2, 3, 4, 5, 1) and (made["sheet:a"] == 128).all()
    assert made["rows:a"].tolist() == ["x", "y"]


@torch.no_grad()
def test_nvae_kl_by_class_is_that_of_its_codes(monkeypatch):
    monkeypatch.setattr("disentangle_bench.models.nvae.TAUGHT", 20)
    data, rows = Resident(load("toy"), CPU), np.arange(0, 576, 4)
    model = CLASSES["nvae"](latents=2, masked=3)
    net = networks(model, 0, data)
    codes, _ = evaluate.encode(model, net, data, rows)
    table = model.findings(net, data, rows, codes, Stream(0, "x", CPU)).arrays()[
        "table:KL of each unit of z_c by class, nats"
    ]
    mean, sd = codes.mean[:, 2:], codes.sd[:, 2:]
    kl = torch.distributions.kl_divergence(
        torch.distributions.Normal(torch.tensor(mean), torch.tensor(sd)), torch.distributions.Normal(0.0, 1.0)
    ).numpy()
    labels = load("toy").factors[rows, 0]
    np.testing.assert_allclose(table, [kl.mean(0), *(kl[labels == c].mean(0) for c in range(3))], rtol=1e-4)


@torch.no_grad()
def test_nvae_teaches_a_classifier_with_real_images_and_none_with_noise():
    """On real toy images a classifier learns; images of an untrained decoder teach it nothing."""
    data, rows = Resident(load("toy"), CPU), np.arange(0, 576, 4)
    model = CLASSES["nvae"]()
    net = networks(model, 0, data)
    real, drawn = (model.taught(net, data, rows, share, Stream(0, "x", CPU)) for share in (0.0, 1.0))
    assert real > 0.95 and drawn < 0.6


@torch.no_grad()
def test_mcevae_finds_the_angle_that_its_code_follows():
    data = Resident(load("digits(transform=so2)"), CPU)
    rows = data.data.scored[:60]
    model = CLASSES["mcevae"](group="so2")
    net = networks(model, 0, data)
    codes, _ = evaluate.encode(model, net, data, rows)
    angle = data.angle(rows).numpy()
    np.testing.assert_array_equal(angle, data.data.exact[rows, 1])
    gauge = np.where(data.data.factors[rows, 0] % 2, 1.0, -0.7)  # every class may start from a direction of its own
    for tau, expected in ((2.9 - angle + gauge, 1.0), (np.zeros(60), 0.0)):
        known = dataclasses.replace(codes, mean=np.column_stack([codes.mean[:, :-1], tau]).astype(np.float32))
        value, _ = model.findings(net, data, rows, known, Stream(0, "x", CPU)).facts["rotation_correlation"]
        assert value == pytest.approx(expected, abs=1e-5)


@torch.no_grad()
def test_mcevae_canonical_reconstruction_is_that_of_the_untransformed_images():
    data = Resident(load("digits(transform=se2)"), CPU)
    rows, model = data.data.scored[:40], CLASSES["mcevae"]()
    net = networks(model, 0, data).eval()
    codes, _ = evaluate.encode(model, net, data, rows)
    value, _ = model.findings(net, data, rows, codes, Stream(0, "x", CPU)).facts["canonical_reconstruction"]
    x = torch.from_numpy(data.data.canonical(rows) / 255).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        p = model.canonical(net, model.mode(model.q(net, data.at(torch.from_numpy(rows))))).sigmoid().double()
    nll = -(x * p.log() + (1 - x) * (1 - p).log()).sum((1, 2, 3)).mean()
    assert_close(torch.tensor(value, dtype=torch.float64), nll, rtol=1e-4, atol=0)
