"""A content-addressed store of downloaded bytes and the tables made from them.

Under the root of a store lie

* `raw/<sha256>`: the bytes as they came;
* `tables/<sha256>`: parquet made from them;
* `entries/<sha256 of the key>.json`: for one key, all editions that were ever fetched, each with
  its URL, time, digest, vintage and tables; the file ends with a digest of itself.

File names come from digests and never from tickers or titles. Every read compares the whole file
with its digest. Every write goes to a temporary file, is flushed to the disk and then renamed, so
that a process killed at any moment leaves either the old entry or the new one.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast, get_args

import pandas as pd
from filelock import FileLock
from platformdirs import user_cache_dir

from alphastrata.errors import CacheCorruptError, ConfigError, InputDataError, OfflineError

Mode = Literal["offline", "cache-first", "refresh"]
"""Whether the network is used: never; only for what the store lacks; always."""

CACHE_VARIABLE = "ALPHASTRATA_CACHE"
"""Environment variable with the folder of the default store."""
MODE_VARIABLE = "ALPHASTRATA_MODE"
"""Environment variable with the mode that holds where a call does not say one."""

_FORMAT = 1
_LOCK_SECONDS = 120.0
_STALE_SECONDS = 86_400.0


@dataclass(frozen=True)
class Fetched:
    """What a source delivered: the bytes, where from and when.

    Attributes
    ----------
    raw
        The bytes, before any reading of them.
    url
        Where they came from; for a database, what was asked of it.
    fetched_at
        UTC, ISO 8601, to the second.
    vintage
        The edition that the source calls it, where it has one.
    """

    raw: bytes
    url: str
    fetched_at: str
    vintage: str = ""


@dataclass(frozen=True)
class Entry:
    """One stored edition of one key.

    Attributes
    ----------
    key
        What it is, such as "french/F-F_Momentum_Factor".
    sha256, size
        Digest and length in bytes of what was fetched.
    url, fetched_at, vintage
        As in `Fetched`; `fetched_at` is when these bytes were first seen.
    checked_at
        When the source last delivered the same bytes.
    tables
        Name of a table -> digest of its parquet.
    """

    key: str
    sha256: str
    size: int
    url: str
    fetched_at: str
    checked_at: str
    vintage: str = ""
    tables: Mapping[str, str] = field(default_factory=dict)


def utc_now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def resolve_mode(mode: Mode | None) -> Mode:
    """Return the mode to use: the one given, else that of ALPHASTRATA_MODE, else "cache-first".

    Raises
    ------
    ConfigError
        It is none of "offline", "cache-first" and "refresh".
    """
    chosen = mode or os.environ.get(MODE_VARIABLE) or "cache-first"
    if chosen not in get_args(Mode):
        raise ConfigError(f"mode must be one of {', '.join(get_args(Mode))}; got {chosen!r}.")
    return cast(Mode, chosen)


def default_root() -> Path:
    """Return the folder of the default store: ALPHASTRATA_CACHE, or the user's cache folder."""
    return Path(os.environ.get(CACHE_VARIABLE) or user_cache_dir("alphastrata"))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _canonical(payload: Mapping[str, Any]) -> bytes:
    """Return the one way to write a sidecar, so that a changed byte always shows."""
    body = json.dumps(payload, sort_keys=True, indent=1)
    return json.dumps(
        {**payload, "digest": _digest(body.encode())}, sort_keys=True, indent=1
    ).encode()


