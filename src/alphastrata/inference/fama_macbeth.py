"""Fama and MacBeth (1973): cross-sectional regressions by date, averaged over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core import FactorReturns, Note, Panel, Result
from alphastrata.core.bydate import rank, standardize
from alphastrata.errors import ConfigError, EstimationError, InputDataError
from alphastrata.inference.cross_section import ByDate, lagged_positions, regress_by_date
from alphastrata.inference.hac import HAC, LagRule, as_hac, mean_covariance
from alphastrata.inference.layout import STARS, Columns, foot, parameter_table, stacked
from alphastrata.inference.moments import Lagged, Rows
from alphastrata.inference.samples import coefficient_names, describe_dates
from alphastrata.inference.tails import two_sided

__all__ = ["FamaMacBethResult", "average", "fama_macbeth"]

Array = NDArray[np.float64]
Scale = Literal["rank", "zscore"]


@dataclass(frozen=True, repr=False)
class FamaMacBethResult(Result):
    """Average coefficients of cross-sectional regressions, and the coefficients themselves.

    Attributes
    ----------
    params, std_errors, tstats, pvalues : Series
        Time-series averages of the coefficients and their inference.
    covariance : DataFrame
        Covariance of the averages.
    coefficients : DataFrame, date x coefficient
        Coefficients of every estimated date. The slope of a date is the return of a zero-cost
        portfolio with unit exposure.
    r2, r2_adjusted : Series
        R squared of each estimated date, plain and adjusted.
    nobs : Series of int
        Complete rows of each estimated date.
    skipped : DataFrame
        Dates that could not be estimated: "rows" and "reason".
    hac : HAC
        How the standard errors were computed.
    """

    params: pd.Series
    std_errors: pd.Series
    tstats: pd.Series
    pvalues: pd.Series
    covariance: pd.DataFrame
    coefficients: pd.DataFrame
    r2: pd.Series
    r2_adjusted: pd.Series
    nobs: pd.Series
    skipped: pd.DataFrame
    hac: HAC
    errors: str
    policy: tuple[str, ...]
    freq: str
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row per coefficient: estimate, standard error, t and p."""
        return parameter_table(self.params, self.std_errors, self.tstats, self.pvalues)

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        lines = [
            f"{len(self.coefficients)} dates, {self.nobs.mean():.1f} rows on average "
            f"({self.nobs.min():d} to {self.nobs.max():d}); average R2 {self.r2.mean():.4f}, "
            f"adjusted {self.r2_adjusted.mean():.4f}.",
            f"Standard errors of the averages: {self.errors}.",
            *self.policy,
            STARS,
        ]
        if len(self.skipped):
            first = self.skipped.index[0]
            lines.append(
                f"{len(self.skipped)} dates skipped; first {first.date()}: "
                f"{self.skipped['reason'].iloc[0]}."
            )
        return lines

    def _formatted(self) -> pd.DataFrame:
        beside = Columns(
            {
                "R2": [f"{self.r2.mean():.3f}"],
                "rows": [f"{self.nobs.mean():.0f}"],
                "dates": [f"{len(self.coefficients):d}"],
            }
        )
        frames = [part.to_frame("mean").T for part in (self.params, self.tstats, self.pvalues)]
        return stacked(*frames, digits=4, beside=beside)

    def _footer(self) -> list[str]:
        return foot(self.conventions(), self.notes)

    def between(
        self, start: str | pd.Timestamp | None = None, end: str | pd.Timestamp | None = None
    ) -> FamaMacBethResult:
        """Return the same regressions averaged over a subperiod, both ends included."""
        rows = self.coefficients.loc[start:end]
        return average(self, rows.index, self.hac)

    def factor_returns(self) -> FactorReturns:
        """Return the slopes as zero-cost factors: each date's return to unit exposure.

        The slope on a characteristic is the return of a portfolio that costs nothing, has an
        exposure of one to it and of zero to the other regressors (Fama 1976, chapter 9). Skipped
        dates are absent. The intercept is left out.
        """
        slopes = self.coefficients.drop(columns="const", errors="ignore")
        return FactorReturns(
            slopes, kind="zero_cost", freq=self.freq, source=self.title, notes=self.notes
        )

    def subperiods(self, breaks: Sequence[str | pd.Timestamp]) -> pd.DataFrame:
        """Return averages and t-statistics by subperiod; each break opens a new one.

        Raises
        ------
        EstimationError
            If a subperiod has a single date.
        """
        edges = sorted(pd.Timestamp(b) for b in breaks)
        index = pd.DatetimeIndex(self.coefficients.index)
        group = np.searchsorted(np.array(edges, dtype="datetime64[ns]"), index, side="right")
        pieces = {}
        for number in np.unique(group):
            dates = index[group == number]
            if len(dates) < 2:
                raise EstimationError(
                    "A subperiod needs two estimated dates for an average; that of "
                    f"{dates[0].date()} has one. Move the break."
                )
            part = average(self, dates, self.hac)
            label = f"{dates[0].date()} to {dates[-1].date()}"
            pieces[label] = pd.DataFrame({"estimate": part.params, "t": part.tstats}).stack()
        return pd.DataFrame(pieces).T


