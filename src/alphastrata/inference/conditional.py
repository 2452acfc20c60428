"""Conditional factor models: alphas and betas that move with lagged instruments."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from alphastrata.core import Statistic
from alphastrata.errors import ConfigError
from alphastrata.inference.hac import HAC, LagRule, as_hac
from alphastrata.inference.least_squares import coefficient_covariance, fit_complete
from alphastrata.inference.samples import (
    Returns,
    align,
    describe_dates,
    require_observations,
)
from alphastrata.inference.tails import chi2_upper
from alphastrata.inference.time_series import TimeSeriesResult, time_series

__all__ = ["ConditionalResult", "conditional_model"]


@dataclass(frozen=True, repr=False)
class ConditionalResult(TimeSeriesResult):
    """A conditional factor model: alphas and betas linear in lagged instruments.

    Attributes
    ----------
    tests : DataFrame
        Per asset, the HAC Wald test that betas do not depend on the instruments and, where
        alphas may vary, that alpha does not: statistics, degrees of freedom ("df") and p-values.
    """

    tests: pd.DataFrame = field(default_factory=pd.DataFrame)

    def statistics(self) -> tuple[Statistic, ...]:
        """Return the Wald tests of each asset, for up to five assets."""
        return tuple(
            Statistic(
                f"{asset}: Wald, {what}",
                float(row[what]),
                float(row[f"{what} p"]),
                f"{what} do not depend on the instruments",
                f"chi2({int(row[f'{what} df'])})",
            )
            for asset, row in self.tests.iloc[:5].iterrows()
            for what in ("betas", "alphas")
            if what in row
        )


def conditional_model(
    returns: Returns,
    factors: Returns,
    instruments: pd.DataFrame,
    *,
    lag: int = 1,
    varying_alpha: bool = False,
    lags: int | LagRule | HAC = 6,
) -> ConditionalResult:
    """Return time-series regressions whose betas (and alphas) are linear in instruments.

    Parameters
    ----------
    returns, factors
        As in `time_series`.
    instruments : DataFrame, date x instrument
        Dividend yield, term spread and the like, known at their dates. They are demeaned over
        the dates used, so that alpha and betas are those at average instruments.
    lag : int
        Dates by which instruments precede returns, at least 1.
    varying_alpha : bool
        Let alpha depend on the instruments too (Christopherson, Ferson and Glassman 1998).
    lags : int, rule or HAC
        Newey-West errors.

    Returns
    -------
    ConditionalResult
        Columns "alpha", factors, "factor x instrument" and, if asked, "alpha x instrument".

    Notes
    -----
    R_t = (a0 + a1' z_{t-1}) + (b0 + B z_{t-1})' f_t + e_t. Source: Shanken (1990), Ferson and
    Schadt (1996). Persistent instruments picked for their fit make such tests reject too often
    (Ferson, Sarkissian and Simin 2003).
    """
    if lag < 1:
        raise ConfigError(f"Instruments precede returns: lag must be at least 1; got {lag}.")
    hac = as_hac(lags)
    base = align(returns, factors)
    known = align(instruments, None).returns  # in the order of their dates, whatever came in
    z = align(base.returns, known.shift(lag).iloc[lag:])
    shared = z.factors.index
    f = base.factors.loc[shared]
    centred = z.factors - z.factors.mean()
    columns = {name: f[name] for name in f}
    betas, alphas = [], []
    for instrument in centred:
        for factor in f:
            columns[f"{factor} x {instrument}"] = f[factor] * centred[instrument]
            betas.append(f"{factor} x {instrument}")
        if varying_alpha:
            columns[f"alpha x {instrument}"] = centred[instrument]
            alphas.append(f"alpha x {instrument}")
    design = pd.DataFrame(columns, index=shared)
    result = time_series(base.returns.loc[shared], design, lags=hac)
    tests = _wald_tests(base.returns.loc[shared], design, hac, {"betas": betas, "alphas": alphas})
    fields = {name: getattr(result, name) for name in result.__dataclass_fields__}
    words = describe_dates(shared, base.freq)
    out = ConditionalResult(**fields, tests=tests)
    title = f"Conditional model, instruments {', '.join(map(str, centred))} lagged {lag} ({words})"
    return replace(out, title=title, notes=tuple(dict.fromkeys((*base.notes, *z.notes))))


def _wald_tests(
    returns: pd.DataFrame, design: pd.DataFrame, hac: HAC, groups: dict[str, list[str]]
) -> pd.DataFrame:
    x_all = np.column_stack([np.ones(len(design)), design.to_numpy()])
    rows = {}
    for asset in returns.columns:
        y = returns[asset].to_numpy()
        kept = ~np.isnan(y)
        require_observations(returns.loc[kept, asset], x_all.shape[1])
        fit = fit_complete(x_all[kept], y[kept, None], covariance="nonrobust")
        covariance = coefficient_covariance(x_all[kept], fit.residuals[:, 0], hac)
        row: dict[str, float] = {}
        for what, names in groups.items():
            at = 1 + design.columns.get_indexer(pd.Index(names))
            if names:
                b = fit.params[at, 0]
                row[what] = float(b @ np.linalg.solve(covariance[np.ix_(at, at)], b))
                row[f"{what} df"] = len(names)
                row[f"{what} p"] = chi2_upper(row[what], len(names))
        rows[asset] = row
    return pd.DataFrame(rows).T.rename_axis("asset")
