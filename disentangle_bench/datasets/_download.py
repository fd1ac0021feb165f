"""Official files: fetched once, gone on with where a connection broke, checked whenever they are used.

A file that is there is never replaced behind its owner's back.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CONNECT, READ, LOOK_UP = 3, 10, 5  # seconds
PAUSE = 1  # seconds before a server is asked again
TRIES = 2  # in a row that bring nothing, then the next mirror
BLOCK = 1 << 16  # bytes


@dataclass(frozen=True)
class File:
    """A published file.

    Attributes
    ----------
    name : where it lies below the data folder; sets of several files have a folder of their own
    urls : the place that published it, then mirrors
    size : bytes, None where nobody says; told to people, not checked where there is a hash
    sha256, md5 : hexadecimal, as kept by loaders that are in wide use; the first that is there is checked
    """

    name: str
    urls: tuple[str, ...]
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None

    @property
    def digest(self) -> str:
        """As `FactoredData.sha256` has it: 64 digits, "md5:..." where only that is published, empty without either."""
        return self.sha256 or (f"md5:{self.md5}" if self.md5 else "")


def folder(data_dir: str | Path | None = None) -> Path:
    """Where data files lie: `data_dir`, else the environment variable BENCH_DATA, else the user's cache folder."""
    if chosen := data_dir or os.environ.get("BENCH_DATA"):
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("disentangle_bench"))


def digest(files: tuple[File, ...]) -> str:
    """One hash of several files, whether they are here or not; of one file its own."""
    if len(files) == 1:
        return files[0].digest
    return hashlib.sha256("\n".join(file.digest for file in files).encode()).hexdigest()


def fetch_all(files: Iterable[File], data_dir: str | Path | None = None) -> tuple[Path, ...]:
    """Paths of several files, each as by `local`."""
    return tuple(local(file, data_dir) for file in files)


def local(file: File, data_dir: str | Path | None = None) -> Path:
    """Path of a file in the data folder, checked; downloaded if it is not there.

    Downloads show their progress and appear under their name only when complete and correct. What came before a
    connection broke is kept beside it, as NAME.part, and the next download goes on from there if the server can.
    Mirrors are tried in turn. Of several processes that want a file one downloads, the others wait.
    The environment variable BENCH_OFFLINE=1 forbids downloads.

    Raises
    ------
    ConnectionError
        The file is not there and cannot be downloaded. Without a network this takes at most five seconds a mirror.
    ValueError
        The file is there but damaged; it is left as it is.
    """
    path = folder(data_dir) / file.name
    if path.exists():
        check(path, file)
        return path
    if os.environ.get("BENCH_OFFLINE", "0") not in ("", "0"):
        raise ConnectionError(f"{path} does not exist and BENCH_OFFLINE forbids its download from {file.urls[0]}")
    silent = {url: reason for url in file.urls if (reason := unreachable(url))}
    if len(silent) == len(file.urls):
        said = " and ".join(f"{url} cannot be reached ({reason})" for url, reason in silent.items())
        raise ConnectionError(f"{path} does not exist and {said}")
    try:
        _download(file, path, [url for url in file.urls if url not in silent])
    except OSError as error:
        raise ConnectionError(f"{path} does not exist and its download failed: {error}{_kept(path)}") from error
    return path


def check(path: Path, file: File) -> None:
    """Refuse what is not the published file, by its hash, or by its size where no hash is known."""
    if difference := _difference(path, file):
        raise ValueError(
            f"{path} ({path.stat().st_size:,} bytes) is damaged or another file: {difference}. Delete it or move it "
            "away, then run again."
        )


def _difference(path: Path, file: File) -> str:
    """What is wrong with a file, in words; empty if nothing is."""
    import pooch

    kind, known = ("sha256", file.sha256) if file.sha256 else ("md5", file.md5)
    got = pooch.file_hash(str(path), kind) if known else None
    if not known and file.size is not None:
        kind, got, known = "size", path.stat().st_size, file.size
    bytes_ = "" if file.size is None else f" ({file.size:,} bytes)"
    return "" if got == known else f"{kind} {got}, expected {known}{bytes_}"