def average(
    result: FamaMacBethResult, dates: pd.Index, lags: int | LagRule | HAC
) -> FamaMacBethResult:
    """Return a result averaged over some of its dates, or with other standard errors."""
    hac = as_hac(lags)
    rows = result.coefficients.loc[dates]
    mean, covariance, words = _average(rows.to_numpy(), hac)
    names = rows.columns
    errors = np.sqrt(np.diag(covariance))
    tstats = mean / errors
    return replace(
        result,
        params=pd.Series(mean, names, name="estimate"),
        std_errors=pd.Series(errors, names, name="std_error"),
        tstats=pd.Series(tstats, names, name="t"),
        pvalues=pd.Series(
            two_sided(tstats, len(rows) - 1 if hac.small_sample else None), names, name="p"
        ),
        covariance=pd.DataFrame(covariance, index=names, columns=names),
        coefficients=rows,
        r2=result.r2.loc[dates],
        r2_adjusted=result.r2_adjusted.loc[dates],
        nobs=result.nobs.loc[dates],
        hac=hac,
        errors=words,
        title=_title(result.title.split(" (")[0], rows.index, result.freq),
    )


def fama_macbeth(
    panel: Panel | pd.DataFrame,
    y: str = "ret",
    x: Sequence[str] = (),
    *,
    lags: int | LagRule | HAC = 6,
    lag: int = 1,
    weights: str | None = None,
    intercept: bool = True,
    min_assets: int | None = None,
    scale: Scale | None = None,
) -> FamaMacBethResult:
    """Return the average of cross-sectional regressions of y on x, with its standard errors.

    Parameters
    ----------
    panel : Panel or DataFrame
        Long data by (date, asset).
    y : str
        Dependent variable, usually the return over the period that ends at the date.
    x : sequence of str
        Regressors.
    lags : int, rule or HAC
        Newey-West lags of the coefficient series; 0 gives the classical Fama-MacBeth error.
        A named rule or an `HAC` as in `time_series`.
    lag : int
        Regressors and weights are taken this many dates before y, so that what explains a
        return was known before it; 0 is contemporaneous.
    weights : str, optional
        Column of positive weights: weighted least squares by date.
    intercept : bool
        Whether to add one ("const").
    min_assets : int, optional
        Fewest complete rows of a date; always more than there are coefficients.
    scale : {"rank", "zscore"}, optional
        Replace regressors, date by date, by their rank scaled to [-0.5, 0.5], or by their
        z-score (divisor n), over the rows on which they are present.

    Returns
    -------
    FamaMacBethResult

    Raises
    ------
    InputDataError
        If a column is missing or categorical, or a weight is not positive.
    EstimationError
        If fewer than two dates can be estimated.

    Notes
    -----
    With lambda_t the coefficients of date t, the estimate is their mean over T estimated dates
    and its covariance is the long-run covariance of lambda_t over T.

    Small sample: by default times T / (T - 1), p-values from t(T - 1). With ``lags=0`` this is
    Stata's ``xtfmb`` and with lags its ``newey`` option; ``HAC(lags, small_sample=False)`` is
    linearmodels' default, ``cov_type="kernel"`` and ``debiased=False``. Lags count estimated
    dates. A row with any missing value among y, x and weights is left out of its date.

    Source: Fama and MacBeth (1973); Newey and West (1987).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("2000-01-31", periods=60, freq="ME")
    >>> index = pd.MultiIndex.from_product([dates, range(50)], names=["date", "asset"])
    >>> data = pd.DataFrame({"size": rng.normal(size=3000)}, index=index)
    >>> data["ret"] = 0.5 * data["size"] + rng.normal(size=3000)
    >>> fm = fama_macbeth(data, y="ret", x=["size"], lags=0, lag=0)
    >>> round(float(fm.params["size"]), 1)
    0.5
    """
    hac = as_hac(lags)
    panel = panel if isinstance(panel, Panel) else Panel(panel)
    check_columns(panel, y, x, weights, intercept, lag)
    columns, w = lagged_regressors(panel, list(x), weights, lag, scale)
    fits = regress_by_date(
        panel.values(y),
        columns,
        panel.offsets,
        intercept=intercept,
        weights=w,
        min_rows=min_assets or 0,
    )
    names = coefficient_names("const", x) if intercept else list(x)
    policy = _policy(lag, weights, scale, fits)
    return assemble(panel, fits, names, hac, policy, f"Fama-MacBeth regressions of {y}")


