"""One run reads one edition of everything, and a repeated run reads the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from alphastrata.data.store import Fetched, Store
from alphastrata.errors import OfflineError, SourceError
from alphastrata.study.editions import Editions, pins_of

KEY = "demo/x"


def served(raw: bytes, vintage: str = "") -> Callable[[], Fetched]:
    return lambda: Fetched(raw, "https://example.org", "2026-01-01T00:00:00Z", vintage)


def never() -> Fetched:
    raise AssertionError("nothing is to be fetched")


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def test_the_first_request_decides_for_the_whole_run(tmp_path: Path) -> None:
    editions = Editions(tmp_path)
    first = editions.obtain(KEY, served(b"1"), command="", mode="refresh")
    Store(tmp_path).put(KEY, served(b"2")())
    again = editions.obtain(KEY, never, command="", mode="refresh")
    assert again == first
    assert editions.read(again) == b"1"
    (file,) = editions.inputs("demo/")
    assert (file.name, file.size, file.sha256) == ("store:demo/x", 1, digest(b"1"))
    assert editions.inputs("other/") == []


def test_two_vintages_of_one_key_are_two_inputs(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(KEY, served(b"old", "201512")())
    store.put(KEY, served(b"new", "202510")())
    editions = Editions(tmp_path)
    assert editions.read(editions.obtain(KEY, never, command="", vintage="201512")) == b"old"
    assert editions.read(editions.obtain(KEY, never, command="")) == b"new"
    names = [file.name for file in editions.inputs("demo/")]
    assert names == ["store:demo/x", "store:demo/x@201512"]


def test_a_repeated_run_reads_what_the_manifest_names(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(KEY, served(b"1")())
    store.put(KEY, served(b"2")())
    manifest = {
        "inputs": {
            "store:demo/x": {"sha256": digest(b"1")},
            "prices.csv": {"sha256": digest(b"3")},
        }
    }
    pins = pins_of(manifest)
    assert pins == {KEY: digest(b"1")}
    editions = Editions(tmp_path, pins=pins)
    assert editions.read(editions.obtain(KEY, never, command="", mode="refresh")) == b"1"
    gone = Editions(tmp_path / "elsewhere", pins=pins)
    with pytest.raises(SourceError, match="no longer holds this edition. Point ALPHASTRATA_CACHE"):
        gone.obtain(KEY, never, command="")
    with pytest.raises(OfflineError, match="run: fetch it"):
        gone.obtain("demo/y", never, command="fetch it", mode="offline")
