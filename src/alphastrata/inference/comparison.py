"""Models side by side: the usual layout of a paper, and the usual table of pricing tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from alphastrata.core import Note, Result
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.inference.fama_macbeth import FamaMacBethResult
from alphastrata.inference.grs import grs
from alphastrata.inference.hac import HAC, LagRule
from alphastrata.inference.layout import STARS, compare, foot
from alphastrata.inference.least_squares import CovarianceKind
from alphastrata.inference.samples import Returns
from alphastrata.inference.time_series import TimeSeriesResult, time_series

__all__ = ["SideBySide", "models_side_by_side", "pricing_table", "side_by_side"]


@dataclass(frozen=True, repr=False)
class SideBySide(Result):
    """Several models as columns, t-statistics in parentheses.

    Attributes
    ----------
    params, std_errors, tstats, pvalues : DataFrame, coefficient x model
        Missing where a model lacks a coefficient.
    text : DataFrame
        The table as text: two rows per coefficient, then R squared and counts.
    """

    params: pd.DataFrame
    std_errors: pd.DataFrame
    tstats: pd.DataFrame
    pvalues: pd.DataFrame
    text: pd.DataFrame
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return estimates and t-statistics, coefficient x (model, number)."""
        parts = {
            name: pd.DataFrame({"estimate": self.params[name], "t": self.tstats[name]})
            for name in self.params
        }
        return pd.concat(parts, axis=1)

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return list(self.lines)

    def _footer(self) -> list[str]:
        return foot(self.conventions(), self.notes)

    def _formatted(self) -> pd.DataFrame:
        return self.text


def side_by_side(results: Mapping[str, Result], asset: str | None = None) -> SideBySide:
    """Return several models of one asset, or several regressions across assets, as columns.

    Parameters
    ----------
    results : mapping of name to Result
        For example one factor against three, five and six factors; or Fama-MacBeth beside pooled
        regressions, premia with Shanken's errors beside others. Either all have one row of
        coefficients per asset, or none has.
    asset : str, optional
        Which row of time-series results; the first by default.

    Returns
    -------
    SideBySide
        ``.summary()`` prints it, ``.to_latex()`` gives booktabs, ``.text`` is a frame.

    Raises
    ------
    ConfigError
        If there is no model or kinds are mixed.

    Examples
    --------
    >>> from alphastrata.inference import time_series
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("2000-01-31", periods=120, freq="ME")
    >>> f = pd.DataFrame(rng.normal(size=(120, 2)), dates, ["a", "b"])
    >>> y = (0.5 * f["a"] + rng.normal(size=120)).rename("Y")
    >>> models = {"one": time_series(y, f[["a"]]), "two": time_series(y, f)}
    >>> side_by_side(models).text.columns.tolist()
    ['one', 'two']
    """
    estimates = {name: getattr(result, "params", None) for name, result in results.items()}
    for name, params in estimates.items():
        if not isinstance(params, pd.Series | pd.DataFrame):
            raise ConfigError(
                f"Models side by side have one estimate for each coefficient; {name!r} is a "
                f"{type(results[name]).__name__}."
            )
    kinds = {isinstance(params, pd.Series) for params in estimates.values()}
    if len(kinds) != 1:
        raise ConfigError(
            f"Models side by side are one or more and of one kind; got {len(results)} models of "
            f"{len(kinds)} kinds."
        )
    parts = {name: _parts(result, asset) for name, result in results.items()}
    names = list(dict.fromkeys(c for p in parts.values() for c in p.params.index))
    frames = {
        what: pd.DataFrame({m: getattr(p, what).reindex(names) for m, p in parts.items()})
        for what in ("params", "std_errors", "tstats", "pvalues")
    }
    feet = list(dict.fromkeys(f for p in parts.values() for f in p.feet))
    text = compare(
        {m: (p.params, p.tstats, p.pvalues) for m, p in parts.items()},
        percent=("alpha",),
        digits=4 if kinds == {True} else 3,
        beneath={
            foot: {m: p.feet[foot] for m, p in parts.items() if foot in p.feet} for foot in feet
        },
    )
    # What holds for all is said once, what holds for one under its name.
    lines = dict.fromkeys(
        line if all(line in other.lines for other in parts.values()) else f"{name}: {line}"
        for name, p in parts.items()
        for line in p.lines
    )
    notes = tuple(dict.fromkeys(n for r in results.values() for n in r.notes))
    return SideBySide(
        **frames,
        text=text,
        lines=("t-statistics in parentheses.", *lines, STARS),
        title=f"{_what(results, asset)}: {len(results)} models",
        notes=notes,
    )


