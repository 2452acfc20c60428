"""WRDS against a real PostgreSQL, with tables in the vendors' shape."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alphastrata import data
from alphastrata.data.store import Store
from alphastrata.data.wrds import fetch_wrds, wrds, wrds_engine
from alphastrata.data.wrds_tables import funda_items
from alphastrata.errors import ConfigError, OfflineError, SourceError

sqlalchemy = pytest.importorskip("sqlalchemy", reason="needs alphastrata[wrds]")
pytest.importorskip("psycopg", reason="needs alphastrata[wrds]")

COMMON = {
    "sharetype": "NS",
    "securitytype": "EQTY",
    "securitysubtype": "COM",
    "usincflg": "Y",
    "issuertype": "CORP",
    "conditionaltype": "RW",
    "tradingstatusflg": "A",
}


def programs() -> tuple[str, str] | None:
    """Return initdb and postgres where PostgreSQL is installed."""
    folders = [None, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    for folder in folders:
        found = [shutil.which(name, path=folder) for name in ("initdb", "pg_ctl")]
        if found[0] and found[1]:
            return found[0], found[1]
    return None


def server_user() -> str | None:
    """Return an account that may run PostgreSQL: root may not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    pytest.skip("PostgreSQL needs an account other than root")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """Start a PostgreSQL that listens on a socket only, and return its URL."""
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed")
    initdb, pg_ctl = found
    user = server_user()
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    if user is not None:
        shutil.chown(folder, user)

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, user=user, cwd="/", timeout=60)

    run(initdb, "-D", str(folder / "db"), "-U", "tester", "-A", "trust", "--no-sync", "-E", "UTF8")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    run(pg_ctl, "-D", str(folder / "db"), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"postgresql+psycopg://tester@/postgres?host={folder}"
    finally:
        run(pg_ctl, "-D", str(folder / "db"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def fill(url: str, tables: dict[str, pd.DataFrame]) -> None:
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        for schema in ("crsp", "comp"):
            connection.execute(sqlalchemy.text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
            connection.execute(sqlalchemy.text(f"CREATE SCHEMA {schema}"))
        for name, frame in tables.items():
            schema, table = name.split(".")
            frame.to_sql(table, connection, schema=schema, index=False, chunksize=5000,
                         method="multi" if len(frame) < 100 else None)  # fmt: skip
    engine.dispose()


def vendor_tables(crsp: pd.DataFrame, compustat: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the tables of WRDS for rows of permno, date, ret, prc, shrout, exchange, gvkey."""
    dates = pd.DatetimeIndex(crsp["date"]) + pd.offsets.MonthEnd(0)
    msf = pd.DataFrame(
        {
            "permno": crsp["permno"].astype(int),
            "mthcaldt": dates.date,
            "mthret": crsp["ret"],
            "mthprc": crsp["prc"],
            "mthcap": crsp["mktcap"] * 1e3,
            "mthvol": 1000.0,
            "shrout": crsp["shrout"],
        }
    )
    by = crsp.assign(date=dates).groupby("permno")
    last = by["date"].max()
    info = pd.DataFrame(
        {
            "permno": last.index.astype(int),
            "secinfostartdt": by["date"].min().dt.to_period("M").dt.start_time.dt.date.to_numpy(),
            "secinfoenddt": last.dt.date.to_numpy(),
            "primaryexch": by["primaryexch"].first().to_numpy(),
            "siccd": by["siccd"].first().to_numpy(),
            **COMMON,
        }
    )
    funda = pd.DataFrame({"gvkey": compustat["gvkey"], "datadate": compustat["datadate"].dt.date})
    for item in funda_items():
        funda[item] = compustat[item].to_numpy(float) if item in compustat else np.nan
    funda = funda.assign(indfmt="INDL", datafmt="STD", popsrc="D", consol="C")
    other = funda.assign(indfmt="FS")
    links = crsp.dropna(subset="gvkey").groupby("permno")["gvkey"].first()
    link = pd.DataFrame(
        {
            "gvkey": links.to_numpy(),
            "lpermno": links.index.astype(float),
            "linktype": "LC",
            "linkprim": "P",
            "linkdt": pd.Timestamp("1990-01-01").date(),
            "linkenddt": pd.Series([None] * len(links), dtype="datetime64[ns]"),
        }
    )
    delists = pd.DataFrame(
        {
            "permno": [int(last.index[0])],
            "delistingdt": [last.iloc[0].date()],
            "delret": [np.nan],
            "delactiontype": ["GDR"],
        }
    )
    return {
        "crsp.msf_v2": msf,
        "crsp.stksecurityinfohist": info,
        "crsp.stkdelists": delists,
        "comp.funda": pd.concat([funda, other]),
        "crsp.ccmxpf_lnkhist": link,
    }


def small() -> dict[str, pd.DataFrame]:
    dates = pd.date_range("2001-01-31", "2003-06-30", freq="ME")
    crsp = pd.concat(
        pd.DataFrame(
            {
                "permno": permno, "date": dates, "ret": 0.01 * permno, "prc": 10.0, "shrout": 5.0,
                "mktcap": 0.05, "primaryexch": exchange, "siccd": 2834, "gvkey": f"00{permno}",
            }
        )
        for permno, exchange in ((1, "N"), (2, "Q"))
    )  # fmt: skip
    ends = pd.date_range("1999-12-31", "2002-12-31", freq="YE")
    compustat = pd.concat(
        pd.DataFrame({"gvkey": f"00{p}", "datadate": ends, "at": np.arange(4.0) + p, "lt": 0.5})
        for p in (1, 2)
    )
    return vendor_tables(crsp, compustat)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("ALPHASTRATA_CACHE", str(tmp_path / "cache"))
    for name in ("ALPHASTRATA_WRDS_URL", "ALPHASTRATA_WRDS_USER"):
        monkeypatch.delenv(name, raising=False)
    return Store()


def test_a_panel_from_postgres(database: str, store: Store) -> None:
    fill(database, small())
    seen: list[str] = []
    panel = wrds(
        start=2001, end=2003, url=database, progress=lambda i, n, key: seen.append(f"{i}/{n} {key}")
    )
    assert seen[0] == "1/11 wrds/msf_v2/2001"
    assert seen[-1] == "11/11 wrds/ccmxpf_lnkhist"
    assert list(panel.assets) == ["1", "2"]
    assert panel.freq == "M"
    # Thirty months each; the first is delisted at a month's end, so its loss falls in July.
    assert len(panel) == 61
    ret = panel.wide("ret")
    assert ret.loc["2003-07-31", "1"] == -0.35
    assert ret.loc["2003-06-30", "2"] == pytest.approx(0.02)
    assets = panel.wide("total_assets")["2"]
    # 1999 is known from June 2000 on, 2000 from June 2001 on.
    assert assets.loc["2001-05-31"] == 2e6
    assert assets.loc["2001-06-30"] == 3e6
    assert panel.wide("market_cap").loc["2001-01-31", "1"] == pytest.approx(50_000.0)
    text = " ".join(map(str, panel.notes))
    assert "assumed -35% on NYSE and AMEX" in text
    assert "declared, no filing dates" in text
    again = wrds(start=2001, end=2003, mode="offline")
    pd.testing.assert_frame_equal(again.frame, panel.frame)


def test_an_interrupted_fetch_goes_on(database: str, store: Store) -> None:
    tables = small()
    fill(database, {k: v for k, v in tables.items() if k != "comp.funda"})
    with pytest.raises(
        SourceError, match=r"\"comp.funda\" does not exist. 5 of 11 queries are stored; call again"
    ):
        fetch_wrds(start=2001, end=2003, url=database)
    fill(database, tables)
    got = fetch_wrds(start=2001, end=2003, url=database)
    assert len(got.frames["funda"]) == 8
    assert "SELECT permno" in got.entries["wrds/msf_v2/2001"].url
    assert len(store.keys("wrds/")) == 11


def test_without_a_server(store: Store) -> None:
    with pytest.raises(OfflineError, match="alphastrata fetch wrds"):
        wrds(start=2001, end=2001, mode="offline")
    with pytest.raises(ConfigError, match="ALPHASTRATA_WRDS_USER"):
        wrds(start=2001, end=2001)
    with pytest.raises(SourceError, match="could not answer"):
        wrds(start=2001, end=2001, url="postgresql+psycopg://x@/x?host=/nonexistent")
    with pytest.raises(ConfigError, match="years, in order"):
        wrds(start=2002, end=2001)


def test_the_address_of_wrds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPHASTRATA_WRDS_USER", "ann")
    url = wrds_engine().url
    assert (url.host, url.port, url.username) == ("wrds-pgdata.wharton.upenn.edu", 9737, "ann")
    assert url.query == {"sslmode": "require"}


@pytest.mark.realdata
def test_pseudo_crsp_and_compustat(real_data: Path, database: str, store: Store) -> None:
    folder = real_data / "crsp_compustat_pseudo"
    crsp = pd.read_parquet(folder / "holes_crsp_monthly.parquet")
    compustat = pd.read_parquet(folder / "holes_compustat_annual.parquet")
    crsp = crsp[(crsp["date"] >= "2003-01-01") & (crsp["date"] < "2006-01-01")]
    compustat = compustat[compustat["datadate"].dt.year.between(2001, 2005)]
    fill(database, vendor_tables(crsp, compustat))
    panel = wrds(start=2003, end=2005, url=database)
    kept = crsp[crsp["primaryexch"].isin(["N", "A", "Q"])]
    ours = panel.frame["ret"].dropna()
    assert abs(len(ours) - kept["ret"].notna().sum()) <= 1
    wide: Any = kept.assign(date=pd.DatetimeIndex(kept["date"]) + pd.offsets.MonthEnd(0))
    theirs = wide.assign(asset=wide["permno"].astype(int).astype(str))
    theirs = theirs.set_index(["date", "asset"])["ret"].dropna()
    both = ours.index.intersection(theirs.index)
    assert len(both) >= len(theirs) - 1
    gap = np.abs(ours.loc[both] - theirs.loc[both])
    assert (gap > 1e-12).sum() <= 1
    # One statement by hand: the latest that is six months old.
    row = panel.frame["total_assets"].dropna()
    (date, asset), value = row.index[len(row) // 2], row.iloc[len(row) // 2]
    gvkey = kept.loc[kept["permno"].astype(int).astype(str) == asset, "gvkey"].dropna().iloc[0]
    mine = compustat[compustat["gvkey"] == gvkey]
    known = mine[mine["datadate"] + pd.DateOffset(months=6) <= date].sort_values("datadate")
    assert value == known["at"].iloc[-1] * 1e6
    assert data.health(panel) is not None
