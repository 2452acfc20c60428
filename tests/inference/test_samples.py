"""What comes through the door: dates, kinds, and the risk-free rate subtracted once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import FactorReturns
from alphastrata.errors import InputDataError
from alphastrata.inference.samples import align


def test_total_returns_become_excess_through_the_factors_rate(
    returns: pd.DataFrame, factors: pd.DataFrame
) -> None:
    rate = pd.Series(0.003, index=factors.index)
    total = FactorReturns(returns + 0.003, kind="total")
    with_rate = FactorReturns(factors, kind="excess", risk_free=rate)
    np.testing.assert_allclose(align(total, with_rate).y, returns.to_numpy(), atol=1e-15)


def test_dates_without_a_borrowed_rate_are_counted(
    returns: pd.DataFrame, factors: pd.DataFrame
) -> None:
    rate = pd.Series(0.003, index=factors.index[20:])
    total = FactorReturns(returns + 0.003, kind="total")
    short = FactorReturns(factors.iloc[20:], kind="excess", risk_free=rate)
    sample = align(total, short)
    assert len(sample.returns) == 160
    assert [(note.rule, note.count) for note in sample.notes] == [
        ("return dates that the factors lack", 20)
    ]
    holes = FactorReturns(factors, kind="excess", risk_free=rate)
    assert align(total, holes).complete().notes[-1].count == 20


def test_the_rate_is_never_subtracted_twice(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    rate = pd.Series(0.003, index=factors.index)
    for kind in ("excess", "zero_cost"):
        given = FactorReturns(returns, kind=kind, risk_free=rate)
        with_rate = FactorReturns(factors, kind="excess", risk_free=rate)
        np.testing.assert_array_equal(align(given, with_rate).y, returns.to_numpy())


def test_total_returns_without_a_rate_are_refused(
    returns: pd.DataFrame, factors: pd.DataFrame
) -> None:
    with pytest.raises(InputDataError, match="risk-free"):
        align(FactorReturns(returns, kind="total"), factors)


def test_lost_dates_are_counted(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    holes = factors.iloc[10:].copy()
    holes.iloc[3, 1] = np.nan
    sample = align(returns.iloc[:-5], holes)
    assert len(sample.returns) == 180 - 10 - 5 - 1
    assert [note.count for note in sample.notes] == [1, 11, 5]


def test_month_starts_meet_month_ends(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    starts = returns.set_axis(returns.index.to_period("M").to_timestamp(), axis=0)
    periods = returns.set_axis(returns.index.to_period("M"), axis=0)
    for shape in (starts, periods):
        np.testing.assert_array_equal(align(shape, factors).y, returns.to_numpy())


def test_order_of_rows_does_not_matter(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    shuffled = returns.sample(frac=1.0, random_state=0)
    np.testing.assert_array_equal(align(shuffled, factors).y, returns.to_numpy())


def test_refusals(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    later = factors.set_axis(factors.index + pd.DateOffset(years=40), axis=0)
    with pytest.raises(InputDataError, match="share dates"):
        align(returns, later)
    with pytest.raises(InputDataError, match="infinite"):
        align(returns.replace(returns.iloc[3, 3], np.inf), factors)
    with pytest.raises(InputDataError, match="once"):
        align(pd.concat([returns, returns.iloc[:1]]), factors)
    with pytest.raises(InputDataError, match="frequency"):
        align(
            FactorReturns(returns, kind="excess"), FactorReturns(factors, kind="excess", freq="D")
        )
    with pytest.raises(InputDataError, match="got list"):
        align([1.0], factors)


def test_complete_says_what_it_dropped(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    holes = returns.copy()
    holes.iloc[:4, 0] = np.nan
    sample = align(holes, factors).complete()
    assert len(sample.returns) == 176
    assert sample.notes[-1].count == 4
