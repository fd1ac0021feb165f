"""One training step, of a member alone or of many as one computation: draw, loss, gradients, update.

Nothing in a step waits for the device: sums of the terms stay there until somebody reads them.
"""

from __future__ import annotations

import copy
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn.functional import conv2d, conv_transpose2d, unfold
from torch.overrides import TorchFunctionMode

from ..adam import Adam
from .resident import Resident
from .thin import transposed

if TYPE_CHECKING:
    from .stack import Member

Terms = dict[str, dict[str, Tensor]]  # player -> term -> value


def by_player(model: Any, terms: Any) -> Terms:
    """Each player's terms; a model with one player returns its terms alone."""
    return terms if len(model.players) > 1 else {next(iter(model.players)): terms}


def adam(parameters: list[Tensor], settings: dict[str, Any], device: torch.device) -> torch.optim.Adam:
    """Adam in one kernel where there is one, and able to run inside a CUDA graph."""
    kind = device.type
    return Adam(parameters, fused=kind in ("cpu", "cuda"), capturable=kind == "cuda", **settings)


class Step:
    """A step of some members that stand at the same t; call it as often as they have steps to go."""

    def __init__(self, members: list[Member], data: Resident, batch: int) -> None:
        self.members, self.data, self.batch = members, data, batch
        self.optimisers: dict[str, torch.optim.Adam] = {}
        self.clock = torch.zeros((), dtype=data.dtype, device=data.device)  # t, for schedules
        self.totals: dict[str, Tensor] = {}  # sums of each term, (members,)
        self.finite = torch.zeros(len(members), dtype=torch.long, device=data.device)  # steps whose terms are numbers
        self.stream: Any = None  # where it is replayed, and what: see graphs.py
        self.graph: Any = None

    def begin(self) -> None:
        """Set the clock to where the members stand and the sums to zero."""
        self.clock.fill_(self.members[0].t)
        for sums in (*self.totals.values(), self.finite):
            sums.zero_()

    def terms(self) -> Terms:
        """A batch's terms, each (members,) or a number."""
        raise NotImplementedError

    def settle(self) -> None:
        """Leave in the members what the steps made of them."""

    def __call__(self) -> None:
        terms = self.terms()
        for i, (player, parts) in enumerate(terms.items()):
            wanted = [p for group in self.optimisers[player].param_groups for p in group["params"]]
            for parameter in wanted:
                parameter.grad = None
            loss = torch.stack([value.sum() for value in parts.values()]).sum()
            loss.backward(inputs=wanted, retain_graph=i + 1 < len(terms))
        for player in terms:
            self.optimisers[player].step()
        self._record(terms)
        self.clock += 1

    def _record(self, terms: Terms) -> None:
        for player, parts in terms.items():
            for name, value in parts.items():
                key = name if len(terms) == 1 else f"{player}.{name}"
                if key not in self.totals:
                    self.totals[key] = torch.zeros(len(self.members), dtype=value.dtype, device=value.device)
                self.totals[key] += value.detach()
        self.finite += torch.stack(list(self.totals.values())).sum(0).isfinite()


class Alone(Step):
    """One member with its own tensors."""

    def __init__(self, members: list[Member], data: Resident, batch: int) -> None:
        super().__init__(members, data, batch)
        (self.member,) = members
        self.optimisers = self.member.optimisers

    def terms(self) -> Terms:
        model = self.member.model
        draws = model.draw(self.data, self.batch, self.clock, self.member.stream)
        return by_player(model, model.loss(self.member.net, **draws))


