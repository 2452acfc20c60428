"""Tables of performance: every series at once, by calendar year, by regime."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt
from typing import Literal

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.factors import FactorReturns
from alphastrata.core.results import Result
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio.performance import (
    PERIODS,
    Drawdown,
    alpha_beta,
    calmar,
    compound_growth,
    excess_kurtosis,
    expected_shortfall,
    hit_rate,
    max_drawdown,
    sharpe,
    skewness,
    sortino,
    value_at_risk,
    volatility,
)


@dataclass(frozen=True, repr=False)
class Performance(Result):
    """What series earned and risked, one row each.

    Attributes
    ----------
    numbers
        Frame: series x statistic. Mean, volatility, Sharpe, Sortino, alpha and beta are of excess
        returns; growth, drawdown, Calmar, value at risk, shortfall and hit rate of the returns
        themselves; turnover, where it is known, one-sided and per year.
    drawdowns
        Frame: series x (depth, peak, trough, recovery), dates; a peak before the first return is
        missing, and so is a recovery that has not come.
    freq
        Frequency of the returns, which annualises.
    title, notes
        Title of the table; what was dropped.
    """

    numbers: pd.DataFrame
    drawdowns: pd.DataFrame
    freq: str
    title: str = "Performance"
    notes: tuple[Note, ...] = ()

    @property
    def params(self) -> pd.Series:
        """Annualised mean excess returns."""
        return self.numbers["mean"]

    @property
    def std_errors(self) -> pd.Series:
        """Standard errors of the annualised means, for independent periods."""
        years = self.numbers["periods"] / PERIODS[self.freq]
        return self.numbers["volatility"] / np.sqrt(years)

    @property
    def tstats(self) -> pd.Series:
        """Means over their standard errors."""
        return self.params / self.std_errors

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values of zero means, standard normal."""
        return self.tstats.map(lambda t: erfc(abs(t) / sqrt(2.0)))

    def table(self) -> pd.DataFrame:
        """Return statistics, one row per series."""
        return self.numbers.assign(t=self.tstats)

    def conventions(self) -> list[str]:
        """Return the conventions of the numbers."""
        return [
            f"Rates per year of {PERIODS[self.freq]} periods; means and Sharpe ratios of excess "
            "returns, arithmetic; t for independent periods.",
            "VaR and shortfall: the 5% quantile of returns per period and the mean up to it.",
        ]


def appraise(
    returns: FactorReturns | pd.DataFrame | pd.Series,
    *,
    benchmark: FactorReturns | pd.Series | None = None,
    freq: str | None = None,
) -> Performance:
    """Return the statistics of every series.

    Parameters
    ----------
    returns
        Factor returns (total ones bring their risk-free rate), or pandas objects of excess or
        zero-cost returns.
    benchmark
        One series of excess returns (the market), for alpha and beta on the shared dates.
    freq
        "D", "W", "M", "Q" or "Y"; needed for pandas objects, known for factor returns.

    Returns
    -------
    Performance
        One row per series; missing returns are dropped series by series and counted.

    Raises
    ------
    ConfigError
        For an unknown frequency.
    InputDataError
        For total returns without a risk-free rate, or a series with no return.

    Examples
    --------
    >>> monthly = pd.Series([0.02, -0.01, 0.03], pd.date_range("2020-01-31", periods=3, freq="ME"))
    >>> float(appraise(monthly.rename("f"), freq="M").numbers.loc["f", "mean"].round(4))
    0.16
    """
    frame, excess, freq, notes = _frames(returns, freq)
    rate = PERIODS[freq]
    reference = _benchmark(benchmark)
    traded = returns.turnover if isinstance(returns, FactorReturns) else None
    rows, falls = {}, {}
    for name in frame:
        own, over = frame[name].dropna(), excess[name].dropna()
        if not len(own):
            raise InputDataError(f"Series {name!r} has no return.")
        if len(own) < len(frame):
            gap = frame[name].isna()
            first = f"{name}, {frame.index[int(gap.argmax())].date()}"
            notes.append(
                Note("missing returns", int(gap.sum()), len(gap), first, "dropped", "portfolio")
            )
        turnover = traded[name] if traded is not None and name in traded else None
        rows[name] = _numbers(own, over, turnover, reference, rate)
        falls[name] = _dated(max_drawdown(own), pd.DatetimeIndex(own.index))
    return Performance(
        pd.DataFrame(rows).T, pd.DataFrame(falls).T, freq, notes=tuple(notes)
    )  # fmt: skip


def _numbers(
    own: pd.Series,
    over: pd.Series,
    turnover: pd.Series | None,
    reference: pd.Series | None,
    rate: int,
) -> dict[str, float]:
    """Return the statistics of one series of returns and excess returns, none missing."""
    out = {
        "periods": float(len(own)),
        "mean": float(over.mean() * rate),
        "volatility": volatility(over, rate),
        "sharpe": sharpe(over, rate),
        "sortino": sortino(over, rate),
        "growth": compound_growth(own, rate),
        "max_drawdown": max_drawdown(own).depth,
        "calmar": calmar(own, rate),
        "skewness": skewness(own),
        "excess_kurtosis": excess_kurtosis(own),
        "value_at_risk": value_at_risk(own),
        "expected_shortfall": expected_shortfall(own),
        "hit_rate": hit_rate(own),
    }
    if turnover is not None:
        out["turnover"] = float(turnover.mean() * rate)
    if reference is not None:
        both = pd.concat([over, reference], axis=1, join="inner").dropna()
        if len(both) > 2:
            out |= dict(zip(("alpha", "beta"), alpha_beta(both.iloc[:, 0], both.iloc[:, 1], rate)))
    return out


