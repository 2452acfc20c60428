"""CRSP and Compustat from WRDS, through SQLAlchemy and psycopg.

Every query is stored as parquet, year by year where tables are long, so that an interrupted fetch
goes on where it stopped and a study can be run again without WRDS. The data are licensed: keep
the store where the licence allows.

The connection is `ALPHASTRATA_WRDS_URL`, or WRDS's own server with the user of
`ALPHASTRATA_WRDS_USER`; the password is looked up by the driver in `~/.pgpass`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.panel import Panel
from alphastrata.core.shown import Shown
from alphastrata.data.asof import as_of
from alphastrata.data.lags import Lag
from alphastrata.data.store import Entry, Fetched, Mode, Store, utc_now
from alphastrata.data.wrds_tables import (
    SCREEN,
    DelistingPolicy,
    funda_items,
    link_statements,
    market_rows,
    statement_rows,
)
from alphastrata.errors import ConfigError, OfflineError, SourceError

if TYPE_CHECKING:
    from sqlalchemy import Engine

URL_VARIABLE = "ALPHASTRATA_WRDS_URL"
"""Environment variable with a SQLAlchemy URL."""
USER_VARIABLE = "ALPHASTRATA_WRDS_USER"
"""Environment variable with a WRDS user name."""
WRDS_HOST = "wrds-pgdata.wharton.upenn.edu:9737/wrds?sslmode=require"

QueryProgress = Callable[[int, int, str], None]
"""Called with queries done, queries in all, and the query just finished."""

_EVER = " AND ".join(f"{name} = ANY(:{name})" for name in SCREEN if name != "tradingstatusflg")
_ITEMS = ", ".join(["gvkey", "datadate", *funda_items()])
_QUERIES = {
    "msf_v2": (
        "SELECT permno, mthcaldt, mthret, mthprc, mthcap, mthvol, shrout FROM crsp.msf_v2 "
        "WHERE mthcaldt >= :start AND mthcaldt < :end AND permno IN "
        f"(SELECT permno FROM crsp.stksecurityinfohist WHERE {_EVER}) ORDER BY permno, mthcaldt"
    ),
    "stksecurityinfohist": (
        "SELECT permno, secinfostartdt, secinfoenddt, primaryexch, siccd, sharetype, securitytype, "
        "securitysubtype, usincflg, issuertype, conditionaltype, tradingstatusflg "
        "FROM crsp.stksecurityinfohist ORDER BY permno, secinfostartdt"
    ),
    "stkdelists": (
        "SELECT permno, delistingdt, delret, delactiontype FROM crsp.stkdelists "
        "ORDER BY permno, delistingdt"
    ),
    "funda": (
        f"SELECT {_ITEMS} FROM comp.funda WHERE indfmt = 'INDL' AND datafmt = 'STD' "
        "AND popsrc = 'D' AND consol = 'C' AND datadate >= :start AND datadate < :end "
        "ORDER BY gvkey, datadate"
    ),
    "ccmxpf_lnkhist": (
        "SELECT gvkey, lpermno, linktype, linkprim, linkdt, linkenddt FROM crsp.ccmxpf_lnkhist "
        "ORDER BY gvkey, lpermno, linkdt"
    ),
}
_BY_YEAR = ("msf_v2", "funda")


@dataclass(frozen=True, eq=False)
class WrdsTables(Shown):
    """The tables of one study, as WRDS served them.

    Attributes
    ----------
    frames
        Table -> rows.
    entries
        Key in the store -> its entry (query, time, sha256).
    """

    frames: Mapping[str, pd.DataFrame]
    entries: Mapping[str, Entry] = field(default_factory=dict)


def wrds(
    *,
    start: int,
    end: int,
    lag: Lag = "6M",
    policy: DelistingPolicy | None = None,
    url: str | None = None,
    mode: Mode | None = None,
    store: Store | None = None,
    progress: QueryProgress | None = None,
) -> Panel:
    """Return a monthly panel of US common stocks with their statements as known.

    Parameters
    ----------
    start, end : int
        First and last year of returns. Statements are taken from two years before.
    lag : str, int, Timedelta or DateOffset
        From a fiscal year's end until its statement counts as known; Compustat has no filing
        dates, and the declaration is recorded in the notes.
    policy : DelistingPolicy, optional
        What is assumed where CRSP has no delisting return.
    url, mode, store, progress
        As in `fetch_wrds`.

    Returns
    -------
    Panel
        The columns of `market_rows` and `statement_rows`; assets are PERMNOs.

    Raises
    ------
    ConfigError, OfflineError, SourceError
        As `fetch_wrds`.
    """
    got = fetch_wrds(start=start, end=end, url=url, mode=mode, store=store, progress=progress)
    frames = got.frames
    rows, notes = market_rows(
        frames["msf_v2"], frames["stksecurityinfohist"], frames["stkdelists"], policy=policy
    )
    statements, more = statement_rows(frames["funda"], lag=lag)
    linked, links = link_statements(statements, frames["ccmxpf_lnkhist"])
    market = Panel(rows, freq="M", notes=[*notes, *more, *links, *_sources(got.entries)])
    return as_of(market, linked, max_age="18M")


def fetch_wrds(
    *,
    start: int,
    end: int,
    url: str | None = None,
    mode: Mode | None = None,
    store: Store | None = None,
    progress: QueryProgress | None = None,
) -> WrdsTables:
    """Return CRSP's and Compustat's tables for some years, each query stored for itself.

    Parameters
    ----------
    start, end : int
        First and last year.
    url : str, optional
        SQLAlchemy URL; ALPHASTRATA_WRDS_URL, or WRDS's server, when not given.
    mode : {"offline", "cache-first", "refresh"}, optional
        ALPHASTRATA_MODE, or "cache-first".
    store : Store, optional
        The default store when not given.
    progress : callable, optional
        Called after each query.

    Raises
    ------
    ConfigError
        Neither a URL nor a user is set, or SQLAlchemy and psycopg are not installed.
    OfflineError
        The mode is "offline" and a query is not stored.
    SourceError
        The server refuses or cannot be reached.
    """
    if not 1925 <= start <= end:
        raise ConfigError(f"start and end are years, in order; got {start} and {end}.")
    keep = store if store is not None else Store()
    jobs = [
        (table, year)
        for table in _QUERIES
        for year in (
            range(start - 2 * (table == "funda"), end + 1) if table in _BY_YEAR else [None]
        )
    ]
    parts: dict[str, list[pd.DataFrame]] = {table: [] for table in _QUERIES}
    entries: dict[str, Entry] = {}
    connection = _Connection(url)
    try:
        for done, (table, year) in enumerate(jobs, start=1):
            key = f"wrds/{table}" + (f"/{year}" if year else "")
            far = (done - 1, len(jobs), f"alphastrata fetch wrds --start {start} --end {end}")
            entry = _obtain(key, table, year, connection, mode, keep, far)
            entries[key] = entry
            parts[table].append(pd.read_parquet(io.BytesIO(keep.read(entry))))
            if progress is not None:
                progress(done, len(jobs), key)
    finally:
        connection.close()
    frames = {
        table: pd.concat([p for p in some if len(p)] or some[:1], ignore_index=True)
        for table, some in parts.items()
    }
    return WrdsTables(frames, entries)


class _Connection:
    """An engine that is made when the first query needs it."""

    def __init__(self, url: str | None) -> None:
        self.url = url
        self.engine: Engine | None = None

    def frame(self, query: str, values: Mapping[str, Any]) -> pd.DataFrame:
        """Return the rows of a query."""
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        if self.engine is None:
            self.engine = wrds_engine(self.url)
        try:
            with self.engine.connect() as connection:
                return pd.read_sql_query(text(query), connection, params=dict(values))
        except (SQLAlchemyError, pd.errors.DatabaseError) as exc:
            # pandas puts the whole query first; the server's own words are in its cause.
            cause = exc.__cause__ if isinstance(exc, pd.errors.DatabaseError) else exc
            said = str(cause or exc).splitlines()[0]
            raise SourceError(f"WRDS could not answer: {said}.") from exc

    def close(self) -> None:
        """Give the connections back."""
        if self.engine is not None:
            self.engine.dispose()


def wrds_engine(url: str | None = None) -> Engine:
    """Return a SQLAlchemy engine for WRDS.

    Raises
    ------
    ConfigError
        Neither a URL nor a user is set, or SQLAlchemy or psycopg is not installed.
    """
    try:
        import psycopg  # noqa: F401  # the driver that the URL names
        from sqlalchemy import create_engine
    except ImportError as exc:
        raise ConfigError("WRDS needs two more packages: pip install 'alphastrata[wrds]'.") from exc
    user = os.environ.get(USER_VARIABLE)
    address = url or os.environ.get(URL_VARIABLE)
    if not address and user:
        address = f"postgresql+psycopg://{user}@{WRDS_HOST}"
    if not address:
        raise ConfigError(
            f"Set {USER_VARIABLE} to your WRDS user name (and keep the password in ~/.pgpass), or "
            f"{URL_VARIABLE} to a SQLAlchemy URL."
        )
    return create_engine(address, pool_pre_ping=True)


def _obtain(
    key: str,
    table: str,
    year: int | None,
    connection: _Connection,
    mode: Mode | None,
    keep: Store,
    far: tuple[int, int, str],
) -> Entry:
    """Return the stored answer to one query, saying how far the call got when it fails."""
    done, asked, command = far

    def fetch() -> Fetched:
        values: dict[str, Any] = {}
        query = _QUERIES[table]
        if year is not None:
            values = {"start": f"{year}-01-01", "end": f"{year + 1}-01-01"}
        if table == "msf_v2":
            values |= {k: list(v) for k, v in SCREEN.items() if k != "tradingstatusflg"}
        frame = connection.frame(query, values)
        buffer = io.BytesIO()
        frame.to_parquet(buffer)
        return Fetched(buffer.getvalue(), f"wrds: {query} -- {values}", utc_now())

    try:
        return keep.obtain(key, fetch, command=command, mode=mode)
    except OfflineError:
        raise
    except SourceError as exc:
        raise SourceError(
            f"{exc} {done} of {asked} queries are stored; call again to go on."
        ) from exc


def _sources(entries: Mapping[str, Entry]) -> list[Note]:
    """Return one note that says when the tables were fetched."""
    times = sorted(entry.fetched_at for entry in entries.values())
    if not times:
        return []
    rule = f"queries of WRDS, fetched {times[0]} to {times[-1]}"
    return [Note(rule, len(entries), len(entries), "", "read from the store", "data")]
