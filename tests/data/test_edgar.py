"""EDGAR: companyfacts against a simulated company whose truth is known, and a local SEC."""

from __future__ import annotations

import json
import zipfile
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alphastrata.core.panel import Panel
from alphastrata.data.asof import as_of
from alphastrata.data.edgar import Statements, edgar, edgar_bulk, edgar_tickers, fetch_edgar
from alphastrata.data.edgar_facts import CompanyFacts, edgar_tags, parse_companyfacts, point_in_time
from alphastrata.data.sessions import next_session
from alphastrata.data.store import Store
from alphastrata.errors import ConfigError, InputDataError, OfflineError, SourceError

AGENT = "Ann Smith ann@example.org"
TAGS = {
    "NetIncomeLoss": "income",
    "SalesRevenueNet": "income",
    "NetCashProvidedByUsedInOperatingActivities": "cash",
}


class Company:
    """A company with fiscal quarters of 13 weeks, filing 10-Qs and 10-Ks as companies do."""

    def __init__(self, cik: int, years: int = 5, seed: int = 0) -> None:
        self.cik = cik
        generator = np.random.default_rng(seed)
        first = date(2010, 9, 26)
        ends, day = [], first
        for quarter in range(4 * years):
            # Every sixth year or so has a 53rd week.
            day = day + timedelta(weeks=14 if quarter == 7 else 13)
            ends.append(day)
        self.ends = ends
        self.starts = [first + timedelta(days=1)] + [e + timedelta(days=1) for e in ends[:-1]]
        n = len(ends)
        self.flows = {tag: generator.integers(100, 999, n).astype(float) for tag in TAGS}
        self.assets = generator.integers(5000, 9999, n).astype(float)
        self.equity = self.assets - generator.integers(1000, 3000, n)
        self.filed = [e + timedelta(days=60 if i % 4 == 3 else 35) for i, e in enumerate(ends)]
        self.rows: dict[str, list[dict[str, Any]]] = {}
        for i in range(n):
            self._file(i)

    def add(
        self, tag: str, value: float, end: date, filed: date, accession: str, **more: Any
    ) -> None:
        row = {"end": end.isoformat(), "val": value, "filed": filed.isoformat(), "accn": accession}
        if "start" in more:
            row["start"] = more["start"].isoformat()
        self.rows.setdefault(tag, []).append(row | {"fy": 2010, "fp": "FY", "form": "10-K"})

    def _file(self, i: int) -> None:
        filed, name = self.filed[i], f"acc-{i:04d}"
        balances = {i, i - i % 4 - 1} if i % 4 < 3 else {i, i - 4}
        for j in balances:
            if j >= 0:
                self.add("Assets", self.assets[j], self.ends[j], filed, name)
                self.add("StockholdersEquity", self.equity[j], self.ends[j], filed, name)
                self.add(
                    "LiabilitiesAndStockholdersEquity", self.assets[j], self.ends[j], filed, name
                )
        for tag, kind in TAGS.items():
            for back in (0, 4, 8):
                self._flow(tag, kind, i - back, i % 4, filed, name)
        self.add(
            "EntityCommonStockSharesOutstanding", 1000.0 + i, filed - timedelta(3), filed, name
        )

    def _flow(self, tag: str, kind: str, j: int, quarter: int, filed: date, name: str) -> None:
        first = j - quarter
        if first < 0:
            return
        values = self.flows[tag]
        whole = float(values[first : j + 1].sum())
        self.add(tag, whole, self.ends[j], filed, name, start=self.starts[first])
        if kind == "income" and 0 < quarter < 3:
            self.add(tag, float(values[j]), self.ends[j], filed, name, start=self.starts[j])

    def json(self) -> bytes:
        units = {"EntityCommonStockSharesOutstanding": "shares"}
        facts: dict[str, Any] = {"us-gaap": {}, "dei": {}}
        for tag, rows in self.rows.items():
            taxonomy = "dei" if tag.startswith("Entity") else "us-gaap"
            facts[taxonomy][tag] = {"label": tag, "units": {units.get(tag, "USD"): rows}}
        return json.dumps(
            {"cik": self.cik, "entityName": f"No {self.cik}", "facts": facts}
        ).encode()


