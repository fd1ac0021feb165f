"""Work on a machine that does not see the results folder: in a folder of its own, whose files are handed back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from . import locks
from .store import PENDING, RECORD, Store, write_atomic
from .task import Message, Task, Watch

Files = Mapping[str, Mapping[str, bytes]]  # run -> name -> what is in the file


@dataclass(frozen=True)
class Left:
    """What a worker that does not see the folder has made of a task."""

    files: Files
    asked: bool = False  # it needs the files of these runs first


@contextmanager
def seen(folder: Path, session: str) -> Iterator[None]:
    """While this lasts, whoever sees the folder can tell by a mark of this session that it is the same."""
    mark = _mark(folder, session)
    mark.touch()
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def _mark(folder: Path, session: str) -> Path:
    return folder / f".session.{session}"


def work(there: Callable[[Task, Watch], Any], task: Task, watch: Watch) -> Any:
    """What `there` makes of a task: in the folder itself, or in one of its own as `Left`, runs scored, too."""
    if _mark(task.folder, task.session).exists():
        return there(task, watch)
    if task.trained and not task.files:
        watch(Message(task.name, "asks for its codes", 0.0))
        return Left({}, asked=True)
    try:
        with TemporaryDirectory(prefix="bench-") as name:
            store = Store(name)
            for run, files in task.files.items():
                _write(store.path(run), files)
                store.reopen(run)  # where it had failed before
            there(replace(task, folder=Path(name), later=False, before={}, files={}), watch)
            return Left(read(store, task))
    except OSError as error:  # of this machine's disk, which is not that of the folder: its runs alone fail
        return error


def read(store: Store, task: Task) -> Files:
    """The files of a task's runs, without locks and what is half-written."""
    found = {run.id: store.path(run.id) for run in task.runs}
    return {run: dict(_files(folder)) for run, folder in found.items()}


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.iterdir():
        if path.is_file() and not path.name.startswith((".", locks.NAME)):
            with suppress(FileNotFoundError):  # of a run that another process ends meanwhile
                yield path.name, path.read_bytes()


def keep(store: Store, task: Task, left: Left) -> list[str]:
    """Store runs that were handed back, each record last, save for those that others hold or have ended meanwhile;
    which these are."""
    with locks.hold([store.path(run.id) for run in task.runs], task.session) as held:
        mine = [run.id for run in task.runs if store.path(run.id) in held]
        mine = [
            run
            for run in mine
            if store.stamp(run) in (0, task.before.get(run, 0)) and RECORD in left.files.get(run, {})
        ]
        for run in mine:
            _replace(store, run, task.files.get(run, {}), left.files[run])
    return [run.id for run in task.runs if run.id not in mine]


def _replace(store: Store, run: str, sent: Mapping[str, bytes], files: Mapping[str, bytes]) -> None:
    """Give a run the files that were handed back. Those that were sent stay while they are the same, so that a run that
    is trained is so at any moment."""
    folder = store.path(run)
    if PENDING in sent and (folder / PENDING).exists() and (folder / PENDING).read_bytes() == sent[PENDING]:
        store.reopen(run)
        sent = {name: held for name, held in sent.items() if (folder / name).exists()}
    else:
        sent = {}
        store.forget(run, checkpoint=True)
    _write(folder, {name: held for name, held in files.items() if sent.get(name) != held})
    for name in sent.keys() - files.keys():
        (folder / name).unlink(missing_ok=True)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    if foreign := [name for name in files if Path(name).name != name or name.startswith((".", locks.NAME))]:
        raise ValueError(f"{foreign[0]!r} is no name of a file of a run")
    for name in sorted(files, key=lambda name: name == RECORD):  # the record last
        write_atomic(folder / name, lambda path, name=name: path.write_bytes(files[name]))
