"""Joint tests that all alphas are zero beyond GRS: Wald, likelihood ratio, HAC and GMM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core import Note, Result, Statistic
from alphastrata.errors import EstimationError
from alphastrata.inference.grs import (
    grs_statistic,
    max_squared_sharpe,
    pricing_errors,
    require_dates,
    require_unspanned,
    solve_covariance,
)
from alphastrata.inference.hac import HAC, LagRule, as_hac, long_run_covariance, select_bandwidth
from alphastrata.inference.layout import parameter_table
from alphastrata.inference.least_squares import fit_complete
from alphastrata.inference.samples import Returns, align, describe_dates
from alphastrata.inference.tails import chi2_upper, f_upper, two_sided

__all__ = ["JointResult", "gmm_j", "joint_alphas", "stacked_scores"]

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class JointResult(Result):
    """Several tests of one joint hypothesis.

    Attributes
    ----------
    tests : DataFrame
        One row per test: "statistic", "p" and "distribution".
    params, std_errors, tstats, pvalues : Series
        Alphas with robust errors.
    measures : Series
        Average |alpha| and relatives; see `alphastrata.inference.grs.pricing_errors`.
    """

    tests: pd.DataFrame
    params: pd.Series
    std_errors: pd.Series
    tstats: pd.Series
    pvalues: pd.Series
    measures: pd.Series
    null: str
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row per alpha: estimate, standard error, t and p."""
        return parameter_table(self.params, self.std_errors, self.tstats, self.pvalues)

    def statistics(self) -> Sequence[Statistic]:
        """Return every test."""
        return tuple(
            Statistic(str(name), row["statistic"], row["p"], self.null, row["distribution"])
            for name, row in self.tests.iterrows()
        )

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        listed = ", ".join(f"{name} = {value:.4f}" for name, value in self.measures.items())
        return [listed, *self.lines] if len(self.measures) else list(self.lines)


def joint_alphas(
    returns: Returns, factors: Returns, *, lags: int | LagRule | HAC = 6
) -> JointResult:
    """Return GRS, Wald, likelihood-ratio, robust Wald and GMM tests that all alphas are zero.

    Parameters
    ----------
    returns, factors
        N test assets and K traded factors, as in `grs`.
    lags : int, rule or HAC
        Newey-West lags of the moments of the robust tests; 0 gives White's.

    Returns
    -------
    JointResult

    Raises
    ------
    EstimationError
        If N >= T - K. GMM is left out, and that is said, where N (K + 1) >= T.

    Notes
    -----
    With W = T alpha' Sigma^-1 alpha / (1 + mu' Omega^-1 mu), Sigma and Omega by T: Wald is W,
    chi2(N); LR is T log(1 + W / T), chi2(N); GRS is W (T - N - K) / (T N). "Wald HAC" is
    alpha' V^-1 alpha with the HAC covariance V of all alphas. "GMM J" restricts alphas to zero
    and tests the N over-identifying moments E[e], E[e f] at the efficient GMM betas.

    All but GRS are asymptotic: with 25 assets and 60 dates they reject most true nulls.

    Source: Gibbons, Ross and Shanken (1989); Cochrane (2005, sections 12.1 and 13.1);
    MacKinlay and Richardson (1991).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("2000-01-31", periods=240, freq="ME")
    >>> f = pd.DataFrame({"f": rng.normal(0.005, 0.04, 240)}, index=dates)
    >>> assets = pd.DataFrame(rng.normal(0, 0.02, (240, 3)), index=dates).add(f["f"], axis=0)
    >>> list(joint_alphas(assets, f).tests.index)
    ['GRS', 'Wald', 'LR', 'Wald HAC', 'GMM J']
    """
    hac = as_hac(lags)
    sample = align(returns, factors).complete()
    x, y = sample.x, sample.y
    (n, n_assets), k = y.shape, x.shape[1] - 1
    require_dates(n, n_assets, k)
    fit = fit_complete(x, y, covariance="nonrobust")
    names = [str(name) for name in sample.returns.columns]
    require_unspanned(fit.residuals, y, names)
    alphas = fit.params[0]
    sigma = fit.residuals.T @ fit.residuals / n
    wald = n * float(alphas @ solve_covariance(sigma, alphas, names))
    wald /= 1.0 + max_squared_sharpe(sample.f)
    f_value = grs_statistic(x, y)
    likelihood = n * np.log1p(wald / n)
    covariance = alpha_covariance(x, fit.residuals, hac)
    robust = float(alphas @ solve_covariance(covariance, alphas))
    chi2 = f"chi2({n_assets})"
    values = {"Wald": wald, "LR": likelihood, "Wald HAC": robust}
    if n_assets * (k + 1) < n:
        values["GMM J"] = gmm_j(x, y, hac)
        about_j = "GMM in two steps."
    else:
        about_j = f"GMM J left out: {n_assets * (k + 1)} moments for {n} dates."
    rows = {"GRS": (f_value, f_upper(f_value, n_assets, n - n_assets - k),
                    f"F({n_assets}, {n - n_assets - k})")}  # fmt: skip
    rows |= {name: (v, chi2_upper(v, n_assets), chi2) for name, v in values.items()}
    tests = pd.DataFrame.from_dict(
        rows, orient="index", columns=["statistic", "p", "distribution"]
    ).rename_axis("test")
    assets = pd.Index(sample.returns.columns, name="asset")
    errors = np.sqrt(np.diag(covariance))
    tstats = alphas / errors
    measures = pricing_errors(alphas, fit.std_errors[0], y)  # those of `grs`, whatever the lags
    return JointResult(
        tests=tests,
        params=pd.Series(alphas, assets, name="alpha"),
        std_errors=pd.Series(errors, assets, name="std_error"),
        tstats=pd.Series(tstats, assets, name="t"),
        pvalues=pd.Series(
            two_sided(tstats, n - k - 1 if hac.small_sample else None), assets, name="p"
        ),
        measures=pd.Series(measures),
        null="all alphas are zero",
        lines=(
            "GRS exact under normal homoskedastic errors; the others are asymptotic.",
            f"Robust tests: {hac.describe()}; moments of all assets together. "
            f"Sigma and Omega by T. {about_j}",
        ),
        title=f"Joint tests of {n_assets} alphas on {', '.join(sample.factors.columns)} "
        f"({describe_dates(sample.returns.index, sample.freq)})",
        notes=sample.notes,
    )


