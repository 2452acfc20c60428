"""Speed of inference against its peers, all in one run: ratios count.

Run:  export OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 NUMBA_NUM_THREADS=1
      python benchmarks/inference_speed.py
      [--assets 6000] [--periods 600] [--what series|rolling|grs|cross_sections] [--clock cpu|wall]

CPU time on one thread; with ``--clock wall`` and without these variables, every system on the cores
that it takes, on a machine that does nothing else.

Peers that are not installed (polars_ds, polars_ols, finance_byu) are left out, and that is said.
Each line: what, our time (best of repeats), a peer's time, the ratio, and the largest relative
difference of the coefficients. A peer marked * was timed on a part and scaled up.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import tracemalloc
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import statsmodels.api as sm
from linearmodels import FamaMacBeth
from linearmodels.asset_pricing import TradedFactorModel
from statsmodels.regression.rolling import RollingOLS

from alphastrata.core import Panel
from alphastrata.inference import (
    HAC,
    fama_macbeth,
    grs,
    rolling_betas,
    specifications,
    time_series,
)
from alphastrata.inference.grs import grs_statistic
from alphastrata.inference.least_squares import fit_columns

CLOCKS = {"cpu": time.process_time, "wall": time.perf_counter}
clock = "cpu"


def best(work: Callable[[], Any], repeats: int = 5) -> tuple[float, Any]:
    shortest, result = np.inf, None
    for _ in range(repeats):
        start = CLOCKS[clock]()
        result = work()
        shortest = min(shortest, CLOCKS[clock]() - start)
    return shortest, result


def line(what: str, ours: float, peer: str, theirs: float, gap: float = np.nan) -> None:
    difference = "" if np.isnan(gap) else f"  max rel. difference {gap:.1e}"
    times = f"{ours * 1e3:10.1f} ms  {peer:36s} {theirs:9.3f} s  x{theirs / ours:8.1f}"
    print(f"{what:44s} {times}{difference}")


def gap(ours: Any, theirs: Any) -> float:
    a, b = np.asarray(ours, float), np.asarray(theirs, float)
    return float(np.abs(a / b - 1).max())


def make(assets: int, periods: int, k: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    dates = pd.date_range("1965-01-31", periods=periods, freq="ME")
    index = pd.MultiIndex.from_product([dates, np.arange(assets)], names=["date", "asset"])
    x = rng.normal(size=(assets * periods, k))
    ret = x @ np.linspace(-0.01, 0.01, k) + rng.normal(0, 0.1, len(x))
    frame = pd.DataFrame(x, index, [f"x{i}" for i in range(k)])
    frame["ret"] = ret
    return frame


def polars_moments(frame: pl.DataFrame, x: list[str]) -> np.ndarray:
    """Normal equations by date in one group_by, solved by numpy."""
    names = ["one", *x, "ret"]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i:]]
    sums = (
        frame.lazy()
        .with_columns(pl.lit(1.0).alias("one"))
        .group_by("date", maintain_order=True)
        .agg([(pl.col(a) * pl.col(b)).sum().alias(f"{a}|{b}") for a, b in pairs])
        .collect()
    )
    p = len(names)
    full = np.empty((len(sums), p, p))
    for i, a in enumerate(names):
        for j, b in enumerate(names[i:], i):
            full[:, i, j] = full[:, j, i] = sums[f"{a}|{b}"].to_numpy()
    return np.linalg.solve(full[:, :-1, :-1], full[:, :-1, -1:])[:, :, 0].mean(axis=0)


def polars_ds(frame: pl.DataFrame, x: list[str]) -> np.ndarray:
    """lin_reg of polars_ds by date, in one group_by."""
    import polars_ds as pds

    fits = frame.group_by("date", maintain_order=True).agg(
        pds.lin_reg(*x, target="ret", add_bias=True).alias("b")
    )
    b = np.array(fits["b"].to_list())
    return np.r_[b[:, -1].mean(), b[:, :-1].mean(axis=0)]


def polars_ols(frame: pl.DataFrame, x: list[str]) -> np.ndarray:
    """Least squares of polars_ols by date, in one group_by."""
    import polars_ols  # noqa: F401

    fits = frame.group_by("date", maintain_order=True).agg(
        pl.col("ret")
        .least_squares.ols(*[pl.col(c) for c in x], mode="coefficients", add_intercept=True)
        .alias("b")
    )
    b = fits.unnest("b").drop("date").mean()
    return np.r_[b["const"][0], [b[c][0] for c in x]]


def there(module: str) -> bool:
    """Whether a peer is installed; what is left out is said."""
    found = importlib.util.find_spec(module) is not None
    if not found:
        print(f"  ({module} is not installed: left out)")
    return found


def statsmodels_loop(frame: pd.DataFrame, x: list[str]) -> np.ndarray:
    rows = [
        sm.OLS(part["ret"].to_numpy(), sm.add_constant(part[x].to_numpy())).fit().params
        for _, part in frame.groupby(level="date")
    ]
    return np.mean(rows, axis=0)


def pandas_lstsq(frame: pd.DataFrame, x: list[str]) -> np.ndarray:
    rows = []
    for _, part in frame.groupby(level="date"):
        values = part[x].to_numpy()
        design = np.column_stack([np.ones(len(values)), values])
        rows.append(np.linalg.lstsq(design, part["ret"].to_numpy(), rcond=None)[0])
    return np.mean(rows, axis=0)


def cross_sections(assets: int, periods: int) -> None:
    frame = make(assets, periods, 20)
    panel = Panel(frame)
    twenty = [f"x{i}" for i in range(20)]
    fama_macbeth(panel.between(None, "1966-12-31"), "ret", twenty[:5], lag=0)
    for x in (twenty[:5], twenty):
        part = frame[[*x, "ret"]]
        swapped = part.swaplevel().sort_index()
        flat = pl.DataFrame(
            {
                "date": frame.index.get_level_values(0).to_numpy(),
                **{c: part[c].to_numpy() for c in part},
            }
        )
        what = f"Fama-MacBeth, {len(x)} regressors, {len(frame):,} rows"
        ours, result = best(lambda x=x: fama_macbeth(panel, "ret", x, lags=6, lag=0))
        exog = sm.add_constant(swapped[x])
        theirs, fit = best(
            lambda s=swapped, e=exog: FamaMacBeth(s["ret"], e).fit(
                cov_type="kernel", bandwidth=6, debiased=True
            ),
            1,
        )
        line(what, ours, "linearmodels FamaMacBeth", theirs, gap(result.params, fit.params))
        line(
            "  standard errors",
            ours,
            "linearmodels FamaMacBeth",
            theirs,
            gap(result.std_errors, fit.std_errors),
        )
        for name, work in (
            ("statsmodels OLS per date", statsmodels_loop),
            ("pandas groupby + numpy lstsq", pandas_lstsq),
        ):
            theirs, params = best(lambda w=work, p=part, x=x: w(p, x), 1)
            line(what, ours, name, theirs, gap(result.params, params))
        theirs, params = best(lambda f=flat, x=x: polars_moments(f, x), 2)
        line(what, ours, "polars group_by sums + numpy solve", theirs, gap(result.params, params))
        for name, work in (("polars_ds", polars_ds), ("polars_ols", polars_ols)):
            if there(name):
                theirs, params = best(lambda w=work, f=flat, x=x: w(f, x), 3)
                line(what, ours, f"{name}, by date", theirs, gap(result.params, params))
        if len(x) == 5:
            lagged, _ = best(lambda x=x: fama_macbeth(panel, "ret", x, lags=6, lag=1))
            print(f"  the same with regressors lagged by a date    {lagged * 1e3:10.1f} ms")
            raw, _ = best(lambda p=part, x=x: fama_macbeth(p, "ret", x, lags=6, lag=0), 3)
            one, _ = best(
                lambda p=part, x=x: FamaMacBeth(
                    *(lambda s: (s["ret"], sm.add_constant(s[x])))(p.swaplevel().sort_index())
                ).fit(cov_type="kernel", bandwidth=6),
                1,
            )
            line(
                "Fama-MacBeth from a raw pandas frame", raw, "linearmodels from the same frame", one
            )
            thousand = list(combinations(twenty, 5))[:: 15504 // 1000][:1000]
            many, table = best(lambda s=thousand: specifications(panel, "ret", twenty, s, lag=0), 2)
            first = fama_macbeth(panel, "ret", list(thousand[7]), lags=6, lag=0)
            same = gap(table.params.loc[7, ["const", *thousand[7]]], first.params)
            line(
                "1,000 specifications of 5 out of 20",
                many,
                "linearmodels, ONE specification",
                one,
                same,
            )
        tracemalloc.start()
        fama_macbeth(panel, "ret", x, lags=6, lag=0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        own = part.size * 8 / 2**20
        print(f"  peak memory {peak / 2**20:.1f} MiB; the columns used {own:.0f} MiB")


def series() -> None:
    rng = np.random.default_rng(1)
    dates = pd.date_range("1965-01-31", periods=600, freq="ME")
    f = pd.DataFrame(rng.normal(0.004, 0.04, (600, 3)), dates, ["a", "b", "c"])
    y = pd.DataFrame(
        f.to_numpy() @ rng.normal(1, 0.3, (3, 10_000)) + rng.normal(0, 0.05, (600, 10_000)), dates
    )
    x = np.column_stack([np.ones(600), f])
    values = y.to_numpy()
    fit_columns(x, values[:, :600])
    ours, fit = best(lambda: fit_columns(x, values, lags=6), 7)
    options = {"maxlags": 6, "use_correction": True}
    start = CLOCKS[clock]()
    peer = np.array([
        np.r_[m.params[0], m.bse[0]]
        for m in (
            sm.OLS(values[:, i], x).fit(cov_type="HAC", cov_kwds=options)
            for i in range(10_000)
        )
    ])  # fmt: skip
    theirs = CLOCKS[clock]() - start
    both = np.column_stack([fit.params[0], fit.std_errors[0]])
    line(
        "HAC alphas, 10,000 assets x 600, arrays",
        ours,
        "statsmodels OLS loop, arrays",
        theirs,
        gap(both, peer),
    )
    ours, _ = best(lambda: time_series(y, f, lags=6), 5)
    line("  time_series() on frames, with tables", ours, "statsmodels OLS loop, arrays", theirs)
    start = CLOCKS[clock]()
    for i in range(500):
        m = sm.OLS(y.iloc[:, i], sm.add_constant(f)).fit(cov_type="HAC", cov_kwds=options)
        m.params.iloc[0], m.bse.iloc[0]
    theirs = (CLOCKS[clock]() - start) * 20
    line("  time_series() on frames, with tables", ours, "statsmodels OLS loop, frames*", theirs)


def factors_and_assets() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(2)
    dates = pd.date_range("1965-01-31", periods=600, freq="ME")
    five = pd.DataFrame(rng.normal(0.004, 0.04, (600, 5)), dates, list("abcde"))
    assets = pd.DataFrame(
        five.to_numpy() @ rng.normal(0.5, 0.3, (5, 3000)) + rng.normal(0, 0.05, (600, 3000)), dates
    )
    return assets, five


def rolling() -> None:
    assets, five = factors_and_assets()
    rolling_betas(assets.iloc[:, :5], five, window=60)
    ours, roll = best(lambda: rolling_betas(assets, five, window=60), 3)
    design = sm.add_constant(five)
    theirs, one = best(
        lambda: [RollingOLS(assets[i], design, window=60).fit() for i in range(10)], 1
    )
    line(
        "rolling betas, 5 factors, 60 of 600, 3,000",
        ours,
        "statsmodels RollingOLS*",
        theirs * 300,
        gap(roll["a"]["9"].iloc[59:], one[9].params["a"].iloc[59:]),
    )
    theirs, _ = best(
        lambda: [RollingOLS(assets[i], design, window=60).fit(params_only=True) for i in range(10)],
        1,
    )
    line("rolling betas", ours, "RollingOLS, parameters only*", theirs * 300)


def joint_test() -> None:
    assets, five = factors_and_assets()
    hundred = assets.iloc[:, :100]
    ours, test = best(lambda: grs(hundred, five), 25)
    theirs, _ = best(lambda: TradedFactorModel(hundred, five).fit(), 2)
    line("GRS, 100 assets x 600", ours, "linearmodels TradedFactorModel (J)", theirs)
    if there("finance_byu"):
        from finance_byu.statistics import GRS

        named = hundred.add_prefix("P").join(five)
        portfolios = [c for c in named if c.startswith("P")]
        theirs, found = best(lambda: GRS(named, portfolios, list(five)), 2)
        line(
            "GRS, 100 assets x 600", ours, "finance_byu GRS", theirs, gap(test.statistic, found[0])
        )

    def by_hand() -> float:
        h, g = hundred.to_numpy(), five.to_numpy()
        d = np.column_stack([np.ones(600), g])
        b = np.linalg.lstsq(d, h, rcond=None)[0]
        e = h - d @ b
        m = g.mean(axis=0)
        top = b[0] @ np.linalg.inv(e.T @ e / 600) @ b[0]
        return float((600 - 105) / 100 * top / (1 + m @ np.linalg.inv(np.cov(g.T, ddof=0)) @ m))

    theirs, value = best(by_hand, 40)
    d, h = np.column_stack([np.ones(600), five]), hundred.to_numpy()
    bare, f = best(lambda: grs_statistic(d, h), 40)
    line("GRS, 100 assets x 600, F alone", bare, "numpy formula", theirs, gap(f, value))
    line(
        "GRS, 100 assets x 600 (all of its table)",
        ours,
        "numpy formula (F alone)",
        theirs,
        gap(test.statistic, value),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=6000)
    parser.add_argument("--periods", type=int, default=600)
    parts = {
        "series": series,
        "rolling": rolling,
        "grs": joint_test,
        "cross_sections": lambda: cross_sections(given.assets, given.periods),
    }
    parser.add_argument("--what", choices=list(parts))
    parser.add_argument("--clock", choices=list(CLOCKS), default="cpu")
    given = parser.parse_args()
    global clock
    clock = given.clock
    assert HAC().lags == 6
    for name, part in parts.items():
        if given.what in (None, name):
            part()


if __name__ == "__main__":
    main()
