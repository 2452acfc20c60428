"""Pooled and fixed-effect panel regressions with clustered errors, for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from linearmodels.panel import PanelOLS
from numpy.typing import NDArray

from alphastrata.core import Note, Panel, Result
from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.fama_macbeth import check_columns, lagged_regressors
from alphastrata.inference.layout import STARS, Columns, foot, parameter_table, stacked
from alphastrata.inference.samples import describe_dates

__all__ = ["PanelRegressionResult", "panel_regression"]

Cluster = Literal["none", "white", "asset", "date", "both"]
Effects = Literal["none", "asset", "date", "both"]


@dataclass(frozen=True, repr=False)
class PanelRegressionResult(Result):
    """One pooled regression over all rows.

    Attributes
    ----------
    params, std_errors, tstats, pvalues : Series
        By coefficient.
    r2 : float
        R squared (within, with effects).
    nobs : int
        Rows used.
    """

    params: pd.Series
    std_errors: pd.Series
    tstats: pd.Series
    pvalues: pd.Series
    r2: float
    nobs: int
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row per coefficient: estimate, standard error, t and p."""
        return parameter_table(self.params, self.std_errors, self.tstats, self.pvalues)

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return [*self.lines, STARS]

    def _footer(self) -> list[str]:
        return foot(self.conventions(), self.notes)

    def _formatted(self) -> pd.DataFrame:
        beside = Columns({"R2": [f"{self.r2:.3f}"], "rows": [f"{self.nobs:,}"]})
        frames = [part.to_frame("pooled").T for part in (self.params, self.tstats, self.pvalues)]
        return stacked(*frames, digits=4, beside=beside)


def panel_regression(
    panel: Panel | pd.DataFrame,
    y: str,
    x: Sequence[str],
    *,
    cluster: Cluster = "both",
    effects: Effects = "none",
    lag: int = 1,
    weights: str | None = None,
) -> PanelRegressionResult:
    """Return a pooled regression of y on x with clustered standard errors.

    Parameters
    ----------
    panel : Panel or DataFrame
        Long data by (date, asset).
    y, x
        Dependent variable and regressors; a constant is added.
    cluster : {"none", "white", "asset", "date", "both"}
        Errors: homoskedastic, heteroskedasticity-robust, or robust to any correlation within
        assets, within dates, or within both (Cameron, Gelbach and Miller 2011; Thompson 2011).
    effects : {"none", "asset", "date", "both"}
        Fixed effects.
    lag : int
        Regressors and weights are taken this many dates before y.
    weights : str, optional
        Column of positive weights.

    Returns
    -------
    PanelRegressionResult

    Notes
    -----
    Estimated by linearmodels' PanelOLS, with its debiasing; clusters carry the group correction
    G/(G - 1) (N - 1)/(N - K), as Stata does. Clustering by date is the pooled counterpart of
    Fama-MacBeth; clusters by few dates (below some 40) give errors that are too small.

    Source: Petersen (2009).
    """
    choices = (("cluster", cluster, Cluster), ("effects", effects, Effects))
    for what, value, allowed in choices:
        if value not in allowed.__args__:  # type: ignore[attr-defined]
            raise ConfigError(f"{what} is one of {allowed.__args__}; got {value!r}.")  # type: ignore[attr-defined]
    panel = panel if isinstance(panel, Panel) else Panel(panel)
    check_columns(panel, y, x, weights, True, lag)
    columns, w = lagged_regressors(panel, list(x), weights, lag, None)
    index = pd.MultiIndex.from_arrays(
        [panel.asset_codes, panel.dates.take(panel.date_codes)], names=["asset", "date"]
    )
    data = pd.DataFrame(
        {"_y": panel.values(y), **{n: c[:] for n, c in zip(x, columns)}}, index=index
    )
    if w is not None:
        data["_weights"] = w[:]
    complete = data.dropna().sort_index()
    if len(complete) <= len(x) + 1:
        raise EstimationError(
            f"A panel regression needs more complete rows than coefficients; got {len(complete)}."
        )
    exog = complete[list(x)].copy()
    exog.insert(0, "const", 1.0)
    model = PanelOLS(
        complete["_y"],
        exog,
        entity_effects=effects in ("asset", "both"),
        time_effects=effects in ("date", "both"),
        weights=complete[["_weights"]] if w is not None else None,
    )
    options: dict[str, object] = {"cov_type": "unadjusted"}
    if cluster == "white":
        options = {"cov_type": "robust"}
    elif cluster != "none":
        options = {
            "cov_type": "clustered",
            "cluster_entity": cluster in ("asset", "both"),
            "cluster_time": cluster in ("date", "both"),
            "group_debias": True,
        }
    with np.errstate(invalid="ignore"):  # a negative variance is said below
        fit = model.fit(debiased=True, **options)
        errors, tstats = np.asarray(fit.std_errors), np.asarray(fit.tstats)
        pvalues = np.asarray(fit.pvalues)
    names = pd.Index(["const", *x], name="coefficient")
    dates = pd.DatetimeIndex(complete.index.get_level_values("date").unique()).sort_values()
    dropped = len(data) - len(complete)
    return PanelRegressionResult(
        params=pd.Series(np.asarray(fit.params), names, name="estimate"),
        std_errors=pd.Series(errors, names, name="std_error"),
        tstats=pd.Series(tstats, names, name="t"),
        pvalues=pd.Series(pvalues, names, name="p"),
        r2=float(fit.rsquared),
        nobs=int(fit.nobs),
        lines=(
            f"Errors: {cluster if cluster in ('none', 'white') else 'clustered by ' + cluster}; "
            f"effects: {effects}; small-sample corrections as in Stata.",
            f"Regressors known {lag} dates before y; {dropped:,} rows with a missing variable "
            "left out.",
            *_negative(names, errors),
        ),
        title=f"Panel regression of {y} ({describe_dates(dates, panel.freq)})",
        notes=panel.notes,
    )


def _negative(names: pd.Index, errors: NDArray[np.float64]) -> list[str]:
    """Return a line where clusters in both directions leave a variance below zero."""
    lost = [str(name) for name in names[np.isnan(errors)]]
    if not lost:
        return []
    return [
        f"No error of {', '.join(lost)}: with few clusters the two-way variance came out negative; "
        "cluster one way."
    ]
