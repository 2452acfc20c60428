"""Bayesian Fama-MacBeth (Bryzgalova, Huang and Julliard 2023): premia with weak factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core import Note, Result
from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.layout import parameter_table
from alphastrata.inference.samples import Returns, align, coefficient_names, describe_dates

__all__ = ["BayesianResult", "bayesian_fama_macbeth"]

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class BayesianResult(Result):
    """Posterior of risk premia.

    Attributes
    ----------
    params, std_errors : Series
        Posterior mean and standard deviation, per period.
    tstats, pvalues : Series
        Mean over deviation, and twice the smaller posterior probability of either sign.
    draws : DataFrame
        Posterior draws, one column per coefficient, and "R2".
    """

    params: pd.Series
    std_errors: pd.Series
    tstats: pd.Series
    pvalues: pd.Series
    draws: pd.DataFrame
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row per coefficient: posterior mean, deviation and central 95% interval."""
        table = parameter_table(self.params, self.std_errors, self.tstats, self.pvalues)
        limits = self.draws[self.params.index].quantile([0.025, 0.5, 0.975])
        return table.assign(
            **{"2.5%": limits.iloc[0], "median": limits.iloc[1], "97.5%": limits.iloc[2]}
        )

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        low, middle, high = self.draws["R2"].quantile([0.025, 0.5, 0.975])
        return [f"R2 {middle:.3f} (95%: {low:.3f} to {high:.3f}).", *self.lines]


def bayesian_fama_macbeth(
    returns: Returns,
    factors: Returns,
    *,
    method: Literal["OLS", "GLS"] = "OLS",
    intercept: bool = True,
    draws: int = 10_000,
    seed: int = 0,
) -> BayesianResult:
    """Return the posterior of risk premia under a flat prior.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        N test assets, excess returns; dates on which one is missing are left out.
    factors : FactorReturns, DataFrame or Series
        K factors.
    method : {"OLS", "GLS"}
        Second pass.
    intercept : bool
        Whether a zero-beta asset may earn more than the risk-free rate.
    draws, seed : int
        Posterior draws (independent, no chain) and the seed of the generator.

    Returns
    -------
    BayesianResult

    Raises
    ------
    EstimationError
        If T <= N + K + 1, the factors are collinear, or (GLS) assets are combinations of others.

    Notes
    -----
    Y_t = (f_t, R_t) is normal with a flat prior, so S | Y is inverse Wishart with T - 1 degrees
    of freedom and mu | S, Y is normal with covariance S / T. Each draw gives betas
    S_Rf S_f^-1 and the premia of a second pass on them. A useless factor's betas scatter around
    zero from draw to draw, so its premium changes sign and its interval holds zero, where the
    frequentist t-statistic grows without limit.

    Source: Bryzgalova, Huang and Julliard (2023, definitions 1 and 2).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("1980-01-31", periods=480, freq="ME")
    >>> f = pd.DataFrame({"f": rng.normal(0.01, 0.05, 480)}, index=dates)
    >>> values = f.to_numpy() * np.linspace(0.5, 1.5, 10) + rng.normal(0, 0.02, (480, 10))
    >>> result = bayesian_fama_macbeth(pd.DataFrame(values, dates), f, draws=500)
    >>> bool(result.pvalues["f"] < 0.05)
    True
    """
    if method not in ("OLS", "GLS"):
        raise ConfigError(f"method is 'OLS' or 'GLS'; got {method!r}.")
    if draws < 100:
        raise ConfigError(f"Give at least 100 draws; got {draws}.")
    sample = align(returns, factors).complete()
    k = sample.factors.shape[1]
    joined = np.column_stack([sample.x[:, 1:], sample.y])
    n, p = joined.shape
    if n <= p + 1:
        raise EstimationError(f"The posterior needs T > N + K + 1; got T = {n}, N + K = {p}.")
    if p - k <= k + intercept:
        raise EstimationError(
            f"The second pass needs more assets than premia; got {p - k} for {k + intercept}."
        )
    values = _draw(joined, k, draws, method, intercept, np.random.default_rng(seed))
    labels = list(map(str, sample.factors.columns))
    names = pd.Index(
        coefficient_names("const", labels) if intercept else labels, name="coefficient"
    )
    table = pd.DataFrame(values, columns=[*names, "R2"])
    premia = table[list(names)]
    mean, deviation = premia.mean(), premia.std()
    positive = (premia > 0).mean()
    words = describe_dates(sample.returns.index, sample.freq)
    return BayesianResult(
        params=pd.Series(mean.to_numpy(), names, name="posterior mean"),
        std_errors=pd.Series(deviation.to_numpy(), names, name="posterior sd"),
        tstats=pd.Series((mean / deviation).to_numpy(), names, name="t"),
        pvalues=pd.Series(
            2 * np.minimum(positive.to_numpy(), 1 - positive.to_numpy()), names, name="p"
        ),
        draws=table,
        lines=(
            f"{draws:,} independent draws, seed {seed}; {method} second pass; flat prior.",
            "p: twice the smaller posterior probability of a sign.",
        ),
        title=f"Bayesian Fama-MacBeth premia ({words})",
        notes=sample.notes,
    )


def _root(residual: Array) -> Array:
    """Return the Cholesky root of a residual covariance."""
    problem = (
        "GLS needs a residual covariance that is regular: some assets are linear combinations of "
        "others, or of the factors. Leave them out, or use OLS."
    )
    try:
        root = np.linalg.cholesky(residual)
    except np.linalg.LinAlgError as error:
        raise EstimationError(problem) from error
    if (np.diag(root) ** 2 < 1e-13 * np.diag(residual)).any():
        raise EstimationError(problem)
    return np.asarray(root)


def _draw(
    joined: Array, k: int, draws: int, method: str, intercept: bool, rng: np.random.Generator
) -> Array:
    """Return draws of premia and R squared, shape (draws, coefficients + 1)."""
    n, p = joined.shape
    mean = joined.mean(axis=0)
    centred = joined - mean
    # The Cholesky root of centred' centred, which need not be regular: a traded factor may be
    # among the assets.
    upper = np.linalg.qr(centred)[1]
    root = upper.T * np.where(np.diag(upper) < 0.0, -1.0, 1.0)
    out = np.empty((draws, k + intercept + 1))
    ones = np.ones((p - k, 1))
    lower = np.tril_indices(p, -1)
    for d in range(draws):
        # Bartlett: W = A A' is Wishart(n - 1, I); S = root W^-1 root' is inverse Wishart.
        a = np.zeros((p, p))
        a[lower] = rng.standard_normal(len(lower[0]))
        a[np.diag_indices(p)] = np.sqrt(rng.chisquare(n - 1 - np.arange(p)))
        half = root @ np.linalg.inv(a).T
        sigma = half @ half.T
        mu = mean + half @ rng.standard_normal(p) / np.sqrt(n)
        beta = np.linalg.solve(sigma[:k, :k], sigma[:k, k:]).T
        x = np.hstack([ones, beta]) if intercept else beta
        target, level = mu[k:], ones
        if method == "GLS":
            residual = sigma[k:, k:] - beta @ sigma[:k, k:]
            whiten = np.linalg.inv(_root(residual))
            x, target, level = whiten @ x, whiten @ target, whiten @ ones
        gamma = np.linalg.lstsq(x, target, rcond=None)[0]
        errors = target - x @ gamma
        base = target
        if intercept:
            base = target - level[:, 0] * (level[:, 0] @ target) / (level[:, 0] @ level[:, 0])
        out[d, :-1] = gamma
        out[d, -1] = 1.0 - errors @ errors / (base @ base)
    return out
