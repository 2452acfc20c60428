"""Ties that leave a stratum empty are counted, and a factor without a return is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.errors import InputDataError
from alphastrata.portfolio import long_short, portfolio_returns, quantile_sort


def market(zeros: float) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product(
        [pd.date_range("2020-01-31", periods=6, freq="ME"), [f"A{i:02d}" for i in range(40)]],
        names=["date", "asset"],
    )
    signal = rng.random(len(index))
    signal[rng.random(len(index)) < zeros] = 0.0
    return pd.DataFrame(
        {"ret": rng.normal(0, 0.05, len(index)), "market_cap": 1.0, "signal": signal}, index=index
    )


def test_ties_at_the_bottom_are_counted():
    strata = quantile_sort(market(0.45), "signal", n=5)
    sizes = strata.sizes()
    note = next(note for note in strata.notes if "is empty" in note.rule)
    assert note.count == int((sizes == 0).any(axis=1).sum()) > 0


def test_no_note_where_every_stratum_has_assets():
    strata = quantile_sort(market(0.0), "signal", n=5)
    assert not [note for note in strata.notes if "is empty" in note.rule]


def test_a_factor_without_any_return_is_refused():
    frame = market(0.0).assign(signal=1.0)
    strata = quantile_sort(frame, "signal", n=5)
    with pytest.raises(InputDataError, match="on none of 5 dates do they"):
        long_short(strata, frame)


def test_plain_frames_are_taken_everywhere():
    frame = market(0.0)
    strata = quantile_sort(frame, "signal", n=2)
    assert portfolio_returns(strata, frame.reset_index()).frame.shape == (5, 2)
