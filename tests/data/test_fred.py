"""FRED: fetched from a local server, parsed, dated by release."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alphastrata import data
from alphastrata.data.bills import bill_returns
from alphastrata.data.fred import macro_series, parse_fred, risk_free
from alphastrata.data.store import Store
from alphastrata.errors import (
    ConfigError,
    InputDataError,
    LookAheadError,
    OfflineError,
    SourceError,
)

GDP = "observation_date,GDPC1\n2019-07-01,19141.744\n2019-10-01,19253.959\n2020-01-01,19010.848\n"
BILL = "DATE,DTB4WK\n2020-01-30,1.54\n2020-01-31,1.53\n2020-02-03,.\n2020-02-28,\n2020-03-02,1.0\n"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Any) -> Store:
    module = import_module("alphastrata.data.fred")  # the name in the package is the function
    monkeypatch.setattr(module, "FRED_URL", f"{site.url}/graph/fredgraph.csv")
    monkeypatch.setenv("ALPHASTRATA_CACHE", str(tmp_path / "cache"))
    site.pages["/graph/fredgraph.csv?id=GDPC1"] = GDP.encode()
    site.pages["/graph/fredgraph.csv?id=DTB4WK"] = BILL.encode()
    return Store()


def test_a_series_is_fetched_once(store: Store, site: Any) -> None:
    series = data.fred("DTB4WK")
    assert series.index[0] == pd.Timestamp("2020-01-30")
    np.testing.assert_array_equal(series.to_numpy(), [1.54, 1.53, np.nan, np.nan, 1.0])
    assert data.fred("DTB4WK", mode="offline").equals(series)
    assert site.asked == ["/graph/fredgraph.csv?id=DTB4WK"]
    with pytest.raises(OfflineError, match="alphastrata fetch fred CPIAUCSL"):
        data.fred("CPIAUCSL", mode="offline")
    with pytest.raises(SourceError, match="404"):
        data.fred("CPIAUCSL")


def test_figures_are_dated_by_period_end_and_release(store: Store) -> None:
    gdp = macro_series("GDPC1", transform="growth")
    assert list(gdp.columns) == ["real_gdp_growth", "known_at"]
    assert gdp.index.tolist() == [pd.Timestamp("2019-12-31"), pd.Timestamp("2020-03-31")]
    assert gdp["known_at"].tolist() == [pd.Timestamp("2020-01-30"), pd.Timestamp("2020-04-30")]
    assert gdp["real_gdp_growth"].iloc[0] == pytest.approx(19253.959 / 19141.744 - 1)
    later = macro_series("GDPC1", release_lag_days=90)
    assert later["known_at"].iloc[0] == pd.Timestamp("2019-12-29")
    assert list(later.columns) == ["real_gdp", "known_at"]


def test_rates_become_decimals(store: Store) -> None:
    bill = macro_series("DTB4WK")
    assert bill["bill_4w_daily"].tolist() == pytest.approx([0.0154, 0.0153, 0.01])
    assert bill["known_at"].iloc[0] == pd.Timestamp("2020-01-31")


def test_risk_free_from_bills(store: Store) -> None:
    monthly = risk_free("DTB4WK")
    assert monthly.index.tolist() == list(pd.date_range("2020-02-29", periods=3, freq="ME"))
    assert monthly.iloc[0] == pytest.approx((1 - 0.0153 * 28 / 360) ** (-29 / 28) - 1)
    daily = risk_free("DTB4WK", freq="D")
    assert daily.equals(bill_returns(data.fred("DTB4WK"), days=28, freq="D"))
    with pytest.raises(ConfigError, match="no bill series of the catalogue; those are TB3MS"):
        risk_free("GDPC1")
    with pytest.raises(ConfigError, match="monthly averages"):
        risk_free("TB3MS", freq="D")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("<!DOCTYPE html><html></html>\n", "not with 'DATE,GDPC1'"),
        (GDP.replace("GDPC1", "GDP"), "not with 'DATE,GDPC1'"),
        (GDP[:-3], "cut short"),
        (
            GDP.replace("19253.959", "n.a."),
            "1 lines that are not 'date,number' among 3. First: line 3",
        ),
        (GDP.replace("2019-10-01", "1.10.2019"), "not 'date,number'"),
        ("DATE,GDPC1\n", "0 lines"),
        (GDP.replace("2019-10-01", "2019-07-01"), "do not ascend"),
        ("", "not with"),
    ],
)
def test_what_is_not_the_series_is_refused(raw: str, message: str) -> None:
    with pytest.raises(InputDataError, match=message):
        parse_fred(raw.encode(), "GDPC1")


def test_what_does_not_parse_is_not_stored(store: Store, site: Any) -> None:
    site.pages["/graph/fredgraph.csv?id=UNRATE"] = b"<html>"
    with pytest.raises(InputDataError):
        data.fred("UNRATE")
    assert store.keys() == []


def test_the_reading_agrees_with_pandas() -> None:
    frame = pd.DataFrame(
        {"X1": np.random.default_rng(0).normal(size=500).round(4)},
        index=pd.date_range("1950-01-01", periods=500, freq="MS"),
    )
    frame.iloc[::7] = np.nan
    raw = frame.to_csv(na_rep=".", index_label="DATE").encode()
    np.testing.assert_allclose(parse_fred(raw, "X1").to_numpy(), frame["X1"].to_numpy(), rtol=1e-15)
    assert parse_fred(raw.replace(b"\n", b"\r\n"), "X1").equals(parse_fred(raw, "X1"))


def test_a_series_of_ones_own() -> None:
    months = pd.date_range("2020-01-01", periods=14, freq="MS")
    own = pd.Series(np.arange(1.0, 15.0), index=months, name="own").drop(months[5])
    growth = macro_series(own, transform="annual_growth", frequency="M", release_lag_days=15)
    assert growth.index.tolist() == [pd.Timestamp("2021-01-31"), pd.Timestamp("2021-02-28")]
    assert growth["own_annual_growth"].tolist() == [12.0, 6.0]
    change = macro_series(own, transform="change", frequency="M", release_lag_days=15)
    # The lost month is a gap: neither it nor the month after has a change.
    assert len(change) == 11
    assert (change["own_change"] == 1.0).all()
    with pytest.raises(LookAheadError, match="became known"):
        macro_series(own, frequency="M")
    with pytest.raises(LookAheadError, match="negative"):
        macro_series(own, frequency="M", release_lag_days=-1)
    with pytest.raises(ConfigError, match="Say the frequency"):
        macro_series(own, release_lag_days=1)
    with pytest.raises(ConfigError, match="more frequent"):
        macro_series(own, frequency="Q", release_lag_days=1)
    with pytest.raises(ConfigError, match="annual_growth needs"):
        macro_series(own, transform="annual_growth", frequency="D", release_lag_days=1)
    with pytest.raises(ConfigError, match="transform must be"):
        macro_series(own, transform="log", frequency="M", release_lag_days=1)  # type: ignore[arg-type]


def test_a_macro_series_joins_a_panel_when_it_was_known(store: Store) -> None:
    from alphastrata.core.panel import Panel
    from alphastrata.features.macro import join_macro

    dates = pd.to_datetime(["2020-01-29", "2020-01-30", "2020-04-29", "2020-04-30"])
    panel = Panel(pd.DataFrame({"date": dates, "asset": "A", "ret": 0.0}), freq="D")
    joined = join_macro(panel, macro_series("GDPC1"))
    assert joined.values("real_gdp").tolist() == [19141.744, 19253.959, 19253.959, 19010.848]


def test_the_catalogue() -> None:
    catalog = data.fred_catalog()
    assert catalog.index.is_unique
    assert set(catalog["frequency"]) <= {"D", "W", "M", "Q", "Y"}
    assert set(catalog["unit"]) == {"percent", "level"}
    assert (catalog["release_lag_days"] > 0).all()
    assert catalog["name"].is_unique


def test_odd_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="not the name of a FRED series"):
        data.fetch_fred("tb3ms&x=1")
