"""Text where numbers belong, statements without prices, and numbers that cannot be."""

import warnings

import numpy as np
import pandas as pd
import pytest

from alphastrata.core.panel import Panel
from alphastrata.data import as_of, health, read_panel, simulate_market
from alphastrata.data.numbers import canonical_numbers
from alphastrata.errors import InputDataError


def prices(assets=("A", "B")):
    dates = pd.date_range("2015-01-31", periods=4, freq="ME")
    index = pd.MultiIndex.from_product([dates, assets], names=["date", "asset"])
    return Panel(pd.DataFrame({"ret": 0.01}, index=index))


def reports(asset=("A", "B"), **columns):
    clocks = {"period_end": "2014-12-31", "known_at": "2015-02-20"}
    return pd.DataFrame({"asset": list(asset), **clocks, **columns})


def folder(tmp_path, market="", statements=""):
    (tmp_path / "market.csv").write_text(
        market or "date,asset,ret\n2015-01-31,A,0.1\n2015-02-28,A,0.1\n2015-01-31,B,0.2\n"
    )
    if statements:
        (tmp_path / "statements.csv").write_text(statements)
    return tmp_path


def note(panel, words):
    found = [n for n in panel.notes if words in n.rule]
    assert len(found) == 1, f"{words!r}: {[str(n) for n in panel.notes]}"
    return found[0]


# ---------------------------------------------------------------- text for numbers


@pytest.mark.parametrize("text", ["n/a", "-", '"1,000"', "(5)", "$7"])
def test_a_canonical_field_of_text_is_refused(tmp_path, text):
    head = "asset,period_end,known_at,sales\n"
    rows = f"A,2014-12-31,2015-01-20,{text}\nB,2014-12-31,2015-01-20,{text}\n"
    with pytest.raises(InputDataError, match=r"statements.csv: .*'sales'.*2 break") as caught:
        read_panel(folder(tmp_path, statements=head + rows))
    assert text.strip('"') in str(caught.value)
    assert "thousands separators" in str(caught.value)


def test_a_canonical_field_of_text_in_a_frame_is_refused():
    with pytest.raises(InputDataError, match=r"'sales'.*1 breaks this. First: '1,000'"):
        as_of(prices(), reports(sales=["1,000", "5"]))
    with pytest.raises(InputDataError, match="'total_assets'"):
        as_of(prices(), reports(sales=1.0, total_assets=["-", "-"]))


def test_empty_fields_are_missing_and_numbers_as_text_are_numbers(tmp_path):
    joined = as_of(prices(), reports(sales=["", "5"], total_assets=[None, " 7.5"]))
    assert joined.at("2015-04-30")["sales"].tolist()[1] == 5.0
    assert joined.at("2015-04-30")["total_assets"].tolist()[1] == 7.5
    assert np.isnan(joined.at("2015-04-30").loc["A", ["sales", "total_assets"]].astype(float)).all()
    rows = "asset,period_end,known_at,sales\nA,2014-12-31,2015-01-20,\nB,2014-12-31,2015-01-20,\n"
    assert np.isnan(read_panel(folder(tmp_path, statements=rows)).values("sales")).all()


def test_canonical_numbers_of_the_market_are_refused_as_categories(tmp_path):
    table = pd.DataFrame({"date": ["2015-01-31", "2015-02-28"], "asset": "A", "ret": ["n/a", "-"]})
    table.to_parquet(tmp_path / "market.parquet")
    with pytest.raises(InputDataError, match=r"'ret'.*2 break this. First: 'n/a'"):
        read_panel(tmp_path)


def test_a_mapped_canonical_field_of_text_is_refused(tmp_path):
    (tmp_path / "m.csv").write_text("id,day,r,mood\n1,2015-01-31,n/a,up\n1,2015-02-28,n/a,down\n")
    (tmp_path / "mapping.toml").write_text(
        '[market]\nfiles="m.csv"\nasset="id"\ndate="day"\n[market.columns]\nret="r"\nmood="mood"\n'
    )
    with pytest.raises(InputDataError, match="'r' must be a number.*'n/a'"):
        read_panel(tmp_path)


def test_other_text_columns_are_left_out_and_counted():
    joined = as_of(prices(), reports(sales=1.0, auditor=["X", "Y"], form=["10-K", "10-Q"]))
    left = note(joined, "statement column holds numbers")
    assert (left.count, left.of, left.first) == (2, 3, "auditor")
    assert "auditor" not in joined.columns


def test_canonical_numbers_are_those_that_statements_carry():
    market = simulate_market(5, periods=3)
    carried = set(market.statements.columns) - {"asset", "period_end", "known_at"}
    assert carried <= canonical_numbers()
    assert not canonical_numbers() & {"asset", "date", "exchange", "industry"}


# ---------------------------------------------------------------- assets


