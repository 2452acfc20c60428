"""Sorted portfolio returns on a CRSP-like panel: this package beside tidyfinance and polars.

    python benchmarks/portfolio_sorts.py [--rows 3500000] [--repeats 5] [--jobs N]

All systems run in one process, in turns, each on as many threads as it takes by itself: polars, and
tidyfinance on it, every core, and so do we. All get the same number of turns, the smallest time of
each counts, and ratios are taken within the run. The peers get frames in which weights and
characteristics are lagged already; that time is not counted against them, while ours pairs dates
itself. Peers (not needed by the package): ``pip install polars tidyfinance``.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa

from alphastrata.core import FactorReturns, Panel
from alphastrata.portfolio import portfolio_returns, quantile_sort, sorted_returns

CHARACTERISTICS = [f"x{i:02d}" for i in range(20)]
DECILES = range(1, 11)


def made_panel(rows: int, seed: int = 0, characteristics: int = 20) -> pd.DataFrame:
    """A ragged long frame of about ``rows`` asset-months over 600 months."""
    rng = np.random.default_rng(seed)
    months = 600
    assets = int(rows / 140)
    life = rng.integers(40, 300, assets)
    start = rng.integers(-150, months, assets)
    present = [np.flatnonzero((start <= t) & (t < start + life)) for t in range(months)]
    asset = np.concatenate(present)
    date = np.repeat(np.arange(months), [len(p) for p in present])
    n = asset.size
    frame = pd.DataFrame(
        {
            "ret": rng.standard_t(4, n) * 0.08 + 0.01,
            "market_cap": np.exp(rng.normal(5, 2, n)),
            **{f"x{i:02d}": rng.normal(size=n) for i in range(characteristics)},
        },
        index=pd.MultiIndex(
            levels=[pd.date_range("1970-01-31", periods=months, freq="ME"), np.arange(assets)],
            codes=[date, asset],
            names=["date", "asset"],
        ),
    )
    frame.loc[rng.random(n) < 0.01, "ret"] = np.nan
    kinds = rng.choice(3, assets, p=[0.35, 0.15, 0.5])
    frame["exchange"] = pd.Categorical.from_codes(kinds[asset], ["NYSE", "AMEX", "NASDAQ"])
    return frame


def lagged_polars(panel: Panel):
    """What peers ask for: one row per holding, last month's weight beside this month's return.

    A holding without a return this month (an exit, a gap) is a row with a missing return, so that
    all systems set breakpoints on the same assets.
    """
    import polars as pl

    held = np.flatnonzero(panel.date_codes < len(panel.dates) - 1)
    later = panel.lookup(panel.date_codes[held] + 1, panel.asset_codes[held])
    exchange = panel.categorical("exchange")
    return pl.DataFrame(
        {
            "date": panel.dates[panel.date_codes[held] + 1].to_numpy().astype("datetime64[D]"),
            "permno": panel.asset_codes[held],
            "ret_excess": np.where(later >= 0, panel.values("ret")[later], np.nan),
            "mktcap_lag": panel.values("market_cap")[held],
            "x00": panel.values("x00")[held],
            "x01": panel.values("x01")[held],
            "exchange": np.asarray(exchange.categories)[exchange.codes[held]],
        }
    ).with_columns(pl.col(pl.Float64).fill_nan(None))


def lagged_from_pandas(raw: pd.DataFrame):
    """The same rows from a raw frame by polars alone: to polars, sorted, lagged by asset."""
    import polars as pl

    months = (pl.col("date").dt.year() * 12 + pl.col("date").dt.month()).alias("m")
    frame = pl.from_pandas(raw.reset_index().rename(columns={"asset": "permno"}))
    frame = frame.with_columns(pl.col(pl.Float64).fill_nan(None), months).sort("permno", "date")
    next_month = pl.col("m").shift(-1).over("permno") == pl.col("m") + 1
    return frame.select(
        pl.col("date").dt.month_start().dt.offset_by("1mo").dt.month_end(),
        "permno",
        pl.when(next_month).then(pl.col("ret").shift(-1).over("permno")).alias("ret_excess"),
        pl.col("market_cap").alias("mktcap_lag"),
        "x00",
        pl.col("exchange").cast(pl.String),
    )


def polars_deciles(frame):
    import polars as pl

    cuts = (
        frame.lazy()
        .filter(pl.col("exchange") == "NYSE")
        .group_by("date")
        .agg(pl.col("x00").quantile(i / 10, "linear").alias(f"b{i}") for i in range(1, 10))
    )
    label = pl.sum_horizontal(*(pl.col("x00") >= pl.col(f"b{i}") for i in range(1, 10)))
    weight = pl.when(pl.col("ret_excess").is_not_null()).then(pl.col("mktcap_lag"))
    return (
        frame.lazy()
        .join(cuts, on="date")
        .with_columns(label.alias("k"))
        .filter(pl.col("x00").is_not_null())
        .group_by("date", "k")
        .agg((weight * pl.col("ret_excess")).sum() / weight.sum())
        .sort("date", "k")
        .collect()
    )


def polars_double(frame, dependent: bool):
    import polars as pl

    def cut(data, column, keys, name):
        edges = (
            data.filter(pl.col("exchange") == "NYSE")
            .group_by(keys)
            .agg(pl.col(column).quantile(i / 5, "linear").alias(f"{name}{i}") for i in range(1, 5))
        )
        label = pl.sum_horizontal(*(pl.col(column) >= pl.col(f"{name}{i}") for i in range(1, 5)))
        return data.join(edges, on=keys).with_columns(label.alias(f"k{name}"))

    weight = pl.when(pl.col("ret_excess").is_not_null()).then(pl.col("mktcap_lag"))
    data = cut(frame.lazy(), "x00", ["date"], "a")
    data = cut(data, "x01", ["date", "ka"] if dependent else ["date"], "b")
    return (
        data.group_by("date", "ka", "kb")
        .agg((weight * pl.col("ret_excess")).sum() / weight.sum())
        .sort("date", "ka", "kb")
        .collect()
    )


def tidy(frame, kind: str):
    import tidyfinance as tf

    first = tf.breakpoint_options(
        n_portfolios=10 if kind == "univariate" else 5, breakpoints_exchanges="NYSE"
    )
    second = tf.breakpoint_options(n_portfolios=5, breakpoints_exchanges="NYSE")
    columns = "x00" if kind == "univariate" else ["x01", "x00"]
    extra = {} if kind == "univariate" else {"breakpoint_options_secondary": second}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tf.compute_portfolio_returns(
            frame,
            columns,
            kind,
            breakpoint_options_main=first,
            min_portfolio_size=0,
            quiet=True,
            **extra,
        )


def timed(jobs: dict[str, Callable[[], object]], repeats: int) -> dict[str, tuple[float, float]]:
    """Return the smallest wall and CPU seconds of each job; jobs take turns."""
    best = dict.fromkeys(jobs, (np.inf, np.inf))
    for job in jobs.values():
        job()
    for _ in range(repeats):
        for name, job in jobs.items():
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            job()
            took = (time.perf_counter() - wall, time.process_time() - cpu)
            best[name] = (min(best[name][0], took[0]), min(best[name][1], took[1]))
    return best


def show(title: str, times: dict[str, tuple[float, float]], ours: str) -> None:
    print(f"\n{title:<46}{'wall ms':>10}{'x':>8}{'CPU ms':>10}{'x':>8}")
    for name, (wall, cpu) in times.items():
        ratios = wall / times[ours][0], cpu / times[ours][1]
        print(f"  {name:<44}{wall * 1e3:10.1f}{ratios[0]:8.1f}{cpu * 1e3:10.1f}{ratios[1]:8.1f}")


def peak_above(job: Callable[[], object]) -> float:
    """Return MiB by which the job's peak exceeds what was resident before (Linux)."""

    def status(field: str) -> float:
        with open("/proc/self/status") as lines:
            found = next(line for line in lines if line.startswith(field))
        return float(found.split()[1]) / 1024

    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # What was freed before must not hide what is taken now.
    pa.default_memory_pool().release_unused()
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")
    before = status("VmRSS")
    job()
    return status("VmHWM") - before


