"""The only file that knows how runs are stacked. Here: one after another, each exactly as if it were alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from .. import rng
from .resident import Resident
from .stream import Stream


@dataclass
class Member:
    """One run of a stack: its model, networks, optimisers, random stream and step."""

    model: Any
    seed: int
    net: nn.ModuleDict
    optimisers: dict[str, torch.optim.Adam]
    stream: Stream
    t: int = 0
    status: str = "running"
    finite: int = 0  # the last step whose loss was a number
    log: list[tuple[int, str, float]] = field(default_factory=list)  # (step, term, mean since the entry before)


def networks(model: Any, seed: int, data: Resident) -> nn.ModuleDict:
    """A model's networks as its seed starts them, on the data's device."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.key(seed, "initial weights"))
        net = nn.ModuleDict(model.nets(data))
    return net.to(data.device, data.dtype)


class Stack:
    """Runs of one shape that train side by side on one device.

    Members share the resident data and nothing else: a member's numbers never depend on its company.
    """

    def __init__(self, runs: list[tuple[Any, int]], data: Resident, batch: int) -> None:
        self.data, self.batch = data, batch
        self.members = [self._member(model, seed) for model, seed in runs]

    def _member(self, model: Any, seed: int) -> Member:
        net = networks(model, seed, self.data)
        settings = model.optimisers()
        optimisers = {
            player: torch.optim.Adam([p for name in parts for p in net[name].parameters()], **settings[player])
            for player, parts in model.players.items()
        }
        return Member(model, seed, net, optimisers, Stream(seed, "draws", self.data.device, self.data.dtype))

    def advance(self, upto: int) -> None:
        """Train every running member that is behind step `upto` up to it; log the mean of each term on the way.

        A member whose terms or weights are no longer finite is frozen as "diverged"; the others go on.
        """
        for member in self.members:
            if member.status == "running" and member.t < upto:
                self._advance(member, upto - member.t)

    def _advance(self, member: Member, steps: int) -> None:
        totals: dict[str, Tensor] = {}
        finite: Any = 0  # steps until the sums so far are no number any more, counted on the device
        for _ in range(steps):
            for name, value in self._step(member).items():
                totals[name] = totals[name] + value if name in totals else value
            finite = finite + torch.stack(list(totals.values())).sum().isfinite()
        member.finite = member.t - steps + int(finite)
        means = {name: value.item() / steps for name, value in totals.items()}
        member.log += [(member.t, name, value) for name, value in means.items()]
        if not all(map(math.isfinite, means.values())) or not all(
            torch.isfinite(w).all() for w in member.net.parameters()
        ):
            member.status = "diverged"

    def _step(self, member: Member) -> dict[str, Tensor]:
        terms = _by_player(member, member.model.draw(self.data, self.batch, member.t, member.stream))
        wanted = {player: list(_parameters(member.optimisers[player])) for player in terms}
        for i, (player, parts) in enumerate(terms.items()):
            loss, more = torch.stack(list(parts.values())).sum(), i + 1 < len(terms)
            gradients = torch.autograd.grad(loss, wanted[player], retain_graph=more, allow_unused=True)
            for parameter, gradient in zip(wanted[player], gradients):
                parameter.grad = gradient
        for player in terms:
            member.optimisers[player].step()
        member.t += 1
        alone = len(terms) == 1
        return {
            name if alone else f"{player}.{name}": value.detach()
            for player, parts in terms.items()
            for name, value in parts.items()
        }


def _parameters(optimiser: torch.optim.Adam) -> list[nn.Parameter]:
    return [p for group in optimiser.param_groups for p in group["params"]]


def _by_player(member: Member, draws: dict[str, Any]) -> dict[str, dict[str, Tensor]]:
    """Each player's terms; a model with one player returns its terms alone."""
    terms = member.model.loss(member.net, **draws)
    players = list(member.model.players)
    return terms if len(players) > 1 else {players[0]: terms}
