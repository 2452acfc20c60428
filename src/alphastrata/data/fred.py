"""Interest rates and macro series of FRED, with the day on which each figure became known.

FRED dates a figure by the first day of the month or quarter that it is about; here it is dated by
the last day, and `known_at` says when it was released. FRED serves the current edition: a series
that is revised (GDP, payrolls, industrial production) shows figures that nobody had at the time,
even after its release lag. `fred_catalog()` tells which ones are.

Source: Federal Reserve Bank of St. Louis, https://fred.stlouisfed.org
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import numpy as np
import pandas as pd

from alphastrata.data.bills import Basis, bill_returns
from alphastrata.data.download import Progress, Replay, download
from alphastrata.data.store import Entry, Fetched, Mode, Store
from alphastrata.errors import ConfigError, InputDataError, LookAheadError

FRED_URL = "https://fred.stlouisfed.org/graph/fredgraph.csv"
"""Where a series is served as CSV, with ?id=<series>; the address that pandas-datareader uses."""

MAX_SERIES_BYTES = 16 * 2**20

Transform = Literal["level", "change", "growth", "annual_growth"]

_ID = re.compile(r"[A-Z0-9_]{2,30}")
_ROW = re.compile(rb"\d{4}-\d\d-\d\d,(-?[\d.]+(e[-+]?\d+)?|\.|)", re.IGNORECASE)
_PER_YEAR = {"M": 12, "Q": 4, "Y": 1}


@dataclass(frozen=True)
class _Known:
    """One row of the catalogue of series."""

    name: str
    frequency: str
    unit: str
    release_lag_days: int
    bill_days: int | None
    bill_basis: str


def fred_catalog() -> pd.DataFrame:
    """Return the series that the package knows, id -> name, frequency, release lag and more.

    `release_lag_days` runs from the end of the period to the first release, on the careful side;
    `revised` says whether later editions change old figures; `bill_days` and `bill_basis` are
    what `bill_returns` needs.

    Examples
    --------
    >>> fred_catalog().loc["GDPC1", ["frequency", "revised"]].tolist()
    ['Q', 'yes']
    """
    path = resources.files("alphastrata.data") / "fred_series.csv"
    with path.open(encoding="utf-8") as handle:
        frame = pd.read_csv(handle, index_col="id", keep_default_na=False, na_values={})
    frame["bill_days"] = pd.to_numeric(frame["bill_days"]).astype("Int64")
    return frame


@cache
def _known() -> dict[str, _Known]:
    return {
        str(row.Index): _Known(
            str(row.name),
            str(row.frequency),
            str(row.unit),
            int(str(row.release_lag_days)),
            int(str(row.bill_days)) if str(row.bill_days).isdigit() else None,
            str(row.bill_basis),
        )
        for row in fred_catalog().itertuples()
    }


def parse_fred(raw: bytes, series_id: str) -> pd.Series:
    r"""Return the figures of one series as FRED prints them, by FRED's dates; missing ones as NaN.

    Read by pandas-datareader's `FredReader`, after every line was seen to be what it expects:
    that reader takes a page of HTML for a table.

    Parameters
    ----------
    raw : bytes
        The CSV.
    series_id : str
        Such as "TB3MS".

    Raises
    ------
    InputDataError
        The bytes are not the CSV of this series, or are cut short.

    Examples
    --------
    >>> parse_fred(b"DATE,TB3MS\n2020-01-01,1.52\n2020-02-01,.\n", "TB3MS").tolist()
    [1.52, nan]
    """
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    head = lines[0].decode("ascii", "replace").split(",")
    if len(head) != 2 or head[0] not in ("DATE", "observation_date") or head[1] != series_id:
        raise InputDataError(
            f"FRED's answer for {series_id} begins {lines[0][:60]!r}, not with 'DATE,{series_id}'. "
            "Check the name of the series."
        )
    if lines[-1] != b"":
        raise InputDataError(f"FRED's answer for {series_id} is cut short: {lines[-1][:40]!r}.")
    wrong = [i for i, line in enumerate(lines[1:-1], start=2) if _ROW.fullmatch(line) is None]
    if wrong or len(lines) < 3:
        first = f" First: line {wrong[0]}, {lines[wrong[0] - 1][:40]!r}." if wrong else ""
        raise InputDataError(
            f"FRED's answer for {series_id} has {len(wrong)} lines that are not 'date,number' "
            f"among {len(lines) - 2}.{first}"
        )
    from pandas_datareader.fred import FredReader

    frame = FredReader(series_id, start="1700-01-01", end="2262-01-01", session=Replay(raw)).read()
    series = frame[series_id].astype(np.float64)
    series.index = pd.DatetimeIndex(series.index).as_unit("ns").rename("date")
    if not series.index.is_monotonic_increasing or not series.index.is_unique:
        raise InputDataError(f"FRED's dates for {series_id} do not ascend, or one repeats.")
    return series


def fetch_fred(
    series_id: str,
    *,
    mode: Mode | None = None,
    store: Store | None = None,
    progress: Progress | None = None,
) -> Entry:
    """Return the stored CSV of a series, fetched as the mode allows; only what parses is stored.

    Raises
    ------
    OfflineError
        The store lacks it and the mode is "offline".
    SourceError, InputDataError
        FRED does not deliver the series.
    """
    if _ID.fullmatch(series_id) is None:
        raise ConfigError(f"{series_id!r} is not the name of a FRED series, such as 'TB3MS'.")

    def fetch() -> Fetched:
        got = download(
            f"{FRED_URL}?id={series_id}",
            max_bytes=MAX_SERIES_BYTES,
            mode="cache-first",
            progress=progress,
        )
        parse_fred(got.raw, series_id)
        return got

    keep = store if store is not None else Store()
    command = f"alphastrata fetch fred {series_id}"
    return keep.obtain(f"fred/{series_id}", fetch, command=command, mode=mode)


def fred(series_id: str, *, mode: Mode | None = None, store: Store | None = None) -> pd.Series:
    """Return the figures of one FRED series as printed, by FRED's dates (first days of periods).

    For use beside a panel take `macro_series`, which knows when figures were released.

    Raises
    ------
    OfflineError, SourceError, InputDataError
        As `fetch_fred`.
    """
    keep = store if store is not None else Store()
    return parse_fred(keep.read(fetch_fred(series_id, mode=mode, store=keep)), series_id)


def macro_series(
    series: str | pd.Series,
    *,
    transform: Transform = "level",
    frequency: str | None = None,
    release_lag_days: int | None = None,
    mode: Mode | None = None,
    store: Store | None = None,
) -> pd.DataFrame:
    """Return a macro series with the day on which each figure became known.

    Parameters
    ----------
    series : str or Series
        A FRED series, or figures of your own dated as FRED does, by the first day of each period.
    transform : {"level", "change", "growth", "annual_growth"}
        As it is; minus the period before; over the period before minus 1; over the same period of
        the year before minus 1. Rates in percent become decimals first.
    frequency : {"D", "W", "M", "Q", "Y"}, optional
        Of the figures; from the catalogue for a series that is in it.
    release_lag_days : int, optional
        Days from the end of the period to the release; from the catalogue where it knows it.
    mode, store
        As in `fetch_fred`.

    Returns
    -------
    DataFrame
        Index "date": last day of the period that the figure is about. One column with the series
        and "known_at": what a join by date of release needs. Missing figures are left out.

    Raises
    ------
    LookAheadError
        Nothing says how long after its period a figure was released.
    ConfigError
        The frequency is unknown, or the transform is.

    Examples
    --------
    >>> cpi = pd.Series([250.0, 252.5], index=pd.to_datetime(["2020-01-01", "2020-02-01"]),
    ...                 name="cpi")
    >>> macro_series(cpi, transform="growth", frequency="M", release_lag_days=20).reset_index()
            date  cpi_growth   known_at
    0 2020-02-29        0.01 2020-03-20
    """
    known = _known().get(series) if isinstance(series, str) else None
    letter = frequency or (known.frequency if known else None)
    lag = release_lag_days if release_lag_days is not None else None
    if lag is None and known is not None:
        lag = known.release_lag_days
    label = series if isinstance(series, str) else str(series.name or "series")
    if letter not in ("D", "W", "M", "Q", "Y"):
        raise ConfigError(f"Say the frequency of {label}: D, W, M, Q or Y; got {letter!r}.")
    if lag is None or lag < 0:
        raise LookAheadError(
            f"Nothing says when the figures of {label} became known. Say release_lag_days, from "
            "the end of a period to the release; it cannot be negative."
        )
    raw = fred(series, mode=mode, store=store) if isinstance(series, str) else series
    values = raw.astype(np.float64).dropna()
    if known is not None and known.unit == "percent":
        values = values / 100.0
    ends = _period_ends(pd.DatetimeIndex(values.index), letter)
    values = _transformed(pd.Series(values.to_numpy(), index=ends), transform, letter).dropna()
    name = (known.name if known else label) + ("" if transform == "level" else f"_{transform}")
    dates = pd.DatetimeIndex(values.index)
    return pd.DataFrame(
        {name: values.to_numpy(), "known_at": dates + pd.Timedelta(days=lag)}, index=dates
    )


def risk_free(
    series_id: str = "DTB4WK",
    *,
    freq: Literal["D", "M"] = "M",
    mode: Mode | None = None,
    store: Store | None = None,
) -> pd.Series:
    """Return the riskless return per period from a bill series of FRED, in decimals.

    Parameters
    ----------
    series_id : str
        A series of `fred_catalog` with `bill_days`: "DTB4WK" (daily quotes since 2001), "TB3MS"
        (monthly averages since 1934), "DTB3", "TB4WK", "DGS1MO", "DGS3MO".
    freq : {"D", "M"}
        See `bill_returns`.
    mode, store
        As in `fetch_fred`.

    Raises
    ------
    ConfigError
        The catalogue does not know the series as a bill, or "D" is asked of monthly averages.
    """
    known = _known().get(series_id)
    if known is None or known.bill_days is None:
        bills = ", ".join(i for i, k in _known().items() if k.bill_days is not None)
        raise ConfigError(f"{series_id!r} is no bill series of the catalogue; those are {bills}.")
    if freq == "D" and known.frequency != "D":
        raise ConfigError(f"{series_id} has monthly averages; take DTB4WK or DTB3 for daily rates.")
    basis: Basis = "discount" if known.bill_basis == "discount" else "investment"
    quotes = fred(series_id, mode=mode, store=store)
    return bill_returns(quotes, days=known.bill_days, basis=basis, freq=freq)


def _period_ends(dates: pd.DatetimeIndex, letter: str) -> pd.DatetimeIndex:
    """Return the last day of each period, from FRED's first day of it."""
    if letter in ("D", "W"):
        ends = dates
    else:
        ends = pd.PeriodIndex(dates, freq=letter).to_timestamp(how="end").normalize()
    if not ends.is_unique:
        raise ConfigError(
            f"The figures are more frequent than the frequency {letter!r} that is said."
        )
    return pd.DatetimeIndex(ends).as_unit("ns").rename("date")


def _transformed(values: pd.Series, transform: Transform, letter: str) -> pd.Series:
    """Return the transform, with periods that are missing left as gaps and not bridged."""
    if transform == "level":
        return values
    periods = 1
    if transform == "annual_growth":
        if letter not in _PER_YEAR:
            raise ConfigError(
                f"annual_growth needs monthly, quarterly or yearly figures, not {letter}."
            )
        periods = _PER_YEAR[letter]
    if letter in _PER_YEAR:
        numbers = pd.PeriodIndex(values.index, freq=letter)
        before = pd.Series(values.to_numpy(), index=numbers).reindex(numbers - periods).to_numpy()
    else:
        before = values.shift(periods).to_numpy()
    now = values.to_numpy()
    if transform == "change":
        return pd.Series(now - before, index=values.index)
    if transform in ("growth", "annual_growth"):
        return pd.Series(now / before - 1.0, index=values.index)
    raise ConfigError(
        f"transform must be level, change, growth or annual_growth; got {transform!r}."
    )
