"""Panel and names of characteristics in, a panel of characteristics out."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note, Violations
from alphastrata.core.panel import Panel
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.features.definitions import Definition, definitions
from alphastrata.features.evaluate import STAGE, Evaluation, Memo
from alphastrata.features.lookback import PERIODS, SPANS, Sources, clock_of

# How many alternatives a message names.
MOST_NAMED = 8


def compute(
    panel: Panel | pd.DataFrame,
    names: str | Sequence[str],
    *,
    daily: Panel | pd.DataFrame | None = None,
) -> Panel:
    """Return characteristics of every row of a panel, known at the row's date.

    Parameters
    ----------
    panel
        Market panel with the canonical fields that the characteristics need, of any frequency; a
        long frame that `Panel` accepts will do.
    names
        Characteristics to compute, names of `catalog`.
    daily
        Daily panel (ret, and price and volume for market liquidity) of the same assets. A row at
        t sees days up to t. A panel that is itself daily is its own daily panel.

    Returns
    -------
    Panel
        The rows and the calendar of ``panel``, one column per characteristic, and the panel's
        categorical columns (exchange, industry). Its notes say, with counts, what was left
        missing and why: divisions by zero, negative denominators, logarithms of what is not
        positive, too few returns in a window.

    Raises
    ------
    ConfigError
        For unknown or repeated names, with the closest known ones.
    InputDataError
        Where a field, the daily panel or a suitable frequency is missing; names the
        characteristic and the alternatives that the panel can compute. Everything that is wrong
        is named at once, before any work.

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "date": ["2020-01-31", "2020-02-29"],
    ...     "asset": ["A", "A"],
    ...     "total_liabilities": [40.0, 60.0],
    ...     "total_assets": [100.0, 0.0],
    ... })
    >>> leverage = compute(frame, ["leverage"])
    >>> leverage.values("leverage")
    array([0.4, nan])
    >>> print(leverage.notes[0])
    leverage: division by total_assets = 0: 1 of 2 left missing (first: date=2020-02-29, asset=A)
    """
    wanted = [names] if isinstance(names, str) else list(names)
    panel = panel if isinstance(panel, Panel) else Panel(panel)
    if daily is None:
        sources = Sources(panel, panel if panel.freq == "D" else None)
    else:
        sources = Sources(panel, daily if isinstance(daily, Panel) else Panel(daily, freq="D"))
    _check(wanted, sources)
    chosen = [definitions()[name] for name in wanted]
    columns: dict[str, np.ndarray] = {}
    notes: list[Note] = _unseen(sources, chosen)
    memo: Memo = {}
    for definition in chosen:
        evaluation = Evaluation(definition, sources, memo)
        columns[definition.name] = evaluation.values()
        notes += evaluation.notes
    labels = [name for name in panel.columns if panel.is_categorical(name)]
    return panel.select(labels).assign(columns).with_notes(notes)


def computable(panel: Panel, *, daily: Panel | None = None) -> list[str]:
    """Return the characteristics of the catalog that a market's fields can give.

    Parameters
    ----------
    panel, daily
        As for `compute`.

    Examples
    --------
    >>> frame = pd.DataFrame({"date": ["2020-01-31"], "asset": ["A"], "market_cap": [9.0]})
    >>> computable(Panel(frame, freq="M"))
    ['market_cap', 'log_market_cap']
    """
    sources = Sources(panel, panel if daily is None and panel.freq == "D" else daily)
    return [name for name, known in definitions().items() if not lacking(known, sources)]


def obstacles(panel: Panel, names: Sequence[str], *, daily: Panel | None = None) -> dict[str, str]:
    """Return why characteristics cannot be computed from a market's fields, and what can be.

    Parameters
    ----------
    panel, names, daily
        As for `compute`.

    Returns
    -------
    dict
        Name -> reason and remedy, for those names alone that `compute` would refuse.

    Examples
    --------
    >>> frame = pd.DataFrame({"date": ["2020-01-31"], "asset": ["A"], "market_cap": [9.0]})
    >>> obstacles(Panel(frame, freq="M"), ["log_market_cap", "leverge"])
    {'leverge': "'leverge' is no characteristic; did you mean leverage?"}
    """
    sources = Sources(panel, panel if daily is None and panel.freq == "D" else daily)
    known = definitions()
    found = {}
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            remedy = (
                f"did you mean {close[0]}?"
                if close
                else "`alphastrata list characteristics` shows what there is"
            )
            found[name] = f"{name!r} is no characteristic; {remedy}"
        elif reasons := lacking(known[name], sources):
            found[name] = f"{', and '.join(reasons)}. {_alternatives(known[name], sources)}"
    return found


def _check(wanted: list[str], sources: Sources) -> None:
    """Raise one error that names everything that keeps the characteristics from being computed."""
    found = Violations("features.compute")
    known = definitions()
    unknown = [name for name in wanted if name not in known]
    for name in unknown:
        close = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
        remedy = f"Did you mean {' or '.join(close)}" if close else "See features.catalog()"
        found.add("A characteristic is one of the catalog", first=repr(name), remedy=remedy)
    repeated = sorted({str(name) for name in wanted if wanted.count(name) > 1})
    found.require(
        not repeated,
        "A characteristic is asked for once",
        count=len(repeated),
        first=", ".join(repeated),
        remedy="Drop the repeats",
    )
    found.require(bool(wanted), "At least one characteristic is asked for")
    bad_config = bool(found.messages)
    _check_sources(sources, found)
    for name in dict.fromkeys(wanted):
        if name not in known:
            continue
        for reason in lacking(known[name], sources):
            found.add(reason, remedy=_alternatives(known[name], sources))
    found.raise_if_any(ConfigError if bad_config else InputDataError)


def _check_sources(sources: Sources, found: Violations) -> None:
    panel, daily = sources.panel, sources.daily
    if daily is not None:
        found.require(
            daily.freq == "D",
            "The daily panel has daily dates",
            first=f'freq "{daily.freq}"',
            remedy="Pass daily data, or leave daily out",
        )
        found.require(
            bool(daily.assets.isin(panel.assets).any()),
            "The daily panel has assets of the panel",
            first=f"{daily.assets[0]!r} against {panel.assets[0]!r}",
            remedy="Name the assets alike in both",
        )
    if panel.freq in ("Q", "Y"):
        periods = clock_of(panel)[panel.offsets[:-1][np.diff(panel.offsets) > 0]]
        same = int((np.diff(periods) == 0).sum())
        found.require(
            same == 0,
            f"A panel of {PERIODS[panel.freq]} has one date in each",
            count=same,
            remedy="Move the dates to the ends of the periods",
        )


def lacking(definition: Definition, sources: Sources) -> list[str]:
    """Return why a characteristic cannot be computed from the sources; empty where it can.

    Parameters
    ----------
    definition
        The characteristic.
    sources
        The panel, and the daily panel beside it.
    """
    name, formula, reasons = definition.name, definition.parsed, []
    for where, fields in formula.choices:
        source = sources.of(where)
        if source is not None and not set(fields) & set(source.columns):
            which = "the panel" if source is sources.panel else "the daily panel"
            listed = ", ".join(map(repr, fields))
            reasons.append(f"{name} needs one or more of the fields {listed} in {which}")
    for where, field in formula.fields:
        source = sources.of(where)
        if source is None:
            continue
        which = "the panel" if source is sources.panel else "the daily panel"
        if field not in source.columns:
            if (where, field) in formula.required:
                reasons.append(f"{name} needs the field {field!r} in {which}")
        elif source.is_categorical(field):
            reasons.append(f"{name} needs numbers in the field {field!r} of {which}")
    for where, span in formula.spans:
        source = sources.of(where)
        if source is not None and span not in SPANS[source.freq]:
            unit = PERIODS[source.freq]
            hint = "; pass daily=" if where == "finest" and sources.daily is None else ""
            reasons.append(f"{name} looks back over {span!r}, which {unit} cannot count{hint}")
    if any(sources.of(where) is None for where, _ in formula.fields):
        reasons.append(f"{name} needs a daily panel; pass daily=")
    return reasons


def _alternatives(definition: Definition, sources: Sources) -> str:
    """Return which other characteristics can be computed, of the same family where there are."""
    others = [d for d in definitions().values() if d.name != definition.name]
    can = [d for d in others if not lacking(d, sources)]
    kin = [d.name for d in can if d.family == definition.family]
    if kin:
        return f"Of the family {definition.family!r} the panel can compute {', '.join(kin)}"
    if not can:
        return "The panel can compute no characteristic; name its columns canonically"
    rest = f" and {len(can) - MOST_NAMED} more" if len(can) > MOST_NAMED else ""
    listed = ", ".join(d.name for d in can[:MOST_NAMED])
    return f"The panel can compute none of the family {definition.family!r}, but {listed}{rest}"


def _unseen(sources: Sources, chosen: Sequence[Definition]) -> list[Note]:
    """Return a note on assets that the daily panel does not know, where it is looked at."""
    looked = any(where != "panel" for d in chosen for where, _ in d.parsed.fields)
    if sources.daily is None or not looked:
        return []
    assets = sources.panel.assets
    absent = ~assets.isin(sources.daily.assets)
    if not absent.any():
        return []
    first = f"asset={assets[int(np.argmax(absent))]}"
    count = int(absent.sum())
    rule = "assets of the panel that the daily panel lacks"
    return [Note(rule, count, len(assets), first, "left missing", STAGE)]
