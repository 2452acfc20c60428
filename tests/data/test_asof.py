"""The two-clock join against brute force, and its refusals."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphastrata.core.panel import Panel
from alphastrata.data import apply_lag, as_of
from alphastrata.data.asof import visible_rows
from alphastrata.errors import ConfigError, InputDataError, LookAheadError

DAY = pd.Timestamp("2015-01-01")


def brute(row_asset, row_date, asset, period, known):
    """The definition, row by row."""
    out = []
    for a, d in zip(row_asset, row_date, strict=True):
        best, key = -1, None
        for j in range(len(asset)):
            if asset[j] == a and known[j] <= d:
                this = (period[j], known[j], j)
                if key is None or this > key:
                    best, key = j, this
        out.append(best)
    return np.array(out, np.int64)


small = st.integers(0, 6)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), small, small), max_size=25),
    st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 8)), min_size=1, max_size=25),
)
def test_visible_rows_is_the_definition(statements, rows):
    asset, period, known = np.array(statements, np.int64).reshape(-1, 3).T
    row_asset, row_date = np.array(rows, np.int64).reshape(-1, 2).T
    found = visible_rows(row_asset, row_date, asset, period, known)
    np.testing.assert_array_equal(found, brute(row_asset, row_date, asset, period, known))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_corrupting_what_is_known_later_changes_nothing(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    n, t = 40, 20
    asset = rng.integers(0, 4, n)
    period, known = rng.integers(0, 30, n), rng.integers(0, 40, n)
    row_asset, row_date = rng.integers(0, 4, 30), rng.integers(0, t + 1, 30)
    before = visible_rows(row_asset, row_date, asset, period, known)
    later = known > t
    period = np.where(later, rng.integers(-50, 50, n), period)
    known = np.where(later, rng.integers(t + 1, 90, n), known)
    after = visible_rows(row_asset, row_date, asset, period, known)
    np.testing.assert_array_equal(before, after)


def prices(assets=("A", "B"), periods=12):
    dates = pd.date_range("2015-01-31", periods=periods, freq="ME")
    index = pd.MultiIndex.from_product([dates, assets], names=["date", "asset"])
    return Panel(pd.DataFrame({"ret": 0.01}, index=index))


def statements(*rows):
    table = pd.DataFrame(rows, columns=["asset", "period_end", "known_at", "sales"])
    return table.astype(
        {"period_end": "datetime64[ns]", "known_at": "datetime64[ns]", "sales": float}
    )


def seen(panel, asset="A", field="sales"):
    return panel.wide(field)[asset].tolist()


def test_restatement_of_an_old_period_stays_out_of_sight():
    table = statements(
        ("A", "2014-12-31", "2015-02-15", 1.0),
        ("A", "2015-03-31", "2015-05-10", 2.0),
        ("A", "2014-12-31", "2015-06-20", 99.0),  # the old period again
        ("A", "2015-03-31", "2015-07-05", 3.0),  # the visible period, restated
    )
    got = seen(as_of(prices(periods=8), table))
    np.testing.assert_array_equal(got, [np.nan, 1, 1, 1, 2, 2, 3, 3])


def test_known_on_the_day_counts_and_later_that_day_does_not():
    table = statements(("A", "2014-12-31", "2015-03-31", 1.0))
    assert seen(as_of(prices(periods=3), table))[-1] == 1.0
    evening = statements(("A", "2014-12-31", "2015-03-31 17:30", 1.0))
    joined = as_of(prices(periods=4), evening)
    np.testing.assert_array_equal(seen(joined), [np.nan, np.nan, np.nan, 1.0])


def test_ages_count_days():
    table = statements(("A", "2014-12-31", "2015-02-15", 1.0))
    joined = as_of(prices(periods=2), table)
    assert seen(joined, field="period_end_age")[1] == 59
    assert seen(joined, field="known_age")[1] == 13
    assert np.isnan(seen(joined, field="known_age")[0])


def test_old_statements_are_not_shown_and_counted():
    table = statements(("A", "2014-12-31", "2015-02-15", 1.0))
    joined = as_of(prices(periods=6), table, max_age=100)
    np.testing.assert_array_equal(seen(joined), [np.nan, 1, 1, np.nan, np.nan, np.nan])
    old, unknown = joined.notes[-2:]
    assert (old.count, old.of) == (3, 12)
    assert unknown.count == 10
    assert "date=2015-01-31, asset=A" in unknown.first


def test_assets_do_not_mix_and_unknown_assets_are_ignored():
    table = statements(
        ("B", "2014-12-31", "2015-01-15", 7.0), ("Z", "2014-12-31", "2015-01-15", 8.0)
    )
    joined = as_of(prices(), table)
    assert set(seen(joined, "B")) == {7.0}
    assert np.isnan(seen(joined, "A")).all()


def test_no_statements_at_all():
    joined = as_of(prices(), statements())
    assert np.isnan(joined.values("sales")).all()


def test_uniform_lag_and_the_later_of_two_clocks():
    table = statements(("A", "2014-12-31", "2015-02-15", 1.0))
    undated = table.drop(columns="known_at")
    np.testing.assert_array_equal(seen(as_of(prices(periods=6), undated, lag="4M"))[2:5],
                                  [np.nan, 1, 1])  # fmt: skip
    stamp = as_of(prices(periods=6), undated, lag="4M").notes[0]
    assert "declared lag of 4M" in str(stamp)
    late = as_of(prices(periods=6), table, lag="4M")
    assert np.isnan(seen(late)[2])
    early = as_of(prices(periods=6), table, lag="1D")
    assert np.isnan(seen(early)[0])
    assert seen(early)[1] == 1.0


def test_without_a_clock_it_refuses_and_says_how_to_declare_one():
    table = statements(("A", "2014-12-31", "2015-02-15", 1.0)).drop(columns="known_at")
    with pytest.raises(LookAheadError, match='lag="4M"'):
        as_of(prices(), table)


def test_known_before_the_period_ends_is_refused():
    table = statements(("A", "2016-12-31", "2016-02-29", 1.0))
    with pytest.raises(LookAheadError, match="before its period ends"):
        as_of(prices(), table)


def test_a_repeat_and_a_collision_and_bad_dates_are_refused():
    row = ("A", "2014-12-31", "2015-02-15", 1.0)
    with pytest.raises(InputDataError, match="may appear once"):
        as_of(prices(), statements(row, row))
    with pytest.raises(InputDataError, match="overwrite"):
        as_of(prices(), statements(row).rename(columns={"sales": "ret"}))
    with pytest.raises(InputDataError, match="one way only.*'soon'"):
        as_of(prices(), statements(row).assign(period_end="soon"))
    with pytest.raises(InputDataError, match="has an asset"):
        as_of(prices(), statements(row, (None, *row[1:])))
    with pytest.raises(InputDataError, match="'asset'"):
        as_of(prices(), statements(row).drop(columns="asset"))
    with pytest.raises(InputDataError, match="numeric"):
        as_of(prices(), statements(row), columns=["profit"])
    zoned = statements(row)
    zoned["known_at"] = zoned["known_at"].dt.tz_localize("UTC")
    with pytest.raises(InputDataError, match="time zone"):
        as_of(prices(), zoned)


@pytest.mark.parametrize(
    ("end", "lag", "known"),
    [
        ("2013-02-28", "4M", "2013-06-30"),
        ("2012-09-29", "4M", "2013-01-29"),
        ("2012-10-31", "4M", "2013-02-28"),
        ("2012-12-31", "90D", "2013-03-31"),
        ("2012-12-31", 90, "2013-03-31"),
        ("2012-12-31", "2W", "2013-01-14"),
        ("2012-12-31", "1Q", "2013-03-31"),
        ("2012-12-31", "1y", "2013-12-31"),
        ("2012-12-31", pd.Timedelta(days=1), "2013-01-01"),
        ("2012-12-31", pd.DateOffset(months=6), "2013-06-30"),
    ],
)
def test_lags(end, lag, known):
    assert apply_lag(pd.Series(pd.to_datetime([end])), lag)[0] == pd.Timestamp(known)


@pytest.mark.parametrize("lag", ["4", "four months", "-4M", 1.5, True])
def test_unreadable_lags_are_refused(lag):
    with pytest.raises(ConfigError, match="lag is"):
        apply_lag(pd.Series(pd.to_datetime(["2012-12-31"])), lag)


def test_negative_lags_are_look_ahead():
    with pytest.raises(LookAheadError, match="negative"):
        apply_lag(pd.Series(pd.to_datetime(["2012-12-31"])), -5)


def test_three_and_a_half_million_rows_in_seconds():
    rng = np.random.default_rng(0)
    n_assets, n_dates, per_asset = 6000, 584, 67
    dates = pd.date_range("1970-01-31", periods=n_dates, freq="ME")
    names = pd.Index([f"A{i:04d}" for i in range(n_assets)])
    index = pd.MultiIndex.from_product([dates, names], names=["date", "asset"])
    panel = Panel(pd.DataFrame({"ret": np.zeros(len(index))}, index=index))
    n = n_assets * per_asset
    period = pd.Timestamp("1970-01-01") + pd.to_timedelta(rng.integers(0, 17_000, n), unit="D")
    table = pd.DataFrame(
        {
            "asset": np.repeat(names, per_asset),
            "period_end": period,
            "known_at": period + pd.to_timedelta(rng.integers(30, 400, n), unit="D"),
            **{f"x{j}": rng.standard_normal(n) for j in range(8)},
        }
    ).drop_duplicates(["asset", "period_end", "known_at"])
    assert len(panel) > 3_500_000
    assert len(table) > 400_000
    begin = time.process_time()
    joined = as_of(panel, table)
    assert time.process_time() - begin < 5
    pick = rng.choice(len(panel), 40, replace=False)
    ns = table[["period_end", "known_at"]].astype("datetime64[ns]").astype(np.int64)
    for row in pick:
        mine = table["asset"].to_numpy() == names[panel.asset_codes[row]]
        date = int(panel.dates.asi8[panel.date_codes[row]])
        best = brute([0], [date], np.zeros(mine.sum(), int), *ns[mine].to_numpy().T)[0]
        want = np.nan if best < 0 else table.loc[mine, "x3"].iloc[best]
        np.testing.assert_equal(joined.values("x3")[row], want)
