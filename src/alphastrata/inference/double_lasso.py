"""Feng, Giglio and Xiu (2020): whether a new factor helps, given a zoo of others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import Lasso, LassoCV
from sklearn.model_selection import KFold

from alphastrata.core import Note, Result
from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.layout import parameter_table
from alphastrata.inference.samples import Returns, align, describe_dates, require_varying
from alphastrata.inference.tails import two_sided

__all__ = ["DoubleSelectionResult", "double_selection"]

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class DoubleSelectionResult(Result):
    """Loadings of the stochastic discount factor on new factors, controls selected by lasso.

    Attributes
    ----------
    params, std_errors, tstats, pvalues : Series
        SDF loadings of the new factors (per unit of factor, per period): zero means that a
        factor adds nothing to the selected controls.
    selected_first, selected_second, selected_third : tuple of str
        Controls that explain average returns; that explain the new factors' covariances; that
        explain the new factors over time (for the errors).
    penalties : Series
        Penalties used, on standardised regressors.
    """

    params: pd.Series
    std_errors: pd.Series
    tstats: pd.Series
    pvalues: pd.Series
    selected_first: tuple[str, ...]
    selected_second: tuple[str, ...]
    selected_third: tuple[str, ...]
    penalties: pd.Series
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row per new factor: loading, standard error, t and p."""
        return parameter_table(self.params, self.std_errors, self.tstats, self.pvalues)

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return [
            f"First selection: {', '.join(self.selected_first) or 'none'}.",
            f"Second selection: {', '.join(self.selected_second) or 'none'}.",
            *self.lines,
        ]


