"""Every source on this machine: Yahoo, the SEC, FRED and the French library on one local server.

Not a test; loaded by path from the tests that run whole studies and commands on it.
"""

from __future__ import annotations

import importlib.util
import io
import json
import zipfile
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pytest

TESTS = Path(__file__).resolve().parent
AGENT = "Ann Smith ann@example.org"
LIBRARY = "F-F_Research_Data_5_Factors_2x3"


def load(name: str) -> ModuleType:
    """Return a test module of the data room, for the stand-ins that it defines."""
    path = TESTS / "data" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"local_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LocalSite = load("conftest").LocalSite
_yahoo, _edgar = load("test_yahoo"), load("test_edgar")
chart, UNKNOWN, Company = _yahoo.chart, _yahoo.UNKNOWN, _edgar.Company


def library(*, vintage: str = "201512", seed: int = 0) -> bytes:
    """Return a file of five factors from 2012 on, as the French library serves it."""
    months = pd.period_range("2012-01", f"{vintage[:4]}-{vintage[4:]}", freq="M")
    values = np.random.default_rng(seed).normal(0.4, 2.0, (len(months), 5)).round(2)
    rows = "".join(
        f"{month:%Y%m}," + ",".join(f"{v:8.2f}" for v in row) + ",    0.01\r\n"
        for month, row in zip(months, values, strict=True)
    )
    text = (
        f"This file was created using the {vintage} CRSP database.\r\n\r\n"
        f",Mkt-RF,SMB,HML,RMW,CMA,RF\r\n{rows}"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{LIBRARY}.CSV", text)
    return buffer.getvalue()


def series(name: str, first: str = "2010-01-01", periods: int = 80) -> bytes:
    """Return a monthly series of FRED."""
    months = pd.date_range(first, periods=periods, freq="MS")
    values = 2.0 + np.sin(np.arange(periods) / 5.0)
    rows = "".join(f"{m:%Y-%m-%d},{v:.3f}\n" for m, v in zip(months, values, strict=True))
    return f"observation_date,{name}\n{rows}".encode()


def company(cik: int) -> Any:
    """Return a company that also files current accounts and costs, in numbers that vary."""
    made = Company(cik, seed=cik)
    draw = np.random.default_rng(cik)
    for i, end in enumerate(made.ends):
        filed, name = made.filed[i], f"acc-{i:04d}"
        for tag in ("AssetsCurrent", "LiabilitiesCurrent"):
            made.add(tag, float(draw.integers(500, 2500)), end, filed, name)
    return made


def statements(ticker: str, prefix: str) -> bytes:
    """Return accounts of 2010 to 2013 as Yahoo shows them."""
    draw = np.random.default_rng(sum(map(ord, ticker)))
    items = {
        "TotalAssets": draw.uniform(100, 200, 4),
        "TotalLiabilitiesNetMinorityInterest": draw.uniform(10, 90, 4),
        "OrdinarySharesNumber": draw.uniform(1e6, 2e6, 4).round(),
    }
    ends = [f"{year}-12-31" for year in range(2010, 2014)]
    results = [
        {
            "meta": {"symbol": [ticker], "type": [prefix + item]},
            prefix + item: [
                {"asOfDate": end, "currencyCode": "USD", "reportedValue": {"raw": value}}
                for end, value in zip(ends, values, strict=True)
            ],
        }
        for item, values in items.items()
    ]
    return json.dumps({"timeseries": {"result": results, "error": None}}).encode()


class Sources:
    """Answers of every source, by path; `down` names what is forbidden."""

    def __init__(self, site: Any) -> None:
        self.site = site
        self.charts: dict[str, bytes] = {}
        self.companies: dict[int, bytes] = {}
        self.tickers: dict[str, int] = {}
        self.library: dict[str, bytes] = {}
        self.fred: dict[str, bytes] = {}
        self.down: set[str] = set()
        site.pages = self

    def get(self, path: str, default: object) -> bytes | tuple[int, bytes]:
        parts = urlsplit(path)
        kind, name = parts.path.strip("/").split("/", 1)
        name = unquote(name)
        if name in self.down or kind in self.down:
            return 403, b"Forbidden"
        if kind == "chart":
            return self.charts.get(name, (404, UNKNOWN))
        if kind == "timeseries":
            if name not in self.charts:
                return 404, b'{"timeseries":{"result":[],"error":null}}'
            return statements(name, "quarterly" if "quarterlyT" in path else "annual")
        if kind == "facts":
            number = int(name.removeprefix("CIK").removesuffix(".json"))
            return self.companies.get(number, (404, b""))
        if kind == "sec":
            rows = [{"cik_str": c, "ticker": t, "title": t} for t, c in self.tickers.items()]
            return json.dumps(dict(enumerate(rows))).encode()
        if kind == "ftp":
            return self.library.get(name.removesuffix("_CSV.zip"), (404, b""))
        return self.fred.get(parts.query.removeprefix("id="), (404, b""))


def addresses(url: str) -> dict[str, Any]:
    """Return "module.name" -> what to put there, so that every source is asked at a local URL."""
    return {
        "alphastrata.data.yahoo.YAHOO_URL": f"{url}/chart/",
        "alphastrata.data.yahoo_statements.TIMESERIES_URL": f"{url}/timeseries/",
        "alphastrata.data.edgar.FACTS_URL": f"{url}/facts/",
        "alphastrata.data.edgar.TICKERS_URL": f"{url}/sec/tickers.json",
        "alphastrata.data.edgar.REQUESTS_PER_SECOND": 500.0,
        "alphastrata.data.french_library.FRENCH_URL": f"{url}/ftp/",
        "alphastrata.data.fred.FRED_URL": f"{url}/fred/graph.csv",
    }


def redirect(patch: pytest.MonkeyPatch, url: str, cache: Path) -> None:
    """Point every source at a local server, and the store at a folder."""
    for name, value in addresses(url).items():
        module, attribute = name.rsplit(".", 1)
        patch.setattr(import_module(module), attribute, value)
    # The cookie and crumb come from other hosts; the services work without them.
    patch.setattr(
        import_module("yfinance.data").YfData,
        "_get_cookie_and_crumb",
        lambda self, timeout=30: (None, "basic"),
    )
    patch.setenv("ALPHASTRATA_CACHE", str(cache))
    patch.setenv("ALPHASTRATA_SEC_USER_AGENT", AGENT)
    patch.delenv("ALPHASTRATA_MODE", raising=False)


def fill(sources: Sources, n: int = 30, start: str = "2012-01-02", end: str = "2015-01-05") -> None:
    """Give the sources `n` companies T00, T01, ...; T00 splits four for one in March 2014."""
    days = pd.bdate_range(start, end)
    draw = np.random.default_rng(0)
    for i in range(n):
        ticker = f"T{i:02d}"
        traded = 100 * np.cumprod(1 + draw.normal(0.0004, 0.015, len(days)))
        splits = {"2014-03-03": (4.0, 1.0)} if i == 0 else None
        if splits:
            traded[days >= pd.Timestamp("2014-03-03")] /= 4
        sources.charts[ticker] = chart(ticker, days, traded, splits=splits)
        sources.companies[100 + i] = company(100 + i).json()
        sources.tickers[ticker] = 100 + i
    sources.library[LIBRARY] = library()
    sources.fred["T10Y3M"] = series("T10Y3M")
    sources.fred["CPIAUCSL"] = series("CPIAUCSL")
