"""Where a number comes from: commit, versions, machine and time."""

from __future__ import annotations

import platform
import subprocess
import sys
from datetime import datetime, timezone
from functools import cache
from importlib import metadata
from pathlib import Path

LIBRARIES = ("disentangle-bench", "torch", "numpy", "scipy", "scikit-learn", "pandas")


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


@cache
def commit() -> tuple[str, bool]:
    """Commit of the checkout that the package runs from, and whether files differ from it; ("", False) outside one."""
    root = Path(__file__).parent.parent
    if not (root / ".git").exists():
        return "", False
    try:

        def git(*words: str) -> str:
            return subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True).stdout

        return git("rev-parse", "HEAD").strip(), bool(
            git("status", "--porcelain", "--", "disentangle_bench", "benchmarks").strip()
        )
    except (OSError, subprocess.CalledProcessError):
        return "", False


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that numbers depend on."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


def peak_memory() -> int | None:
    """Most bytes this process ever held in memory; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)  # macOS counts bytes, Linux KiB
