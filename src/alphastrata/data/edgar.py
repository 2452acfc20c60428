"""Statements from the SEC's EDGAR: companyfacts by company, or all of them from the bulk zip.

The SEC asks every program to say who runs it and to make at most ten requests a second in total.
Without a User-Agent nothing is sent; requests wait for their turn over all threads and processes
of this machine.

Source: https://www.sec.gov/search-filings/edgar-application-programming-interfaces
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.data.download import Progress, RateLimiter, download
from alphastrata.data.edgar_facts import CompanyFacts, Period, parse_companyfacts, point_in_time
from alphastrata.data.statements import Statements, collect_statements
from alphastrata.data.store import Entry, Fetched, Mode, Store, resolve_mode
from alphastrata.errors import (
    ConfigError,
    InputDataError,
    OfflineError,
    RateLimitError,
    SourceError,
)

FACTS_URL = "https://data.sec.gov/api/xbrl/companyfacts/"
"""Folder of one JSON per company."""
TICKERS_URL = "https://www.sec.gov/files/company_tickers.json"
"""The tickers of today and the companies' numbers."""
BULK_URL = "https://www.sec.gov/Archives/edgar/daily-index/xbrl/companyfacts.zip"
"""All companies in one zip of more than a gigabyte; fetch it with any downloader, read it here."""

USER_AGENT_VARIABLE = "ALPHASTRATA_SEC_USER_AGENT"
"""Environment variable with a name and an e-mail address, as the SEC requires."""

REQUESTS_PER_SECOND = 8.0
"""Below the ten that the SEC allows."""
MAX_FACTS_BYTES = 128 * 2**20

CompanyProgress = Callable[[int, int, str], None]
"""Called with companies done, companies in all, and the company just finished."""

_AGENT = re.compile(r".*\S\s+\S+@\S+\.\S+.*|.*\S+@\S+\.\S+\s+\S.*")


def edgar(
    companies: Sequence[str | int],
    *,
    period: Period = "annual",
    user_agent: str | None = None,
    mode: Mode | None = None,
    store: Store | None = None,
    progress: CompanyProgress | None = None,
) -> Statements:
    """Return point-in-time statements of companies, each fetched and stored for itself.

    An interrupted call goes on where it stopped.

    Parameters
    ----------
    companies : sequence of str or int
        Tickers of today, or the SEC's numbers (320193, "CIK0000320193"), which stay with a
        company for good. The table names each company as it was asked for.
    period : {"annual", "quarterly", "ttm"}
        See `point_in_time`.
    user_agent : str, optional
        Name and e-mail address; ALPHASTRATA_SEC_USER_AGENT when not given.
    mode : {"offline", "cache-first", "refresh"}, optional
        ALPHASTRATA_MODE, or "cache-first".
    store : Store, optional
        The default store when not given.
    progress : callable, optional
        Called after each company.

    Raises
    ------
    ConfigError
        There is no User-Agent and something has to be fetched.
    OfflineError
        The mode is "offline" and a company is not stored.
    RateLimitError, SourceError
        The SEC refuses or cannot be reached, or no company has statements.

    Examples
    --------
    Ask by number, so that a ticker that changed hands cannot mislead::

        edgar([320193, 789019], period="ttm", user_agent="Ann Smith ann@example.org")
    """
    keep = store if store is not None else Store()
    entries, failures = fetch_companies(
        companies, user_agent=user_agent, mode=mode, store=keep, progress=progress
    )
    tables: list[pd.DataFrame] = []
    notes: list[Note] = []
    for name, entry in entries.items():
        facts = parse_companyfacts(keep.read(entry))
        table, found = point_in_time(facts, period=period, asset=name)
        if table.empty:
            failures[name] = f"{facts.name} has filed no {period} statements in dollars."
            continue
        tables.append(table)
        notes.extend(found)
    return collect_statements(tables, failures, notes, entries)


