"""Corrupting everything known after t leaves labels, weights and factor returns up to t as they
are, bit for bit: on the simulated market, and from the raw files of real data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import alphastrata as st

NAMES = ["liquidity", "leverage", "log_market_cap", "roa"]


def whole_way(panel: st.Panel, length: int, step: int) -> dict[str, pd.DataFrame | pd.Series]:
    """Everything that a study forms: labels, weights, returns; keyed by date."""
    chars = st.features.compute(panel, NAMES)
    market = panel.join(chars)
    model = st.cluster.deep_clusterer(n_clusters=3, latent_dim=2, schedule="short", random_state=0)
    model.set_params(autoencoder__epochs=10)
    deep = st.cluster.rolling(model, chars, st.RollingWindows(length, step), features=NAMES)
    lev = st.portfolio.quantile_sort(market, "leverage", n=3)
    found: dict[str, pd.DataFrame | pd.Series] = {
        "cluster labels": deep.strata.labels,
        "quantile labels": lev.labels,
        "maps": deep.embeddings.set_index("date"),
        "scores": deep.scores,
    }
    for name, strata, rank_by in (("deep", deep.strata, "leverage"), ("lev", lev, None)):
        spread = st.portfolio.long_short(strata, market, rank_by=rank_by, name=name)
        held = st.portfolio.holdings(strata, market, rank_by=rank_by)
        found[f"returns {name}"] = spread.frame
        found[f"turnover {name}"] = spread.turnover
        found[f"weights {name}"] = held.weights
    found["portfolios"] = st.portfolio.portfolio_returns(lev, market, weighting="value").frame
    return found


def up_to(part: pd.DataFrame | pd.Series, t: pd.Timestamp) -> list[bytes]:
    """The bytes of all rows dated up to t, keys included."""
    dates = (
        part.index.get_level_values("date") if isinstance(part.index, pd.MultiIndex) else part.index
    )
    frame = part[dates <= t]
    frame = frame.to_frame() if isinstance(frame, pd.Series) else frame
    assert len(frame) > 0
    return [
        *(np.asarray(frame.index.get_level_values(i).astype(str)).astype("U").tobytes()
          for i in range(frame.index.nlevels)),
        *(np.asarray(frame[c].astype(str) if frame[c].dtype == object else frame[c]).astype(
            "U" if not pd.api.types.is_numeric_dtype(frame[c].dtype) else float).tobytes()
          for c in frame),
    ]  # fmt: skip


def assert_same_past(before, after, t):
    for name, part in before.items():
        assert up_to(part, t) == up_to(after[name], t), f"{name} up to {t.date()} changed"
        # And the corruption was no sham: what comes after t did change, where there is any.
    later = [
        name
        for name, part in before.items()
        if name.startswith("returns")
        and not part[part.index > t].equals(after[name][after[name].index > t])
    ]
    assert later


def corrupted(frame: pd.DataFrame, late: np.ndarray, seed: int = 0) -> pd.DataFrame:
    """Every number of the late rows replaced by noise of the column's own size, or lost."""
    rng = np.random.default_rng(seed)
    out = frame.copy()
    for name in frame.columns:
        if pd.api.types.is_float_dtype(frame[name].dtype):
            values = frame[name].to_numpy(dtype="float64").copy()
            noise = values[late] * rng.uniform(-3, 9, size=late.sum())
            noise[rng.random(late.sum()) < 0.1] = np.nan
            if name in ("ret", "close", "price", "market_cap", "shares", "volume"):
                noise = np.abs(noise)
            values[late] = noise
            out[name] = values.astype(frame[name].dtype)
    return out


@pytest.mark.parametrize("cut", [30, 37])
def test_simulated_market(cut):
    panel = st.data.simulate_market(120, "2005-01-31", 48, seed=5).panel
    t = panel.dates[cut]
    frame = panel.frame
    late = np.asarray(frame.index.get_level_values("date") > t)
    spoiled = st.Panel(corrupted(frame, late), freq="M")
    # Some assets that exist after t vanish altogether, too.
    keep = np.ones(len(spoiled), dtype=bool)
    keep[np.flatnonzero(late)[::7]] = False
    spoiled = spoiled.where(keep)
    assert_same_past(whole_way(panel, 18, 6), whole_way(spoiled, 18, 6), t)


@pytest.mark.realdata
def test_pystock_from_its_raw_files(real_data, tmp_path):
    source = real_data / "pystock"
    t = pd.Timestamp("2016-06-30")
    reports = pd.read_parquet(source / "reports.parquet")
    prices = pd.read_parquet(source / "prices_daily.parquet")
    # A smaller universe, chosen without looking at the future: by name.
    some = set(sorted(prices["symbol"].astype(str).unique())[::6])
    reports = reports[reports["symbol"].isin(some)].reset_index(drop=True)
    prices = prices[prices["symbol"].astype(str).isin(some)].reset_index(drop=True)

    def built(
        folder: Path, r: pd.DataFrame, p: pd.DataFrame
    ) -> dict[str, pd.DataFrame | pd.Series]:
        folder.mkdir()
        r.to_parquet(folder / "reports.parquet")
        p.to_parquet(folder / "prices_daily.parquet")
        return whole_way(st.data.read_panel(folder, freq="M"), 6, 3)

    spoiled_reports = corrupted(reports, (reports["archive_date"] > t).to_numpy(), seed=1)
    spoiled_prices = corrupted(prices, (prices["date"] > t).to_numpy(), seed=2)
    before = built(tmp_path / "before", reports, prices)
    after = built(tmp_path / "after", spoiled_reports, spoiled_prices)
    assert_same_past(before, after, t)