def appraise_by(
    returns: FactorReturns | pd.DataFrame | pd.Series,
    groups: pd.Series | Literal["year"] = "year",
    *,
    benchmark: FactorReturns | pd.Series | None = None,
    freq: str | None = None,
) -> pd.DataFrame:
    """Return every statistic of `appraise` inside each calendar year or regime.

    Parameters
    ----------
    returns, benchmark, freq
        As for `appraise`.
    groups
        "year", or a label for each date (recession or not, say); dates without one are left out.

    Returns
    -------
    pandas.DataFrame
        Indexed by (group, series). Rates are per year also inside a part of one; drawdowns start
        afresh in each group, whose dates follow one another.

    Raises
    ------
    ConfigError, InputDataError
        As for `appraise`.

    Examples
    --------
    >>> dates = pd.date_range("2020-01-31", periods=24, freq="ME")
    >>> f = pd.Series([0.01, -0.01] * 6 + [0.02, 0.0] * 6, dates, name="f")
    >>> appraise_by(f, freq="M")["mean"].round(2).to_dict()
    {(2020, 'f'): 0.0, (2021, 'f'): 0.12}
    """
    frame, excess, freq, _ = _frames(returns, freq)
    dates = pd.DatetimeIndex(frame.index)
    labels = pd.Series(dates.year, dates) if isinstance(groups, str) else groups.reindex(dates)
    reference = _benchmark(benchmark)
    traded = returns.turnover if isinstance(returns, FactorReturns) else None
    rows = {}
    for label in sorted(labels.dropna().unique()):
        inside = (labels == label).to_numpy(dtype=bool, na_value=False)
        for name in frame:
            own, over = frame[name][inside].dropna(), excess[name][inside].dropna()
            if len(own):
                turnover = None
                if traded is not None and name in traded:
                    turnover = traded[name].reindex(own.index)
                rows[label, name] = _numbers(own, over, turnover, reference, PERIODS[freq])
    table = pd.DataFrame(rows).T
    return table.rename_axis(index=["group", "series"]) if len(table) else table


def by_year(returns: FactorReturns | pd.DataFrame | pd.Series) -> pd.DataFrame:
    """Return compounded returns by calendar year, year x series.

    Examples
    --------
    >>> half = pd.Series([0.1, 0.1], pd.to_datetime(["2020-06-30", "2020-12-31"]), name="f")
    >>> by_year(half).round(4).to_dict()
    {'f': {2020: 0.21}}
    """
    frame = _plain(returns)
    grown = (1.0 + frame).groupby(pd.DatetimeIndex(frame.index).year).prod(min_count=1) - 1.0
    return grown.rename_axis("year")


def by_regime(
    returns: FactorReturns | pd.DataFrame | pd.Series,
    regimes: pd.Series,
    *,
    freq: str | None = None,
) -> pd.DataFrame:
    """Return annualised mean, volatility, Sharpe ratio and number of periods by regime.

    Parameters
    ----------
    returns
        As for `appraise`.
    regimes
        A label for each date (recession or not, say); dates without one are left out.
    freq
        As for `appraise`.

    Returns
    -------
    pandas.DataFrame
        Indexed by (regime, series).

    Examples
    --------
    >>> dates = pd.date_range("2020-01-31", periods=4, freq="ME")
    >>> f = pd.Series([0.01, 0.03, -0.01, -0.03], dates, name="f")
    >>> calm = pd.Series(["calm", "calm", "storm", "storm"], dates)
    >>> by_regime(f, calm, freq="M")["mean"].round(2).tolist()
    [0.24, -0.24]
    """
    table = appraise_by(returns, regimes, freq=freq)
    columns = ["mean", "volatility", "sharpe", "periods"]
    return table[columns].rename_axis(index=["regime", "series"]) if len(table) else table


def _plain(returns: FactorReturns | pd.DataFrame | pd.Series) -> pd.DataFrame:
    if isinstance(returns, FactorReturns):
        return returns.frame
    return returns.to_frame() if isinstance(returns, pd.Series) else returns


def _frames(
    returns: FactorReturns | pd.DataFrame | pd.Series, freq: str | None
) -> tuple[pd.DataFrame, pd.DataFrame, str, list[Note]]:
    """Return returns, excess returns, frequency and notes."""
    if isinstance(returns, FactorReturns):
        return returns.frame, returns.excess(), freq or returns.freq, list(returns.notes)
    if freq not in PERIODS:
        raise ConfigError(f"freq is one of {', '.join(PERIODS)} for pandas returns, got {freq!r}.")
    frame = _plain(returns)
    return frame, frame, freq, []


def _benchmark(benchmark: FactorReturns | pd.Series | None) -> pd.Series | None:
    if isinstance(benchmark, FactorReturns):
        if len(benchmark.factors) != 1:
            raise InputDataError(
                f"A benchmark is one series, got {', '.join(benchmark.factors)}; use .select."
            )
        return benchmark.excess().iloc[:, 0]
    return benchmark


def _dated(fall: Drawdown, dates: pd.DatetimeIndex) -> dict[str, object]:
    """Return a drawdown with dates for positions in wealth."""

    def when(position: int) -> pd.Timestamp | None:
        return dates[position - 1] if position > 0 else None

    return {
        "depth": fall.depth,
        "peak": when(fall.peak),
        "trough": when(fall.trough),
        "recovery": when(fall.recovery),
    }
