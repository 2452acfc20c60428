"""Information in a characteristic: rank correlation with later returns, and how it decays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from numba import njit

from alphastrata.core import bydate
from alphastrata.core.checks import Note, Violations, require_columns
from alphastrata.core.panel import Panel, as_panel
from alphastrata.core.results import Result
from alphastrata.core.strata import Strata
from alphastrata.core.sums import plus
from alphastrata.errors import ConfigError
from alphastrata.portfolio.carrying import carried_labels, labels_in
from alphastrata.portfolio.returns import later_returns
from alphastrata.portfolio.weights import Soft, Weighting, row_weights

How = Literal["spearman", "pearson"]
Ranks = Literal["each", "shared"]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)  # type: ignore[misc,unused-ignore]
def _correlations(x: Float64, y: Float64, offsets: Int64) -> tuple[Float64, Int64]:
    n_dates = offsets.size - 1
    out = np.full(n_dates, np.nan)
    count = np.zeros(n_dates, dtype=np.int64)
    for d in range(n_dates):
        n, mx, my, lx, ly = 0, 0.0, 0.0, 0.0, 0.0
        for i in range(offsets[d], offsets[d + 1]):
            if x[i] == x[i] and y[i] == y[i]:
                n += 1
                mx, lx = plus(mx, lx, x[i])
                my, ly = plus(my, ly, y[i])
        count[d] = n
        if n < 2:
            continue
        mx, my = (mx + lx) / n, (my + ly) / n
        xx, yy, xy = 0.0, 0.0, 0.0
        lxx, lyy, lxy = 0.0, 0.0, 0.0
        for i in range(offsets[d], offsets[d + 1]):
            if x[i] == x[i] and y[i] == y[i]:
                xx, lxx = plus(xx, lxx, (x[i] - mx) ** 2)
                yy, lyy = plus(yy, lyy, (y[i] - my) ** 2)
                xy, lxy = plus(xy, lxy, (x[i] - mx) * (y[i] - my))
        xx, yy, xy = xx + lxx, yy + lyy, xy + lxy
        if xx > 0.0 and yy > 0.0:
            out[d] = xy / np.sqrt(xx * yy)
    return out, count


def correlation_by_date(x: Float64, y: Float64, offsets: Int64, how: How = "spearman") -> Float64:
    """Return the correlation of two columns on each date, over rows that have both.

    Parameters
    ----------
    x, y
        Rows by date, float64 of shape (n,).
    offsets
        Row bounds by date, shape (n_dates + 1,).
    how
        "spearman" (of ranks, ties averaged) or "pearson".

    Returns
    -------
    numpy.ndarray
        Shape (n_dates,); missing with fewer than two rows, or where one column is constant.

    Examples
    --------
    >>> correlation_by_date(np.array([1.0, 2.0, 9.0]), np.array([1.0, 2.0, 3.0]), np.array([0, 3]))
    array([1.])
    """
    both = (x == x) & (y == y)
    x, y = np.where(both, x, np.nan), np.where(both, y, np.nan)
    if how == "spearman":
        x, y = bydate.rank(x, offsets), bydate.rank(y, offsets)
    return _correlations(x, y, offsets)[0]


@dataclass(frozen=True, repr=False)
class InformationCoefficients(Result):
    """Correlations of a characteristic with later returns.

    Attributes
    ----------
    series
        Frame: date x horizon. A row uses returns after its date: it is an evaluation, known
        ``horizon`` periods later.
    title, notes
        Title of the table; what was left out.
    """

    series: pd.DataFrame
    title: str = "Information coefficients"
    notes: tuple[Note, ...] = ()

    @property
    def params(self) -> pd.Series:
        """Mean coefficients by horizon."""
        return self.series.mean()

    @property
    def std_errors(self) -> pd.Series:
        """Standard errors of the means, as if dates were independent."""
        return self.series.std() / np.sqrt(self.series.count())

    @property
    def tstats(self) -> pd.Series:
        """Means over their standard errors; too large for overlapping horizons."""
        return self.params / self.std_errors

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values, standard normal."""
        return self.tstats.map(lambda t: erfc(abs(t) / sqrt(2.0)))

    def table(self) -> pd.DataFrame:
        """Return mean, standard deviation, ratio of both, t, p, share positive, dates."""
        spread = self.series.std()
        return pd.DataFrame(
            {
                "mean": self.params,
                "std": spread,
                "ratio": self.params / spread,
                "t": self.tstats,
                "p": self.pvalues,
                "positive": (self.series > 0).sum() / self.series.count(),
                "dates": self.series.count(),
            }
        )

    def conventions(self) -> list[str]:
        """Return the conventions of the numbers."""
        return [
            "Each date's cross-section against compounded returns after it; t as if dates were "
            "independent (horizons above 1 overlap)."
        ]