def assemble(
    panel: Panel,
    fits: ByDate,
    names: Sequence[str],
    hac: HAC,
    policy: tuple[str, ...],
    what: str,
) -> FamaMacBethResult:
    """Return the result of cross-sectional regressions that are already estimated."""
    kept = np.ones(len(fits.count), dtype=bool)
    kept[list(fits.reasons)] = False
    if kept.sum() < 2:
        why = "; ".join(sorted(set(fits.reasons.values()))[:3])
        raise EstimationError(
            f"Fama-MacBeth needs at least two dates that can be estimated; got {kept.sum()} of "
            f"{kept.size}. Reasons: {why}."
        )
    dates = pd.DatetimeIndex(panel.dates[kept], name="date")
    k = len(names)
    index = pd.Index(names, name="coefficient")
    coefficients = pd.DataFrame(fits.params[kept], index=dates, columns=index)
    n, r2 = fits.count[kept], fits.r2[kept]
    lost = 1 if "const" in names else 0
    empty = pd.Series(np.nan, index=index)
    skipped = pd.DataFrame(
        {
            "rows": [int(fits.count[d]) for d in sorted(fits.reasons)],
            "reason": [fits.reasons[d] for d in sorted(fits.reasons)],
        },
        index=pd.DatetimeIndex(panel.dates[sorted(fits.reasons)], name="date"),
    )
    base = FamaMacBethResult(
        params=empty,
        std_errors=empty,
        tstats=empty,
        pvalues=empty,
        covariance=pd.DataFrame(index=index, columns=index),
        coefficients=coefficients,
        r2=pd.Series(r2, dates, name="r2"),
        r2_adjusted=pd.Series(1 - (1 - r2) * (n - lost) / (n - k), dates, name="r2_adjusted"),
        nobs=pd.Series(n, dates, name="nobs"),
        skipped=skipped,
        hac=hac,
        errors="",
        policy=policy,
        freq=panel.freq,
        title=what,
        notes=panel.notes,
    )
    return average(base, dates, hac)