def models_side_by_side(
    returns: Returns,
    models: Mapping[str, Returns],
    *,
    asset: str | None = None,
    lags: int | LagRule | HAC = 6,
    covariance: CovarianceKind = "hac",
) -> SideBySide:
    """Return alpha and betas of one factor under several models, as columns.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        Where the factor is.
    models : mapping of name to FactorReturns, DataFrame or Series
        Factor models; each regression is over its own dates.
    asset : str, optional
        Which column; the first by default.
    lags, covariance
        As in `time_series`.
    """
    results = {
        name: time_series(returns, factors, lags=lags, covariance=covariance)
        for name, factors in models.items()
    }
    return side_by_side(results, asset)


def pricing_table(returns: Returns, models: Mapping[str, Returns]) -> pd.DataFrame:
    """Return the GRS test and pricing errors of the same assets under several models.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        Test assets.
    models : mapping of name to FactorReturns, DataFrame or Series
        Factor models.

    Returns
    -------
    DataFrame
        One row per model: "F", "p", "N", "T" and the measures of `grs`, as in table 5 of Fama
        and French (2015). Each model is tested on its own dates: compare T.
    """
    if not models:
        raise InputDataError("Give at least one model.")
    rows = {}
    for name, factors in models.items():
        result = grs(returns, factors)
        rows[name] = {
            "F": result.statistic,
            "p": result.pvalue,
            "N": result.df1,
            "T": result.nobs,
            **result.measures,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")


@dataclass(frozen=True)
class _Parts:
    params: pd.Series
    std_errors: pd.Series
    tstats: pd.Series
    pvalues: pd.Series
    feet: dict[str, str]
    lines: list[str]


def _what(results: Mapping[str, Any], asset: str | None) -> str:
    first = next(iter(results.values()))
    if isinstance(first.params, pd.DataFrame):
        return f"{_row(first, asset)} on factors"
    if all(isinstance(result, FamaMacBethResult) for result in results.values()):
        return "Fama-MacBeth regressions"
    return "Coefficients"


def _row(result: Any, asset: str | None) -> str:
    return str(result.params.index[0]) if asset is None else asset


def _feet(result: Any) -> dict[str, str]:
    """Return R squared and counts of a regression across assets, as far as it has them."""
    if isinstance(result, FamaMacBethResult):
        return {
            "R2": f"{result.r2.mean():.3f}",
            "rows": f"{result.nobs.mean():.0f}",
            "dates": f"{len(result.coefficients):d}",
        }
    r2, rows = getattr(result, "r2", None), getattr(result, "nobs", None)
    if r2 is None:
        return {}
    return {"R2": f"{r2:.3f}"} | ({} if rows is None else {"rows": f"{rows:d}"})


def _parts(result: Any, asset: str | None) -> _Parts:
    """Return the numbers of one model as Series by coefficient."""
    if isinstance(result, FamaMacBethResult | TimeSeriesResult):
        errors = result.errors if isinstance(result, FamaMacBethResult) else result.covariance
        lines = [f"Standard errors: {errors}."]
    else:
        lines = [line for line in result.conventions() if line != STARS]
    if isinstance(result.params, pd.Series):
        numbers = (result.params, result.std_errors, result.tstats, result.pvalues)
        return _Parts(*numbers, _feet(result), lines)
    row = _row(result, asset)
    if row not in result.params.index:
        raise InputDataError(f"asset is a row of every result; {row!r} is not in one of them.")
    frames = (result.params, result.std_errors, result.tstats, result.pvalues)
    at = result.params.index.get_indexer(pd.Index([row]))[0]
    b, e, t, p = (pd.Series(f.to_numpy()[at], result.params.columns) for f in frames)
    feet = {}
    if isinstance(result, TimeSeriesResult):
        feet["R2 adj"] = f"{result.r2_adjusted.iloc[at]:.3f}"
        feet["T"] = f"{result.nobs.iloc[at]:d}"
    return _Parts(b, e, t, p, feet, lines)
