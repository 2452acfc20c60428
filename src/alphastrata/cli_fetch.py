"""The fetch commands: one source each into the store, and a line on everything they got.

Exit codes: 0 when all is stored, 1 when some of it could not be had, 2 with one message when
nothing could, 130 when interrupted. What is stored stays: the same command goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from alphastrata.cli_progress import Report, progress_bars
from alphastrata.errors import (
    ConfigError,
    InputDataError,
    OfflineError,
    RateLimitError,
    SourceError,
)

if TYPE_CHECKING:
    import pandas as pd

    from alphastrata.data import Entry, Store, YahooHistory
    from alphastrata.data.store import Mode

fetch_app = typer.Typer(
    help=(
        "Fetch data into the local store (ALPHASTRATA_CACHE); what is there is not fetched "
        "again.\n\nExample: alphastrata fetch french F-F_Research_Data_5_Factors_2x3"
    ),
    no_args_is_help=True,
)

Refresh = Annotated[bool, typer.Option("--refresh", help="Fetch again what is stored.")]
INTERRUPTED = 130


class Period(StrEnum):
    """The statements that Yahoo shows."""

    annual = "annual"
    quarterly = "quarterly"


class Clock(StrEnum):
    """What a statement of the SEC covers."""

    annual = "annual"
    quarterly = "quarterly"
    ttm = "ttm"


@contextmanager
def _fetching() -> Iterator[tuple[Store, Report]]:
    """Give the store and a progress bar; an interruption says that what is stored stays."""
    from alphastrata.data import Store

    try:
        with progress_bars(stopped="") as report:
            yield Store(), report
    except KeyboardInterrupt:
        typer.echo(
            "Interrupted. What is stored stays; the same command goes on from there.", err=True
        )
        raise typer.Exit(INTERRUPTED) from None


def _mode(refresh: bool) -> Mode | None:
    return "refresh" if refresh else None


def _stamp(entry: Entry) -> str:
    """Return where the bytes of an entry can be found again."""
    vintage = f"vintage {entry.vintage}, " if entry.vintage else ""
    return f"{vintage}fetched {entry.fetched_at}, sha256 {entry.sha256}"


def _span(dates: pd.Series) -> str:
    return f"{dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}"


def _end(what: str, got: int, failures: Mapping[str, str], store: Store) -> None:
    """Say what failed and how much is stored; exit with 1 for partial failure, 2 for nothing."""
    for name, reason in failures.items():
        typer.echo(f"{name}: failed: {reason}", err=True)
    if failures and not got:
        raise SourceError(f"None of {len(failures)} {what} could be had; the reasons stand above.")
    asked = got + len(failures)
    typer.echo(f"{got} of {asked} {what} in {store.root}" + (", the rest failed" * bool(failures)))
    if failures:
        raise typer.Exit(1)


def _one_by_one(
    names: list[str], fetch: Callable[[str, Report], Entry], report: Report
) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return what was fetched and what failed; a dead network or a rate limit ends it at once."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"Each name is said once; repeated: {', '.join(twice)}.")
    entries: dict[str, Entry] = {}
    failures: dict[str, str] = {}
    for number, name in enumerate(names, start=1):
        try:
            entries[name] = fetch(name, report)
        except (OfflineError, RateLimitError):
            raise
        except (ConfigError, InputDataError, SourceError) as error:
            if len(names) == 1:
                raise
            failures[name] = str(error)
        report("fetch", number, len(names))
    return entries, failures


@fetch_app.command()
def french(
    names: Annotated[list[str], typer.Argument(help="Names of `alphastrata list factors`.")],
    refresh: Refresh = False,
) -> None:
    """Fetch files of Kenneth French's library and say which tables they hold.

    Example: alphastrata fetch french F-F_Research_Data_5_Factors_2x3
    """
    from alphastrata.data import fetch_french, parse_french

    def fetch(name: str, report: Report) -> Entry:
        return fetch_french(
            name,
            mode=_mode(refresh),
            store=store,
            progress=lambda done, total: report(name, done, total or done),
        )

    with _fetching() as (store, report):
        entries, failures = _one_by_one(names, fetch, report)
    for name, entry in entries.items():
        typer.echo(f"{name}: {_stamp(entry)}")
        for table in parse_french(store.read(entry), label=name).tables:
            span = f"{table.frame.index[0].date()} to {table.frame.index[-1].date()}"
            shape = f"{len(table.frame):>6} rows  {table.frame.shape[1]:>3} columns"
            typer.echo(f"  {table.frequency}  {span}  {shape}  {table.name} ({table.unit})")
    _end("files", len(entries), failures, store)


@fetch_app.command()
def fred(
    series: Annotated[list[str], typer.Argument(help="Names of FRED's series, such as TB3MS.")],
    refresh: Refresh = False,
) -> None:
    """Fetch series of FRED and say what they cover and when figures count as known.

    Example: alphastrata fetch fred TB3MS GDPC1 T10Y3M
    """
    from alphastrata.data import fetch_fred, fred_catalog, parse_fred

    catalog = fred_catalog()
    with _fetching() as (store, report):
        entries, failures = _one_by_one(
            series, lambda name, _: fetch_fred(name, mode=_mode(refresh), store=store), report
        )
    for name, entry in entries.items():
        values = parse_fred(store.read(entry), name)
        days = values.index.to_series()
        missing = int(values.isna().sum())
        typer.echo(
            f"{name}: {len(values)} rows ({missing} missing), {_span(days)}; {_stamp(entry)}"
        )
        if name in catalog.index:
            row = catalog.loc[name]
            revised = "revised later" if row["revised"] == "yes" else "never revised"
            lag = f"known {row['release_lag_days']} days after the period's end, {revised}"
            typer.echo(f"  {row['name']} ({row['frequency']}, {row['unit']}), {lag}")
        else:
            typer.echo("  not in the catalogue: a study has to say frequency and release_lag_days")
    _end("series", len(entries), failures, store)


@fetch_app.command()
def yahoo(
    tickers: Annotated[list[str], typer.Argument(help="As Yahoo writes them, such as BRK-B.")],
    start: Annotated[str | None, typer.Option(help="First day of prices, 2010-01-01.")] = None,
    end: Annotated[str | None, typer.Option(help="Last day of prices; now when left out.")] = None,
    statements: Annotated[Period | None, typer.Option(help="Statements as well.")] = None,
    refresh: Refresh = False,
) -> None:
    """Fetch daily prices of tickers from Yahoo, their statements, or both.

    Prices with --start, statements with --statements. Yahoo lists the tickers
    of today: a universe of them has survived by construction.

    Example: alphastrata fetch yahoo AAPL MSFT --start 2010-01-01
    """
    from alphastrata.data import yahoo_history, yahoo_statements

    if start is None and (statements is None or end is not None):
        raise ConfigError("Say --start 2010-01-01 for prices, or --statements annual, or both.")
    asked, failures, mode = tickers, dict[str, str](), _mode(refresh)
    if start is not None:
        with _fetching() as (store, report):
            history = yahoo_history(
                tickers,
                start=start,
                end=None if end is None else _day_after(end),
                mode=mode,
                store=store,
                progress=lambda done, total, _: report("prices", done, total),
            )
        # Said before the statements are asked for: these stay, whatever comes of those.
        _say_prices(history)
        asked, failures = list(history.charts), dict(history.failures)
    if statements is not None:
        with _fetching() as (store, report):
            shown = yahoo_statements(
                asked,
                lag=0,  # Dates nothing here; a study has to declare its own.
                period=statements.value,
                mode=mode,
                store=store,
                progress=lambda done, total, _: report("statements", done, total),
            )
        _say_statements(shown.table, shown.entries)
        failures |= shown.failures
    _end("tickers", len(tickers) - len(failures), failures, store)


def _say_prices(history: YahooHistory) -> None:
    for name, chart in history.charts.items():
        days = chart.frame.index.to_series()
        kind = f"{chart.currency} {chart.exchange}"
        stamp = _stamp(history.entries[name])
        typer.echo(f"{name}: {len(days)} days, {_span(days)}, {kind}; {stamp}")
        for note in chart.notes:
            typer.echo(f"  {note}")


def _say_statements(table: pd.DataFrame, entries: Mapping[str, Entry]) -> None:
    for name, rows in table.groupby("asset", sort=False):
        stamp = _stamp(entries[str(name)])
        periods = rows["period_end"]
        typer.echo(f"{name}: {len(rows)} statements, {_span(periods)}; {stamp}")


def _day_after(day: str) -> str:
    import pandas as pd

    try:
        return (pd.Timestamp(day) + pd.Timedelta(days=1)).date().isoformat()
    except ValueError as error:
        raise ConfigError(f"--end is a day such as 2024-12-31; got {day!r}.") from error


@fetch_app.command()
def edgar(
    companies: Annotated[
        list[str] | None, typer.Argument(help="The SEC's numbers, or tickers of today.")
    ] = None,
    period: Annotated[Clock, typer.Option(help="What is counted below.")] = Clock.annual,
    user_agent: Annotated[str | None, typer.Option(help="Who asks, and an address.")] = None,
    tickers: Annotated[
        bool, typer.Option("--tickers", help="The list of today's tickers.")
    ] = False,
    refresh: Refresh = False,
) -> None:
    """Fetch companies' filed facts from the SEC and say which statements they make.

    Say who you are, with --user-agent or in ALPHASTRATA_SEC_USER_AGENT.
    The SEC's numbers stay with a company; tickers change hands.

    Example: alphastrata fetch edgar 320193 MSFT --user-agent "Ann a@example.org"
    """
    from alphastrata.data import edgar as edgar_
    from alphastrata.data import edgar_tickers

    if not companies and not tickers:
        raise ConfigError("Name companies, such as 320193 or AAPL, or say --tickers.")
    mode = _mode(refresh)
    got = listed = None
    with _fetching() as (store, report):
        if tickers:
            listed = edgar_tickers(user_agent=user_agent, mode=mode, store=store)
        if companies:
            got = edgar_(
                [int(name) if name.isdigit() else name for name in companies],
                period=period.value,
                user_agent=user_agent,
                mode=mode,
                store=store,
                progress=lambda done, total, _: report("companies", done, total),
            )
    entry = store.get("edgar/tickers")
    if listed is not None and entry is not None:
        typer.echo(f"tickers: {len(listed)} rows; {_stamp(entry)}")
    if got is None or not companies:
        return
    _say_statements(got.table, got.entries)
    for note in got.notes:
        if note.first.removeprefix("asset=") not in got.failures:
            typer.echo(f"  {note}")
    _end("companies", len(companies) - len(got.failures), got.failures, store)


@fetch_app.command()
def wrds(
    start: Annotated[int, typer.Option(help="First year of returns.", min=1925)],
    end: Annotated[int, typer.Option(help="Last year.", min=1925)],
    url: Annotated[
        str | None, typer.Option(help="SQLAlchemy URL, without password (keep it in ~/.pgpass).")
    ] = None,
    refresh: Refresh = False,
) -> None:
    """Fetch CRSP's and Compustat's tables from WRDS, year by year.

    The account is ALPHASTRATA_WRDS_USER, or ALPHASTRATA_WRDS_URL, or --url.
    The data are licensed: keep the store where the licence allows.

    Example: alphastrata fetch wrds --start 1990 --end 2020
    """
    import pandas as pd

    from alphastrata.data import fetch_wrds

    with _fetching() as (store, report):
        got = fetch_wrds(
            start=start,
            end=end,
            url=url,
            mode=_mode(refresh),
            store=store,
            progress=lambda done, total, _: report("queries", done, total),
        )
    for name, frame in got.frames.items():
        clock = {"msf_v2": "mthcaldt", "funda": "datadate"}.get(name)
        span = f", {_span(pd.to_datetime(frame[clock]))}" if clock and len(frame) else ""
        typer.echo(f"{name}: {len(frame)} rows{span}")
        for key, entry in got.entries.items():
            if key.split("/")[1] == name:
                typer.echo(f"  {key}: {_stamp(entry)}")
    _end("queries", len(got.entries), {}, store)
