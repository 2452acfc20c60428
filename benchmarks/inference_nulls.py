"""Worlds in which a null hypothesis is true, and the p-values that each test gives there.

Imported by `inference_size.py`. Factors are three normal series with the moments of monthly market,
size and value; errors are normal or Student's t with five degrees of freedom (scaled to 2% a
month), independent over time and equally correlated (0.2) across assets. A test of one series gets
twenty at a time on the same factors: its size is that given the factors.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from alphastrata.core import Panel
from alphastrata.inference import (
    adjust_pvalues,
    bayesian_fama_macbeth,
    bootstrap_alphas,
    chow,
    compare_models,
    conditional_model,
    cusum,
    dimson_beta,
    double_selection,
    downside_beta,
    fama_macbeth,
    panel_regression,
    probabilistic_sharpe,
    reality_check,
    romano_wolf,
    sharpe_difference,
    tangency,
    three_pass,
    two_pass,
)
from alphastrata.inference.grs import grs_statistic, max_squared_sharpe, solve_covariance
from alphastrata.inference.hac import HAC
from alphastrata.inference.joint import alpha_covariance, gmm_j
from alphastrata.inference.least_squares import fit_complete
from alphastrata.inference.spanning import spanning_statistics
from alphastrata.inference.tails import chi2_upper, f_upper, two_sided
from alphastrata.inference.two_pass import estimate_two_pass

MEANS, STDS = np.array([0.006, 0.002, 0.003]), np.array([0.045, 0.03, 0.03])
Tests = Iterator[tuple[str, float | np.ndarray]]
Generator = np.random.Generator
WHITE, NW = HAC(0), HAC(6)
PLAIN = HAC(0, small_sample=False)
AT_ONCE = 20
RESAMPLES = 199


def errors(rng: Generator, t: int, n: int, law: str) -> np.ndarray:
    common, own = (
        rng.standard_normal((t, m))
        if law == "normal"
        else rng.standard_t(5, (t, m)) / np.sqrt(5 / 3)
        for m in (1, n)
    )
    return 0.02 * (np.sqrt(0.2) * common + np.sqrt(0.8) * own)


def betas_of(n: int) -> np.ndarray:
    return np.random.default_rng(n).normal([[1.0], [0.4], [0.3]], 0.3, (3, n))


def draw(
    rng: Generator, t: int, n: int, law: str, betas: np.ndarray, alpha: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    f = rng.normal(MEANS, STDS, (t, 3))
    return alpha + f @ betas + errors(rng, t, n, law), f


def months(t: int) -> pd.DatetimeIndex:
    return pd.date_range("1900-01-31", periods=t, freq="ME")


def alpha_tests(y: np.ndarray, f: np.ndarray) -> Tests:
    """Joint tests of zero alphas, the first alpha alone, and all of them after adjustment."""
    (t, n), k = y.shape, f.shape[1]
    x = np.column_stack([np.ones(t), f])
    fit = fit_complete(x, y, covariance="nonrobust")
    a = fit.params[0]
    sigma = fit.residuals.T @ fit.residuals / t
    wald = t * float(a @ solve_covariance(sigma, a)) / (1 + max_squared_sharpe(f))
    yield "GRS F", f_upper(grs_statistic(x, y), n, t - n - k)
    yield "LR chi2", chi2_upper(t * np.log1p(wald / t), n)
    yield "Wald chi2", chi2_upper(wald, n)
    for name, hac in (("Wald White", WHITE), ("Wald NW(6)", NW)):
        v = alpha_covariance(x, fit.residuals, hac)
        yield name, chi2_upper(float(a @ solve_covariance(v, a)), n)
    if n * (k + 1) < t:
        yield "GMM J, White", chi2_upper(gmm_j(x, y, PLAIN), n)
    pvalues = two_sided(a / fit.std_errors[0], t - k - 1)
    for method in ("bonferroni", "holm", "hochberg", "hommel", "bh", "by"):
        adjusted = adjust_pvalues(pvalues, method).min()
        yield f"any of N alphas, {method}", float(adjusted)
    yield from one_alpha(x, y[:, :1])


def one_alpha(x: np.ndarray, one: np.ndarray) -> Tests:
    t, k = x.shape
    for name in ("nonrobust", "HC0", "HC1", "HC2", "HC3"):
        fit = fit_complete(x, one, covariance=name)
        yield f"t alpha, {name}", float(two_sided(fit.params[0, 0] / fit.std_errors[0, 0], t - k))
    for name, lags, small in (
        ("NW(6), T/(T-K), t", 6, True),
        ("NW(6), normal", 6, False),
        ("NW automatic", "newey-west", True),
        ("Andrews QS, prewhitened", "andrews-prewhitened", True),
    ):
        kernel = "quadratic-spectral" if "QS" in name else "bartlett"
        fit = fit_complete(x, one, lags=lags, kernel=kernel, small_sample=small)
        ratio = fit.params[0, 0] / fit.std_errors[0, 0]
        yield f"t alpha, {name}", float(two_sided(ratio, t - k if small else None))


def joint(rng: Generator, t: int, n: int, law: str) -> Tests:
    betas = betas_of(n)
    yield from alpha_tests(*draw(rng, t, n, law, betas))
    # The first factor earns nothing: its premium is zero.
    y, f = draw(rng, t, n, law, betas)
    shift = np.array([MEANS[0], 0.0, 0.0])
    for method in ("OLS", "GLS"):
        fit = estimate_two_pass(
            y - shift @ betas, f - shift, method=method, intercept=True, hac=PLAIN
        )
        for kind, v in fit.covariances.items():
            yield f"premium {method}, {kind}", float(two_sided(fit.premia[1] / np.sqrt(v[1, 1])))
        yield f"pricing errors, {method}", chi2_upper(*fit.test)
    # Betas sum to one: the factors span the assets.
    y, f = draw(rng, t, n, law, betas / betas.sum(axis=0))
    x = np.column_stack([np.ones(t), f])
    for name, row in spanning_statistics(x, y, WHITE).items():
        yield f"spanning {name.replace('HAC', 'White')}", row[1]
    for name, row in spanning_statistics(x, y, NW).items():
        if "HAC" in name:
            yield f"spanning {name.replace('HAC', 'NW(6)')}", row[1]


def series(rng: Generator, t: int, law: str) -> Tests:
    """Tests of one series, twenty series at a time."""
    dates = months(t)
    f = rng.normal(MEANS, STDS, (t, 3))
    own = np.column_stack([errors(rng, t, 1, law) for _ in range(AT_ONCE)])
    factors = pd.DataFrame(f, dates, list("abc"))
    market = factors[["a"]]
    noise = pd.DataFrame(own, dates)
    assets = noise.add(f.sum(axis=1), axis=0)
    broken = chow(assets, factors, dates[t // 2], lags=6).tests
    yield "Chow F", broken["F p"].to_numpy()
    yield "Chow Wald NW(6)", broken["Wald p"].to_numpy()
    paths = cusum(assets, factors).tests
    yield "CUSUM OLS", paths["OLS p"].to_numpy()
    yield "CUSUM recursive", paths["recursive p"].to_numpy()
    yield "Dimson beta of zero, NW(6)", dimson_beta(noise, market).pvalues.iloc[:, 0].to_numpy()
    down = downside_beta(noise.add(market["a"], axis=0), market).pvalues
    yield "downside less plain beta", down["downside - beta"].to_numpy()
    z = pd.DataFrame({"z": rng.standard_normal(t)}, dates)
    for lags, name in ((0, "White"), (6, "NW(6)")):
        varying = conditional_model(assets, factors, z, lags=lags).tests
        yield f"conditional betas, {name}", varying["betas p"].to_numpy()
    yield (
        "Sharpe ratio above zero (PSR)",
        np.array([1.0 - probabilistic_sharpe(noise[i]) for i in noise]),
    )


def pairs(rng: Generator, t: int, law: str) -> Tests:
    """Tests of two series or models, one world at a time."""
    dates = months(t)
    f = rng.normal(MEANS, STDS, (t, 3))
    y = f.sum(axis=1)[:, None] + errors(rng, t, 2, law)
    yield (
        "Sharpe difference, HAC",
        sharpe_difference(pd.Series(y[:, 0], dates), pd.Series(y[:, 1], dates)).pvalue,
    )
    base = pd.DataFrame({"a": f[:, 0]}, dates)
    pair = base.assign(zero=0.03 * rng.standard_normal(t))
    yield "tangency weight of zero", float(tangency(pair).pvalues["zero"])
    twin = base.assign(b=rng.normal(0.005, 0.03, t), c=rng.normal(0.005, 0.03, t))
    equal = compare_models({"A": twin[["a", "b"]], "B": twin[["a", "c"]]})
    yield "squared Sharpe ratios, not nested", float(equal.pvalues.loc["A", "B"])


def zoo(rng: Generator, t: int, law: str) -> Tests:
    """Sixty assets; the first factor earns nothing: its premium, and its loading in the SDF."""
    dates = months(t)
    priced = rng.normal(MEANS, STDS, (t, 3)) - np.array([MEANS[0], 0.0, 0.0])
    betas = np.random.default_rng(60).normal(0.7, 0.4, (3, 60))
    returns = pd.DataFrame(priced @ betas + errors(rng, t, 60, law), dates)
    seen = pd.DataFrame({"g": priced[:, 0] + 0.02 * rng.standard_normal(t)}, dates)
    seen["useless"] = 0.03 * rng.standard_normal(t)
    found = three_pass(returns, seen, n_factors=3, lags=0)
    yield "three-pass premium", float(found.pvalues["g"])
    yield "three-pass, useless factor unrelated", float(found.strength.loc["useless", "p"])
    new = pd.DataFrame({"g": priced[:, 0]}, dates)
    others = pd.DataFrame(priced[:, 1:], dates, ["h1", "h2"])
    noise = pd.DataFrame(0.03 * rng.standard_normal((t, 5)), dates, list("vwxyz"))
    double = double_selection(returns, new, others.join(noise), penalties=(0.05, 0.05, 0.05))
    yield "double selection", float(double.pvalues.iloc[0])


def panels(rng: Generator, t: int, n: int, law: str) -> Tests:
    """Characteristics that earn nothing, ten at a time, and factors that nobody is exposed to."""
    dates = months(t)
    index = pd.MultiIndex.from_product([dates, range(n)], names=["date", "asset"])
    e = errors(rng, t, n, law)
    x = pd.DataFrame(rng.standard_normal((n * t, 10)), index, [f"x{i}" for i in range(10)])
    panel = Panel(x.assign(ret=e.ravel()), freq="M")
    for lags in (0, 6):
        found = [fama_macbeth(panel, "ret", [name], lags=lags, lag=0) for name in x]
        yield f"Fama-MacBeth, {lags} lags", np.array([r.pvalues.iloc[1] for r in found])
    for cluster in ("white", "date", "asset", "both"):
        pooled = panel_regression(panel, "ret", list(x), cluster=cluster, lag=0)
        yield f"pooled, clusters: {cluster}", pooled.pvalues.to_numpy()[1:]
    f = rng.normal(MEANS, STDS, (t, 3))
    returns = pd.DataFrame(f.sum(axis=1)[:, None] + e, dates)
    useless = pd.DataFrame({"u": 0.03 * rng.standard_normal(t)}, dates)
    ranked = two_pass(returns.sub(f.sum(axis=1), axis=0), useless).tests
    yield "two-pass, rank of betas", float(ranked.loc["rank of betas", "p"])


def bootstraps(rng: Generator, t: int, n: int, law: str) -> Tests:
    """Tests that resample, 199 times each, or draw from a posterior."""
    dates = months(t)
    y, f = draw(rng, t, n, law, np.ones((3, n)))
    assets, factors = pd.DataFrame(y, dates), pd.DataFrame(f, dates, list("abc"))
    seed = int(rng.integers(1 << 30))
    if n == 5:
        two = sharpe_difference(assets[0], assets[1], draws=RESAMPLES, seed=seed)
        yield "Sharpe difference, bootstrap", two.bootstrap_pvalue
    wolf = romano_wolf(assets, factors, draws=RESAMPLES, block=2, seed=seed)
    yield "Romano-Wolf, any of N", float(wolf.adjusted.min())
    spa = reality_check(assets - MEANS.sum(), draws=RESAMPLES, block=2, seed=seed)
    yield "SPA, best of N", spa.hansen
    yield "White's reality check, best of N", spa.white
    if n == 25 and seed % 4 == 0:  # they take longest
        # The best of them: where its t-statistic lies among the best of worlds without skill.
        for method in ("fama-french", "kosowski"):
            luck = bootstrap_alphas(assets, factors, method=method, draws=RESAMPLES, seed=seed)
            yield f"luck, {method}", 1.0 - float(luck.percentiles.loc[95, "% below"]) / 100
    shift = np.array([MEANS[0], 0.0, 0.0])
    betas = betas_of(n)
    y, f = draw(rng, t, n, law, betas)
    if t > n + 5:
        posterior = bayesian_fama_macbeth(
            pd.DataFrame(y - shift @ betas, dates),
            pd.DataFrame(f - shift, dates, list("abc")),
            draws=RESAMPLES + 1,
            seed=seed,
        )
        yield "Bayesian premium", float(posterior.pvalues["a"])
