"""What a worker is given, and what it tells."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    later: bool = False  # another worker scores what this one trains
    before: Mapping[str, int] = field(default_factory=dict)  # `Store.stamp` of its runs when the plan was made
    session: str = ""  # of the command, for locks
    trained: bool = False  # its runs are, and only to be scored
    files: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)  # of runs, for who does not see the folder

    def scores(self, run: Run) -> Task:
        """What is left to do of one of its runs when that is trained."""
        return replace(self, runs=[run], fresh=False, later=False, trained=True)

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


@dataclass
class Beside:
    """Tasks that need no device, for so many processes beside the workers. More may be put in while others are worked
    on; what comes of them is told like that of all."""

    places: int = 0
    tasks: deque[Any] = field(default_factory=deque)

    def take(self, n: int) -> list[Any]:
        return [self.tasks.popleft() for _ in range(min(n, len(self.tasks)))]


NOBODY = Beside()
