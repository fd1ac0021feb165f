"""What a worker is given, and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .plan import Run


@dataclass(frozen=True)
class Task:
    """A stack of runs for one worker, with all that it needs to know."""

    runs: list[Run]
    folder: Path
    study: str
    metrics: list[str]
    options: Mapping[str, Mapping[str, Any]]
    device: str = "auto"
    data_dir: str | None = None
    blocks: Sequence[str] = ()
    milestones: Sequence[int] = ()  # steps at which codes are stored on the way
    checkpoint_every: int | None = None  # steps; None: every ten seconds
    fresh: bool = False  # do not go on from checkpoints
    before: Mapping[str, int] = field(default_factory=dict)  # `Store.stamp` of its runs when the plan was made
    session: str = ""  # of the command, for locks

    @property
    def name(self) -> str:
        first, n = self.runs[0], len(self.runs)
        which = f"seed {first.seed}" if n == 1 else f"{n} runs"
        return f"{first.model} {first.dataset} {which} [{first.id[:6]}]"


@dataclass(frozen=True)
class Message:
    """What a worker tells about its stack."""

    stack: str
    text: str
    share: float = 0.0  # of the stack's work, 0 to 1; 1 is the end


Watch = Callable[[Message], None]
