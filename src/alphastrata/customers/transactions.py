"""From transactions to features of customers: holdings, trading, gains."""

from __future__ import annotations

import numpy as np
import pandas as pd

from alphastrata.core.checks import Violations
from alphastrata.customers.kinds import parse_numbers

__all__ = ["transaction_features"]

AMOUNTS = ("balance", "invested", "buy", "sell")


def transaction_features(
    transactions: pd.DataFrame, *, as_of: str | pd.Timestamp | None = None
) -> pd.DataFrame:
    """Return what each customer's transactions say about them.

    Parameters
    ----------
    transactions : DataFrame
        One row per customer, date and fund: ``customer_id``, ``date``, ``fund`` (type of fund) and
        any of ``balance`` (value held at the end of the date), ``invested`` (paid in and not yet
        taken out), ``buy`` and ``sell`` (amounts of the date, >= 0); all in currency units.
    as_of : date, optional
        Day on which customers are described; later rows are left out. The last date by default.

    Returns
    -------
    DataFrame
        Index: customer (str). ``share_<fund>`` (of the last balance, 0 to 1), ``recency`` (days
        since the last trade), ``frequency`` (trades per 30 days of tenure), ``monetary`` (mean
        amount of a trade), ``net_flow`` (bought minus sold), ``gain`` (balance over invested,
        minus 1), ``diversification`` (1 minus the sum of squared shares), ``tenure`` (days since
        the first row) and ``holdings_volatility`` (standard deviation of the return of the
        holdings, per year). Missing where the columns for it are, or nothing is held.

    Raises
    ------
    InputDataError
        If a column is absent, a date is none, or an amount bought or sold is negative.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": ["a", "a"], "date": ["2024-01-01", "2024-01-31"],
    ...                      "fund": ["stock", "bond"], "buy": [100.0, 50.0], "sell": [0.0, 0.0],
    ...                      "balance": [100.0, 50.0]})
    >>> out = transaction_features(rows)
    >>> out.loc["a", ["net_flow", "tenure", "frequency"]].tolist()
    [150.0, 30.0, 2.0]
    """
    rows = _checked(transactions)
    end = rows["date"].max() if as_of is None else pd.Timestamp(as_of)
    rows = rows[rows["date"] <= end]
    by_customer = rows.groupby("customer", sort=True)
    out = pd.DataFrame(index=pd.Index(sorted(rows["customer"].unique()), name="customer"))
    out["tenure"] = (end - by_customer["date"].min()).dt.days.astype("float64")
    if {"buy", "sell"} <= set(rows.columns):
        out = out.join(_trading(rows, end, out["tenure"]))
    if "balance" in rows:
        out = out.join(_holding(rows))
    return out


def _checked(transactions: pd.DataFrame) -> pd.DataFrame:
    check = Violations("The transactions")
    absent = [c for c in ("customer_id", "date", "fund") if c not in transactions.columns]
    check.require(
        not absent,
        "They need the columns customer_id, date and fund",
        count=len(absent),
        first=absent[0] if absent else "",
    )
    amounts = [c for c in AMOUNTS if c in transactions.columns]
    check.require(bool(amounts), f"They need at least one of {', '.join(AMOUNTS)}")
    check.raise_if_any()
    dates = pd.to_datetime(transactions["date"], errors="coerce", format="ISO8601")
    bad = dates.isna()
    check.require(
        not bad.any(),
        "Every row needs a date",
        count=int(bad.sum()),
        first=f"row {transactions.index[bad][0]}" if bad.any() else "",
        remedy="Write dates as 2024-01-31",
    )
    out = pd.DataFrame(
        {
            "customer": transactions["customer_id"].astype(str),
            "date": dates,
            "fund": transactions["fund"].astype(str).str.strip(),
        }
    )
    for name in amounts:
        out[name] = parse_numbers(transactions[name])
    for name in ("buy", "sell"):
        negative = out[name] < 0 if name in out else pd.Series(False, index=out.index)
        check.require(
            not negative.any(),
            f"An amount in {name!r} must not be negative",
            count=int(negative.sum()),
            first=f"row {out.index[negative][0]}" if negative.any() else "",
            remedy="Put what goes out into sell",
        )
    check.raise_if_any()
    return out


def _trading(rows: pd.DataFrame, end: pd.Timestamp, tenure: pd.Series) -> pd.DataFrame:
    bought, sold = rows["buy"].fillna(0.0), rows["sell"].fillna(0.0)
    trades = rows.assign(amount=bought + sold, flow=bought - sold)
    trades = trades[trades["amount"] > 0]
    grouped = trades.groupby("customer")
    count = grouped.size().reindex(tenure.index, fill_value=0).astype("float64")
    return pd.DataFrame(
        {
            "recency": (end - grouped["date"].max()).dt.days.astype("float64"),
            "frequency": count / np.maximum(tenure / 30.0, 1.0),
            "monetary": grouped["amount"].mean(),
            "net_flow": grouped["flow"].sum(),
        }
    ).reindex(tenure.index)


def _holding(rows: pd.DataFrame) -> pd.DataFrame:
    ordered = rows.sort_values(["customer", "fund", "date"], kind="stable")
    last = ordered.groupby(["customer", "fund"]).last()
    balance = last["balance"].clip(lower=0.0).unstack("fund").fillna(0.0)
    total = balance.sum(axis=1)
    held = total > 0
    shares = balance.div(total.where(held), axis=0)
    out = shares.add_prefix("share_")
    out["diversification"] = 1.0 - (shares**2).sum(axis=1).where(held)
    if "invested" in rows:
        paid = last["invested"].unstack("fund").sum(axis=1)
        out["gain"] = (total / paid.where(paid > 0) - 1.0).reindex(out.index)
    out["holdings_volatility"] = _volatility(ordered).reindex(out.index)
    return out


def _volatility(ordered: pd.DataFrame) -> pd.Series:
    """Return the deviation per year of the holdings' return, flows of the day taken out."""
    flow = ordered.get("buy", 0.0) - ordered.get("sell", 0.0)
    daily = ordered.assign(flow=flow).groupby(["customer", "date"])[["balance", "flow"]].sum()
    before = daily["balance"].groupby(level="customer").shift()
    result = ((daily["balance"] - daily["flow"]) / before.where(before > 0) - 1.0).rename("r")
    days = daily.index.get_level_values("date").unique().sort_values()
    gaps = np.diff(days.to_numpy()).astype("timedelta64[D]").astype(float)
    per_year = 365.25 / float(np.median(gaps)) if len(gaps) else 1.0
    # Trading days are 252 a year; a calendar of work days has gaps of one day all the same.
    per_year = 252.0 if per_year > 300 else per_year
    return result.groupby(level="customer").std() * np.sqrt(per_year)
