"""Rules for daily closes and returns, one by one, and months from days against brute force."""

import numpy as np
import pandas as pd
import pytest

from alphastrata.data.daily import (
    ABSURD,
    AS_GIVEN,
    CONTRADICTS,
    FIRST,
    LONG_GAP,
    MISPLACED,
    SKIPPED,
    SPLIT_DATE,
    clean_returns,
    close_changes,
    drop_thin_sessions,
    month_rows,
    status_notes,
)

DAYS = pd.bdate_range("2016-01-04", periods=12)


def rows(close, ret, volume=None, days=None, asset="A"):
    n = len(close)
    days = DAYS[:n] if days is None else pd.to_datetime(days)
    return pd.DataFrame(
        {
            "asset": pd.Categorical([asset] * n),
            "date": days,
            "ret": ret,
            "price": np.asarray(close, float),
            "volume": np.full(n, 1000.0) if volume is None else volume,
        }
    )


def test_believable_rows_stay_as_they_are():
    ret = [0.0, 0.1, -0.1, 0.3]
    clean = clean_returns(rows([10, 11, 9.9, 12.87], ret))
    assert clean.status.tolist() == [FIRST, AS_GIVEN, AS_GIVEN, AS_GIVEN]
    np.testing.assert_array_equal(clean.ret[1:], ret[1:])
    assert (clean.split == 1).all()


def test_a_real_quintupling_stays():
    clean = clean_returns(rows([2, 10.4, 11], [0, 4.2, 11 / 10.4 - 1], [1e3, 1e6, 1e6]))
    assert clean.ret[1] == 4.2


def test_a_misplaced_decimal_point_is_carried_until_it_comes_back():
    close = [48.0, 4.8, 4.9, 49.0, 49.5]
    ret = [0, *(np.diff(close) / close[:-1])]
    clean = clean_returns(rows(close, ret))
    assert clean.status.tolist() == [FIRST, MISPLACED, MISPLACED, AS_GIVEN, AS_GIVEN]
    np.testing.assert_allclose(clean.ret[1:], [0, 0, 49 / 48 - 1, 49.5 / 49 - 1])
    np.testing.assert_allclose(clean.price, [48, 48, 48, 49, 49.5])


def test_a_crash_on_volume_is_a_crash():
    close = [48.0, 4.8, 4.9]
    ret = [0, *(np.diff(close) / close[:-1])]
    clean = clean_returns(rows(close, ret, [1e3, 1e5, 1e5]))
    assert clean.ret[1] == pytest.approx(-0.9)


def test_a_crash_without_volume_counts_after_five_days():
    close = [48.0, *[4.8] * 8]
    ret = [0, *(np.diff(close) / close[:-1])]
    clean = clean_returns(rows(close, ret))
    growth = np.prod(1 + clean.ret[1:])
    assert growth == pytest.approx(0.1)
    assert clean.ret[1:6].tolist() == [0.0] * 5
    assert clean.price[-1] == 4.8


def test_a_split_applied_on_the_wrong_day():
    clean = clean_returns(rows([5.8, 6.2, 6.1], [0, -0.946552, 6.1 / 6.2 - 1]))
    assert clean.status[1] == SPLIT_DATE
    assert clean.ret[1] == pytest.approx(6.2 / 5.8 - 1)


def test_splits_are_found_and_returns_kept():
    clean = clean_returns(rows([0.2, 4.0, 4.1, 2.05], [0, 0.0, 0.025, 0.0]))
    np.testing.assert_allclose(clean.split, [1, 20, 20, 10])
    assert clean.ret[1] == 0.0


def test_a_special_dividend_is_no_split():
    clean = clean_returns(rows([73.56, 48.0, 48.1], [0, 0.0, 48.1 / 48 - 1]))
    assert (clean.split == 1).all()


def test_contradictions_and_absurdities_are_missing():
    clean = clean_returns(rows([7.83, 10.61, 11.9], [0, 3.142, 11.9 / 10.61 - 1]))
    assert clean.status[1] == CONTRADICTS
    assert np.isnan(clean.ret[1])
    clean = clean_returns(rows([0.01, 34.64, 35], [0, 3463.0, 35 / 34.64 - 1]))
    assert clean.status[1] == ABSURD
    assert np.isnan(clean.ret[1])


