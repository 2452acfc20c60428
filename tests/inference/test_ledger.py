"""The ledger: no trial can be changed, removed, moved or counted twice without notice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from alphastrata.errors import CacheCorruptError, ConfigError, InputDataError
from alphastrata.inference.ledger import Ledger
from alphastrata.inference.sharpe import SharpeMoments, deflated_sharpe


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    book = Ledger(tmp_path / "study" / "trials.jsonl")
    for i in range(5):
        book.record({"n": i, "sort": "LEV"}, {"p": 0.01 * (i + 1), "sharpe": 0.02 * i})
    return book


def lines(ledger: Ledger) -> list[str]:
    return ledger.path.read_text().splitlines()


def write(ledger: Ledger, rows: list[str]) -> None:
    ledger.path.write_text("".join(row + "\n" for row in rows))


def test_a_second_reader_sees_the_same(ledger: Ledger) -> None:
    other = Ledger(ledger.path)
    assert other.count == 5
    assert other.head == ledger.head
    assert other.frame()["set.n"].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("gone", [0, 2, 4])
def test_a_removed_trial_is_noticed(ledger: Ledger, gone: int) -> None:
    rows = lines(ledger)
    del rows[gone]
    write(ledger, rows)
    with pytest.raises(CacheCorruptError, match="removed"):
        ledger.trials()


def test_other_tampering_is_noticed(ledger: Ledger) -> None:
    rows = lines(ledger)
    write(ledger, [rows[0].replace("0.01", "0.90"), *rows[1:]])
    with pytest.raises(CacheCorruptError, match="changed"):
        ledger.trials()
    write(ledger, [rows[1], rows[0], *rows[2:]])
    with pytest.raises(CacheCorruptError, match="does not follow"):
        ledger.trials()
    write(ledger, [*rows, "not json"])
    with pytest.raises(CacheCorruptError, match="cannot be read"):
        ledger.trials()
    ledger.path.unlink()
    with pytest.raises(CacheCorruptError, match="gone"):
        ledger.trials()
    write(ledger, rows)
    ledger.path.with_name("trials.jsonl.head").unlink()
    with pytest.raises(CacheCorruptError, match="head"):
        ledger.trials()


@pytest.mark.parametrize("text", ["", "5", "five times", "5 a b"])
def test_a_head_that_says_nothing_is_noticed(ledger: Ledger, text: str) -> None:
    ledger.path.with_name("trials.jsonl.head").write_text(text)
    with pytest.raises(CacheCorruptError, match="head of the ledger"):
        ledger.trials()


def test_added_trials_are_not_called_removed(ledger: Ledger) -> None:
    first = ledger.trials()[0]
    ledger.path.with_name("trials.jsonl.head").write_text(f"1 {first.digest}\n")
    with pytest.raises(CacheCorruptError, match="added"):
        ledger.trials()
    ledger.path.write_bytes(b"\xff" + ledger.path.read_bytes())
    with pytest.raises(CacheCorruptError, match="no text"):
        ledger.trials()


def test_a_run_killed_before_the_head_goes_on(ledger: Ledger) -> None:
    head = ledger.path.with_name("trials.jsonl.head")
    before = head.read_text()
    ledger.record({"n": 9}, {"p": 0.5})
    head.write_text(before)
    assert ledger.count == 6
    ledger.record({"n": 10}, {"p": 0.5})
    assert ledger.count == 7


def test_a_resumed_study_does_not_count_twice(ledger: Ledger) -> None:
    again = ledger.record({"sort": "LEV", "n": 2}, {"p": 0.03, "sharpe": 0.04})
    assert again.number == 3
    assert ledger.count == 5
    ledger.record({"n": 7}, {"p": float("nan")})
    ledger.record({"n": 7}, {"p": float("nan")})
    assert ledger.count == 6


def test_writers_at_once(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: Ledger(path).record({"i": i}, {"p": 0.5}), range(20)))
    assert Ledger(path).count == 20


def test_counts_enter_the_adjustments(ledger: Ledger) -> None:
    ledger.record({"n": 8}, {"failed": 1.0})
    np.testing.assert_allclose(ledger.adjusted("bonferroni").dropna(), np.arange(1, 6) * 0.01 * 6)
    moments = SharpeMoments(0.1, 240)
    spread = np.std(0.02 * np.arange(5), ddof=1)
    assert ledger.deflated_sharpe(moments) == deflated_sharpe(moments, 6, spread)


def test_refusals(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "new.jsonl")
    assert ledger.count == 0
    with pytest.raises(ConfigError, match="JSON"):
        ledger.record({"f": object()}, {})
    for value, words in ((np.inf, "finite"), ("x", "is a number"), (None, "is a number")):
        with pytest.raises(ConfigError, match=words):
            ledger.record({"a": 1}, {"t": value})
    ledger.record({"a": 1}, {"t": 2.0})
    with pytest.raises(InputDataError, match="p-value"):
        ledger.adjusted()
    with pytest.raises(InputDataError, match="two of them"):
        ledger.deflated_sharpe(SharpeMoments(0.1, 100))
