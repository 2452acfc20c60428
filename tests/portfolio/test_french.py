"""The factors against an independent construction: dictionaries and loops, no shared code."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import Panel
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio import crsp_compustat, fama_french, prior_return
from alphastrata.portfolio.definitions import book_equity, investment, operating_profitability


def statements_by_hand(table: pd.DataFrame, definitions: str) -> dict:
    """{(gvkey, calendar year): (be, op, inv)}, the last fiscal year end of a calendar year."""
    assets, out = {}, {}
    ordered = table.sort_values("datadate")
    for row in ordered.itertuples():
        assets[row.gvkey, row.datadate.year] = row.at
    for row in ordered.itertuples():
        year = row.datadate.year
        if definitions == "table":
            out[row.gvkey, year] = (row.be, row.op, row.inv)
            continue
        equity = row.seq
        if equity != equity:
            equity = row.ceq + row.pstk
        if equity != equity:
            equity = row.at - row.lt
        tax = row.txditc if row.txditc == row.txditc else row.txdb + row.itcb
        tax = tax if year < 1993 and tax == tax else 0.0
        preferred = next((x for x in (row.pstkrv, row.pstkl, row.pstk) if x == x), 0.0)
        be = equity + tax - preferred
        costs = [x for x in (row.cogs, row.xsga, row.xint) if x == x]
        op = (row.sale - sum(costs)) / be if costs and be > 0 else np.nan
        before = assets.get((row.gvkey, year - 1), np.nan)
        out[row.gvkey, year] = (be, op, row.at / before - 1.0)
    return out


def factors_by_hand(crsp, compustat, definitions, universe, ret):
    books = statements_by_hand(compustat, definitions)
    month_of = crsp["date"].dt.year * 12 + crsp["date"].dt.month - 1
    rows = {
        (m, p): (r, cap, x == "NYSE", g)
        for m, p, r, cap, x, g in zip(
            month_of, crsp["permno"], crsp[ret], crsp["mktcap"], crsp["exchange"], crsp["gvkey"]
        )
    }
    months = sorted(set(month_of))
    by_month: dict = {}
    for (m, p), row in rows.items():
        by_month.setdefault(m, {})[p] = row
    out: dict = {name: {} for name in ("SMB", "HML", "RMW", "CMA", "Mom")}

    def groups(size, char, nyse):
        big = np.median([size[p] for p in size if nyse[p]])
        low, high = np.quantile([char[p] for p in char if nyse[p]], [0.3, 0.7])
        return {
            p: (int(size[p] >= big), int(char[p] >= low) + int(char[p] >= high))
            for p in char
            if p in size
        }

    def cells(labels, m):
        total: dict = {}
        for p, cell in labels.items():
            before, now = by_month[m - 1].get(p), by_month[m].get(p)
            if before is None or now is None or not before[1] > 0 or now[0] != now[0]:
                continue
            part = total.setdefault(cell, [0.0, 0.0])
            part[0] += before[1] * now[0]
            part[1] += before[1]
        return {cell: a / b for cell, (a, b) in total.items()}

    june: dict = {}
    for m in months[1:]:
        before = m - 1
        if before % 12 == 5:
            year = before // 12
            now = by_month[before]
            size = {p: row[1] for p, row in now.items() if row[1] == row[1]}
            nyse = {p: row[2] for p, row in now.items()}
            chars: dict = {"HML": {}, "RMW": {}, "CMA": {}}
            for p, row in now.items():
                be, op, inv = books.get((row[3], year - 1), (np.nan,) * 3)
                december = rows.get(((year - 1) * 12 + 11, p), (0, np.nan))[1]
                bm = be / december if be > 0 and december > 0 else np.nan
                op = op if be > 0 else np.nan
                values = {"HML": bm, "RMW": op, "CMA": inv}
                whole = all(v == v for v in values.values())
                for name, v in values.items():
                    if v == v and (whole or universe == "each"):
                        chars[name][p] = v
            june = {}
            for name, char in chars.items():
                if sum(nyse[p] for p in char) >= 3:
                    june[name] = groups(size, char, nyse)
        sizes = []
        for name, labels in june.items():
            c = cells(labels, m)
            spread = (c[0, 2] + c[1, 2]) / 2 - (c[0, 0] + c[1, 0]) / 2
            out[name][m] = -spread if name == "CMA" else spread
            sizes.append(sum(c[0, k] - c[1, k] for k in range(3)) / 3)
        if len(sizes) == 3:
            out["SMB"][m] = sum(sizes) / 3
        prior = {}
        for p in by_month[before]:
            recent = rows.get((m - 2, p))
            if (m - 13, p) not in rows or recent is None or recent[0] != recent[0]:
                continue
            growth = 1.0
            for j in range(12, 1, -1):
                r = rows.get((m - j, p), (np.nan,))[0]
                growth *= 1.0 + r if r == r else 1.0
            prior[p] = growth - 1.0
        now = by_month[before]
        nyse = {p: row[2] for p, row in now.items()}
        if sum(nyse[p] for p in prior) >= 3:
            c = cells(groups({p: row[1] for p, row in now.items()}, prior, nyse), m)
            out["Mom"][m] = (c[0, 2] + c[1, 2]) / 2 - (c[0, 0] + c[1, 0]) / 2
    return out


@pytest.mark.realdata
@pytest.mark.parametrize("definitions", ["table", "french"])
@pytest.mark.parametrize(
    ("edition", "universe", "ret"),
    [("clean", "joint", "ret"), ("holes", "each", "ret_excess"), ("holes", "joint", "ret_excess")],
)
def test_factors_equal_an_independent_construction(real_data, edition, universe, ret, definitions):
    folder = real_data / "crsp_compustat_pseudo"
    crsp = pd.read_parquet(folder / f"{edition}_crsp_monthly.parquet")
    compustat = pd.read_parquet(folder / f"{edition}_compustat_annual.parquet")
    panel = crsp_compustat(crsp, compustat, definitions=definitions)
    got = fama_french(panel, universe=universe, ret=ret).frame
    want = factors_by_hand(crsp, compustat, definitions, universe, ret)
    for name, series in want.items():
        column = got[name].dropna()
        assert len(column) == len(series) > 150
        months = column.index.year * 12 + column.index.month - 1
        other = np.array([series[m] for m in months])
        assert np.abs(column.to_numpy() - other).max() < 1e-12, name


@pytest.mark.realdata
def test_a_security_takes_the_statements_of_the_company_it_has_in_june(real_data):
    """Links change: from some date on a third of the securities belong to other companies."""
    folder = real_data / "crsp_compustat_pseudo"
    crsp = pd.read_parquet(folder / "holes_crsp_monthly.parquet")
    compustat = pd.read_parquet(folder / "holes_compustat_annual.parquet")
    middle = crsp["date"].sort_values().iloc[len(crsp) // 2]
    some = np.sort(crsp["permno"].unique())[::3]
    other = dict(zip(some, np.roll(crsp.groupby("permno")["gvkey"].last()[some], 1), strict=True))
    moved = (crsp["date"] > middle) & crsp["permno"].isin(some)
    crsp.loc[moved, "gvkey"] = crsp.loc[moved, "permno"].map(other)
    crsp.loc[(crsp["date"] > middle) & crsp["permno"].isin(some[:20]), "gvkey"] = None
    got = fama_french(crsp_compustat(crsp, compustat)).frame
    want = factors_by_hand(crsp, compustat, "french", "joint", "ret")
    for name, series in want.items():
        column = got[name].dropna()
        months = column.index.year * 12 + column.index.month - 1
        assert len(column) == len(series)
        other = np.array([series[m] for m in months])
        assert np.abs(column.to_numpy() - other).max() < 1e-12, name


@pytest.mark.realdata
def test_table_definitions_agree_with_the_items(real_data):
    compustat = pd.read_parquet(
        real_data / "crsp_compustat_pseudo" / "clean_compustat_annual.parquet"
    )
    book = book_equity(compustat, deferred_taxes_before=2100)
    np.testing.assert_allclose(book, compustat["be"], rtol=1e-12)
    np.testing.assert_allclose(
        operating_profitability(compustat, compustat["be"]), compustat["op"], atol=1e-11
    )
    np.testing.assert_allclose(investment(compustat), compustat["inv"], atol=1e-12)


def test_book_equity_falls_back_item_by_item():
    table = pd.DataFrame(
        {
            "datadate": pd.to_datetime(["1990-12-31"] * 4),
            "seq": [np.nan, np.nan, 10.0, np.nan],
            "ceq": [8.0, np.nan, 9.0, np.nan],
            "pstk": [1.0, np.nan, 1.0, np.nan],
            "at": [np.nan, 30.0, 30.0, np.nan],
            "lt": [np.nan, 18.0, 18.0, np.nan],
            "txditc": [np.nan, 2.0, np.nan, 1.0],
            "txdb": [0.5, 9.0, np.nan, 1.0],
            "itcb": [0.25, 9.0, 1.0, 1.0],
            "pstkl": [np.nan, 3.0, np.nan, 1.0],
        }
    )
    assert book_equity(table).fillna(-1).tolist() == [8 + 1 + 0.75 - 1, 12 + 2 - 3, 10 - 1, -1]
    later = table.assign(datadate=pd.Timestamp("1993-01-31"))
    assert book_equity(later).fillna(-1).tolist() == [8.0, 9.0, 9.0, -1]


def test_profitability_needs_revenues_one_cost_and_positive_book():
    table = pd.DataFrame(
        {"sale": [10.0, 10, np.nan, 10], "cogs": [np.nan, np.nan, 1, 5], "xint": [1.0, None, 1, 1]}
    )
    got = operating_profitability(table, pd.Series([10.0, 10, 10, -1]))
    assert got.fillna(-9).tolist() == [0.9, -9, -9, -9]


def test_the_last_fiscal_year_end_of_a_calendar_year_counts():
    table = pd.DataFrame(
        {
            "gvkey": "1",
            "datadate": pd.to_datetime(["2000-03-31", "2000-12-31", "2001-12-31", "2003-12-31"]),
            "at": [50.0, 100.0, 120.0, 150.0],
        }
    )
    assert investment(table).round(6).fillna(-1).tolist() == [-1, -1, 0.2, -1]


def test_momentum_skips_a_month_and_asks_for_a_price():
    dates = pd.date_range("2020-01-31", periods=14, freq="ME")
    rng = np.random.default_rng(0)
    ret = rng.normal(size=14) / 10
    panel = Panel(pd.DataFrame({"date": dates, "asset": "A", "ret": ret}))
    got = prior_return(panel)
    assert np.isnan(got[:12]).all()
    assert got[12] == pytest.approx(np.prod(1 + ret[1:12]) - 1, abs=1e-15)
    gap = panel.assign({"ret": np.where(np.arange(14) == 5, np.nan, ret)})
    assert prior_return(gap)[12] == pytest.approx(got[12] / (1 + ret[5]) - ret[5] / (1 + ret[5]))
    stale = panel.assign({"ret": np.where(np.arange(14) == 11, np.nan, ret)})
    assert np.isnan(prior_return(stale)[12])


def test_what_cannot_be_is_said(market):
    with pytest.raises(ConfigError, match="SMB"):
        fama_french(market, factors=["QMJ"])
    with pytest.raises(InputDataError, match="book_equity"):
        fama_french(market)


@pytest.mark.realdata
def test_order_names_and_units_change_no_bit(real_data):
    folder = real_data / "crsp_compustat_pseudo"
    crsp = pd.read_parquet(folder / "holes_crsp_monthly.parquet")
    compustat = pd.read_parquet(folder / "holes_compustat_annual.parquet")
    whole = fama_french(crsp_compustat(crsp, compustat)).frame
    shuffled = crsp.sample(frac=1.0, random_state=0), compustat.sample(frac=1.0, random_state=1)
    assert fama_french(crsp_compustat(*shuffled)).frame.equals(whole)
    names = crsp["permno"].unique()
    new = dict(zip(names, np.random.default_rng(2).permutation(names), strict=True))
    renamed = crsp.assign(permno=crsp["permno"].map(new))
    assert fama_french(crsp_compustat(renamed, compustat)).frame.equals(whole)
    panel = crsp_compustat(crsp, compustat)
    money = {name: panel.values(name) / 1024.0 for name in ("market_cap", "book_equity")}
    scaled = panel.assign(money)
    assert fama_french(scaled).frame.equals(whole)
