"""The one place that opens a socket: HTTP with retries, a size cap and an off switch."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import requests
from filelock import FileLock
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from alphastrata.data.store import Fetched, Mode, resolve_mode, utc_now
from alphastrata.errors import ConfigError, OfflineError, RateLimitError, SourceError

MAX_BYTES = 512 * 2**20
"""Largest answer in bytes that is read, unless a caller says otherwise."""

USER_AGENT = "alphastrata (https://pypi.org/project/alphastrata)"
"""What servers are told where a source does not ask for a name and an address."""

Progress = Callable[[int, int | None], None]
"""Called with the bytes read so far, and how many there will be where the server says so."""

_CHUNK = 2**16
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_AGAIN = (408, 425, 500, 502, 503, 504)


class _WorthRetryingError(SourceError):
    """A failure that may pass."""


class _NoConnectionError(_WorthRetryingError):
    """The server was not reached at all."""


class _TooManyRequestsError(RateLimitError):
    """The server asked for a pause, of `wait` seconds where it says how long."""

    def __init__(self, message: str, wait: float | None) -> None:
        super().__init__(message)
        self.wait = wait


@dataclass(frozen=True)
class Retry:
    """How often a request is made, and how long between: `first`, then twice as long each time.

    Attributes
    ----------
    attempts
        Requests in all.
    first, longest
        Seconds; a server's Retry-After is heeded up to `longest`.
    """

    attempts: int = 4
    first: float = 1.0
    longest: float = 60.0


class RateLimiter:
    """Lets at most `per_second` requests a second pass, over all threads and processes.

    Parameters
    ----------
    path : Path
        A file that the processes share; the time of the next free slot is kept in it.
    per_second : float
        Requests per second.

    Examples
    --------
    >>> import tempfile
    >>> limiter = RateLimiter(Path(tempfile.mkdtemp()) / "slot", per_second=1000)
    >>> limiter.wait() >= 0
    True
    """

    def __init__(self, path: Path, *, per_second: float) -> None:
        if per_second <= 0:
            raise ConfigError(f"per_second must be positive; got {per_second}.")
        self.path = path
        self.interval = 1.0 / per_second
        self._mutex = threading.Lock()

    def wait(self) -> float:
        """Sleep until this request's turn; return the seconds slept."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._mutex, FileLock(f"{self.path}.lock", timeout=60):
            now = time.time()
            try:
                following = float(self.path.read_text())
            except (FileNotFoundError, ValueError):
                following = now
            # A clock that was set back must not stop the queue for hours.
            turn = max(now, following) if following < now + 3600 else now
            self.path.write_text(repr(turn + self.interval))
        time.sleep(pause := max(0.0, turn - time.time()))
        return pause


