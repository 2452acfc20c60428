"""CRSP and Compustat tables, as WRDS serves them, made into market rows and statements.

Pure functions of frames. The traps they deal with:

* The usual screen of common stocks asks for active trading. In the month of a delisting trading is
  no longer active, so a screen of that month throws the delisting return away; here a row is kept
  by what the security was at the row before.
* Monthly returns of the CIZ format contain the delisting return where CRSP has one. Where it has
  none, failures are what is missing; a stated policy fills them in and counts them.
* Compustat has no filing dates: statements become known by a lag that the caller declares.
* A link between a company and a security holds for a time; statements move to the security from
  the day on which the link begins, and not before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core.checks import Note
from alphastrata.core.keys import month_end
from alphastrata.data.lags import Lag, apply_lag
from alphastrata.data.sessions import next_session
from alphastrata.errors import InputDataError

SCREEN: dict[str, tuple[str, ...]] = {
    "sharetype": ("NS",),
    "securitytype": ("EQTY",),
    "securitysubtype": ("COM",),
    "usincflg": ("Y",),
    "issuertype": ("ACOR", "CORP"),
    "primaryexch": ("N", "A", "Q"),
    "conditionaltype": ("RW", "NW"),
    "tradingstatusflg": ("A",),
}
"""Ordinary common stocks of US companies on NYSE, AMEX and Nasdaq: share codes 10 and 11 of old."""

EXCHANGES = {"N": "NYSE", "A": "AMEX", "Q": "NASDAQ"}

_EQUITY = ("seq", "ceq", "txditc", "pstkrv", "pstkl", "pstk")
_INFO = ("primaryexch", "siccd", *(name for name in SCREEN if name != "primaryexch"))


@dataclass(frozen=True)
class DelistingPolicy:
    """What is assumed where CRSP has no delisting return.

    Attributes
    ----------
    actions
        Codes in `delactiontype` that stand for failure: issues dropped by their exchange, the
        codes 500 to 591 of old. CRSP's table of flags has the codes of your edition; those that
        were met and not filled are listed in the notes.
    nyse_amex, nasdaq
        The return assumed for them. -0.35 and -0.55 are those of Shumway (1997), Journal of
        Finance 52, and Shumway and Warther (1999), Journal of Finance 54, as used by Johnson and
        Zhao (2007); other delistings without a return stay missing and are counted.
    """

    actions: tuple[str, ...] = ("GDR",)
    nyse_amex: float = -0.35
    nasdaq: float = -0.55


def market_rows(
    msf: pd.DataFrame,
    info: pd.DataFrame,
    delists: pd.DataFrame,
    *,
    policy: DelistingPolicy | None = None,
) -> tuple[pd.DataFrame, list[Note]]:
    """Return monthly rows of common stocks from CRSP's tables in the CIZ format.

    Parameters
    ----------
    msf : DataFrame
        `crsp.msf_v2`: permno, mthcaldt, mthret, mthprc, mthcap, mthvol, shrout.
    info : DataFrame
        `crsp.stksecurityinfohist`: permno, secinfostartdt, secinfoenddt, primaryexch, siccd and
        the columns of `SCREEN`.
    delists : DataFrame
        `crsp.stkdelists`: permno, delistingdt, delret, delactiontype.
    policy : DelistingPolicy, optional
        The default policy when not given.

    Returns
    -------
    DataFrame, list of Note
        Columns date (month end), asset (PERMNO as text), ret (with the delisting return), price
        (dollars), volume (shares), shares, market_cap (dollars), exchange, industry (division of
        the SIC code), delisted (1 in the last row of a delisted security).

    Raises
    ------
    InputDataError
        A security has two rows in a month.
    """
    plan = policy or DelistingPolicy()
    rows = msf.sort_values(["permno", "mthcaldt"], ignore_index=True)
    permno = rows["permno"].to_numpy(np.int64)
    dates = pd.DatetimeIndex(rows["mthcaldt"]).as_unit("ns")
    months = month_end(dates)
    same = np.zeros(len(rows), dtype=bool)
    same[1:] = permno[1:] == permno[:-1]
    twice = same & np.r_[False, months[1:] == months[:-1]]
    if twice.any():
        at = int(twice.argmax())
        raise InputDataError(
            f"Each security has one row a month; {int(twice.sum())} repeat. First: permno "
            f"{permno[at]}, {months[at].date()}."
        )
    before = dates.to_numpy().copy()
    before[same] = dates.to_numpy()[:-1][same[1:]]
    spells = _spells(info)
    then = _spell_at(spells, permno, before)
    now = _spell_at(spells, permno, dates.to_numpy())
    common = np.ones(len(spells), dtype=bool)
    for name, allowed in SCREEN.items():
        common &= spells[name].isin(allowed).to_numpy()
    kept = _pick(common, then, False)
    listed = spells["primaryexch"].isin(list(EXCHANGES)).to_numpy()
    # In the month of a delisting the exchange may be no longer named: then that of the row before.
    named = np.where(_pick(listed, now, False), now, then)
    exchange = _pick(spells["primaryexch"].map(EXCHANGES).to_numpy(object), named, None)
    industry = _pick(sic_division(spells["siccd"].to_numpy(np.float64)), named, None)
    price = rows["mthprc"].abs().to_numpy(np.float64)
    shares = rows["shrout"].to_numpy(np.float64) * 1e3
    cap = rows["mthcap"].to_numpy(np.float64) * 1e3
    table = pd.DataFrame(
        {
            "date": months,
            "permno": permno,
            "ret": rows["mthret"].to_numpy(np.float64),
            "price": np.where(price > 0, price, np.nan),
            "volume": rows["mthvol"].to_numpy(np.float64),
            "shares": shares,
            "market_cap": np.where(np.isnan(cap), price * shares, cap),
            "exchange": exchange,
            "industry": industry,
            "delisted": 0.0,
        }
    )[kept]
    notes = [
        _note("rows of other than US common stocks", len(rows) - len(table), len(rows), "left out")
    ]
    table, more = _delist(table, delists, plan)
    table.insert(1, "asset", table.pop("permno").astype(str))
    found = [note for note in [*notes, *more] if note.count]
    return table.sort_values(["date", "asset"], ignore_index=True), found


def statement_rows(funda: pd.DataFrame, *, lag: Lag) -> tuple[pd.DataFrame, list[Note]]:
    """Return annual statements from Compustat, known after a declared lag.

    Parameters
    ----------
    funda : DataFrame
        `comp.funda` (industrial format, standardised, domestic, consolidated): gvkey, datadate and
        the items of `wrds_fields.csv`, in millions; seq, ceq, txditc, pstkrv, pstkl and pstk for
        book equity.
    lag : str, int, Timedelta or DateOffset
        As `as_of` takes it, such as "6M".

    Returns
    -------
    DataFrame, list of Note
        Columns gvkey, period_end, known_at and the canonical fields, in dollars.

    Notes
    -----
    Book equity is shareholders' equity (seq, else ceq + pstk, else at - lt) plus deferred taxes
    (txditc, zero where missing) minus preferred stock (pstkrv, else pstkl, else pstk, else zero).
    Source: Davis, Fama and French (2000), Journal of Finance 55.
    """
    rows = funda.sort_values(["gvkey", "datadate"], kind="stable")
    twice = rows.duplicated(["gvkey", "datadate"], keep="last")
    rows = rows[~twice]
    ends = pd.Series(pd.DatetimeIndex(rows["datadate"]).as_unit("ns"), name="period_end")
    table = pd.DataFrame({"gvkey": rows["gvkey"].astype(str).to_numpy(), "period_end": ends})
    table["known_at"] = apply_lag(ends, lag).to_numpy()
    for row in _fields().itertuples():
        item = str(row.item)
        if item in rows:
            table[str(row.canonical)] = rows[item].to_numpy(np.float64) * float(str(row.scale))
    equity = _first(rows, [["seq"], ["ceq", "pstk"], ["at", "-lt"]])
    deferred = np.nan_to_num(_first(rows, [["txditc"]]))
    preferred = np.nan_to_num(_first(rows, [["pstkrv"], ["pstkl"], ["pstk"]]))
    table["book_equity"] = (equity + deferred - preferred) * 1e6
    notes = [
        _note("statements of the same company and date", int(twice.sum()), len(funda), "last kept")
    ]
    declared = Note(f"statements known {lag} after their period end", len(table), len(table), "",
                    "declared, no filing dates", "data")  # fmt: skip
    return table, [declared, *(note for note in notes if note.count)]


def funda_items() -> list[str]:
    """Return the items of `comp.funda` that `statement_rows` reads."""
    return [*_fields()["item"], *(item for item in _EQUITY if item not in set(_fields()["item"]))]


@cache
def _fields() -> pd.DataFrame:
    path = resources.files("alphastrata.data") / "wrds_fields.csv"
    with path.open(encoding="utf-8") as handle:
        return pd.read_csv(handle)


def link_statements(
    statements: pd.DataFrame, links: pd.DataFrame
) -> tuple[pd.DataFrame, list[Note]]:
    """Return statements by security: company -> PERMNO while a link holds.

    Parameters
    ----------
    statements : DataFrame
        From `statement_rows`.
    links : DataFrame
        `crsp.ccmxpf_lnkhist`: gvkey, lpermno, linktype, linkprim, linkdt, linkenddt (missing:
        still holds).

    Returns
    -------
    DataFrame, list of Note
        `statements` with the column asset for gvkey. What was known before a link began is known
        to the security from the link's first day; what became known after it ended is left out.
    """
    good = links[
        links["linktype"].isin(["LC", "LU"])
        & links["linkprim"].isin(["P", "C"])
        & links["lpermno"].notna()
    ]
    far = pd.Timestamp("2262-01-01")
    good = pd.DataFrame(
        {
            "gvkey": good["gvkey"].astype(str).to_numpy(),
            "asset": good["lpermno"].astype(np.int64).astype(str).to_numpy(),
            "start": pd.DatetimeIndex(good["linkdt"]).as_unit("ns"),
            "end": pd.DatetimeIndex(pd.to_datetime(good["linkenddt"]).fillna(far)).as_unit("ns"),
            "prime": (good["linkprim"] == "P").to_numpy(),
        }
    )
    joined = statements.merge(good, on="gvkey", how="inner")
    joined = joined[joined["known_at"] <= joined["end"]]
    joined["known_at"] = joined["known_at"].where(
        joined["known_at"] >= joined["start"], joined["start"]
    )
    # Several links of the same pair (a gap between them) show a statement once, at its earliest;
    # where two companies link to one security, the primary link speaks.
    joined = joined.sort_values(["asset", "period_end", "prime", "known_at"],
                                ascending=[True, True, False, True], kind="stable")  # fmt: skip
    twice = joined.duplicated(["asset", "period_end"])
    table = joined[~twice].drop(columns=["gvkey", "start", "end", "prime"])
    table.insert(0, "asset", table.pop("asset"))
    lost = len(statements) - int(statements["gvkey"].isin(good["gvkey"]).sum())
    notes = [
        _note("statements of companies without a security", lost, len(statements), "left out"),
        _note("statements that reach a security by several links", int(twice.sum()), len(joined),
              "primary kept"),
    ]  # fmt: skip
    return table.reset_index(drop=True), [note for note in notes if note.count]


def sic_division(siccd: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return the division that a SIC code belongs to, None where it is missing or in none.

    Examples
    --------
    >>> sic_division(np.array([2834.0, 6021.0, np.nan])).tolist()
    ['Manufacturing', 'Finance', None]
    """
    names = (
        (100, 999, "Agriculture"),
        (1000, 1499, "Mining"),
        (1500, 1799, "Construction"),
        (2000, 3999, "Manufacturing"),
        (4000, 4899, "Transportation"),
        (4900, 4999, "Utilities"),
        (5000, 5199, "Wholesale"),
        (5200, 5999, "Retail"),
        (6000, 6799, "Finance"),
        (7000, 8999, "Services"),
        (9000, 9999, "Public"),
    )
    out = np.full(len(siccd), None, dtype=object)
    for low, high, name in names:
        out[(siccd >= low) & (siccd <= high)] = name
    return out


