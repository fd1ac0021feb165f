"""Atomic save and load of a run in training: tensors as safetensors, the rest as JSON in its header. No pickle."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from .stack import Member

if TYPE_CHECKING:
    from .engine import Job

log = logging.getLogger(__name__)
NAME, BEST = "checkpoint.safetensors", "best.safetensors"


def save_weights(net: nn.Module, path: Path) -> None:
    """Networks alone, for whoever wants to use the trained model."""
    _save({name: value.detach().cpu().contiguous() for name, value in net.state_dict().items()}, path, {})


def save(member: Member, job: Job, facts: dict[str, float]) -> None:
    """Everything that the run needs to go on as if it had never stopped; `facts` come back with it."""
    tensors = {f"net/{name}": value for name, value in member.net.state_dict().items()}
    for player, optimiser in member.optimisers.items():
        for index, state in optimiser.state_dict()["state"].items():
            tensors |= {f"adam/{player}/{index}/{name}": value for name, value in state.items()}
    tensors["stream"] = member.stream.state
    header = {
        "identity": dict(job.identity),
        "device": member.stream.device.type,
        "t": member.t,
        "status": member.status,
        "finite": member.finite,
        "way": member.way,
        "log": member.log,
        "facts": facts,
    }
    _save(
        {name: value.detach().cpu().contiguous() for name, value in tensors.items()},
        job.folder / NAME,
        {"run": json.dumps(header)},
    )


def load(member: Member, job: Job) -> dict[str, float]:
    """Set a fresh member to where its checkpoint left it, and return the facts. None to read: changes nothing.

    Nor does one that is damaged, or of a device whose random stream cannot go on here: the run starts afresh, and a
    warning says so.

    Raises
    ------
    ValueError
        The checkpoint is another run's: of another model, version, hyper-parameter, data set, seed or budget.
    """
    path = job.folder / NAME
    if not path.exists():
        return {}
    try:
        with safe_open(path, "pt") as file:
            header = json.loads(file.metadata()["run"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iteration over the file)
    except (SafetensorError, KeyError, TypeError, ValueError):
        log.warning("%s is not readable as a checkpoint: the run starts afresh", path)
        return {}
    _require_same(header.get("identity", {}), dict(job.identity), path)
    fitting = {name: value.shape for name, value in member.net.state_dict().items()}
    if fitting != {name[4:]: value.shape for name, value in tensors.items() if name.startswith("net/")}:
        raise ValueError(f"{path} holds other networks than this run's; remove it, or `--rerun all` starts afresh")
    if header["device"] != member.stream.device.type:
        log.warning("%s was made on %s: the run starts afresh on another device", path, header["device"])
        return {}
    member.net.load_state_dict({name[4:]: value for name, value in tensors.items() if name.startswith("net/")})
    for player, optimiser in member.optimisers.items():
        state: dict[int, dict[str, Tensor]] = {}
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        for name, value in tensors.items():
            if name.startswith(f"adam/{player}/"):
                index, entry = name.removeprefix(f"adam/{player}/").split("/")
                like = value if entry == "step" else torch.empty_like(parameters[int(index)], device="cpu").copy_(value)
                state.setdefault(int(index), {})[entry] = like  # in the weight's own layout, as one kernel reads both
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    member.stream.state = tensors["stream"]
    member.t, member.status, member.finite = header["t"], header["status"], header["finite"]
    member.way, member.log = header["way"], [(step, term, value) for step, term, value in header["log"]]
    return header["facts"]


def _require_same(held: dict[str, Any], wanted: dict[str, Any], path: Path) -> None:
    """Refuse what another run left; numbers may have gone through JSON."""
    wanted = json.loads(json.dumps(wanted))
    for key in {**held, **wanted}:
        if held.get(key) != wanted.get(key):
            raise ValueError(
                f"{path} is of another run: {key} is {held.get(key)!r}, expected {wanted.get(key)!r}; remove it, or "
                "`--rerun all` starts afresh"
            )


def _save(tensors: dict[str, Tensor], path: Path, header: dict[str, str]) -> None:
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    save_file(tensors, partial, header)
    os.replace(partial, path)
