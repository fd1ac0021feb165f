"""Runs that train side by side on one device. No other file knows how: one by one, or as one computation."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import nn

from .. import rng
from .graphs import replay
from .precision import computing
from .resident import Resident
from .steps import Alone, Step, Together, Unfolded, adam, by_player, varied
from .stream import Stream

__all__ = ["Member", "Stack", "by_player", "networks"]

log = logging.getLogger(__name__)
PROBED = 30  # steps that tell how fast a way is


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
    way: str = ""  # how it was trained


def networks(model: Any, seed: int, data: Resident) -> nn.ModuleDict:
    """A model's networks as its seed starts them, on the data's device."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.key(seed, "initial weights"))
        net = nn.ModuleDict(model.nets(data))
    layout = torch.channels_last if data.device.type == "cpu" else torch.preserve_format
    return net.to(data.device, data.dtype).to(memory_format=layout)  # type: ignore[call-overload]


def one_by_one(steps: list[Step], count: int) -> None:
    """Each member's steps at a stretch."""
    for step in steps:
        for _ in range(count):
            step()


@dataclass(frozen=True)
class Way:
    """How the steps of a group of members are made."""

    together: bool
    run: Callable[[list[Step], int], None] = one_by_one
    inside: Callable[[], AbstractContextManager[Any]] = nullcontext


WAYS = {
    "sequential": Way(False),
    "vmap": Way(True),  # convolutions become grouped ones
    "unfold": Way(True, inside=Unfolded),
    "graphs": Way(False, replay),  # CUDA: one captured graph a run, several in flight
    "vmap graph": Way(True, replay),
    "unfold graph": Way(True, replay, Unfolded),
}
_probed: dict[Any, str] = {}  # what a group looks like -> the fastest way


class Stack:
    """Runs that train side by side on one device. `way`: a name of `WAYS`; "auto" is one by one on a CPU, and on CUDA
    whatever a short probe finds fastest.

    Members share the resident data and nothing else: a member's numbers never depend on its company.
    """

    def __init__(
        self, runs: list[tuple[Any, int]], data: Resident, batch: int, precision: str = "fp32", way: str = "auto"
    ) -> None:
        self.data, self.batch, self.precision, self.way = data, batch, precision, way
        self.members = [self._member(model, seed) for model, seed in runs]
        self._steps: dict[tuple[int, ...], Step] = {}

    def _member(self, model: Any, seed: int) -> Member:
        net, device = networks(model, seed, self.data), self.data.device
        settings = model.optimisers()
        optimisers = {
            player: adam([p for name in parts for p in net[name].parameters()], settings[player], device)
            for player, parts in model.players.items()
        }
        return Member(model, seed, net, optimisers, Stream(seed, "draws", device, self.data.dtype))

    def advance(self, upto: int) -> None:
        """Train every running member that is behind step `upto` up to it; log the mean of each term on the way.

        A member whose terms or weights are no longer finite is frozen as "diverged"; the others go on.
        """
        behind = [m for m in self.members if m.status == "running" and m.t < upto]
        for group in _grouped(behind, lambda m: (m.t, _shape(m.model))):
            name = self._way(group)
            steps = [self._step(part, WAYS[name].together) for part in self._parts(group, WAYS[name].together)]
            self._advance(steps, upto - group[0].t, name)

    def _way(self, group: list[Member]) -> str:
        if self.way != "auto":
            return self.way
        if self.data.device.type != "cuda":
            return "sequential"
        key = (self.data.device, self.data.shape, self.batch, self.precision, len(group), _shape(group[0].model))
        if key not in _probed:
            _probed[key] = self._fastest([(m.model, m.seed) for m in group])
        return _probed[key]

    def _fastest(self, runs: list[tuple[Any, int]]) -> str:
        """The way that takes copies of these runs through some steps first; one that fails here is none."""
        took: dict[str, float] = {}
        for name in WAYS:
            try:
                trial = Stack(runs, self.data, self.batch, self.precision, name)
                trial.advance(PROBED)
                torch.cuda.synchronize(self.data.device)
                start = time.perf_counter()
                trial.advance(2 * PROBED)
                torch.cuda.synchronize(self.data.device)
                took[name] = time.perf_counter() - start
            except RuntimeError as error:  # out of memory, or a step that cannot be captured
                log.info("%s: %s", name, error)
            trial = None
            torch.cuda.empty_cache()
        return min(took, key=took.__getitem__, default="sequential")

    def _parts(self, group: list[Member], together: bool) -> list[list[Member]]:
        """What makes its steps as one: a member, or all of those whose differences a loss can take as tensors."""
        if not together:
            return [[member] for member in group]
        if len(group) == 1 or self._computes(group):
            return [group]
        return _grouped(group, lambda m: repr(m.model))

    def _computes(self, group: list[Member]) -> bool:
        if tuple(map(id, group)) in self._steps or not varied([m.model for m in group]):
            return True
        states = [member.stream.state for member in group]
        try:
            Together(group, self.data, self.batch).terms()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:  # the loss or the draw asks for a hyper-parameter's value
            return False
        finally:
            for member, state in zip(group, states):
                member.stream.state = state
        return True

    def _step(self, members: list[Member], together: bool) -> Step:
        key = tuple(map(id, members))
        if key not in self._steps:  # new, or of other company before one of it diverged
            self._steps = {k: step for k, step in self._steps.items() if not set(k) & set(key)}
            self._steps[key] = (Together if together else Alone)(members, self.data, self.batch)
        return self._steps[key]

    def _advance(self, steps: list[Step], count: int, name: str) -> None:
        way, nets = WAYS[name], [member.net for step in steps for member in step.members]
        for step in steps:
            step.begin()
        with computing(nets, self.precision, self.data.device), way.inside():
            way.run(steps, count)
        for step in steps:
            step.settle()
            finite, totals = step.finite.tolist(), {term: sums.tolist() for term, sums in step.totals.items()}
            for i, member in enumerate(step.members):
                member.finite, member.t, member.way = member.t + finite[i], member.t + count, name
                means = {term: sums[i] / count for term, sums in totals.items()}
                member.log += [(member.t, term, value) for term, value in means.items()]
                weights = torch.stack([w.isfinite().all() for w in member.net.parameters()])
                if not all(map(math.isfinite, means.values())) or not weights.all():
                    member.status = "diverged"


def _shape(model: Any) -> str:
    """What runs must share to be one computation: all but float hyper-parameters that no optimiser is set by."""
    rest = {name: value for name, value in asdict(model).items() if not isinstance(value, float)}
    return repr((type(model), rest, model.optimisers()))


def _grouped(members: list[Member], key: Callable[[Member], Any]) -> list[list[Member]]:
    groups: dict[Any, list[Member]] = {}
    for member in members:
        groups.setdefault(key(member), []).append(member)
    return list(groups.values())
