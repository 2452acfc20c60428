"""Folders in, panels out: each layout's traps, and the round trip of a user's own files."""

import time

import numpy as np
import pandas as pd
import pytest

from alphastrata.core.panel import Panel
from alphastrata.data import as_of, french, health, read_panel, simulate_market, write_panel
from alphastrata.data.fields import field_map, rename_fields
from alphastrata.errors import ConfigError, InputDataError, LookAheadError


def note(panel, words):
    """The one note whose rule contains these words."""
    found = [n for n in panel.notes if words in n.rule]
    assert len(found) == 1, f"{words!r}: {[str(n) for n in panel.notes]}"
    return found[0]


# ---------------------------------------------------------------- canonical


@pytest.fixture(scope="module")
def market():
    return simulate_market(25, periods=18, seed=1)


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_round_trip_is_bit_for_bit(market, tmp_path, format):
    write_panel(market.panel, tmp_path, format=format)
    again = read_panel(tmp_path)
    assert again.freq == "M"
    assert again.columns == market.panel.columns
    for name in again.columns:
        if again.is_categorical(name):
            mine, theirs = (np.asarray(p.categorical(name)) for p in (again, market.panel))
            assert (mine == theirs).all()
        else:
            np.testing.assert_array_equal(again.values(name), market.panel.values(name))


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_statements_are_joined_as_known(market, tmp_path, format):
    own = market.panel.select(["ret", "price", "market_cap", "exchange"])
    write_panel(own, tmp_path, statements=market.statements, format=format)
    again = read_panel(tmp_path, max_age=None)
    want = as_of(own, market.statements)
    for name in ("sales", "total_assets", "known_age"):
        np.testing.assert_array_equal(again.values(name), want.values(name))


def test_identifiers_stay_strings(tmp_path):
    (tmp_path / "market.csv").write_text(
        "date,asset,ret,price\n2015-01-31,NA,0.01,\n2015-01-31,ON,0.02,5\n"
        "2015-01-31,00123E10,-0.03,6\n2015-02-28,NA,,7\n2015-02-28,TRUE,0.01,7\n"
    )
    panel = read_panel(tmp_path)
    assert list(panel.assets) == ["00123E10", "NA", "ON", "TRUE"]
    assert np.isnan(panel.wide("price").loc["2015-01-31", "NA"])
    assert np.isnan(panel.wide("ret").loc["2015-02-28", "NA"])


def test_text_columns_are_categories_unless_numbers_are_due(tmp_path):
    csv = tmp_path / "market.csv"
    csv.write_text("date,asset,ret,country\n20150131,A,0.1,US\n20150228,A,0.1,\n")
    panel = read_panel(tmp_path)
    assert panel.is_categorical("country")
    assert str(panel.dates[0].date()) == "2015-01-31"
    csv.write_text("date,asset,ret\n2015-01-31,A,US\n2015-02-28,A,\n")
    with pytest.raises(InputDataError, match="'US'"):
        read_panel(tmp_path)


def test_daily_rows_become_months(tmp_path):
    (tmp_path / "market.csv").write_text(
        "date,asset,ret,price\n"
        "2015-01-29,A,,100\n2015-01-30,A,0.10,110\n"
        "2015-02-02,A,0.10,121\n2015-02-03,A,-0.5,60.5\n2015-02-27,A,0.0,60.5\n"
        "2015-02-03,B,,9\n2015-02-27,B,0.1,9.9\n"
    )
    daily = read_panel(tmp_path, freq="D")
    assert daily.freq == "D"
    monthly = read_panel(tmp_path)
    assert [str(d.date()) for d in monthly.dates] == ["2015-01-31", "2015-02-28"]
    ret = monthly.wide("ret")
    assert np.isnan(ret.loc["2015-01-31", "A"])
    assert ret.loc["2015-02-28", "A"] == pytest.approx(1.1 * 0.5 - 1)
    assert np.isnan(ret.loc["2015-02-28", "B"])
    assert monthly.wide("price").loc["2015-02-28", "A"] == 60.5