def first_rows(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop_duplicates("period_end").set_index("period_end")


def test_years_are_the_sums_of_their_quarters() -> None:
    company = Company(7)
    table, notes = point_in_time(parse_companyfacts(company.json()))
    assert notes == []
    assert set(table["asset"]) == {"CIK0000000007"}
    years = first_rows(table)
    assert years.index.tolist() == [pd.Timestamp(e) for e in company.ends[3::4]]
    for tag, name in [
        ("NetIncomeLoss", "net_income"),
        ("SalesRevenueNet", "sales"),
        ("NetCashProvidedByUsedInOperatingActivities", "operating_cash_flow"),
    ]:
        np.testing.assert_array_equal(years[name], company.flows[tag].reshape(-1, 4).sum(axis=1))
    np.testing.assert_array_equal(years["total_assets"], company.assets[3::4])
    np.testing.assert_array_equal(
        years["total_liabilities"], (company.assets - company.equity)[3::4]
    )
    np.testing.assert_array_equal(years["shares"], 1000.0 + np.arange(3, 20, 4))
    filed = pd.DatetimeIndex([pd.Timestamp(d) for d in company.filed[3::4]])
    assert years["filed"].tolist() == list(filed)
    assert years["known_at"].tolist() == list(next_session(filed))
    assert (table["known_at"] > table["filed"]).all()


def test_quarters_and_trailing_years() -> None:
    company = Company(7)
    facts = parse_companyfacts(company.json())
    quarters = first_rows(point_in_time(facts, period="quarterly")[0])
    trailing = first_rows(point_in_time(facts, period="ttm")[0])
    for tag, name in [
        ("NetIncomeLoss", "net_income"),
        ("NetCashProvidedByUsedInOperatingActivities", "operating_cash_flow"),
    ]:
        truth = pd.Series(company.flows[tag], index=pd.DatetimeIndex(company.ends))
        np.testing.assert_array_equal(quarters[name], truth)
        rolled = truth.rolling(4).sum().dropna()
        np.testing.assert_array_equal(trailing[name], rolled.reindex(trailing.index))
        assert len(trailing) == 17
    np.testing.assert_array_equal(quarters["total_assets"], company.assets)


def test_an_amendment_counts_from_its_own_date() -> None:
    company = Company(7)
    amended, end = company.filed[3] + timedelta(days=200), company.ends[3]
    company.add("Assets", 1.0, end, amended, "acc-9999")
    table, _ = point_in_time(parse_companyfacts(company.json()), asset="A")
    of_year = table[table["period_end"] == pd.Timestamp(end)]
    assert of_year["total_assets"].tolist()[:2] == [company.assets[3], 1.0]
    assert of_year["filed"].tolist()[1] == pd.Timestamp(amended)
    # The next 10-K repeats the old balance sheet: what is filed last is what is known.
    assert of_year["total_assets"].tolist()[2:] == [company.assets[3]]
    days = pd.DatetimeIndex([amended, company.filed[11]]) + pd.Timedelta(days=5)
    prices = Panel(pd.DataFrame({"date": days, "asset": "A", "ret": 0.0}), freq="D")
    company.add("NetIncomeLoss", -5.0, end, company.filed[11], "z", start=company.starts[0])
    again, _ = point_in_time(parse_companyfacts(company.json()), asset="A")
    joined = as_of(prices, again.drop(columns="filed")).frame
    # A restatement of an old year does not move the visible year back.
    assert joined["total_assets"].tolist() == [1.0, company.assets[11]]
    assert joined["net_income"].iloc[1] == company.flows["NetIncomeLoss"][8:12].sum()


@pytest.mark.parametrize("period", ["annual", "quarterly", "ttm"])
def test_what_is_filed_later_changes_nothing_before(period: Any) -> None:
    company = Company(7, seed=3)
    for j in (3, 6, 11):
        company.add("Assets", float(j), company.ends[j], company.filed[j] + timedelta(111), "x")
    facts = parse_companyfacts(company.json())
    whole, _ = point_in_time(facts, period=period)
    for cut in sorted({fact.filed for fact in facts.facts})[::3]:
        known = tuple(fact for fact in facts.facts if fact.filed <= cut)
        part, _ = point_in_time(CompanyFacts(7, "", known, 0), period=period)
        upto = whole[whole["filed"] <= pd.Timestamp(date.fromordinal(cut))]
        pd.testing.assert_frame_equal(part, upto.reset_index(drop=True))


def test_every_row_is_what_a_slow_reading_finds() -> None:
    company = Company(7, seed=5)
    company.add("Assets", 1.0, company.ends[7], company.filed[7] + timedelta(20), "acc-0007a")
    facts = parse_companyfacts(company.json())
    frame = pd.DataFrame(facts.facts)
    table, _ = point_in_time(facts)
    for row in table.itertuples():
        filed = row.filed.date().toordinal()
        end = row.period_end.date().toordinal()
        known = frame[(frame["filed"] <= filed) & (frame["end"] == end)]
        latest = known.groupby(["tag", "start"])["value"].last()
        assert row.total_assets == latest["Assets"].iloc[0]
        income = latest["NetIncomeLoss"]
        lengths = end - income.index.to_numpy() + 1
        assert row.net_income == income[(lengths >= 350) & (lengths <= 380)].iloc[0]


def test_tag_chains_and_revenues() -> None:
    company = Company(7)
    end, start, filed = company.ends[3], company.starts[0], company.filed[3]
    company.add("Revenues", 1e6, end, filed, "acc-0003", start=start)
    company.add("CostOfRevenue", 30.0, end, filed, "acc-0003", start=start)
    company.add("CostOfGoodsAndServicesSold", 20.0, end, filed, "acc-0003", start=start)
    company.add("IncreaseDecreaseInInventories", 5.0, end, filed, "acc-0003", start=start)
    company.add("Liabilities", 77.0, end, filed, "acc-0003")
    company.add("AccountsPayableTradeCurrent", 9.0, end, filed, "acc-0003")
    table, notes = point_in_time(parse_companyfacts(company.json()))
    row = table.iloc[0]
    assert row["sales"] == 1e6
    assert row["cost_of_goods_sold"] == 20.0
    assert row["inventory_decrease"] == -5.0
    assert row["total_liabilities"] == 77.0
    assert row["accounts_payable"] == 9.0
    assert [note.count for note in notes] == [1]
    assert "several revenue tags" in notes[0].rule


def test_other_currencies_are_left_out_and_counted() -> None:
    body = json.loads(Company(7).json())
    body["facts"]["us-gaap"]["Assets"]["units"]["EUR"] = [
        {"end": "2011-09-25", "val": 1, "filed": "2011-11-24", "accn": "x"}
    ]
    _, notes = point_in_time(parse_companyfacts(json.dumps(body).encode()))
    assert [(note.count, note.action) for note in notes] == [(1, "left out")]


def test_slips_of_the_pen_are_left_out_and_counted() -> None:
    company = Company(7)
    expected, _ = point_in_time(parse_companyfacts(company.json()), asset="A")
    filed = company.filed[3]
    for end in (date(2103, 9, 25), date(213, 9, 25)):
        company.add("Assets", 1.0, end, filed, "acc-0003")
        company.add("NetIncomeLoss", 1.0, end, filed, "acc-0003", start=end - timedelta(363))
    table, notes = point_in_time(parse_companyfacts(company.json()), asset="A")
    pd.testing.assert_frame_equal(table, expected)
    assert [(note.count, note.action) for note in notes] == [(4, "left out")]
    prices = pd.DataFrame({"date": pd.to_datetime(["2015-01-31"]), "asset": "A", "ret": 0.0})
    assert as_of(Panel(prices, freq="M"), table).values("total_assets").tolist() == [
        company.assets[15]
    ]


@pytest.mark.parametrize("raw", [b"", b"<html>", b"{}", b"[1]", b'{"cik": 1, "entityName": "x"}'])
def test_what_is_no_companyfacts_is_refused(raw: bytes) -> None:
    with pytest.raises(InputDataError, match="not the companyfacts JSON"):
        parse_companyfacts(raw)


def test_the_chains_cover_the_canonical_fields() -> None:
    tags = edgar_tags()
    assert not tags.duplicated(["canonical", "tag"]).any()
    wanted = (
        "current_assets current_liabilities cash receivables inventory total_assets "
        "long_term_debt short_term_debt total_liabilities accounts_payable book_equity sales "
        "cost_of_goods_sold gross_profit sga operating_income non_operating_income "
        "interest_expense income_taxes net_income eps depreciation_amortization "
        "equity_in_net_loss inventory_decrease capital_expenditures net_cash_flow "
        "operating_cash_flow dividends shares change_short_term_investments"
    )
    assert set(wanted.split()) <= set(tags["canonical"])
    chain = tags[tags["canonical"] == "accounts_payable"]["tag"].tolist()
    assert chain == [
        "AccountsPayableCurrent",
        "AccountsPayableTradeCurrent",
        "AccountsPayableAndAccruedLiabilitiesCurrent",
    ]


@pytest.fixture
def sec(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    module = import_module("alphastrata.data.edgar")
    monkeypatch.setattr(module, "FACTS_URL", f"{site.url}/facts/")
    monkeypatch.setattr(module, "TICKERS_URL", f"{site.url}/tickers.json")
    monkeypatch.setattr(module, "REQUESTS_PER_SECOND", 200.0)
    monkeypatch.setenv("ALPHASTRATA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ALPHASTRATA_SEC_USER_AGENT", raising=False)
    for cik in (7, 8):
        site.pages[f"/facts/CIK{cik:010d}.json"] = Company(cik, seed=cik).json()
    tickers = {"0": {"cik_str": 7, "ticker": "ON", "title": "No 7"}}
    site.pages["/tickers.json"] = json.dumps(tickers).encode()
    return site


def test_a_study_of_two_companies(sec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setenv("ALPHASTRATA_SEC_USER_AGENT", AGENT)
    got = edgar(["ON", 8, "XX", 9], progress=lambda i, n, name: seen.append(f"{i}/{n} {name}"))
    assert isinstance(got, Statements)
    assert seen == ["1/4 ON", "2/4 CIK0000000008", "3/4 XX", "4/4 CIK0000000009"]
    assert set(got.table["asset"]) == {"ON", "CIK0000000008"}
    assert "no ticker of the SEC's list" in got.failures["XX"]
    assert "holds no XBRL facts" in got.failures["CIK0000000009"]
    assert {note.first for note in got.notes} == {"asset=XX", "asset=CIK0000000009"}
    assert all(headers["User-Agent"] == AGENT for headers in sec.headers)
    asked = len(sec.asked)
    again = edgar(["ON", 8], mode="offline")
    pd.testing.assert_frame_equal(again.table, got.table)
    assert len(sec.asked) == asked
    assert again.entries["ON"].url.endswith("/facts/CIK0000000007.json")


def test_without_a_name_nothing_is_sent(sec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for agent in (None, "", "Mozilla/5.0", "ann@example.org", "Ann Smith"):
        with pytest.raises(ConfigError, match="who say who they are"):
            edgar([7], user_agent=agent)
    assert sec.asked == []
    assert len(edgar([7], user_agent="ann@example.org (Ann Smith)").table) > 0


def test_offline_and_odd_requests(sec: Any) -> None:
    with pytest.raises(OfflineError, match="alphastrata fetch edgar 7"):
        edgar([7], mode="offline")
    with pytest.raises(ConfigError, match="at least one"):
        edgar([])
    with pytest.raises(ConfigError, match="repeats"):
        edgar([7, "CIK0000000007"], mode="offline")
    with pytest.raises(ConfigError, match="ten digits"):
        fetch_edgar(10**11)
    with pytest.raises(SourceError, match="No company has statements. First: CIK0000000009"):
        edgar([9], user_agent=AGENT)
    with pytest.raises(ConfigError, match="period must be"):
        edgar([7], period="monthly", user_agent=AGENT)  # type: ignore[arg-type]
    sec.pages["/facts/CIK0000000011.json"] = Company(12).json()
    with pytest.raises(InputDataError, match="about company 12, not 11"):
        fetch_edgar(11, user_agent=AGENT)


def test_tickers(sec: Any) -> None:
    assert edgar_tickers(user_agent=AGENT).loc["ON", "cik"] == 7
    sec.pages["/tickers.json"] = b"[]"
    with pytest.raises(InputDataError, match="cannot be read"):
        edgar_tickers(user_agent=AGENT, mode="refresh", store=Store())


def test_the_bulk_file(tmp_path: Path) -> None:
    path = tmp_path / "companyfacts.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for cik in (7, 8, 9):
            archive.writestr(f"CIK{cik:010d}.json", Company(cik, seed=cik).json())
        archive.writestr("CIK0000000010.json", b"{}")
        archive.writestr("readme.txt", b"x")
    whole = edgar_bulk(path)
    assert set(whole.table["asset"]) == {f"CIK{c:010d}" for c in (7, 8, 9)}
    assert list(whole.failures) == ["CIK0000000010"]
    some = edgar_bulk(path, companies={8: "ON", 99: "GONE"}, period="ttm")
    assert set(some.table["asset"]) == {"ON"}
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputDataError, match="bulk zip"):
        edgar_bulk(path)
