"""Risk premia from two passes: betas over time, then average returns on betas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core import Note, Result, Statistic
from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.beta_rank import beta_rank, left_out
from alphastrata.inference.grs import solve_covariance
from alphastrata.inference.hac import HAC, LagRule, as_hac, mean_covariance
from alphastrata.inference.layout import parameter_table
from alphastrata.inference.least_squares import fit_complete
from alphastrata.inference.samples import (
    Returns,
    Sample,
    align,
    coefficient_names,
    describe_dates,
)
from alphastrata.inference.tails import chi2_upper, two_sided

__all__ = ["TwoPass", "TwoPassResult", "estimate_two_pass", "two_pass"]

Array = NDArray[np.float64]
Method = Literal["OLS", "GLS"]
Errors = Literal["fama-macbeth", "shanken", "gmm", "misspecification-robust"]
_ERRORS: tuple[Errors, ...] = ("fama-macbeth", "shanken", "gmm", "misspecification-robust")


@dataclass(frozen=True)
class TwoPass:
    """Numbers of a two-pass regression, as arrays.

    Attributes
    ----------
    premia : ndarray, shape (k,)
        Zero-beta rate first where there is one, then the K premia.
    covariances : dict of str to ndarray, shape (k, k)
        By kind of error.
    betas : ndarray, shape (N, K)
    pricing_errors : ndarray, shape (N,)
    r2, r2_error : float
        Cross-sectional R squared and its standard error under misspecification.
    test : tuple of (float, int), or None
        Statistic of the test that all pricing errors are zero, and degrees of freedom; None where
        N >= T - K: residuals then span fewer dimensions than pricing errors.
    """

    premia: Array
    covariances: dict[str, Array]
    betas: Array
    pricing_errors: Array
    r2: float
    r2_error: float
    test: tuple[float, int] | None


@dataclass(frozen=True, repr=False)
class TwoPassResult(Result):
    """Risk premia with four kinds of standard error.

    Attributes
    ----------
    params : Series
        "const" (zero-beta rate in excess of the risk-free rate) and the premia, per period.
    std_errors, tstats, pvalues : Series
        With the chosen kind of error; p-values are normal.
    all_errors : DataFrame
        Standard errors of every kind, coefficient x kind.
    betas : DataFrame, asset x factor
        First-pass betas.
    pricing_errors : Series
        Average return not explained, by asset.
    r2 : float
        Cross-sectional R squared (OLS or GLS) of average returns.
    r2_interval : tuple of float
        95% interval of R squared, from its asymptotic normal distribution inside (0, 1), cut to
        [0, 1]. Not valid where the true R squared is 0 or 1.
    factor_means : Series
        Average factors: what the premia of traded factors should be.
    """

    params: pd.Series
    std_errors: pd.Series
    tstats: pd.Series
    pvalues: pd.Series
    all_errors: pd.DataFrame
    betas: pd.DataFrame
    pricing_errors: pd.Series
    r2: float
    r2_interval: tuple[float, float]
    factor_means: pd.Series
    tests: pd.DataFrame
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row per premium: estimate, error, t, p, and t under every kind of error."""
        table = parameter_table(self.params, self.std_errors, self.tstats, self.pvalues)
        for kind in self.all_errors:
            table[f"t {kind}"] = self.params / self.all_errors[kind]
        return table

    def statistics(self) -> Sequence[Statistic]:
        """Return the tests of pricing errors and of premia against factor means."""
        return tuple(
            Statistic(str(n), row["statistic"], row["p"], row["null"], row["distribution"])
            for n, row in self.tests.iterrows()
        )

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        low, high = self.r2_interval
        return [f"R2 {self.r2:.4f} (95%: {low:.4f} to {high:.4f}).", *self.lines]


