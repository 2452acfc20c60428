"""A study on each source, from one TOML: fetched from this machine, traced, repeated offline."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alphastrata import data
from alphastrata.core import Panel
from alphastrata.errors import ConfigError, InputDataError, OfflineError, SourceError
from alphastrata.study import new_study, parse_config, run, verify
from alphastrata.study.artefacts import load
from alphastrata.study.manifest import read_manifest

_spec = importlib.util.spec_from_file_location(
    "local_sources", Path(__file__).resolve().parents[1] / "local_sources.py"
)
assert _spec is not None
assert _spec.loader is not None
kit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(kit)

TICKERS = [f"T{i:02d}" for i in range(30)]

EDGAR = f"""
name = "edgar"
[data]
source = "yahoo"
tickers = {[*TICKERS, "GONE"]}
start = "2012-01-01"
end = "2014-12-31"
statements = "edgar"
daily = true
companies = {{ T01 = 101 }}
[[macro]]
series = "T10Y3M"
frequency = "M"
interact = ["leverage", "roa"]
[[sorts]]
name = "LEV"
by = "leverage"
n = 3
[[sorts]]
name = "ROAxTERM"
by = "roa_x_term_spread_10y_3m"
n = 3
[[benchmarks]]
name = "FF5"
source = "{kit.LIBRARY}"
factors = ["Mkt-RF", "SMB", "HML", "RMW", "CMA"]
[tests]
lags = 2
[[tests.fama_macbeth]]
name = "product"
x = ["leverage_x_term_spread_10y_3m", "log_market_cap"]
"""
PRICES = f"""
name = "prices"
[data]
source = "yahoo"
tickers = {TICKERS[:12]}
start = 2012-01-01
end = 2014-12-31
[[sorts]]
name = "REV"
by = "short_term_reversal"
n = 3
weighting = "equal"
[[benchmarks]]
name = "FF5"
source = "{kit.LIBRARY}"
factors = ["Mkt-RF"]
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    kit.load("conftest").loopback.__wrapped__()
    with pytest.MonkeyPatch.context() as patch:
        site = kit.LocalSite()
        kit.redirect(patch, site.url, tmp_path_factory.mktemp("store"))
        served = kit.Sources(site)
        kit.fill(served)
        yield served
        site.http.shutdown()
        site.http.server_close()


