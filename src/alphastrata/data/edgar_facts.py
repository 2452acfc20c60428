"""SEC companyfacts as statements with two clocks: what a filing is about, and since when known.

A fact is keyed by its tag, start and end. The `fy` and `fp` that the SEC puts beside it describe
the filing and not the fact, and are not used. The first filing of a fact counts from its filing
date; another value filed later (an amendment, a restated comparative) counts from its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.shown import Shown
from alphastrata.data.sessions import next_session
from alphastrata.errors import ConfigError, InputDataError

Period = Literal["annual", "quarterly", "ttm"]

YEAR, QUARTER = (350, 380), (80, 100)
"""Shortest and longest days of a fiscal year (52 or 53 weeks) and of a quarter."""
YEAR_TO_DATE = (QUARTER, (170, 192), (259, 285))

FIRST_YEAR = 1990
"""No fact is about a day before this year; XBRL began in 2009."""

_FIRST_DAY = date(FIRST_YEAR, 1, 1).toordinal()
_HELPERS = ("liabilities_and_equity", "whole_equity")


class Fact(NamedTuple):
    """One number in one filing; dates as proleptic ordinals, `start` 0 for a balance."""

    tag: str
    start: int
    end: int
    value: float
    filed: int
    accession: str


@dataclass(frozen=True)
class CompanyFacts(Shown):
    """What one company has filed, restricted to the tags of `edgar_tags.csv`.

    Attributes
    ----------
    cik, name
        The company's number and name at the SEC.
    facts
        In the order of filing.
    other_units
        How many facts of these tags are in a unit other than the expected one (another currency)
        and were left out.
    misdated
        How many are about a day after their filing, or a day before `FIRST_YEAR`: slips of the
        pen, left out.
    """

    cik: int
    name: str
    facts: tuple[Fact, ...]
    other_units: int = 0
    misdated: int = 0


@dataclass(frozen=True)
class _Field:
    """One canonical field: its tags in order of preference."""

    name: str
    tags: tuple[str, ...]
    kind: str
    signs: tuple[int, ...]
    largest: bool


def edgar_tags() -> pd.DataFrame:
    """Return the tag chains: canonical field, tag, unit, kind, sign, choice, best tag first.

    `kind` is "stock" (a balance), "flow" or "cover" (of the cover page, dated after the period).
    `choice` "first" takes the first tag that has a value, "largest" the largest value.
    """
    path = resources.files("alphastrata.data") / "edgar_tags.csv"
    with path.open(encoding="utf-8") as handle:
        return pd.read_csv(handle, keep_default_na=False)


@cache
def _units() -> dict[str, str]:
    table = edgar_tags()
    return dict(zip(table["tag"], table["unit"], strict=True))


@cache
def _fields() -> tuple[_Field, ...]:
    fields = []
    for (name, kind), rows in edgar_tags().groupby(["canonical", "kind"], sort=False):
        signs = tuple(int(sign) for sign in rows["sign"])
        largest = bool((rows["choice"] == "largest").all())
        fields.append(_Field(str(name), tuple(rows["tag"]), str(kind), signs, largest))
    return tuple(fields)


def parse_companyfacts(raw: bytes) -> CompanyFacts:
    """Return the facts of one company from the SEC's companyfacts JSON.

    Raises
    ------
    InputDataError
        The bytes are not such a file.
    """
    try:
        body = json.loads(raw)
        cik, name, taxonomies = int(body["cik"]), str(body["entityName"]), body["facts"]
        facts: list[Fact] = []
        others = 0
        units = _units()
        for taxonomy in ("us-gaap", "dei"):
            for tag, entry in taxonomies.get(taxonomy, {}).items():
                if tag not in units:
                    continue
                for unit, rows in entry["units"].items():
                    if unit != units[tag]:
                        others += len(rows)
                        continue
                    facts.extend(_facts(tag, rows))
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InputDataError(
            f"This is not the companyfacts JSON of one company ({exc!r}); it begins {raw[:60]!r}."
        ) from exc
    rightly = [f for f in facts if _FIRST_DAY <= f.end <= f.filed and f.start <= f.end]
    rightly.sort(key=lambda fact: (fact.filed, fact.accession))
    return CompanyFacts(cik, name, tuple(rightly), others, len(facts) - len(rightly))


def _facts(tag: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[Fact]:
    for row in rows:
        start = row.get("start")
        yield Fact(
            tag,
            0 if start is None else date.fromisoformat(start).toordinal(),
            date.fromisoformat(row["end"]).toordinal(),
            float(row["val"]),
            date.fromisoformat(row["filed"]).toordinal(),
            str(row["accn"]),
        )


class _State:
    """What is known of one company at one moment: tag -> end -> start -> value."""

    def __init__(self) -> None:
        self.known: dict[str, dict[int, dict[int, float]]] = {}
        self.cover: dict[int, float] = {}

    def learn(self, fact: Fact) -> bool:
        """Take in a fact; return whether it says something new."""
        by_start = self.known.setdefault(fact.tag, {}).setdefault(fact.end, {})
        if by_start.get(fact.start) == fact.value:
            return False
        by_start[fact.start] = fact.value
        return True

    def stock(self, tag: str, end: int) -> float | None:
        """Return a balance."""
        return self.known.get(tag, {}).get(end, {}).get(0)

    def lasting(self, tag: str, end: int, length: tuple[int, int]) -> tuple[int, float] | None:
        """Return start and value of a flow that ends then and has such a length in days."""
        found = self.known.get(tag, {}).get(end, {})
        fitting = [s for s in found if s and length[0] <= end - s + 1 <= length[1]]
        if not fitting:
            return None
        start = max(fitting)
        return start, found[start]

    def near(
        self, tag: str, end: int, slack: int, length: tuple[int, int], start: int | None = None
    ) -> float | None:
        """Return the flow of such a length that ends within some days of a date."""
        for other in sorted(self.known.get(tag, {}), key=lambda e: (abs(e - end), e)):
            if abs(other - end) > slack:
                return None
            found = self.lasting(tag, other, length)
            if found is not None and (start is None or found[0] == start):
                return found[1]
        return None

    def flow(self, tag: str, end: int, period: Period) -> float | None:
        """Return a flow of the year, the quarter or the trailing twelve months that end then."""
        whole = self.lasting(tag, end, YEAR)
        if period == "annual":
            return None if whole is None else whole[1]
        if period == "ttm":
            return whole[1] if whole is not None else self._trailing(tag, end)
        quarter = self.lasting(tag, end, QUARTER)
        return quarter[1] if quarter is not None else self._last_quarter(tag, end)

    def _last_quarter(self, tag: str, end: int) -> float | None:
        """Return the year to date minus the year to the quarter before."""
        lengths = (*YEAR_TO_DATE, YEAR)
        for shorter, longer in pairwise(lengths):
            found = self.lasting(tag, end, longer)
            if found is not None:
                before = self.near(tag, end - 91, 10, shorter, start=found[0])
                return None if before is None else found[1] - before
        return None

    def _trailing(self, tag: str, end: int) -> float | None:
        """Return last fiscal year + year to date - the same part of the year before."""
        for length in reversed(YEAR_TO_DATE):
            so_far = self.lasting(tag, end, length)
            if so_far is not None:
                year = self.near(tag, so_far[0] - 1, 6, YEAR)
                before = self.near(tag, end - 365, 10, length)
                if year is None or before is None:
                    return None
                return year + so_far[1] - before
        return None


def point_in_time(
    company: CompanyFacts, *, period: Period = "annual", asset: str | None = None
) -> tuple[pd.DataFrame, list[Note]]:
    """Return one row per fiscal period and moment at which something new became known of it.

    Parameters
    ----------
    company : CompanyFacts
        From `parse_companyfacts`.
    period : {"annual", "quarterly", "ttm"}
        Flows of fiscal years; of quarters (the fourth, and cash flows, by subtracting the year to
        date); or of the twelve months up to each quarter (last year + year to date - the same
        part of the year before).
    asset : str, optional
        Name of the asset; "CIK0000320193" and the like when not given.

    Returns
    -------
    DataFrame, list of Note
        Columns asset, period_end, filed, known_at (first trading day after the filing), and the
        canonical fields; NaN where no tag of the chain has a value. A later row of the same
        period holds everything known of it by then.

    Raises
    ------
    ConfigError
        The period is none of the three.

    Notes
    -----
    A period is shown once a balance sheet and a flow of the required length end with it, so that
    the third year of comparative flows, which has no balance sheet, does not pass for one.
    Total liabilities without a tag of their own are liabilities and equity minus equity.
    Earnings per share are not additive: quarters are taken only where they are filed.
    """
    if period not in ("annual", "quarterly", "ttm"):
        raise ConfigError(f"period must be annual, quarterly or ttm; got {period!r}.")
    state = _State()
    rows: list[dict[str, float]] = []
    shown: dict[int, dict[str, float]] = {}
    seen: set[int] = set()
    several = 0
    for filed, facts in _by_day(company.facts):
        touched = {fact.end for fact in facts if state.learn(fact)}
        _cover(state, facts, touched)
        seen |= touched
        # A year or a quarter of the past enters trailing sums of up to a year later.
        reach = 0 if period == "annual" else YEAR[1]
        ends = {e for e in seen for t in touched if 0 <= e - t <= reach}
        for end in sorted(ends):
            row, ambiguous = _row(state, end, period)
            if row is None or row == shown.get(end):
                continue
            several += ambiguous and end not in shown
            shown[end] = row
            rows.append({"period_end": end, "filed": filed, **row})
    label = asset or f"CIK{company.cik:010d}"
    notes = []
    if several:
        rule = f"{label}: several revenue tags with different values"
        notes.append(Note(rule, several, len(shown), "", "largest taken", "data"))
    if company.other_units:
        rule = f"{label}: facts in a unit other than dollars"
        notes.append(Note(rule, company.other_units, 0, "", "left out", "data"))
    if company.misdated:
        rule = f"{label}: facts about a day after their filing, or long ago"
        notes.append(Note(rule, company.misdated, 0, "", "left out", "data"))
    return _table(rows, label), notes


def _by_day(facts: Iterable[Fact]) -> Iterator[tuple[int, list[Fact]]]:
    """Yield the facts filed on each day, in order."""
    day: list[Fact] = []
    for fact in facts:
        if day and fact.filed != day[0].filed:
            yield day[0].filed, day
            day = []
        day.append(fact)
    if day:
        yield day[0].filed, day


def _cover(state: _State, facts: list[Fact], touched: set[int]) -> None:
    """Give a cover page's number of shares to the latest balance sheet of its filing."""
    covers = {f.accession: f for f in facts if f.tag in _cover_tags()}
    for accession, cover in covers.items():
        balances = [
            f.end for f in facts if f.accession == accession and f.tag == "Assets" and not f.start
        ]
        if balances and state.cover.get(max(balances)) != cover.value:
            state.cover[max(balances)] = cover.value
            touched.add(max(balances))