def agreement(ours: np.ndarray, other: np.ndarray) -> float:
    both = ~(np.isnan(ours) | np.isnan(other))
    return float(np.abs(ours - other)[both].max())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=3_500_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--jobs", type=int, help="our threads; every core by default")
    compare(parser.parse_args())


def compare(options: argparse.Namespace) -> None:
    raw = made_panel(options.rows)
    start = time.perf_counter()
    panel = Panel(raw)
    print(f"{panel}\nPanel from the frame: {time.perf_counter() - start:.2f} s")
    nyse = {"n": 10, "breakpoints": "NYSE"}
    one_pass = {**nyse, "n_jobs": options.jobs}
    five = {**one_pass, "n": 5}
    peers = lagged_polars(panel)

    columns = ["ret", "market_cap", "x00"]
    few = panel.between(None, panel.dates[24])
    sorted_returns(few, "x00", **one_pass)  # Compiled on a small piece, so that only data count.
    portfolio_returns(quantile_sort(few, "x00", **nyse), few, weighting="value")
    own = (sum(panel.values(c).nbytes for c in columns) + 17 * len(panel)) / 2**20
    print(f"a panel of these columns alone: {own:.0f} MiB; peak above it:")
    kept: list[FactorReturns] = []
    one = peak_above(lambda: kept.append(sorted_returns(panel, "x00", **one_pass)))
    ours = kept[0]
    print(f"  one pass {one:.0f} MiB ({1 + one / own:.2f} times the panel in all)")
    fifth = np.where(panel.asset_codes % 5 == 0, np.nan, panel.values("x00"))
    holes = panel.assign({"x00": fifth})
    for words, market in (("", panel), (", a fifth of the assets without x00", holes)):
        two = peak_above(
            lambda m=market: portfolio_returns(
                quantile_sort(m, "x00", **nyse), m, weighting="value"
            )
        )
        print(f"  through Strata{words} {two:.0f} MiB ({1 + two / own:.2f} times)")

    times = timed(
        {
            "alphastrata, one pass": lambda: sorted_returns(panel, "x00", **one_pass),
            "alphastrata, through Strata": lambda: portfolio_returns(
                quantile_sort(panel, "x00", **nyse), panel, weighting="value"
            ),
            "polars, vectorised": lambda: polars_deciles(peers),
            "tidyfinance": lambda: tidy(peers, "univariate"),
        },
        options.repeats,
    )
    show("value-weighted deciles, NYSE breakpoints", times, "alphastrata, one pass")

    for kind, words in (
        ("independent", "bivariate-independent"),
        ("dependent", "bivariate-dependent"),
    ):
        jobs: dict[str, Callable[[], object]] = {
            "alphastrata, one pass": lambda k=kind: sorted_returns(
                panel, ["x00", "x01"], kind=k, **five
            ),
            "polars, vectorised": lambda k=kind: polars_double(peers, k == "dependent"),
            "tidyfinance": lambda w=words: tidy(peers, w),
        }
        times = timed(jobs, options.repeats)
        show(f"{kind} 5x5", times, "alphastrata, one pass")

    times = timed(
        {
            "one characteristic": lambda: sorted_returns(panel, "x00", **one_pass),
            "20 characteristics in one call": lambda: sorted_returns(
                panel, CHARACTERISTICS, **one_pass
            ),
        },
        options.repeats,
    )
    show("many characteristics", times, "one characteristic")

    raw_small = raw[["ret", "market_cap", "x00", "exchange"]]
    times = timed(
        {
            "alphastrata, Panel included": lambda: sorted_returns(
                Panel(raw_small, freq="M"), "x00", **one_pass
            ),
            "tidyfinance, lagged already": lambda: tidy(peers, "univariate"),
            "tidyfinance, lags included": lambda: tidy(lagged_from_pandas(raw_small), "univariate"),
        },
        options.repeats,
    )
    show("deciles from a raw pandas frame", times, "alphastrata, Panel included")

    check(panel, peers, one_pass, ours)


