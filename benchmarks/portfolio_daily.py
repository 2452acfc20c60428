"""Decile returns of a daily panel of 75 million rows on disk, one year in memory at a time.

    python benchmarks/portfolio_daily.py [--years 25] [--assets 12000] [--folder DIR]

Writes a made panel as one parquet file per year (seeded), then sorts it chunk by chunk and prints
the rows, the seconds and the largest resident memory of the process.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from alphastrata.core import Panel
from alphastrata.portfolio import sorted_returns_by_chunk

EXCHANGES = ["NYSE", "AMEX", "NASDAQ"]


def write_year(folder: Path, year: int, assets: int) -> int:
    rng = np.random.default_rng(year)
    days = pd.bdate_range(f"{year}-01-01", f"{year}-12-31")[:252]
    n = len(days) * assets
    exchange = np.random.default_rng(0).choice(3, assets, p=[0.35, 0.15, 0.5]).astype(np.int8)
    table = pa.table(
        {
            "date": np.repeat(days.to_numpy(), assets),
            "asset": np.tile(np.arange(assets, dtype=np.int32), len(days)),
            "ret": (rng.standard_normal(n, dtype=np.float32) * 0.02),
            "market_cap": np.exp(rng.standard_normal(n, dtype=np.float32) * 2),
            "x": rng.standard_normal(n, dtype=np.float32),
            "exchange": pa.DictionaryArray.from_arrays(np.tile(exchange, len(days)), EXCHANGES),
        }
    )
    pq.write_table(
        table, folder / f"{year}.parquet", compression="none", use_dictionary=["exchange"]
    )
    return n


def read_year(path: Path) -> Panel:
    table = pq.read_table(path)
    asset = table["asset"].to_numpy()
    date = table["date"].to_numpy()
    new = np.concatenate([[True], date[1:] != date[:-1]])
    index = pd.MultiIndex(
        levels=[pd.DatetimeIndex(date[new]), np.unique(asset)],
        codes=[np.cumsum(new) - 1, np.searchsorted(np.unique(asset), asset)],
        names=["date", "asset"],
        verify_integrity=False,
    )
    columns = {name: table[name].to_numpy() for name in ("ret", "market_cap", "x")}
    frame = pd.DataFrame(columns, index=index)
    frame["exchange"] = table["exchange"].combine_chunks().to_pandas().array
    return Panel(frame, freq="D")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--years", type=int, default=25)
    parser.add_argument("--assets", type=int, default=12_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        years = range(2000, 2000 + options.years)
        rows = sum(write_year(folder, year, options.assets) for year in years)
        size = sum(path.stat().st_size for path in folder.glob("*.parquet")) / 2**30
        print(f"{rows:,} rows, {size:.2f} GiB on disk")

        def chunks() -> Iterator[Panel]:
            for year in years:
                yield read_year(folder / f"{year}.parquet")

        wall, cpu = time.perf_counter(), time.process_time()
        found = sorted_returns_by_chunk(chunks(), "x", n=10, breakpoints="NYSE")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{found}\n{wall:.1f} s wall, {cpu:.1f} s CPU, peak resident {peak:.2f} GiB")


if __name__ == "__main__":
    main()
