"""SMB, HML, RMW, CMA and momentum, built as Kenneth French describes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from numba import njit

from alphastrata.core.checks import Note, Violations, require_columns
from alphastrata.core.factors import FactorReturns
from alphastrata.core.panel import Panel, as_panel
from alphastrata.errors import ConfigError
from alphastrata.portfolio.calendars import Rebalance
from alphastrata.portfolio.returns import portfolio_returns
from alphastrata.portfolio.sorts import joint_sort

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

FACTORS = ("SMB", "HML", "RMW", "CMA", "Mom")
_SORTED_BY = {"HML": "book_to_market", "RMW": "operating_profitability", "CMA": "investment"}


def fama_french(
    panel: Panel | pd.DataFrame,
    *,
    factors: Sequence[str] = FACTORS,
    universe: Literal["joint", "each"] = "joint",
    breakpoints: str = "NYSE",
    ret: str = "ret",
) -> FactorReturns:
    """Return the five-factor model's long-short factors and momentum.

    Parameters
    ----------
    panel
        Monthly: ret, market_cap, exchange, and (`add_fiscal_year`, `crsp_compustat`) book_equity,
        book_to_market, operating_profitability and investment as known in June.
    factors
        Which of SMB, HML, RMW, CMA and Mom.
    universe
        "joint": the statement factors hold assets with market equity in December of t-1 and June
        of t, positive book equity, operating profitability, and investment, all of them, as the
        library states; "each": every sort uses all assets that have its own characteristic.
    breakpoints
        Whose breakpoints: "NYSE", "all", or a mask column.
    ret
        The column of returns.

    Returns
    -------
    FactorReturns
        ``kind="zero_cost"``; ``counts`` holds the number of assets in the sorts behind a factor.

    Raises
    ------
    ConfigError
        For unknown factors, or a panel that is not monthly.
    InputDataError
        For columns that the panel lacks.

    Notes
    -----
    At the end of June of year t assets are divided at the median market equity of all NYSE
    assets, and independently at the 30th and 70th NYSE percentiles of book-to-market, operating
    profitability and investment. The six value-weighted portfolios of each pair are held from
    July of t to June of t+1, weighted by market equity at the end of the month before.

    HML = (small value + big value) / 2 - (small growth + big growth) / 2, RMW and CMA (low minus
    high investment) likewise; SMB is the mean over the three pairs of small minus big. Momentum
    is formed every month on market equity and the return of months t-12 to t-2.

    References
    ----------
    Fama and French (2015), "A five-factor asset pricing model", Journal of Financial Economics
    116; Kenneth R. French's data library, "Description of Fama/French 5 factors (2x3)" and
    "Detail for monthly momentum factor".

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> index = pd.MultiIndex.from_product([pd.date_range("2001-06-30", periods=3, freq="ME"),
    ...                                     range(60)], names=["date", "asset"])
    >>> frame = pd.DataFrame({name: rng.uniform(1, 2, 180) for name in (
    ...     "ret", "market_cap", "book_to_market", "book_equity", "operating_profitability",
    ...     "investment")}, index=index).assign(exchange="NYSE")
    >>> fama_french(Panel(frame, freq="M"), factors=["SMB", "HML"]).factors
    ['SMB', 'HML']
    """
    panel = as_panel(panel)
    _check(panel, factors, universe, ret)
    wanted = [name for name in FACTORS if name in factors]
    sides: dict[str, pd.Series] = {}
    small_minus_big: list[pd.Series] = []
    counts: dict[str, pd.Series] = {}
    notes: list[Note] = []
    statement = [n for n in _SORTED_BY if n in wanted or "SMB" in wanted]
    prepared = _prepared(panel, universe) if statement else panel
    for name in statement:
        high, size, count, told = _two_by_three(prepared, _SORTED_BY[name], 6, breakpoints, ret)
        sides[name] = -high if name == "CMA" else high
        small_minus_big.append(size)
        counts[name] = count
        notes += [note for note in told if note not in notes]
    if "SMB" in wanted:
        together = pd.concat(small_minus_big, axis=1, sort=True)
        sides["SMB"] = together.mean(axis=1, skipna=False)
        counts["SMB"] = pd.concat([counts[n] for n in _SORTED_BY], axis=1, sort=True).max(axis=1)
    if "Mom" in wanted:
        prior = panel.assign({"prior": prior_return(panel, 12, 2, ret=ret)})
        sides["Mom"], _, counts["Mom"], told = _two_by_three(prior, "prior", None, breakpoints, ret)
        notes += [note for note in told if note not in notes]
    frame = pd.DataFrame({name: sides[name] for name in wanted}).sort_index()
    return FactorReturns(
        frame,
        kind="zero_cost",
        freq="M",
        counts=pd.DataFrame({name: counts[name] for name in wanted}).reindex(frame.index),
        source=f"2x3 sorts, {breakpoints} breakpoints, universe {universe}",
        notes=[*panel.notes, *notes],
    )


def _check(panel: Panel, factors: Sequence[str], universe: str, ret: str) -> None:
    found = Violations("fama_french")
    stray = [name for name in factors if name not in FACTORS]
    found.require(
        not stray and len(factors) > 0,
        f"factors are among {', '.join(FACTORS)}",
        count=len(stray),
        first=str(list(stray or factors)),
    )
    found.require(universe in ("joint", "each"), "universe is 'joint' or 'each'", first=universe)
    found.require(panel.freq == "M", "The panel is monthly", first=f"freq={panel.freq!r}")
    found.raise_if_any(ConfigError)
    needed = [ret, "market_cap"]
    if set(factors) - {"Mom"}:
        needed += ["book_equity", *_SORTED_BY.values()]
    require_columns(panel.columns, needed, "fama_french")


def _prepared(panel: Panel, universe: str) -> Panel:
    """Return the panel with sorting columns left missing outside the universe."""
    book = panel.values("book_equity")
    columns = {name: panel.values(name) for name in _SORTED_BY.values()}
    columns["operating_profitability"] = np.where(
        book > 0.0, columns["operating_profitability"], np.nan
    )
    columns["book_to_market"] = np.where(book > 0.0, columns["book_to_market"], np.nan)
    if universe == "joint":
        whole = np.isfinite(np.stack(list(columns.values()))).all(axis=0)
        columns = {name: np.where(whole, values, np.nan) for name, values in columns.items()}
    return panel.assign(columns)


def _two_by_three(
    panel: Panel, by: str, rebalance: Rebalance, breakpoints: str, ret: str
) -> tuple[pd.Series, pd.Series, pd.Series, list[Note]]:
    """Return high minus low, small minus big, the number of assets, and notes."""
    strata = joint_sort(
        panel,
        ("market_cap", by),
        n=(2, (0.3, 0.7)),
        breakpoints=breakpoints,
        rebalance=rebalance,
    )
    returns = portfolio_returns(strata, panel, weighting="value", ret=ret)
    cells = returns.frame.to_numpy().reshape(-1, 2, 3)
    index = returns.frame.index
    high = pd.Series(cells[:, :, 2].mean(axis=1) - cells[:, :, 0].mean(axis=1), index=index)
    small = pd.Series(cells[:, 0, :].mean(axis=1) - cells[:, 1, :].mean(axis=1), index=index)
    if returns.counts is None:
        raise AssertionError("portfolio returns carry counts")
    return high, small, returns.counts.sum(axis=1), list(returns.notes)


@njit(cache=True, nogil=True)  # type: ignore[misc,unused-ignore]
def _prior(
    order: Int64, asset_offsets: Int64, date_codes: Int64, ret: Float64, first: int, last: int
) -> Float64:
    out = np.full(ret.size, np.nan)
    for a in range(asset_offsets.size - 1):
        for i in range(asset_offsets[a], asset_offsets[a + 1]):
            now = date_codes[order[i]]
            growth, start, recent = 1.0, False, False
            for j in range(i, asset_offsets[a] - 1, -1):
                row = order[j]
                ago = now - date_codes[row]
                if ago > first:
                    break
                if ago == first:
                    start = True
                elif ago >= last and ret[row] == ret[row]:
                    growth *= 1.0 + ret[row]
                    recent = recent or ago == last
            if start and recent:
                out[order[i]] = growth - 1.0
    return out


def prior_return(panel: Panel, first: int = 12, last: int = 2, *, ret: str = "ret") -> Float64:
    """Return each asset's return over months t-first to t-last, known at the end of month t-1.

    Parameters
    ----------
    panel
        The market; rows are months t-1, at whose end portfolios are formed.
    first, last
        12 and 2 for momentum: eleven months, the most recent one skipped.
    ret
        The column of returns.

    Returns
    -------
    numpy.ndarray
        float64, shape (n_rows,). As Kenneth French asks, an asset has a row (a price) at the end
        of month t-first-1 and a return in month t-last; other missing returns count as zero.

    Raises
    ------
    ConfigError
        Unless 1 <= last <= first.

    Examples
    --------
    >>> dates = pd.date_range("2020-01-31", periods=4, freq="ME")
    >>> panel = Panel(pd.DataFrame({"date": dates, "asset": "A", "ret": [0.0, 0.1, 0.2, 0.3]}))
    >>> prior_return(panel, 3, 2).round(2).tolist()
    [nan, nan, nan, 0.32]
    """
    if not 1 <= last <= first:
        raise ConfigError(f"prior_return takes 1 <= last <= first, got {first}, {last}.")
    # Months are counted back from month t, the one after the row's.
    return _prior(
        panel.asset_order(),
        panel.asset_offsets(),
        panel.date_codes,
        panel.values(ret),
        first,
        last - 1,
    )
