"""Monte Carlo: how often each test rejects a true null at 5%, and how often a false one.

Run:  OMP_NUM_THREADS=1 python benchmarks/inference_size.py [--draws 2000] [--what joint]
``--what``: joint (and single alphas, premia, spanning, stability), others, bootstraps,
shanken, power.

Factors are three normal series with the moments of monthly market, size and value; errors are
normal or Student's t with five degrees of freedom (scaled to 2% a month), independent over time
and equally correlated (0.2) across assets. Simulation error of a 5% share over 2,000 draws: 0.5
points (one standard deviation).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from alphastrata.core import Panel
from alphastrata.inference import (
    compare_models,
    conditional_model,
    dimson_beta,
    double_selection,
    downside_beta,
    fama_macbeth,
    probabilistic_sharpe,
    reality_check,
    romano_wolf,
    tangency,
    three_pass,
)
from alphastrata.inference.grs import grs_statistic, max_squared_sharpe, solve_covariance
from alphastrata.inference.hac import HAC
from alphastrata.inference.joint import alpha_covariance, gmm_j
from alphastrata.inference.least_squares import fit_complete
from alphastrata.inference.ledoit_wolf import sharpe_difference
from alphastrata.inference.spanning import huberman_kandel
from alphastrata.inference.stability import chow, cusum
from alphastrata.inference.tails import chi2_upper, f_upper, two_sided
from alphastrata.inference.two_pass import estimate_two_pass

MEANS, STDS = np.array([0.006, 0.002, 0.003]), np.array([0.045, 0.03, 0.03])
Tests = Iterator[tuple[str, float]]
DESIGNS = [(t, n, law) for law in ("normal", "t(5)") for n in (5, 25) for t in (60, 240, 600)]
WHITE, NW = HAC(0), HAC(6)
PLAIN = HAC(0, small_sample=False)


def draw(
    rng: np.random.Generator, t: int, n: int, law: str, betas: np.ndarray, alpha: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    f = rng.normal(MEANS, STDS, (t, 3))
    common, own = (
        (
            rng.standard_normal((t, m))
            if law == "normal"
            else rng.standard_t(5, (t, m)) / np.sqrt(5 / 3)
        )
        for m in (1, n)
    )
    e = 0.02 * (np.sqrt(0.2) * common + np.sqrt(0.8) * own)
    return alpha + f @ betas + e, f


def alpha_tests(y: np.ndarray, f: np.ndarray) -> Tests:
    """p-values of joint tests of zero alphas and of the first alpha alone."""
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
    one = y[:, :1]
    for name in ("nonrobust", "HC0", "HC1", "HC2", "HC3"):
        single = fit_complete(x, one, covariance=name)
        yield (
            f"t alpha, {name}",
            float(two_sided(single.params[0, 0] / single.std_errors[0, 0], t - k - 1)),
        )
    for name, lags, small in (
        ("NW(6), T/(T-K), t", 6, True),
        ("NW(6), normal", 6, False),
        ("NW automatic", "newey-west", True),
        ("Andrews QS, prewhitened", "andrews-prewhitened", True),
    ):
        kernel = "quadratic-spectral" if "QS" in name else "bartlett"
        single = fit_complete(x, one, lags=lags, kernel=kernel, small_sample=small)
        ratio = single.params[0, 0] / single.std_errors[0, 0]
        yield f"t alpha, {name}", float(two_sided(ratio, t - k - 1 if small else None))


def frame_tests(y: np.ndarray, f: np.ndarray) -> Tests:
    """p-values of tests that take frames: stability, spanning (betas sum to one), Sharpe."""
    dates = pd.date_range("1900-01-31", periods=len(y), freq="ME")
    factors = pd.DataFrame(f, dates, list("abc"))
    first = pd.DataFrame(y[:, :1], dates)
    broken = chow(first, factors, dates[len(y) // 2], lags=6).tests.iloc[0]
    yield "Chow F", float(broken["F p"])
    yield "Chow Wald NW(6)", float(broken["Wald p"])
    paths = cusum(first, factors).tests.iloc[0]
    yield "CUSUM OLS", float(paths["OLS p"])
    yield "CUSUM recursive", float(paths["recursive p"])
    difference = sharpe_difference(pd.Series(y[:, 0], dates), pd.Series(y[:, 1], dates))
    yield "Sharpe difference, HAC", difference.pvalue


def spanning_tests(y: np.ndarray, f: np.ndarray) -> Tests:
    dates = pd.date_range("1900-01-31", periods=len(y), freq="ME")
    tests = huberman_kandel(pd.DataFrame(y, dates), pd.DataFrame(f, dates, list("abc")), lags=0)
    for name, p in tests.tests["p"].items():
        yield f"spanning {name}", float(p)


def premium_tests(y: np.ndarray, f: np.ndarray) -> Tests:
    """p-values that the premium of a factor that earns nothing is zero."""
    for method in ("OLS", "GLS"):
        fit = estimate_two_pass(y, f, method=method, intercept=True, hac=PLAIN)
        for kind, v in fit.covariances.items():
            yield f"premium {method}, {kind}", float(two_sided(fit.premia[1] / np.sqrt(v[1, 1])))


def shares(work: Callable[[np.random.Generator], Tests], draws: int, seed: int) -> pd.Series:
    """Share of p-values below 5%, in per cent, by test."""
    rows = [dict(work(np.random.default_rng([seed, d]))) for d in range(draws)]
    return 100 * (pd.DataFrame(rows) < 0.05).mean()


def sizes(draws: int) -> None:
    columns = {}
    for number, (t, n, law) in enumerate(DESIGNS):
        betas = np.random.default_rng(n).normal([[1.0], [0.4], [0.3]], 0.3, (3, n))
        spanned = betas / betas.sum(axis=0)

        def null(rng: np.random.Generator, t=t, n=n, law=law, b=betas) -> Tests:
            yield from alpha_tests(*draw(rng, t, n, law, b))

        def priced(rng: np.random.Generator, t=t, n=n, law=law, b=betas) -> Tests:
            y, f = draw(rng, t, n, law, b)
            shift = np.array([MEANS[0], 0.0, 0.0])  # the first factor earns nothing
            yield from premium_tests(y - shift @ b, f - shift)

        def spans(rng: np.random.Generator, t=t, n=n, law=law, b=spanned) -> Tests:
            yield from spanning_tests(*draw(rng, t, n, law, b))

        def frames(rng: np.random.Generator, t=t, n=n, law=law) -> Tests:
            yield from frame_tests(*draw(rng, t, 5, law, np.ones((3, 5))))

        parts = [shares(null, draws, number), shares(priced, draws, 100 + number)]
        parts.append(shares(spans, max(draws // 4, 100), 200 + number))
        if n == 5:
            parts.append(shares(frames, max(draws // 4, 100), 300 + number))
        columns[(law, f"N={n}", f"T={t}")] = pd.concat(parts)
        print(f"done: {law}, N = {n}, T = {t}", flush=True)
    table = pd.DataFrame(columns)
    print(f"\nShare of true nulls rejected at 5%, per cent, {draws} draws "
          f"(a quarter of them for spanning, stability and Sharpe tests)")  # fmt: skip
    print(table.round(1).to_string())
    print("\nOutside 4 to 6 in some design:")
    print(", ".join(table.index[((table < 4) | (table > 6)).any(axis=1)]))


def power(draws: int) -> None:
    columns = {}
    for alpha in (0.0, 0.0005, 0.001, 0.0015, 0.002, 0.003):
        for n in (5, 25):
            betas = np.random.default_rng(n).normal([[1.0], [0.4], [0.3]], 0.3, (3, n))

            def world(rng: np.random.Generator, a=alpha, n=n, b=betas) -> Tests:
                y, f = draw(rng, 240, n, "normal", b, a)
                yield from alpha_tests(y, f)

            columns[(f"N={n}", f"{100 * alpha:.2f}%")] = shares(world, draws, round(alpha * 1e5))
    table = pd.DataFrame(columns).sort_index(axis=1, level=0, sort_remaining=False)
    print(f"\nPower at 5%: every alpha equals (per month), T = 240, normal errors, {draws} draws")
    print(table.round(1).to_string())


def other_tests(rng: np.random.Generator, t: int, law: str) -> Tests:
    """p-values of tests that take frames or panels, each under a null that is true."""
    dates = pd.date_range("1900-01-31", periods=t, freq="ME")
    y, f = draw(rng, t, 5, law, np.ones((3, 5)))
    assets, factors = pd.DataFrame(y, dates), pd.DataFrame(f, dates, list("abc"))
    market = factors[["a"]]
    e = rng.standard_normal(t) if law == "normal" else rng.standard_t(5, t) / np.sqrt(5 / 3)
    lone = pd.Series(0.02 * e, dates, name="lone")
    yield "Dimson beta of zero, NW(6)", float(dimson_beta(lone, market).pvalues.iloc[0, 0])
    down = downside_beta((market["a"] + lone).rename("d"), market).pvalues
    yield "downside less plain beta", float(down["downside - beta"].iloc[0])
    z = pd.DataFrame({"z": rng.standard_normal(t)}, dates)
    varying = conditional_model(assets[[0]], factors, z, lags=0)
    yield "conditional betas, White", float(varying.tests["betas p"].iloc[0])
    pair = factors[["a"]].assign(zero=0.03 * rng.standard_normal(t))
    yield "tangency weight of zero", float(tangency(pair).pvalues["zero"])
    twin = factors[["a"]].assign(b=rng.normal(0.005, 0.03, t), c=rng.normal(0.005, 0.03, t))
    equal = compare_models({"A": twin[["a", "b"]], "B": twin[["a", "c"]]})
    yield "squared Sharpe ratios, not nested", float(equal.pvalues.loc["A", "B"])
    yield "Sharpe ratio above zero (PSR)", 1.0 - probabilistic_sharpe(lone)
    yield from panel_tests(rng, t, law, dates)
    yield from zoo_tests(rng, f, law, dates)


def bootstrap_tests(rng: np.random.Generator, t: int, law: str) -> Tests:
    """p-values of the tests that resample, 199 times each."""
    dates = pd.date_range("1900-01-31", periods=t, freq="ME")
    y, f = draw(rng, t, 5, law, np.ones((3, 5)))
    assets, factors = pd.DataFrame(y, dates), pd.DataFrame(f, dates, list("abc"))
    two = sharpe_difference(assets[0], assets[1], draws=199, seed=int(rng.integers(1 << 30)))
    yield "Sharpe difference, bootstrap", two.bootstrap_pvalue
    block, seed = 2, int(rng.integers(1 << 30))
    wolf = romano_wolf(assets, factors, draws=199, block=block, seed=seed)
    yield "Romano-Wolf, any of 5", float(wolf.adjusted.min())
    free = assets - MEANS.sum()
    spa = reality_check(free, draws=199, block=block, seed=seed)
    yield "SPA, best of 5", spa.hansen
    yield "White's reality check, best of 5", spa.white


def panel_tests(rng: np.random.Generator, t: int, law: str, dates: pd.DatetimeIndex) -> Tests:
    """A characteristic that earns nothing, 50 assets, correlated errors."""
    e, _ = draw(rng, t, 50, law, np.zeros((3, 50)))
    index = pd.MultiIndex.from_product([dates, range(50)], names=["date", "asset"])
    data = pd.DataFrame({"ret": e.ravel(), "x": rng.standard_normal(50 * t)}, index)
    panel = Panel(data, freq="M")
    for lags in (0, 6):
        result = fama_macbeth(panel, "ret", ["x"], lags=lags, lag=0)
        yield f"Fama-MacBeth, {lags} lags", float(result.pvalues["x"])


def zoo_tests(rng: np.random.Generator, f: np.ndarray, law: str, dates: pd.DatetimeIndex) -> Tests:
    """The first factor earns nothing: its premium, and its SDF loading given the others."""
    t = len(f)
    priced = f - np.array([MEANS[0], 0.0, 0.0])
    betas = np.random.default_rng(60).normal(0.7, 0.4, (3, 60))
    e, _ = draw(rng, t, 60, law, np.zeros((3, 60)))
    returns = pd.DataFrame(priced @ betas + e, dates)
    seen = pd.DataFrame({"g": priced[:, 0] + 0.02 * rng.standard_normal(t)}, dates)
    yield (
        "three-pass premium",
        float(three_pass(returns, seen, n_factors=3, lags=0).pvalues.iloc[0]),
    )
    new = pd.DataFrame({"g": priced[:, 0]}, dates)
    others = pd.DataFrame(priced[:, 1:], dates, ["h1", "h2"])
    noise = pd.DataFrame(0.03 * rng.standard_normal((t, 5)), dates, list("vwxyz"))
    double = double_selection(returns, new, others.join(noise), penalties=(0.05, 0.05, 0.05))
    yield "double selection", float(double.pvalues.iloc[0])


def tables(tests: Callable[[np.random.Generator, int, str], Tests], draws: int) -> None:
    columns = {}
    for law in ("normal", "t(5)"):
        for t in (60, 240, 600):

            def null(rng: np.random.Generator, t: int = t, law: str = law) -> Tests:
                yield from tests(rng, t, law)

            columns[(law, f"T={t}")] = shares(null, draws, t)
            print(f"done: {law}, T = {t}", flush=True)
    print(f"\nShare of true nulls rejected at 5%, per cent, {draws} draws")
    print(pd.DataFrame(columns).round(1).to_string())


def others(draws: int) -> None:
    tables(other_tests, draws)


def bootstraps(draws: int) -> None:
    tables(bootstrap_tests, draws)


def shanken(draws: int) -> None:
    """Size of the test of a premium whose true value is zero when another one is large."""
    n, t = 25, 240
    betas = np.random.default_rng(n).normal([[1.0], [0.5]], 0.3, (2, n))
    columns = {}
    for c in (0.0, 0.25, 0.5, 1.0):
        price = np.array([np.sqrt(c), 0.0])

        def world(rng: np.random.Generator, price: np.ndarray = price) -> Tests:
            f = rng.standard_normal((t, 2))
            y = (price + f) @ betas + 2.5 * rng.standard_normal((t, n))
            fit = estimate_two_pass(y, f, method="OLS", intercept=True, hac=PLAIN)
            for kind, v in fit.covariances.items():
                yield kind, float(two_sided(fit.premia[2] / np.sqrt(v[2, 2])))

        columns[f"c = {c}"] = shares(world, draws, round(100 * c))
    print(f"\nPremium of zero rejected at 5%, N = {n}, T = {t}, error sd 2.5 times the factors', "
          f"squared price of risk c, {draws} draws")  # fmt: skip
    print(pd.DataFrame(columns).round(1).to_string())


PARTS = {
    "joint": sizes,
    "others": others,
    "bootstraps": bootstraps,
    "shanken": shanken,
    "power": power,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--what", choices=list(PARTS), default="joint")
    given = parser.parse_args()
    PARTS[given.what](given.draws)


if __name__ == "__main__":
    main()
