"""A replication certificate: how near a factor comes to its published series, by decade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.factors import FactorReturns
from alphastrata.core.results import Result
from alphastrata.errors import InputDataError


@dataclass(frozen=True, repr=False)
class Certificate(Result):
    """Agreement of replicated factors with published ones.

    Attributes
    ----------
    numbers
        Frame indexed by (factor, period): periods, correlation, slope and intercept of the
        published return on ours, R squared, mean difference and its t-statistic, tracking error.
        Means and tracking error are per period of the data, in decimals.
    title, notes
        Title of the table; dates that only one side has.
    """

    numbers: pd.DataFrame
    title: str = "Replication certificate"
    notes: tuple[Note, ...] = ()

    @property
    def params(self) -> pd.Series:
        """Slopes of the published return on the replicated one."""
        return self.numbers["slope"]

    @property
    def std_errors(self) -> pd.Series:
        """Standard errors of the slopes (ordinary least squares)."""
        return self.numbers["slope_se"]

    @property
    def tstats(self) -> pd.Series:
        """Distance of the slopes from one, over their standard errors."""
        return (self.params - 1.0) / self.std_errors

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values of a slope of one, standard normal."""
        from math import erfc, sqrt

        return self.tstats.map(lambda t: erfc(abs(t) / sqrt(2.0)))

    def table(self) -> pd.DataFrame:
        """Return the numbers, one row per factor and decade."""
        return self.numbers

    def conventions(self) -> list[str]:
        """Return the conventions of the numbers."""
        return ["published = intercept + slope x ours; difference = ours - published, per period."]


def certificate(ours: FactorReturns, published: FactorReturns) -> Certificate:
    """Return how near replicated factors come to published ones, by decade and overall.

    Parameters
    ----------
    ours
        Replicated factors, such as `fama_french`'s.
    published
        Published factors with the same names, such as a file of Kenneth French.

    Returns
    -------
    Certificate
        For each factor that both have: a row "all" and one per decade with at least 12 shared
        dates.

    Raises
    ------
    InputDataError
        When no factor or no 12 dates are shared, or frequencies differ.

    Examples
    --------
    >>> dates = pd.date_range("2000-01-31", periods=24, freq="ME")
    >>> x = pd.DataFrame({"SMB": np.sin(np.arange(24.0))}, index=dates)
    >>> same = FactorReturns(x, kind="zero_cost")
    >>> certificate(same, same).numbers.loc[("SMB", "all"), ["correlation", "slope"]].tolist()
    [1.0, 1.0]
    """
    shared = [name for name in ours.factors if name in published.factors]
    if not shared or ours.freq != published.freq:
        raise InputDataError(
            "A certificate needs factors of one name and frequency in both; ours has "
            f"{', '.join(ours.factors)} ({ours.freq}), the published file "
            f"{', '.join(published.factors)} ({published.freq})."
        )
    rows: dict[tuple[str, str], dict[str, float]] = {}
    notes: list[Note] = []
    for name in shared:
        both = pd.concat(
            [ours.frame[name].rename("ours"), published.frame[name].rename("published")],
            axis=1,
            join="inner",
        ).dropna()
        if len(both) < 12:
            raise InputDataError(f"Only {len(both)} dates have {name} in both; 12 are needed.")
        alone = int(ours.frame[name].notna().sum()) - len(both)
        if alone:
            rule = f"dates of {name} that the published file lacks"
            notes.append(Note(rule, alone, alone + len(both), "", "not compared", "portfolio"))
        rows[name, "all"] = _agreement(both)
        decade = pd.DatetimeIndex(both.index).year // 10 * 10
        for start, part in both.groupby(decade):
            if len(part) >= 12:
                rows[name, f"{start}s"] = _agreement(part)
    table = pd.DataFrame(rows).T.rename_axis(index=["factor", "period"])
    return Certificate(table, notes=tuple(notes))


def _agreement(both: pd.DataFrame) -> dict[str, float]:
    x, y = both["ours"].to_numpy(), both["published"].to_numpy()
    n = x.size
    dx, dy = x - x.mean(), y - y.mean()
    # A constant series has no slope and no correlation.
    sxx, syy, sxy = float(dx @ dx) or np.nan, float(dy @ dy) or np.nan, float(dx @ dy)
    slope = sxy / sxx
    correlation = sxy / np.sqrt(sxx * syy)
    residual = max(syy - slope * sxy, 0.0)
    gap = x - y
    spread = float(gap.std(ddof=1))
    return {
        "periods": float(n),
        "correlation": float(correlation),
        "slope": slope,
        "slope_se": float(np.sqrt(residual / (n - 2) / sxx)),
        "intercept": float(y.mean() - slope * x.mean()),
        "r_squared": float(correlation**2),
        "mean_difference": float(gap.mean()),
        "t_difference": float(gap.mean() / (spread / np.sqrt(n))) if spread > 0 else 0.0,
        "tracking_error": spread,
    }
