"""Atomic save and load of a run in training: tensors as safetensors, the rest as JSON in its header. No pickle."""

from __future__ import annotations

import json
import os
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from .stack import Member

NAME = "checkpoint.safetensors"


def save_weights(net: nn.Module, path: Path) -> None:
    """Networks alone, for whoever wants to use the trained model."""
    _save({name: value.detach().cpu().contiguous() for name, value in net.state_dict().items()}, path, {})


def save(member: Member, folder: Path, facts: dict[str, float]) -> None:
    """Everything that the run needs to go on as if it had never stopped; `facts` come back with it."""
    tensors = {f"net/{name}": value for name, value in member.net.state_dict().items()}
    for player, optimiser in member.optimisers.items():
        for index, state in optimiser.state_dict()["state"].items():
            tensors |= {f"adam/{player}/{index}/{name}": value for name, value in state.items()}
    tensors["stream"] = member.stream.state
    header = {
        "device": member.stream.device.type,
        "t": member.t,
        "status": member.status,
        "finite": member.finite,
        "log": member.log,
        "facts": facts,
    }
    _save(
        {name: value.detach().cpu().contiguous() for name, value in tensors.items()},
        folder / NAME,
        {"run": json.dumps(header)},
    )


def load(member: Member, folder: Path) -> dict[str, float]:
    """Set a fresh member to where its checkpoint left it, and return the facts. None to read: changes nothing."""
    path = folder / NAME
    try:
        with safe_open(path, "pt") as file:
            header = json.loads(file.metadata()["run"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iteration over the file)
    except (FileNotFoundError, SafetensorError, KeyError, ValueError):
        return {}
    fitting = {name: value.shape for name, value in member.net.state_dict().items()}
    held = {name[4:]: value.shape for name, value in tensors.items() if name.startswith("net/")}
    if fitting != held or header["device"] != member.stream.device.type:
        return {}  # of other code, or of a device whose random stream cannot go on here
    member.net.load_state_dict({name[4:]: value for name, value in tensors.items() if name.startswith("net/")})
    for player, optimiser in member.optimisers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith(f"adam/{player}/"):
                index, entry = name.removeprefix(f"adam/{player}/").split("/")
                state.setdefault(int(index), {})[entry] = value
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    member.stream.state = tensors["stream"]
    member.t, member.status, member.finite = header["t"], header["status"], header.get("finite", header["t"])
    member.log = [(step, term, value) for step, term, value in header["log"]]
    return header["facts"]


def _save(tensors: dict[str, Tensor], path: Path, header: dict[str, str]) -> None:
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    save_file(tensors, partial, header)
    os.replace(partial, path)