def test_long_gaps_and_skipped_sessions():
    table = pd.concat(
        [
            rows([10, 11, 12], [0, 0.1, 12 / 11 - 1], days=DAYS[:3]),
            rows([10, 12], [0, 0.05], days=["2016-01-04", "2016-01-06"], asset="B"),
            rows([10, 12], [0, 0.05], days=["2016-01-04", "2016-03-06"], asset="C"),
        ],
        ignore_index=True,
    )  # fmt: skip
    table["asset"] = table["asset"].astype("category")
    clean = clean_returns(table)
    assert clean.status[4] == SKIPPED
    assert clean.ret[4] == pytest.approx(0.2)
    assert clean.status[6] == LONG_GAP
    assert np.isnan(clean.ret[6])
    notes = {note.rule[:20]: note for note in status_notes(table, clean.status)}
    assert notes["A return covers all "].first == "date=2016-01-06, asset=B"


def test_a_session_missing_for_all_is_noticed():
    # Everyone's close moves by more than the return of the last session: one is missing.
    parts = [rows([10, 10.2, 10.3], [0, 0.01, 10.3 / 10.2 - 1], asset=name) for name in "ABCDE"]
    table = pd.concat(parts, ignore_index=True)
    table["asset"] = table["asset"].astype("category")
    clean = clean_returns(table)
    assert (clean.status[1::3] == SKIPPED).all()
    np.testing.assert_allclose(clean.ret[1::3], 0.02)


def test_thin_sessions_go():
    names = [f"A{i}" for i in range(10)]
    table = pd.concat([rows([1.0] * 5, [0.0] * 5, asset=n) for n in names], ignore_index=True)
    keep = (table["date"] != DAYS[3]) | (table["asset"] == "A0")
    kept, notes = drop_thin_sessions(table[keep])
    assert DAYS[3] not in set(kept["date"])
    assert notes[0].count == 1
    same, none = drop_thin_sessions(table)
    assert len(same) == len(table)
    assert none == []


def test_close_changes_do_not_cross_assets():
    table = pd.concat([rows([1, 2], [0, 0]), rows([8, 4], [0, 0], asset="B")], ignore_index=True)
    table["asset"] = table["asset"].astype("category")
    np.testing.assert_array_equal(close_changes(table), [np.nan, 1.0, np.nan, -0.5])


def test_months_against_brute_force():
    rng = np.random.default_rng(0)
    days = pd.bdate_range("2015-01-01", "2015-12-31")
    parts = []
    for name in ("A", "B", "C"):
        mine = days[np.sort(rng.choice(len(days), 150, replace=False))]
        ret = rng.normal(0, 0.02, 150)
        ret[0] = np.nan
        part = rows(np.full(150, 5.0), ret, np.ones(150), mine, name)
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    table["asset"] = table["asset"].astype("category")
    got, _ = month_rows(table)
    want = table.groupby(["asset", table["date"].dt.to_period("M")], observed=True)["ret"].apply(
        lambda r: (1 + r).prod(skipna=False) - 1
    )
    np.testing.assert_allclose(got["ret"].to_numpy(), want.to_numpy(), rtol=1e-12)
    assert (got["date"].dt.is_month_end).all()


def test_an_asset_that_stopped_early_in_the_month_cannot_be_bought():
    days = pd.bdate_range("2016-01-04", "2016-02-29")
    one = rows(np.full(len(days), 5.0), np.zeros(len(days)), np.ones(len(days)), days)
    stop = days[days <= "2016-02-10"]
    two = rows(np.full(len(stop), 5.0), np.zeros(len(stop)), np.ones(len(stop)), stop, "B")
    table = pd.concat([one, two], ignore_index=True)
    table["asset"] = table["asset"].astype("category")
    got, notes = month_rows(table)
    last = got[got["date"] == "2016-02-29"].set_index("asset")
    assert last.loc["A", "price"] == 5.0
    assert np.isnan(last.loc["B", "price"])
    assert last.loc["B", "ret"] == 0.0
    assert any("ten days" in note.rule and note.count == 1 for note in notes)