def _note(rule: str, count: int, of: int, action: str) -> Note:
    return Note(rule, count, of, "", action, "data")


def _spell_at(
    spells: pd.DataFrame, permno: NDArray[np.int64], dates: NDArray[np.datetime64]
) -> NDArray[np.int64]:
    """Return the row of the spell that holds for each security on each date, -1 where none does."""
    # One integer per (security, day): the order of the spells, and one binary search per row.
    epoch, span = np.datetime64("1800-01-01", "D"), np.int64(2**18)

    def days(values: NDArray[np.datetime64]) -> NDArray[np.int64]:
        return (values.astype("datetime64[D]") - epoch).astype(np.int64)

    held_by = spells["permno"].to_numpy(np.int64)
    starts = held_by * span + days(spells["secinfostartdt"].to_numpy())
    ends = held_by * span + days(spells["secinfoenddt"].to_numpy())
    wanted = permno * span + days(dates)
    found = np.searchsorted(starts, wanted, side="right") - 1
    inside = (found >= 0) & (wanted <= ends[np.maximum(found, 0)])
    inside &= held_by[np.maximum(found, 0)] == permno
    return np.where(inside, found, -1)


def _pick(values: NDArray[Any], rows: NDArray[np.int64], missing: object) -> NDArray[Any]:
    """Return the values at some rows, `missing` where the row is -1."""
    padded = np.empty(len(values) + 1, dtype=values.dtype)
    padded[:-1], padded[-1] = values, missing
    picked: NDArray[Any] = padded[rows]
    return picked


