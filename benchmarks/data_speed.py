"""How long the data room takes: simulate, join 3.5 million rows, read folders.

Run: python benchmarks/data_speed.py [folder with nyse/ and pystock/]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from alphastrata.core.panel import Panel
from alphastrata.data import as_of, read_panel, simulate_market


def timed(what: str, call: Callable[[], object]) -> None:
    """Print the best of three runs, the first of which may compile."""
    runs = []
    for _ in range(3):
        begin = time.perf_counter()
        call()
        runs.append(time.perf_counter() - begin)
    print(f"{what:<50} {min(runs):7.2f} s   (first {runs[0]:.2f} s)")


def join_inputs() -> tuple[Panel, pd.DataFrame]:
    """Return 3.5 million asset-months and 400,000 statements with 30 columns."""
    rng = np.random.default_rng(0)
    dates = pd.date_range("1970-01-31", periods=584, freq="ME")
    names = pd.Index([f"A{i:04d}" for i in range(6000)])
    index = pd.MultiIndex.from_product([dates, names], names=["date", "asset"])
    panel = Panel(pd.DataFrame({"ret": np.zeros(len(index))}, index=index))
    n = 6000 * 67
    period = pd.Timestamp("1970-01-01") + pd.to_timedelta(rng.integers(0, 17_000, n), unit="D")
    known = period + pd.to_timedelta(rng.integers(30, 400, n), unit="D")
    table = pd.DataFrame({"asset": np.repeat(names, 67), "period_end": period, "known_at": known})
    values = pd.DataFrame(rng.standard_normal((n, 30))).add_prefix("x")
    table = pd.concat([table, values], axis=1)
    return panel, table.drop_duplicates(["asset", "period_end", "known_at"])


def main() -> None:
    """Run all."""
    timed("simulate 500 assets x 120 months", simulate_market)
    timed("simulate 3,000 assets x 240 months", lambda: simulate_market(3000, "1990-01-31", 240))
    panel, statements = join_inputs()
    timed("as_of: 3.5m rows, 0.4m statements, 30 columns", lambda: as_of(panel, statements))
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if folder is not None:
        for layout, lag in (("nyse", "4M"), ("pystock", None)):
            months = partial(read_panel, folder / layout, lag=lag)
            timed(f"read_panel {layout}, months", months)
            timed(f"read_panel {layout}, days", partial(months, freq="D"))


if __name__ == "__main__":
    main()
