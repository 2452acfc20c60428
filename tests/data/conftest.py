"""A web server on this machine, for sources that are fetched."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


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
