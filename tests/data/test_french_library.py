"""Names of the French library: fetched, kept, offline, and compared between editions."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alphastrata import data
from alphastrata.core.factors import FactorReturns
from alphastrata.data import download, french_library
from alphastrata.data.store import Store
from alphastrata.errors import ConfigError, InputDataError, OfflineError, SourceError

NAME = "F-F_Momentum_Factor"


def edition(vintage: str, change: float = 0.0) -> bytes:
    month = f"{vintage},{1.25 + change:7.2f}\r\n"
    text = f"Created using the {vintage} CRSP database.\r\n\r\n,Mom   \r\n202001,   0.44\r\n{month}"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        # With a fixed time of day: the same edition is the same bytes.
        archive.writestr(zipfile.ZipInfo(f"{NAME}.CSV"), text)
    return buffer.getvalue()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Any) -> Store:
    monkeypatch.setattr(french_library, "FRENCH_URL", f"{site.url}/ftp/")
    monkeypatch.setenv("ALPHASTRATA_CACHE", str(tmp_path / "cache"))
    return Store()


def test_a_name_is_fetched_once_and_traced(store: Store, site: Any) -> None:
    site.pages[f"/ftp/{NAME}_CSV.zip"] = edition("202002")
    momentum = data.french(NAME)
    assert momentum.vintage == "202002"
    assert momentum.frame["Mom"].tolist() == [0.44 / 100, 1.25 / 100]
    entry = store.get(f"french/{NAME}")
    assert entry is not None
    assert f"/ftp/{NAME}_CSV.zip, fetched {entry.fetched_at}, sha256 {entry.sha256}" in (
        momentum.source
    )
    data.french(f"{NAME}_CSV.zip".removesuffix(".zip"))
    data.french(NAME, mode="offline")
    assert len(site.asked) == 1


def test_offline_names_the_key_and_the_command(store: Store, site: Any) -> None:
    with pytest.raises(OfflineError, match=rf"'french/{NAME}'.*alphastrata fetch french {NAME}"):
        data.french(NAME, mode="offline")
    assert site.asked == []


def test_editions_stay_and_are_chosen_by_vintage(store: Store, site: Any) -> None:
    path = f"/ftp/{NAME}_CSV.zip"
    for vintage in ("202002", "202002"):
        site.pages[path] = edition(vintage)
        data.fetch_french(NAME, mode="refresh")
    site.pages[path] = edition("202002", change=0.5)
    data.fetch_french(NAME, mode="refresh")
    listed = data.french_vintages(NAME)
    assert listed["vintage"].tolist() == ["202002", "202002"]
    assert listed["sha256"].is_unique
    old = data.french(NAME, vintage="202002", mode="offline")
    assert old.frame["Mom"].iloc[-1] == 1.75 / 100
    with pytest.raises(InputDataError, match="serves .* in vintage 202002, and 202312 was asked"):
        data.french(NAME, vintage="202312")
    assert data.french_vintages("F-F_ST_Reversal_Factor").empty


def test_a_page_instead_of_a_file_is_not_stored(store: Store, site: Any) -> None:
    site.pages[f"/ftp/{NAME}_CSV.zip"] = b"<html>Service unavailable</html>"
    with pytest.raises(InputDataError, match="HTML page"):
        data.french(NAME)
    site.pages[f"/ftp/{NAME}_CSV.zip"] = edition("202002")[:-40]
    with pytest.raises(InputDataError, match="damaged"):
        data.french(NAME)
    assert store.keys() == []


def test_names_are_checked(store: Store, site: Any) -> None:
    with pytest.raises(ConfigError, match=f"close to it are {NAME}"):
        data.french("F-F_Momentum_Factors")
    with pytest.raises(SourceError, match="answers 404"):
        data.french("Something_New")
    with pytest.raises(InputDataError, match="There is no file"):
        data.french("no/such/file.csv")
    with pytest.raises(ConfigError, match="neither a file nor a name"):
        data.fetch_french("a name; rm -rf")


def test_the_catalogue_names_every_file_once() -> None:
    catalog = data.french_catalog()
    assert catalog.index.is_unique
    assert len(catalog) == 297
    assert set(catalog["kind"]) == {"factors", "portfolios", "breakpoints"}
    letters = {letter for value in catalog["frequencies"] for letter in value.split()}
    assert letters == {"D", "W", "M", "Y"}
    assert (catalog["description"].str.len() > 15).all()
    assert catalog.loc["25_Portfolios_5x5", "description"].endswith("size and book-to-market")


@pytest.mark.realdata
def test_the_catalogue_knows_the_real_files(real_data: Path) -> None:
    catalog = data.french_catalog()
    for path in (real_data / "french").glob("*/*"):
        row = catalog.loc[french_library.library_name(path.stem)]
        file = data.french_file(path)
        assert {t.frequency for t in file.tables} == set(row["frequencies"].split())
        assert (row["kind"] == "factors") == file.tables[0].is_factors


@pytest.mark.realdata
def test_real_editions_differ_as_counted_by_hand(real_data: Path, store: Store) -> None:
    folder, name = real_data / "french", "F-F_Research_Data_5_Factors_2x3"
    data.keep_french(folder / "v201603" / f"{name}.csv")
    data.keep_french(folder / "v202412" / f"{name}_CSV.zip")
    data.keep_french(folder / "v202510" / f"{name}_CSV.zip")
    assert data.french_vintages(name)["vintage"].tolist() == ["202510", "202412", "201603"]
    a = data.french(name, vintage="201603", mode="offline")
    b = data.french(name, vintage="202510", mode="offline")
    found = data.compare_vintages(a, b)
    assert found["periods"].tolist() == [633] * 5
    for factor in a.factors:
        one = np.rint(a.frame[factor].to_numpy() * 1e4)
        other = np.rint(b.frame.loc[a.dates, factor].to_numpy() * 1e4)
        assert found.loc[factor, "changed"] == (one != other).sum()
        assert found.loc[factor, "max_abs_change"] == pytest.approx(np.abs(one - other).max() / 1e4)
        assert found.loc[factor, "only_b"] == len(b) - 633
    assert found["correlation"].between(0.9, 0.99999).all()
    loose = data.compare_vintages(a, b, tolerance=0.01)
    assert (loose["changed"] < found["changed"]).all()


def test_an_edition_does_not_differ_from_itself() -> None:
    dates = pd.date_range("2020-01-31", periods=5, freq="ME")
    frame = pd.DataFrame({"SMB": [0.01, 0.02, np.nan, 0.0, 0.03]}, index=dates)
    a = FactorReturns(frame, kind="excess")
    same = data.compare_vintages(a, a).loc["SMB"]
    assert (same["periods"], same["changed"], same["only_a"]) == (4, 0, 0)
    assert same["correlation"] == pytest.approx(1.0)
    assert pd.isna(same["first_changed"])
    other = FactorReturns(frame.rename(columns={"SMB": "HML"}), kind="excess")
    with pytest.raises(InputDataError, match="share 0 factors"):
        data.compare_vintages(a, other)


@pytest.mark.parametrize("mode", ["offline", "cache-first", "refresh", None])
def test_without_a_network_every_mode_says_what_to_do(
    store: Store, monkeypatch: pytest.MonkeyPatch, mode: Any
) -> None:
    monkeypatch.setattr(french_library, "FRENCH_URL", "http://127.0.0.1:1/")
    monkeypatch.setattr(download.Retry.__init__, "__defaults__", (1, 0.0, 0.0))
    with pytest.raises(OfflineError, match=rf"'french/{NAME}'") as caught:
        data.french(NAME, mode=mode)
    assert type(caught.value) is OfflineError
    for words in (f"alphastrata fetch french {NAME}", "bundled_factors()", "by its path"):
        assert words in str(caught.value)


def test_refreshing_without_a_network_points_to_what_is_stored(
    store: Store, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages[f"/ftp/{NAME}_CSV.zip"] = edition("202002")
    data.french(NAME)
    monkeypatch.setattr(french_library, "FRENCH_URL", "http://127.0.0.1:1/")
    monkeypatch.setattr(download.Retry.__init__, "__defaults__", (1, 0.0, 0.0))
    with pytest.raises(OfflineError, match=r"mode='cache-first' reads"):
        data.french(NAME, mode="refresh")
    assert data.french(NAME).vintage == "202002"
