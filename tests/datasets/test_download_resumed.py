"""What came of a download is not lost: broken connections, other mirrors, killed processes, several at once."""

import subprocess
import sys
import threading
import time

import pytest
from odd_server import CONTENT, SHA256, Handler, file, visible

from disentangle_bench.datasets import _download

pytestmark = pytest.mark.usefixtures("online")


def test_a_download_goes_on_where_the_connection_broke(server, tmp_path):
    assert _download.local(file(f"{server}/cut"), tmp_path).read_bytes() == CONTENT
    (_, whole), (_, rest) = Handler.asked
    assert whole is None and 0 < int(rest[6:-1]) <= len(CONTENT) // 2


def test_what_came_is_kept_for_the_next_time(server, closed, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT[:300_000])
    with pytest.raises(ConnectionError, match="cannot be reached"):
        _download.local(file(f"{closed}/file"), tmp_path)
    with pytest.raises(ConnectionError, match=r"503.*The 300,000 bytes that came are kept in file.part; the next"):
        _download.local(file(f"{server}/missing"), tmp_path)
    Handler.asked.clear()
    assert _download.local(file(f"{server}/file"), tmp_path).read_bytes() == CONTENT
    assert Handler.asked == [("/file", "bytes=300000-")] and visible(tmp_path) == ["file"]


def test_a_server_that_always_breaks_is_asked_as_long_as_something_comes(server, tmp_path):
    """Each time half of what is left, as long as that is more than a block."""
    with pytest.raises(ConnectionError, match=r"download failed: .*bytes that came are kept in file\.part"):
        _download.local(file(f"{server}/always-cut"), tmp_path)
    kept = (tmp_path / "file.part").read_bytes()
    assert CONTENT.startswith(kept) and len(kept) > 0.75 * len(CONTENT)
    assert _download.local(file(f"{server}/file"), tmp_path).read_bytes() == CONTENT


def test_without_parts_a_download_begins_anew(server, tmp_path):
    assert _download.local(file(f"{server}/cut-whole"), tmp_path).read_bytes() == CONTENT
    assert [bool(part) for _, part in Handler.asked] == [False, True]  # asked for a part, got the whole


@pytest.mark.parametrize("kept", [CONTENT[:-1] + b"?", CONTENT[:1000:-1], CONTENT + b"more", b"?" * 1000, CONTENT])
def test_a_beginning_of_another_file_is_given_up(server, tmp_path, kept):
    (tmp_path / "file.part").write_bytes(kept)
    assert _download.local(file(f"{server}/file"), tmp_path).read_bytes() == CONTENT
    assert visible(tmp_path) == ["file"]


def test_a_part_from_another_place_is_not_taken(server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT[:1000])
    assert _download.local(file(f"{server}/lie"), tmp_path).read_bytes() == CONTENT
    assert [part for _, part in Handler.asked] == ["bytes=1000-", None]


def test_two_at_once_download_once(server, tmp_path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(_download.local(file(f"{server}/slow"), tmp_path)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == 3 * [tmp_path / "file"] and found[0].read_bytes() == CONTENT and len(Handler.asked) == 1


def test_a_download_that_is_killed_goes_on_later(server, tmp_path):
    code = f"""
from disentangle_bench.datasets import _download
_download.local(_download.File("file", ("{server}/stuck",), sha256="{SHA256}"), {str(tmp_path)!r})"""
    part = tmp_path / "file.part"
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as process:
        while not part.exists() or part.stat().st_size < 100_000:
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
    Handler.stuck.set()
    assert _download.local(file(f"{server}/stuck"), tmp_path).read_bytes() == CONTENT  # nobody holds the lock
    kept = int(Handler.asked[-1][1][6:-1])
    assert 100_000 <= kept <= len(CONTENT) // 2