def unreachable(url: str) -> str:
    """Why a server does not answer; empty if it does. In a thread, because looking up a host name heeds no timeout."""
    reasons = [f"no answer within {LOOK_UP} s"]

    def knock() -> None:
        import ssl
        from http.client import HTTPException
        from urllib import error, request

        reason: object = ""
        try:
            request.urlopen(request.Request(url, method="HEAD"), timeout=CONNECT).close()
        except error.HTTPError as refusal:  # an answer all the same
            refusal.close()
        except (OSError, HTTPException) as failure:
            reason = getattr(failure, "reason", failure)
        reasons.append("" if isinstance(reason, ssl.SSLError) else str(reason))  # the download has own certificates

    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(LOOK_UP)
    return reasons[-1]


def part_of(path: Path) -> Path:
    """Where the beginning of a file is while not all of it is here."""
    return path.with_name(f"{path.name}.part")


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Whether a file is still to be made, once no other process makes it. On failure an empty lock stays beside it."""
    from filelock import FileLock

    lock = path.with_name(f".{path.name}.lock")
    with FileLock(lock):
        yield not path.exists()
        if path.exists():  # whoever else waits for the lock, or makes it anew, sees that, too
            with suppress(OSError):
                lock.unlink()


def _kept(path: Path) -> str:
    part = part_of(path)
    if not part.exists():
        return ""
    return (
        f". The {part.stat().st_size:,} bytes that came are kept in {part.name}; the next download goes on from there"
    )


def _download(file: File, path: Path, urls: list[str]) -> None:
    """The file under its name, from the first mirror that has it; OSError if none has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part, reasons = part_of(path), []
    with alone(path) as wanted:
        for url in urls if wanted else []:
            try:
                _from_mirror(url, part, file)
                os.replace(part, path)
                reasons.clear()
                break
            except OSError as error:
                reasons.append(str(error))
        if reasons:
            raise OSError("; ".join(reasons))


def _from_mirror(url: str, part: Path, file: File) -> None:
    """The whole file in `part`, checked. Goes on after a break as long as something comes."""
    patience, again = TRIES, False
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _receive(url, part, file)
        except OSError:
            came = part.stat().st_size if part.exists() else 0
            if not came:
                part.unlink(missing_ok=True)
            patience = TRIES if came > before else patience - 1
            if not patience:
                raise
            time.sleep(PAUSE)
            continue
        if not (difference := _difference(part, file)):
            return
        part.unlink()
        if again or not before:
            raise OSError(f"{url} holds another file: {difference}")
        again = True  # its beginning may have come from elsewhere


def _receive(url: str, part: Path, file: File) -> None:
    """What `part` lacks of the file, or all of it from a server that does not give parts of files."""
    import requests
    from tqdm import tqdm

    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with requests.get(url, headers=headers, stream=True, timeout=(CONNECT, READ)) as answer:
        reach = answer.headers.get("Content-Range", "")  # "bytes FIRST-LAST/ALL", or "bytes */ALL" beyond the end
        if answer.status_code == 416 and reach == f"bytes */{have}":
            return
        if answer.status_code == 416 or (answer.status_code == 206 and not reach.startswith(f"bytes {have}-")):
            part.unlink()
            raise OSError(f"{url} has no such part: got {reach!r}, expected bytes from {have} on")
        answer.raise_for_status()
        if "html" in answer.headers.get("Content-Type", ""):
            raise OSError(f"{url} answers with a web page, expected the file")
        have = have if answer.status_code == 206 else 0
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else file.size
        with (
            part.open("ab" if have else "wb") as out,
            tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=Path(file.name).name) as bar,
        ):
            for block in answer.iter_content(BLOCK):
                out.write(block)
                bar.update(len(block))
    if length and (got := part.stat().st_size) != total:
        raise OSError(f"{url} ended after {got:,} of {total:,} bytes")