def test_what_cannot_be_read_is_named(tmp_path, market):
    with pytest.raises(InputDataError, match="no folder"):
        read_panel(tmp_path / "absent")
    with pytest.raises(ConfigError, match="no layout"):
        read_panel(tmp_path)
    with pytest.raises(ConfigError, match="freq"):
        read_panel(tmp_path, freq="W")
    with pytest.raises(ConfigError, match="Unknown source"):
        read_panel(tmp_path, source="crsp")
    with pytest.raises(InputDataError, match="needs reports"):
        read_panel(tmp_path, source="pystock")
    with pytest.raises(ConfigError, match="called market"):
        read_panel(tmp_path, source="canonical")
    csv = tmp_path / "market.csv"
    csv.write_text("date,asset,ret\n2015-01-31,A,much\n2015-02-28,A,0.1\n")
    with pytest.raises(InputDataError, match="much"):
        read_panel(tmp_path)
    csv.write_text("date,asset,ret\nsoon,A,0.1\n2015-02-28,A,0.1\n")
    with pytest.raises(InputDataError, match="soon"):
        read_panel(tmp_path)
    csv.write_text("date,asset,ret\n1/2/2015,A,0.1\n2015-02-28,A,0.1\n")
    with pytest.raises(InputDataError, match="YYYY-MM-DD"):
        read_panel(tmp_path)
    csv.write_text("date,stock,ret\n2015-01-31,A,0.1\n2015-02-28,A,0.1\n")
    with pytest.raises(InputDataError, match="'asset'"):
        read_panel(tmp_path)
    csv.write_text("date,asset,ret\n2015-01-31,A,0.1\n2015-02-28,A,0.1\n")
    with pytest.raises(ConfigError, match='freq="M"'):
        read_panel(tmp_path, freq="D")
    market.panel.frame.reset_index().to_parquet(tmp_path / "market.parquet")
    with pytest.raises(ConfigError, match=r"market\.parquet and market\.csv"):
        read_panel(tmp_path)
    with pytest.raises(ConfigError, match="feather"):
        write_panel(market.panel, tmp_path, format="feather")


def test_statements_without_a_clock_need_a_lag(tmp_path, market):
    own = market.panel.select(["ret", "price"])
    undated = market.statements.drop(columns="known_at").drop_duplicates(["asset", "period_end"])
    write_panel(own, tmp_path, statements=undated)
    with pytest.raises(LookAheadError, match="lag"):
        read_panel(tmp_path)
    assert np.nanmin(read_panel(tmp_path, lag="6M").values("period_end_age")) >= 180


def test_integer_assets_meet_text_assets(market):
    dates = pd.date_range("2015-01-31", periods=3, freq="ME")
    panel = Panel(pd.DataFrame({"date": dates, "asset": 10107, "ret": 0.0}))
    table = pd.DataFrame(
        {"asset": [10107], "period_end": ["2014-12-31"], "known_at": ["2015-01-20"], "sales": 1.0}
    )
    assert as_of(panel, table).values("sales").tolist() == [1.0, 1.0, 1.0]


# ---------------------------------------------------------------- fields.csv


def test_every_field_maps_to_one_canonical_column():
    for source in ("nyse", "pystock"):
        table = field_map(source)
        assert not table["canonical"].duplicated().any()
        assert not table["vendor_field"].duplicated().any()
        assert set(table["kind"]) <= {"stock", "flow", "cash_flow", "meta", "check"}
        assert (table["scale"].isna() == (table["kind"] == "meta")).all()
    with pytest.raises(ConfigError, match="Choose from"):
        field_map("bloomberg")
    with pytest.raises(InputDataError, match="revenues"):
        rename_fields(pd.DataFrame({"symbol": [], "end_date": [], "archive_date": []}), "pystock")


# ---------------------------------------------------------------- nyse


def nyse_folder(tmp_path, rows, prices):
    """A folder in the layout, from the fields that matter; the others are one."""
    names = list(field_map("nyse")["vendor_field"])
    table = pd.DataFrame([{**dict.fromkeys(names, 1.0), **row} for row in rows])
    if "For Year" not in table:
        table["For Year"] = pd.to_datetime(table["Period Ending"]).dt.year
    table.to_csv(tmp_path / "fundamentals.csv.gz", index=False)
    tickers = table["Ticker Symbol"].unique()
    pd.DataFrame({"Ticker Symbol": tickers, "GICS Sector": "Energy"}).to_csv(
        tmp_path / "securities.csv", index=False
    )
    frame = pd.DataFrame(prices, columns=["Ticker", "Date", "Close", "Volume"])
    frame["Date"] = pd.to_datetime(frame["Date"])
    frame.to_parquet(tmp_path / "prices_daily.parquet")
    return tmp_path


