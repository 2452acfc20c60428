"""Characteristics of a panel of a million rows against pandas groupby-rolling, in one run.

Run: python benchmarks/features_prices.py [rows in thousands]

Prints seconds (best of three), the ratio, and the largest difference between the two results.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from alphastrata import features
from alphastrata.core.panel import Panel

MONTHS = 400


def made_panel(rows: int) -> Panel:
    """Return a monthly panel without gaps, so that rows and calendar months agree in pandas."""
    rng = np.random.default_rng(0)
    n_assets = rows // MONTHS
    dates = pd.date_range("1980-01-31", periods=MONTHS, freq="ME")
    keys = pd.MultiIndex.from_product([dates, np.arange(n_assets)], names=["date", "asset"])
    data = {"ret": rng.normal(0.01, 0.1, len(keys)), "market_cap": rng.lognormal(5, 1, len(keys))}
    for name in ("total_assets", "total_liabilities", "current_assets", "current_liabilities"):
        data[name] = rng.lognormal(3, 1, len(keys))
    return Panel(pd.DataFrame(data, index=keys))


def made_daily(rows: int) -> tuple[Panel, Panel]:
    """Return a daily panel of ten years without gaps, and its month ends as a panel."""
    rng = np.random.default_rng(1)
    dates = pd.bdate_range("1990-01-01", periods=2520)
    keys = pd.MultiIndex.from_product(
        [dates, np.arange(rows // len(dates))], names=["date", "asset"]
    )
    daily = Panel(pd.DataFrame({"ret": rng.normal(0.0005, 0.02, len(keys))}, index=keys), freq="D")
    ends = pd.date_range(dates[0], dates[-1], freq="ME")
    rows_of = pd.MultiIndex.from_product([ends, daily.assets], names=["date", "asset"])
    return daily, Panel(pd.DataFrame({"one": 1.0}, index=rows_of), freq="M")


def horizons(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Return means and deviations of returns over five horizons by rolling over rows."""
    logs = np.log1p(frame["ret"]).groupby(level="asset")
    out = {}
    for name, days in {"1d": 1, "1w": 5, "1m": 21, "3m": 63, "6m": 126}.items():
        returns = np.expm1(logs.rolling(days).sum().droplevel(0)).groupby(level="asset")
        window = returns.rolling(252 - days + 1, min_periods=(253 - days + 1) // 2)
        out[f"ret_mean_{name}"], out[f"ret_std_{name}"] = window.mean(), window.std()
    return out


def best(job: Callable[[], object], times: int = 3) -> float:
    """Return the shortest of several runs in seconds."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        job()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def momentum(frame: pd.DataFrame) -> pd.Series:
    """Return momentum as pandas users write it: a rolling sum of logs, shifted."""
    logs = np.log1p(frame["ret"])
    total = logs.groupby(level="asset").rolling(11, min_periods=10).sum().droplevel(0)
    return np.expm1(total.groupby(level="asset").shift(1))


def volatility(frame: pd.DataFrame) -> pd.Series:
    """Return the rolling standard deviation of 36 months."""
    return frame["ret"].groupby(level="asset").rolling(36, min_periods=12).std().droplevel(0)


def six_month_mean(frame: pd.DataFrame) -> pd.Series:
    """Return the rolling mean over twelve months of six-month returns."""
    logs = np.log1p(frame["ret"])
    half = np.expm1(logs.groupby(level="asset").rolling(6, min_periods=6).sum().droplevel(0))
    return half.groupby(level="asset").rolling(7, min_periods=4).mean().droplevel(0)


def asset_growth(frame: pd.DataFrame) -> pd.Series:
    """Return the growth over twelve rows."""
    return frame["total_assets"].groupby(level="asset").pct_change(12)


def beta(frame: pd.DataFrame) -> pd.Series:
    """Return the rolling covariance with the market over its rolling variance."""
    weight = frame["market_cap"].groupby(level="asset").shift(1).where(frame["ret"].notna())
    market = (frame["ret"] * weight).groupby(level="date").sum(min_count=1)
    market = market / weight.groupby(level="date").sum(min_count=1)
    wide = frame["ret"].unstack("asset")
    covariance = wide.rolling(60, min_periods=24).cov(market)
    return covariance.div(market.rolling(60, min_periods=24).var(), axis=0).stack()


JOBS = {
    "momentum": momentum,
    "volatility": volatility,
    "ret_mean_6m": six_month_mean,
    "asset_growth": asset_growth,
    "market_beta": beta,
    "leverage": lambda frame: frame["total_liabilities"] / frame["total_assets"],
}


def main() -> None:
    """Print one line per characteristic."""
    rows = int(sys.argv[1]) * 1000 if len(sys.argv) > 1 else 1_000_000
    panel = made_panel(rows)
    frame = panel.frame
    panel.asset_order()
    features.compute(panel.between(None, panel.dates[70]), list(JOBS))  # compiles the kernels
    print(f"{len(panel):,} rows, {len(panel.assets):,} assets, {MONTHS} months")
    print(f"{'characteristic':<15}{'ours, s':>10}{'pandas, s':>11}{'ratio':>8}{'difference':>13}")
    for name, other in JOBS.items():
        ours = best(lambda name=name: features.compute(panel, name))
        theirs = best(lambda other=other: other(frame), 1)
        want = other(frame).reindex(panel.index).to_numpy()
        got = features.compute(panel, name).values(name)
        off = np.nanmax(np.abs(got - want))
        print(f"{name:<15}{ours:>10.3f}{theirs:>11.3f}{theirs / ours:>8.1f}{off:>13.1e}")
    every = best(lambda: features.compute(panel, list(JOBS)))
    print(f"all {len(JOBS)} in one call: {every:.3f} s")
    daily, ends = made_daily(rows)
    names = list(features.catalog().query("paper_group == 'price'").name)
    ours = best(lambda: features.compute(ends, names, daily=daily))
    theirs = best(lambda: horizons(daily.frame), 1)
    print(f"{len(daily):,} daily rows, mean and deviation over five horizons at month ends:")
    print(f"{'':<15}{ours:>10.3f}{theirs:>11.3f}{theirs / ours:>8.1f}")


if __name__ == "__main__":
    main()