def _spells(info: pd.DataFrame) -> pd.DataFrame:
    """Return the descriptions of securities sorted by security and first day."""
    far = pd.Timestamp("2262-01-01")
    spells = info[["permno", "secinfostartdt", "secinfoenddt", *_INFO]].assign(
        permno=info["permno"].astype(np.int64),
        secinfostartdt=pd.DatetimeIndex(info["secinfostartdt"]).as_unit("ns"),
        secinfoenddt=pd.DatetimeIndex(pd.to_datetime(info["secinfoenddt"]).fillna(far)).as_unit(
            "ns"
        ),
    )
    return spells.sort_values(["permno", "secinfostartdt"], kind="stable", ignore_index=True)


def _delist(
    table: pd.DataFrame, delists: pd.DataFrame, plan: DelistingPolicy
) -> tuple[pd.DataFrame, list[Note]]:
    """Return the rows with delistings marked and missing delisting returns filled as the policy."""
    table = table.reset_index(drop=True)
    last = table.groupby("permno").tail(1)
    gone = delists.drop_duplicates("permno", keep="last").set_index("permno")
    gone = gone[gone.index.isin(last["permno"])]
    last = last.set_index("permno").assign(row=last.index).loc[gone.index]
    days = pd.DatetimeIndex(gone["delistingdt"]).as_unit("ns")
    # The return after the last trade falls on the next trading day, perhaps in the next month.
    due = month_end(next_session(days))
    end = pd.DatetimeIndex(last["date"])
    # A security that left the screen long before it was delisted is none of ours by then.
    ours = (due >= end) & (due <= month_end(end + pd.Timedelta(days=45)))
    in_last = (due <= end) & ours
    table.loc[last["row"].to_numpy()[in_last], "delisted"] = 1.0
    unknown = gone["delret"].isna().to_numpy() & ours
    failed = unknown & gone["delactiontype"].isin(plan.actions).to_numpy()
    assumed = np.where(last["exchange"] == "NASDAQ", plan.nasdaq, plan.nyse_amex)
    here, after = failed & in_last, failed & ~in_last
    at = last["row"].to_numpy()[here]
    earned = np.nan_to_num(table.loc[at, "ret"].to_numpy())
    table.loc[at, "ret"] = (1.0 + earned) * (1.0 + assumed[here]) - 1.0
    extra = pd.DataFrame(
        {
            "date": due[after],
            "permno": gone.index[after],
            "ret": assumed[after],
            "exchange": last["exchange"].to_numpy()[after],
            "industry": last["industry"].to_numpy()[after],
            "delisted": 1.0,
        }
    )
    kinds = gone["delactiontype"][unknown & ~failed].fillna("none").value_counts().to_dict()
    listed = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
    notes = [
        _note(
            f"delistings for failure without a return ({', '.join(plan.actions)})",
            int(failed.sum()),
            len(gone),
            f"assumed {plan.nyse_amex:+.0%} on NYSE and AMEX, {plan.nasdaq:+.0%} on Nasdaq",
        ),
        _note(
            f"other delistings without a return ({listed})",
            int((unknown & ~failed).sum()),
            len(gone),
            "left as they are",
        ),
    ]
    return pd.concat([table, extra], ignore_index=True) if len(extra) else table, notes


def _first(rows: pd.DataFrame, choices: list[list[str]]) -> NDArray[np.float64]:
    """Return the first sum of items, row by row, in which none is missing ("-lt" subtracts)."""
    out = np.full(len(rows), np.nan)
    for items in choices:
        total = np.zeros(len(rows))
        for item in items:
            name, sign = item.lstrip("-"), -1.0 if item.startswith("-") else 1.0
            total = total + sign * (
                rows[name].to_numpy(np.float64) if name in rows else np.full(len(rows), np.nan)
            )
        out = np.where(np.isnan(out), total, out)
    return out
