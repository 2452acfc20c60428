"""Bill yields to riskless returns: the arithmetic, and that no yield is used before it stood."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphastrata.data.bills import bill_returns
from alphastrata.errors import InputDataError


def test_one_bill_by_hand() -> None:
    # 5.27% bank discount, 28 days: costs 99.590111 per 100 and yields 5.37% on 365 days.
    quotes = pd.Series([5.27], index=pd.to_datetime(["2023-10-31"]))
    got = bill_returns(quotes, days=28)
    price = 1 - 0.0527 * 28 / 360
    assert price == pytest.approx(0.99590111, abs=1e-8)
    assert got.index.tolist() == [pd.Timestamp("2023-11-30")]
    assert got.iloc[0] == pytest.approx((1 / price) ** (30 / 28) - 1, rel=1e-12)
    assert got.name == "RF"


@given(discount=st.floats(0.01, 15.0), days=st.sampled_from([28, 91, 182]))
def test_both_bases_agree(discount: float, days: int) -> None:
    """The coupon-equivalent yield 365 d / (360 - d n) of a bill earns what its discount earns."""
    d = discount / 100
    investment = 100 * 365 * d / (360 - d * days)
    index = pd.to_datetime(["2020-01-31", "2020-02-28"])
    one = bill_returns(pd.Series(discount, index=index), days=days)
    other = bill_returns(pd.Series(investment, index=index), days=days, basis="investment")
    np.testing.assert_allclose(one.to_numpy(), other.to_numpy(), rtol=1e-10)


def test_a_month_earns_the_rate_that_stood_before_it() -> None:
    dates = pd.to_datetime(["2020-01-15", "2020-01-30", "2020-02-10", "2020-02-28"])
    quotes = pd.Series([1.0, 2.0, 3.0, 4.0], index=dates)
    got = bill_returns(quotes, days=28)
    assert got.index.tolist() == [pd.Timestamp("2020-02-29"), pd.Timestamp("2020-03-31")]
    changed = bill_returns(quotes.where(quotes.index < "2020-02-01", 9.0), days=28)
    assert changed.iloc[0] == got.iloc[0]
    assert changed.iloc[1] != got.iloc[1]


def test_months_without_a_quote_keep_the_last_one() -> None:
    quotes = pd.Series([1.0, 2.0], index=pd.to_datetime(["2020-01-31", "2020-03-31"]))
    got = bill_returns(quotes, days=28)
    assert len(got) == 3
    rate = np.log1p(got.to_numpy()) / got.index.day.to_numpy()
    assert rate[0] == pytest.approx(rate[1])
    lonely = pd.Series([1.0, 2.0], index=pd.to_datetime(["2000-01-31", "2020-03-31"]))
    assert len(bill_returns(lonely, days=28)) == 13


def test_days_compound_to_the_bill() -> None:
    days = pd.bdate_range("2023-01-02", periods=200)
    daily = bill_returns(pd.Series(4.8, index=days), days=28, freq="D")
    total = float((1 + daily).prod())
    held = (days[-1] - days[0]).days
    assert total == pytest.approx((1 - 0.048 * 28 / 360) ** (-held / 28), rel=1e-12)
    assert daily.index[0] == days[1]


@pytest.mark.parametrize("values", [[700.0], [np.inf]])
def test_yields_that_cannot_be(values: list[float]) -> None:
    with pytest.raises(InputDataError, match="percent a year"):
        bill_returns(pd.Series(values, index=pd.to_datetime(["2020-01-31"])), days=91)


def test_dates_must_ascend() -> None:
    index = pd.to_datetime(["2020-02-28", "2020-01-31"])
    with pytest.raises(InputDataError, match="ascend"):
        bill_returns(pd.Series([1.0, 1.0], index=index), days=28)
    with pytest.raises(InputDataError, match="at least one"):
        bill_returns(pd.Series([], dtype=float, index=pd.DatetimeIndex([])), days=28)