def _average(series: Array, hac: HAC) -> tuple[Array, Array, str]:
    """Return mean, covariance of the mean and words for a (T, k) series of coefficients."""
    if len(series) < 2:
        raise EstimationError(f"An average needs at least two dates; got {len(series)}.")
    lags = min(hac.lags, len(series) - 1) if isinstance(hac.lags, int) else hac.lags
    covariance, bandwidth = mean_covariance(series, lags, hac.kernel, small_sample=hac.small_sample)
    if bandwidth.value <= 1.0 and lags == 0:
        divisor = "T - 1, t(T - 1)" if hac.small_sample else "T, normal"
        words = f"Fama-MacBeth, no lags, variance by {divisor}"
    else:
        words = hac.describe((bandwidth,), lost="1")
    return series.mean(axis=0), covariance, words


def check_columns(
    panel: Panel, y: str, x: Sequence[str], weights: str | None, intercept: bool, lag: int
) -> None:
    """Raise unless every variable is a number column of the panel, named once."""
    if isinstance(x, str):
        raise InputDataError(f"x is a sequence of column names; got the text {x!r}. Use [{x!r}].")
    wanted = [y, *x, *([weights] if weights else [])]
    missing = [c for c in wanted if c not in panel.columns]
    if missing:
        raise InputDataError(
            f"Every variable is a column of the panel; {len(missing)} are not. First: "
            f"{missing[0]!r}. Columns: {', '.join(panel.columns)}."
        )
    categorical = [c for c in wanted if panel.is_categorical(c)]
    if categorical:
        raise InputDataError(
            f"Variables are numbers; {categorical[0]!r} is categorical. Make indicators of it."
        )
    if not x and not intercept:
        raise ConfigError("A regression needs a regressor or an intercept.")
    if lag < 0:
        raise ConfigError(f"lag must be at least 0; got {lag}.")
    if len(set(x)) < len(x):
        raise ConfigError(f"Regressors are listed once; got {list(x)}.")
    if intercept:
        coefficient_names("const", x)


def lagged_regressors(
    panel: Panel, x: list[str], weights: str | None, lag: int, scale: Scale | None
) -> tuple[Sequence[Rows], Rows | None]:
    """Return regressors and weights as of `lag` dates before each row."""
    if scale not in (None, "rank", "zscore"):
        raise ConfigError(f"scale is None, 'rank' or 'zscore'; got {scale!r}.")
    columns = [panel.values(name) for name in x]
    if scale == "rank":
        columns = [centred_rank(c, panel) for c in columns]
    elif scale == "zscore":
        columns = [standardize(c, panel.offsets) for c in columns]
    w = panel.values(weights) if weights else None
    if w is not None and bool((w <= 0.0).any()):
        raise InputDataError(
            f"Weights must be positive or missing; {int((w <= 0).sum())} of {weights!r} are not."
        )
    if lag == 0:
        return columns, w
    rows = lagged_positions(panel.asset_codes, panel.offsets, lag)
    return [Lagged(c, rows) for c in columns], None if w is None else Lagged(w, rows)


def centred_rank(values: Array, panel: Panel) -> Array:
    """Return ranks by date scaled to [-0.5, 0.5]; a lone value gets 0."""
    ranks = rank(values, panel.offsets)
    present = ~np.isnan(values)
    count = np.bincount(panel.date_codes[present], minlength=len(panel.offsets) - 1)
    n = count[panel.date_codes]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(n > 1, (ranks - 1.0) / (n - 1.0) - 0.5, np.where(present, 0.0, np.nan))


def _policy(lag: int, weights: str | None, scale: Scale | None, fits: ByDate) -> tuple[str, ...]:
    lines = [
        f"Regressors known {lag} date{'s' if lag != 1 else ''} before y."
        if lag
        else "Regressors of the same date as y.",
        "Rows with a missing variable are left out of their date.",
    ]
    if weights:
        lines.append(f"Weighted least squares, weights {weights}.")
    if scale:
        how = "ranks in [-0.5, 0.5]" if scale == "rank" else "z-scores (divisor n)"
        lines.append(f"Regressors are {how} by date.")
    if fits.refined.size:
        lines.append(f"{fits.refined.size} ill-conditioned dates solved by QR.")
    return tuple(lines)


def _title(what: str, dates: pd.Index, freq: str) -> str:
    return f"{what} ({describe_dates(dates, freq)})"
