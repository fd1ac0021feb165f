"""url + sha256 -> local path. A file is checked whenever it is used and never replaced behind its owner's back."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

CONNECT, READ, LOOK_UP = 3, 10, 5  # seconds


def folder(data_dir: str | Path | None = None) -> Path:
    """Where data files lie: `data_dir`, else the environment variable BENCH_DATA, else the user's cache folder."""
    if chosen := data_dir or os.environ.get("BENCH_DATA"):
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("disentangle_bench"))


def local(url: str, sha256: str, data_dir: str | Path | None = None) -> Path:
    """Path of the checked file that `url` names in the data folder, downloaded if it is not there.

    Downloads show a progress bar, are tried twice and appear under their name only when complete and correct.
    The environment variable BENCH_OFFLINE=1 forbids them.

    Raises
    ------
    ConnectionError
        The file is not there and cannot be downloaded. Without a network this takes at most five seconds.
    ValueError
        The file is there but damaged; it is left as it is.
    """
    place = folder(data_dir)
    path = place / url.rsplit("/", 1)[-1]
    if not path.exists():
        if os.environ.get("BENCH_OFFLINE", "0") not in ("", "0"):
            raise ConnectionError(f"{path} does not exist and BENCH_OFFLINE forbids its download")
        if reason := unreachable(url):
            raise ConnectionError(f"{path} does not exist and {url} cannot be reached ({reason})")
        import pooch

        store = pooch.create(
            place, "", registry={path.name: f"sha256:{sha256}"}, urls={path.name: url}, retry_if_failed=1
        )
        http: Any = pooch.HTTPDownloader(progressbar=True, timeout=(CONNECT, READ))
        try:
            store.fetch(path.name, downloader=http)
        except (OSError, ValueError) as error:  # requests' errors are OSErrors; ValueError: wrong hash
            raise ConnectionError(f"{path} does not exist and its download failed: {error}") from error
    check(path, sha256)
    return path


def check(path: Path, sha256: str) -> None:
    """Refuse a file whose hash is not the expected one."""
    import pooch

    if (got := pooch.file_hash(str(path), "sha256")) != sha256:
        raise ValueError(
            f"{path} ({path.stat().st_size:,} bytes) is damaged or another file: sha256 {got}, expected "
            f"{sha256}. Delete it or move it away, then run again."
        )


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