def two_pass(
    returns: Returns,
    factors: Returns,
    *,
    method: Method = "OLS",
    intercept: bool = True,
    errors: Errors = "shanken",
    lags: int | LagRule | HAC = 0,
    traded: bool = False,
) -> TwoPassResult:
    """Return the risk premia of factors from average returns and betas.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        N test assets, excess returns; dates on which one is missing are left out.
    factors : FactorReturns, DataFrame or Series
        K factors, traded or not.
    method : {"OLS", "GLS"}
        Second pass; GLS weighs by the inverse covariance of returns (the same estimate as by
        that of residuals).
    intercept : bool
        Whether a zero-beta asset may earn more than the risk-free rate.
    errors : {"fama-macbeth", "shanken", "gmm", "misspecification-robust"}
        Kind shown; all are computed.
    lags : int, rule or HAC
        Newey-West lags of all kinds but Shanken's; no small-sample factor unless an `HAC` asks.
    traded : bool
        Impose that traded factors price themselves: they join the test assets (with GLS, their
        premia then are their means).

    Returns
    -------
    TwoPassResult

    Raises
    ------
    EstimationError
        If factors, or betas across assets, are collinear, if there are no more assets than premia,
        or, for GLS, no more dates than assets. Where N >= T - K the joint tests are left out, and
        that is said.

    Notes
    -----
    gamma = (X'WX)^-1 X'W mu, X = (1, B).

    * "fama-macbeth": covariance of (X'WX)^-1 X'W R_t; betas taken as known.
    * "shanken": (1 + c) A Sigma A' / T plus the factors' covariance / T, c = g' V_f^-1 g
      (Shanken 1992): homoskedastic, correct model.
    * "gmm": long-run covariance of (gamma_t - gamma) - (phi_t - phi) w_t: heteroskedasticity and
      autocorrelation, correct model (Cochrane 2005, section 12.2; Jagannathan and Wang 1998).
    * "misspecification-robust": adds what pricing errors contribute (Kan, Robotti and Shanken
      2013, propositions 1 and 2).

    With weak or useless factors (betas close to zero or to each other) none of them helps: see
    the p-value of the betas' spread among the tests, and `bayesian_fama_macbeth`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("1980-01-31", periods=480, freq="ME")
    >>> f = pd.DataFrame({"f": rng.normal(0.01, 0.05, 480)}, index=dates)
    >>> betas = np.linspace(0.5, 1.5, 10)
    >>> assets = pd.DataFrame(f.to_numpy() * betas + rng.normal(0, 0.02, (480, 10)), index=dates)
    >>> bool(abs(two_pass(assets, f).tstats["f"]) > 2)
    True
    """
    if method not in ("OLS", "GLS"):
        raise ConfigError(f"method is 'OLS' or 'GLS'; got {method!r}.")
    if errors not in _ERRORS:
        raise ConfigError(f"errors is one of {_ERRORS}; got {errors!r}.")
    hac = lags if isinstance(lags, HAC) else HAC(as_hac(lags).lags, small_sample=False)
    sample = align(returns, factors).complete()
    assets = list(map(str, sample.returns.columns))
    y = sample.y
    if traded:
        new = [name for name in sample.factors.columns if name not in assets]
        y = np.column_stack([y, sample.factors[new].to_numpy()])
        assets += list(map(str, new))
    numbers = estimate_two_pass(
        y, sample.x[:, 1:], method=method, intercept=intercept, hac=hac, names=assets
    )
    return _result(sample, numbers, assets, method, intercept, errors, hac)