@pytest.fixture(scope="module")
def finished(sources: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("edgar") / "out"
    run(parse_config(EDGAR), out=out)
    return out


def panel_of(out: Path, stage: str = "features", name: str = "panel") -> Panel:
    found = next((out / "stages").glob(f"{stage}-*"))
    panel = load(found)[name]
    assert isinstance(panel, Panel)
    return panel


def test_every_number_is_traced_to_bytes(finished: Path, sources: Any) -> None:
    manifest = read_manifest(finished)
    inputs = {name: file["sha256"] for name, file in manifest["inputs"].items()}
    wanted = {
        "store:yahoo/chart/T07/2012-01-01/2015-01-01": sources.charts["T07"],
        "store:edgar/companyfacts/CIK0000000107": sources.companies[107],
        f"store:french/{kit.LIBRARY}": sources.library[kit.LIBRARY],
        "store:fred/T10Y3M": sources.fred["T10Y3M"],
    }
    for key, raw in wanted.items():
        assert inputs[key] == hashlib.sha256(raw).hexdigest()
    assert len(inputs) == 30 + 30 + 1 + 1 + 1
    assert list(manifest["left_out"]) == ["yahoo GONE"]
    assert "symbol may be delisted" in manifest["left_out"]["yahoo GONE"]
    assert manifest["vintages"]["FF5"]["vintage"] == "201512"
    text = str(manifest["config"]) + (finished / "trials.jsonl").read_text(encoding="utf-8")
    assert kit.AGENT not in text


def test_the_panel_knows_what_was_known(finished: Path) -> None:
    panel = panel_of(finished)
    assert list(panel.assets) == TICKERS
    assert len(panel.dates) == 36
    company = kit.company(100 + 7)
    filed = [pd.Timestamp(d) for d in company.filed[3::4]]
    seen = panel.wide("total_assets")["T07"]
    for date in panel.dates:
        known = [i for i, day in enumerate(filed) if day < date]
        expected = company.assets[3::4][known[-1]] if known else np.nan
        np.testing.assert_equal(seen.loc[date], expected)
    notes = " ".join(map(str, panel.notes))
    assert "survivorship-biased" in notes
    assert "asset=GONE" in notes


def test_a_split_does_not_move_the_market_cap(finished: Path, sources: Any) -> None:
    panel = panel_of(finished)
    price, cap, shares = (panel.wide(c)["T00"] for c in ("price", "market_cap", "shares"))
    before, after = pd.Timestamp("2014-02-28"), pd.Timestamp("2014-03-31")
    assert price[after] < price[before] / 3
    assert shares[after] == 4 * shares[before]
    np.testing.assert_allclose(
        cap[after] / cap[before], 1 + panel.wide("ret").loc[after, "T00"], rtol=1e-9
    )
    # What the company files after the split is counted in new shares already.
    last = panel.wide("known_age")["T00"].idxmin()
    assert any("stated before a split" in str(note) for note in panel.notes)
    daily = panel_of(finished, "data", "daily")
    assert "total_assets" not in daily.columns
    assert daily.wide("market_cap")["T00"].loc["2014-03-31"] == cap[after]
    assert last <= panel.dates[-1]


def test_products_with_macro_series_are_sorted_and_priced(finished: Path) -> None:
    panel = panel_of(finished)
    term = panel.wide("term_spread_10y_3m")
    assert (term.eq(term["T03"], axis=0)).all(axis=None)
    # A monthly figure of the month before, known a day after its end: not today's.
    figures = data.fred("T10Y3M")
    assert term["T03"].loc["2013-06-30"] == figures.loc["2013-05-01"] / 100
    product = panel.wide("leverage_x_term_spread_10y_3m")
    pd.testing.assert_frame_equal(product, panel.wide("leverage") * term)
    tests = load(next((finished / "stages").glob("tests-*")))
    assert "leverage_x_term_spread_10y_3m" in tests["cross-section product table"].index


def test_it_comes_out_again_without_a_network(
    finished: Path, sources: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = len(sources.site.asked)
    monkeypatch.setenv("ALPHASTRATA_MODE", "offline")
    assert verify(finished) == []
    offline = EDGAR.replace(', "GONE"', "").replace(", 'GONE'", "")
    again = run(parse_config(offline.replace("daily = true", 'mode = "offline"')), out=finished)
    assert not again.reused["data"]
    assert again.reused["benchmarks"]
    with pytest.raises(OfflineError, match="alphastrata fetch yahoo GONE --start 2012-01-01 --end"):
        run(parse_config(EDGAR), out=finished)
    assert len(sources.site.asked) == asked


def test_a_refresh_recomputes_what_changed_and_verify_keeps_the_old(
    sources: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(parse_config(PRICES), out=out)
    before = shutil.copytree(out, tmp_path / "before")
    sources.library[kit.LIBRARY] = kit.library(vintage="201601", seed=1)
    assert all(run(parse_config(PRICES), out=out).reused.values())
    refresh = PRICES.replace("[data]", '[data]\nmode = "refresh"')
    again = run(parse_config(refresh), out=out)
    assert again.reused["data"]
    assert again.reused["sort REV"]
    assert not again.reused["benchmarks"]
    assert read_manifest(out)["vintages"]["FF5"]["vintage"] == "201601"
    asked = len(sources.site.asked)
    assert verify(before) == []
    assert len(sources.site.asked) == asked
    old = PRICES.replace('factors = ["Mkt', 'vintage = "201512"\nfactors = ["Mkt')
    assert read_manifest(before)["inputs"] != read_manifest(out)["inputs"]
    run(parse_config(old), out=tmp_path / "old")
    assert read_manifest(tmp_path / "old")["vintages"]["FF5"]["vintage"] == "201512"


def test_a_study_whose_fetch_breaks_off_goes_on_there(
    sources: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPHASTRATA_CACHE", str(tmp_path / "fresh"))
    monkeypatch.setattr(sources, "down", {"T05"})
    study = parse_config(PRICES)
    with pytest.raises(SourceError, match="403 .* 5 of 12 tickers are stored; call again"):
        run(study, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    sources.down = set()
    sources.site.asked.clear()
    run(study, out=tmp_path / "out")
    asked = [path.split("?")[0].rsplit("/", 1)[-1] for path in sources.site.asked]
    assert asked == TICKERS[5:12]


def test_statements_of_yahoo_after_a_declared_lag(sources: Any, tmp_path: Path) -> None:
    text = PRICES.replace("end = 2014-12-31", 'end = 2014-12-31\nstatements = "yahoo"\nlag = "4M"')
    text = text.replace('"short_term_reversal"', '"leverage"').replace('"equal"', '"value"')
    finished = run(parse_config(text), out=tmp_path / "out")
    assert any("a lag of 4M" in warning for warning in finished.warnings)
    assert any("survivorship-biased" in warning for warning in finished.warnings)
    panel = panel_of(tmp_path / "out")
    seen = panel.wide("total_assets")["T05"]
    figures = data.yahoo_statements(["T05"], lag="4M", mode="offline").table["total_assets"]
    assert seen.loc["2013-03-31"] == figures[1]
    assert seen.loc["2013-04-30"] == figures[2]
    # Counted at the end of 2012, before the split of March 2014.
    shares = panel.wide("shares")["T00"]
    assert shares.loc["2014-03-31"] == 4 * shares.loc["2014-02-28"]


def test_several_currencies_are_refused(sources: Any, tmp_path: Path) -> None:
    days = pd.bdate_range("2012-01-02", "2014-12-31")
    sources.charts["SAP.DE"] = kit.chart(
        "SAP.DE", days, np.linspace(50, 60, len(days)), meta={"currency": "EUR"}
    )
    mixed = PRICES.replace("'T11'", "'SAP.DE'")
    with pytest.raises(InputDataError, match=r"in one currency; .*EUR: SAP.DE; USD: T00"):
        run(parse_config(mixed), out=tmp_path / "out")
    alone = PRICES.replace(str(TICKERS[:12]), "['SAP.DE']").replace(
        "[[sorts]]", 'statements = "edgar"\n[[sorts]]'
    )
    with pytest.raises(InputDataError, match="are in dollars"):
        run(parse_config(alone), out=tmp_path / "out")


LEAST = '[[sorts]]\nname = "A"\nby = "leverage"\nweighting = "equal"\n'


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ('source = "yahoo"\nstart = "2012"', 'needs tickers, such as tickers = \\["AAPL"'),
        ('source = "yahoo"\ntickers = ["A"]', 'needs start, such as start = "2010-01-01"'),
        ('source = "yahoo"\ntickers = ["A", "A"]\nstart = "2012"', "repeated: A"),
        ('source = "yahoo"\ntickers = ["A"]\nstart = "2012"\nend = "2011"', "end comes after"),
        ('source = "yahoo"\ntickers = ["A"]\nstart = "1.2.2012"', "a day is written 2013-04-30"),
        (
            'source = "yahoo"\ntickers = ["A"]\nstart = "2012"\nstatements = "yahoo"',
            "declare a lag, such as",
        ),
        (
            'source = "yahoo"\ntickers = ["A"]\nstart = "2012"\nstatements = "yahoo"\nlag = "4M"\n'
            'period = "ttm"',
            'needs statements = "edgar"',
        ),
        ('source = "yahoo"\ntickers = ["A"]\nstart = "2012"\nlag = "4M"', "lag is for statements"),
        (
            'source = "yahoo"\ntickers = ["A"]\nstart = "2012"\nstatements = "edgar"\n'
            "companies = { B = 1 }",
            "not among the tickers: B",
        ),
        ('source = "nyse"\ntickers = ["A"]', 'only with source = "yahoo"'),
        ('source = "wrds"', "needs start and end, such as start = 1990"),
        ('source = "wrds"\nstart = 2000\nend = 1999', "end comes after start"),
        ('source = "wrds"\nstart = 1999\nend = 2000\ndaily = true', "is monthly"),
        (
            'source = "wrds"\nstart = 1999\nend = 2000\nurl = "postgresql+psycopg://a:b@h/d"',
            "keep it in ~/.pgpass",
        ),
        ('source = "nyse"\nurl = "x"', 'url: only with source = "wrds"'),
        ('mode = "sometimes"', "mode"),
    ],
)
def test_data_that_do_not_fit_are_refused_with_a_remedy(section: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(f'name = "x"\n[data]\n{section}\n{LEAST}')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PRICES.replace('weighting = "equal"', ""), 'set weighting = "equal", or data.statements'),
        (PRICES.replace("n = 3", 'method = "size_neutral"'), "is size-neutral, and prices alone"),
        (
            PRICES + '[[clusters]]\nname = "C"\nfeatures = ["momentum", "volatility"]\n'
            'rank_by = "momentum"\nweighting = "equal"\n[clusters.checks]\npurge = true\n',
            "clusters.0.checks.purge: C is purged of size, and prices alone have no market cap",
        ),
        (
            PRICES + '[multiverse]\nby = ["momentum"]\n',
            "line 17, multiverse: it needs a market cap",
        ),
        (PRICES + '[[macro]]\nseries = "NOSUCH"\n', "say frequency, and release_lag_days"),
        (
            PRICES + '[[macro]]\nseries = "GDPC1"\n[[macro]]\nseries = "GDPC1"\n',
            "names of macro columns are unique, and 'real_gdp' stands above",
        ),
        (
            EDGAR.replace('by = "leverage"\n', 'by = "term_spread_10y_3m"\n'),
            'interact = \\["leverage"\\] and leverage_x_term_spread_10y_3m',
        ),
        (EDGAR.replace('"log_market_cap"]', '"leverage"]'), "keep one of them per table"),
        (
            PRICES.replace(f'source = "{kit.LIBRARY}"', 'vintage = "201512"'),
            "bundled factors have one edition",
        ),
    ],
)
def test_studies_that_cannot_work_are_refused_with_a_remedy(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(text)


def test_the_tables_of_the_guide_are_valid() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "data-sources.md"
    blocks = re.findall(r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) == 5
    for block in blocks:
        assert parse_config(f'name = "x"\n{block}\n{LEAST}').parts


@pytest.mark.parametrize("source", ["simulated", "nyse", "pystock", "panel", "yahoo", "wrds"])
def test_a_new_study_on_each_source_is_valid(source: str) -> None:
    lag = "4M" if source in ("nyse", "wrds") else None
    text = new_study("mine", source=source, lag=lag)
    assert parse_config(text).data.source == source
    assert ("--data FOLDER" in text) == (source in ("nyse", "pystock", "panel"))


def test_a_study_on_wrds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrds_url: str) -> None:
    monkeypatch.setenv("ALPHASTRATA_CACHE", str(tmp_path / "store"))
    monkeypatch.setenv("ALPHASTRATA_WRDS_URL", wrds_url)
    text = """
name = "wrds"
[data]
source = "wrds"
start = 2001
end = 2003
[[sorts]]
name = "LEV"
by = "leverage"
n = 3
breakpoints = "NYSE"
[tests]
lags = 2
[[tests.fama_macbeth]]
name = "LEV"
x = ["leverage"]
"""
    done = run(parse_config(text), out=tmp_path / "out")
    assert any("a lag of 6M" in warning for warning in done.warnings)
    manifest = read_manifest(tmp_path / "out")
    assert sum(name.startswith("store:wrds/") for name in manifest["inputs"]) == 11
    assert wrds_url not in str(manifest)
    panel = panel_of(tmp_path / "out")
    assert len(panel.assets) == 30
    assert panel.wide("total_assets")["7"].loc["2002-06-30"] > 0
    monkeypatch.delenv("ALPHASTRATA_WRDS_URL")
    assert verify(tmp_path / "out") == []
    offline = text.replace("[data]", '[data]\nmode = "offline"')
    assert all(run(parse_config(offline), out=tmp_path / "out").reused.values())


@pytest.fixture(scope="module")
def wrds_url() -> Iterator[str]:
    """A PostgreSQL with 30 companies in the vendors' shape; a skip where there is none."""
    pytest.importorskip("sqlalchemy", reason="needs alphastrata[wrds]")
    pytest.importorskip("psycopg", reason="needs alphastrata[wrds]")
    wrds = kit.load("test_wrds")
    started = wrds.database.__wrapped__()
    url = next(started)
    draw = np.random.default_rng(0)
    dates = pd.date_range("2001-01-31", "2003-12-31", freq="ME")
    crsp = pd.concat(
        pd.DataFrame(
            {
                "permno": i, "date": dates, "ret": draw.normal(0.01, 0.08, len(dates)), "prc": 10.0,
                "shrout": 5.0, "mktcap": 0.05 * i, "primaryexch": "NQ"[i % 2], "siccd": 2834,
                "gvkey": f"00{i}",
            }
        )
        for i in range(1, 31)
    )  # fmt: skip
    ends = pd.date_range("1999-12-31", "2003-12-31", freq="YE")
    compustat = pd.concat(
        pd.DataFrame(
            {"gvkey": f"00{i}", "datadate": ends, "at": 10.0 + i, "lt": draw.uniform(1, 9, 5)}
        )
        for i in range(1, 31)
    )
    wrds.fill(url, wrds.vendor_tables(crsp, compustat))
    yield url
    next(started, None)
