"""Every characteristic once more, in plain pandas, one asset and one date at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from alphastrata.core.panel import Panel

Frame = pd.DataFrame
NAN = float("nan")


def over(a: pd.Series, b: pd.Series) -> pd.Series:
    return a / b.where(b > 0)


def _any_of(frame: Frame, *names: str) -> pd.Series:
    return frame[list(names)].sum(axis=1, min_count=1)


STATEMENTS: dict[str, Callable[[Frame], pd.Series]] = {
    "liquidity": lambda f: over(f.current_assets, f.current_liabilities),
    "current_ratio": lambda f: over(f.current_assets, f.current_liabilities),
    "quick_ratio": lambda f: over(f.current_assets - f.inventory, f.current_liabilities),
    "cash_ratio": lambda f: over(
        _any_of(f, "cash", "short_term_investments"), f.current_liabilities
    ),
    "working_capital_to_assets": lambda f: over(
        f.current_assets - f.current_liabilities, f.total_assets
    ),
    "cash_to_assets": lambda f: over(f.cash, f.total_assets),
    "leverage": lambda f: over(f.total_liabilities, f.total_assets),
    "long_term_leverage": lambda f: over(f.long_term_debt, f.total_assets),
    "net_leverage": lambda f: over(
        _any_of(f, "long_term_debt", "short_term_debt") - f.cash, f.total_assets
    ),
    "market_leverage": lambda f: over(f.total_liabilities, f.total_liabilities + f.market_cap),
    "debt_to_equity": lambda f: over(f.total_liabilities, f.book_equity),
    "operating_efficiency": lambda f: over(f.cost_of_goods_sold, f.sales),
    "gross_profitability": lambda f: over(f.sales - f.cost_of_goods_sold, f.total_assets),
    "asset_turnover": lambda f: over(f.sales, f.total_assets),
    "inventory_turnover": lambda f: over(f.cost_of_goods_sold, f.inventory),
    "operating_expense_ratio": lambda f: over(f.sales - f.operating_income, f.sales),
    "roe": lambda f: over(f.net_income, f.book_equity),
    "roa": lambda f: over(f.net_income, f.total_assets),
    "operating_profitability": lambda f: over(
        f.sales - _any_of(f, "cost_of_goods_sold", "sga", "interest_expense"), f.book_equity
    ),
    "log_market_cap": lambda f: np.log(f.market_cap.where(f.market_cap > 0)),
    "book_to_market": lambda f: over(f.book_equity.where(f.book_equity > 0), f.market_cap),
    "price_to_book": lambda f: over(f.market_cap, f.book_equity),
    "earnings_to_price": lambda f: over(f.net_income, f.market_cap),
    "price_to_earnings": lambda f: over(f.market_cap, f.net_income),
}


def compound(returns: np.ndarray, share: float = 0.9) -> float:
    """Compound the returns that are there, if at least a share of them is."""
    known = returns[~np.isnan(returns)]
    if known.size < share * returns.size - 1e-9:
        return NAN
    return float(np.prod(1.0 + known) - 1.0)


def window_of(line: np.ndarray, end: int, length: int) -> np.ndarray:
    """Return line[end - length + 1 : end + 1], missing before the line begins."""
    before = 2 * length
    padded = np.concatenate([np.full(before, NAN), line])
    return padded[before + end + 1 - length : before + end + 1]


def horizon_stats(line: np.ndarray, end: int, window: int, horizon: int) -> tuple[float, float]:
    """Mean and deviation of overlapping horizon returns in line[end - window + 1 : end + 1]."""
    part = window_of(line, end, window)
    returns = np.array([compound(part[i : i + horizon]) for i in range(window - horizon + 1)])
    known = returns[~np.isnan(returns)]
    if known.size < (window - horizon + 2) // 2:
        return NAN, NAN
    return float(known.mean()), float(known.std(ddof=1)) if known.size > 1 else NAN


def by_row(panel: Panel, value: Callable[[int, str], float]) -> np.ndarray:
    """Evaluate value(date code, asset) for each row of a panel."""
    codes = zip(panel.date_codes, panel.assets[panel.asset_codes])
    return np.array([value(int(code), asset) for code, asset in codes])


def momentum(panel: Panel) -> np.ndarray:
    wide = panel.wide("ret")

    def value(t: int, asset: str) -> float:
        return compound(window_of(wide[asset].to_numpy(), t - 1, 11))

    return by_row(panel, value)


def volatility(panel: Panel) -> np.ndarray:
    wide = panel.wide("ret")

    def value(t: int, asset: str) -> float:
        part = wide[asset].iloc[max(t - 35, 0) : t + 1].dropna()
        return float(part.std()) if len(part) >= 12 else NAN

    return by_row(panel, value)


def market_beta(panel: Panel) -> np.ndarray:
    ret, weight = panel.wide("ret"), panel.wide("market_cap").shift(1)
    weight = weight.where((weight > 0) & ret.notna())
    market = (ret * weight).sum(axis=1, min_count=1) / weight.sum(axis=1, min_count=1)

    def value(t: int, asset: str) -> float:
        part = slice(max(t - 59, 0), t + 1)
        both = pd.DataFrame({"y": ret[asset].iloc[part], "x": market.iloc[part]}).dropna()
        return float(np.polyfit(both.x, both.y, 1)[0]) if len(both) >= 24 else NAN

    return by_row(panel, value)


def asset_growth(panel: Panel) -> np.ndarray:
    """Year-ago statement through period_end_age: every earlier row is looked at."""
    frame = panel.frame.reset_index()
    frame["ended"] = frame.date - pd.to_timedelta(frame.period_end_age, unit="D")
    out = np.full(len(frame), np.nan)
    for _, own in frame.groupby("asset"):
        for row in own.itertuples():
            gap = (row.ended - own.ended).dt.days
            match = own[(own.date < row.date) & ((gap - 365).abs() <= 45)]
            if len(match) and match.total_assets.iloc[-1] > 0:
                out[row.Index] = row.total_assets / match.total_assets.iloc[-1] - 1
    return out


def day_before(dates: pd.DatetimeIndex, date: pd.Timestamp) -> int:
    """Position of the last day at or before a date, -1 where it is more than ten days before."""
    seen = np.flatnonzero(dates <= date)
    return int(seen[-1]) if seen.size and (date - dates[seen[-1]]).days <= 10 else -1


def daily_window_mean(panel: Panel, wide: Frame, window: int) -> np.ndarray:
    def value(t: int, asset: str) -> float:
        end = day_before(wide.index, panel.dates[t])
        if end < 0 or asset not in wide:
            return NAN
        part = wide[asset].iloc[max(end - window + 1, 0) : end + 1].dropna()
        return float(part.mean()) if len(part) >= (window + 1) // 2 else NAN

    return by_row(panel, value)


def horizon(panel: Panel, source: Panel, window: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    wide = source.wide("ret")
    own = source is panel

    def value(t: int, asset: str) -> tuple[float, float]:
        end = t if own else day_before(wide.index, panel.dates[t])
        if end < 0 or asset not in wide:
            return NAN, NAN
        return horizon_stats(wide[asset].to_numpy(), end, window, length)

    codes = zip(panel.date_codes, panel.assets[panel.asset_codes])
    both = np.array([value(int(code), asset) for code, asset in codes])
    return both[:, 0], both[:, 1]