def check(panel: Panel, peers, one_pass: dict, ours: FactorReturns) -> None:
    """Print how far results differ, over all cells that both have."""
    got = polars_deciles(peers)
    table = got.to_pandas().pivot(index="date", columns="k").to_numpy()
    print(f"\nlargest difference to polars: deciles {agreement(ours.frame.to_numpy(), table):.1e}")
    for kind in ("independent", "dependent"):
        five = {**one_pass, "n": 5, "kind": kind}
        frame = sorted_returns(panel, ["x00", "x01"], **five).frame
        got = polars_double(peers, kind == "dependent").to_pandas()
        table = got.pivot(index="date", columns=["ka", "kb"]).sort_index(axis=1).to_numpy()
        print(f"  {kind} 5x5 {agreement(frame.to_numpy(), table):.1e}")
    compare_with_tidyfinance(panel, peers, one_pass)


def compare_with_tidyfinance(panel: Panel, peers, one_pass: dict) -> None:
    """Where a return is missing tidyfinance gives none: both take it as zero here.

    It rounds positions of quantiles, so that an asset on a breakpoint may fall to the lower side;
    dates on which no breakpoint falls on an asset must agree.
    """
    import polars as pl

    ours = sorted_returns(panel, "x00", missing="zero", **one_pass).frame.to_numpy()
    filled = peers.with_columns(pl.col("ret_excess").fill_null(0.0))
    tidied = tidy(filled, "univariate").to_pandas()
    table = tidied.pivot(index="date", columns="portfolio", values="ret_excess_vw").to_numpy()
    nyse = np.add.reduceat(panel.categorical("exchange") == "NYSE", panel.offsets[:-1])[:-1]
    on_asset = (np.outer(nyse - 1, np.arange(1, 10)) % 10 == 0).any(axis=1)
    off, moved = (
        agreement(ours[~on_asset], table[~on_asset]),
        np.abs(ours - table)[on_asset] > 1e-12,
    )
    print(
        f"largest difference to tidyfinance: {off:.1e} on {(~on_asset).sum()} dates with no asset "
        f"on a breakpoint; of the portfolios of {on_asset.sum()} others {moved.mean():.1%} differ"
    )


if __name__ == "__main__":
    main()
