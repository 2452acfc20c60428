from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.customers import make_table, transaction_features
from alphastrata.errors import InputDataError


@pytest.fixture
def rows():
    return pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "a", "b"],
            "date": ["2024-01-31", "2024-02-29", "2024-01-31", "2024-02-29", "2024-01-31"],
            "fund": ["stock", "stock", "bond", "bond", "bond"],
            "balance": [100.0, 120.0, 100.0, 240.0, 50.0],
            "invested": [100.0, 100.0, 100.0, 200.0, 50.0],
            "buy": [100.0, 0.0, 100.0, 100.0, 50.0],
            "sell": [0.0, 0.0, 0.0, 0.0, 0.0],
        }
    )


def test_by_hand(rows):
    out = transaction_features(rows)
    a, b = out.loc["a"], out.loc["b"]
    assert (a["share_stock"], a["share_bond"]) == pytest.approx((1 / 3, 2 / 3))
    assert a["diversification"] == pytest.approx(1 - 1 / 9 - 4 / 9)
    assert a["gain"] == pytest.approx(360 / 300 - 1)
    assert (a["recency"], b["recency"]) == (0, 29)
    assert (a["tenure"], a["monetary"], a["net_flow"]) == (29, 100, 300)
    assert a["frequency"] == 3.0
    assert b["share_stock"] == 0
    assert np.isnan(b["holdings_volatility"])


def test_returns_leave_flows_out():
    dates = pd.date_range("2023-01-31", periods=4, freq="ME")
    growth = np.array([0.02, -0.01, 0.03])
    balance = [100.0]
    for g in growth:
        balance.append(balance[-1] * (1 + g) + 50.0)
    rows = pd.DataFrame(
        {
            "customer_id": "a",
            "date": dates,
            "fund": "x",
            "balance": balance,
            "buy": 50.0,
            "sell": 0.0,
        }
    )
    per_year = 365.25 / np.median(np.diff(dates.to_numpy()).astype("timedelta64[D]").astype(int))
    expected = growth.std(ddof=1) * np.sqrt(per_year)
    assert transaction_features(rows).loc["a", "holdings_volatility"] == pytest.approx(expected)


def test_later_rows_do_not_matter(rows):
    early = transaction_features(rows, as_of="2024-01-31")
    rows.loc[rows["date"] > "2024-02-01", ["balance", "buy"]] = 1e9
    pd.testing.assert_frame_equal(early, transaction_features(rows, as_of="2024-01-31"))


def test_order_of_rows_does_not_matter(made):
    shuffled = made.transactions.sample(frac=1.0, random_state=0)
    pd.testing.assert_frame_equal(
        transaction_features(made.transactions), transaction_features(shuffled), rtol=1e-12
    )


def test_bad_rows_are_named(rows):
    with pytest.raises(InputDataError, match="customer_id, date and fund"):
        transaction_features(rows.drop(columns="fund"))
    with pytest.raises(InputDataError, match="Every row needs a date"):
        transaction_features(rows.assign(date="soon"))
    with pytest.raises(InputDataError, match="must not be negative"):
        transaction_features(rows.assign(buy=-1.0))


def test_features_join_the_table(made):
    table = make_table(made.customers, transactions=made.transactions)
    assert {"share_stock", "recency", "gain", "holdings_volatility"} <= set(table.columns())
