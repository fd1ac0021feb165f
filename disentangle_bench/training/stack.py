"""Runs that train side by side on one device. No other file knows how: one by one, or as one computation."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import nn

from .. import rng
from .graphs import replay
from .precision import computing
from .resident import Resident
from .steps import Alone, Step, Together, Unfolded, adam, varied
from .stream import Stream

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


def networks(model: Any, seed: int, data: Resident, purpose: str = "initial weights") -> nn.ModuleDict:
    """A model's networks as its seed starts them, on the data's device."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.key(seed, purpose))
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
        self._steps: dict[tuple[Any, ...], Step] = {}  # by way and members
        self._computable: dict[tuple[int, ...], bool] = {}  # members whose differences a loss takes as tensors

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
            restarts = getattr(group[0].model, "restarts", {})
            for stop in sorted({t for t in restarts if group[0].t < t < upto} | {upto}):
                if running := [m for m in group if m.status == "running"]:
                    self._restart(running, restarts.get(running[0].t, ()))
                    name = self._way(running)
                    steps = [self._step(part, name) for part in self._parts(running, WAYS[name].together)]
                    self._advance(steps, stop - running[0].t, name)

    def _restart(self, members: list[Member], players: tuple[str, ...]) -> None:
        """Give these players fresh networks and optimisers, as the members' seeds draw them at this step."""
        for member in members if players else []:
            fresh = networks(member.model, member.seed, self.data, f"weights anew at step {member.t}")
            for player in players:
                for part in member.model.players[player]:
                    member.net[part].load_state_dict(fresh[part].state_dict())
                member.optimisers[player].state.clear()
        if players:
            self._steps.clear()  # what is stacked or recorded holds the old ones

    def _way(self, group: list[Member]) -> str:
        if self.way != "auto":
            return self.way
        if self.data.device.type != "cuda":
            return "sequential"
        # of about this size: a member that diverges is no reason to probe again
        size = len(group).bit_length()
        key = (self.data.device, self.data.shape, self.batch, self.precision, size, _shape(group[0].model))
        if key not in _probed:
            _probed[key] = self._fastest([(m.model, m.seed) for m in group])
        return _probed[key]

    def _fastest(self, runs: list[tuple[Any, int]]) -> str:
        """The way in which copies of these runs take the fewest seconds a step; one that fails here is none."""
        took: dict[str, float] = {}
        full = False
        for name in WAYS:
            trial = None
            try:
                trial = Stack(runs, self.data, self.batch, self.precision, name)
                trial.advance(PROBED)  # records graphs
                short, long = (self._seconds(trial, upto) for upto in (2 * PROBED, 6 * PROBED))
                if all(m.status == "running" for m in trial.members):  # one that diverged would not have worked
                    took[name] = long - short  # without what an advance costs at its end, however long it is
            except torch.OutOfMemoryError:
                full = True
            except RuntimeError as error:  # a step that cannot be recorded
                log.warning("stacks cannot run as %r here: %s", name, error)
            trial = None
            with suppress(RuntimeError):  # after a recording that failed
                torch.cuda.synchronize(self.data.device)
                torch.cuda.empty_cache()
        best = min(took, key=took.__getitem__, default="sequential")
        if full and best == "sequential" and len(runs) > 1:
            raise torch.OutOfMemoryError(f"{len(runs)} runs do not fit side by side")
        return best

    def _seconds(self, trial: Stack, upto: int) -> float:
        torch.cuda.synchronize(self.data.device)
        start = time.perf_counter()
        trial.advance(upto)
        torch.cuda.synchronize(self.data.device)
        return time.perf_counter() - start

    def _parts(self, group: list[Member], together: bool) -> list[list[Member]]:
        """What makes its steps as one: a member, or all of those whose differences a loss can take as tensors."""
        if not together:
            return [[member] for member in group]
        key = tuple(map(id, group))
        if key not in self._computable:
            self._computable[key] = not varied([m.model for m in group]) or self._computes(group)
        if self._computable[key]:
            return [group]
        return _grouped(group, lambda m: repr(m.model))

    def _computes(self, group: list[Member]) -> bool:
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

    def _step(self, members: list[Member], name: str) -> Step:
        key = (name, *map(id, members))
        if key not in self._steps:  # new, or of other company before one of it diverged
            self._steps = {k: step for k, step in self._steps.items() if not set(k[1:]) & set(key[1:])}
            self._steps[key] = (Together if WAYS[name].together else Alone)(members, self.data, self.batch)
        return self._steps[key]

    def rest(self) -> None:
        """Give back what only training needs: gradients, recorded steps, stacked weights."""
        self._steps.clear()
        for member in self.members:
            member.net.zero_grad(set_to_none=True)

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
