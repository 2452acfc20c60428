from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import Panel, Strata
from alphastrata.errors import InputDataError
from alphastrata.portfolio import include_delistings, portfolio_returns


@pytest.fixture(scope="module")
def panel() -> Panel:
    dates = pd.date_range("2020-01-31", periods=3, freq="ME")
    rows = [(d, a, 0.1, 1.0, "NYSE") for d in dates for a in "ABC"]
    rows = [r for r in rows if (r[0], r[1]) not in {(dates[2], "A"), (dates[2], "B")}]
    return Panel(pd.DataFrame(rows, columns=["date", "asset", "ret", "market_cap", "exchange"]))


def delisted(**options):
    table = pd.DataFrame(
        {
            "asset": ["A", "B", "Z"],
            "date": pd.to_datetime(["2020-03-10", "2020-02-20", "2020-03-01"]),
            "delisting_return": [-1.0, np.nan, -0.5],
        }
    )
    return table.assign(**options)


def test_a_total_loss_reaches_the_portfolio(panel):
    got = include_delistings(panel, delisted())
    assert got.wide("ret")["A"].tolist() == [0.1, 0.1, -1.0]
    strata = Strata(pd.DataFrame({a: [1] for a in "ABC"}, index=panel.dates[:1]), ordered=True)
    before = portfolio_returns(strata, panel).frame["1"]
    after = portfolio_returns(strata, got).frame["1"]
    assert before.iloc[-1] == pytest.approx(0.1)
    assert after.iloc[-1] == pytest.approx((-1.0 + 0.1) / 2)


def test_a_missing_delisting_return_takes_the_default_and_is_counted(panel):
    kept = include_delistings(panel, delisted())
    assert kept.wide("ret")["B"].iloc[1] == 0.1
    got = include_delistings(panel, delisted(), default=-0.3)
    assert got.wide("ret")["B"].iloc[1] == pytest.approx(1.1 * 0.7 - 1)
    counts = {note.action: note.count for note in got.notes}
    assert counts == {"compounded": 1, "added as a row": 1, "set to -0.3": 1, "left out": 1}
    assert got.columns == panel.columns
    assert got.freq == panel.freq


@pytest.mark.parametrize("date", ["2019-12-31", "2020-04-01"])
def test_a_delisting_outside_the_panel_is_left_out_and_counted(panel, date):
    gone = pd.DataFrame({"asset": ["C"], "date": [date], "delisting_return": [-1.0]})
    got = include_delistings(panel, gone)
    assert got.wide("ret")["C"].tolist() == [0.1] * 3
    assert [(note.count, note.action) for note in got.notes] == [(1, "left out")]


def test_what_cannot_be_is_said(panel):
    with pytest.raises(InputDataError, match="once"):
        include_delistings(panel, delisted(asset=["A", "A", "B"]))
    with pytest.raises(InputDataError, match="at least -1"):
        include_delistings(panel, delisted(delisting_return=-30.0))
