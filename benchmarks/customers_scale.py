"""Time and memory of a search over 50,000 customers with 300 mixed columns.

Usage: python benchmarks/customers_scale.py [rows] [columns]
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from alphastrata.customers import make_table, segment


def customers(rows: int, columns: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Six segments in a third of the columns; half numbers, half words; a tenth missing."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 6, rows)
    frame: dict[str, object] = {"customer_id": [f"C{i:06d}" for i in range(rows)]}
    for j in range(columns):
        speaks = j % 3 == 0
        if j % 2:
            centre = rng.normal(0, 1, 6)[group] if speaks else 0.0
            values = (
                np.exp(0.8 * (centre + rng.normal(size=rows)))
                if j % 4 == 1
                else (centre + rng.normal(size=rows))
            )
            frame[f"n{j:03d}"] = np.where(rng.random(rows) < 0.1, np.nan, values)
        else:
            levels = np.array([f"level {v}" for v in "abcdef"[: 3 + j % 4]])
            weights = rng.dirichlet(np.ones(len(levels)), 6 if speaks else 1)
            pick = weights[group if speaks else np.zeros(rows, int)].cumsum(axis=1)
            codes = (rng.random((rows, 1)) > pick).sum(axis=1).clip(0, len(levels) - 1)
            words = levels[codes].astype(object)
            words[rng.random(rows) < 0.1] = None
            frame[f"w{j:03d}"] = words
    return pd.DataFrame(frame), group


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    columns = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    frame, group = customers(rows, columns)
    start = time.perf_counter()
    table = make_table(frame)
    read = time.perf_counter() - start
    last = [0.0]

    def show(stage: str, done: int, total: int) -> None:
        now = time.perf_counter() - start
        if now - last[0] > 10 or done == total:
            last[0] = now
            print(f"{now:6.0f} s  {stage} {done:,} of {total:,}", flush=True)

    found = segment(table, stages="search", progress=show)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(found)
    order = pd.Series(group, index=frame["customer_id"]).loc[found.labels.index]
    print(
        f"adjusted Rand index with what was planted: {adjusted_rand_score(order, found.labels):.3f}"
    )
    print(
        f"{rows:,} x {columns}: {seconds:.0f} s ({read:.0f} s to read), {peak:,.0f} MB at the peak"
    )


if __name__ == "__main__":
    main()