def double_selection(
    returns: Returns,
    new: Returns,
    controls: Returns,
    *,
    penalties: tuple[float, float, float] | None = None,
    folds: int = 10,
    seed: int = 0,
) -> DoubleSelectionResult:
    """Return SDF loadings of new factors given the controls that two lassos select.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        N test assets, excess returns; dates on which one is missing are left out.
    new : FactorReturns, DataFrame or Series
        Factors under test.
    controls : FactorReturns or DataFrame
        Many existing factors.
    penalties : tuple of three floats, optional
        Lasso penalties of the three selections on standardised regressors; by default each is
        chosen by cross-validation (assets are split for the first two, blocks of dates for the
        third).
    folds, seed : int
        Of the cross-validation.

    Returns
    -------
    DoubleSelectionResult

    Raises
    ------
    EstimationError
        If the final regression has no more assets than regressors.

    Notes
    -----
    1. Average returns on covariances with controls (lasso). 2. Covariances with each new factor
    on covariances with controls (lasso): without this, controls that matter for the new factor
    but little for returns would be missed and bias the test. 3. Least squares of average returns
    on covariances with the new factors and the union of selected controls. Errors: loading g has
    influence (1 - lambda' v_t) S_z^-1 z_t, z the residual of new factors on the controls selected
    in any step.

    Source: Feng, Giglio and Xiu (2020, section II; asymptotic variance of theorem 1).
    """
    if folds < 2:
        raise ConfigError(f"Cross-validation needs at least two folds; got {folds}.")
    if penalties is not None and (len(penalties) != 3 or min(penalties) < 0.0):
        raise ConfigError(f"Penalties are three numbers from 0; got {penalties}.")
    both = align(returns, controls).complete()
    sample = align(both.returns, new)
    dates = sample.returns.index
    for what, frame in (("new factor", sample.factors), ("control", both.factors.loc[dates])):
        require_varying(frame, what)
    y, g = sample.y, sample.f
    h = both.factors.loc[dates].to_numpy()
    names = list(map(str, both.factors.columns))
    n = len(y)
    if penalties is None and min(y.shape) < folds:
        raise EstimationError(
            f"Cross-validation in {folds} folds needs as many assets and dates; got "
            f"{y.shape[1]} assets and {n} dates. Use fewer folds, or give the penalties."
        )
    centred = y - y.mean(axis=0)
    g_centred, h_centred = g - g.mean(axis=0), h - h.mean(axis=0)
    cov_g, cov_h = centred.T @ g_centred / n, centred.T @ h_centred / n
    split = KFold(folds, shuffle=True, random_state=seed)
    blocks = KFold(folds)
    given = penalties or (None, None, None)
    first, p1 = _select(cov_h, y.mean(axis=0), given[0], split)
    second: set[int] = set()
    third: set[int] = set()
    p2 = p3 = np.nan
    for j in range(g.shape[1]):
        chosen, p2 = _select(cov_h, cov_g[:, j], given[1], split)
        second |= chosen
        chosen, p3 = _select(h_centred, g_centred[:, j], given[2], blocks)
        third |= chosen
    kept = sorted(first | second)
    loadings = _price(cov_g, cov_h[:, kept], y.mean(axis=0))
    sdf = 1.0 - np.column_stack([g_centred, h_centred[:, kept]]) @ loadings
    z = _residuals(g_centred, h_centred[:, sorted(set(kept) | third)])
    influence = sdf[:, None] * z @ np.linalg.inv(z.T @ z / n)
    errors = np.sqrt((influence**2).mean(axis=0) / n)
    factors = pd.Index(sample.factors.columns, name="factor")
    estimate = loadings[: len(factors)]
    how = "given" if penalties else f"{folds}-fold cross-validation, seed {seed}"
    words = describe_dates(dates, sample.freq)
    return DoubleSelectionResult(
        params=pd.Series(estimate, factors, name="loading"),
        std_errors=pd.Series(errors, factors, name="std_error"),
        tstats=pd.Series(estimate / errors, factors, name="t"),
        pvalues=pd.Series(two_sided(estimate / errors), factors, name="p"),
        selected_first=tuple(names[i] for i in sorted(first)),
        selected_second=tuple(names[i] for i in sorted(second)),
        selected_third=tuple(names[i] for i in sorted(third)),
        penalties=pd.Series([p1, p2, p3], ["first", "second", "third"]),
        lines=(
            f"Penalties {how}; {y.shape[1]} assets, {len(names)} controls; covariances by T; "
            "heteroskedasticity-robust errors without lags, normal p-values.",
        ),
        title=f"Double selection: {', '.join(factors)} ({words})",
        notes=tuple(dict.fromkeys((*both.notes, *sample.notes))),
    )


def _price(cov_g: Array, cov_h: Array, mean: Array) -> Array:
    """Return SDF loadings of new factors, then of controls: mean returns on covariances."""
    x = np.column_stack([np.ones(len(mean)), cov_g, cov_h])
    scale = np.abs(x).max(axis=0)
    if x.shape[0] <= x.shape[1] or np.linalg.matrix_rank(x / scale) < x.shape[1]:
        raise EstimationError(
            f"The final regression has {x.shape[0]} assets for {x.shape[1]} regressors that must "
            "not be collinear. Raise the penalties or use more assets."
        )
    return np.asarray(np.linalg.lstsq(x / scale, mean, rcond=None)[0][1:] / scale[1:])


def _select(x: Array, y: Array, penalty: float | None, folds: KFold) -> tuple[set[int], float]:
    """Return the columns that a lasso on standardised x and y keeps, and its penalty."""
    if x.shape[1] == 0:
        return set(), np.nan
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    target = (y - y.mean()) / y.std()
    if penalty is None:
        model = LassoCV(cv=folds, alphas=100, max_iter=20_000).fit(scaled, target)
        penalty = float(model.alpha_)
    else:
        model = Lasso(alpha=penalty, max_iter=20_000).fit(scaled, target)
    return set(map(int, np.flatnonzero(model.coef_))), penalty


def _residuals(y: Array, x: Array) -> Array:
    if x.shape[1] == 0:
        return y
    return np.asarray(y - x @ np.linalg.lstsq(x, y, rcond=None)[0])