def estimate_two_pass(
    y: Array,
    f: Array,
    *,
    method: Method,
    intercept: bool,
    hac: HAC,
    names: Sequence[str] | None = None,
) -> TwoPass:
    """Return the two-pass regression of y, shape (T, N), on factors f, shape (T, K).

    See `two_pass` for the equations; names are those of the assets, for messages.
    """
    (n, n_assets), k = y.shape, f.shape[1]
    if n_assets <= k + intercept:
        raise EstimationError(
            f"The second pass needs more assets than premia; got {n_assets} for {k + intercept}."
        )
    first = fit_complete(np.column_stack([np.ones(n), f]), y, covariance="nonrobust")
    beta = first.params[1:].T
    x = np.column_stack([np.ones(n_assets), beta]) if intercept else beta
    mean, centred = y.mean(axis=0), y - y.mean(axis=0)
    f_centred = f - f.mean(axis=0)
    f_cov = f_centred.T @ f_centred / n
    if method == "GLS":
        if n_assets >= n:
            raise EstimationError(
                "GLS weighs by the inverse covariance of returns, which needs more dates than "
                f"assets; got T = {n}, N = {n_assets}. Use OLS or fewer, broader portfolios."
            )
        returns_cov = centred.T @ centred / n
        weighted = solve_covariance(returns_cov, x, names)
    else:
        returns_cov = np.eye(n_assets)
        weighted = x
    gram = x.T @ weighted
    if np.linalg.cond(gram / np.sqrt(np.outer(np.diag(gram), np.diag(gram)))) > 1e12:
        raise EstimationError(
            "Betas are collinear across assets: premia cannot be told apart. Leave a factor out."
        )
    h = np.asarray(np.linalg.inv(gram), dtype=np.float64)
    a = h @ weighted.T
    gamma = a @ mean
    errors = mean - x @ gamma
    premia = gamma[1:] if intercept else gamma
    w = f_centred @ np.linalg.solve(f_cov, premia)
    u = centred @ (np.linalg.solve(returns_cov, errors) if method == "GLS" else errors)
    series = y @ a.T  # gamma_t
    correct, robust = _influences(series - gamma, f_centred, w, u, h, method)
    sigma = first.residuals.T @ first.residuals / n
    c = float(premia @ np.linalg.solve(f_cov, premia))
    shanken = (1.0 + c) * a @ sigma @ a.T
    shanken[intercept:, intercept:] += f_cov
    covariances = {
        "fama-macbeth": _mean_cov(series, hac),
        "shanken": shanken / n,
        "gmm": _mean_cov(correct, hac),
        "misspecification-robust": _mean_cov(robust, hac),
    }
    r2, influence = _r_squared(mean, errors, returns_cov, centred, u, w, method, intercept)
    r2_error = float(np.sqrt(_mean_cov(influence, hac)[0, 0]))
    maker = np.eye(n_assets) - x @ a
    freedom = n_assets - len(gamma)
    test = None
    if n_assets < n - k:
        form = _pinv_form((1.0 + c) / n * maker @ sigma @ maker.T, errors, freedom)
        test = (form, freedom)
    return TwoPass(gamma, covariances, beta, errors, r2, r2_error, test)


def _influences(
    deviations: Array, f_centred: Array, w: Array, u: Array, h: Array, method: Method
) -> tuple[Array, Array]:
    """Return each date's influence on the premia: correct model, and robust to pricing errors.

    Parameters
    ----------
    deviations : ndarray, shape (T, k)
        gamma_t - gamma.
    f_centred : ndarray, shape (T, K)
        f_t - mu_f.
    w, u : ndarray, shape (T,)
        gamma_1' V_f^-1 (f_t - mu_f), and e' W (R_t - mu).
    h : ndarray, shape (k, k)
        (X'WX)^-1.
    """
    lead = deviations.shape[1] - f_centred.shape[1]
    exposed = deviations.copy()
    exposed[:, lead:] -= f_centred  # phi_t - phi
    correct = deviations - exposed * w[:, None]
    z = np.zeros_like(deviations)
    f_cov = f_centred.T @ f_centred / len(f_centred)
    z[:, lead:] = u[:, None] * (f_centred @ np.linalg.inv(f_cov))
    robust = correct + z @ h
    if method == "GLS":
        robust = robust - deviations * u[:, None]
    return correct, robust


def _mean_cov(series: Array, hac: HAC) -> Array:
    return mean_covariance(series, hac.lags, hac.kernel, small_sample=hac.small_sample)[0]


