"""Files come checked or not at all. A server on this machine stands for the internet."""

import hashlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from disentangle_bench.datasets import _download

CONTENT = b"sprites" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Gives the content, but fails first for /flaky, cuts /short and sends another file for /other."""

    failed = False

    def do_HEAD(self):
        self.send_response(405 if self.path == "/flaky" else 200)
        self.end_headers()

    def do_GET(self):
        missing = self.path == "/missing" or (self.path == "/flaky" and not Handler.failed)
        Handler.failed |= self.path == "/flaky"
        self.send_response(503 if missing else 200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write({"/short": CONTENT[:100], "/other": CONTENT[::-1]}.get(self.path, CONTENT))

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.delenv("BENCH_OFFLINE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(Handler, "failed", False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def closed(monkeypatch):
    """The address of a port that nobody listens on."""
    monkeypatch.delenv("BENCH_OFFLINE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def test_a_file_is_downloaded_once(server, closed, tmp_path):
    path = _download.local(f"{server}/file", SHA256, tmp_path / "new")
    assert path == tmp_path / "new" / "file"
    assert path.read_bytes() == CONTENT
    assert _download.local(f"{closed}/file", SHA256, tmp_path / "new") == path  # now without a server


def test_a_failed_download_is_tried_again(server, tmp_path):
    assert _download.local(f"{server}/flaky", SHA256, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("name, reason", [("missing", "503"), ("short", ""), ("other", "hash")])
def test_a_download_that_fails_leaves_nothing(server, tmp_path, name, reason):
    with pytest.raises(ConnectionError, match=f"{name} does not exist and its download failed: .*{reason}"):
        _download.local(f"{server}/{name}", SHA256, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_refused_and_left_alone(server, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(ValueError, match=rf"file \(6,999 bytes\) is damaged .*expected {SHA256}\. Delete it"):
        _download.local(f"{server}/file", SHA256, tmp_path)
    assert path.read_bytes() == CONTENT[:-1]


def test_no_network_fails_fast(closed, tmp_path):
    start = time.perf_counter()
    with pytest.raises(ConnectionError, match="cannot be reached"):
        _download.local(f"{closed}/file", SHA256, tmp_path)
    assert time.perf_counter() - start < 5
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_refuses_can_be_reached(server):
    assert _download.unreachable(f"{server}/flaky") == ""
    assert _download.unreachable(f"{server}/file".replace("http:", "https:")) == ""  # no certificate


def test_a_silent_network_fails_fast(monkeypatch, tmp_path):
    monkeypatch.delenv("BENCH_OFFLINE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(_download, "LOOK_UP", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.perf_counter()
        with pytest.raises(ConnectionError, match=r"cannot be reached \(no answer within 0.2 s\)"):
            _download.local(f"http://127.0.0.1:{silent.getsockname()[1]}/file", SHA256, tmp_path)
        assert time.perf_counter() - start < _download.CONNECT


def test_downloads_can_be_forbidden(server, monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    with pytest.raises(ConnectionError, match="BENCH_OFFLINE forbids"):
        _download.local(f"{server}/file", SHA256, tmp_path)
    (tmp_path / "file").write_bytes(CONTENT)
    assert _download.local(f"{server}/file", SHA256, tmp_path) == tmp_path / "file"  # what is there may be used
    monkeypatch.setenv("BENCH_OFFLINE", "0")
    assert _download.local(f"{server}/file", SHA256, tmp_path / "new").exists()


def test_the_data_folder_is_the_argument_then_the_environment_then_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "environment"))
    assert _download.folder(tmp_path) == tmp_path
    assert _download.folder() == tmp_path / "environment"
    monkeypatch.delenv("BENCH_DATA")
    assert _download.folder().name == "disentangle_bench"
