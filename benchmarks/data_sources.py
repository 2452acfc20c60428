"""How long the adapters take: the French library's files, companyfacts, CRSP's monthly table.

Run `python benchmarks/data_sources.py [folder with the library's files]`.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alphastrata.data.edgar_facts import edgar_tags, parse_companyfacts, point_in_time
from alphastrata.data.french_parse import parse_french
from alphastrata.data.wrds_tables import SCREEN, market_rows


def timed(label: str, call: Callable[[], Any]) -> Any:
    """Print how long a call takes, and return what it returns."""
    start = time.perf_counter()
    result = call()
    print(f"{label:<60} {time.perf_counter() - start:8.3f} s")
    return result


def company(years: int = 15) -> bytes:
    """Return companyfacts with every tag filed for every quarter."""
    facts: dict[str, Any] = {}
    first = date(2009, 1, 1)
    for tag, unit, kind in edgar_tags()[["tag", "unit", "kind"]].itertuples(index=False):
        rows = []
        for quarter in range(4 * years):
            end = first + timedelta(days=91 * (quarter + 1) - 1)
            start = first + timedelta(days=91 * (quarter - quarter % 4))
            row = {"end": end.isoformat(), "val": quarter, "accn": f"a{quarter}"}
            row["filed"] = (end + timedelta(days=40)).isoformat()
            if kind == "flow":
                row["start"] = start.isoformat()
            rows.append(row)
        facts[tag] = {"units": {unit: rows}}
    return json.dumps({"cik": 1, "entityName": "x", "facts": {"us-gaap": facts}}).encode()


def crsp(n_assets: int, n_months: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return CRSP's three tables for securities that live all the time."""
    months = pd.date_range("1975-01-31", periods=n_months, freq="ME")
    permno = np.repeat(np.arange(n_assets) + 10_000, n_months)
    n = len(permno)
    msf = pd.DataFrame(
        {
            "permno": permno,
            "mthcaldt": np.tile(months.to_numpy(), n_assets),
            "mthret": np.random.default_rng(0).normal(0.01, 0.1, n),
            "mthprc": 20.0,
            "mthcap": 1e6,
            "mthvol": 1e5,
            "shrout": 1e4,
        }
    )
    info = pd.DataFrame({"permno": np.unique(permno)}).assign(
        secinfostartdt=pd.Timestamp("1970-01-01"),
        secinfoenddt=pd.Timestamp("2099-12-31"),
        siccd=2834,
        **{name: values[0] for name, values in SCREEN.items()},
    )
    return msf, info, pd.DataFrame(columns=["permno", "delistingdt", "delret", "delactiontype"])


def main() -> None:
    """Time each adapter once."""
    if len(sys.argv) > 1:
        raws = [p.read_bytes() for p in sorted(Path(sys.argv[1]).rglob("*")) if p.is_file()]
        megabytes = sum(map(len, raws)) / 1e6
        label = f"French library: {len(raws)} files, {megabytes:.1f} MB as published"
        timed(label, lambda: [parse_french(raw) for raw in raws])
    raw = company()
    facts = timed(f"companyfacts: {len(raw) / 1e6:.1f} MB parsed", lambda: parse_companyfacts(raw))
    for period in ("annual", "quarterly", "ttm"):
        label = f"companyfacts: {period} statements, 15 years"
        timed(label, partial(point_in_time, facts, period=period))
    tables = crsp(3000, 400)
    timed(f"CRSP: {len(tables[0]):,} rows screened and joined", lambda: market_rows(*tables))
    buffer = io.BytesIO()
    timed("CRSP: written as parquet", lambda: tables[0].to_parquet(buffer))


if __name__ == "__main__":
    main()