@cache
def _cover_tags() -> frozenset[str]:
    return frozenset(tag for f in _fields() if f.kind == "cover" for tag in f.tags)


def _row(state: _State, end: int, period: Period) -> tuple[dict[str, float] | None, bool]:
    """Return the canonical fields of a period, and whether the revenue tags disagree."""
    row: dict[str, float] = {}
    has_flow = ambiguous = False
    for field in _fields():
        if field.kind == "cover":
            if end in state.cover:
                row[field.name] = state.cover[end]
            continue
        values = [
            None if (v := _value(state, field, tag, end, period)) is None else v * sign
            for tag, sign in zip(field.tags, field.signs, strict=True)
        ]
        there = [v for v in values if v is not None]
        if not there or field.name in row:
            continue
        row[field.name] = max(there) if field.largest else there[0]
        ambiguous |= field.largest and len(set(there)) > 1
        has_flow |= field.kind == "flow" and field.name in ("net_income", "sales")
    if "total_liabilities" not in row and {*_HELPERS} <= row.keys():
        row["total_liabilities"] = row["liabilities_and_equity"] - row["whole_equity"]
    for helper in _HELPERS:
        row.pop(helper, None)
    whole = has_flow and ("total_assets" in row or "book_equity" in row)
    return (row if whole else None), ambiguous


def _value(state: _State, field: _Field, tag: str, end: int, period: Period) -> float | None:
    if field.kind == "stock":
        return state.stock(tag, end)
    if field.name == "eps" and period == "quarterly":
        found = state.lasting(tag, end, QUARTER)
        return None if found is None else found[1]
    return state.flow(tag, end, period)


def _table(rows: list[dict[str, float]], label: str) -> pd.DataFrame:
    """Return the rows as a table with dates, and known_at a trading day after the filing."""
    names = list(dict.fromkeys(f.name for f in _fields() if f.name not in _HELPERS))
    table = pd.DataFrame(rows, columns=["period_end", "filed", *names]).astype(np.float64)
    epoch = date(1970, 1, 1).toordinal()
    for clock in ("period_end", "filed"):
        days = (table[clock].to_numpy() - epoch).astype("datetime64[D]")
        table[clock] = days.astype("datetime64[ns]")
    table.insert(0, "asset", label)
    table.insert(3, "known_at", next_session(pd.DatetimeIndex(table["filed"])))
    return table.sort_values(["known_at", "period_end"], ignore_index=True)
