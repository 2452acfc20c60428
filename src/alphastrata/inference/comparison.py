"""Models side by side: the usual layout of a paper, and the usual table of pricing tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from alphastrata.core import Note, Result
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.inference.fama_macbeth import FamaMacBethResult
from alphastrata.inference.grs import grs
from alphastrata.inference.layout import STARS, compare, foot
from alphastrata.inference.samples import Returns
from alphastrata.inference.time_series import TimeSeriesResult

__all__ = ["SideBySide", "pricing_table", "side_by_side"]

Model = TimeSeriesResult | FamaMacBethResult


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
        """Return estimates, coefficient x model."""
        return self.params

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return list(self.lines)

    def _footer(self) -> list[str]:
        return foot(self.conventions(), self.notes)

    def _formatted(self) -> pd.DataFrame:
        return self.text


def side_by_side(results: Mapping[str, Model], asset: str | None = None) -> SideBySide:
    """Return several models of one asset, or several cross-sectional regressions, as columns.

    Parameters
    ----------
    results : mapping of name to TimeSeriesResult or FamaMacBethResult
        For example one factor against three, five and six factors. All of one kind.
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
    kinds = {isinstance(r, FamaMacBethResult) for r in results.values()}
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
        beneath={foot: {m: p.feet[foot] for m, p in parts.items()} for foot in feet},
    )
    lines = dict.fromkeys(f"Standard errors: {p.errors}." for p in parts.values())
    first = next(iter(results.values()))
    what = "Fama-MacBeth regressions" if kinds == {True} else f"{_row(first, asset)} on factors"
    notes = tuple(dict.fromkeys(n for r in results.values() for n in r.notes))
    return SideBySide(
        **frames,
        text=text,
        lines=("t-statistics in parentheses.", *lines, STARS),
        title=f"{what}: {len(results)} models",
        notes=notes,
    )


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
    errors: str


def _row(result: Model, asset: str | None) -> str:
    return str(result.params.index[0]) if asset is None else asset


def _parts(result: Model, asset: str | None) -> _Parts:
    """Return the numbers of one model as Series by coefficient."""
    if isinstance(result, FamaMacBethResult):
        feet = {
            "R2": f"{result.r2.mean():.3f}",
            "rows": f"{result.nobs.mean():.0f}",
            "dates": f"{len(result.coefficients):d}",
        }
        return _Parts(
            result.params, result.std_errors, result.tstats, result.pvalues, feet, result.errors
        )
    row = _row(result, asset)
    if row not in result.params.index:
        raise InputDataError(f"asset is a row of every result; {row!r} is not in one of them.")
    frames = (result.params, result.std_errors, result.tstats, result.pvalues)
    at = result.params.index.get_indexer(pd.Index([row]))[0]
    b, e, t, p = (pd.Series(f.to_numpy()[at], result.params.columns) for f in frames)
    feet = {
        "R2 adj": f"{result.r2_adjusted.iloc[at]:.3f}",
        "T": f"{result.nobs.iloc[at]:d}",
    }
    return _Parts(b, e, t, p, feet, result.covariance)