def stacked_scores(x: Array, residuals: Array) -> Array:
    """Return x_t (kron) e_t for all assets, shape (T, k N): all assets for x_0, then for x_1."""
    return np.asarray((x[:, :, None] * residuals[:, None, :]).reshape(len(x), -1))


def alpha_covariance(x: Array, residuals: Array, hac: HAC) -> Array:
    """Return the HAC covariance of the intercepts of N regressions on the same x, (N, N)."""
    n, k = x.shape
    bread = np.linalg.inv(x.T @ x)
    # The influence of date t on alpha_i is (first row of (X'X)^-1 x_t) e_ti.
    influence = (x @ bread[0])[:, None] * residuals
    if isinstance(hac.lags, str):
        bandwidth = select_bandwidth(stacked_scores(x, residuals), hac.lags, hac.kernel)
    else:
        bandwidth = select_bandwidth(influence, hac.lags, hac.kernel)
    covariance = long_run_covariance(influence, bandwidth, hac.kernel) * n
    return covariance * (n / (n - k) if hac.small_sample else 1.0)


def gmm_j(x: Array, y: Array, hac: HAC) -> float:
    """Return T times the minimised efficient GMM objective of E[x_t (kron) (r_t - B f_t)] = 0.

    Parameters
    ----------
    x : ndarray, shape (T, K + 1)
        A column of ones and the factors.
    y : ndarray, shape (T, N)
        Excess returns.
    hac : HAC
        Kernel and lags of the moments' covariance, taken at the residuals of the first step, that
        of two-stage least squares: the regressions without intercept. Moments are not centred,
        since they average zero under the null. The small-sample factor is not used.

    Raises
    ------
    EstimationError
        If there are at least as many moments as dates.

    Notes
    -----
    The moments are linear in B, so the second step is one generalised least squares:
    J = T (m - G b)' S^-1 (m - G b). With S at the residuals of the unrestricted regressions
    instead, J would be the robust Wald statistic over again.
    """
    n, k1 = x.shape
    n_assets = y.shape[1]
    if n_assets * k1 >= n:
        raise EstimationError(
            f"GMM needs fewer moments than dates; got N (K + 1) = {n_assets * k1} and T = {n}. "
            "Use fewer assets."
        )
    f = x[:, 1:]
    restricted = fit_complete(f, y, covariance="nonrobust", constant=None).residuals
    scores = stacked_scores(x, restricted)
    spectral = long_run_covariance(
        scores, select_bandwidth(scores, hac.lags, hac.kernel), hac.kernel
    )
    m = (x.T @ y / n).reshape(-1)
    # d m / d B: the block of instrument a and factor b is mean(x_a f_b) times the identity.
    g = np.kron(x.T @ f / n, np.eye(n_assets))
    weighted = solve_covariance(spectral, np.column_stack([g, m]))
    b = np.linalg.solve(g.T @ weighted[:, :-1], g.T @ weighted[:, -1])
    error = m - g @ b
    return float(n * error @ (weighted[:, -1] - weighted[:, :-1] @ b))