def information_coefficients(
    panel: Panel | pd.DataFrame,
    by: str,
    *,
    horizons: Sequence[int] = (1, 3, 6, 12),
    how: How = "spearman",
    ret: str = "ret",
) -> InformationCoefficients:
    """Return how well a characteristic orders later returns, and how this decays.

    Parameters
    ----------
    panel
        Holds the characteristic and returns.
    by
        Its column.
    horizons
        Periods over which later returns compound, each at least 1.
    how
        "spearman" or "pearson".
    ret
        Column of returns.

    Returns
    -------
    InformationCoefficients
        One column per horizon.

    Raises
    ------
    ConfigError
        For horizons below 1 or an unknown correlation.
    InputDataError
        For columns that the panel lacks.

    Examples
    --------
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31"] * 3 + ["2020-02-29"] * 3,
    ...     "asset": list("ABC") * 2, "x": [1.0, 2, 3] * 2, "ret": [0.0, 0, 0, 0.3, 0.2, 0.1]}))
    >>> information_coefficients(panel, "x", horizons=[1]).params.tolist()
    [-1.0]
    """
    panel = as_panel(panel)
    found = Violations("Information coefficients")
    found.require(how in get_args(How), f"how is one of {', '.join(get_args(How))}", first=how)
    found.raise_if_any(ConfigError)
    require_columns(panel.columns, [by, ret], "Information coefficients")
    values = panel.values(by)
    series = {
        h: correlation_by_date(values, later_returns(panel, h, ret=ret), panel.offsets, how)
        for h in horizons
    }
    frame = pd.DataFrame(series, index=panel.dates.rename("date")).rename_axis(columns="horizon")
    return InformationCoefficients(
        frame.dropna(how="all"), title=f"Information coefficients of {by} ({how})"
    )


def horizon_returns(
    strata: Strata,
    panel: Panel | pd.DataFrame,
    *,
    horizons: Sequence[int] = (1, 3, 6, 12),
    weighting: Weighting = "equal",
    ret: str = "ret",
) -> pd.DataFrame:
    """Return the mean compounded return of each stratum over each horizon after each date.

    Parameters
    ----------
    strata, panel
        As for `portfolio_returns`.
    horizons
        Periods over which later returns compound.
    weighting
        Weights at the date; held without rebalancing over the horizon.
    ret
        Column of returns.

    Returns
    -------
    pandas.DataFrame
        Indexed by date (returns come after it), columns (horizon, portfolio); decimals over the
        horizon.

    Raises
    ------
    ConfigError, InputDataError
        As for `portfolio_returns`.

    Examples
    --------
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31", "2020-02-29", "2020-03-31"],
    ...                             "asset": "A", "ret": [0.0, 0.1, 0.1]}))
    >>> one = Strata(pd.DataFrame({"A": [1]}, index=panel.dates[:1]), ordered=True)
    >>> horizon_returns(one, panel, horizons=[2]).round(4).iloc[0].tolist()
    [0.21]
    """
    panel = as_panel(panel)
    require_columns(panel.columns, [ret], "horizon_returns")
    if isinstance(weighting, Soft):
        raise ConfigError("horizon_returns takes hard labels; Soft is for portfolio_returns.")
    label = carried_labels(labels_in(strata, panel), panel)
    weight = row_weights(panel, weighting)
    weight = np.where(weight > 0.0, weight, np.nan)
    names = list(strata.names.values())
    parts = {}
    for h in horizons:
        later = later_returns(panel, h, ret=ret)
        mean = bydate.weighted_mean(later, weight, label, panel.offsets, strata.n).mean
        parts[h] = pd.DataFrame(mean, index=panel.dates.rename("date"), columns=names)
    table = pd.concat(parts, axis=1, names=["horizon", "portfolio"])
    return table.dropna(how="all")


def rank_autocorrelation(
    panel: Panel | pd.DataFrame, by: str, *, lag: int = 1, ranks: Ranks = "each"
) -> pd.Series:
    """Return, by date, the rank correlation of a characteristic with itself ``lag`` dates before.

    High values mean that portfolios sorted on it trade little.

    Parameters
    ----------
    panel
        Holds the characteristic.
    by
        Its column.
    lag
        Dates between the two cross-sections, at least 1.
    ranks
        "each": ranks among all assets of each date, correlated over those present on both, as
        alphalens does; "shared": ranks among the assets present on both (Spearman's).

    Returns
    -------
    pandas.Series
        Indexed by the later date.

    Raises
    ------
    ConfigError
        For a lag below 1, or unknown ranks.

    Examples
    --------
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31"] * 3 + ["2020-02-29"] * 3,
    ...                             "asset": list("ABC") * 2, "x": [1.0, 2, 3, 2, 4, 6]}))
    >>> rank_autocorrelation(panel, "x").tolist()
    [1.0]
    """
    panel = as_panel(panel)
    if lag < 1 or ranks not in get_args(Ranks):
        raise ConfigError(
            f"rank_autocorrelation takes lag >= 1 and ranks of {', '.join(get_args(Ranks))}; "
            f"got lag={lag}, ranks={ranks!r}."
        )
    if ranks == "each":
        panel = panel.select([by]).assign({by: bydate.rank(panel.values(by), panel.offsets)})
    before = panel.lag([by], lag).values(by)
    how: How = "pearson" if ranks == "each" else "spearman"
    found = correlation_by_date(panel.values(by), before, panel.offsets, how)
    return pd.Series(found, index=panel.dates.rename("date"), name=by).dropna()