def download(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    max_bytes: int = MAX_BYTES,
    timeout: float = 30.0,
    retry: Retry | None = None,
    mode: Mode | None = None,
    limiter: RateLimiter | None = None,
    progress: Progress | None = None,
) -> Fetched:
    """Return the bytes that a URL serves.

    Parameters
    ----------
    url : str
        https; plain http is allowed for this machine only.
    headers : mapping, optional
        Sent with the request.
    max_bytes : int
        The answer may not be longer.
    timeout : float
        Seconds to connect, and between two pieces of the answer.
    retry : Retry, optional
        Failures that may pass (no connection, a broken answer, status 408, 425, 429, 5xx) are
        tried again.
    mode : {"offline", "cache-first", "refresh"}, optional
        With "offline" nothing is sent.
    limiter : RateLimiter, optional
        Waited for before each request.
    progress : callable, optional
        Called after each piece.

    Raises
    ------
    OfflineError
        The mode is "offline", or the server cannot be reached.
    RateLimitError
        The server goes on asking for a pause (status 429).
    SourceError
        The server refuses, the answer is too long, or the connection fails each time.
    ConfigError
        The URL is not of the kind stated above.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ConfigError(f"Only https URLs are fetched; got {url!r}.")
    if resolve_mode(mode) == "offline":
        raise OfflineError(f"The network is switched off, and {url} was to be fetched.")
    plan = retry or Retry()

    def pause(state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        asked = failure.wait if isinstance(failure, _TooManyRequestsError) else None
        backoff = plan.first * 2.0 ** (state.attempt_number - 1)
        return min(plan.longest, backoff if asked is None else asked)

    retrying = Retrying(
        stop=stop_after_attempt(plan.attempts),
        wait=pause,
        retry=retry_if_exception_type((_WorthRetryingError, _TooManyRequestsError)),
        reraise=True,
    )
    sent = {"User-Agent": USER_AGENT, **(headers or {})}
    try:
        raw = retrying(_once, url, sent, max_bytes, timeout, limiter, progress)
    except _NoConnectionError as exc:
        raise OfflineError(f"{exc} Is there a network?") from exc
    except _TooManyRequestsError as exc:
        raise RateLimitError(str(exc)) from exc
    except _WorthRetryingError as exc:
        raise SourceError(str(exc)) from exc
    return Fetched(raw=raw, url=url, fetched_at=utc_now())


class Replay(requests.Session):
    """A session that answers every request with bytes at hand, and opens no socket.

    For readers of other libraries that insist on fetching what they parse.

    Parameters
    ----------
    raw : bytes
        The answer.

    Examples
    --------
    >>> Replay(b"1,2").get("https://example.org").content
    b'1,2'
    """

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self.mount("https://", _Answer(raw))
        self.mount("http://", _Answer(raw))


class _Answer(HTTPAdapter):
    """An adapter that has the answer already."""

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self._raw_answer = raw

    def send(
        self, request: requests.PreparedRequest, *args: object, **options: object
    ) -> requests.Response:
        """Return the bytes as an answer with status 200."""
        answer = requests.Response()
        answer.status_code = 200
        answer.url = request.url or ""
        answer.request = request
        answer.raw = io.BytesIO(self._raw_answer)
        answer.encoding = "utf-8"
        return answer


def _once(
    url: str,
    headers: Mapping[str, str],
    max_bytes: int,
    timeout: float,
    limiter: RateLimiter | None,
    progress: Progress | None,
) -> bytes:
    """Make one request and return its whole answer."""
    if limiter is not None:
        limiter.wait()
    try:
        with requests.get(url, headers=dict(headers), timeout=timeout, stream=True) as answer:
            _check_status(answer, url)
            expected = _length(answer)
            if expected is not None and expected > max_bytes:
                raise SourceError(_too_long(url, max_bytes))
            return _body(answer, url, expected, max_bytes, progress)
    except requests.exceptions.SSLError as exc:
        raise _WorthRetryingError(f"{url} could not be fetched: {exc}.") from exc
    except requests.ConnectionError as exc:
        raise _NoConnectionError(f"{url} could not be fetched: {exc}.") from exc
    except requests.RequestException as exc:
        raise _WorthRetryingError(f"{url} could not be fetched: {exc}.") from exc


def _check_status(answer: requests.Response, url: str) -> None:
    status = answer.status_code
    if status == 429:
        raise _TooManyRequestsError(
            f"{url} answers 429, too many requests. Wait before fetching more.",
            _retry_after(answer.headers.get("Retry-After")),
        )
    if status in _AGAIN:
        raise _WorthRetryingError(f"{url} answers {status} {answer.reason}.")
    if status != 200:
        raise SourceError(f"{url} answers {status} {answer.reason}.")
    scheme = urlsplit(answer.url)
    if scheme.scheme != "https" and scheme.hostname not in _LOOPBACK:
        raise SourceError(f"{url} leads to {answer.url}, which is not https.")


def _retry_after(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for; None where there is none."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None


def _length(answer: requests.Response) -> int | None:
    """Return the length of the body where the server states it and does not compress it."""
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        return None
    stated = answer.headers.get("Content-Length", "")
    return int(stated) if stated.isdigit() else None


def _body(
    answer: requests.Response,
    url: str,
    expected: int | None,
    max_bytes: int,
    progress: Progress | None,
) -> bytes:
    parts: list[bytes] = []
    got = 0
    for chunk in answer.iter_content(_CHUNK):
        got += len(chunk)
        if got > max_bytes:
            raise SourceError(_too_long(url, max_bytes))
        parts.append(chunk)
        if progress is not None:
            progress(got, expected)
    if expected is not None and got != expected:
        raise _WorthRetryingError(f"{url} broke off after {got:,} of {expected:,} bytes.")
    return b"".join(parts)


def _too_long(url: str, max_bytes: int) -> str:
    return f"{url} is longer than the {max_bytes:,} bytes that may be read. Raise max_bytes."