class Store:
    """A folder of fetched bytes, checked against their digests at every read.

    Parameters
    ----------
    root : Path or str, optional
        The folder; `default_root()` when not given. It is made at the first write.

    Examples
    --------
    >>> import tempfile
    >>> store = Store(tempfile.mkdtemp())
    >>> entry = store.put("demo/x", Fetched(b"1,2", "https://example.org", utc_now()))
    >>> store.read(entry), store.get("demo/x") == entry
    (b'1,2', True)
    """

    def __init__(self, root: Path | str | None = None) -> None:
        self.root = Path(root) if root is not None else default_root()

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    def put(
        self, key: str, fetched: Fetched, *, tables: Mapping[str, pd.DataFrame] | None = None
    ) -> Entry:
        """Store fetched bytes, and tables made from them, as the newest edition of a key.

        Bytes that are already there only get a new `checked_at`; tables of an edition are added
        to those it has.
        """
        digest = _digest(fetched.raw)
        self._keep("raw", fetched.raw, digest)
        named = {name: self._keep_table(frame) for name, frame in (tables or {}).items()}
        with self._lock(key):
            editions = self._editions(key, repair=True)
            before = next((e for e in editions if e.sha256 == digest), None)
            if before is None:
                entry = Entry(
                    key=key,
                    sha256=digest,
                    size=len(fetched.raw),
                    url=fetched.url,
                    fetched_at=fetched.fetched_at,
                    checked_at=fetched.fetched_at,
                    vintage=fetched.vintage,
                    tables=named,
                )
            else:
                entry = replace(
                    before, checked_at=fetched.fetched_at, tables={**before.tables, **named}
                )
            rest = [e for e in editions if e.sha256 != digest]
            self._write_sidecar(key, [entry, *rest])
        self._sweep()
        return entry

    def get(self, key: str, *, vintage: str | None = None) -> Entry | None:
        """Return the newest edition of a key (of a vintage), None where there is none.

        Raises
        ------
        CacheCorruptError
            The record of the key is not what was written.
        """
        editions = self._editions(key)
        return next((e for e in editions if vintage is None or e.vintage == vintage), None)

    def editions(self, key: str) -> list[Entry]:
        """Return every stored edition of a key, the latest first."""
        return self._editions(key)

    def read(self, entry: Entry) -> bytes:
        """Return the stored bytes of an edition, after comparing them with their digest.

        Raises
        ------
        CacheCorruptError
            They are gone, cut short or changed.
        """
        return self._checked("raw", entry.sha256, entry.key)

    def read_table(self, entry: Entry, name: str) -> pd.DataFrame:
        """Return a stored table of an edition, after comparing its file with the digest.

        Raises
        ------
        InputDataError
            The edition has no table of this name.
        CacheCorruptError
            The file is gone, cut short or changed.
        """
        if name not in entry.tables:
            have = ", ".join(entry.tables) or "none"
            raise InputDataError(f"{entry.key} has no stored table {name!r}; it has {have}.")
        return pd.read_parquet(io.BytesIO(self._checked("tables", entry.tables[name], entry.key)))

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that begin with `prefix`, in order.

        Raises
        ------
        CacheCorruptError
            A record is not what was written.
        """
        found = [self._load(path)[0] for path in sorted((self.root / "entries").glob("*.json"))]
        return sorted(key for key in found if key.startswith(prefix))

    def verify(self) -> list[str]:
        """Read everything that is stored; return one sentence per fault, none when all is well."""
        faults: list[str] = []
        for path in sorted((self.root / "entries").glob("*.json")):
            try:
                _, editions = self._load(path)
            except CacheCorruptError as exc:
                faults.append(str(exc))
                continue
            for entry in editions:
                for folder, digest in [("raw", entry.sha256)] + [
                    ("tables", digest) for digest in entry.tables.values()
                ]:
                    try:
                        self._checked(folder, digest, entry.key)
                    except CacheCorruptError as exc:
                        faults.append(str(exc))
        return faults

    def obtain(
        self,
        key: str,
        fetch: Callable[[], Fetched],
        *,
        command: str,
        mode: Mode | None = None,
        vintage: str | None = None,
    ) -> Entry:
        """Return the stored edition of a key, fetching and storing it as the mode allows.

        Parameters
        ----------
        key : str
            What is wanted.
        fetch : callable
            Gets it; it must raise rather than return what cannot be read.
        command : str
            The shell command that would fetch it, for the message.
        mode : {"offline", "cache-first", "refresh"}, optional
            See `resolve_mode`.
        vintage : str, optional
            The edition wanted.

        Raises
        ------
        OfflineError
            The mode is "offline" and the store lacks it, or the network cannot be reached.
        """
        mode = resolve_mode(mode)
        if mode != "refresh":
            stored = self.get(key, vintage=vintage)
            if stored is not None:
                return stored
        if mode == "offline":
            edition = f" of vintage {vintage}" if vintage else ""
            raise OfflineError(
                f"The network is switched off and the store {self.root} does not hold "
                f"{key!r}{edition}. With a network, run: {command}"
            )
        try:
            fetched = fetch()
        except OfflineError as exc:
            held = self.get(key, vintage=vintage) is not None
            kept = "an edition that mode='cache-first' reads" if held else "nothing"
            raise OfflineError(
                f"{key!r} cannot be fetched, and the store {self.root} holds {kept} under that "
                f"key. With a network, run: {command}. {exc}"
            ) from exc
        return self.put(key, fetched)

    def _lock(self, key: str) -> FileLock:
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{_digest(key.encode())}.lock", timeout=_LOCK_SECONDS)

    def _sidecar(self, key: str) -> Path:
        return self.root / "entries" / f"{_digest(key.encode())}.json"

    def _editions(self, key: str, *, repair: bool = False) -> list[Entry]:
        path = self._sidecar(key)
        if not path.exists():
            return []
        try:
            found, editions = self._load(path)
            if found != key:
                raise CacheCorruptError(f"The record {path} is of {found!r}, not of {key!r}.")
        except CacheCorruptError:
            if not repair:
                raise
            # Kept aside for whoever wants to look; the new edition starts a new record.
            os.replace(path, path.with_suffix(".corrupt"))
            return []
        return editions

    def _load(self, path: Path) -> tuple[str, list[Entry]]:
        """Return the key and the editions of one sidecar, or raise if a byte of it has changed."""
        data = path.read_bytes()
        remedy = f"Delete {path} and fetch it again (mode='refresh')."
        try:
            payload = json.loads(data)
            whole = {k: v for k, v in payload.items() if k != "digest"}
            intact = _canonical(whole) == data and whole["format"] == _FORMAT
            editions = [Entry(key=whole["key"], **one) for one in whole["editions"]]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise CacheCorruptError(f"The record {path} cannot be read. {remedy}") from exc
        if not intact:
            raise CacheCorruptError(f"The record {path} is not what was written. {remedy}")
        return whole["key"], editions

    def _write_sidecar(self, key: str, editions: list[Entry]) -> None:
        rows = [{k: v for k, v in asdict(entry).items() if k != "key"} for entry in editions]
        payload = {"format": _FORMAT, "key": key, "editions": rows}
        self._write(self._sidecar(key), _canonical(payload))

    def _keep(self, folder: str, data: bytes, digest: str) -> None:
        """Write bytes under their digest, unless they are there and whole."""
        path = self.root / folder / digest
        if path.exists() and _digest(path.read_bytes()) == digest:
            return
        self._write(path, data)

    def _keep_table(self, frame: pd.DataFrame) -> str:
        buffer = io.BytesIO()
        frame.to_parquet(buffer)
        digest = _digest(buffer.getvalue())
        self._keep("tables", buffer.getvalue(), digest)
        return digest

    def _checked(self, folder: str, digest: str, key: str) -> bytes:
        path = self.root / folder / digest
        try:
            data = path.read_bytes()
        except OSError as exc:
            raise CacheCorruptError(
                f"{key!r} is recorded, but its file {path} cannot be read ({exc}). Fetch it again "
                "(mode='refresh')."
            ) from exc
        if _digest(data) != digest:
            raise CacheCorruptError(
                f"The stored bytes of {key!r} are not what was fetched: {path} has another "
                "sha256 than its name. Fetch it again (mode='refresh')."
            )
        return data

    def _write(self, path: Path, data: bytes) -> None:
        """Write a file so that, whenever the process dies, it is there whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = self.root / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f"{os.getpid()}-{secrets.token_hex(8)}"
        with temporary.open("xb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, path)
        if os.name == "posix":
            # The rename itself has to reach the disk as well.
            descriptor = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _sweep(self) -> None:
        """Remove what killed writers left behind a day ago or longer."""
        for path in (self.root / "tmp").glob("*"):
            try:
                if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    path.unlink()
            except FileNotFoundError:  # another process swept it first
                continue
