"""Ctrl-C: the first one ends a command in order, the second one at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

CODE = 130  # of a command that was interrupted, as shells have it


@contextlib.contextmanager
def twice() -> Iterator[None]:
    """The first SIGINT is a KeyboardInterrupt, as ever; the second one ends the process whatever it does."""
    if threading.current_thread() is not threading.main_thread():  # which alone may say what a signal does
        yield
        return

    def first(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(CODE))
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
