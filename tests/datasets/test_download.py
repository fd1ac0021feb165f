"""Files come checked or not at all."""

import socket
import time

import pytest
from odd_server import CONTENT, MD5, SHA256, Handler, file, visible

from disentangle_bench.datasets import _download

pytestmark = pytest.mark.usefixtures("online")


def test_a_file_is_downloaded_once(server, closed, tmp_path):
    path = _download.local(file(f"{server}/file"), tmp_path / "new")
    assert path == tmp_path / "new" / "file" and list(path.parent.iterdir()) == [path]  # no lock stays
    assert path.read_bytes() == CONTENT
    assert _download.local(file(f"{closed}/file"), tmp_path / "new") == path  # now without a server


def test_files_of_a_set_lie_in_its_folder(server, tmp_path):
    several = [file(f"{server}/a", name="set/a"), file(f"{server}/b", name="set/b", sha256=None, md5=MD5)]
    assert _download.fetch_all(several, tmp_path) == (tmp_path / "set" / "a", tmp_path / "set" / "b")


def test_a_server_that_fails_is_asked_again(server, tmp_path):
    assert _download.local(file(f"{server}/flaky"), tmp_path).read_bytes() == CONTENT


def test_mirrors_are_asked_in_turn(server, closed, tmp_path):
    urls = [f"{closed}/file", f"{server}/missing", f"{server}/other", f"{server}/page", f"{server}/file"]
    assert _download.local(file(*urls), tmp_path).read_bytes() == CONTENT
    assert list(dict.fromkeys(path for path, _ in Handler.asked)) == ["/missing", "/other", "/page", "/file"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing", "503"),
        ("other", f"holds another file: .*sha256 .*, expected {SHA256}"),
        ("page", "answers with a web page, expected the file"),
    ],
)
def test_a_download_that_fails_leaves_nothing(server, tmp_path, name, reason):
    with pytest.raises(ConnectionError, match=f"file does not exist and its download failed: .*{reason}"):
        _download.local(file(f"{server}/{name}"), tmp_path)
    assert visible(tmp_path) == []


def test_a_damaged_file_is_refused_and_left_alone(server, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT[:-1])
    for known, expected in (
        ({}, rf"sha256 \w{{64}}, expected {SHA256} \(400,000 bytes\)"),
        ({"sha256": None, "md5": MD5}, rf"md5 \w{{32}}, expected {MD5} \(400,000 bytes\)"),
        ({"sha256": None}, r"size 399999, expected 400000 \(400,000 bytes\)"),
    ):
        with pytest.raises(ValueError, match=rf"file \(399,999 bytes\) is damaged .*{expected}\. Delete it"):
            _download.local(file(f"{server}/file", size=400_000, **known), tmp_path)
    assert path.read_bytes() == CONTENT[:-1] and Handler.asked == []


def test_a_folder_that_cannot_be_written_is_named(server, tmp_path):
    (tmp_path / "no folder").write_bytes(b"")
    with pytest.raises(ConnectionError, match=r"download failed: .*no folder"):
        _download.local(file(f"{server}/file"), tmp_path / "no folder")


def test_no_network_fails_fast(closed, tmp_path):
    start = time.perf_counter()
    with pytest.raises(ConnectionError, match=f"{closed}/a cannot be reached .* and {closed}/b cannot be reached"):
        _download.local(file(f"{closed}/a", f"{closed}/b"), tmp_path)
    assert time.perf_counter() - start < 5
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_refuses_can_be_reached(server):
    assert _download.unreachable(f"{server}/flaky") == ""
    assert _download.unreachable(f"{server}/file".replace("http:", "https:")) == ""  # no certificate


def test_a_silent_network_fails_fast(monkeypatch, tmp_path):
    monkeypatch.setattr(_download, "LOOK_UP", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.perf_counter()
        with pytest.raises(ConnectionError, match=r"cannot be reached \(no answer within 0.2 s\)"):
            _download.local(file(f"http://127.0.0.1:{silent.getsockname()[1]}/file"), tmp_path)
        assert time.perf_counter() - start < _download.CONNECT


def test_downloads_can_be_forbidden(server, monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    with pytest.raises(ConnectionError, match="BENCH_OFFLINE forbids"):
        _download.local(file(f"{server}/file"), tmp_path)
    (tmp_path / "file").write_bytes(CONTENT)
    assert _download.local(file(f"{server}/file"), tmp_path) == tmp_path / "file"  # what is there may be used
    monkeypatch.setenv("BENCH_OFFLINE", "0")
    assert _download.local(file(f"{server}/file"), tmp_path / "new").exists()


def test_hashes_as_data_sets_tell_them():
    one, other, neither = file(), file(sha256=None, md5=MD5), file(sha256=None)
    assert (one.digest, other.digest, neither.digest) == (SHA256, f"md5:{MD5}", "")
    assert _download.digest((one,)) == SHA256
    both = {_download.digest((one, other)), _download.digest((other, one))}
    assert len(both) == 2 and all(len(bytes.fromhex(known)) == 32 for known in both)


def test_the_data_folder_is_the_argument_then_the_environment_then_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "environment"))
    assert _download.folder(tmp_path) == tmp_path
    assert _download.folder() == tmp_path / "environment"
    monkeypatch.delenv("BENCH_DATA")
    assert _download.folder().name == "disentangle_bench"