def fetch_companies(
    companies: Sequence[str | int],
    *,
    user_agent: str | None = None,
    mode: Mode | None = None,
    store: Store | None = None,
    progress: CompanyProgress | None = None,
) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return the stored companyfacts of companies, and why some have none, by name.

    Parameters and errors are those of `edgar`, which reads what is fetched here. Names are those
    asked for; numbers are called "CIK0000320193".
    """
    if not companies:
        raise ConfigError("Name at least one company, by ticker or by the SEC's number.")
    keep = store if store is not None else Store()
    numbers = _numbers(companies, user_agent, mode, keep)
    entries: dict[str, Entry] = {}
    failures: dict[str, str] = {}
    for done, (name, cik) in enumerate(numbers.items(), start=1):
        try:
            if cik is None:
                raise InputDataError(f"{name!r} is no ticker of the SEC's list.")
            entries[name] = fetch_edgar(cik, user_agent=user_agent, mode=mode, store=keep)
        except (InputDataError, NoFactsError) as exc:
            failures[name] = str(exc)
        except SourceError as exc:
            if not entries:
                raise
            kind = next(
                k for k in (RateLimitError, OfflineError, SourceError) if isinstance(exc, k)
            )
            far = f"{len(entries)} of {len(numbers)} companies are stored; call again to go on."
            raise kind(f"{exc} {far}") from exc
        if progress is not None:
            progress(done, len(numbers), name)
    return entries, failures


def edgar_bulk(
    path: str | Path,
    *,
    companies: Mapping[int, str] | None = None,
    period: Period = "annual",
    progress: CompanyProgress | None = None,
) -> Statements:
    """Return point-in-time statements from the SEC's bulk file of companyfacts.

    Parameters
    ----------
    path : str or Path
        `companyfacts.zip`, as the SEC serves it at `BULK_URL`; it is never unpacked to disk.
    companies : mapping of int to str, optional
        The SEC's number -> name of the asset. Without it, every company, named "CIK0000320193".
    period : {"annual", "quarterly", "ttm"}
        See `point_in_time`.
    progress : callable, optional
        Called after each company.

    Raises
    ------
    InputDataError
        The zip is damaged, or holds none of the companies.
    """
    tables: list[pd.DataFrame] = []
    notes: list[Note] = []
    failures: dict[str, str] = {}
    for done, asked, label, raw in _members(Path(path), companies):
        try:
            table, found = point_in_time(parse_companyfacts(raw), period=period, asset=label)
            if not table.empty:
                tables.append(table)
            notes.extend(found)
        except InputDataError as exc:
            failures[label] = str(exc)
        if progress is not None:
            progress(done, asked, label)
    return collect_statements(tables, failures, notes, {})


def fetch_edgar(
    cik: int,
    *,
    user_agent: str | None = None,
    mode: Mode | None = None,
    store: Store | None = None,
    progress: Progress | None = None,
) -> Entry:
    """Return the stored companyfacts of one company, fetched as the mode allows.

    Parameters
    ----------
    cik : int
        The SEC's number of the company.
    user_agent, mode, store
        As in `edgar`.
    progress : callable, optional
        Called with the bytes read and, where known, their total.

    Raises
    ------
    ConfigError, OfflineError, RateLimitError, SourceError, InputDataError
        As `edgar`.
    """
    if not 0 < cik < 10**10:
        raise ConfigError(f"The SEC's numbers have at most ten digits; got {cik}.")
    keep = store if store is not None else Store()
    name = f"CIK{cik:010d}"

    def fetch() -> Fetched:
        got = _get(f"{FACTS_URL}{name}.json", user_agent, keep, progress)
        facts: CompanyFacts = parse_companyfacts(got.raw)
        if facts.cik != cik:
            raise InputDataError(f"The SEC answers about company {facts.cik}, not {cik}.")
        return got

    command = f"alphastrata fetch edgar {cik}"
    return keep.obtain(f"edgar/companyfacts/{name}", fetch, command=command, mode=mode)


def edgar_tickers(
    *, user_agent: str | None = None, mode: Mode | None = None, store: Store | None = None
) -> pd.DataFrame:
    """Return the SEC's list of today's tickers: ticker -> cik, title.

    Tickers are reused: this list says nothing about who had a ticker in the past.

    Raises
    ------
    ConfigError, OfflineError, RateLimitError, SourceError, InputDataError
        As `edgar`.
    """
    keep = store if store is not None else Store()
    entry = keep.obtain(
        "edgar/tickers",
        lambda: _get(TICKERS_URL, user_agent, keep, None),
        command="alphastrata fetch edgar --tickers",
        mode=mode,
    )
    try:
        rows = list(json.loads(keep.read(entry)).values())
        frame = pd.DataFrame(
            {
                "cik": [int(row["cik_str"]) for row in rows],
                "title": [str(row["title"]) for row in rows],
            },
            index=pd.Index([str(row["ticker"]) for row in rows], name="ticker"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InputDataError(f"The SEC's list of tickers cannot be read: {exc!r}.") from exc
    return frame[~frame.index.duplicated()]


class NoFactsError(SourceError):
    """The SEC has no facts of this company."""


def _agent(user_agent: str | None) -> str:
    """Return the User-Agent, refusing to go on without a name and an address."""
    agent = user_agent or os.environ.get(USER_AGENT_VARIABLE, "")
    if _AGENT.fullmatch(agent) is None:
        raise ConfigError(
            "The SEC serves only those who say who they are: a name and an e-mail address. Set "
            f"{USER_AGENT_VARIABLE}='Ann Smith ann@example.org', or pass user_agent=."
        )
    return agent


def _get(url: str, user_agent: str | None, keep: Store, progress: Progress | None) -> Fetched:
    """Fetch one file of the SEC, in turn."""
    limiter = RateLimiter(keep.root / "locks" / "sec.slot", per_second=REQUESTS_PER_SECOND)
    try:
        return download(
            url,
            headers={"User-Agent": _agent(user_agent), "Accept-Encoding": "gzip, deflate"},
            max_bytes=MAX_FACTS_BYTES,
            mode="cache-first",
            limiter=limiter,
            progress=progress,
        )
    except SourceError as exc:
        if " answers 404 " in str(exc):
            raise NoFactsError(f"{exc} The SEC holds no XBRL facts under this number.") from exc
        raise


def _numbers(
    companies: Sequence[str | int], user_agent: str | None, mode: Mode | None, keep: Store
) -> dict[str, int | None]:
    """Return the SEC's number of each company; None for an unknown ticker."""
    found: dict[str, int | None] = {}
    tickers: list[str] = []
    for company in companies:
        label = f"CIK{company:010d}" if isinstance(company, int) else str(company)
        digits = re.fullmatch(r"(?:CIK)?0*([1-9]\d{0,9})", label)
        if label in found:
            raise ConfigError(f"Each company is asked for once; {label!r} repeats.")
        found[label] = int(digits.group(1)) if digits else None
        if digits is None:
            tickers.append(label)
    if tickers:
        # A list fetched before serves; companies are what a refresh is about.
        kept = "cache-first" if resolve_mode(mode) == "refresh" else mode
        known = edgar_tickers(user_agent=user_agent, mode=kept, store=keep)["cik"]
        for ticker in tickers:
            if ticker in known.index:
                found[ticker] = int(known[ticker])
    return found


def _members(
    path: Path, companies: Mapping[int, str] | None
) -> Iterator[tuple[int, int, str, bytes]]:
    """Yield number, total, name of the asset and bytes of the companies wanted from a bulk zip."""
    wanted = None if companies is None else {f"CIK{c:010d}.json": n for c, n in companies.items()}
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [i for i in archive.infolist() if re.fullmatch(r"CIK\d{10}\.json", i.filename)]
            if wanted is not None:
                infos = [i for i in infos if i.filename in wanted]
            for done, info in enumerate(infos, start=1):
                if info.file_size > MAX_FACTS_BYTES:
                    raise InputDataError(
                        f"{info.filename} is longer than {MAX_FACTS_BYTES:,} bytes."
                    )
                with archive.open(info) as handle:
                    raw = handle.read(MAX_FACTS_BYTES + 1)
                label = info.filename[:-5] if wanted is None else wanted[info.filename]
                yield done, len(infos), label, raw
    except (zipfile.BadZipFile, EOFError, OSError) as exc:
        raise InputDataError(f"{path} cannot be read as the SEC's bulk zip: {exc}") from exc
