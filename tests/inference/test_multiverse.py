"""The multiverse: every path once, what each decision moves, and the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference import time_series
from alphastrata.inference.ledger import Ledger
from alphastrata.inference.multiverse import Estimate, estimate_of, multiverse


def world(path: dict[str, Any]) -> Estimate:
    return Estimate(0.002 * path["a"] + 0.001 * path["b"], 0.001, sharpe=0.1 * path["a"])


def broken(path: dict[str, Any]) -> Estimate:
    if path["a"] == 2:
        raise EstimationError("no rows")
    return world(path)


def test_every_path_once_sorted() -> None:
    result = multiverse({"a": [0, 1, 2], "b": [0, 1]}, world)
    assert len(result.estimates) == 6
    assert result.estimates["estimate"].is_monotonic_increasing
    assert set(map(tuple, result.choices.to_numpy())) == {
        (str(a), str(b)) for a in range(3) for b in range(2)
    }
    assert list(result.estimates) == ["estimate", "std_error", "t", "p", "low", "high"]


def test_importance_is_the_variance_of_main_effects() -> None:
    result = multiverse({"a": [0, 1, 2], "b": [0, 1]}, world)
    total = np.var([0.002 * a + 0.001 * b for a in range(3) for b in range(2)])
    assert result.importance["a"] == pytest.approx(np.var([0, 0.002, 0.004]) / total)
    assert result.importance.sum() == pytest.approx(1.0)
    numbers = result.summary_numbers
    assert numbers["non-standard error"] == pytest.approx(result.params.std())
    assert numbers["share p < 0.05"] == pytest.approx((result.pvalues < 0.05).mean())
    assert result.by_choice("a")["paths"].tolist() == [2, 2, 2]
    assert "Non-standard error" in result.summary()


def test_failed_paths_are_counted_and_recorded(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "trials.jsonl")
    result = multiverse({"a": [0, 1, 2], "b": [0, 1]}, broken, ledger=ledger)
    assert result.notes[0].count == 2
    assert "no rows" in str(result.notes[0])
    assert ledger.count == 6
    multiverse({"a": [0, 1, 2], "b": [0, 1]}, broken, ledger=ledger)
    assert ledger.count == 6
    assert ledger.adjusted("by").notna().sum() == 4


def test_regressions_as_paths(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    result = multiverse(
        {"lags": [0, 6, 12], "model": [["Mkt-RF"], ["Mkt-RF", "SMB", "HML"]]},
        lambda c: time_series(returns["P1"], factors[c["model"]], lags=c["lags"]),
    )
    single = estimate_of(time_series(returns["P1"], factors, lags=6), "P1")
    at = (result.choices["lags"] == "6") & result.choices["model"].str.contains("HML")
    assert result.params[at].iloc[0] == single.value
    assert result.importance["lags"] == pytest.approx(0.0, abs=1e-12)


def test_workers_do_not_change_the_result() -> None:
    one = multiverse({"a": [0, 1], "b": [0, 1]}, world)
    two = multiverse({"a": [0, 1], "b": [0, 1]}, world, n_jobs=2)
    pd.testing.assert_frame_equal(one.estimates, two.estimates)


def test_refusals() -> None:
    with pytest.raises(ConfigError, match="option"):
        multiverse({"a": []}, world)
    with pytest.raises(EstimationError, match="no rows"):
        multiverse({"a": [2], "b": [0, 1]}, broken)
