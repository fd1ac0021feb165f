"""`bench` as a program of its own that is at work at once: a fork of a process that has imported all it needs."""

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from disentangle_bench.runner import processes

# one server for commands and for what workers do
processes.WARM += [f"disentangle_bench.{part}" for part in ("cli", "report", "runner.cost")]
FORKS = processes.context([])


class Program:
    """A command under way, in a process group of its own, as `subprocess.Popen` would have it."""

    def __init__(self, *words: object, **environment: str) -> None:
        self.told = Path(tempfile.mkdtemp())
        arguments = ["bench", *map(str, words)], {**os.environ, **environment}, os.getcwd(), self.told
        self.process = FORKS.Process(target=_main, args=arguments)
        self.process.start()

    def poll(self) -> int | None:
        return self.process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        self.process.join(timeout)
        assert self.process.exitcode is not None, f"{self.process.pid} still runs after {timeout} seconds"
        out, err = ((self.told / name).read_text(encoding="utf-8") for name in ("out", "err"))
        return out, err

    def interrupt(self) -> None:
        os.kill(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """The whole group at once."""
        while os.getpgid(self.process.pid) != self.process.pid:  # it has not come so far
            time.sleep(0.01)
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.join()


def _main(words: list[str], environment: dict[str, str], folder: str, told: Path) -> None:
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for name, stream in ("out", sys.stdout), ("err", sys.stderr):
        with (told / name).open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = words
    from disentangle_bench import cli

    cli.main()