def test_statements_without_prices_are_counted():
    joined = as_of(prices(), reports(("A", "Z", "Y"), sales=1.0))
    gone = note(joined, "has prices")
    assert (gone.count, gone.of, gone.first) == (2, 3, "asset=Y")


@pytest.mark.parametrize(
    ("market", "statements"), [("A", " A"), (10107, "10107.0"), ("10107", 10107.0), ("a", "A")]
)
def test_no_asset_in_common_is_an_error_that_names_both(market, statements):
    with pytest.raises(InputDataError, match="none of 1 assets") as caught:
        as_of(prices((market,)), reports((statements,), sales=1.0))
    assert repr(str(market)) in str(caught.value)
    assert repr(str(statements)) in str(caught.value)


def test_a_repeated_column_is_refused_by_name(tmp_path):
    rows = "asset,period_end,known_at,sales,sales\nA,2014-12-31,2015-01-20,1,2\n"
    with pytest.raises(InputDataError, match=r"statements.csv: .*once in the header.*'sales'"):
        read_panel(folder(tmp_path, statements=rows))
    twice = reports(sales=1.0)
    twice.insert(3, "sales", 2.0, allow_duplicates=True)
    with pytest.raises(InputDataError, match="once; 1 breaks this. First: 'sales'"):
        as_of(prices(), twice)


# ---------------------------------------------------------------- impossible numbers


def market_csv(tmp_path, **columns):
    dates = pd.date_range("2015-01-31", periods=4, freq="ME").strftime("%Y-%m-%d")
    usual = {"date": dates, "asset": "A", "ret": 0.01, "price": 10.0, "market_cap": 5.0}
    pd.DataFrame({**usual, **columns}).to_csv(tmp_path / "market.csv", index=False)
    return read_panel(tmp_path)


def test_a_plain_market_has_no_notes(tmp_path):
    assert market_csv(tmp_path).notes == ()


def test_returns_below_minus_one_are_set_missing_and_counted(tmp_path):
    panel = market_csv(tmp_path, ret=[0.1, -1.5, -1.0, 0.2])
    found = note(panel, "No return is below -100%")
    assert (found.count, found.of, found.first) == (1, 4, "date=2015-02-28, asset=A")
    assert "set missing in ret" in str(found)
    np.testing.assert_array_equal(panel.values("ret"), [0.1, np.nan, -1.0, 0.2])


def test_impossible_returns_go_before_days_are_compounded(tmp_path):
    days = pd.bdate_range("2015-01-01", "2015-02-27")
    ret = np.where(np.arange(len(days)) == 30, -3.0, 0.001)
    pd.DataFrame({"date": days, "asset": "A", "ret": ret, "price": 10.0}).to_parquet(
        tmp_path / "market.parquet"
    )
    panel = read_panel(tmp_path)
    assert note(panel, "No return is below -100%").count == 1
    assert not (panel.values("ret") < -1).any()


def test_market_caps_below_zero_are_set_missing_and_prices_noted(tmp_path):
    panel = market_csv(tmp_path, price=[10.0, -10.0, 10.0, 0.0], market_cap=[5.0, -5.0, 5.0, 5.0])
    found = note(panel, "No market cap is below zero")
    assert (found.count, found.first) == (1, "date=2015-02-28, asset=A")
    np.testing.assert_array_equal(panel.values("market_cap"), [5.0, np.nan, 5.0, 5.0])
    assert note(panel, "Prices are positive").count == 2


def test_returns_in_per_cent_are_noted(tmp_path):
    panel = market_csv(tmp_path, ret=[1.2, -0.9, 3.1, 0.8])
    found = note(panel, "returns are decimals")
    assert found.count == 4
    assert "Divide the returns by 100" in str(found)


def test_dates_in_the_future_are_noted(tmp_path):
    this = pd.Timestamp.now().normalize() + pd.offsets.MonthEnd(0)
    dates = [str((this + pd.offsets.MonthEnd(i)).date()) for i in (-2, -1, 0, 1)]
    panel = market_csv(tmp_path, date=dates)
    found = note(panel, "No date lies in the future")
    assert (found.count, found.first) == (1, f"date={dates[3]}, asset=A")
    assert health(panel)["future dates"].count == 1


@pytest.mark.parametrize("stray", ["1915-01-31", "2005-12-31"])
def test_a_calendar_that_is_empty_at_an_end_is_noted(tmp_path, stray):
    dates = ["2015-01-31", "2015-02-28", "2015-03-31", stray]
    panel = market_csv(tmp_path, date=dates)
    found = note(panel, "100 months without rows")
    assert (found.count, found.of, found.first) == (1, 4, f"date={stray}, asset=A")
    near = tmp_path / "near"
    near.mkdir()
    assert market_csv(near, date=[*dates[:3], "2006-12-31"]).notes == ()


def test_notes_come_once_and_nothing_warns(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        panel = market_csv(tmp_path, ret=[0.1, -1.5, 0.1, 0.2])
    assert len(panel.notes) == 1
