"""Sources of data: files, libraries and markets in, `Panel` and `FactorReturns` out."""

from alphastrata.data.asof import as_of
from alphastrata.data.bills import bill_returns
from alphastrata.data.edgar import edgar, edgar_bulk, edgar_tickers, fetch_companies, fetch_edgar
from alphastrata.data.edgar_facts import (
    CompanyFacts,
    edgar_tags,
    parse_companyfacts,
    point_in_time,
)
from alphastrata.data.files import read_panel, write_panel
from alphastrata.data.fred import (
    fetch_fred,
    fred,
    fred_catalog,
    macro_series,
    parse_fred,
    risk_free,
)
from alphastrata.data.french import bundled_factors, bundled_file, french, french_file
from alphastrata.data.french_library import (
    compare_vintages,
    fetch_french,
    french_catalog,
    french_vintages,
    keep_french,
)
from alphastrata.data.french_parse import FrenchFile, FrenchTable, parse_french
from alphastrata.data.health import HealthCheck, HealthReport, health
from alphastrata.data.lags import apply_lag
from alphastrata.data.sessions import next_session, nyse_holidays
from alphastrata.data.simulate import Market, SimulationOptions, simulate_market
from alphastrata.data.simulate_truth import Truth
from alphastrata.data.statements import Statements
from alphastrata.data.store import Entry, Store
from alphastrata.data.wrds import WrdsTables, fetch_wrds, wrds, wrds_engine
from alphastrata.data.wrds_tables import (
    DelistingPolicy,
    link_statements,
    market_rows,
    statement_rows,
)
from alphastrata.data.yahoo import YahooHistory, yahoo, yahoo_history
from alphastrata.data.yahoo_parse import parse_yahoo
from alphastrata.data.yahoo_statements import parse_timeseries, yahoo_statements

__all__ = [
    "CompanyFacts",
    "DelistingPolicy",
    "Entry",
    "FrenchFile",
    "FrenchTable",
    "HealthCheck",
    "HealthReport",
    "Market",
    "SimulationOptions",
    "Statements",
    "Store",
    "Truth",
    "WrdsTables",
    "YahooHistory",
    "apply_lag",
    "as_of",
    "bill_returns",
    "bundled_factors",
    "bundled_file",
    "compare_vintages",
    "edgar",
    "edgar_bulk",
    "edgar_tags",
    "edgar_tickers",
    "fetch_companies",
    "fetch_edgar",
    "fetch_fred",
    "fetch_french",
    "fetch_wrds",
    "fred",
    "fred_catalog",
    "french",
    "french_catalog",
    "french_file",
    "french_vintages",
    "health",
    "keep_french",
    "link_statements",
    "macro_series",
    "market_rows",
    "next_session",
    "nyse_holidays",
    "parse_companyfacts",
    "parse_fred",
    "parse_french",
    "parse_timeseries",
    "parse_yahoo",
    "point_in_time",
    "read_panel",
    "risk_free",
    "simulate_market",
    "statement_rows",
    "wrds",
    "wrds_engine",
    "write_panel",
    "yahoo",
    "yahoo_history",
    "yahoo_statements",
]