def sessions(ticker, start="2013-01-02", n=250, close=10.0, volume=1000):
    return [(ticker, d, close, volume) for d in pd.bdate_range(start, periods=n)]


def test_nyse_needs_a_declared_lag(tmp_path):
    row = {"Ticker Symbol": "A", "Period Ending": "2012-12-31"}
    folder = nyse_folder(tmp_path, [row], sessions("A"))
    with pytest.raises(LookAheadError, match='lag="4M"'):
        read_panel(folder)


def test_nyse_traps(tmp_path):
    zero = {"Total Current Assets": 0, "Total Current Liabilities": 0, "Current Ratio": ""}
    rows = [
        {"Ticker Symbol": "NA", "Period Ending": "2012-12-31", "Capital Expenditures": -5.0,
         "Total Current Assets": 3.0, "Total Current Liabilities": 2.0, "Current Ratio": 150,
         "Estimated Shares Outstanding": 7.0, "Total Revenue": 4.0, "Gross Profit": 1.0,
         "Gross Margin": 25, "Equity Earnings/Loss Unconsolidated Subsidiary": 2.0},
        {"Ticker Symbol": "B", "Period Ending": "2012-12-31", "For Year": 1215, **zero,
         "Estimated Shares Outstanding": -3.0},
        {"Ticker Symbol": "B", "Period Ending": "2013-12-31", "For Year": 1215,
         "Cost of Revenue": 0, "Accounts Payable": 0, "Gross Profit": 0, "Operating Income": 0},
        {"Ticker Symbol": "GONE", "Period Ending": "2012-12-31"},
    ]  # fmt: skip
    rows = [{"For Year": 2012, **row} for row in rows]
    folder = nyse_folder(tmp_path, rows, sessions("NA", n=500) + sessions("B", n=500, close=2.0))
    panel = read_panel(folder, lag="4M")
    assert list(panel.assets) == ["B", "NA"]
    at = panel.at("2013-05-31")
    assert at.loc["NA", "capital_expenditures"] == 5.0
    assert at.loc["NA", "equity_in_net_loss"] == -2.0
    assert at.loc["NA", "market_cap"] == 70.0
    assert at.loc["NA", "industry"] == "Energy"
    assert np.isnan(panel.at("2013-03-31").loc["NA", "sales"])
    assert not np.isnan(panel.at("2013-04-30").loc["NA", "sales"])
    assert np.isnan(at.loc["B", ["current_assets", "current_liabilities", "shares"]]).all()
    later = panel.at("2014-05-31").loc["B"]
    empty = ["cost_of_goods_sold", "accounts_payable", "gross_profit", "operating_income"]
    assert np.isnan(later[empty].astype(float)).all()
    assert later["shares"] == 1.0
    assert note(panel, "For Year lies within").count == 2
    assert note(panel, "(asset, For Year)").count == 1
    assert note(panel, "Balance sheet split").first == "asset=B, period_end=2012-12-31"
    assert note(panel, "Cost of goods sold").count == 1
    assert note(panel, "has prices").count == 1
    assert note(panel, "survivorship-biased").count == 2
    assert note(panel, "current_ratio").count == 2  # the rows whose reported ratio is 0.01


def test_nyse_months_are_whole_and_start_with_a_close_before(tmp_path):
    row = {"Ticker Symbol": "A", "Period Ending": "2012-12-31"}
    rows = sessions("A", "2013-01-10", n=40)
    panel = read_panel(nyse_folder(tmp_path, [row], rows), lag="4M")
    assert [str(d.date()) for d in panel.dates] == ["2013-01-31", "2013-02-28"]
    assert np.isnan(panel.values("ret")[0])
    assert panel.values("ret")[1] == 0.0
    assert note(panel, "A month is whole").count == 1


@pytest.mark.realdata
def test_nyse_as_it_is(real_data):
    begin = time.process_time()
    panel = read_panel(real_data / "nyse", lag="4M")
    daily = read_panel(real_data / "nyse", lag="4M", freq="D")
    assert time.process_time() - begin < 10
    assert len(daily) == 738_407
    assert len(panel.assets) == 440
    assert note(panel, "For Year lies within").count == 1
    assert note(panel, "(asset, For Year)").count == 41
    assert note(panel, "Balance sheet split").count == 299
    assert note(panel, "misplaced").count == 4
    assert panel.values("known_age")[np.isfinite(panel.values("known_age"))].min() >= 0
    assert np.nanmin(panel.values("period_end_age")) >= 120
    report = health(daily)
    assert report.ok
    assert report["jumps"].count == 0
    assert report["survivorship"].count == 1


