"""Book equity, operating profitability and investment, as Kenneth French defines them.

Statement items carry Compustat's names: at, seq, ceq, lt, txditc, txdb, itcb, pstkrv, pstkl,
pstk, sale, cogs, xsga, xint. A frame has one row per (gvkey, datadate); datadate is the fiscal
year end. An item that the frame lacks counts as missing in every row.

References
----------
Davis, Fama and French (2000), "Characteristics, covariances, and average returns", Journal of
Finance 55, p. 393. Fama and French (2015), "A five-factor asset pricing model", Journal of
Financial Economics 116. Variable definitions of Kenneth R. French's data library.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

FASB_109 = 1993


def _item(statements: pd.DataFrame, name: str) -> pd.Series:
    if name in statements:
        return statements[name].astype(np.float64)
    return pd.Series(np.nan, index=statements.index)


def _first(*choices: pd.Series) -> pd.Series:
    """Return the first of the choices that is not missing, row by row."""
    out = choices[0]
    for choice in choices[1:]:
        out = out.where(out.notna(), choice)
    return out


def book_equity(statements: pd.DataFrame, *, deferred_taxes_before: int = FASB_109) -> pd.Series:
    """Return book equity: stockholders' equity, plus deferred taxes, minus preferred stock.

    Stockholders' equity is seq, else ceq + pstk, else at - lt. Deferred taxes and investment tax
    credit are txditc, else txdb + itcb, else zero. Preferred stock is at redemption (pstkrv),
    else liquidation (pstkl), else par value (pstk), else zero.

    Parameters
    ----------
    statements
        One row per (gvkey, datadate), in the vendor's currency units.
    deferred_taxes_before
        Fiscal years that end in this calendar year or later add no deferred taxes, as the
        library does since FASB 109; a year after the sample adds them throughout.

    Returns
    -------
    pandas.Series
        In the units of the statements, missing without stockholders' equity.

    Examples
    --------
    >>> one = pd.DataFrame({"datadate": pd.to_datetime(["2000-12-31"]), "seq": [100.0],
    ...                     "txditc": [5.0], "pstkrv": [10.0]})
    >>> book_equity(one).tolist(), book_equity(one, deferred_taxes_before=2100).tolist()
    ([90.0], [95.0])
    """
    preferred = _first(
        *(_item(statements, name) for name in ("pstkrv", "pstkl", "pstk"))
    ).fillna(0.0)  # fmt: skip
    equity = _first(
        _item(statements, "seq"),
        _item(statements, "ceq") + _item(statements, "pstk"),
        _item(statements, "at") - _item(statements, "lt"),
    )
    taxes = _first(
        _item(statements, "txditc"), _item(statements, "txdb") + _item(statements, "itcb")
    ).fillna(0.0)
    early = pd.DatetimeIndex(statements["datadate"]).year < deferred_taxes_before
    return equity + taxes.where(early, 0.0) - preferred


def operating_profitability(statements: pd.DataFrame, book: pd.Series) -> pd.Series:
    """Return revenues minus costs over book equity.

    Costs are cost of goods sold, selling, general and administrative, and interest expense; at
    least one is there, and missing ones count as zero. The library's pages on its factors and
    portfolios, like Fama and French (2015), divide by book equity; its list of variables adds
    minority interest, for which ``book`` is book equity plus ``mib``.

    Parameters
    ----------
    statements
        With sale, cogs, xsga and xint.
    book
        What divides, where it is positive: book equity of the same rows.

    Returns
    -------
    pandas.Series
        A ratio, missing without revenues, costs or positive book equity.

    Examples
    --------
    >>> one = pd.DataFrame({"sale": [100.0], "cogs": [60.0], "xint": [None]})
    >>> operating_profitability(one, pd.Series([200.0])).tolist()
    [0.2]
    """
    costs = pd.concat([_item(statements, name) for name in ("cogs", "xsga", "xint")], axis=1)
    total = costs.sum(axis=1, min_count=1)
    return (_item(statements, "sale") - total) / book.where(book > 0.0)


def investment(statements: pd.DataFrame) -> pd.Series:
    """Return the growth of total assets over the fiscal year before.

    Parameters
    ----------
    statements
        With gvkey, datadate and at. The year before is the company's last row whose fiscal year
        ends in the previous calendar year; a skipped year gives a missing value.

    Returns
    -------
    pandas.Series
        at(t) / at(t-1) - 1, missing without positive total assets in both years.

    Examples
    --------
    >>> ends = pd.to_datetime(["2000-12-31", "2001-12-31"])
    >>> years = pd.DataFrame({"gvkey": "1", "datadate": ends, "at": [100.0, 110.0]})
    >>> investment(years).round(4).tolist()
    [nan, 0.1]
    """
    year = pd.DatetimeIndex(statements["datadate"]).year
    table = pd.DataFrame(
        {
            "gvkey": statements["gvkey"].to_numpy(),
            "year": year,
            "datadate": statements["datadate"].to_numpy(),
            "at": _item(statements, "at").to_numpy(),
        },
        index=statements.index,
    )
    last = table.sort_values("datadate").drop_duplicates(["gvkey", "year"], keep="last")
    before = last.assign(year=last["year"] + 1).set_index(["gvkey", "year"])["at"]
    keys = pd.MultiIndex.from_frame(table[["gvkey", "year"]])
    earlier = pd.Series(before.reindex(keys).to_numpy(), index=statements.index)
    now = table["at"]
    return now.where(now > 0.0) / earlier.where(earlier > 0.0) - 1.0
