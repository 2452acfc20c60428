"""Made markets for the tests of this room, and a plain-Python reading of the pairing rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import Panel


def made_market(
    seed: int = 0, *, n_assets: int = 40, periods: int = 30, freq: str = "ME", holes: float = 0.1
) -> pd.DataFrame:
    """A ragged long frame: entries, exits, missing rows, returns, sizes and characteristics."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2010-01-31", periods=periods, freq=freq)
    parts = []
    for i in range(n_assets):
        start = int(rng.integers(0, periods // 2))
        end = int(rng.integers(periods // 2, periods + 1))
        parts.append(pd.DataFrame({"date": dates[start:end], "asset": f"A{i:03d}"}))
    frame = pd.concat(parts, ignore_index=True)
    n = len(frame)
    frame["ret"] = rng.normal(0.01, 0.1, n)
    frame["market_cap"] = np.exp(rng.normal(5, 2, n))
    frame["signal"] = np.round(8 * rng.normal(size=n)) / 8
    frame["leverage"] = rng.uniform(size=n)
    for column in ("ret", "market_cap", "signal", "leverage"):
        frame.loc[rng.random(n) < holes, column] = np.nan
    frame["exchange"] = rng.choice(["NYSE", "AMEX", "NASDAQ"], n, p=[0.5, 0.2, 0.3])
    frame["industry"] = rng.choice(["Tech", "Financials", "Energy"], n)
    return frame[rng.random(n) > holes / 2].reset_index(drop=True)


@pytest.fixture(scope="session")
def market_frame() -> pd.DataFrame:
    return made_market()


@pytest.fixture(scope="session")
def market(market_frame: pd.DataFrame) -> Panel:
    return Panel(market_frame, freq="M")


@pytest.fixture(scope="session")
def make_market():
    return made_market


def brute_force(labels, frame, dates, *, weight="market_cap", missing="renormalise", hold=None):
    """The rule in plain Python: {(date, stratum): return}; labels {date: {asset: stratum}}."""
    rows = {(d, a): r for d, a, r in zip(frame["date"], frame["asset"], frame.to_dict("records"))}
    formed = sorted(labels)
    out = {}
    for t in range(1, len(dates)):
        d, before = dates[t], dates[t - 1]
        earlier = [f for f in formed if f < d]
        if not earlier:
            continue
        f = earlier[-1]
        if hold is not None and sum(f < x <= d for x in dates) > hold:
            continue
        gaps = [(b - a).days for a, b in zip(earlier, earlier[1:])]
        if hold is None and gaps and (d - f).days > max(gaps) + 7:
            continue
        cells: dict[int, list[tuple[float, float]]] = {}
        for asset, k in labels[f].items():
            held = rows.get((before, asset))
            if held is None:
                continue
            w = 1.0 if weight == "equal" else held[weight]
            if not w > 0:
                continue
            now = rows.get((d, asset))
            r = np.nan if now is None else now["ret"]
            cells.setdefault(k, []).append((w, r))
        trading = any(r == r for pairs in cells.values() for _, r in pairs)
        for k, pairs in cells.items():
            known = [(w, r) for w, r in pairs if r == r]
            if not known and (missing == "renormalise" or not trading):
                out[d, k] = np.nan
                continue
            total = sum(w for w, _ in (known if missing == "renormalise" else pairs))
            out[d, k] = sum(w * r for w, r in known) / total
    return out


@pytest.fixture(scope="session")
def brute():
    return brute_force
