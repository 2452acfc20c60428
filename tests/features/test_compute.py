"""features.compute against brute force, and what it must never do."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alphastrata import features
from alphastrata.core.panel import Panel
from alphastrata.errors import ConfigError, InputDataError

_spec = importlib.util.spec_from_file_location(
    "features_brute_force", Path(__file__).with_name("brute_force.py")
)
assert _spec is not None
assert _spec.loader is not None
brute = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(brute)

CATALOG = features.catalog()
ALL = list(CATALOG.index)
EXACT = {"rtol": 1e-13, "atol": 0.0}
CLOSE = {"rtol": 1e-10, "atol": 1e-13}


@pytest.fixture(scope="module")
def everything(monthly: Panel, daily: Panel) -> Panel:
    return features.compute(monthly, ALL, daily=daily)


def agree(got: np.ndarray, want: np.ndarray, **tolerance: float) -> None:
    assert np.isfinite(got).sum() > 50
    np.testing.assert_allclose(got, want, **tolerance)


@pytest.mark.parametrize("name", list(brute.STATEMENTS))
def test_ratios_are_the_formulas_in_pandas(name: str, everything: Panel, monthly: Panel) -> None:
    with np.errstate(all="ignore"):
        want = brute.STATEMENTS[name](monthly.frame).to_numpy()
    agree(everything.values(name), want, **EXACT)


@pytest.mark.parametrize("name", [n for n in ALL if CATALOG.formula[n] == n])
def test_reported_items_come_through_unchanged(
    name: str, everything: Panel, monthly: Panel
) -> None:
    np.testing.assert_array_equal(everything.values(name), monthly.values(name))


def test_momentum_skips_a_month_and_respects_gaps(everything: Panel, monthly: Panel) -> None:
    agree(everything.values("momentum"), brute.momentum(monthly), **CLOSE)


def test_short_term_reversal_is_the_months_return(everything: Panel, monthly: Panel) -> None:
    np.testing.assert_array_equal(everything.values("short_term_reversal"), monthly.values("ret"))


def test_volatility(everything: Panel, monthly: Panel) -> None:
    agree(everything.values("volatility"), brute.volatility(monthly), **CLOSE)


def test_market_beta(everything: Panel, monthly: Panel) -> None:
    agree(everything.values("market_beta"), brute.market_beta(monthly), rtol=1e-9, atol=1e-12)


def test_asset_growth_without_ages_goes_back_twelve_months(
    everything: Panel, monthly: Panel
) -> None:
    wide = monthly.wide("total_assets")
    growth = wide / wide.shift(12).where(wide.shift(12) > 0) - 1
    want = growth.to_numpy()[monthly.date_codes, monthly.asset_codes]
    agree(everything.values("asset_growth"), want, **EXACT)
    assert any("period_end_age" in note.rule for note in everything.notes)


def test_asset_growth_compares_statements_a_year_apart(aged_monthly: Panel) -> None:
    got = features.compute(aged_monthly, "asset_growth")
    agree(got.values("asset_growth"), brute.asset_growth(aged_monthly), **EXACT)
    assert not any("period_end_age" in note.rule for note in got.notes)


@pytest.mark.parametrize(("span", "length"), [("1d", 1), ("1w", 5), ("1m", 21), ("6m", 126)])
def test_horizon_returns_of_daily_data(
    span: str, length: int, everything: Panel, monthly: Panel, daily: Panel
) -> None:
    mean, std = brute.horizon(monthly, daily, 252, length)
    agree(everything.values(f"ret_mean_{span}"), mean, **CLOSE)
    agree(everything.values(f"ret_std_{span}"), std, **CLOSE)


@pytest.mark.parametrize(("span", "length"), [("1m", 1), ("3m", 3), ("6m", 6)])
def test_horizon_returns_of_monthly_data(span: str, length: int, monthly: Panel) -> None:
    got = features.compute(monthly, [f"ret_mean_{span}", f"ret_std_{span}"])
    mean, std = brute.horizon(monthly, monthly, 12, length)
    agree(got.values(f"ret_mean_{span}"), mean, **CLOSE)
    agree(got.values(f"ret_std_{span}"), std, **CLOSE)
    assert any("the panel's own returns" in note.action for note in got.notes)


def test_market_liquidity(everything: Panel, monthly: Panel, daily: Panel) -> None:
    money = daily.wide("price") * daily.wide("volume")
    illiquidity = 1e6 * daily.wide("ret").abs() / money.where(money > 0)
    want = brute.daily_window_mean(monthly, illiquidity, 252)
    agree(everything.values("amihud"), want, **CLOSE)
    volume = daily.wide("volume")
    idle = volume.eq(0).astype(float).where(volume.notna())
    agree(
        everything.values("zero_trading_days"), brute.daily_window_mean(monthly, idle, 252), **CLOSE
    )
    shares = monthly.values("shares")
    with np.errstate(all="ignore"):
        want = brute.daily_window_mean(monthly, volume, 63) / np.where(shares > 0, shares, np.nan)
    agree(everything.values("turnover"), want, **CLOSE)


def test_a_daily_panel_is_its_own_daily_panel(daily: Panel) -> None:
    first = daily.between(None, "2004-08-31")
    got = features.compute(first, ["zero_trading_days", "momentum", "ret_std_1w"])
    volume = first.wide("volume")
    idle = volume.eq(0).astype(float).where(volume.notna())
    want = idle.rolling(252, min_periods=126).mean().to_numpy()
    rows = (first.date_codes, first.asset_codes)
    agree(got.values("zero_trading_days"), want[rows], rtol=1e-9, atol=1e-12)


def test_momentum_of_daily_data_is_counted_in_trading_days(daily: Panel) -> None:
    first = daily.between(None, "2004-10-29")
    got = features.compute(first, "momentum").values("momentum")
    wide = first.wide("ret")

    def value(t: int, asset: str) -> float:
        return brute.compound(brute.window_of(wide[asset].to_numpy(), t - 21, 231))

    agree(got, brute.by_row(first, value), **CLOSE)


def test_what_weeks_cannot_count() -> None:
    dates = pd.date_range("2019-01-04", periods=60, freq="W-FRI")
    panel = Panel(pd.DataFrame({"date": dates, "asset": "A", "ret": 0.01}))
    got = features.compute(panel, ["ret_mean_1w", "ret_mean_3m"])
    assert got.values("ret_mean_1w")[-1] == pytest.approx(0.01, rel=1e-12)
    assert got.values("ret_mean_3m")[-1] == pytest.approx(1.01**13 - 1, rel=1e-12)
    with pytest.raises(InputDataError, match="'11m', which weeks cannot count"):
        features.compute(panel, "momentum")


def test_quarterly_statements_are_counted_in_quarters() -> None:
    dates = pd.to_datetime(["2019-03-31", "2019-06-30", "2020-03-31", "2020-06-30"])
    frame = pd.DataFrame({"date": dates, "asset": "A", "total_assets": [1.0, 2.0, 4.0, 3.0]})
    got = features.compute(Panel(frame, freq="Q"), "asset_growth").values("asset_growth")
    np.testing.assert_array_equal(got, [np.nan, np.nan, 3.0, 0.5])


def test_only_what_was_asked_for_and_the_categories(monthly: Panel) -> None:
    got = features.compute(monthly, ["momentum", "leverage"])
    assert got.columns == ["exchange", "momentum", "leverage"]
    assert got.dates.equals(monthly.dates)
    assert got.index.equals(monthly.index)
    assert features.compute(monthly, "leverage").columns == ["exchange", "leverage"]


# ---- properties ------------------------------------------------------------------------------


def bits(panel: Panel, names: list[str] | None = None) -> dict[str, bytes]:
    return {n: panel.values(n).tobytes() for n in names or ALL}


def test_the_order_of_rows_changes_nothing(
    raw_monthly: pd.DataFrame, raw_daily: pd.DataFrame, everything: Panel
) -> None:
    shuffled = features.compute(
        raw_monthly.sample(frac=1, random_state=3),
        ALL[::-1],
        daily=raw_daily.sample(frac=1, random_state=4),
    )
    assert bits(shuffled) == bits(everything)


@pytest.mark.parametrize("cut", ["2003-09-30", "2004-12-31", "2006-02-28"])
def test_the_future_does_not_reach_the_past(
    cut: str, aged_monthly: Panel, raw_daily: pd.DataFrame
) -> None:
    raw_monthly = aged_monthly.frame.reset_index()
    everything = features.compute(aged_monthly, ALL, daily=raw_daily)
    rng = np.random.default_rng(9)

    def corrupt(frame: pd.DataFrame) -> pd.DataFrame:
        later = frame.date > cut
        frame = frame.drop(frame.index[later & (rng.random(len(frame)) < 0.2)])
        later = frame.date > cut
        numbers = frame.select_dtypes("number").columns
        frame.loc[later, numbers] = rng.normal(0, 1e6, (int(later.sum()), len(numbers)))
        return frame

    got = features.compute(
        Panel(corrupt(raw_monthly), freq="M"), ALL, daily=Panel(corrupt(raw_daily), freq="D")
    )
    assert bits(got.between(None, cut)) == bits(everything.between(None, cut))
    assert bits(got.between(cut, None)) != bits(everything.between(cut, None))


def test_the_company_of_other_assets_changes_nothing(monthly: Panel) -> None:
    names = ["momentum", "volatility", "asset_growth", "ret_std_6m", "leverage"]
    mine = monthly.asset_codes % 3 == 1
    alone = features.compute(monthly.where(mine), names)
    whole = features.compute(monthly, names).where(mine)
    assert bits(alone, names) == bits(whole, names)


# ---- what is missing is counted, what is wrong is named --------------------------------------


def test_divisions_by_zero_and_negatives_are_counted(monthly: Panel) -> None:
    got = features.compute(monthly, ["roe", "log_market_cap"])
    equity, cap = monthly.values("book_equity"), monthly.values("market_cap")
    notes = {note.rule: note for note in got.notes}
    zero, negative = (notes[f"roe: division by book_equity {x} 0"] for x in "=<")
    assert (zero.count, negative.count) == ((equity == 0).sum(), (equity < 0).sum())
    assert (zero.of, zero.stage, zero.action) == (len(monthly), "features", "left missing")
    row = int(np.argmax(equity == 0))
    date, asset = monthly.index[row]
    assert zero.first == f"date={date.date()}, asset={asset}"
    assert notes["log_market_cap: market_cap is not positive"].count == (cap <= 0).sum()
    missing = notes["roe: rows without a value"].count
    assert missing == np.isnan(got.values("roe")).sum() > zero.count + negative.count


def test_expenses_that_are_missing_in_part_are_counted(monthly: Panel) -> None:
    got = features.compute(monthly, "operating_profitability")
    items = monthly.frame[["cost_of_goods_sold", "sga", "interest_expense"]].isna().sum(axis=1)
    counted = [note.count for note in got.notes if note.action == "summed without"]
    assert counted == [((items > 0) & (items < 3)).sum()]


def test_a_sum_of_what_is_present_needs_one_of_its_fields(monthly: Panel) -> None:
    names = ["cash", "sales", "book_equity", "current_liabilities", "sga"]
    few = monthly.select(names)
    got = features.compute(few, ["cash_ratio", "operating_profitability"])
    with np.errstate(all="ignore"):
        want = brute.over(few.frame.cash, few.frame.current_liabilities)
    agree(got.values("cash_ratio"), want.to_numpy(), **EXACT)
    rules = [note.rule for note in got.notes]
    assert "cash_ratio: the panel has no short_term_investments" in rules
    assert "operating_profitability: the panel has no cost_of_goods_sold, interest_expense" in rules
    with pytest.raises(InputDataError, match="one or more of the fields 'cost_of_goods_sold'"):
        features.compute(few.select(names[:-1]), "operating_profitability")


def test_results_beyond_floating_point_are_missing_and_counted() -> None:
    frame = pd.DataFrame(
        {"date": ["2020-01-31"], "asset": ["A"], "sales": [1e300], "total_assets": [1e-300]}
    )
    got = features.compute(frame, "asset_turnover")
    assert np.isnan(got.values("asset_turnover")).all()
    assert "beyond the range of numbers" in str(got.notes[0])


def test_dates_after_the_daily_data_are_missing_and_counted(monthly: Panel, daily: Panel) -> None:
    got = features.compute(monthly, ["ret_mean_1d"], daily=daily)
    late = got.between("2007-01-01", None)
    assert np.isnan(late.values("ret_mean_1d")).all()
    stale = next(n for n in got.notes if "end too long before" in n.rule)
    assert (
        stale.count
        == (
            (monthly.index.get_level_values(0) < "2003-03-31")
            | (monthly.index.get_level_values(0) > "2006-10-31")
        ).sum()
    )
    assert any("the daily panel lacks" in n.rule for n in got.notes)


def test_notes_of_the_panel_are_kept(monthly: Panel, everything: Panel) -> None:
    assert everything.notes[: len(monthly.notes)] == monthly.notes


def test_unknown_names_are_listed_with_the_closest(monthly: Panel) -> None:
    with pytest.raises(ConfigError) as error:
        features.compute(monthly, ["levrage", "momentun", "leverage", "leverage", "zzz"])
    text = str(error.value)
    assert "Did you mean leverage" in text
    assert "Did you mean momentum" in text
    assert "'zzz'" in text
    assert "asked for once" in text


def test_no_names_at_all(monthly: Panel) -> None:
    with pytest.raises(ConfigError, match="At least one"):
        features.compute(monthly, [])


def test_missing_fields_name_characteristic_and_alternatives(monthly: Panel) -> None:
    few = monthly.select(["ret", "sales", "operating_income", "exchange", "current_assets"])
    with pytest.raises(InputDataError) as error:
        features.compute(few, ["operating_efficiency", "liquidity", "amihud", "ret_mean_1w"])
    text = str(error.value)
    assert "operating_efficiency needs the field 'cost_of_goods_sold' in the panel" in text
    assert "the panel can compute operating_expense_ratio" in text
    assert "liquidity needs the field 'current_liabilities'" in text
    assert "none of the family 'liquidity', but operating_expense_ratio" in text
    assert "amihud needs a daily panel; pass daily=" in text
    assert "ret_mean_1w looks back over '1w', which months cannot count; pass daily=" in text


def test_missing_fields_of_the_daily_panel(monthly: Panel, daily: Panel) -> None:
    with pytest.raises(InputDataError, match=r"amihud needs the field 'price' in the daily panel"):
        features.compute(monthly, ["amihud"], daily=daily.select(["ret", "volume"]))


def test_a_daily_panel_of_other_assets_or_frequency(monthly: Panel, daily: Panel) -> None:
    with pytest.raises(InputDataError, match="has daily dates"):
        features.compute(monthly, ["ret_mean_1d"], daily=monthly)
    other = daily.frame.reset_index()
    other["asset"] = "X" + other["asset"].astype(str)
    with pytest.raises(InputDataError, match="has assets of the panel"):
        features.compute(monthly, ["ret_mean_1d"], daily=other)


def test_categories_are_no_numbers(monthly: Panel) -> None:
    frame = monthly.frame.assign(sales="many")
    with pytest.raises(InputDataError, match="needs numbers in the field 'sales'"):
        features.compute(Panel(frame), ["asset_turnover"])


def test_two_dates_in_one_quarter() -> None:
    frame = pd.DataFrame(
        {"date": pd.to_datetime(["2019-01-31", "2019-03-31"]), "asset": "A", "total_assets": 1.0}
    )
    with pytest.raises(InputDataError, match="one date in each"):
        features.compute(Panel(frame, freq="Q"), "asset_growth")
