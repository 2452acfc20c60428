"""A run killed around its first trial goes on; a ledger cut down to its first trial does not."""

from __future__ import annotations

import pytest

from alphastrata.errors import CacheCorruptError
from alphastrata.inference import Ledger


def test_a_run_killed_around_its_first_trial_goes_on(tmp_path):
    ledger = Ledger(tmp_path / "trials.jsonl")
    head = tmp_path / "trials.jsonl.head"
    ledger.record({"n": 5}, {"p": 0.1})
    head.write_text("0 " + "0" * 64 + "\n")  # the head is written before the first trial
    assert ledger.count == 1
    ledger.path.unlink()
    assert ledger.count == 0
    ledger.record({"n": 10}, {"p": 0.2})
    assert ledger.count == 1


def test_a_ledger_cut_down_to_its_first_trial_is_noticed(tmp_path):
    ledger = Ledger(tmp_path / "trials.jsonl")
    for n in (3, 5, 10):
        ledger.record({"n": n}, {"p": 0.1})
    ledger.path.write_text(ledger.path.read_text().splitlines(keepends=True)[0])
    (tmp_path / "trials.jsonl.head").unlink()
    with pytest.raises(CacheCorruptError, match="head"):
        ledger.trials()