class Together(Step):
    """Members that differ in seed and in float hyper-parameters of the loss, as one computation over their axis.

    Weights, moments and batch statistics are stacked, (members, ...); Adam works elementwise, so that one is as many.
    """

    def __init__(self, members: list[Member], data: Resident, batch: int) -> None:
        super().__init__(members, data, batch)
        first = members[0].model
        self.objective = _Objective(members[0].net)
        self.weights, self.buffers = stack_module_state([_Objective(m.net) for m in members])
        self.varied = {
            name: torch.tensor([getattr(m.model, name) for m in members], dtype=data.dtype, device=data.device)
            for name in varied([m.model for m in members])
        }
        for player, parts in first.players.items():
            names = [f"net.{part}.{name}" for part in parts for name, _ in members[0].net[part].named_parameters()]
            self.optimisers[player] = adam([self.weights[n] for n in names], first.optimisers()[player], data.device)
            for name in names:
                states = [m.optimisers[player].state.get(_parameter(m, name), {}) for m in members]
                self.optimisers[player].state[self.weights[name]] = {
                    key: value.clone() if key == "step" else torch.stack([state[key] for state in states])
                    for key, value in states[0].items()
                }

    def terms(self) -> Terms:
        each = [m.model.draw(self.data, self.batch, self.clock, m.stream) for m in self.members]
        fixed = {k: v for k, v in each[0].items() if not isinstance(v, Tensor)}
        if any(draws[k] != v for draws in each for k, v in fixed.items()):
            raise RuntimeError(f"draws {sorted(fixed)} are no tensors and differ between members of a stack")
        stacked = {k: torch.stack([draws[k] for draws in each]) for k in each[0] if k not in fixed}
        model = self.members[0].model

        def one(weights: dict, buffers: dict, varied: dict, draws: dict) -> Terms:
            own = copy.copy(model)
            for name, value in varied.items():
                object.__setattr__(own, name, value)  # past the checks of __post_init__, which were made before
            return functional_call(self.objective, {**weights, **buffers}, (own, {**fixed, **draws}))

        return vmap(one)(self.weights, self.buffers, self.varied, stacked)

    @torch.no_grad()
    def settle(self) -> None:
        for i, member in enumerate(self.members):
            for stacked in (self.weights, self.buffers):
                for name, values in stacked.items():
                    _parameter(member, name).copy_(values[i])
            for player, optimiser in self.optimisers.items():
                for name, weight in self.weights.items():
                    if weight in optimiser.state:
                        own = _parameter(member, name)
                        member.optimisers[player].state[own] = {
                            key: value.clone() if key == "step" else torch.empty_like(own).copy_(value[i])
                            for key, value in optimiser.state[weight].items()
                        }


def varied(models: list[Any]) -> list[str]:
    """Float hyper-parameters in which these models differ."""
    return [f.name for f in fields(models[0]) if len({getattr(m, f.name) for m in models}) > 1]


class _Objective(nn.Module):
    """A model's loss as the forward pass of its networks, so that these can be handed other weights."""

    def __init__(self, net: nn.ModuleDict) -> None:
        super().__init__()
        self.net = net

    def forward(self, model: Any, draws: dict[str, Any]) -> Terms:
        return by_player(model, model.loss(self.net, **draws))


def _parameter(member: Member, name: str) -> Tensor:
    """The member's tensor behind a stacked name, "net.encoder.mean.weight"."""
    part, _, attribute = name.removeprefix("net.").rpartition(".")
    return getattr(member.net.get_submodule(part), attribute)


class Unfolded(TorchFunctionMode):
    """Inside, convolutions are matrix products of unfolded images: many small ones at once can be faster so."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is conv2d:
            return _convolved(*args, **(kwargs or {}))
        if func is conv_transpose2d:
            return transposed(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _convolved(x: Tensor, w: Tensor, b: Tensor | None, stride: Any, padding: Any, *_: Any) -> Tensor:
    kernel, columns = w.shape[2:], unfold(x, w.shape[2:], padding=padding, stride=stride)  # (n, i k k, places)
    h, wide = ((x.shape[2 + a] + 2 * padding[a] - kernel[a]) // stride[a] + 1 for a in (0, 1))
    y = (w.flatten(1) @ columns).unflatten(2, (h, wide))
    return y if b is None else y + b[:, None, None]
