"""Dates mean one day, or are refused by name: in files, in tables, in panels and factors."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from alphastrata.core.factors import FactorReturns
from alphastrata.core.panel import Panel
from alphastrata.data import apply_lag, as_of, read_panel
from alphastrata.errors import InputDataError


def prices():
    dates = pd.date_range("2014-12-31", periods=6, freq="ME")
    return Panel(pd.DataFrame({"date": dates, "asset": "A", "ret": 0.01}))


def reports(**clocks):
    usual = {"period_end": "2014-12-31", "known_at": "2015-02-20"}
    return pd.DataFrame({"asset": ["A"], "sales": [7.0], **{**usual, **clocks}})


UNCLEAR = [
    (["2014"], "'2014'"),
    (["2014-12"], "'2014-12'"),
    (["03/07/2015"], "'03/07/2015'"),
    (["31.12.2014"], "'31.12.2014'"),
    (["2014-12-31 "], "'2014-12-31 '"),
    (["Dec 31 2014"], "'Dec 31 2014'"),
    ([""], "''"),
    (["2014-02-30"], "'2014-02-30'"),
    ([20141231], "20141231"),
    ([2014.0], r"2014\.0"),
    (np.array([dt.date(2014, 12, 31), 20141231], dtype=object)[1:], "20141231"),
    (["9999-12-31"], "'9999-12-31'"),
    (["2014-11-01T00:00:00-04:00"], "time zone"),
    (["2014-11-01T00:00:00Z"], "time zone"),
]


@pytest.mark.parametrize(("values", "words"), UNCLEAR)
@pytest.mark.parametrize("clock", ["period_end", "known_at"])
def test_statements_refuse_unclear_dates(clock, values, words):
    with pytest.raises(InputDataError, match=words) as caught:
        as_of(prices(), reports(**{clock: values}))
    assert clock in str(caught.value)
    assert "1 breaks this" in str(caught.value)


def test_an_integer_date_would_have_been_known_since_1970():
    """20141231 counted as nanoseconds: the statement was visible before it was written."""
    with pytest.raises(InputDataError, match="not numbers; 1 breaks this. First: 20150220"):
        as_of(prices(), reports(period_end=[20141231], known_at=[20150220]))
    with pytest.raises(InputDataError, match="not numbers"):
        apply_lag(pd.Series([20141231]), "4M")


@pytest.mark.parametrize(("values", "words"), UNCLEAR)
def test_panels_refuse_unclear_dates(values, words):
    with pytest.raises(InputDataError, match=words):
        Panel(pd.DataFrame({"date": values, "asset": "A", "ret": 0.0}))


@pytest.mark.parametrize(("values", "words"), UNCLEAR)
def test_factors_refuse_unclear_dates(values, words):
    with pytest.raises(InputDataError, match=words):
        FactorReturns(pd.DataFrame({"SMB": [0.01]}, index=pd.Index(values)), kind="excess")


def test_the_remedy_is_said():
    remedy = r"Write full ISO dates \(YYYY-MM-DD\), or parse them yourself .*dayfirst="
    with pytest.raises(InputDataError, match=remedy):
        Panel(pd.DataFrame({"date": ["03/07/2015"], "asset": "A", "ret": 0.0}))
    with pytest.raises(InputDataError, match=remedy):
        as_of(prices(), reports(known_at="03/07/2015"))


CLEAR = [
    ["2014-12-31"],
    ["20141231"],
    ["2014-12-31 00:00"],
    ["2014-12-31T00:00:00.000"],
    [dt.date(2014, 12, 31)],
    [dt.datetime(2014, 12, 31)],
    [pd.Timestamp("2014-12-31")],
    [np.datetime64("2014-12-31")],
    pd.period_range("2014Q4", periods=1, freq="Q"),
    pd.Categorical(["2014-12-31"]),
    pd.array(["2014-12-31"], dtype="string"),
    pd.Series(["2014-12-31"], dtype="datetime64[s]"),
]


@pytest.mark.parametrize("values", CLEAR, ids=[type(v).__name__ + str(v)[:24] for v in CLEAR])
def test_clear_dates_are_read(values):
    joined = as_of(prices(), reports(period_end=values))
    assert np.nanmin(joined.values("period_end_age")) == 59
    panel = Panel(pd.DataFrame({"date": values, "asset": "A", "ret": 0.0}))
    assert panel.dates[0] == pd.Timestamp("2014-12-31")
    factors = FactorReturns(pd.DataFrame({"SMB": [0.01]}, index=pd.Index(values)), kind="excess")
    assert factors.dates[0] == pd.Timestamp("2014-12-31")


def test_a_time_of_day_in_text_is_heeded():
    joined = as_of(prices(), reports(known_at="2015-02-28 17:30"))
    assert np.isfinite(joined.values("sales")).tolist() == [False, False, False, True, True, True]


@pytest.mark.parametrize("date", ["2014", "2014-12", "03/07/2015", "2014-11-01T00:00:00-04:00"])
def test_csv_files_refuse_unclear_dates(tmp_path, date):
    (tmp_path / "market.csv").write_text(f"date,asset,ret\n2015-01-31,A,0.1\n{date},A,0.1\n")
    with pytest.raises(InputDataError, match=r"market.csv: .*'date'.*1 breaks this") as caught:
        read_panel(tmp_path)
    assert repr(date) in str(caught.value)


def test_digits_in_a_csv_are_text_and_in_parquet_they_are_numbers(tmp_path):
    table = pd.DataFrame({"date": [20150131, 20150228], "asset": "A", "ret": 0.1})
    table.to_csv(tmp_path / "market.csv", index=False)
    assert str(read_panel(tmp_path).dates[0].date()) == "2015-01-31"
    (tmp_path / "market.csv").unlink()
    table.to_parquet(tmp_path / "market.parquet")
    with pytest.raises(InputDataError, match=r"market.parquet: .*not numbers; 2 break"):
        read_panel(tmp_path)


def test_mapped_dates_follow_the_declared_format_or_iso(tmp_path):
    toml = '[market]\nfiles="m.csv"\nasset="id"\ndate="day"\n%s[market.columns]\nret="r"\n'
    csv = tmp_path / "m.csv"
    csv.write_text("id,day,r\n1,2015,0.1\n1,2016,0.1\n")
    (tmp_path / "mapping.toml").write_text(toml % "")
    with pytest.raises(InputDataError, match=r"'2015'.*ISO"):
        read_panel(tmp_path)
    (tmp_path / "mapping.toml").write_text(toml % 'date_format="%Q"\n')
    with pytest.raises(InputDataError, match="date_format = '%Q'"):
        read_panel(tmp_path)
    csv.write_text("id,day,r\n1,31.01.2015,0.1\n1,28.02.2015,0.1\n")
    (tmp_path / "mapping.toml").write_text(toml % 'date_format="%d.%m.%Y"\n')
    assert len(read_panel(tmp_path)) == 2
    csv.write_text("id,day,r\n1,2015-03-07 00:00 -0500,0.1\n1,2015-03-09 00:00 -0400,0.1\n")
    (tmp_path / "mapping.toml").write_text(toml % 'date_format="%Y-%m-%d %H:%M %z"\n')
    with pytest.raises(InputDataError, match="'day'"):
        read_panel(tmp_path)
    pd.DataFrame({"id": "1", "day": [20150131, 20150228], "r": 0.1}).to_feather(tmp_path / "m.ftr")
    (tmp_path / "mapping.toml").write_text((toml % "").replace("m.csv", "m.ftr"))
    with pytest.raises(InputDataError, match="not numbers"):
        read_panel(tmp_path)


def test_layouts_with_numbers_for_dates_are_refused(tmp_path):
    pd.DataFrame(
        {"symbol": "A", "date": [20150131], "ret": 0.1, "close": 1.0, "volume": 1.0}
    ).to_parquet(tmp_path / "prices_daily.parquet")
    pd.DataFrame({"symbol": ["A"]}).to_parquet(tmp_path / "reports.parquet")
    with pytest.raises(InputDataError, match="'date' are dates, not numbers"):
        read_panel(tmp_path)
