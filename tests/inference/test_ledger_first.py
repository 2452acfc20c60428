"""A run killed between its first trial and the head goes on."""

from __future__ import annotations

import pytest

from alphastrata.errors import CacheCorruptError
from alphastrata.inference import Ledger


def test_a_first_trial_without_its_head_is_no_damage(tmp_path):
    ledger = Ledger(tmp_path / "trials.jsonl")
    ledger.record({"n": 5}, {"p": 0.1})
    (tmp_path / "trials.jsonl.head").unlink()
    assert ledger.count == 1
    ledger.record({"n": 10}, {"p": 0.2})
    assert ledger.count == 2
    (tmp_path / "trials.jsonl.head").unlink()
    with pytest.raises(CacheCorruptError, match="head"):
        ledger.trials()
