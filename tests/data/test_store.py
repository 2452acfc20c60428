"""The store: killed writers, changed bytes, two writers, three modes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alphastrata.data import store as store_module
from alphastrata.data.store import Entry, Fetched, Store, resolve_mode, utc_now
from alphastrata.errors import (
    CacheCorruptError,
    ConfigError,
    InputDataError,
    OfflineError,
    SourceError,
)

FORK = multiprocessing.get_context("fork")


def fetched(text: str, vintage: str = "") -> Fetched:
    return Fetched(text.encode(), f"https://example.org/{text[:5]}", utc_now(), vintage)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def test_what_is_stored_comes_back(store: Store) -> None:
    frame = pd.DataFrame({"x": [1.5, np.nan]}, index=pd.Index(["A", "NA"], name="asset"))
    entry = store.put("demo/a", fetched("one", "202401"), tables={"t": frame})
    assert store.get("demo/a") == entry
    assert store.read(entry) == b"one"
    pd.testing.assert_frame_equal(store.read_table(entry, "t"), frame)
    assert store.get("demo/b") is None
    assert store.keys("demo/") == ["demo/a"]
    assert store.verify() == []
    with pytest.raises(InputDataError, match="no stored table 'u'; it has t"):
        store.read_table(entry, "u")


def test_editions_are_kept_newest_first(store: Store) -> None:
    store.put("demo/a", fetched("one", "202401"))
    store.put("demo/a", fetched("two", "202402"))
    again = store.put("demo/a", fetched("one", "202401"), tables={"t": pd.DataFrame({"x": [1]})})
    assert [e.vintage for e in store.editions("demo/a")] == ["202401", "202402"]
    assert list(again.tables) == ["t"]
    second = store.get("demo/a", vintage="202402")
    assert second is not None
    assert store.read(second) == b"two"
    assert store.get("demo/a", vintage="202403") is None


def test_names_on_disk_are_digests(store: Store) -> None:
    store.put("../../etc/ON: a ticker\n", fetched("x"))
    names = [p.name for p in store.root.rglob("*") if p.is_file() and p.parent.name != "locks"]
    assert all(len(name.removesuffix(".json")) == 64 for name in names)
    assert store.keys() == ["../../etc/ON: a ticker\n"]


def test_modes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def fetch() -> Fetched:
        calls.append(1)
        return fetched(f"answer {len(calls)}")

    with pytest.raises(OfflineError, match=r"does not hold 'demo/a'.*run: alphastrata fetch demo"):
        store.obtain("demo/a", fetch, command="alphastrata fetch demo a", mode="offline")
    assert calls == []
    first = store.obtain("demo/a", fetch, command="", mode="cache-first")
    assert store.obtain("demo/a", fetch, command="", mode="cache-first") == first
    assert store.obtain("demo/a", fetch, command="", mode="offline") == first
    assert len(calls) == 1
    assert store.read(store.obtain("demo/a", fetch, command="", mode="refresh")) == b"answer 2"
    with pytest.raises(OfflineError, match="of vintage 1999"):
        store.obtain("demo/a", fetch, command="", mode="offline", vintage="1999")
    monkeypatch.setenv("ALPHASTRATA_MODE", "offline")
    assert resolve_mode(None) == "offline"
    assert resolve_mode("refresh") == "refresh"
    monkeypatch.setenv("ALPHASTRATA_MODE", "sometimes")
    with pytest.raises(ConfigError, match="mode must be one of"):
        resolve_mode(None)


def test_a_failed_fetch_stores_nothing(store: Store) -> None:
    def fetch() -> Fetched:
        raise SourceError("no")

    with pytest.raises(SourceError):
        store.obtain("demo/a", fetch, command="", mode="cache-first")
    assert store.get("demo/a") is None


def test_default_root_follows_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPHASTRATA_CACHE", str(tmp_path / "elsewhere"))
    assert Store().root == tmp_path / "elsewhere"


def every_change(data: bytes) -> list[bytes]:
    """Return every one-bit flip and every truncation of some bytes."""
    flips = [
        data[:i] + bytes([data[i] ^ (1 << bit)]) + data[i + 1 :]
        for i in range(len(data))
        for bit in range(8)
    ]
    return flips + [data[:n] for n in range(len(data))]


def expect_corrupt_for_every_change(path: Path, read: Callable[[], object]) -> int:
    original = path.read_bytes()
    read()
    changes = every_change(original)
    for changed in changes:
        path.write_bytes(changed)
        with pytest.raises(CacheCorruptError):
            read()
    path.write_bytes(original)
    read()
    return len(changes)


def test_every_bit_flip_and_truncation_shows(store: Store) -> None:
    entry = store.put("demo/a", fetched("12345.6789" * 8, "202401"))
    raw = store.root / "raw" / entry.sha256
    assert expect_corrupt_for_every_change(raw, lambda: store.read(entry)) == 9 * 80
    (sidecar,) = (store.root / "entries").glob("*.json")
    assert expect_corrupt_for_every_change(sidecar, lambda: store.get("demo/a")) > 3000
    expect_corrupt = store.put("demo/a", fetched("x"), tables={"t": pd.DataFrame({"x": [1.0]})})
    table = store.root / "tables" / expect_corrupt.tables["t"]
    data = table.read_bytes()
    for position in range(0, len(data), 7):
        table.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        with pytest.raises(CacheCorruptError, match="another sha256 than its name"):
            store.read_table(expect_corrupt, "t")
    assert len(store.verify()) == 1


def test_lost_files_and_swapped_records_show(store: Store) -> None:
    one, _ = store.put("demo/a", fetched("one")), store.put("demo/b", fetched("two"))
    first, second = sorted((store.root / "entries").glob("*.json"))
    first.write_bytes(second.read_bytes())
    swapped = "demo/a" if first.name == store._sidecar("demo/a").name else "demo/b"
    with pytest.raises(CacheCorruptError, match="The record"):
        store.get(swapped)
    (store.root / "raw" / one.sha256).unlink()
    with pytest.raises(CacheCorruptError, match="cannot be read"):
        store.read(one)


def test_a_refresh_mends_what_is_damaged(store: Store) -> None:
    entry = store.put("demo/a", fetched("one"))
    (store.root / "raw" / entry.sha256).write_bytes(b"onf")
    store.put("demo/a", fetched("one"))
    assert store.read(entry) == b"one"
    (sidecar,) = (store.root / "entries").glob("*.json")
    sidecar.write_bytes(b"{}")
    again = store.put("demo/a", fetched("one"))
    assert store.get("demo/a") == again
    assert len(list((store.root / "entries").glob("*.corrupt"))) == 1


def write_for_ever(root: Path, seed: int, ready: Any) -> None:
    store = Store(root)
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": np.arange(200.0)})
    ready.set()
    while True:
        key = f"demo/{generator.integers(3)}"
        text = "x" * int(generator.integers(1, 200_000)) + str(generator.integers(1000))
        store.put(key, fetched(text), tables={"t": frame * generator.random()})


def test_two_hundred_kills_leave_nothing_unreadable(tmp_path: Path) -> None:
    store = Store(tmp_path)
    generator = np.random.default_rng(0)
    for number in range(3):
        store.put(f"demo/{number}", fetched("x"), tables={"t": pd.DataFrame({"x": np.ones(200)})})
    for number in range(200):
        ready = FORK.Event()
        child = FORK.Process(target=write_for_ever, args=(tmp_path, number, ready))
        child.start()
        assert ready.wait(30)
        time.sleep(float(generator.uniform(0.0, 0.01)))
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        child.close()
        if number % 50 == 49:
            assert store.verify() == []
    # Files that were being written show that the kills met writes.
    assert len(list((tmp_path / "tmp").iterdir())) >= 20
    for number in range(3):
        entry = store.get(f"demo/{number}")
        assert entry is not None
        assert len(store.read(entry)) == entry.size
        assert len(store.read_table(entry, "t")) == 200
    assert store.put("demo/0", fetched("after")).size == 5


@pytest.mark.parametrize("call", ["fsync", "replace", "open"])
@pytest.mark.parametrize("nth", range(1, 8))
def test_a_death_at_any_step_leaves_the_old_or_the_new(tmp_path: Path, call: str, nth: int) -> None:
    store = Store(tmp_path)
    old = store.put("demo/a", fetched("old"))

    def die_at_the_nth() -> None:
        counter = {"n": 0}
        real = getattr(store_module.os, call)

        def wrapped(*args: object, **options: object) -> object:
            counter["n"] += 1
            if counter["n"] == nth:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **options)

        setattr(store_module.os, call, wrapped)
        store.put("demo/a", fetched("new"), tables={"t": pd.DataFrame({"x": [1]})})

    child = FORK.Process(target=die_at_the_nth)
    child.start()
    child.join()
    assert store.verify() == []
    entry = store.get("demo/a")
    assert entry is not None
    assert store.read(entry) in (b"old", b"new")
    assert store.read(old) == b"old"
    assert store.read(store.put("demo/a", fetched("newer"))) == b"newer"


def write_some(root: Path, who: int) -> None:
    for number in range(20):
        Store(root).put("demo/a", fetched(f"{who}/{number % 4}"))


def test_two_writers_of_one_key_lose_nothing(tmp_path: Path) -> None:
    children = [FORK.Process(target=write_some, args=(tmp_path, who)) for who in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    store = Store(tmp_path)
    assert store.verify() == []
    contents = {store.read(entry).decode() for entry in store.editions("demo/a")}
    assert contents == {f"{who}/{number}" for who in range(2) for number in range(4)}
    assert isinstance(store.get("demo/a"), Entry)


def test_leftovers_are_swept_after_a_day(store: Store) -> None:
    store.put("demo/a", fetched("one"))
    fresh, stale = store.root / "tmp" / "fresh", store.root / "tmp" / "stale"
    fresh.write_bytes(b"x")
    stale.write_bytes(b"x")
    os.utime(stale, (time.time() - 100_000, time.time() - 100_000))
    store.put("demo/a", fetched("two"))
    assert fresh.exists()
    assert not stale.exists()