@pytest.mark.realdata
@pytest.mark.parametrize(("layout", "least"), [("nyse", 0.97), ("pystock", 0.97)])
def test_value_weighted_returns_follow_the_market(real_data, layout, least):
    """An independent check of returns, shares and dates: Fama and French's market return."""
    panel = read_panel(real_data / layout, lag="4M" if layout == "nyse" else None)
    weight, ret = panel.wide("market_cap").shift(), panel.wide("ret")
    ok = weight.notna() & ret.notna()
    mine = (ret * weight).where(ok).sum(axis=1) / weight.where(ok).sum(axis=1)
    file = french(real_data / "french/v202412/F-F_Research_Data_5_Factors_2x3_CSV.zip")
    market = file.frame["Mkt-RF"] + file.risk_free
    both = pd.concat([mine[ok.sum(axis=1) > 300], market], axis=1, join="inner").dropna()
    assert len(both) > 20
    assert both.corr().iloc[0, 1] > least
    assert abs((both.iloc[:, 0] - both.iloc[:, 1]).mean()) < 0.003


# ---------------------------------------------------------------- pystock

REPORT = {
    "amend": "False", "fiscal_year": 2015, "doc_type": "10-K", "period_focus": "FY",
    "revenues": 100e6, "op_income": 20e6, "net_income": 10e6, "eps_basic": 1.0, "eps_diluted": 1.0,
    "dividend": 0.0, "assets": 200e6, "cur_assets": 60e6, "cur_liab": 30e6, "cash": 5e6,
    "equity": 80e6, "cash_flow_op": 12e6, "cash_flow_inv": -4e6, "cash_flow_fin": -6e6,
}  # fmt: skip


def pystock_folder(tmp_path, reports, prices):
    table = pd.DataFrame([{**REPORT, **row} for row in reports])
    for name in ("end_date", "archive_date"):
        table[name] = pd.to_datetime(table[name])
    table.to_parquet(tmp_path / "reports.parquet")
    frame = pd.DataFrame(prices, columns=["symbol", "date", "close", "volume", "ret"])
    frame["date"] = pd.to_datetime(frame["date"])
    frame.to_parquet(tmp_path / "prices_daily.parquet")
    return tmp_path


def quiet(symbol, n=120, start="2016-01-04", close=10.0):
    return [(symbol, d, close, 1000, 0.0) for d in pd.bdate_range(start, periods=n)]


def report(symbol, end, archived, **more):
    return {"symbol": symbol, "end_date": end, "archive_date": archived, **more}


def test_pystock_statements(tmp_path):
    reports = [
        report("A", "2015-12-31", "2016-02-15"),
        report("A", "2015-12-31", "2016-02-15", amend="True", assets=210e6),  # same day, amended
        report("A", "2016-03-31", "2016-04-20", doc_type="10-Q", period_focus="Q1",
               revenues=30e6, cash_flow_op=2e6, net_income=3e6, eps_diluted=0.3),
        report("A", "2015-12-31", "2016-05-10", amend="True", revenues=1.0),  # an old period
        report("B", "2016-03-31", "2016-04-20", doc_type="10-Q", period_focus="Q2",
               revenues=30e6, cash_flow_op=8e6, eps_diluted=0.01),
        report("B", "2016-12-31", "2016-02-29"),  # known before its period ends
        report("C", "2015-06-30", "2016-02-01", fiscal_year=29953000, cur_assets=9e9),
    ]  # fmt: skip
    folder = pystock_folder(tmp_path, reports, [r for s in "ABC" for r in quiet(s)])
    panel = read_panel(folder)
    first, second = panel.at("2016-02-29"), panel.at("2016-04-30")
    assert first.loc["A", "total_assets"] == 210e6
    assert first.loc["A", "total_liabilities"] == 130e6
    assert first.loc["A", "market_cap"] == 10 * 10e6
    assert first.loc["A", "net_cash_flow"] == pytest.approx(2e6)
    assert second.loc["A", "sales"] == 100e6  # the 10-Q carries the flows of the 10-K
    assert second.loc["A", "period_end_age"] == 30
    assert second.loc["B", "sales"] == 120e6  # no 10-K known: the quarter times four
    assert second.loc["B", "operating_cash_flow"] == 16e6  # half a year times two
    assert np.isnan(second.loc["B", "shares"])  # an EPS of a cent says nothing about shares
    assert panel.at("2016-05-31").loc["A", "period_end_age"] == 61  # the old period stays hidden
    assert np.isnan(first.loc["C", "total_assets"])
    assert note(panel, "archived after its period").count == 1
    assert note(panel, "within 180 days").count == 1
    assert note(panel, "fiscal year").count == 1
    assert note(panel, "(asset, period end, archive date)").count == 1
    assert note(panel, "amended").count == 2
    assert note(panel, "no 10-K").count == 1