def _pinv_form(matrix: Array, vector: Array, rank: int) -> float:
    """Return vector' matrix^+ vector with the `rank` largest eigenvalues of matrix."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2.0)
    part = vectors[:, -rank:].T @ vector
    return float(part @ (part / values[-rank:]))


def _r_squared(
    mean: Array,
    errors: Array,
    returns_cov: Array,
    centred: Array,
    u: Array,
    w: Array,
    method: Method,
    intercept: bool,
) -> tuple[float, Array]:
    """Return the cross-sectional R squared and the influence of each date on it.

    Without an intercept the total is about zero (Kan, Robotti and Shanken 2013, proposition 5
    and the appendix on the zero-beta rate).
    """
    ones = np.ones((len(mean), 1))
    weigh = np.linalg.inv(returns_cov) if method == "GLS" else returns_cov
    base = mean
    if intercept:
        level = (ones.T @ weigh @ mean) / (ones.T @ weigh @ ones)
        base = mean - level[0, 0]
    total = float(base @ weigh @ base)
    rho2 = 1.0 - float(errors @ weigh @ errors) / total
    v = centred @ weigh @ base
    y = 1.0 - w
    if method == "OLS":
        influence = 2.0 * (-u * y + (1.0 - rho2) * v) / total
    else:
        influence = (u**2 - 2.0 * u * y + (1.0 - rho2) * (2.0 * v - v**2)) / total
    return rho2, influence


def _result(
    sample: Sample,
    numbers: TwoPass,
    assets: list[str],
    method: Method,
    intercept: bool,
    errors: Errors,
    hac: HAC,
) -> TwoPassResult:
    factors = list(map(str, sample.factors.columns))
    names = pd.Index(
        coefficient_names("const", factors) if intercept else factors, name="coefficient"
    )
    all_errors = pd.DataFrame(
        {kind: np.sqrt(np.diag(c)) for kind, c in numbers.covariances.items()}, index=names
    )
    params = pd.Series(numbers.premia, names, name="premium")
    tstats = params / all_errors[errors]
    means = sample.f.mean(axis=0)
    gap = numbers.premia[intercept:] - means
    tests: dict[str, tuple[float, float, str, str]] = {}
    if numbers.test:
        value, freedom = numbers.test
        tests["pricing errors"] = (
            value,
            chi2_upper(value, freedom),
            f"chi2({freedom})",
            "all pricing errors are zero (Shanken)",
        )
    spread = None
    if numbers.test and len(assets) == sample.y.shape[1]:
        spread = beta_rank(sample, numbers.betas, intercept)
    if spread is not None:
        tests["rank of betas"] = spread
    table = pd.DataFrame.from_dict(
        tests, orient="index", columns=["statistic", "p", "distribution", "null"]
    )
    half = 1.959963984540054 * numbers.r2_error
    gaps = ", ".join(f"{n} {g:+.4f}" for n, g in zip(factors, gap, strict=True))
    index = pd.Index(assets, name="asset")
    words = describe_dates(sample.returns.index, sample.freq)
    return TwoPassResult(
        params=params,
        std_errors=all_errors[errors].rename("std_error"),
        tstats=tstats.rename("t"),
        pvalues=pd.Series(two_sided(tstats), names, name="p"),
        all_errors=all_errors,
        betas=pd.DataFrame(numbers.betas, index, factors),
        pricing_errors=pd.Series(numbers.pricing_errors, index, name="pricing error"),
        r2=numbers.r2,
        r2_interval=(max(numbers.r2 - half, 0.0), min(numbers.r2 + half, 1.0)),
        factor_means=pd.Series(means, factors, name="mean"),
        tests=table,
        lines=(
            f"{method} second pass on {len(assets)} assets, covariances by T; errors shown: "
            f"{errors}; normal p-values.",
            f"All errors but Shanken's: {hac.describe(lost='1', pvalues=False)}.",
            *([] if numbers.test else [left_out(sample, assets)]),
            f"Premia less factor means (zero for traded factors): {gaps}.",
        ),
        title=f"Two-pass risk premia of {', '.join(factors)} ({words})",
        notes=sample.notes,
    )
