"""A web server on this machine, for sources that are fetched."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1


@pytest.fixture(scope="session", autouse=True)
def loopback() -> None:
    """Bring the loopback interface up where it is down, as in a fresh network namespace.

    `unshare -n` is how the suite proves that it needs no network; the servers of these tests are
    on this machine and need the loopback alone.
    """
    if sys.platform != "linux":
        return
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        name = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(handle, SIOCGIFFLAGS, name))[1]
        if not flags & IFF_UP:
            fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


class LocalSite:
    """Serves `pages` (path with query -> body, or status and body) and keeps what was asked for.

    Attributes
    ----------
    pages
        Path -> body; others answer 404.
    asked
        Paths in the order of the requests.
    headers
        Headers of the requests, in the same order.
    url
        Without a slash at the end.
    """

    def __init__(self) -> None:
        self.pages: dict[str, bytes | tuple[int, bytes]] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                site.headers.append(dict(self.headers))
                found = site.pages.get(self.path, (404, b""))
                status, body = found if isinstance(found, tuple) else (200, found)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def site() -> Iterator[LocalSite]:
    """Return a running site without pages."""
    running = LocalSite()
    yield running
    running.http.shutdown()
    running.http.server_close()