def test_pystock_implied_shares_are_guarded_and_carried(tmp_path):
    ends = ["2014-12-31", "2015-03-31", "2015-06-30", "2015-09-30", "2015-12-31"]
    known = ["2016-01-05", "2016-02-05", "2016-03-04", "2016-04-05", "2016-05-05"]
    eps = [1.0, 0.02, 0.0001 * 1000, 1.0, 1.0]
    income = [10e6, 10e6, 40e6, 90e6, 91e6]
    reports = [
        report("A", e, k, eps_diluted=p, net_income=i)
        for e, k, p, i in zip(ends, known, eps, income, strict=True)
    ]
    panel = read_panel(pystock_folder(tmp_path, reports, quiet("A", n=110)))
    shares = panel.wide("shares")["A"].tolist()
    # 10m; a tiny EPS; 400m and 90m are jumps that nothing repeats; then 91m repeats 90m.
    assert shares == [10e6, 10e6, 10e6, 10e6, 91e6]
    assert note(panel, "factor of 3").count == 2


def test_pystock_splits_move_shares_and_not_market_cap(tmp_path):
    days = pd.bdate_range("2016-01-04", periods=60)
    prices = [("A", d, 10.0 if i < 30 else 100.0, 1000, 0.0) for i, d in enumerate(days)]
    folder = pystock_folder(tmp_path, [report("A", "2015-12-31", "2016-01-08")], prices)
    panel = read_panel(folder, freq="D")
    cap = panel.wide("market_cap")["A"].dropna()
    np.testing.assert_allclose(cap, 100e6)
    assert panel.values("shares")[-1] == pytest.approx(1e6)


@pytest.mark.realdata
def test_pystock_as_it_is(real_data):
    begin = time.process_time()
    panel = read_panel(real_data / "pystock")
    daily = read_panel(real_data / "pystock", freq="D")
    assert time.process_time() - begin < 10
    assert len(daily) > 1_000_000
    assert note(panel, "archived after its period").count == 2
    assert note(panel, "within 180 days").count == 95
    assert note(panel, "amended").count == 149
    assert note(panel, "+1000%").first == "date=2015-07-28, asset=NK"
    stops = note(panel, "delisting return is unknown")
    assert stops.count == 325
    assert str(stops).startswith("Some assets stop trading before the files end, and their delist")
    assert np.nanmax(daily.values("ret")) < 10
    assert health(daily).ok
    for p in (panel, daily):
        assert not [n for n in p.columns if n.startswith("_")]


def test_shuffled_files_give_the_same_bits(tmp_path):
    reports = [report(s, e, k) for s in "AB" for e, k in
               [("2014-12-31", "2015-12-01"), ("2015-12-31", "2016-02-15"),
                ("2015-12-31", "2016-02-15")]]  # fmt: skip
    for i, row in enumerate(reports):
        row["assets"] = 200e6 + i
    prices = [r for s in "AB" for r in quiet(s)]
    prices.append(("A", "2016-02-01", 11.0, 50, 0.1))  # twice on that day
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    rng = np.random.default_rng(0)
    first = read_panel(pystock_folder(one, reports, prices))
    shuffled = [reports[i] for i in rng.permutation(len(reports))]
    moved = [prices[i] for i in rng.permutation(len(prices))]
    second = read_panel(pystock_folder(two, shuffled, moved))
    pd.testing.assert_frame_equal(first.frame, second.frame, check_exact=True)
