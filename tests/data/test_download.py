"""HTTP against a server on this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from alphastrata.data.download import RateLimiter, Retry, download
from alphastrata.errors import ConfigError, OfflineError, RateLimitError, SourceError

QUICK = Retry(attempts=3, first=0.01, longest=0.05)


class Server:
    """Serves /path by the function registered for it, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.fail_first = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, dict(self.headers)))
                outer.answer(self)

            def log_message(self, *args: object) -> None:
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path
        if path == "/flaky" and len(self.asked) <= self.fail_first:
            handler.send_error(503)
        elif path in ("/404", "/403", "/503"):
            handler.send_error(int(path[1:]))
        elif path == "/429":
            handler.send_response(429)
            handler.send_header("Retry-After", "0.02")
            handler.end_headers()
        elif path == "/broken":
            handler.send_response(200)
            handler.send_header("Content-Length", "100")
            handler.end_headers()
            handler.wfile.write(b"x" * 40)
        elif path == "/endless":
            handler.send_response(200)
            handler.end_headers()
            try:
                for _ in range(1000):
                    handler.wfile.write(b"x" * 100_000)
            except OSError:
                return
        elif path == "/insecure":
            handler.send_response(302)
            handler.send_header("Location", "http://example.invalid/")
            handler.end_headers()
        else:
            handler.send_response(200)
            body = b"a" * 200_000
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.http.shutdown()
    running.http.server_close()


def test_bytes_url_and_time_come_back(server: Server) -> None:
    seen: list[tuple[int, int | None]] = []
    got = download(
        f"{server.url}/ok",
        headers={"User-Agent": "Ann Smith ann@example.org"},
        progress=lambda done, total: seen.append((done, total)),
    )
    assert got.raw == b"a" * 200_000
    assert got.url.endswith("/ok")
    assert got.fetched_at.endswith("Z")
    assert seen[-1] == (200_000, 200_000)
    assert server.asked[0][1]["User-Agent"] == "Ann Smith ann@example.org"


def test_passing_failures_are_tried_again(server: Server) -> None:
    server.fail_first = 2
    assert len(download(f"{server.url}/flaky", retry=QUICK).raw) == 200_000
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("path", "requests", "error", "message"),
    [
        ("/404", 1, SourceError, "answers 404"),
        ("/403", 1, SourceError, "answers 403"),
        ("/503", 3, SourceError, "answers 503"),
        ("/429", 3, RateLimitError, "too many requests"),
        ("/broken", 3, SourceError, "could not be fetched"),
    ],
)
def test_failures_are_errors(
    server: Server, path: str, requests: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        download(server.url + path, retry=QUICK)
    assert type(caught.value) is error  # the public class, none of this module's own
    assert len(server.asked) == requests


def test_the_answer_may_not_be_longer_than_the_cap(server: Server) -> None:
    with pytest.raises(SourceError, match="longer than the 100,000 bytes"):
        download(f"{server.url}/ok", max_bytes=100_000)
    with pytest.raises(SourceError, match="longer than the 1,000,000 bytes"):
        download(f"{server.url}/endless", max_bytes=1_000_000)


def test_a_dead_host_is_an_error() -> None:
    with pytest.raises(OfflineError, match="could not be fetched") as caught:
        download("http://127.0.0.1:9/x", retry=QUICK, timeout=1)
    assert type(caught.value) is OfflineError


def test_offline_sends_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OfflineError, match="/ok was to be fetched"):
        download(f"{server.url}/ok", mode="offline")
    monkeypatch.setenv("ALPHASTRATA_MODE", "offline")
    with pytest.raises(OfflineError):
        download(f"{server.url}/ok")
    assert server.asked == []


@pytest.mark.parametrize(
    "url", ["http://example.org/x", "ftp://example.org/x", "file:///etc/passwd"]
)
def test_only_https(url: str) -> None:
    with pytest.raises(ConfigError, match="Only https"):
        download(url)


def test_a_redirect_to_plain_http_is_not_followed_out(server: Server) -> None:
    with pytest.raises(SourceError):
        download(f"{server.url}/insecure", retry=QUICK, timeout=1)


def test_the_limiter_holds_over_threads_and_objects(tmp_path: Path) -> None:
    path = tmp_path / "slot"
    start = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: RateLimiter(path, per_second=100).wait(), range(21)))
    assert time.monotonic() - start >= 0.2
    path.write_text("not a number")
    assert RateLimiter(path, per_second=100).wait() < 0.1
    path.write_text(repr(time.time() + 10_000_000))
    assert RateLimiter(path, per_second=100).wait() < 0.1
    with pytest.raises(ConfigError):
        RateLimiter(path, per_second=0)


def test_the_server_is_asked_no_faster_than_the_limiter(server: Server, tmp_path: Path) -> None:
    limiter = RateLimiter(tmp_path / "slot", per_second=50)
    start = time.monotonic()
    for _ in range(6):
        download(f"{server.url}/ok", limiter=limiter)
    assert time.monotonic() - start >= 0.1
