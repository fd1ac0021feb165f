"""A server on this machine that stands for the world, with the ways of many servers, and the file that it has."""

import hashlib
import random
import re
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from disentangle_bench.datasets._download import File

CONTENT = random.Random(0).randbytes(400_000)
SHA256, MD5 = hashlib.sha256(CONTENT).hexdigest(), hashlib.md5(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Gives the content, or parts of it, in the ways of many servers: the path says which."""

    asked: ClassVar[list] = []  # path and Range of every request
    stuck: ClassVar = threading.Event()  # /stuck sends half at once and the rest when this is set

    def do_HEAD(self):
        self.send_response(405 if self.path == "/flaky" else 200)
        self.end_headers()

    def do_GET(self):
        wanted, content = self.headers.get("Range"), CONTENT[::-1] if "other" in self.path else CONTENT
        Handler.asked.append((self.path, wanted))
        first = len(self.asked) == 1
        if self.path == "/missing" or (self.path == "/flaky" and first):
            return self.answer(503, b"")
        if "whole" in self.path or wanted is None:
            status, start = 200, 0
        else:
            status, start = 206, int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
        if start >= len(content):
            return self.answer(416, b"", ("Content-Range", f"bytes */{len(content)}"))
        end = len(content)
        if "cut" in self.path:  # the connection breaks half-way
            end = (start + end) // 2 if first or "always" in self.path else end
        time.sleep(0.2 if "slow" in self.path else 0)
        lie = 7 if "lie" in self.path else 0
        kind = "text/html; charset=utf8" if self.path == "/page" else "application/octet-stream"
        reach = ("Content-Range", f"bytes {start + lie}-{len(content) - 1}/{len(content)}")
        more = [("Content-Type", kind), *([reach] if status == 206 else [])]
        half = content[start : (start + end) // 2] if self.path == "/stuck" and first else content[start:end]
        self.answer(status, half, *more, length=len(content) - start)
        return half == content[start:end] or self.stuck.wait(20)

    def answer(self, status, content, *headers, length=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for header in headers:
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, *args):
        pass


@contextmanager
def serving():
    """Its address."""
    Handler.asked.clear()
    Handler.stuck.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def file(*urls, name="file", sha256=SHA256, **known):
    return File(name, urls, sha256=sha256, **known)


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
