"""Own data's folder; a server for downloads, an address where there is none, a world in which downloads are allowed."""

import socket
import sys

import pytest
from odd_server import serving

from disentangle_bench.datasets import _download


@pytest.fixture
def online(monkeypatch):
    monkeypatch.delenv("BENCH_OFFLINE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(_download, "PAUSE", 0)


@pytest.fixture
def server():
    with serving() as address:
        yield address


@pytest.fixture
def closed():
    """The address of a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """An empty current folder; what is imported from it is not looked for in later tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
