"""A lock a run, so that several programs may share the work of one folder: taken whole or not at all, and taken over
from whoever died with it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import provenance

NAME = "lock"
BEAT, STALE = 30.0, 300.0  # seconds between heartbeats; after so many without one, a holder elsewhere counts as dead
_held: set[Path] = set()  # locks of this process


@dataclass(frozen=True)
class Holder:
    """What a lock says of the process that holds it."""

    host: str
    space: str  # of process ids, as containers on one host have their own; empty where the system does not tell
    pid: int
    started: str  # when the process did, as the system counts: a later one may have its id; empty likewise
    since: str  # UTC, ISO 8601
    session: str = ""  # of the command that the process works for

    @property
    def process(self) -> tuple[str, str, int, str]:
        return self.host, self.space, self.pid, self.started


def take(folder: Path, session: str = "", name: str = NAME) -> bool:
    """Take a folder's lock, made if need be; False if a living process holds it. Its file's time is the heartbeat.

    A lock is taken over when its process is gone from this host (or another has its id by now), when it comes from
    elsewhere and its last heartbeat is older than five minutes, or when it is of the same `session`: a command hands a
    run out again only when it has lost the process that had it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, own = folder / name, folder / f".{os.getpid()}.{threading.get_ident()}.{name}"
    while True:
        try:
            own.write_text(json.dumps(dataclasses.asdict(_me(session))))
            _link(own, path)
        except FileExistsError:
            # both times are the file system's, so that clocks of hosts need not agree
            if not _remove(path, lambda holder: _dead(holder, _age(path, own.stat().st_mtime), session)):
                return False
        except FileNotFoundError:  # whoever finished the run tidied up
            continue
        else:
            _held.add(path)
            _start_heart()
            return True
        finally:
            own.unlink(missing_ok=True)


def release(folder: Path, name: str = NAME) -> None:
    """Give a folder's lock back; one that another has taken over stays."""
    path, me = folder / name, _me()
    _held.discard(path)
    _remove(path, lambda holder: holder is not None and holder.process == me.process)


def clear(folder: Path) -> None:
    """Remove what a dead process left of its lock."""
    path = folder / NAME
    if path.exists():
        _remove(path, lambda holder: _dead(holder, _age(path, time.time())))


def holder(folder: Path) -> Holder | None:
    """Who holds a folder's lock, if that one still lives; writes nothing."""
    path = folder / NAME
    found = _read(path)
    return None if found is None or _dead(found, _age(path, time.time())) else found


@contextlib.contextmanager
def hold(folders: Iterable[Path], session: str = "") -> Iterator[list[Path]]:
    """Take the locks of those folders that nobody else holds, in order; released at the end, whatever happens."""
    taken: list[Path] = []
    try:
        for folder in folders:
            taken += [folder] if take(folder, session) else []
        yield taken
    finally:
        for folder in taken:
            release(folder)


@contextlib.contextmanager
def alone(folder: Path, name: str = NAME) -> Iterator[None]:
    """Hold a folder's lock of this name, after waiting for it. Not twice at once by one process."""
    while not take(folder, name=name):
        time.sleep(0.05)
    try:
        yield
    finally:
        release(folder, name)


def _me(session: str = "") -> Holder:
    return Holder(socket.gethostname(), _space(), os.getpid(), _process(os.getpid()), provenance.now(), session)


def _dead(found: Holder | None, age: float, session: str = "") -> bool:
    """Whether a lock may be taken over: what it says of its holder, and seconds since its last heartbeat."""
    if found is None:
        return age > STALE
    if (found.host, found.space) == (socket.gethostname(), _space()):
        return not _lives(found)
    return age > STALE or (session != "" and found.session == session)


def _lives(found: Holder) -> bool:
    """Whether the holder, a process of this host, is still that process."""
    return alive(found.pid) and (not found.started or _process(found.pid) == found.started)


def alive(pid: int) -> bool:
    """Whether this host has such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        pass
    return True


def _process(pid: int) -> str:
    """Ticks from the start of the system to that of a process; empty if it is a zombie or the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()  # a name may hold anything
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


@functools.cache
def _space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _link(own: Path, path: Path) -> None:
    """Give a whole file a second name, if nothing has that name."""
    try:
        os.link(own, path)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:  # a file system without links
        with path.open("x") as file:
            file.write(own.read_text())


def _read(path: Path) -> Holder | None:
    """What a lock says; None where there is none, or nothing readable in it."""
    try:
        return Holder(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _age(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except OSError:
        return 0.0


def _remove(path: Path, wanted: Callable[[Holder | None], bool]) -> bool:
    """Remove a lock if what it says is `wanted`, or if it is gone already; whether there is none now. Nobody else
    removes one meanwhile, so that what is removed is what was read."""
    with _guard(path.parent):
        if not path.exists():  # somebody may make a new one at any moment
            return True
        if not wanted(_read(path)):
            return False
        path.unlink(missing_ok=True)
        return True


@contextlib.contextmanager
def _guard(folder: Path) -> Iterator[None]:
    """Keep other processes out of this for a moment, where the system can; it lets go of the dead by itself."""
    file: Any = None
    try:
        import fcntl

        file = os.open(folder, os.O_RDONLY)
        fcntl.flock(file, fcntl.LOCK_EX)
    except (ImportError, OSError):
        pass
    try:
        yield
    finally:
        if file is not None:
            os.close(file)


@functools.cache
def _start_heart() -> None:
    threading.Thread(target=_beat, daemon=True).start()


def _beat() -> None:
    while True:
        time.sleep(BEAT)
        for path in tuple(_held):
            with contextlib.suppress(OSError):
                os.utime(path)
